"""The register of metrics: one entry each, one file per family, in the order of reports."""

from __future__ import annotations

from checks.metrics import (
    data,
    explanation,
    export,
    fairness,
    language,
    mitigation,
    performance,
    robustness,
    security,
    text,
)
from checks.metrics.metric import CLASSIFICATION, LANGUAGE, Family, Metric

__all__ = ["ALL", "CLASSIFICATION", "LANGUAGE", "Family", "Metric"]

ALL: tuple[Metric, ...] = (
    *performance.ALL,
    *fairness.ALL,
    *mitigation.ALL,
    *robustness.ALL,
    *security.ALL,
    *explanation.ALL,
    *language.ALL,
    *data.ALL,
    *text.ALL,
    *export.ALL,
)
