"""Differences are told by field, old and new, whatever moved beside them."""

from __future__ import annotations

from evidence import differences

GATES = [
    {"check": "performance.roc_auc", "slice": "overall", "at_least": 0.8},
    {"check": "fairness.accuracy_difference", "slice": "sex", "at_most": 0.1},
]


def test_a_gate_is_told_by_its_check_and_slice() -> None:
    """A removed gate does not make all that follow look changed."""
    softer = {**GATES[1], "at_most": 0.2}
    found = differences.between({"policy": {"gates": GATES}}, {"policy": {"gates": [softer]}})
    assert found == [
        "policy.gates[performance.roc_auc@overall]: present → absent",
        "policy.gates[fairness.accuracy_difference@sex].at_most: 0.1 → 0.2",
    ]


def test_an_order_alone_is_told_as_one() -> None:
    """The order of the columns is that of the model's input, so it counts, once."""
    then, now = [{"name": "a", "kind": "x"}, {"name": "b", "kind": "x"}], [{"name": "b", "kind": "x"}]
    assert differences.between({"columns": then}, {"columns": then[::-1]}) == ["columns, order: a, b → b, a"]
    assert differences.between({"columns": then}, {"columns": now}) == ["columns[a]: present → absent"]


def test_only_a_few_are_told_and_the_rest_is_counted() -> None:
    """A wholly different plan does not fill the screen, and long texts are cut."""
    then, now = {str(i): 0 for i in range(9)}, {str(i): 1 for i in range(9)}
    assert differences.told(then, now) == "0: 0 → 1; 1: 0 → 1; 2: 0 → 1 (and 6 more)"
    assert len(differences.told({"a": "x" * 500}, {"a": "y" * 500})) < 140
    assert differences.told(then, dict(then)) == ""


def test_what_came_and_what_went() -> None:
    """None, lists of plain values and absent fields are told in words."""
    assert differences.told({"a": None, "b": [1, 2], "c": 1}, {"a": 0.5, "b": [1]}) == (
        "a: none → 0.5; b: 1, 2 → 1; c: 1 → absent"
    )
