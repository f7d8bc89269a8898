"""What every check on the model is given: the plan, the test part, the graph and what it says of that part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks import catalogue, intervals, scoring
from checks._parts import Parts
from checks.source import Source
from configs import errors
from configs.plan import Plan
from evidence import arrays, records

UNGATED = "measured; the policy sets no threshold"


@dataclasses.dataclass(frozen=True)
class Subject:
    """The model under test on the test part."""

    plan: Plan
    encoded: records.EncodedData
    part: arrays.Part
    scorer: scoring.Scorer
    scores: scoring.Scores
    """Of the unaltered part."""
    sampling: intervals.Sampling
    parts: Parts
    """The training and the validation part, for checks that compare with them."""
    source: Source = dataclasses.field(default_factory=Source)
    artifacts: tuple[records.ArtifactRef, ...] = ()
    """Where the scores stand in the run folder."""

    @property
    def task(self) -> str:
        """`binary`, `multiclass` or `regression`."""
        return self.encoded.task

    @property
    def classes(self) -> int:
        """Number of classes K; 0 for regression."""
        return len(self.encoded.classes)


def unit_of(metric: catalogue.Metric, encoded: records.EncodedData) -> str:
    """Unit of a metric: that of the target where the metric is in the target's unit."""
    if metric.unit != "target":
        return metric.unit
    return encoded.target_unit or "unit of the target"


def measured(
    check_id: str,
    measures: tuple[records.Measure, ...],
    details: dict[str, object] | None = None,
    artifacts: tuple[records.ArtifactRef, ...] = (),
) -> records.CheckResult:
    """A result before the policy is laid on it; `not_measured` where no headline has a value."""
    headlines = [m for m in measures if m.name == check_id and "=" not in m.slice]
    undefined = all(m.value is None for m in headlines)
    notes = sorted({m.note for m in headlines if m.note})
    return records.CheckResult(
        check_id=check_id,
        title=catalogue.METRICS[check_id].title,
        status="not_measured" if undefined else "not_applicable",
        measures=measures,
        reason="; ".join(notes) if undefined and notes else UNGATED,
        details=details or {},
        artifacts=artifacts,
    )


def not_measured(check_id: str, reason: str) -> records.CheckResult:
    """A check that could not run."""
    return records.CheckResult(
        check_id=check_id, title=catalogue.METRICS[check_id].title, status="not_measured", reason=reason
    )


def answered(check_id: str, check: Callable[[Subject], records.CheckResult], subject: Subject) -> records.CheckResult:
    """The result of a check, or `not_measured` with the reason where the graph gives no usable output for it.

    An output that is not finite under one fault must not take with it what was measured under the others.
    """
    try:
        return check(subject)
    except errors.VerificationError as error:
        return not_measured(check_id, str(error))


def not_applicable(check_id: str, reason: str) -> records.CheckResult:
    """A check that has no meaning here."""
    return records.CheckResult(
        check_id=check_id, title=catalogue.METRICS[check_id].title, status="not_applicable", reason=reason
    )


def other_task(metric: catalogue.Metric, task: str) -> records.CheckResult:
    """A metric of another task."""
    return not_applicable(metric.id, f"a metric for {' and '.join(metric.tasks)}; the task is {task}")


def floats(values: npt.ArrayLike) -> list[float]:
    """Plain numbers for `details`, rounded to six significant digits: they are for plots."""
    return [float(f"{v:.6g}") for v in np.asarray(values, dtype=np.float64).ravel()]
