"""The number by which robustness is judged: accuracy of a classifier, coefficient of determination of a regressor."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _proportions, _regression, intervals, performance, scoring
from checks._subject import Subject
from evidence import records

Rows = npt.NDArray[np.intp]
PIECE = 16 * scoring.BATCH
"""Rows that are altered and scored at a time: whole batches, so that the graph is given the same ones."""


@dataclasses.dataclass(frozen=True)
class Level:
    """Performance at one severity."""

    value: float
    """Accuracy or R²; NaN where undefined."""
    interval: records.Interval | None
    second: float
    """Balanced accuracy, or RMSE."""
    second_interval: records.Interval | None
    invalid: int = 0
    """Rows for which the graph gives no valid output. They count as wrong."""

    def point(self, severity: float) -> dict[str, float | None]:
        """For `details`: severity, value, low, high, and the rows without a valid output where there are any."""
        found = {
            "severity": severity,
            "value": self.value if np.isfinite(self.value) else None,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
        }
        return found | {"invalid": self.invalid} if self.invalid else found


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the graph says of altered inputs, rows without a valid output counted as wrong."""

    scores: scoring.Scores
    invalid: npt.NDArray[np.bool_]
    """(rows,): had the graph no valid output? The scores then hold a wrong label, or the farther end of the targets."""


def pieces(subject: Subject) -> Iterator[slice]:
    """The test rows a piece at a time, in order."""
    rows = subject.part.rows
    for begin in range(0, max(rows, 1), PIECE):
        yield slice(begin, min(begin + PIECE, rows))


def answers(subject: Subject, altered: Iterable[npt.NDArray[np.float32]]) -> Answers:
    """Score altered test rows, the consecutive `pieces` of them (rows, features), of which one at a time is held.

    A fault must end in a result, also where it breaks the graph.
    """
    attempts = [subject.scorer.attempt(x) for x in altered]
    scores, invalid = _joined([a.scores for a in attempts]), ~np.concatenate([a.valid for a in attempts])
    if not invalid.any():
        return Answers(scores, invalid)
    y = subject.part.y
    if scores.labels is not None:
        wrong = (y.astype(np.int64) + 1) % subject.classes
        return Answers(dataclasses.replace(scores, labels=np.where(invalid, wrong, scores.labels)), invalid)
    target, low, high = y.astype(np.float64), float(y.min()), float(y.max())
    farthest = np.where(target - low > high - target, low, high)
    return Answers(scoring.Scores(predictions=np.where(invalid, farthest, _predictions(scores))), invalid)


def _joined(several: list[scoring.Scores]) -> scoring.Scores:
    """Scores of consecutive rows as one."""
    if len(several) == 1:
        return several[0]

    def whole(parts: list[Any]) -> Any:
        return None if parts[0] is None else np.concatenate(parts)

    return scoring.Scores(
        whole([s.labels for s in several]),
        whole([s.probabilities for s in several]),
        whole([s.predictions for s in several]),
    )


def mixed(subject: Subject, altered: Answers, chosen: npt.NDArray[np.bool_]) -> Answers:
    """The answers where only the chosen rows (rows,) are altered: each row's answer depends on that row alone."""
    clean, invalid = subject.scores, altered.invalid & chosen
    if clean.labels is not None:
        return Answers(scoring.Scores(labels=np.where(chosen, altered.scores.labels, clean.labels)), invalid)
    found = np.where(chosen, _predictions(altered.scores), _predictions(clean))
    return Answers(scoring.Scores(predictions=found), invalid)


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


def levels(subject: Subject, several: Sequence[Answers], label: str, compared: int = 1) -> tuple[Level, list[Level]]:
    """Performance of the test rows unaltered, and altered in several ways.

    Args:
        subject: The model under test.
        several: What the graph says of them.
        label: Name of the random stream.
        compared: Of how many faults each is the worst. The smallest of several is luck, too, so that the upper end is
            made simultaneous over them (Bonferroni): exactly for accuracy, by normal quantiles for the other metrics,
            those of a regressor on the logarithm of the squared error.
    """
    if subject.task == "regression":
        rows = np.arange(subject.part.rows)
        predictions = [_predictions(s) for s in (subject.scores, *(a.scores for a in several))]
        found = _regression.intervals_of_several(_target(subject, rows), predictions, subject.sampling, label)
        first, second = names(subject.task)
        clean, *plain = [Level(*f[first], *f[second]) for f in found]
    else:
        clean = level(subject, subject.scores, "robustness.clean")
        plain = [level(subject, a.scores, f"{label}.{i}") for i, a in enumerate(several)]
    return clean, [
        _corrected(subject, dataclasses.replace(one, invalid=int(a.invalid.sum())), a, compared)
        for one, a in zip(plain, several, strict=True)
    ]


def _corrected(subject: Subject, one: Level, found: Answers, compared: int) -> Level:
    """The level with the better end of its intervals moved out for the number of faults it is the worst of."""
    if compared < 2:
        return one
    tail = (1 - subject.sampling.level) / 2
    ratio = float(special.ndtri(1 - tail / compared) / special.ndtri(1 - tail))
    if subject.task == "regression":
        return dataclasses.replace(
            one,
            interval=_better_end(
                one.interval, "high", lambda end: 1 - _stretched(1 - one.value, 1 - end, ratio), compared
            ),
            second_interval=_better_end(
                one.second_interval, "low", lambda end: _stretched(one.second, end, ratio), compared
            ),
        )
    level_of_one = 1 - (1 - subject.sampling.level) / compared
    hits = found.scores.labels == subject.part.y
    far = _proportions.of_rows(hits, dataclasses.replace(subject.sampling, level=level_of_one))
    return dataclasses.replace(
        one,
        interval=_better_end(one.interval, "high", lambda end: far.high if far else end, compared),
        second_interval=_better_end(
            one.second_interval, "high", lambda end: min(1.0, one.second + ratio * (end - one.second)), compared
        ),
    )


def _stretched(value: float, end: float, ratio: float) -> float:
    """The end of an interval of a positive value, moved out on the logarithmic scale."""
    return value * (end / value) ** ratio if value > 0 and end > 0 else end


def _better_end(
    found: records.Interval | None, which: str, moved: Callable[[float], float], compared: int
) -> records.Interval | None:
    if found is None:
        return None
    end = moved(found.high if which == "high" else found.low)
    return found.model_copy(update={which: end, "method": found.method + _over(compared)})


def _over(compared: int) -> str:
    return f", better end simultaneous over {compared} faults (Bonferroni)"


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
