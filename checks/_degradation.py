"""The number by which robustness is judged: accuracy of a classifier, coefficient of determination of a regressor."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _regression, intervals, performance, scoring
from checks._subject import Subject
from evidence import records

Rows = npt.NDArray[np.intp]


@dataclasses.dataclass(frozen=True)
class Level:
    """Performance at one severity."""

    value: float
    """Accuracy or R²; NaN where undefined."""
    interval: records.Interval | None
    second: float
    """Balanced accuracy, or RMSE."""
    second_interval: records.Interval | None

    def point(self, severity: float) -> dict[str, float | None]:
        """For `details`: severity, value, low, high."""
        return {
            "severity": severity,
            "value": self.value if np.isfinite(self.value) else None,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
        }


def names(task: str) -> tuple[str, str]:
    """Name of the headline metric and of the second."""
    return ("r2", "rmse") if task == "regression" else ("accuracy", "balanced_accuracy")


def level(subject: Subject, scores: scoring.Scores, label: str, rows: Rows | None = None) -> Level:
    """Performance with intervals of the scores of some test rows (all by default)."""
    rows = np.arange(subject.part.rows) if rows is None else rows
    sampling = subject.sampling.take(rows)
    if scores.labels is not None:
        y = subject.part.y[rows].astype(np.int64)
        found = performance.confusion_intervals(y, scores.labels, subject.classes, sampling, label)
    else:
        found = _regression.intervals_of(_target(subject, rows), _predictions(scores), sampling, label)
    first, second = (found[n] for n in names(subject.task))
    return Level(*first, *second)


def value(subject: Subject, scores: scoring.Scores) -> float:
    """Accuracy or R² alone, on all rows; NaN where undefined."""
    if scores.labels is not None:
        return float(np.mean(scores.labels == subject.part.y))
    y = _target(subject, np.arange(subject.part.rows))
    return float(_regression.statistics(np.ones((1, len(y))), y, _predictions(scores))[0, 2])


CONSTANT = "the target does not vary in the test part"


def measures(
    subject: Subject, check_id: str, found: Level, rows: int, note: str, *, undefined: str = CONSTANT
) -> tuple[records.Measure, ...]:
    """Headline and second measure of a robustness check.

    `note` says under what they were measured, `undefined` why a headline has no value.
    """
    second = names(subject.task)[1]
    unit = (subject.encoded.target_unit or "unit of the target") if second == "rmse" else "1"
    defined = bool(np.isfinite(found.value))
    return (
        records.Measure(
            name=check_id,
            value=found.value if defined else None,
            interval=found.interval if defined else None,
            n=rows,
            split="test",
            note=note if defined else f"undefined: {undefined}; {note}",
        ),
        records.Measure(
            name=f"{check_id}.{second}",
            value=found.second if np.isfinite(found.second) else None,
            unit=unit,
            interval=found.second_interval,
            n=rows,
            split="test",
            note=note,
        ),
    )


def clean(subject: Subject, check_id: str, found: Level, rows: int) -> records.Measure:
    """The measure `<check>.clean`: the same metric on the same rows without a fault."""
    defined = bool(np.isfinite(found.value))
    return records.Measure(
        name=f"{check_id}.clean",
        value=found.value if defined else None,
        interval=found.interval if defined else None,
        n=rows,
        split="test",
        note="unaltered inputs" if defined else f"undefined: {CONSTANT}",
    )


def _target(subject: Subject, rows: Rows) -> intervals.Floats:
    return subject.part.y[rows].astype(np.float64)


def _predictions(scores: scoring.Scores) -> intervals.Floats:
    if scores.predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    return scores.predictions
