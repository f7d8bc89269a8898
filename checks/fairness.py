"""How the graph treats the groups of each protected attribute and intersection, on the test part.

Values are those of Fairlearn, computed from one count table per attribute. Every group is reported with its size:
empty groups and groups with fewer rows than the policy's minimum are listed, never dropped, and a slice that involves
one is `inconclusive` at the gate unless it fails without it already. So is a slice for which more test rows lack the
attribute than `policy.governance.missing_group` allows, unless it fails on the others. What counts for the minimum are
the rows the rate is computed from: the positives of a group for its true positive rate. The interval of each group's
share is exact (`checks._proportions`), and those of gaps, ratios and worst groups are made from these bounds
(`checks._simultaneous`).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from checks import _group_rates, _proportions, _simultaneous, catalogue
from checks._group_rates import GroupRates, Slice
from checks._subject import Subject, measured, not_applicable, other_task, unit_of
from evidence import records

Floats = npt.NDArray[np.float64]

WITHOUT_SMALL = "without_small_groups"
"""Part of a check's measures: the headline of a slice without rates from too few rows, where others remain."""

_KINDS = {
    "fairness.selection_rate": ("smallest", ("selection_rate",)),
    "fairness.true_positive_rate": ("smallest", ("true_positive_rate",)),
    "fairness.false_positive_rate": ("largest", ("false_positive_rate",)),
    "fairness.demographic_parity_difference": ("gap", ("selection_rate",)),
    "fairness.demographic_parity_ratio": ("ratio", ("selection_rate",)),
    "fairness.equalized_odds_difference": ("gap", ("true_positive_rate", "false_positive_rate")),
    "fairness.equal_opportunity_difference": ("gap", ("true_positive_rate",)),
    "fairness.accuracy_difference": ("gap", ("accuracy",)),
    "fairness.error_difference": ("gap", ("error",)),
}
"""Check to how a slice's headline is made of its groups' rates, and which rates."""


@dataclasses.dataclass(frozen=True)
class _Found:
    """What one slice adds to a result."""

    measures: tuple[records.Measure, ...]
    small: dict[str, int]
    """Group to the fewest rows that one of its rates rests on."""
    empty: tuple[str, ...]
    groups: list[dict[str, object]]
    rate: str


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every fairness metric of the catalogue; `not_applicable` for another task, or without protected attributes."""
    slices = _slices(subject)
    return tuple(_result(subject, metric, slices) for metric in catalogue.of_family("fairness"))


def _slices(subject: Subject) -> tuple[Slice, ...]:
    part, scores = subject.part, subject.scores
    groups_of = {name: part.groups[name] for name in subject.plan.slices if name in part.groups}
    if scores.labels is not None:
        y = part.y.astype(np.int64)
        return tuple(
            _group_rates.classifier_slice(name, groups, y, scores.labels, subject.classes, subject.sampling)
            for name, groups in groups_of.items()
        )
    if scores.predictions is None:
        raise TypeError("scores hold labels or predictions")
    errors = scores.predictions - part.y.astype(np.float64)
    return tuple(_group_rates.error_slice(name, groups, errors, subject.sampling) for name, groups in groups_of.items())


def _result(subject: Subject, metric: catalogue.Metric, slices: tuple[Slice, ...]) -> records.CheckResult:
    if subject.task not in metric.tasks:
        return other_task(metric, subject.task)
    if not slices:
        return not_applicable(metric.id, "the plan declares no protected attribute")
    found = {s.name: _of_slice(subject, metric, s) for s in slices}
    headlines = tuple(f.measures[0] for f in found.values())
    others = tuple(m for f in found.values() for m in f.measures[1:])
    details: dict[str, object] = {
        "groups": {name: f.groups for name, f in found.items()},
        "rate": {name: f.rate for name, f in found.items()},
        "small_groups": [g for f in found.values() for g in f.small],
        "small_group_rows": {g: n for f in found.values() for g, n in f.small.items()},
        "empty_groups": [g for f in found.values() for g in f.empty],
        "minimum_group_size": subject.plan.policy.minimum_group_size,
        "missing_attribute": {s.name: s.missing for s in slices},
        "too_many_missing": [s.name for s in slices if _too_many_missing(subject, s)],
    }
    return measured(metric.id, headlines + others, details, subject.artifacts)


def _of_slice(subject: Subject, metric: catalogue.Metric, part: Slice) -> _Found:
    how, kinds = _KINDS[metric.id]
    rates = _group_rates.joined([part.kinds[k] for k in kinds])
    rows = rates.rows.min(axis=0)
    small = (rows < subject.plan.policy.minimum_group_size) & (part.sizes > 0)
    empty = part.sizes == 0
    headline = _headline(subject, metric, part, rates.only(rates.rows > 0), how)
    note = _note(subject, headline, part, small, empty)
    headline = headline.model_copy(update={"note": note or None})
    parts = [headline]
    if small.any():
        large = rates.only(rates.rows >= subject.plan.policy.minimum_group_size)
        without = _headline(subject, metric, part, large, how)
        parts += [without.model_copy(update={"name": f"{metric.id}.{WITHOUT_SMALL}"})] if without.interval else []
    family = _deciding_family(rates.only(rates.rows > 0), how)
    rate, class_name = _rate_name(subject, kinds, family, rates.rates.shape[0])
    name = metric.id if how in ("smallest", "largest") else f"{metric.id}.{rate}"
    per_group = _per_group(subject, part, rates, family, (name, headline.unit))
    return _Found(
        measures=(*parts, *per_group),
        small={f"{part.name}={part.groups[g]}": int(rows[g]) for g in np.flatnonzero(small)},
        empty=tuple(f"{part.name}={part.groups[g]}" for g in np.flatnonzero(empty)),
        groups=[_plotted(m, part.groups[g], int(part.sizes[g])) for g, m in enumerate(per_group)],
        rate=" ".join([rate.replace("_", " "), *([f"of class {class_name}"] if class_name else [])]),
    )


def _headline(subject: Subject, metric: catalogue.Metric, part: Slice, rates: GroupRates, how: str) -> records.Measure:
    """The headline from the rates that are defined; None where there is nothing to compare."""
    values = _values(rates.rates, how)
    value, interval = None, None
    if np.isfinite(values).any():
        value = float(_worst(values, how))
        interval = _interval(subject, rates, value, how, part.name)
    return records.Measure(
        name=metric.id,
        value=value,
        unit=unit_of(metric, subject.encoded),
        interval=interval,
        n=int(part.sizes[np.isfinite(rates.rates).any(axis=0)].sum()),
        slice=part.name,
        split="test",
        note=None if value is not None else f"undefined: no two groups of {part.name} have rows to compare",
    )


def _values(rates: Floats, how: str) -> Floats:
    """What each family contributes (families,), from rates (families, groups); NaN where nothing can be compared."""
    defined = np.isfinite(rates)
    smallest = np.where(defined, rates, np.inf).min(axis=1)
    largest = np.where(defined, rates, -np.inf).max(axis=1)
    enough = defined.sum(axis=1) >= (2 if how in ("gap", "ratio") else 1)
    smallest, largest = np.where(enough, smallest, np.nan), np.where(enough, largest, np.nan)
    if how == "ratio":
        # Nobody selected in any group: the rates are equal, and Fairlearn's 0 / 0 would be undefined.
        ratio = np.divide(smallest, largest, out=np.ones_like(smallest), where=largest > 0)
        return np.where(enough, ratio, np.nan)
    return {"smallest": smallest, "largest": largest, "gap": largest - smallest}[how]


def _worst(values: Floats, how: str) -> float:
    return float(np.nanmin(values) if how in ("smallest", "ratio") else np.nanmax(values))


def _interval(subject: Subject, rates: GroupRates, value: float, how: str, name: str) -> records.Interval | None:
    """The interval of a headline; None where a mean rests on a single row or entity, so that it has no bound."""
    level = subject.sampling.level
    if how == "gap":
        low, high = _simultaneous.gap(rates.rates, rates.bounds, level)
    elif how == "ratio":
        low, high = _simultaneous.ratio(rates.rates, rates.bounds, level)
    else:
        low, high = _simultaneous.extreme(rates.rates, rates.bounds, level, smallest=how == "smallest")
    if not math.isfinite(high):
        return None
    top = math.inf if subject.task == "regression" else 1.0
    return records.Interval(
        low=float(min(max(low, 0.0), value)),
        high=float(max(min(high, top), value)),
        level=level,
        method=_method(subject, rates.rates, how, name),
    )


def _method(subject: Subject, rates: Floats, how: str, name: str) -> str:
    """Text for the interval of a headline."""
    form = {"gap": "Newcombe square and add of ", "ratio": "Donner-Zou ratio of "}.get(how, "")
    single, comma, rest = _single(subject).partition(", ")
    compared = _compared(rates, how)
    if compared.startswith("1 "):
        return f"{form}{single} bounds{comma}{rest}, {compared} of {name}"
    far = "upper" if how in ("smallest", "ratio") else "lower"
    by = "Tukey" if how in ("gap", "ratio") else "Bonferroni"
    by += ", Bonferroni over rates" if (np.isfinite(rates).sum(axis=1) > 1).sum() > 1 else ""
    return f"{form}{single} bounds{comma}{rest}, {far} end simultaneous over {compared} of {name} ({by})"


def _compared(rates: Floats, how: str) -> str:
    defined = np.isfinite(rates).sum(axis=1)
    if how not in ("gap", "ratio"):
        return f"{defined.sum()} group{'s' if defined.sum() > 1 else ''}"
    pairs = int((defined * (defined - 1) // 2).sum())
    return f"{pairs} pair{'s' if pairs > 1 else ''} of rates"


def _single(subject: Subject) -> str:
    """How the rate of one group gets its bounds."""
    if subject.task != "regression":
        return _proportions.method(subject.sampling)
    return "Student's t" + ("" if subject.sampling.entities is None else ", over entities")


def _deciding_family(rates: GroupRates, how: str) -> int:
    """The family (class or rate) that gives the headline; the first where nothing can be compared."""
    values = _values(rates.rates, how)
    if not np.isfinite(values).any():
        return 0
    return int(np.nanargmin(values) if how in ("smallest", "ratio") else np.nanargmax(values))


def _per_group(
    subject: Subject, part: Slice, rates: GroupRates, family: int, named: tuple[str, str]
) -> tuple[records.Measure, ...]:
    """The deciding rate of each group with its own (not simultaneous) interval; `named` is name and unit."""
    level = subject.sampling.level
    low, high = rates.bounds(level)
    measures = []
    for group, group_name in enumerate(part.groups):
        value = float(rates.rates[family, group])
        defined = math.isfinite(value)
        ends = float(low[family, group]), float(high[family, group])
        interval = None
        if defined and math.isfinite(ends[1]):
            interval = records.Interval(
                low=min(ends[0], value), high=max(ends[1], value), level=level, method=_single(subject)
            )
        measures.append(
            records.Measure(
                name=named[0],
                value=value if defined else None,
                unit=named[1],
                interval=interval,
                n=int(rates.rows[family, group]),
                slice=f"{part.name}={group_name}",
                split="test",
                note=None if defined else "undefined: no test row to compute it from",
            )
        )
    return tuple(measures)


def _plotted(one: records.Measure, group: str, size: int) -> dict[str, object]:
    return {
        "group": group,
        "n": size,
        "rows": one.n,
        "value": one.value,
        "low": one.interval.low if one.interval else None,
        "high": one.interval.high if one.interval else None,
    }


def _rate_name(subject: Subject, kinds: tuple[str, ...], family: int, families: int) -> tuple[str, str | None]:
    """Which rate a family is, and of which class where there is one family per class."""
    each = families // len(kinds)
    kind = "mean_absolute_error" if kinds[0] == "error" else kinds[family // each]
    return kind, subject.encoded.classes[family % each] if each > 1 else None


def _too_many_missing(subject: Subject, part: Slice) -> bool:
    return part.missing > subject.plan.policy.governance.missing_group * subject.part.rows


def _note(
    subject: Subject,
    headline: records.Measure,
    part: Slice,
    small: npt.NDArray[np.bool_],
    empty: npt.NDArray[np.bool_],
) -> str:
    texts = [headline.note] if headline.note else []
    if small.any():
        texts.append("too few rows in " + ", ".join(part.groups[g] for g in np.flatnonzero(small)))
    if empty.any():
        texts.append("no test row in " + ", ".join(part.groups[g] for g in np.flatnonzero(empty)))
    if _too_many_missing(subject, part):
        texts.append(f"{part.missing:,} of {subject.part.rows:,} test rows have no group")
    return "; ".join(texts)
