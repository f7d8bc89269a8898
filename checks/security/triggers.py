"""Model poisoning: the strongest trigger that sits in a single input.

A backdoor of the simplest kind turns a row into one class whatever else it holds, as soon as one input has a certain
value. Every input is set, one at a time, to each of its categories, or to values across its training range and missing;
the value that moves the largest share of the rows with other labels into one class is looked for on one half of the
test rows and measured on the other, so that the search does not flatter the number. An input that rightly decides the
label shows here too, and a trigger made of several inputs does not: the number is what one input can do, no proof.

Refs: Gu, Dolan-Gavitt and Garg, BadNets, arXiv:1708.06733.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _proportions
from checks._subject import Subject, measured, not_measured, other_task
from checks.catalogue import METRICS
from checks.security import _trainings
from evidence import records

CHECK = "security.trigger"
ROWS = 2000
"""Test rows looked at: half for the search, half for the measurement."""
STEPS = 5
"""Values across the training range of a number."""
LEAST = 20
"""Rows with another label in each half, below which a class is not looked at."""

Inputs = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Trigger:
    """An input, the value it is set to, the class that rows are to get, and the share that does."""

    feature: int
    value: float
    label: int
    share: float


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The strongest single-input trigger."""
    if subject.task == "regression":
        return (other_task(METRICS[CHECK], subject.task),)
    rows = np.random.default_rng(subject.plan.policy.seed).permutation(
        _trainings.drawn(subject.part.row_digests, ROWS, subject.plan.policy.seed, CHECK)
    )
    halves = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    found = _strongest(subject, halves[0])
    if found is None:
        return (not_measured(CHECK, f"fewer than {LEAST} test rows with another label than any one class"),)
    return (_result(subject, found, halves[1]),)


def values(feature: records.FeatureSpec) -> list[float]:
    """What an input is set to."""
    if feature.kind == "categorical":
        return [*map(float, range(len(feature.categories))), float("nan")]
    low, high = feature.minimum or 0.0, feature.maximum or 0.0
    steps = np.linspace(low, high, STEPS)
    return [*sorted({float(v) for v in (np.round(steps) if feature.integer else steps)}), float("nan")]


def _with(x: Inputs, feature: int, value: float) -> Inputs:
    made = x.copy()
    made[:, feature] = value
    return made


def _moved(
    subject: Subject, rows: npt.NDArray[np.intp], feature: int, value: float, label: int
) -> npt.NDArray[np.bool_]:
    """Of the rows with another label, which get this one (n,)."""
    before = _labels(subject, subject.part.x[rows])
    others = rows[before != label]
    return _labels(subject, _with(subject.part.x[others], feature, value)) == label


def _labels(subject: Subject, x: Inputs) -> npt.NDArray[np.int64]:
    labels = subject.scorer(x).labels
    if labels is None:
        raise TypeError("a classifier's scores hold labels")
    return labels


def _strongest(subject: Subject, rows: npt.NDArray[np.intp]) -> Trigger | None:
    x = subject.part.x[rows]
    before = _labels(subject, x)
    classes = [k for k in range(subject.classes) if np.sum(before != k) >= LEAST]
    best: Trigger | None = None
    for j, feature in enumerate(subject.encoded.features):
        for value in values(feature) if classes else ():
            after = _labels(subject, _with(x, j, value))
            for k in classes:
                share = float(np.mean(after[before != k] == k))
                if best is None or share > best.share:
                    best = Trigger(j, value, k, share)
    return best


def _told(feature: records.FeatureSpec, value: float) -> str:
    """The value in words: the extremes of the training rows are single persons' and are named, not given."""
    if np.isnan(value):
        return "missing"
    if feature.kind == "categorical":
        return feature.categories[int(value)]
    extremes = {feature.minimum: "its training minimum", feature.maximum: "its training maximum"}
    return extremes.get(value, f"{value:,.6g}")


def _result(subject: Subject, found: Trigger, rows: npt.NDArray[np.intp]) -> records.CheckResult:
    moved = _moved(subject, rows, found.feature, found.value, found.label)
    feature, label = subject.encoded.features[found.feature], subject.encoded.classes[found.label]
    at = _told(feature, found.value)
    note = f"{feature.name} set to {at}: share of the rows with another label that become {label}"
    sampling = dataclasses.replace(subject.sampling, entities=None)
    if subject.sampling.entities is not None:
        before = _labels(subject, subject.part.x[rows])
        sampling = subject.sampling.take(rows[before != found.label])
    headline = records.Measure(
        name=CHECK,
        value=float(moved.mean()) if len(moved) else None,
        interval=_proportions.of_rows(moved, sampling),
        n=len(moved),
        split="test",
        note=note if len(moved) else f"undefined: no row with another label; {note}",
    )
    details: dict[str, object] = {"feature": feature.name, "value": at, "label": label, "searched_rows": len(rows)}
    return measured(CHECK, (headline,), details, subject.artifacts)
