"""Data poisoning: what the model loses when a share of its training labels is flipped.

The plan's model is trained anew on training rows with 0 % and more of their labels replaced, each share several times
with other flips and another seed, and judged on the test part. These models are no graph that ships: they show how the
recipe reacts to bad labels. A flipped label is another class at random; a regression target is that of another row.
One more set of trainings flips the labels of a single class, the rarest, as somebody would who wants it overlooked.

The loss of accuracy (regression: of the coefficient of determination) is paired: same test rows, same seed. Its
interval adds the variance between repetitions to that between test rows (between entities where there are some), with
Satterthwaite's degrees of freedom.

Refs: Biggio et al., Poisoning attacks against support vector machines, ICML 2012 (label flips); Satterthwaite,
Biometrics Bull. 2 (1946) 110.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _degradation, intervals
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.security import _trainings
from checks.security._trainings import StoppedError
from evidence import arrays, records

Floats = npt.NDArray[np.float64]
Told = npt.NDArray[np.float64] | npt.NDArray[np.int32]
Labels = npt.NDArray[np.generic]

CHECK = "security.label_flips"


@dataclasses.dataclass(frozen=True)
class Judged:
    """Quality of each test row under each repetition, and how it makes up the score."""

    rows: Floats
    """(repeats, rows): 1 for a right label; minus the squared error over the variance of the target."""
    spread: Floats
    """(rows,): the share of the target's variance that a row makes up, for the score's own denominator."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Sensitivity to flipped labels."""
    shares = sorted(set(subject.plan.policy.security.poisoning.flips))
    if not shares:
        return (not_applicable(CHECK, "the plan declares no share of labels to flip"),)
    try:
        return (_measured(subject, shares),)
    except StoppedError as stopped:
        return (not_measured(CHECK, str(stopped)),)


def flipped(y: Labels, share: float, classes: int, rng: np.random.Generator) -> Labels:
    """Targets (n,) of which a share, to the nearest row, is replaced: another class, or another of these targets."""
    chosen = rng.permutation(len(y))[: round(share * len(y))]
    made = y.copy()
    if classes:
        made[chosen] = (y[chosen] + rng.integers(1, classes, size=len(chosen))) % classes
    else:
        made[chosen] = y[rng.permutation(chosen)]
    return made


def loss(clean: Judged, other: Judged, sampling: intervals.Sampling) -> tuple[float, records.Interval | None]:
    """Mean loss of the score over repetitions, with its interval; None where nothing varies."""
    paired = clean.rows - other.rows
    found = paired.mean(axis=1)
    value = float(found.mean())
    return value, _interval(value, found, paired.mean(axis=0) - value * other.spread, sampling)


def score(judged: Judged, base: float, sampling: intervals.Sampling) -> tuple[float, records.Interval | None]:
    """Mean score over repetitions: `base` (0, or 1 for the coefficient of determination) and the mean of the rows."""
    found = judged.rows.mean(axis=1)
    value = float(found.mean())
    interval = _interval(value + base, found + base, judged.rows.mean(axis=0) - value * judged.spread, sampling)
    return value + base, interval


def _interval(value: float, found: Floats, influence: Floats, sampling: intervals.Sampling) -> records.Interval | None:
    """From the repetitions' values (repeats,) and the influence of each test row (rows,), which has mean 0."""
    repeats, rows = len(found), len(influence)
    units = influence
    if sampling.entities is not None:
        units = np.bincount(intervals.clusters(sampling.entities), weights=influence)
    between = float(np.var(found, ddof=1)) / repeats
    within = float(np.sum(units**2)) / rows**2 * len(units) / max(len(units) - 1, 1)
    total = between + within
    if total <= 0:
        return None
    freedom = total**2 / (between**2 / (repeats - 1) + within**2 / max(len(units) - 1, 1))
    reach = float(special.stdtrit(freedom, 0.5 + sampling.level / 2)) * math.sqrt(total)
    over = "rows" if sampling.entities is None else "entities"
    return records.Interval(
        low=value - reach,
        high=value + reach,
        level=sampling.level,
        method=f"variance over {repeats} repetitions and over test {over}, Student's t (Satterthwaite)",
    )


def _measured(subject: Subject, shares: list[float]) -> records.CheckResult:
    settings = subject.plan.policy.security.poisoning
    part = subject.parts.part("train")
    if part is None:
        raise StoppedError("the training part is not here")
    chosen = _trainings.drawn(part.row_digests, settings.rows, subject.plan.policy.seed, CHECK)
    _trainings.require_rows(len(chosen), "training rows")
    x, y = part.x[chosen], part.y[chosen]
    rarest = _rarest(y, subject.classes)
    train = _trainings.Trainings(subject)
    rng = subject.sampling.rng(CHECK)
    by_share: dict[float, list[Told]] = {share: [] for share in (0.0, *shares)}
    targeted: list[Told] = []
    for seed in _trainings.seeds(subject, CHECK + ".seeds", settings.repeats):
        for share, outputs in by_share.items():
            outputs.append(_told(subject, train(x, flipped(y, share, subject.classes, rng), seed)(subject.part.x)))
        if rarest is not None:
            wrong = y.copy()
            of_class = np.flatnonzero(y == rarest)
            few = of_class[rng.permutation(len(of_class))[: round(shares[-1] * len(of_class))]]
            wrong[few] = (y[few] + rng.integers(1, subject.classes, size=len(few))) % subject.classes
            targeted.append(_told(subject, train(x, wrong, seed)(subject.part.x)))
    judged = {share: _judged(subject, outputs) for share, outputs in by_share.items()}
    return _result(subject, judged, len(chosen), _of_class(subject, by_share[0.0], targeted, rarest, shares[-1]))


def _rarest(y: Labels, classes: int) -> int | None:
    """The class with the fewest rows among those that have some; None for regression."""
    if not classes:
        return None
    counts = np.bincount(y.astype(np.int64), minlength=classes)
    present = np.flatnonzero(counts)
    return int(present[np.argmin(counts[present])])


def _told(subject: Subject, outputs: Floats) -> Told:
    """What is kept of a model's outputs (rows, classes or 1): its labels, or its predictions (rows,)."""
    return outputs[:, 0].copy() if subject.task == "regression" else _labels(subject, outputs).astype(np.int32)


def _labels(subject: Subject, outputs: Floats) -> npt.NDArray[np.int64]:
    """Labels as the graph would give them, the threshold of the training included."""
    training = subject.source.training
    if subject.task == "binary" and training is not None and training.threshold is not None:
        return (outputs[:, 1] >= training.threshold.value).astype(np.int64)
    return outputs.argmax(axis=1)


def _judged(subject: Subject, outputs: list[Told]) -> Judged:
    part: arrays.Part = subject.part
    if subject.task != "regression":
        right = np.stack([o == part.y for o in outputs]).astype(np.float64)
        return Judged(right, np.ones(part.rows))
    y = part.y.astype(np.float64)
    squares = (y - y.mean()) ** 2
    variance = float(squares.mean())
    if variance <= 0:
        raise StoppedError("the target does not vary in the test part")
    return Judged(-np.stack([(o - y) ** 2 for o in outputs]) / variance, squares / variance)


def _of_class(
    subject: Subject, clean: list[Told], targeted: list[Told], rarest: int | None, share: float
) -> tuple[records.Measure, ...]:
    """Loss of the rate at which rows of the rarest class are found, when only its labels were flipped."""
    if rarest is None or not targeted:
        return ()
    name = f"{CHECK}.recall_lost_by_the_rarest_class"
    own = np.flatnonzero(subject.part.y == rarest)
    note = (
        f"only labels of the rarest class, {subject.encoded.classes[rarest]}, flipped in a share of {share:g}: loss of "
        "the share of its test rows that get that label"
    )
    if len(own) < 2:
        return (records.Measure(name=name, value=None, note=f"undefined: {len(own)} test rows of the rarest class"),)
    right = [
        Judged(np.stack([o[own] == rarest for o in outputs]).astype(np.float64), np.ones(len(own)))
        for outputs in (clean, targeted)
    ]
    value, interval = loss(right[0], right[1], subject.sampling.take(own))
    return (records.Measure(name=name, value=value, interval=interval, n=len(own), split="test", note=note),)


def _result(
    subject: Subject, judged: dict[float, Judged], used: int, targeted: tuple[records.Measure, ...]
) -> records.CheckResult:
    base = 1.0 if subject.task == "regression" else 0.0
    scores = {share: score(found, base, subject.sampling) for share, found in judged.items()}
    share = max(judged)
    value, interval = loss(judged[0.0], judged[share], subject.sampling)
    repeats, rows = len(judged[0.0].rows), subject.part.rows
    note = (
        f"a share of {share:g} of {used:,} training labels flipped, {repeats} repetitions; models trained anew, not "
        "the graph that ships"
    )
    metric = _degradation.names(subject.task)[0]
    measures = (
        records.Measure(name=CHECK, value=value, interval=interval, n=rows, split="test", note=note),
        *(
            records.Measure(
                name=f"{CHECK}.{metric}_{name}",
                value=scores[at][0],
                interval=scores[at][1],
                n=rows,
                split="test",
                note=f"models trained anew with a share of {at:g} of the labels flipped",
            )
            for name, at in (("without_flips", 0.0), ("with_flips", share))
        ),
        *targeted,
    )
    details: dict[str, object] = {
        "x": "share of training labels flipped",
        "metric": metric,
        "curve": [
            {
                "severity": at,
                "value": found,
                "low": ends.low if ends else None,
                "high": ends.high if ends else None,
            }
            for at, (found, ends) in scores.items()
        ],
        "training_rows": used,
        "repeats": repeats,
    }
    return measured(CHECK, measures, details)
