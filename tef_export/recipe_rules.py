"""The parts of the recipe that follow from the plan and from what was measured: one rule for writer and reader."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

from checks import catalogue
from configs.bins import bin_names
from configs.data import Column, Data, ProtectedAttribute
from configs.language.load import AnyPlan
from configs.plan import Plan
from configs.shift import SliceColumn
from configs.units import USUAL
from evidence import records
from tef_export import recipe

REPEATED: dict[str, tuple[recipe.Need, ...]] = {
    "robustness.noise": (),
    "robustness.missing": (),
    "robustness.out_of_range": ("training_range",),
    "robustness.rescaled": (),
    "robustness.exchanged": (),
    "robustness.unseen_category": (),
    "robustness.stuck": ("training_range",),
    "robustness.rounding": (),
    "robustness.shift": ("slices",),
    "robustness.shift_error": ("slices",),
    "robustness.deployment": ("groups", "slices"),
}
"""Checks of robustness that test rows and the graph alone can answer."""
_WHY_NOT = {
    "robustness.worst_slice": "slices are searched in the validation rows, which stay with the provider",
    "robustness.worst_slice_error": "slices are searched in the validation rows, which stay with the provider",
    "robustness.evasion": "attacks follow the gradient of the trained network, which stays with the provider",
    "robustness.query_attack": "an attack is searched for, with budgets in the provider's training range",
    "robustness.certified": "proven, for boxes whose size follows from training ranges, which the recipe leaves out; "
    "`python -m checks.certified` proves a property over boxes of your own",
    "robustness.properties": "proven and not measured: `python -m checks.certified data/model/model.onnx FILE` proves "
    "each FILE in data/properties/ again",
    "mitigation": "compares with a model that does not ship",
    "security": "needs training rows, which stay with the provider",
    "explanation": "needs training or validation rows, or the trained network; these stay with the provider",
    "data": "measured on all rows, which stay with the provider",
    "export": "compares with the trained network, which stays with the provider",
}
TOLERANCE = recipe.Tolerance(absolute=1e-3, relative=1e-3)
"""Runtimes differ by about 1e-7 in a probability. A single label that tips over in a small group shows."""
MOST_PAIRS = 200
"""Pairs of exchanged columns that are tried, as in `checks._one_feature`."""


def checks(
    results: Iterable[records.CheckResult],
) -> tuple[tuple[recipe.Check, ...], tuple[recipe.LeftOut, ...]]:
    """What can be measured again, and what cannot, with the reason. Checks that do not apply are in neither."""
    return sorted_out(results, _needs, _why_not)


def sorted_out(
    results: Iterable[records.CheckResult],
    needs: Callable[[str], tuple[recipe.Need, ...] | None],
    why_not: Callable[[str], str],
) -> tuple[tuple[recipe.Check, ...], tuple[recipe.LeftOut, ...]]:
    """The checks that were measured, in two lists.

    Args:
        results: Every result of the run.
        needs: Check to what it needs; None where it cannot be measured again.
        why_not: Check to the reason why not.
    """
    again: dict[str, recipe.Check] = {}
    without: dict[str, recipe.LeftOut] = {}
    for result in results:
        if not any(measure.value is not None for measure in result.measures):
            continue
        name, asked = result.check_id, needs(result.check_id)
        if asked is not None:
            again[name] = described(name, asked)
        else:
            without[name] = recipe.LeftOut(id=name, reason=why_not(name))
    return tuple(again.values()), tuple(without.values())


def _needs(check: str) -> tuple[recipe.Need, ...] | None:
    if check.startswith("fairness."):
        return ("groups",)
    return () if check.startswith("performance.") else REPEATED.get(check)


def _why_not(check: str) -> str:
    return _WHY_NOT.get(check) or _WHY_NOT.get(check.partition(".")[0], "not part of a re-run")


def described(check_id: str, needs: tuple[recipe.Need, ...] = ()) -> recipe.Check:
    """A check as the catalogue has it, and what it needs."""
    metric = catalogue.METRICS[check_id]
    return recipe.Check(
        id=check_id,
        title=metric.title,
        definition=metric.definition,
        unit=metric.unit,
        better=metric.better,
        reference=metric.reference,
        needs=needs,
    )


def target(data: Data) -> recipe.TargetCodes:
    """How the target's values are read."""
    asked = data.target
    codes = {value: code for code, value in enumerate(asked.classes)}
    if asked.task == "binary":
        codes = dict.fromkeys(asked.negative, 0) | dict.fromkeys(asked.positive, 1)
    return recipe.TargetCodes(
        column=data.target_column.name,
        codes=codes,
        above=asked.above,
        unit=asked.unit if asked.task == "regression" else None,
    )


def attribute(declared: ProtectedAttribute, data: Data, groups: tuple[str, ...]) -> recipe.Attribute:
    """How an attribute's values are read.

    Args:
        declared: The attribute of the plan.
        data: The plan's data.
        groups: Its groups as the run found them; where the plan names them, its names go before.
    """
    column = next(c for c in data.columns if c.name == declared.column)
    values = {value: name for name, members in declared.groups.items() for value in members}
    if not declared.bins and not values:
        values = _by_label(column, groups)
    return recipe.Attribute(
        name=declared.name,
        column=declared.column,
        groups=bin_names(declared.bins) if declared.bins else tuple(declared.groups) or groups,
        edges=declared.bins,
        values=values,
        special_category=declared.may_be_special,
    )


def slices(declared: SliceColumn, data: Data, found: tuple[str, ...]) -> recipe.Slices:
    """How the slices of a column are read.

    Args:
        declared: The column of the plan.
        data: The plan's data.
        found: Its slices as the run found them; where the plan names them, its names go before.
    """
    column = next(c for c in data.columns if c.name == declared.column)
    values = {value: name for name, members in declared.groups.items() for value in members}
    if column.kind == "categorical" and not values and not declared.period:
        values = _by_label(column, found)
    names = bin_names(declared.bins) if declared.bins else tuple(declared.groups) or found
    return recipe.Slices(column=declared.column, slices=names, edges=declared.bins, values=values)


def _by_label(column: Column, groups: tuple[str, ...]) -> dict[str, str]:
    """Each value is a group and has its label as name, where there is one."""
    named = {value: label for value, label in column.labels.items() if label in groups}
    labelled = set(named.values())
    return named | {name: name for name in groups if name not in labelled}


def missing_in(data: Data) -> dict[str, tuple[str, ...]]:
    """Column to the texts that mean missing in it alone."""
    return {column.name: column.missing_values for column in data.columns if column.missing_values}


def sampling(plan: Plan) -> recipe.Sampling:
    """How intervals are drawn."""
    policy = plan.policy
    return recipe.Sampling(
        level=policy.confidence, replicates=policy.replicates, seed=policy.seed, entity=plan.data.entity
    )


def faults(plan: Plan) -> recipe.Faults:
    """The faults and their strengths, each feature's factors and the pairs of one unit written out."""
    asked = plan.policy.robustness
    numeric = [c for c in plan.data.features if c.kind != "categorical"]
    factors = {c.name: _factors(c, asked.units.by_unit) or asked.units.factors for c in numeric}
    return recipe.Faults(
        noise=asked.noise,
        missing=asked.missing,
        out_of_range=asked.out_of_range,
        unit_shares=asked.units.shares,
        unit_factors=factors,
        exchanged=_pairs(plan.data.features),
        unseen_category=asked.unseen_category,
        stuck=asked.stuck,
        rounding=asked.rounding,
        significant_digits=asked.significant_digits,
    )


def _factors(column: Column, by_unit: Mapping[str, tuple[float, ...]]) -> tuple[float, ...] | None:
    return by_unit.get(column.unit or "") or USUAL.get(column.unit or "")


def _pairs(features: tuple[Column, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs of numeric features of one unit, neighbours first."""
    numeric = [(i, c) for i, c in enumerate(features) if c.kind != "categorical" and c.unit not in (None, "1")]
    found = [(a, b) for a, b in itertools.combinations(numeric, 2) if a[1].unit == b[1].unit]
    found.sort(key=lambda pair: (pair[1][0] - pair[0][0], pair[0][0], pair[1][0]))
    return tuple((a[1].name, b[1].name) for a, b in found[:MOST_PAIRS])


def thresholds(plan: AnyPlan) -> tuple[recipe.Threshold, ...]:
    """The gates, each with the level and group size that hold for it."""
    policy = plan.policy
    return tuple(
        recipe.Threshold(
            check=gate.check,
            slice=gate.slice,
            at_least=gate.at_least,
            at_most=gate.at_most,
            confidence=gate.confidence or policy.confidence,
            minimum_group_size=gate.minimum_group_size or policy.minimum_group_size,
            required=gate.required,
        )
        for gate in policy.gates
    )


def special_columns(data: Data) -> frozenset[str]:
    """Columns that hold a special category of personal data, or of which the plan does not say that they hold none."""
    return frozenset(a.column for a in data.protected if a.may_be_special)


def may_say_extremes(data: Data) -> bool:
    """Whether the smallest and largest training values may travel: only where the plan says that no person is in them.

    An answer that is missing counts as persons.
    """
    return data.provenance.personal_data == "no"
