"""Model flaws: what is wrong with the graph itself, whoever meets it.

The headline is a share of test rows with an interval. The other measures describe this very graph on these rows, by
count, and have none: classes that it never gives although test rows are of them, whether it gives one answer to every
row, inputs that change no output whatever they are set to, inputs whose extreme but finite values break the output
contract, and the largest difference between two runs on the same rows.

For regression, the headline is the share of predictions outside the range of the training target.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from checks import _proportions, scoring
from checks._subject import Subject, measured
from checks.security import _trainings, triggers
from configs import errors
from evidence import records

CHECK = "security.model_flaws"
ROWS = 256
"""Test rows on which each input is changed."""
EXTREMES = (3.4e38, -3.4e38, 1e30, -1e30, 1e6, -1e6)
"""Finite float32 values far out."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every flaw that is looked for."""
    headline, others = _by_rows(subject)
    rows = _trainings.drawn(subject.part.row_digests, ROWS, subject.plan.policy.seed, CHECK)
    x = subject.part.x[rows]
    ignored = [f.name for j, f in enumerate(subject.encoded.features) if _ignored(subject, x, j)]
    broken = [f.name for j, f in enumerate(subject.encoded.features) if _breaks(subject, x, j)]
    counts = [
        ("constant_output", float(_constant(subject.scores)), subject.part.rows, "1 where every row gets one answer"),
        ("ignored_inputs", float(len(ignored)), len(rows), "inputs that change no output, whatever they are set to"),
        ("unstable_inputs", float(len(broken)), len(rows), "inputs whose extreme finite values break the outputs"),
        ("run_difference", _difference(subject, x), len(rows), "largest difference of an output between two runs"),
    ]
    if subject.task != "regression":
        dead = _dead(subject)
        note = f"classes that no row gets: {', '.join(dead)}" if dead else "classes of test rows that no row gets"
        counts.insert(0, ("dead_classes", float(len(dead)), subject.part.rows, note))
    exact = tuple(
        records.Measure(name=f"{CHECK}.{name}", value=value, n=n, split="test", note=note)
        for name, value, n, note in counts
    )
    details: dict[str, object] = {"ignored_inputs": ignored, "unstable_inputs": broken}
    return (measured(CHECK, (headline, *others, *exact), details, subject.artifacts),)


def _by_rows(subject: Subject) -> tuple[records.Measure, tuple[records.Measure, ...]]:
    """The headline, and what else is a share of rows."""
    if subject.scores.labels is None or subject.scores.probabilities is None:
        outside, note = _outside(subject)
        return _share(subject, CHECK, outside, np.arange(subject.part.rows), note), ()
    least = subject.plan.policy.security.confident
    wrong = subject.scores.labels != subject.part.y
    given = subject.scores.probabilities[np.arange(subject.part.rows), subject.scores.labels]
    confident = given >= least
    every = np.arange(subject.part.rows)
    note = f"wrong label with a probability of at least {least:g}"
    return _share(subject, CHECK, wrong & confident, every, note), (
        _share(
            subject, f"{CHECK}.confident_among_errors", confident, np.flatnonzero(wrong), f"share of the errors: {note}"
        ),
        _share(
            subject,
            f"{CHECK}.errors_among_confident",
            wrong,
            np.flatnonzero(confident),
            f"share of the confident rows: {note}",
        ),
    )


def _share(
    subject: Subject, name: str, hits: npt.NDArray[np.bool_], rows: npt.NDArray[np.intp], note: str
) -> records.Measure:
    taken = hits[rows]
    return records.Measure(
        name=name,
        value=float(taken.mean()) if len(rows) else None,
        interval=_proportions.of_rows(taken, subject.sampling.take(rows)),
        n=len(rows),
        split="test",
        note=note if len(rows) else f"undefined: no such row; {note}",
    )


def _outside(subject: Subject) -> tuple[npt.NDArray[np.bool_], str]:
    predictions, train = subject.scores.predictions, subject.parts.part("train")
    if predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    if train is None:
        return ~np.isfinite(predictions), "prediction that is no finite number (no training part is here)"
    low, high = float(train.y.min()), float(train.y.max())
    return (predictions < low) | (predictions > high), "prediction outside the range of the training target"


def _values(scores: scoring.Scores) -> npt.NDArray[np.float64]:
    """Outputs (rows, classes or 1)."""
    found = scores.probabilities if scores.probabilities is not None else scores.predictions
    if found is None:
        raise TypeError("scores hold probabilities or predictions")
    return found.reshape(len(found), -1)


def _constant(scores: scoring.Scores) -> bool:
    values = _values(scores)
    return len(values) > 1 and bool((values == values[0]).all())


def _dead(subject: Subject) -> list[str]:
    given, true = (np.unique(np.asarray(v)) for v in (subject.scores.labels, subject.part.y))
    return [subject.encoded.classes[int(k)] for k in np.setdiff1d(true, given)]


def _difference(subject: Subject, x: npt.NDArray[np.float32]) -> float:
    """Largest difference between an output of a row and the same row asked again, in another order."""
    first, again = _values(subject.scorer(x)), _values(subject.scorer(x[::-1]))[::-1]
    return float(np.abs(first - again).max(initial=0.0))


def _changed(x: npt.NDArray[np.float32], feature: int, values: list[float]) -> Iterator[npt.NDArray[np.float32]]:
    for value in values:
        made = x.copy()
        made[:, feature] = value
        yield made


def _ignored(subject: Subject, x: npt.NDArray[np.float32], feature: int) -> bool:
    """Does no value of this input change any output of any row?"""
    before = _values(subject.scorer(x))
    tried = triggers.values(subject.encoded.features[feature])
    return all((_values(subject.scorer(made)) == before).all() for made in _changed(x, feature, tried))


def _breaks(subject: Subject, x: npt.NDArray[np.float32], feature: int) -> bool:
    """Does an extreme finite value of this input make the graph break its output contract?"""
    for made in _changed(x[:16], feature, list(EXTREMES)):
        try:
            subject.scorer(made)
        except errors.VerificationError:
            return True
    return False
