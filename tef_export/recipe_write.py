"""Making the recipe of a run, and the test rows that the plan lets leave."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.plan import Plan
from evidence import arrays, canonical
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from tef_export import recipe, recipe_rules, rows


def make(folder: RunFolder, dossier: Dossier) -> dict[str, bytes]:
    """The recipe and, where the plan lets them leave, the test rows: place in the bundle to content.

    Raises:
        GateError: Test rows are to leave although a feature is a special category of personal data.
        IntegrityError: An array of the run was altered.
    """
    test = _test_rows(folder, dossier) if dossier.plan.bundle.include_test_data else None
    found = _recipe(dossier, test[0] if test else None)
    content = found.model_dump_json(indent=2).encode("utf-8") + b"\n"
    return {recipe.PLACE: content, **({recipe.TEST_ROWS: test[1]} if test else {})}


def _recipe(dossier: Dossier, test: recipe.TestRows | None) -> recipe.Recipe:
    plan, part = dossier.plan, dossier.encode.parts["test"]
    again, without = recipe_rules.checks(dossier.results())
    if dossier.close is None:
        raise errors.GateError(f"recipe of run {dossier.run_id}: expected a closed run, got an unfinished one.")
    return recipe.Recipe(
        run_id=dossier.run_id,
        model_sha256=dossier.exported.onnx.sha256,
        plan_sha256=dossier.plan_sha256,
        commitment_sha256=dossier.close.records["commit"].sha256,
        results_sha256=dossier.close.records["evaluate"].sha256,
        target=recipe_rules.target(plan.data),
        missing_values=plan.data.missing_values,
        missing_in=recipe_rules.missing_in(plan.data),
        statistics=_statistics(dossier),
        attributes=tuple(
            recipe_rules.attribute(declared, plan.data, part.groups[declared.name].names if part.groups else ())
            for declared in plan.data.protected
        ),
        intersections=tuple(
            recipe.Intersection(name=name, attributes=names, groups=part.groups[name].names)
            for names in plan.data.intersections
            if (name := " × ".join(names)) in part.groups
        ),
        slices=tuple(
            recipe_rules.slices(declared, plan.data, part.slices[declared.column].names)
            for declared in plan.policy.robustness.shift.columns
            if declared.column in part.slices
        ),
        deployment=plan.policy.robustness.shift.deployment,
        minimum_group_size=plan.policy.minimum_group_size,
        missing_group=plan.policy.governance.missing_group,
        sampling=recipe_rules.sampling(plan),
        faults=recipe_rules.faults(plan),
        checks=again,
        left_out=without,
        thresholds=recipe_rules.thresholds(plan),
        tolerance=recipe_rules.TOLERANCE,
        test_rows=test,
    )


def _statistics(dossier: Dossier) -> tuple[recipe.FeatureStatistics, ...]:
    extremes = recipe_rules.may_say_extremes(dossier.plan.data)
    return tuple(
        recipe.FeatureStatistics(
            name=feature.name,
            std=feature.std or 1.0,
            median=feature.median,
            minimum=feature.minimum if extremes else None,
            maximum=feature.maximum if extremes else None,
        )
        for feature in dossier.encode.features
        if feature.kind == "numeric"
    )


def _test_rows(folder: RunFolder, dossier: Dossier) -> tuple[recipe.TestRows, bytes]:
    plan = dossier.plan
    special = recipe_rules.special_columns(plan.data)
    if named := [c.name for c in plan.data.features if c.name in special]:
        silent = sorted({a.name for a in plan.data.protected if a.column in named and a.special_category is None})
        unstated = f"The plan does not say whether {', '.join(silent)} is one: special_category. " if silent else ""
        raise errors.GateError(
            f"test rows of run {dossier.run_id}: expected no special category of personal data among the model's "
            f"inputs, got {', '.join(named)}; such data may not be passed on (AI Act Art. 4a(1)(d)). "
            f"{unstated}Set bundle.include_test_data: false and let the facility use rows of its own."
        )
    if odd := rows.formulas([f.name for f in dossier.encode.features] + [dossier.encode.target]):
        raise errors.GateError(
            f"test rows of run {dossier.run_id}: expected names of columns, got '{odd[0][:40]}', which a spreadsheet "
            "would run. Rename the column, or set bundle.include_test_data: false."
        )
    part = arrays.load(folder, dossier.encode, "test")
    groups = _group_columns(plan) if plan.bundle.include_groups else {}
    slices = _slice_columns(plan) if plan.bundle.include_groups else {}
    groups = {name: place for name, place in groups.items() if name in part.groups}
    slices = {name: place for name, place in slices.items() if name in part.slices}
    belongs: dict[str, npt.NDArray[np.integer]] = {place: part.groups[name].codes for name, place in groups.items()}
    belongs |= {place: part.slices[name].codes for name, place in slices.items()}
    entity = rows.ENTITY if part.entities is not None and _may_rank(plan, special) else None
    if entity and part.entities is not None:
        belongs[entity] = rows.ranks(part.entities)
    content = rows.write(part, [f.name for f in dossier.encode.features], dossier.encode.target, belongs)
    found = recipe.TestRows(
        sha256=canonical.sha256_bytes(content),
        rows=part.rows,
        split_sha256=dossier.split.parts["test"].digests.sha256,
        groups=groups,
        slices=slices,
        entity=entity,
    )
    return found, content


def _group_columns(plan: Plan) -> dict[str, str]:
    """Attribute to its column of codes; none for a special category, nor for what is taken from the same column."""
    special = recipe_rules.special_columns(plan.data)
    return {a.name: f"{rows.GROUP}{a.name}" for a in plan.data.protected if a.column not in special}


def _slice_columns(plan: Plan) -> dict[str, str]:
    special = recipe_rules.special_columns(plan.data)
    return {c: f"{rows.SLICE}{c}" for c in plan.shift_columns if c not in special}


def _may_rank(plan: Plan, special: frozenset[str]) -> bool:
    return plan.bundle.include_groups and plan.data.entity not in special
