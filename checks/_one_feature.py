"""Faults of one feature at a time: out of range, in another unit, exchanged, of an unseen category, stuck.

Every fault of a kind is tried on every feature it can strike; the worst one gives the headline and each point of the
curve. The better end of its interval is simultaneous over the faults that were tried, since the smallest of several
values is luck, too. Which features a fault can strike follows from their kinds and units.

Where severity is a share of the rows, the struck rows are drawn once and grow with the share; each fault is scored
once, because a row's answer depends on that row alone (the export check holds the graph to that).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from checks import _degradation, _severity_curve
from checks._degradation import Answers
from checks._subject import UNGATED, Subject, not_applicable
from configs.units import USUAL
from evidence import records

Inputs = npt.NDArray[np.float32]

MOST_PAIRS = 200
"""Pairs of exchanged columns that are tried: neighbours in the plan first, as those are confused most easily."""
SAME = 1e-6
"""Probabilities or predictions that differ by less are the same answer."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """One way in which one feature can be wrong."""

    feature: str
    """Name for the table: a feature, or a pair `a ↔ b`."""
    words: str
    """Which fault it is."""
    inputs: Callable[[float], Iterator[Inputs]]
    """The test rows, all of them struck, at a severity: piece by piece, see `_degradation.pieces`."""


def out_of_range(subject: Subject) -> records.CheckResult:
    """One numeric feature at a time beyond either end of its training range."""
    check_id, severities = "robustness.out_of_range", sorted(subject.plan.policy.robustness.out_of_range)
    if not severities:
        return not_applicable(check_id, "the plan declares no severity")
    faults = [
        Fault(_name(subject, j), f"{_name(subject, j)} {side} its training range", _beyond(subject, j, end))
        for j in numeric(subject)
        if _range(subject, j) > 0
        for end, side in ((-1, "below"), (1, "above"))
    ]
    if not faults:
        return not_applicable(check_id, "the model has no numeric feature that varies in training")
    axis, note = (
        "distance beyond the training range (in training ranges)",
        "the worst feature, {} by {} of that range",
    )
    return _worst(subject, check_id, axis, faults, severities, note)


def rescaled(subject: Subject) -> records.CheckResult:
    """One numeric feature at a time in another unit: times a factor, in a share of the rows. Integers are rounded."""
    check_id, units = "robustness.rescaled", subject.plan.policy.robustness.units
    if not units.shares:
        return not_applicable(check_id, "the plan declares no share of rows")
    faults = [
        Fault(_name(subject, j), f"{_name(subject, j)} times {factor:,.6g}", _times(subject, j, factor))
        for j in numeric(subject)
        for factor in factors(subject, j)
    ]
    if not faults:
        return not_applicable(check_id, "the model has no numeric feature")
    axis, note = "share of rows in the wrong unit", "the worst feature and factor, {}, in {}"
    return _worst(subject, check_id, axis, faults, sorted(units.shares), note, by_share=True)


def exchanged(subject: Subject) -> records.CheckResult:
    """Two columns of one unit exchanged, in a share of the rows."""
    check_id, units = "robustness.exchanged", subject.plan.policy.robustness.units
    if not units.shares:
        return not_applicable(check_id, "the plan declares no share of rows")
    pairs = alike(subject)
    if not pairs:
        return not_applicable(
            check_id, "no two numeric features of the model are declared with the same unit of measure"
        )
    faults = [
        Fault(f"{_name(subject, a)} ↔ {_name(subject, b)}", f"{_name(subject, a)} and {_name(subject, b)} exchanged",
              _swapped(subject, a, b))
        for a, b in pairs[:MOST_PAIRS]
    ]  # fmt: skip
    axis, note = "share of rows with two columns exchanged", "the worst pair, {}, in {}"
    found = _worst(subject, check_id, axis, faults, sorted(units.shares), note, by_share=True)
    return found.model_copy(update={"details": {**found.details, "pairs": len(pairs), "pairs_tried": len(faults)}})


def unseen_category(subject: Subject) -> records.CheckResult:
    """One categorical feature at a time with a code that no category has, in a share of the rows.

    The contract says that such a code counts as missing. `details.unlike_missing` holds, for each feature, the rows on
    which the graph answers otherwise than to a missing value.
    """
    check_id, shares = "robustness.unseen_category", subject.plan.policy.robustness.unseen_category
    if not shares:
        return not_applicable(check_id, "the plan declares no share of rows")
    features = [j for j, f in enumerate(subject.encoded.features) if f.kind == "categorical"]
    if not features:
        return not_applicable(check_id, "the model has no categorical feature")
    faults = [
        Fault(_name(subject, j), f"{_name(subject, j)} of an unseen category",
              _fixed(subject, j, float(len(subject.encoded.features[j].categories))))
        for j in features
    ]  # fmt: skip
    axis, note = "share of rows of an unseen category", "the worst feature, {}, in {}"
    unlike: dict[str, int] = {}
    column = {fault.feature: j for fault, j in zip(faults, features, strict=True)}

    def compare(fault: Fault, answered: Answers) -> None:
        unlike[fault.feature] = _unlike_missing(subject, column[fault.feature], answered)

    found = _worst(subject, check_id, axis, faults, sorted(shares), note, by_share=True, seen=compare)
    return found.model_copy(update={"details": {**found.details, "unlike_missing": unlike}})


def stuck(subject: Subject) -> records.CheckResult:
    """One numeric feature at a time frozen at one value, in a share of the rows.

    The values are the training minimum, median and maximum, and `last`: the value of one test row, drawn with the seed,
    as the reading at which a sensor stopped. Frozen cells hold the value also where they were missing.
    """
    check_id, shares = "robustness.stuck", subject.plan.policy.robustness.stuck
    if not shares:
        return not_applicable(check_id, "the plan declares no share of rows")
    order = subject.sampling.rng(f"{check_id}.last").permutation(subject.part.rows)
    faults = [
        Fault(_name(subject, j), f"{_name(subject, j)} frozen at its {what}", _fixed(subject, j, value))
        for j in numeric(subject)
        for what, value in _readings(subject, j, order)
    ]
    if not faults:
        return not_applicable(check_id, "the model has no numeric feature")
    axis, note = "share of rows with a stuck value", "the worst feature, {}, in {}"
    return _worst(subject, check_id, axis, faults, sorted(shares), note, by_share=True)


def copies(subject: Subject) -> Iterator[Inputs]:
    """The test rows a piece at a time, to be altered."""
    for piece in _degradation.pieces(subject):
        yield subject.part.x[piece].copy()


def numeric(subject: Subject) -> list[int]:
    """Indices of the numeric features."""
    return [j for j, feature in enumerate(subject.encoded.features) if feature.kind == "numeric"]


def factors(subject: Subject, feature: int) -> tuple[float, ...]:
    """By what a feature is multiplied in another unit: the plan's word on its unit, the usual units, the default."""
    units, unit = subject.plan.policy.robustness.units, subject.encoded.features[feature].unit
    return units.by_unit.get(unit or "") or USUAL.get(unit or "") or units.factors


def alike(subject: Subject) -> list[tuple[int, int]]:
    """Pairs of numeric features of one declared unit of measure, neighbours first. A pure number has none."""
    unit = {j: subject.encoded.features[j].unit for j in numeric(subject)}
    pairs = [(a, b) for a, b in itertools.combinations(unit, 2) if unit[a] == unit[b] and unit[a] not in (None, "1")]
    return sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair))


def as_declared(spec: records.FeatureSpec, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Values as they are fed: integers as whole numbers, in float32. What does not fit becomes infinite."""
    with np.errstate(over="ignore"):
        return (np.round(values) if spec.integer else values).astype(np.float32)


def named(
    found: records.CheckResult, worst: str, features: dict[str, float], words: dict[str, str]
) -> records.CheckResult:
    """The result with its worst feature and the value of each feature, in details and reason."""
    details = {**found.details, "worst": worst, "features": features, "faults": words}
    reason = f"{found.reason}; worst feature: {worst}" if found.reason == UNGATED else found.reason
    return found.model_copy(update={"details": details, "reason": reason})


def _worst(
    subject: Subject,
    check_id: str,
    axis: str,
    faults: Sequence[Fault],
    severities: Sequence[float],
    note: str,
    *,
    by_share: bool = False,
    seen: Callable[[Fault, Answers], None] | None = None,
) -> records.CheckResult:
    """The worst of the faults at each severity; `note` has places for the fault and its size.

    `seen` is shown what the graph says of the rows where all are struck, for each fault.
    """
    order = subject.sampling.rng(f"{check_id}.rows").random(subject.part.rows)
    best: list[tuple[float, Answers, str] | None] = [None] * len(severities)
    alone: dict[str, tuple[float, str]] = {}
    for fault in faults:
        whole = _degradation.answers(subject, fault.inputs(1.0)) if by_share else None
        if seen is not None and whole is not None:
            seen(fault, whole)
        value = math.nan
        for index, severity in enumerate(severities):
            found = (
                _degradation.answers(subject, fault.inputs(severity))
                if whole is None
                else _degradation.mixed(subject, whole, order < severity)
            )
            value = _degradation.value(subject, found.scores)
            held = best[index]
            if held is None or _rank(value) < _rank(held[0]):
                best[index] = (value, found, fault.words)
        if fault.feature not in alone or _rank(value) < _rank(alone[fault.feature][0]):
            alone[fault.feature] = (value, fault.words)
    points = [(s, held[1]) for s, held in zip(severities, best, strict=True) if held is not None]
    worst = best[-1][2] if best[-1] else ""
    last = severities[-1]
    where = f"{last:g}" if not by_share else "all rows" if last == 1 else f"a share of {last:g} of the rows"
    result = _severity_curve.result(subject, check_id, axis, points, note.format(worst, where), compared=len(faults))
    defined = {name: value for name, (value, _) in alone.items() if math.isfinite(value)}
    return named(result, worst, defined, {name: alone[name][1] for name in defined})


def _rank(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def _name(subject: Subject, feature: int) -> str:
    return subject.encoded.features[feature].name


def _range(subject: Subject, feature: int) -> float:
    spec = subject.encoded.features[feature]
    return (spec.maximum or 0.0) - (spec.minimum or 0.0)


def _beyond(subject: Subject, feature: int, end: int) -> Callable[[float], Iterator[Inputs]]:
    spec = subject.encoded.features[feature]
    edge = (spec.maximum if end > 0 else spec.minimum) or 0.0

    def inputs(severity: float) -> Iterator[Inputs]:
        return _fixed(subject, feature, edge + end * severity * _range(subject, feature))(severity)

    return inputs


def _fixed(subject: Subject, feature: int, value: float) -> Callable[[float], Iterator[Inputs]]:
    def inputs(_: float) -> Iterator[Inputs]:
        for x in copies(subject):
            x[:, feature] = as_declared(subject.encoded.features[feature], np.array(value))
            yield x

    return inputs


def _times(subject: Subject, feature: int, factor: float) -> Callable[[float], Iterator[Inputs]]:
    def inputs(_: float) -> Iterator[Inputs]:
        for x in copies(subject):
            scaled = x[:, feature].astype(np.float64) * factor
            x[:, feature] = as_declared(subject.encoded.features[feature], scaled)
            yield x

    return inputs


def _swapped(subject: Subject, first: int, second: int) -> Callable[[float], Iterator[Inputs]]:
    def inputs(_: float) -> Iterator[Inputs]:
        for x in copies(subject):
            x[:, [first, second]] = x[:, [second, first]]
            yield x

    return inputs


def _readings(subject: Subject, feature: int, order: npt.NDArray[np.intp]) -> list[tuple[str, float]]:
    """At what a sensor may freeze, and the value; each value once."""
    spec, column = subject.encoded.features[feature], subject.part.x[order, feature]
    present = column[np.isfinite(column)]
    found = [
        ("training median", spec.median),
        ("training minimum", spec.minimum),
        ("training maximum", spec.maximum),
        ("last value", float(present[0]) if len(present) else None),
    ]
    different: dict[float, str] = {}
    for what, value in found:
        if value is not None:
            different.setdefault(value, what)
    return [(what, value) for value, what in different.items()]


def _unlike_missing(subject: Subject, feature: int, unseen: Answers) -> int:
    """Rows that the graph answers otherwise than with the feature missing."""
    absent = _degradation.answers(subject, _fixed(subject, feature, math.nan)(1.0))
    one, other = (
        a.scores.probabilities if a.scores.probabilities is not None else a.scores.predictions for a in (unseen, absent)
    )
    if one is None or other is None:
        raise TypeError("scores hold probabilities or predictions")
    differing = (np.abs(one - other) > SAME).reshape(len(one), -1).any(axis=1)
    return int(np.sum(differing | (unseen.invalid != absent.invalid)))
