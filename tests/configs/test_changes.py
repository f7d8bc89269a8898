"""The plan's section on changes that are determined beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs import changes, errors, load
from evidence import differences

BASE = (load.USE_CASES / "diabetes_progression.yaml").read_text(encoding="utf-8")


def declare(body: str) -> Any:
    return load.parse(f"{BASE}\npredetermined_changes:\n{body}")


SOUND = """
  - id: yearly
    title: Retraining once a year
    may_change: {data: true, retraining: true}
    limits: {metrics: [{check: performance.roc_auc, worse_by_at_most: 0.05}]}
    rationale: A loss of five points would be seen.
"""


def test_absent_is_nothing_declared() -> None:
    """No default declares anything."""
    assert load.parse(BASE).predetermined_changes == ()


def test_a_declaration_is_read() -> None:
    """With its clause, and with the features fixed, unless it says otherwise."""
    (found,) = declare(SOUND).predetermined_changes
    assert (found.id, found.clause, found.limits.features_unchanged) == ("yearly", "Annex IV(2)(f)", True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("may_change: {data: true, retraining: true}", "may_change: {}", "expected at least one of plan, data"),
        ("{metrics: [{check: performance.roc_auc, worse_by_at_most: 0.05}]}", "{}", "expected limits.metrics"),
        (", worse_by_at_most: 0.05", "", "expected at least one of at_least, at_most and worse_by_at_most"),
        ("{data: true,", "{plan: [system.intended_purpose],", "no declaration covers a change of it"),
        ("{data: true,", "{plan: [system],", "no declaration covers a change of it"),
        ("{data: true,", "{plan: [system.*],", "no declaration covers a change of it"),
        ("{data: true,", "{plan: [classification.profiling],", "no declaration covers a change of it"),
        ("{data: true,", "{plan: [predetermined_changes],", "no declaration covers a change of it"),
        ("{data: true,", "{plan: ['a b'],", "string should match pattern"),
        ("0.05", "-0.05", "greater than or equal to 0"),
        ("rationale: A loss of five points would be seen.", "", "rationale: expected a value"),
        ("retraining: true", "retrain: true", "Did you mean 'retraining'?"),
    ],
)
def test_what_a_declaration_cannot_say(old: str, new: str, words: str) -> None:
    """Another purpose, nothing at all, no measure for another model: refused with a sentence."""
    assert old in SOUND
    with pytest.raises(errors.PlanError) as refusal:
        declare(SOUND.replace(old, new, 1))
    assert words in str(refusal.value)


def test_ids_are_told_apart() -> None:
    """A verdict names the declaration by its id."""
    with pytest.raises(errors.PlanError, match="expected different ids, got yearly twice"):
        declare(SOUND + SOUND)


STEP = st.from_regex(r"[a-z_]{1,8}", fullmatch=True) | st.from_regex(r"\[[a-z@ ×.]{1,8}\]", fullmatch=True)


@pytest.mark.slow
@given(st.lists(STEP, min_size=1, max_size=6).map(lambda steps: ["plan", *steps]))
def test_a_path_is_read_as_it_is_written(path: list[str]) -> None:
    """Steps joined and taken apart again are the same; a path matches itself and what stands beneath it."""
    text = differences.joined(path)
    assert changes.steps(text) == tuple(path)
    assert changes.matches(text, path)
    assert changes.matches(text, [*path, "deeper"])
    assert not changes.matches(text, path[:-1])


@pytest.mark.parametrize(
    ("pattern", "path", "says"),
    [
        ("data.columns[*].role", ("data", "columns", "[bmi]", "role"), "matches"),
        ("data.columns[*].role", ("data", "columns", "[bmi]", "kind"), "does not"),
        ("data.columns[bmi]", ("data", "columns", "[age]"), "does not"),
        ("training.*", ("training", "seed"), "matches"),
        ("data.[*]", ("data", "columns"), "does not"),
    ],
)
def test_stars(pattern: str, path: tuple[str, ...], says: str) -> None:
    """One star is one step; in brackets it is one item of a list."""
    assert changes.matches(pattern, path) is (says == "matches")


def test_the_purpose_is_never_declarable() -> None:
    """Whatever a pattern says, these places stay outside."""
    for place in changes.UNDECLARABLE:
        assert not changes.declarable(changes.steps(place))
        assert not changes.declarable((*changes.steps(place), "x"))
    assert changes.declarable(("system", "version"))
