"""How the graph treats the groups of each protected attribute and intersection, on the test part.

Values are those of Fairlearn, computed from one count table per attribute. Every group is reported with its size:
empty groups and groups with fewer rows than the policy's minimum are listed, never dropped, and a slice that involves
one is `inconclusive` at the gate unless it fails without it already. So is a slice for which more test rows lack the
attribute than `policy.governance.missing_group` allows, unless it fails on the others. What counts for the minimum are
the rows the rate is computed from: the positives of a group for its true positive rate. A gate that stays open says
how many more rows would settle it (`checks._rows_needed`).

The interval of each group's share is made from beta distributions (`checks._proportions`), and those of gaps, ratios
and worst groups are made from these bounds (`checks._simultaneous`, `checks._to_overall`).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _fairness_headlines, _fairness_measures, _fairness_slices, _rows_needed, catalogue, gate
from checks._fairness_measures import Case
from checks._fairness_specs import SPECS
from checks._group_rates import GroupRates, Slice, joined
from checks._subject import Subject, measured, not_applicable, other_task
from evidence import records

WITHOUT_SMALL = gate.WITHOUT_SMALL
"""Part of a check's measures: the headline of a slice without rates from too few rows, where others remain."""


@dataclasses.dataclass(frozen=True)
class _Found:
    """What one slice adds to a result."""

    measures: tuple[records.Measure, ...]
    """The headline first."""
    details: dict[str, object] = dataclasses.field(default_factory=dict)
    """By key of the result's details; each is filed under the name of the slice."""
    small: dict[str, int] = dataclasses.field(default_factory=dict)
    """Group to the fewest rows that one of its rates rests on."""
    empty: tuple[str, ...] = ()
    rows_needed: tuple[dict[str, object], ...] = ()


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every fairness metric of the catalogue; `not_applicable` for another task, or without protected attributes."""
    slices = _fairness_slices.of(subject)
    return tuple(_result(subject, metric, slices) for metric in catalogue.of_family("fairness"))


def _result(subject: Subject, metric: catalogue.Metric, slices: dict[str, Slice | None]) -> records.CheckResult:
    if subject.task not in metric.tasks:
        return other_task(metric, subject.task)
    if not slices:
        return not_applicable(metric.id, "the plan declares no protected attribute")
    found = {name: _of_slice(subject, metric, name, part) for name, part in slices.items()}
    present = {name: part for name, part in slices.items() if part is not None}
    headlines = tuple(f.measures[0] for f in found.values())
    others = tuple(m for f in found.values() for m in f.measures[1:])
    keys = dict.fromkeys(key for f in found.values() for key in f.details)
    details: dict[str, object] = {
        key: {n: f.details[key] for n, f in found.items() if key in f.details} for key in keys
    }
    details |= {
        "small_groups": [g for f in found.values() for g in f.small],
        "small_group_rows": {g: n for f in found.values() for g, n in f.small.items()},
        "empty_groups": [g for f in found.values() for g in f.empty],
        "minimum_group_size": subject.plan.policy.minimum_group_size,
        "missing_attribute": {name: part.missing for name, part in present.items()},
        "too_many_missing": [name for name, part in present.items() if _too_many_missing(subject, part)],
        "rows_needed": [entry for f in found.values() for entry in f.rows_needed],
    }
    return measured(metric.id, headlines + others, details, subject.artifacts)


def _of_slice(subject: Subject, metric: catalogue.Metric, name: str, part: Slice | None) -> _Found:
    why = ""
    if part is None:
        why = f"undefined: no row of the test part has a group of {name}"
    elif any(kind not in part.kinds for kind in SPECS[metric.id].kinds):
        why = "undefined: the model gives no probabilities"
    if part is None or why:
        return _Found((records.Measure(name=metric.id, value=None, slice=name, split="test", note=why),))
    return _measured(Case(subject, metric, part))


def _measured(case: Case) -> _Found:
    part, spec, minimum = case.part, case.spec, case.subject.plan.policy.minimum_group_size
    rates = joined([part.kinds[k] for k in spec.kinds])
    rows = rates.rows.min(axis=0)
    small = (rows < minimum) & (part.sizes > 0)
    empty = part.sizes == 0
    defined = rates.only(rates.rows > 0)
    head = case.headline(defined)
    first = case.measure(case.metric.id, defined, head)
    first = first.model_copy(update={"note": _note(case, first, small, empty) or None})
    parts = [first]
    if small.any():
        large = rates.only(rates.rows >= minimum)
        without = case.measure(f"{case.metric.id}.{WITHOUT_SMALL}", large, case.headline(large))
        parts += [without] if without.interval else []
    parts += [_fairness_measures.beside(case, defined, which) for which in spec.beside]
    family = _fairness_headlines.deciding_family(defined.rates, spec.how)
    rate, class_name = _fairness_measures.rate_name(case, family, len(rates.rates))
    per_group = _fairness_measures.per_group(case, rates, family, rate)
    details: dict[str, object] = {
        "groups": [_fairness_measures.plotted(m, part.groups[g], int(part.sizes[g])) for g, m in enumerate(per_group)],
        "rate": " ".join([rate.replace("_", " "), *([f"of class {class_name}"] if class_name else [])]),
        "correction": head.correction,
    }
    if "difference_to_overall" in spec.beside:
        details["to_overall"] = _fairness_measures.each_to_overall(case, defined, family)
        details["overall"] = _fairness_measures.finite(rates.overall[family, 0])
    return _Found(
        measures=(*parts, *per_group),
        details=details,
        small={f"{part.name}={part.groups[g]}": int(rows[g]) for g in np.flatnonzero(small)},
        empty=tuple(f"{part.name}={part.groups[g]}" for g in np.flatnonzero(empty)),
        rows_needed=_rows_that_settle(case, defined, first, small=bool((small | empty).any())),
    )


def _rows_that_settle(
    case: Case, rates: GroupRates, first: records.Measure, *, small: bool
) -> tuple[dict[str, object], ...]:
    """For each gate on this slice that stays open for want of rows, how many would settle it."""
    if first.value is None:
        return ()
    names = [f"{case.part.name}={group}" for group in case.part.groups]
    found = []
    for asked in case.subject.plan.policy.gates:
        if (asked.check, asked.slice) != (case.metric.id, case.part.name):
            continue
        if not small and gate.judge(first, asked) != "inconclusive":
            continue

        def settles(more: GroupRates, asked: gate.Gate = asked) -> records.Status:
            return gate.judge(first.model_copy(update={"interval": case.headline(more).interval}), asked)

        minimum = case.subject.plan.policy.minimum_group_size
        needed = _rows_needed.estimate(rates, names, case.part.sizes, minimum, settles)
        found.append({"slice": asked.slice, "at_least": asked.at_least, "at_most": asked.at_most, **needed})
    return tuple(found)


def _too_many_missing(subject: Subject, part: Slice) -> bool:
    return part.missing > subject.plan.policy.governance.missing_group * subject.part.rows


def _note(case: Case, first: records.Measure, small: npt.NDArray[np.bool_], empty: npt.NDArray[np.bool_]) -> str:
    part, texts = case.part, [first.note] if first.note else []
    if small.any():
        texts.append("too few rows in " + ", ".join(part.groups[g] for g in np.flatnonzero(small)))
    if empty.any():
        texts.append("no test row in " + ", ".join(part.groups[g] for g in np.flatnonzero(empty)))
    if _too_many_missing(case.subject, part):
        texts.append(f"{part.missing:,} of {case.subject.part.rows:,} test rows have no group")
    return "; ".join(texts)
