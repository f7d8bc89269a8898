"""Performance by slices of declared columns: sites, times, kinds. Where is the model worse than on the whole?

Every slice of every column in `policy.robustness.shift.slices` is measured on the test part: accuracy, for regression
the mean absolute error. The headline is the worst slice over all columns, the measure of a column its worst slice. The
better end of their intervals is simultaneous over the slices compared (`checks._simultaneous`), since the worst of
several is luck, too; each slice also has an interval of its own. Slices with fewer rows than the policy's minimum are
listed and left out of the worst; a gate that would pass is then inconclusive: nobody knows how the model does there.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from checks import _fairness_slices, _group_rates, _proportions, _simultaneous, catalogue
from checks._group_rates import GroupRates, Slice
from checks._subject import Subject, measured, not_applicable, other_task, unit_of
from evidence import records

Floats = npt.NDArray[np.float64]

CHECKS = ("robustness.shift", "robustness.shift_error")


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """The worst slice of the declared columns: of accuracy, or of the mean absolute error."""
    return tuple(_answer(subject, catalogue.METRICS[check_id]) for check_id in CHECKS)


def _most_missing(subject: Subject) -> float:
    """So many test rows may lack a slice (`policy.governance.missing_group`); they may be those that fare badly."""
    return subject.plan.policy.governance.missing_group * subject.part.rows


def _answer(subject: Subject, metric: catalogue.Metric) -> records.CheckResult:
    if subject.task not in metric.tasks:
        return other_task(metric, subject.task)
    if not subject.part.slices:
        return not_applicable(metric.id, "the plan declares no column to slice by (policy.robustness.shift.slices)")
    slices = [rated(subject, name) for name in subject.part.slices]
    whole = joined([rates_of(s) for s in slices])
    least = subject.plan.policy.minimum_group_size
    names = [named(s.name, g) for s in slices for g in s.groups]
    headline = _headline(subject, metric, "overall", whole, names)
    columns = [_headline(subject, metric, s.name, rates_of(s), [named(s.name, g) for g in s.groups]) for s in slices]
    worst = {one.slice: name for one, name in (headline, *columns) if name is not None}
    groups = {s.name: per_slice(subject, metric, s) for s in slices}
    small = {f"{s.name}={g}": int(n) for s in slices for g, n in zip(s.groups, s.sizes, strict=True) if 0 < n < least}
    left_out, most = {s.name: s.missing for s in slices}, _most_missing(subject)
    missing = max(left_out.values())
    details: dict[str, object] = {
        "groups": {name: [_plotted(m, g) for m, g in rows] for name, rows in groups.items()},
        "rate": "accuracy" if subject.task != "regression" else "mean absolute error",
        "overall": _overall(subject),
        "small_groups": list(small),
        "small_group_rows": small,
        "empty_groups": [f"{s.name}={g}" for s in slices for g, n in zip(s.groups, s.sizes, strict=True) if n == 0],
        "small_left_out": True,
        "minimum_group_size": least,
        "missing_attribute": {"overall": missing, **{s.name: s.missing for s in slices}},
        "too_many_missing": [name for name, rows in {"overall": missing, **left_out}.items() if rows > most],
        "worst_slice": worst,
        "compared": int(np.isfinite(whole.only(whole.rows >= least).rates).sum()),
    }
    own = (m for rows in groups.values() for m, _ in rows)
    measures = (headline[0], *(one for one, _ in columns), *own)
    return measured(metric.id, measures, details, subject.artifacts)


def named(column: str, group: str) -> str:
    """A slice in words: `region = north`, `bmi >= 30`."""
    return f"{column} {group}" if group.startswith(("<", ">=")) else f"{column} = {group}"


def rated(subject: Subject, column: str) -> Slice:
    """The slices of a column with their rates."""
    return _fairness_slices.rated(subject, column, subject.part.slices[column], subject.scores)


def rates_of(part: Slice) -> GroupRates:
    """Accuracy of the slices, or their mean absolute error."""
    return part.kinds["accuracy" if "accuracy" in part.kinds else "error"]


def joined(columns: list[GroupRates]) -> GroupRates:
    """The slices of several columns as those of one."""
    errors = [c.errors for c in columns if c.errors is not None]
    return GroupRates(
        *(np.concatenate([getattr(c, name) for c in columns], axis=1) for name in ("rates", "rows", "effective")),
        errors=np.concatenate(errors, axis=1) if errors else None,
    )


def per_slice(subject: Subject, metric: catalogue.Metric, part: Slice) -> list[tuple[records.Measure, str]]:
    """A measure for each slice with its own interval, and the slice's name."""
    rates, level = rates_of(part), subject.sampling.level
    low, high = rates.bounds(level)
    found = []
    for index, group in enumerate(part.groups):
        value, ends = float(rates.rates[0, index]), (float(low[0, index]), float(high[0, index]))
        known = math.isfinite(value)
        interval = records.Interval(
            low=min(ends[0], value), high=max(ends[1], value), level=level, method=_single(subject)
        ) if known and math.isfinite(ends[1]) else None  # fmt: skip
        one = records.Measure(
            name=metric.id,
            value=value if known else None,
            unit=unit_of(metric, subject.encoded),
            interval=interval,
            n=int(part.sizes[index]),
            slice=f"{part.name}={group}",
            split="test",
            note=None if known else "undefined: no test row",
        )
        found.append((one, group))
    return found


def _headline(
    subject: Subject, metric: catalogue.Metric, where: str, rates: GroupRates, names: list[str]
) -> tuple[records.Measure, str | None]:
    """The worst slice that has enough rows, with its name."""
    enough = rates.only(rates.rows >= subject.plan.policy.minimum_group_size)
    values, smallest = enough.rates[0], metric.better == "higher"
    some = np.isfinite(values)
    base = records.Measure(name=metric.id, value=None, unit=unit_of(metric, subject.encoded), slice=where, split="test")
    if not some.any():
        note = f"undefined: no slice has {subject.plan.policy.minimum_group_size} test rows"
        return base.model_copy(update={"note": note}), None
    index = int(np.nanargmin(values) if smallest else np.nanargmax(values))
    value = float(values[index])
    low, high = _simultaneous.extreme(enough.rates, enough.bounds, subject.sampling.level, smallest=smallest)
    interval = records.Interval(
        low=min(max(low, 0.0), value),
        high=max(high, value),
        level=subject.sampling.level,
        method=f"{_single(subject)}, {'upper' if smallest else 'lower'} end simultaneous over {int(some.sum())} "
        f"slice{'s' if some.sum() > 1 else ''} (Bonferroni)",
    ) if math.isfinite(high) else None  # fmt: skip
    few = [names[i] for i in np.flatnonzero((rates.rows[0] > 0) & ~some)]
    note = f"worst slice: {names[index]}" + (f"; too few rows in {', '.join(few)}" if few else "")
    found = base.model_copy(
        update={"value": value, "interval": interval, "n": int(enough.rows[0, index]), "note": note}
    )
    return found, names[index]


def _overall(subject: Subject) -> dict[str, float | None]:
    """The same rate over all test rows."""
    scores, y = subject.scores, subject.part.y
    if scores.labels is not None:
        hits = scores.labels == y
        interval = _proportions.of_rows(hits, subject.sampling)
        return {
            "value": float(np.mean(hits)),
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
        }
    if scores.predictions is None:
        raise TypeError("scores hold labels or predictions")
    return {"value": float(np.mean(np.abs(scores.predictions - y.astype(np.float64)))), "low": None, "high": None}


def _plotted(one: records.Measure, group: str) -> dict[str, object]:
    return {
        "group": group,
        "n": one.n,
        "value": one.value,
        "low": one.interval.low if one.interval else None,
        "high": one.interval.high if one.interval else None,
    }


def _single(subject: Subject) -> str:
    """How one slice gets its bounds."""
    if subject.task != "regression":
        return _proportions.method(subject.sampling)
    return _group_rates.skewed_method(subject.sampling)
