"""Does the recipe say what the plan, the results and the index say, and do the test rows follow the plan?

A supplier could seal a recipe that asks less than the plan did: weaker faults, other thresholds, fewer checks, groups
cut elsewhere. Whatever the plan fixes is made anew from the plan and compared.
"""

from __future__ import annotations

from configs.plan import Plan
from tef_export import coherence, contents, cross_check, manifest, recipe, recipe_rules, rows, strict_json
from tef_export.language import reader
from tef_export.language.reader import LanguageEvidence

LARGEST = 16 << 20


def check(bundle: cross_check.Bundle, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence) -> str:
    """Compare the recipe with everything it must agree with; what it lets a facility repeat, in one sentence.

    Raises:
        VerificationError: Naming the part that differs.
    """
    content = bundle.read(recipe.PLACE)
    if isinstance(evidence, LanguageEvidence):
        given = bundle.read(contents.TEST_TEXT) if contents.TEST_TEXT in bundle.files else None
        digests = {path: file.sha256 for path, file in bundle.files.items()}
        return reader.check_recipe(content, given, index, evidence, digests)
    strict_json.parse(content, recipe.PLACE, LARGEST)
    found = manifest.record(content, recipe.Recipe, recipe.PLACE)
    _check_digests(bundle, index, found)
    _check_plan(evidence.plan, found)
    _check_attributes(evidence.plan, found)
    _check_statistics(evidence.plan, found)
    again, without = recipe_rules.checks(evidence.checks)
    coherence.equal("recipe, checks", [c.id for c in found.checks], [c.id for c in again])
    coherence.equal("recipe, what the checks need", [c.needs for c in found.checks], [c.needs for c in again])
    coherence.equal("recipe, checks left out", [c.id for c in found.left_out], [c.id for c in without])
    _check_rows(bundle, index, evidence, found)
    where = "no test rows travel" if found.test_rows is None else f"{found.test_rows.rows} test rows travel"
    return f"{len(found.checks)} checks can be repeated by the recipe, {len(found.left_out)} cannot; {where}"


def _check_digests(bundle: cross_check.Bundle, index: manifest.BundleManifest, found: recipe.Recipe) -> None:
    coherence.equal("recipe, run_id", found.run_id, index.run_id)
    for name, given, place in (
        ("model", found.model_sha256, contents.MODEL),
        ("plan", found.plan_sha256, contents.PLAN),
        ("commitment", found.commitment_sha256, contents.EVIDENCE["commit"]),
        ("results", found.results_sha256, contents.RESULTS),
    ):
        coherence.equal(f"recipe, digest of the {name}", given, bundle.files[place].sha256)


def _check_plan(plan: Plan, found: recipe.Recipe) -> None:
    policy = plan.policy
    expected = {
        "target": recipe_rules.target(plan.data),
        "missing_values": plan.data.missing_values,
        "missing_in": recipe_rules.missing_in(plan.data),
        "sampling": recipe_rules.sampling(plan),
        "faults": recipe_rules.faults(plan),
        "thresholds": recipe_rules.thresholds(plan),
        "minimum_group_size": policy.minimum_group_size,
        "missing_group": policy.governance.missing_group,
        "deployment": policy.robustness.shift.deployment,
        "tolerance": recipe_rules.TOLERANCE,
    }
    for name, value in expected.items():
        coherence.equal(f"recipe, {name}", getattr(found, name), value)


def _check_attributes(plan: Plan, found: recipe.Recipe) -> None:
    coherence.equal("recipe, attributes", [a.name for a in found.attributes], [a.name for a in plan.data.protected])
    for one, declared in zip(found.attributes, plan.data.protected, strict=True):
        expected = recipe_rules.attribute(declared, plan.data, one.groups)
        if declared.special_category is None:
            # Earlier versions took what a plan does not say for no: what the sender took it for is the recipe's word.
            expected = expected.model_copy(update={"special_category": one.special_category})
        coherence.equal(f"recipe, attribute {one.name}", one, expected)
    names = [" × ".join(combination) for combination in plan.data.intersections]
    coherence.equal("recipe, intersections", [i.name for i in found.intersections], names)
    for joint, combination in zip(found.intersections, plan.data.intersections, strict=True):
        coherence.equal(f"recipe, intersection {joint.name}", joint.attributes, combination)
    columns = {declared.column: declared for declared in plan.policy.robustness.shift.columns}
    coherence.equal("recipe, slices", [one.column for one in found.slices], list(columns))
    for part in found.slices:
        expected_slices = recipe_rules.slices(columns[part.column], plan.data, part.slices)
        coherence.equal(f"recipe, slices of {part.column}", part, expected_slices)


def _check_statistics(plan: Plan, found: recipe.Recipe) -> None:
    numeric = [column.name for column in plan.data.features if column.kind != "categorical"]
    coherence.equal("recipe, statistics", [s.name for s in found.statistics], numeric)
    if not recipe_rules.may_say_extremes(plan.data):
        for one in found.statistics:
            if (one.minimum, one.maximum) != (None, None):
                raise coherence.differs(
                    f"recipe, statistics of {one.name}", "its smallest and largest value",
                    "neither, as the plan does not say that the data are about no persons",
                )  # fmt: skip


def _check_rows(
    bundle: cross_check.Bundle, index: manifest.BundleManifest, evidence: cross_check.Evidence, found: recipe.Recipe
) -> None:
    plan, declared = evidence.plan, found.test_rows
    there = recipe.TEST_ROWS in bundle.files
    coherence.equal("recipe, test rows", declared is not None, there)
    if not there or declared is None:
        return
    special = {one.column for one in found.attributes if one.special_category}
    if not plan.bundle.include_test_data:
        raise coherence.differs(recipe.TEST_ROWS, "test rows", "none, as the plan says")
    coherence.equal(f"recipe, sha256 of {recipe.TEST_ROWS}", declared.sha256, bundle.files[recipe.TEST_ROWS].sha256)
    part = evidence.split.parts.get("test")
    coherence.equal("recipe, number of test rows", declared.rows, part and part.rows)
    coherence.equal("recipe, digest of the test part", declared.split_sha256, part and part.digests.sha256)
    if not plan.bundle.include_groups and (declared.groups or declared.slices or declared.entity):
        raise coherence.differs(recipe.TEST_ROWS, "codes of groups, slices or entities", "none, as the plan says")
    columns = {a.name: a.column for a in plan.data.protected}
    taken = [columns.get(name, name) for name in declared.groups] + [*declared.slices]
    taken += [c.name for c in plan.data.features] + ([plan.data.entity] if declared.entity and plan.data.entity else [])
    for name in taken:
        if name in special:
            raise coherence.differs(recipe.TEST_ROWS, f"a special category ({name})", "none: it may not be passed on")
    rows.read(bundle.read(recipe.TEST_ROWS), found, index.model)
