"""The recipe: everything a facility needs to measure again, nothing that must stay, and nothing that asks less."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs import errors, load
from configs.data import Column
from evidence import arrays
from tef_export import archive, cross_check, manifest, recipe, recipe_check, recipe_rules, recipe_write, rows, verify
from tests.tef_export import making

SHARED = "include_test_data: true, include_groups: true"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> making.Made:
    """A bundle whose plan lets the test rows leave, with what each belongs to."""
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    return making.bundle(
        tmp_path_factory.mktemp("shared"), making.real_key(), plan=text.replace("include_test_data: false", SHARED)
    )


def found(made: making.Made) -> recipe.Recipe:
    return recipe.Recipe.model_validate_json(making.unpacked(made.path)[1][recipe.PLACE])


def test_the_committed_schema_is_the_one_of_the_types() -> None:
    """Types and schema cannot drift apart; `python -m tef_export.recipe` writes it anew."""
    assert recipe.SCHEMA.read_text(encoding="utf-8") == recipe.schema_text()


def test_public_validators_accept_the_recipe(shared: making.Made) -> None:
    """The recipe is valid under the committed JSON Schema."""
    schema = json.loads(recipe.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(making.unpacked(shared.path)[1][recipe.PLACE]), schema)


def test_test_rows_come_back_as_they_were_measured(shared: making.Made) -> None:
    """Inputs to the last bit, targets, groups, joint groups and slices: what was measured can be measured again."""
    _, files = making.unpacked(shared.path)
    part = rows.read(files[recipe.TEST_ROWS], found(shared), manifest.parse(files[manifest.PLACE]).model)
    kept = arrays.load(shared.folder, shared.dossier.encode, "test")
    assert np.array_equal(part.x, kept.x, equal_nan=True)
    assert part.x.dtype == kept.x.dtype
    assert np.array_equal(part.y, kept.y)
    for made, expected in ((part.groups, kept.groups), (part.slices, kept.slices)):
        assert {name: g.names for name, g in made.items()} == {name: g.names for name, g in expected.items()}
        assert all(np.array_equal(made[name].codes, expected[name].codes) for name in expected)
    assert part.digests_sha256 == shared.dossier.split.parts["test"].digests.sha256


@pytest.mark.slow
def test_the_bundle_with_test_rows_holds(shared: making.Made) -> None:
    """The reader accepts it, and says how much can be repeated."""
    answer = verify.verify(shared.path, public_key=shared.key.public_key(), at=making.NOW)
    assert [c for c in answer.checks if c.status != "pass"] == []
    assert "100 test rows travel" in next(c.text for c in answer.checks if c.name == "recipe")


def test_rows_stay_where_the_plan_does_not_let_them_go(made: making.Made) -> None:
    """No rows by default, and the recipe says so."""
    assert recipe.TEST_ROWS not in making.unpacked(made.path)[1]
    assert found(made).test_rows is None


def test_groups_stay_unless_the_plan_lets_them_go_too(shared: making.Made) -> None:
    """`include_test_data` alone gives inputs and targets; no code says what a row belongs to."""
    plan = _with(shared.dossier, include_groups=False)
    made = recipe_write.make(shared.folder, plan)
    header = made[recipe.TEST_ROWS].split(b"\n", 1)[0].decode()
    assert "_row_" not in header
    assert header.split(",") == [*(c.name for c in plan.plan.data.features), "target"]


def _with(dossier: Any, *, special: str = "", said: bool | None = True, **bundle: bool) -> Any:
    plan = dossier.plan
    protected = tuple(
        p.model_copy(update={"special_category": said if p.name == special else False}) for p in plan.data.protected
    )
    return dataclasses.replace(
        dossier,
        plan=plan.model_copy(
            update={
                "bundle": plan.bundle.model_copy(update=bundle),
                "data": plan.data.model_copy(update={"protected": protected}),
            }
        ),
    )


@pytest.mark.parametrize("said", [True, None])
def test_a_special_category_never_leaves(shared: making.Made, *, said: bool | None) -> None:
    """As an input of the model it keeps every row at home; beside the model its codes stay (AI Act Art. 4a(1)(d)).

    What the plan does not say counts as yes, and the refusal says what to state.
    """
    with pytest.raises(errors.GateError, match=r"no special category.*got sex.*Art\. 4a") as caught:
        recipe_write.make(shared.folder, _with(shared.dossier, special="sex", said=said))
    assert ("does not say whether sex is one" in str(caught.value)) == (said is None)
    beside = _with(shared.dossier, special="sex", said=said)
    columns = tuple(
        c.model_copy(update={"role": "protected"}) if c.name == "sex" else c for c in beside.plan.data.columns
    )
    data = beside.plan.data.model_copy(update={"columns": columns})
    beside = dataclasses.replace(beside, plan=beside.plan.model_copy(update={"data": data}))
    header = recipe_write.make(shared.folder, beside)[recipe.TEST_ROWS].split(b"\n", 1)[0].decode()
    assert "_row_group.sex" not in header
    assert "_row_group.age_group" in header


@pytest.mark.parametrize(("plan", "wrote", "accepted"), [
    (None, False, True), (None, True, True), (True, False, False), (False, True, False),
])  # fmt: skip
def test_a_recipe_of_an_earlier_version_keeps_its_meaning(
    shared: making.Made, *, plan: bool | None, wrote: bool, accepted: bool
) -> None:
    """Where the plan does not say whether an attribute is special, the recipe's word holds; else the plan's."""
    dossier = _with(shared.dossier, special="sex", said=plan, include_test_data=False)
    found = recipe.Recipe.model_validate_json(recipe_write.make(shared.folder, dossier)[recipe.PLACE])
    attributes = tuple(
        a.model_copy(update={"special_category": wrote}) if a.name == "sex" else a for a in found.attributes
    )
    found = found.model_copy(update={"attributes": attributes})
    if accepted:
        recipe_check._check_attributes(dossier.plan, found)
        return
    with pytest.raises(errors.VerificationError, match="recipe, attribute sex"):
        recipe_check._check_attributes(dossier.plan, found)


@pytest.mark.parametrize(("answer", "travel"), [("yes", False), ("unknown", False), ("no", True)])
def test_extremes_travel_only_where_no_person_is_in_the_data(made: making.Made, answer: str, *, travel: bool) -> None:
    """The smallest and largest training value are single persons' values; an open answer counts as persons."""
    data = made.dossier.plan.data
    data = data.model_copy(update={"provenance": data.provenance.model_copy(update={"personal_data": answer})})
    dossier = dataclasses.replace(made.dossier, plan=made.dossier.plan.model_copy(update={"data": data}))
    content = json.loads(recipe_write.make(made.folder, dossier)[recipe.PLACE])
    extremes = {(s["minimum"], s["maximum"]) for s in content["statistics"]}
    assert extremes == ({(0.0, 1.0)} if travel else {(None, None)})


def test_an_entity_travels_as_a_rank() -> None:
    """Identifiers become ranks among the rows at hand; rows of one entity stay together, a missing one stays out."""
    assert rows.ranks(np.array([90, 7, -1, 90, 12], np.int64)).tolist() == [2, 0, -1, 2, 1]


def test_every_metric_that_was_measured_is_in_the_recipe_or_left_out(made: making.Made) -> None:
    """Nothing falls silent: each check with a value can be repeated, or its reason stands there."""
    asked = found(made)
    valued = {r.check_id for r in made.dossier.results() if any(m.value is not None for m in r.measures)}
    assert {c.id for c in asked.checks} | {c.id for c in asked.left_out} == valued
    assert {c.id: c.needs for c in asked.checks}["fairness.demographic_parity_ratio"] == ("groups",)
    assert "gradient" in {c.id: c.reason for c in asked.left_out}["robustness.evasion"]


def test_pairs_and_factors_are_those_that_are_measured(made: making.Made) -> None:
    """The recipe writes out what the check of exchanged columns and of units would try."""
    from checks import _one_feature
    from checks._subject import Subject

    dossier = made.dossier
    subject = Subject(dossier.plan, dossier.encode, *[None] * 5)  # type: ignore[arg-type]
    faults = recipe_rules.faults(dossier.plan)
    names = [f.name for f in dossier.encode.features]
    assert faults.exchanged == tuple((names[a], names[b]) for a, b in _one_feature.alike(subject))
    assert faults.unit_factors == {names[j]: _one_feature.factors(subject, j) for j in _one_feature.numeric(subject)}
    assert recipe_rules.MOST_PAIRS == _one_feature.MOST_PAIRS


Attack = Callable[..., None]
Change = Callable[[dict[str, Any]], None]


def _set(*path: str | int, to: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        for step in path[:-1]:
            content = content[step]  # type: ignore[index]
        content[path[-1]] = to  # type: ignore[index]

    return change


LIES: list[tuple[str, Change, str]] = [
    ("another run", _set("run_id", to="x"), "recipe, run_id"),
    ("another model", _set("model_sha256", to="0" * 64), "recipe, digest of the model"),
    ("another plan", _set("plan_sha256", to="0" * 64), "recipe, digest of the plan"),
    ("another commitment", _set("commitment_sha256", to="0" * 64), "recipe, digest of the commitment"),
    ("other results", _set("results_sha256", to="0" * 64), "recipe, digest of the results"),
    ("a softer target", _set("target", "above", to=300.0), "recipe, target"),
    ("weaker faults", _set("faults", "noise", to=[0.001]), "recipe, faults"),
    ("a lower threshold", _set("thresholds", 0, "at_least", to=0.1), "recipe, thresholds"),
    ("a lower level", _set("sampling", "level", to=0.5), "recipe, sampling"),
    ("another seed", _set("sampling", "seed", to=99), "recipe, sampling"),
    ("larger tolerance", _set("tolerance", "absolute", to=0.5), "recipe, tolerance"),
    ("smaller groups", _set("minimum_group_size", to=1), "recipe, minimum_group_size"),
    ("more without a group", _set("missing_group", to=1.0), "recipe, missing_group"),
    ("other missing texts", _set("missing_values", to=["0"]), "recipe, missing_values"),
    ("groups cut elsewhere", _set("attributes", 1, "edges", to=[50.0]), "recipe, attribute age_group"),
    (
        "groups swapped",
        _set("attributes", 0, "values", to={"1": "sex code 2", "2": "sex code 1"}),
        "recipe, attribute sex",
    ),
    ("an attribute dropped", lambda c: c["attributes"].pop(), "recipe, attributes"),
    ("an intersection dropped", _set("intersections", to=[]), "recipe, intersections"),
    ("slices cut elsewhere", _set("slices", 0, "edges", to=[27.0]), "recipe, slices of bmi"),
    ("a check dropped", lambda c: c["checks"].pop(0), "recipe, checks"),
    ("a check that needs less", _set("checks", 2, "needs", to=["slices"]), "recipe, what the checks need"),
    ("a reason dropped", _set("left_out", to=[]), "recipe, checks left out"),
    ("an extreme", _set("statistics", 0, "maximum", to=99.0), "recipe, statistics of age"),
    ("a feature without statistics", lambda c: c["statistics"].pop(), "recipe, statistics"),
    ("rows denied", _set("test_rows", to=None), "recipe, test rows"),
    ("rows of another digest", _set("test_rows", "sha256", to="0" * 64), "recipe, sha256 of data/test/rows.csv"),
    ("another number of rows", _set("test_rows", "rows", to=99), "recipe, number of test rows"),
    ("rows of another split", _set("test_rows", "split_sha256", to="0" * 64), "recipe, digest of the test part"),
    ("columns exchanged", _set("test_rows", "groups", to={"sex": "_row_group.age_group"}), "expected the columns"),
    ("an unknown field", _set("extra", to=1), "expected a valid Recipe"),
]


@dataclasses.dataclass
class Opened:
    """A bundle unpacked once, for many lies."""

    bundle: cross_check.Bundle
    index: manifest.BundleManifest
    evidence: cross_check.Evidence


@pytest.fixture(scope="module")
def opened(shared: making.Made, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    place = tmp_path_factory.mktemp("opened")
    listing = archive.inspect(shared.path)
    bundle = cross_check.Bundle(listing.top, place, archive.unpack(shared.path, listing, place))
    return Opened(bundle, manifest.parse(bundle.read(manifest.PLACE)), cross_check.read_evidence(bundle))


@pytest.mark.attack("recipe")
@pytest.mark.parametrize(("change", "reason"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_signed_recipe_that_says_something_else_is_refused(
    opened: Opened, attack: Attack, change: Change, reason: str
) -> None:
    """Each part of the recipe stands somewhere else too, and a supplier who changes one is told which."""
    place = opened.bundle.root / recipe.PLACE
    before = place.read_bytes()
    content = json.loads(before)
    change(content)
    try:
        place.write_text(json.dumps(content))
        with pytest.raises(errors.VerificationError) as caught:
            recipe_check.check(opened.bundle, opened.index, opened.evidence)
    finally:
        place.write_bytes(before)
    assert reason in str(caught.value)
    attack(caught.value, "recipe")
    recipe_check.check(opened.bundle, opened.index, opened.evidence)


ROWS: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("a row less", lambda t: t[: t.rindex(b"\n", 0, -1) + 1], "expected 100 rows, got 99"),
    ("a text", lambda t: t.replace(b"\n", b"\nx", 2), "expected numbers in line 2"),
    ("a cell more", lambda t: t[:-1] + b",1\n", "cells in line 101"),
    ("a class that is none", lambda t: _cell(t, "target", b"2"), "codes from 0 to 1 in column target"),
    ("a group that is none", lambda t: _cell(t, "_row_group.sex", b"7"), "codes from -1 to 1 in column _row_group.sex"),
    ("half a group", lambda t: _cell(t, "_row_group.sex", b"0.5"), "codes from -1 to 1"),
    ("row without class", lambda t: _cell(t, "target", b""), "a finite number in every row of column target"),
    ("columns renamed", lambda t: t.replace(b"age,", b"sex,", 1), "expected the columns age"),
    ("an open quote", lambda t: t + b'"', "expected plain CSV"),
]


def _cell(table: bytes, column: str, value: bytes) -> bytes:
    lines = table.split(b"\n")
    cells = lines[1].split(b",")
    cells[lines[0].decode().split(",").index(column)] = value
    return b"\n".join([lines[0], b",".join(cells), *lines[2:]])


@pytest.mark.attack("recipe")
@pytest.mark.parametrize(("change", "reason"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_test_rows_that_are_no_such_table_are_refused(
    shared: making.Made, attack: Attack, change: Callable[[bytes], bytes], reason: str
) -> None:
    """A signed table is checked as much as an unsigned one."""
    _, files = making.unpacked(shared.path)
    contract = manifest.parse(files[manifest.PLACE]).model
    with pytest.raises(errors.VerificationError, match="Do not use them") as caught:
        rows.read(change(files[recipe.TEST_ROWS]), found(shared), contract)
    assert reason in str(caught.value)
    attack(caught.value, "recipe")


@pytest.mark.slow
def test_rows_that_the_plan_keeps_are_refused(made: making.Made, shared: making.Made, tmp_path: Path) -> None:
    """Rows added to the bundle of a plan that keeps them are refused, whatever the recipe says."""
    top, files = making.unpacked(made.path)
    theirs = making.unpacked(shared.path)[1]
    content = json.loads(files[recipe.PLACE])
    content["test_rows"] = json.loads(theirs[recipe.PLACE])["test_rows"]
    files |= {recipe.PLACE: json.dumps(content).encode(), recipe.TEST_ROWS: theirs[recipe.TEST_ROWS]}
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, making.reindexed(files), made.key))
    answer = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    assert "expected none, as the plan says" in next(c.text for c in answer.checks if c.name == "recipe")


def test_a_recipe_is_part_of_every_bundle(made: making.Made, tmp_path: Path) -> None:
    """Without it the facility could not tell what to repeat: the bundle is refused."""
    top, files = making.unpacked(made.path)
    del files[recipe.PLACE]
    path = making.packed(tmp_path / "x.zip", top, making.resigned(top, making.reindexed(files), made.key))
    answer = verify.verify(path, public_key=made.key.public_key(), at=making.NOW)
    assert "data/recipe.json: expected it in the bundle" in str(answer.refusal)


def test_entities_travel_as_ranks_and_come_back(shared: making.Made) -> None:
    """Where the plan names an entity, rows of one person stay together in the table and in what is read of it."""
    columns = (*shared.dossier.plan.data.columns, Column(name="patient", role="entity", kind="categorical"))
    data = shared.dossier.plan.data.model_copy(update={"columns": columns})
    plan = shared.dossier.plan.model_copy(update={"data": data})
    codes = np.random.default_rng(5).integers(500, 560, 100)
    stored = arrays.save(shared.folder, "data/entities.npy", codes)
    part = shared.dossier.encode.parts["test"].model_copy(update={"entities": stored})
    encode = shared.dossier.encode.model_copy(update={"parts": {**shared.dossier.encode.parts, "test": part}})
    made = recipe_write.make(shared.folder, dataclasses.replace(shared.dossier, plan=plan, encode=encode))
    asked = recipe.Recipe.model_validate_json(made[recipe.PLACE])
    assert asked.sampling.entity == "patient"
    index = manifest.parse(making.unpacked(shared.path)[1][manifest.PLACE])
    found = rows.read(made[recipe.TEST_ROWS], asked, index.model).entities
    assert found is not None
    assert np.array_equal(found, np.unique(codes, return_inverse=True)[1])


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "@SUM(A1)", "+1", "-1"])
def test_no_column_is_a_formula(shared: making.Made, name: str) -> None:
    """A table is opened in a spreadsheet by its receiver: a name that would run is neither written nor accepted."""
    first = shared.dossier.encode.features[0].model_copy(update={"name": name})
    encode = shared.dossier.encode.model_copy(update={"features": (first, *shared.dossier.encode.features[1:])})
    with pytest.raises(errors.GateError, match="a spreadsheet would run"):
        recipe_write.make(shared.folder, dataclasses.replace(shared.dossier, encode=encode))
    _, files = making.unpacked(shared.path)
    contract = manifest.parse(files[manifest.PLACE]).model
    odd = contract.model_copy(
        update={"features": (contract.features[0].model_copy(update={"name": name}), *contract.features[1:])}
    )
    with pytest.raises(errors.VerificationError, match="one that a spreadsheet runs"):
        rows.read(files[recipe.TEST_ROWS], found(shared), odd)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_is_read_or_refused(shared: making.Made, data: st.DataObject) -> None:
    """Whatever a cell, or a run of bytes, is replaced by: a part or a refusal, never a crash."""
    _, files = making.unpacked(shared.path)
    table = bytearray(files[recipe.TEST_ROWS])
    at = data.draw(st.integers(0, len(table) - 1))
    length = data.draw(st.integers(0, 40))
    table[at : at + length] = data.draw(st.sampled_from(ODD) | st.text(max_size=8).map(lambda text: text.encode()))
    contract = manifest.parse(files[manifest.PLACE]).model
    with contextlib.suppress(errors.VerificationError):
        rows.read(bytes(table), found(shared), contract)


ODD = (b"nan", b"inf", b"-inf", b"1e999", b"1_000", b"0x10", b'"', b"\n", b"\r", b",", b"\xd9\xa1".ljust(2), b"9" * 400)
