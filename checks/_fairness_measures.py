"""One fairness check on one slice: the headline, the comparisons beside it, and every group with its interval."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from checks import _fairness_headlines, _to_overall, catalogue
from checks._fairness_headlines import Headline
from checks._fairness_specs import NAMES, SPECS, Beside, How, Spec
from checks._group_rates import GroupRates, Slice
from checks._subject import Subject, unit_of
from evidence import records

_NO_PAIR = "undefined: no two groups have rows to compare"


@dataclasses.dataclass(frozen=True)
class Case:
    """One check on one slice."""

    subject: Subject
    metric: catalogue.Metric
    part: Slice

    @property
    def spec(self) -> Spec:
        """What the check compares."""
        return SPECS[self.metric.id]

    @property
    def unit(self) -> str:
        """Unit of the check."""
        return unit_of(self.metric, self.subject.encoded)

    @property
    def single(self) -> str:
        """How the bounds of one rate are made."""
        return _fairness_headlines.single_method(self.spec.kinds[0], self.subject.sampling)

    def headline(self, rates: GroupRates, how: How | None = None, top: float | None = None) -> Headline:
        """The check's own headline, or another comparison of the same rates."""
        return _fairness_headlines.of(
            rates,
            how or self.spec.how,
            self.subject.sampling,
            name=self.part.name,
            single=self.single,
            top=self.metric.high if top is None else top,
        )

    def measure(self, name: str, rates: GroupRates, found: Headline) -> records.Measure:
        """A headline as a measure of the slice."""
        return records.Measure(
            name=name,
            value=found.value,
            unit=self.unit,
            interval=found.interval,
            n=self.rows_behind(rates, found),
            slice=self.part.name,
            split="test",
            note=None if found.value is not None else self.undefined,
        )

    def rows_behind(self, rates: GroupRates, found: Headline) -> int:
        """Rows that a headline rests on: of the one group whose rate it is, otherwise of all groups compared."""
        if self.spec.how in ("smallest", "largest") and found.value is not None:
            at = np.flatnonzero(rates.rates.ravel() == found.value)
            if len(at):
                return int(rates.rows.ravel()[at].min())
        return int(self.part.sizes[np.isfinite(rates.rates).any(axis=0)].sum())

    @property
    def undefined(self) -> str:
        """Why there is no headline."""
        if self.spec.how in ("gap", "ratio"):
            return f"undefined: no two groups of {self.part.name} have rows to compare"
        return f"undefined: no group of {self.part.name} has rows to measure it on"


def beside(case: Case, rates: GroupRates, which: Beside) -> records.Measure:
    """Another comparison of the check's rate: between the groups, or with the overall rate."""
    name = f"{case.metric.id}.{which}"
    unit = "1" if which.startswith("ratio") else case.unit
    top = 1.0 if which.startswith("ratio") else case.metric.high
    if not which.endswith("_to_overall"):
        found = case.headline(rates, "gap" if which == "difference" else "ratio", top)
        measure = case.measure(name, rates, found)
        return measure.model_copy(update={"unit": unit, "note": None if found.value is not None else _NO_PAIR})
    level = case.subject.sampling.level
    far = _to_overall.furthest(rates, level, "ratio" if which.startswith("ratio") else "difference")
    value, interval, note, rows = None, None, _NO_PAIR, 0
    if far is not None:
        value, rows = far.value, int(rates.rows[far.family, far.group])
        class_name = rate_name(case, far.family, len(rates.rates))[1]
        note = case.part.groups[far.group] + (f", class {class_name}" if class_name else "")
        if math.isfinite(far.high):
            interval = records.Interval(
                low=far.low, high=min(far.high, top), level=level, method=_overall_method(case, far)
            )
    measure = case.measure(name, rates, Headline(value, interval, ""))
    return measure.model_copy(update={"unit": unit, "note": note, "n": rows if value is not None else measure.n})


def _overall_method(case: Case, far: _to_overall.Furthest) -> str:
    if far.compared == 1:
        return f"square and add of {case.single} bounds and of the group's share, 1 comparison with overall"
    over = f"{far.compared} comparisons of {case.part.name} with overall (Bonferroni)"
    made = f"square and add of {case.single} bounds and of the group's share"
    return f"{made}, end towards equality simultaneous over {over}"


def each_to_overall(case: Case, rates: GroupRates, family: int) -> list[dict[str, object]]:
    """Every group of one family against overall, each with an interval of its own."""
    level = case.subject.sampling.level
    lines: list[dict[str, object]] = [
        {"group": name, "rows": int(rates.rows[family, g])} for g, name in enumerate(case.part.groups)
    ]
    for how in ("difference", "ratio"):
        if f"{how}_to_overall" not in case.spec.beside:
            continue
        found = _to_overall.each(rates, level, how)
        for g, line in enumerate(lines):
            ends = found.low[family, g], found.high[family, g]
            known = bool(np.isfinite(ends).all())
            line[how] = finite(found.value[family, g])
            line[f"{how}_low"], line[f"{how}_high"] = (finite(e) if known else None for e in ends)
    return lines


def finite(value: float) -> float | None:
    """The value, or None where it is undefined or unbounded."""
    return float(value) if math.isfinite(value) else None


def per_group(case: Case, rates: GroupRates, family: int, rate: str) -> tuple[records.Measure, ...]:
    """The deciding rate of each group with its own (not simultaneous) interval."""
    level = case.subject.sampling.level
    name = case.metric.id if case.spec.how in ("smallest", "largest") else f"{case.metric.id}.{rate}"
    low, high = rates.bounds(level)
    measures = []
    for group, group_name in enumerate(case.part.groups):
        value = float(rates.rates[family, group])
        ends = float(low[family, group]), float(high[family, group])
        interval = None
        if math.isfinite(value) and math.isfinite(ends[1]):
            interval = records.Interval(
                low=min(ends[0], value), high=max(ends[1], value), level=level, method=case.single
            )
        measures.append(
            records.Measure(
                name=name,
                value=finite(value),
                unit=case.unit,
                interval=interval,
                n=int(rates.rows[family, group]),
                slice=f"{case.part.name}={group_name}",
                split="test",
                note=None if math.isfinite(value) else "undefined: no test row to compute it from",
            )
        )
    return tuple(measures)


def plotted(one: records.Measure, group: str, size: int) -> dict[str, object]:
    """A group in the plotting data: `n` are its rows, `rows` those the rate is computed from."""
    return {
        "group": group,
        "n": size,
        "rows": one.n,
        "value": one.value,
        "low": one.interval.low if one.interval else None,
        "high": one.interval.high if one.interval else None,
    }


def rate_name(case: Case, family: int, families: int) -> tuple[str, str | None]:
    """Which rate a family is, and of which class where there is one family per class."""
    kinds = case.spec.kinds
    each = families // len(kinds)
    kind = kinds[family // each]
    return NAMES.get(kind, kind), case.subject.encoded.classes[family % each] if each > 1 else None
