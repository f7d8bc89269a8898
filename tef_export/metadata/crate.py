"""`data/ro-crate-metadata.json`: the bundle as an RO-Crate 1.1 that follows Process Run Crate 0.5.

It lists every file with digest and size, and says which run made which file from what. It is written after
`bundle.json` and therefore lists that file too; only itself it does not.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from evidence import records
from tef_export import contents, manifest
from tef_export.metadata import bom

CONTEXT: list[Any] = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
SPECIFICATION, PROFILE = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
TRAINING, EVALUATION = "#training", "#evaluation"


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the document says of a run, beside its files."""

    run: records.RunRecord
    results: records.EvaluationRecord
    licence: str | None
    of_text: bool
    """Is it a language model's?"""


def build(facts: Facts, index: manifest.BundleManifest, files: list[manifest.BundleFile]) -> dict[str, Any]:
    """The metadata document; the reader makes it anew and compares.

    Args:
        facts: Of the closed run.
        index: `bundle.json`.
        files: Every file of the payload but this one, `bundle.json` among them, by path.
    """
    entities = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": SPECIFICATION},
            "about": {"@id": "./"},
        },
        _root(index, files),
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": "#provider", "@type": "Organization", "name": index.system.provider},
        *_software(facts),
        *_actions(facts),
        *_licence(facts.licence),
        *(_file(file) for file in files),
    ]
    return {"@context": CONTEXT, "@graph": entities}


def text(content: dict[str, Any]) -> bytes:
    """The document as it is written."""
    return bom.text(content)


def identifier(path: str) -> str:
    """How the crate, whose root is `data/`, names a file of the payload."""
    return path.removeprefix("data/")


def _root(index: manifest.BundleManifest, files: list[manifest.BundleFile]) -> dict[str, Any]:
    return {
        "@id": "./",
        "@type": "Dataset",
        "identifier": index.bundle_id,
        "name": f"{index.system.name} {index.system.version}",
        "description": index.system.intended_purpose,
        "datePublished": index.created,
        "publisher": {"@id": "#provider"},
        "license": {"@id": "#licence"},
        "conformsTo": [{"@id": PROFILE}],
        "hasPart": [{"@id": identifier(file.path)} for file in files],
        "mentions": [{"@id": TRAINING}, {"@id": EVALUATION}],
    }


def _software(facts: Facts) -> list[dict[str, Any]]:
    """The tool and the runtime, with what is known of their versions."""
    version = facts.run.software.get("proofline")
    runtime = facts.results.runtime.partition(",")[0]
    return [
        {
            "@id": "#proofline",
            "@type": "SoftwareApplication",
            "name": "proofline",
            **({"softwareVersion": version} if version else {}),
        },
        {"@id": "#runtime", "@type": "SoftwareApplication", "name": runtime},
    ]


def _actions(facts: Facts) -> list[dict[str, Any]]:
    run, results = facts.run, facts.results
    plan, model = identifier(contents.PLAN), identifier(contents.MODEL)
    place = contents.LANGUAGE_EVIDENCE if facts.of_text else contents.EVIDENCE
    done = {"@id": "http://schema.org/CompletedActionStatus"}
    return [
        {
            "@id": TRAINING,
            "@type": "CreateAction",
            "name": f"Training and export in run {run.run_id}",
            "instrument": {"@id": "#proofline"},
            "agent": {"@id": "#provider"},
            "object": [{"@id": plan}, {"@id": identifier(place["ingest"])}],
            "result": [{"@id": model}, {"@id": identifier(place["train"])}],
            "startTime": run.started_at,
            "endTime": results.started_at,
            "actionStatus": done,
        },
        {
            "@id": EVALUATION,
            "@type": "CreateAction",
            "name": f"Evaluation of the ONNX graph in run {run.run_id}",
            "instrument": {"@id": "#runtime"},
            "agent": {"@id": "#provider"},
            "object": [{"@id": model}, {"@id": plan}, {"@id": identifier(place["commit"])}],
            "result": [{"@id": identifier(contents.RESULTS)}, {"@id": identifier(place["gate"])}],
            "startTime": results.started_at,
            "endTime": results.finished_at,
            "actionStatus": done,
        },
    ]


def _licence(stated: str | None) -> list[dict[str, Any]]:
    """RO-Crate asks for a licence. Where nobody stated one, that is what is said."""
    return [
        {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": stated or "not stated",
            "description": f"SPDX: {stated}" if stated else "The provider has stated no licence.",
        }
    ]


def _file(file: manifest.BundleFile) -> dict[str, Any]:
    return {
        "@id": identifier(file.path),
        "@type": "File",
        "name": identifier(file.path),
        "description": file.role.replace("_", " "),
        "encodingFormat": file.media_type,
        "contentSize": str(file.size),
        "sha256": file.sha256,
    }
