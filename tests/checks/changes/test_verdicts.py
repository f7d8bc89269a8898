"""What was declared beforehand against what changed: within, outside, cannot tell, none declared."""

from __future__ import annotations

from typing import Any

import pytest

from checks.changes import compare
from checks.changes.side import Side
from evidence.diff_records import Change, DiffRecord
from tests.checks.changes import sides

FEATURE = "plan: data.columns[bmi].role"
MODEL = "model/record.json: graph"


def declaration(name: str = "less", **limits: Any) -> dict[str, Any]:
    """A declared change that covers the removal of features and a retraining, within wide limits or those given."""
    metrics = limits.pop("metrics", [{"check": "performance.roc_auc", "worse_by_at_most": 0.9}])
    return {
        "id": name,
        "title": "A feature may be left out",
        "may_change": {"plan": ["data.columns[*].role"], "retraining": True},
        "limits": {"features_unchanged": False, "metrics": metrics} | limits,
        "rationale": "Each has little weight.",
        "clause": "Technical documentation, chapter on changes",
    }


def verdicts(first: Side, second: Side, *declared: dict[str, Any]) -> tuple[DiffRecord, dict[str, Change]]:
    found = compare.compare(sides.stating(first, *declared), sides.stating(second, *declared))
    return found, {change.place: change for change in found.changes}


def test_without_declarations_nothing_lies_within(first: Side, second: Side) -> None:
    """Whoever declares nothing is told so of every change that has a cause of its own."""
    found, changes = verdicts(first, second)
    assert found.declared == ()
    assert found.outcome == "outside"
    assert {changes[FEATURE].verdict, changes[MODEL].verdict} == {"none_declared"}
    assert "within" not in {c.verdict for c in found.changes}


def test_a_declared_change_within_its_limits(first: Side, second: Side) -> None:
    """The id and the clause of the declaration stand beside it, and the limit with its interval."""
    found, changes = verdicts(first, second, declaration())
    for place in (FEATURE, MODEL):
        assert changes[place].verdict == "within"
        assert changes[place].declared == ("less",)
        assert changes[place].clause == "Technical documentation, chapter on changes"
    (limit,) = found.declared[0].limits
    assert limit.answer == "within"
    assert limit.found.startswith("moved by ")


def test_a_broken_limit_is_outside(first: Side, second: Side) -> None:
    """The features were to stay as they are."""
    found, changes = verdicts(first, second, declaration(features_unchanged=True))
    assert changes[FEATURE].verdict == changes[MODEL].verdict == "outside"
    assert changes[FEATURE].reason == "declared as less, outside its limits: features unchanged"
    assert found.declared[0].limits[0].found.startswith("gone: bmi")
    assert found.outcome == "outside"


def test_an_interval_that_straddles_its_limit_cannot_tell(first: Side, second: Side) -> None:
    """The difference of 88 test rows is not known to a hundredth."""
    metrics = [{"check": "performance.roc_auc", "worse_by_at_most": 0.0}]
    found, changes = verdicts(first, second, declaration(metrics=metrics))
    difference = next(m for m in found.measures if m.name == "performance.roc_auc")
    assert difference.low < 0 < difference.high
    assert changes[FEATURE].verdict == "cannot_tell"
    assert changes["measure: performance.roc_auc@overall"].verdict == "cannot_tell"


def test_a_limit_beyond_the_whole_interval_is_broken(first: Side, second: Side) -> None:
    """An accuracy of 99 % is out of reach for either version."""
    metrics = [{"check": "performance.accuracy", "at_least": 0.99}]
    _, changes = verdicts(first, second, declaration(metrics=metrics))
    assert changes[FEATURE].verdict == "outside"
    assert "Accuracy at least 0.99" in changes[FEATURE].reason


def test_groups_that_are_too_small_cannot_tell(first: Side, second: Side) -> None:
    """A limit on a gap is not kept by a group of a few rows."""
    metrics = [{"check": "fairness.equal_opportunity_difference", "slice": "sex × age_group", "worse_by_at_most": 1.0}]
    found, _ = verdicts(first, second, declaration(metrics=metrics))
    (limit,) = found.declared[0].limits
    assert limit.answer == "cannot_tell"
    assert "too few rows" in limit.found


def test_what_no_declaration_names_is_outside(first: Side, second: Side) -> None:
    """A retraining alone does not cover the removal of a feature; the sentence says what is missing."""
    only = declaration() | {"may_change": {"plan": ["training.seed"]}}
    _, changes = verdicts(first, second, only)
    assert changes[FEATURE].verdict == changes[MODEL].verdict == "outside"
    assert "none has may_change.retraining" in changes[MODEL].reason


def test_of_two_declarations_the_better_answer_counts_for_a_cause(first: Side, second: Side) -> None:
    """A change lies within what was declared if it does so under one declaration; the other one is not used."""
    found, changes = verdicts(first, second, declaration("strict", features_unchanged=True), declaration("wide"))
    assert changes[FEATURE].verdict == "within"
    assert {d.id: d.used for d in found.declared} == {"strict": False, "wide": True}


def test_a_consequence_is_not_excused_by_another_declaration(first: Side, second: Side) -> None:
    """Weights that follow from a removed feature are judged under what was declared for that, not for anything else."""
    strict = declaration("strict", features_unchanged=True)
    lax = declaration("lax") | {"may_change": {"plan": ["training.threshold"], "retraining": True}}
    _, changes = verdicts(first, second, strict, lax)
    assert changes[FEATURE].verdict == "outside"
    assert changes[MODEL].verdict == "outside"
    assert changes[MODEL].declared == ("strict",)


def test_declarations_of_the_later_version_do_not_count(first: Side, second: Side) -> None:
    """Nobody declares beforehand what has happened already; the new declaration is itself a change outside."""
    found = compare.compare(first, sides.stating(second, declaration()))
    changes = {c.place: c for c in found.changes}
    assert changes[FEATURE].verdict == "none_declared"
    assert changes["plan: predetermined_changes[less]"].verdict == "outside"


def test_other_test_rows_may_be_declared_with_limits_on_the_rows(first: Side, third: Side) -> None:
    """Growth, shares of groups and drift get an answer each."""
    declared = declaration(
        rows_grow_by_at_most=0.0,
        rows_shrink_by_at_most=0.0,
        group_shares_move_by_at_most=0.01,
        drift_at_most=0.05,
        features_unchanged=True,
    ) | {"may_change": {"plan": ["split.seed"], "data": True, "retraining": True}}
    found, changes = verdicts(first, third, declared)
    answers = {limit.limit: limit.answer for limit in found.declared[0].limits}
    assert answers["rows grow by at most 0 %"] == answers["features unchanged"] == "within"
    assert answers["shares of groups move by at most 1 points of percent"] == "within"
    assert answers["drift of a feature between the test parts at most 0.05"] == "cannot_tell"
    assert changes["plan: split.seed"].verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("limit", "answer"), [("rows_grow_by_at_most", "outside"), ("rows_shrink_by_at_most", "within")]
)
def test_rows_that_grow(first: Side, limit: str, answer: str) -> None:
    """A tenth more rows is more than a twentieth, and no fewer."""
    import dataclasses

    dataset = first.dataset.model_copy(update={"rows": int(first.dataset.rows * 1.1), "rows_sha256": "ab" * 32})
    declared = declaration(**{limit: 0.05}) | {"may_change": {"data": True}}
    before = sides.stating(first, declared)
    found = compare.compare(before, dataclasses.replace(before, dataset=dataset))
    assert found.declared[0].limits[0].answer == answer
