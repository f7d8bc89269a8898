"""The slices of the data on which the model is worst: found by search, then measured on rows the search has not seen.

The search runs on the validation part (`checks._slice_search`): every conjunction of up to `slice_search.conditions`
conditions on features and protected groups with at least the policy's minimum of rows. What it finds there is worse
than it truly is, since the worst of thousands is luck, too. So the value, its interval and the difference to all rows
come from the test part, which has no say in which slices are measured: nothing is dipped into twice. The intervals hold
for all listed slices at once (Bonferroni over these few, not over the thousands of the search). Both parts stand in
`details.slices`; a slice that is bad on validation and not on test is a find of luck, and reads like one.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from checks import _fairness_slices, _group_rates, _proportions, _slice_search, catalogue, scoring
from checks._group_rates import GroupRates
from checks._slice_search import Axis, Slice
from checks._subject import Subject, measured, not_applicable, not_measured, other_task, unit_of
from configs import errors
from evidence import arrays, records

Floats = npt.NDArray[np.float64]

CHECKS = ("robustness.worst_slice", "robustness.worst_slice_error")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A slice as the test part shows it."""

    rows: int
    value: float
    """Accuracy, or mean absolute error; NaN without rows."""
    interval: tuple[float, float] | None
    difference: float
    """How much worse it is than all test rows: lost accuracy, or added error."""
    difference_interval: tuple[float, float] | None


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The worst slice by search: of accuracy, or of the mean absolute error."""
    return tuple(_answer(subject, catalogue.METRICS[check_id]) for check_id in CHECKS)


def _answer(subject: Subject, metric: catalogue.Metric) -> records.CheckResult:
    if subject.task not in metric.tasks:
        return other_task(metric, subject.task)
    try:
        searched, scores = subject.parts.part("validation"), subject.parts.scores("validation")
    except errors.VerificationError as error:
        # A graph that breaks its contract on rows that are not tested must not lose what the test rows say.
        return not_measured(metric.id, f"on the validation part, {error}")
    if searched is None or scores is None:
        return not_measured(metric.id, "there is no validation part to search for slices")
    settings, least = subject.plan.policy.robustness.slice_search, subject.plan.policy.minimum_group_size
    attributes = {p.name: p.column for p in subject.plan.data.protected if p.name in searched.groups}
    axes = _slice_search.axes(
        subject.encoded.features, searched, attributes, bins=settings.bins, categories=settings.categories, least=least
    )
    found, looked_at = _slice_search.search(
        [a.codes(searched) for a in axes], [a.source for a in axes], [len(a.words) for a in axes],
        _loss(scores, searched), subject.sampling.level,
        conditions=settings.conditions, least=least, wanted=settings.slices,
    )  # fmt: skip
    if not found:
        reason = f"no slice of the validation part, which has {searched.rows:,} rows, holds {least} of them"
        return not_applicable(metric.id, reason)
    return _result(subject, metric, axes, found, looked_at)


def _result(
    subject: Subject, metric: catalogue.Metric, axes: tuple[Axis, ...], found: tuple[Slice, ...], looked_at: int
) -> records.CheckResult:
    codes = [a.codes(subject.part) for a in axes]
    tested = [_measured(subject, one.mask(codes), len(found)) for one in found]
    names = [" and ".join(axes[a].words[c] for a, c in one.conditions) for one in found]
    least = subject.plan.policy.minimum_group_size
    worst, first = names[0], tested[0]
    note = (
        f"{worst}: worst of {looked_at:,} slices searched on the validation part"
        f"{'' if found[0].least > 0 else ', where none stands out beyond luck'}"
        + (f"; only {first.rows} test rows" if first.rows < least else "")
    )
    details: dict[str, Any] = {
        "searched": looked_at,
        "conditions": max(len(one.conditions) for one in found),
        "metric": "accuracy" if metric.better == "higher" else "mean absolute error",
        "overall": _overall(subject),
        "slices": [_line(metric, name, one, test) for name, one, test in zip(names, found, tested, strict=True)],
        "stands_out": found[0].least > 0,
        "small_groups": [f"slice={n}" for n, t in zip(names[:1], tested, strict=False) if t.rows < least],
        "minimum_group_size": least,
        "worst_slice": {"overall": worst},
    }
    return measured(metric.id, _measures(subject, metric, first, len(found), note), details, subject.artifacts)


def _measures(
    subject: Subject, metric: catalogue.Metric, first: Measured, compared: int, note: str
) -> tuple[records.Measure, ...]:
    known, unit = math.isfinite(first.value), unit_of(metric, subject.encoded)
    single = _proportions.METHOD if metric.better == "higher" else _group_rates.skewed_method(subject.sampling)
    if metric.better == "higher" and subject.sampling.entities is not None:
        single += ", by entity"
    over = f", simultaneous over {compared} slices (Bonferroni)" if compared > 1 else ""
    headline = records.Measure(
        name=metric.id,
        value=first.value if known else None,
        unit=unit,
        interval=_interval(subject, first.interval, single + over),
        n=first.rows,
        split="test",
        note=note if known else f"undefined: no test row in {note}",
    )
    difference = records.Measure(
        name=f"{metric.id}.difference",
        value=first.difference if known else None,
        unit=unit,
        interval=_interval(subject, first.difference_interval, f"square and add of {single} bounds{over}"),
        n=first.rows,
        split="test",
        note="how much worse than all test rows" if known else "undefined: no test row in the slice",
    )
    return headline, difference


def _measured(subject: Subject, inside: npt.NDArray[np.bool_], compared: int) -> Measured:
    """A slice on the test part against all of its rows."""
    rates = _rates(subject, inside)
    rows, share = int(inside.sum()), float(np.mean(inside))
    own, rest = (float(v) for v in rates.rates[0])
    if not rows:
        return Measured(0, math.nan, None, math.nan, None)
    level = 1 - (1 - subject.sampling.level) / compared
    low, high = (ends[0] for ends in rates.bounds(level))
    interval = (min(float(low[0]), own), max(float(high[0]), own)) if math.isfinite(high[0]) else None
    if rows == len(inside):
        return Measured(rows, own, interval, 0.0, None)
    # All rows hold the slice's own: the difference to all is the one to the others times their share.
    sign = 1.0 if rates.errors is None else -1.0
    apart = sign * (rest - own)
    better, worse = (
        (float(high[0]) - own, own - float(low[0])) if sign > 0 else (own - float(low[0]), float(high[0]) - own)
    )
    above, below = (
        (float(high[1]) - rest, rest - float(low[1])) if sign > 0 else (rest - float(low[1]), float(high[1]) - rest)
    )
    ends = (1 - share) * (apart - math.hypot(better, below)), (1 - share) * (apart + math.hypot(worse, above))
    return Measured(rows, own, interval, (1 - share) * apart, ends if all(map(math.isfinite, ends)) else None)


def _rates(subject: Subject, inside: npt.NDArray[np.bool_]) -> GroupRates:
    """Accuracy or error of the rows inside and of those outside, (1, 2)."""
    groups = arrays.Groups(np.where(inside, 0, 1).astype(np.int16), ("in", "out"))
    kinds = _fairness_slices.rated(subject, "slice", groups, subject.scores).kinds
    return kinds["error" if subject.task == "regression" else "accuracy"]


def _loss(scores: scoring.Scores, part: arrays.Part) -> Floats:
    """What is lost on each row: 1 for a wrong label, or the absolute error."""
    if scores.labels is not None:
        return (scores.labels != part.y).astype(np.float64)
    if scores.predictions is None:
        raise TypeError("scores hold labels or predictions")
    return np.abs(scores.predictions - part.y.astype(np.float64))


def _overall(subject: Subject) -> float:
    loss = float(np.mean(_loss(subject.scores, subject.part)))
    return loss if subject.task == "regression" else 1 - loss


def _line(metric: catalogue.Metric, name: str, one: Slice, test: Measured) -> dict[str, object]:
    """A row for the report: what the search found, what the test part says."""
    low, high = test.interval or (None, None)
    least, most = test.difference_interval or (None, None)
    return {
        "slice": name,
        "validation_rows": one.rows,
        "validation": 1 - one.loss if metric.better == "higher" else one.loss,
        "validation_difference": one.excess,
        "stands_out": one.least > 0,
        "n": test.rows,
        "value": test.value if math.isfinite(test.value) else None,
        "low": low,
        "high": high,
        "difference": test.difference if math.isfinite(test.difference) else None,
        "difference_low": least,
        "difference_high": most,
    }


def _interval(subject: Subject, ends: tuple[float, float] | None, method: str) -> records.Interval | None:
    if ends is None:
        return None
    return records.Interval(low=ends[0], high=ends[1], level=subject.sampling.level, method=method)
