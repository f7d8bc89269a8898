"""What an entry of the register of metrics is."""

from __future__ import annotations

import dataclasses
from typing import Literal

Better = Literal["higher", "lower", "none"]
Family = Literal[
    "performance", "fairness", "mitigation", "robustness", "security", "explanation", "language", "data", "export"
]
"""In the order of reports. `security` holds the families of AI Act Art. 15(5) that are no evasion."""

Scale = Literal["value", "rate", "difference", "ratio"]
"""What a number is: a rate of a group, a difference of rates, a ratio of rates, or anything else."""

BINARY = ("binary",)
CLASSIFICATION = ("binary", "multiclass")
REGRESSION = ("regression",)
EVERY_TASK = (*CLASSIFICATION, *REGRESSION)
"""Of models on tables."""
LANGUAGE = ("language_model",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """What an identifier means."""

    id: str
    title: str
    definition: str
    better: Better
    """`none`: descriptive, cannot be gated."""
    tasks: tuple[str, ...]
    """Of `binary`, `multiclass`, `regression`; or `language_model`."""
    family: Family
    reference: str
    unit: str = "1"
    """`1` for a share or a ratio, `target` for the unit of the target, `rows` for counts, `nat` for log loss.

    `classes` for the size of a set of classes, `loss` for nats (regression: variances of the target), `output` for log
    odds (regression: the unit of the target)."""
    low: float = 0.0
    """Smallest value it can take."""
    high: float = 1.0
    """Largest value it can take."""
    scale: Scale = "value"
    """A threshold for a ratio says nothing about a difference."""
    best: float | None = None
    """Best value, where that is no end of the range."""
    sliced: bool = False
    """Is it measured per protected attribute and intersection; of language models per language and domain?"""
    by_column: bool = False
    """Is it measured per column of `policy.robustness.shift.slices`, too?"""
