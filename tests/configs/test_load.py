from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs import errors, load, strict_yaml

TEXT = load.plan_path("diabetes_progression").read_text(encoding="utf-8")


def refusal(old: str, new: str) -> str:
    assert old in TEXT
    with pytest.raises(errors.PlanError) as caught:
        load.parse(TEXT.replace(old, new, 1), "plan.yaml")
    return str(caught.value)


def test_an_entry_of_a_list_is_told_with_its_name() -> None:
    """A position in a list says little to who wrote it."""
    assert "data.columns[0].kind (age): expected" in refusal("kind: numeric", "kind: numbers")
    assert "policy.gates[0].at_least (performance.roc_auc): expected" in refusal("at_least: 0.70", "at_least: much")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  epochs: 120", "  epoch: 120", ("training.epoch", "expected a known key, got 'epoch'", "epochs")),
        ("  epochs: 120", "  epochs: many", ("training.epochs", "integer", "many")),
        ("  epochs: 120", "  epochs: 0", ("training.epochs",)),
        ("factory: {site: local}", "factory: [local]", ("factory",)),
        ("version: 1\n", "version: 2\n", ("version",)),
        ("kind: sklearn", "kind: sql", ("data.source",)),
        ("    above: 140", "    above: .nan", ("above",)),
        ("slice: sex\n", "slice: gender\n", ("gender", "sex × age_group")),
        ("use_in_model: true,", "use_in_model: false,", ("use_in_model", "role feature")),
        ("column: sex,", "column: six,", ("'six' is not declared",)),
        ("train: 0.6", "train: 0.7", ("add up to 1",)),
    ],
)
def test_a_wrong_plan_is_refused_with_its_place(old: str, new: str, said: tuple[str, ...]):
    """Unknown keys, wrong types and contradictions name the file and the place, without a traceback."""
    message = refusal(old, new)
    assert message.startswith("plan.yaml")
    for part in said:
        assert part in message


def test_a_missing_section_is_named():
    """A plan without its policy says which section is absent."""
    start, end = TEXT.index("policy:\n"), TEXT.index("factory: {site")
    message = refusal(TEXT[start:end], "")
    assert "policy" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "stands twice"),
        ("a: &x 1\nb: *x\n", "aliases"),
        ("a: [1\n", "line 2"),
        ("a: " + "[" * 5000 + "]" * 5000, "levels of nesting"),
        ("a: " + "{b: " * 5000 + "}" * 5000, "levels of nesting"),
        ("version: " + "9" * 6000, "more than 100 digits"),
        ("? [a]\n: b\n", "a key that is no plain text"),
        ("? {a: 1}\n: b\n", "a key that is no plain text"),
        ("a: !!python/object:os.system x\n", "python"),
        ("- 1\n- 2\n", "sections"),
        ("", "sections"),
    ],
)
def test_surprises_of_yaml_are_refused(text: str, said: str):
    """Duplicate keys, aliases, tags, broken and empty documents are plan errors."""
    with pytest.raises(errors.PlanError, match=said):
        load.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("012", 12),
        ("~", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any):
    """`no` is a word, `1:30` a text and a date a text."""
    assert strict_yaml.parse(f"a: {text}", "t") == {"a": value}


def test_an_absent_plan_names_a_near_one():
    """A misspelt use case is answered with the right one; a path that is absent with exit code 3."""
    with pytest.raises(errors.MissingError, match="Did you mean german_credit"):
        load.plan_path("german_credits")
    with pytest.raises(errors.MissingError):
        load.load(Path("nowhere.yaml"))


def test_a_plan_that_is_no_text_is_refused(tmp_path: Path):
    """Bytes that are no UTF-8, and a folder, are plan errors."""
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "p.yaml", tmp_path):
        with pytest.raises(errors.PlanError):
            load.load(path)


RULE = "    - {kind: pair_ordered, larger: s1, smaller: s2}\n"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{kind: pair_ordered, larger: sex, smaller: s2}", "expected numeric columns, got categorical 'sex'"),
        ("{kind: pair_ordered, larger: s1, smaller: sex}", "expected numeric columns, got categorical 'sex'"),
        ("{kind: pair_ordered, larger: s1, smaller: s1}", "expected different columns"),
        ("{kind: compound_unique, columns: [s1, s1]}", "expected different columns"),
        ("{kind: row_count, minimum: 9, maximum: 3}", "minimum 9 is above maximum 3"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(rule: str, said: str):
    """Texts have no order, a column cannot be compared with itself, a span has two ends in order."""
    assert said in refusal(RULE, f"    - {rule}\n")


@pytest.mark.parametrize("name", ["_row", "_role", "_row_2"])
def test_names_of_the_run_folder_are_reserved(name: str):
    """A declared column cannot take the place of the row digests or of the assignment."""
    assert "reserved" in refusal("{name: s3,", f"{{name: {name},")


@pytest.mark.parametrize("given", ["[[]]", "[[sex]]", "[[sex, sex]]", "[[sex, age_group], [age_group, sex]]"])
def test_an_intersection_joins_different_attributes_once(given: str):
    """Nothing, one attribute, the same twice and the same combination twice are refused."""
    assert "intersection" in refusal("  intersections:\n    - [sex, age_group]\n", f"  intersections: {given}\n")


def test_counts_have_an_upper_bound():
    """A plan cannot ask for more replicates or groups than a machine can hold."""
    assert "policy.replicates" in refusal("  replicates: ", "  replicates: 1000000000000")
    assert "bins" in refusal("bins: [", f"bins: [{', '.join(map(str, range(-200, 0)))}, ")


def test_test_rows_with_special_categories_never_leave():
    """A plan that names health data among its columns cannot send its test rows away."""
    text = (load.USE_CASES / "hospital_readmission.yaml").read_text(encoding="utf-8")
    assert "include_test_data: false" in text
    with pytest.raises(errors.PlanError, match=r"bundle\.include_test_data: expected false, as data\.provenance"):
        load.parse(text.replace("include_test_data: false", "include_test_data: true"))
