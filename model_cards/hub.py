"""What the Hugging Face Hub calls things: pipeline tags and licence identifiers."""

from __future__ import annotations

PIPELINES = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
}
"""Task of the plan to pipeline tag (huggingface.co/docs/hub/models-tasks)."""

OTHER = "other"
"""Tag for a model of which nobody knows what it takes in."""

METRICS = {"brier": "brier_score", "r2": "r_squared"}
"""Names of the Hub for metrics that we call otherwise (huggingface.co/metrics)."""

LICENCES = frozenset(
    {
        "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear",
        "bsl-1.0", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0",
        "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
        "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0",
        "eupl-1.1", "eupl-1.2", "gpl", "gpl-2.0", "gpl-3.0", "isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "mit", "mpl-2.0",
        "ms-pl", "ncsa", "odbl", "odc-by", "ofl-1.1", "osl-3.0", "pddl", "postgresql", "unlicense", "wtfpl", "zlib",
    }
)  # fmt: skip
"""Identifiers of general licences that the Hub knows (huggingface.co/docs/hub/repositories-licenses)."""


def licence(stated: str) -> dict[str, str]:
    """The card's licence fields for a stated SPDX identifier; `other` with its name where the Hub has none."""
    known = stated.lower().removesuffix("-only").removesuffix("-or-later")
    return {"license": known} if known in LICENCES else {"license": "other", "license_name": stated}


def metric(name: str) -> str:
    """The Hub's name for a metric of the catalogue, for example `performance.roc_auc`."""
    own = name.partition(".")[2]
    return METRICS.get(own, own)
