"""Changes that are determined beforehand (AI Act Annex IV(2)(f)): what may change, within which limits, and why.

A declaration counts for the versions that come after it: `proofline diff A B` lays those of A on what differs in B.
Another intended purpose, another answer on the class and another set of declarations can never be declared here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from configs.base import Fraction, Section, Slug, Text

CLAUSE = "Annex IV(2)(f)"
PURPOSE = (
    "system.intended_purpose", "system.intended_users", "system.affected_persons", "system.sector",
)  # fmt: skip
"""Fields that say what the system is for, and for whom (Art. 3(12))."""
UNDECLARABLE = (*PURPOSE, "system.id", "classification", "predetermined_changes", "version")
"""Fields whose change no declaration can cover, and whatever stands beneath them."""


_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


def steps(path: str) -> tuple[str, ...]:
    """`data.columns[housing].role` as `("data", "columns", "[housing]", "role")`."""
    return tuple(_STEP.findall(path))


def matches(pattern: str, path: Sequence[str]) -> bool:
    """Does a pattern name this place, or one above it? `*` stands for any one step, `[*]` for any item of a list."""
    wanted = steps(pattern)
    return len(wanted) <= len(path) and all(
        step in ("*", found) or (step == "[*]" and found.startswith("["))
        for step, found in zip(wanted, path, strict=False)
    )


def declarable(path: Sequence[str]) -> bool:
    """May a declaration cover a change at this place of the plan?"""
    return not any(tuple(path[: len(fixed)]) == fixed for fixed in map(steps, UNDECLARABLE))


def _no_purpose(pattern: str) -> str:
    wanted = steps(pattern)
    for place in UNDECLARABLE:
        fixed = steps(place)
        common = min(len(fixed), len(wanted))
        if all(step in ("*", found) for step, found in zip(wanted[:common], fixed[:common], strict=True)):
            raise ValueError(
                f"expected a path that leaves {place} out, got {pattern}: no declaration covers a change of it. "
                "Name single fields"
            )
    return pattern


PathPattern = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z_]+(\.[A-Za-z0-9_*]+|\[[^\[\]]+\])*$"),
    AfterValidator(_no_purpose),
]
"""A place in the plan, with all that stands beneath it: `training`, `data.columns[income].maximum`,
`policy.gates[performance.roc_auc@overall].at_least`, `data.columns[*].maximum`."""


class MetricLimit(Section):
    """How far one measure may move."""

    check: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
    """Identifier in the catalogue, for example `performance.roc_auc`."""
    slice: Text = "overall"
    """`overall`, or for checks on groups a protected attribute or an intersection such as `sex × age_group`."""
    at_least: float | None = None
    """The interval of the later version may not reach below this."""
    at_most: float | None = None
    """The interval of the later version may not reach above this."""
    worse_by_at_most: float | None = Field(default=None, ge=0)
    """The interval of the difference between the versions may not reach further than this to the worse side. In the
    unit of the metric."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None and self.worse_by_at_most is None:
            raise ValueError("expected at least one of at_least, at_most and worse_by_at_most")
        return self


class MayChange(Section):
    """What a declaration covers."""

    plan: tuple[PathPattern, ...] = ()
    """Fields of the plan."""
    data: bool = False
    """Other rows from the same source, and with them the fields under `data.source` and `data.provenance`."""
    retraining: bool = False
    """Other weights, and what training alone chooses with them: epochs, a threshold by a criterion, a temperature."""
    software: bool = False
    """Other versions of the packages and of proofline itself."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.plan or self.data or self.retraining or self.software):
            raise ValueError("expected at least one of plan, data, retraining and software")
        return self


class Limits(Section):
    """Within which limits a declaration holds. What is left out is not limited."""

    features_unchanged: bool = True
    """The model takes the same features, in the same order, with the same kinds and units."""
    rows_grow_by_at_most: float | None = Field(default=None, ge=0)
    """As a share of the earlier rows: 0.5 is half as many again."""
    rows_shrink_by_at_most: Fraction | None = None
    """As a share of the earlier rows."""
    group_shares_move_by_at_most: Fraction | None = None
    """Largest difference in the share that any group of a protected attribute has in the rows."""
    drift_at_most: float | None = Field(default=None, gt=0)
    """Largest population stability index of a feature between the two test parts, at its interval."""
    metrics: tuple[MetricLimit, ...] = ()


class PredeterminedChange(Section):
    """One change that was determined beforehand."""

    id: Slug
    title: Text
    may_change: MayChange
    limits: Limits = Limits()
    rationale: Text
    """Why the requirements stay fulfilled within these limits."""
    clause: Text = CLAUSE
    """Where the technical documentation, or the law, provides for it."""

    @model_validator(mode="after")
    def _measured(self) -> Self:
        # A model that may become another one without any measure being looked at is no determined change.
        if (self.may_change.data or self.may_change.retraining) and not self.limits.metrics:
            raise ValueError("expected limits.metrics for other data or a retraining, got none")
        return self


def check(declared: Sequence[PredeterminedChange]) -> None:
    """Refuse declarations that cannot be told apart.

    Raises:
        ValueError: Two have the same id.
    """
    twice = [name for name, times in Counter(change.id for change in declared).items() if times > 1]
    if twice:
        raise ValueError(f"predetermined_changes: expected different ids, got {twice[0]} twice")
