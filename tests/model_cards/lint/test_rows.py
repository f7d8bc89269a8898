"""Rows of tables that name a check, and the outcome of the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

HEAD = "| Check | Slice | Measured | Interval | Outcome |\n|---|---|---|---|---|\n"
RECORDS = {
    "outcome": "inconclusive",
    "results": [
        {
            "check_id": "performance.auc",
            "title": "Area under the ROC curve",
            "status": "inconclusive",
            "measures": [
                {"name": "performance.auc", "slice": "overall", "value": 0.7206},
                {"name": "performance.auc", "slice": "age_group", "value": 0.81},
                {"name": "performance.other", "slice": "overall", "value": 0.751},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (HEAD + "| Area under the ROC curve | overall | 0.751 | [0.7, 0.8] | inconclusive |", "number-differs"),
        (HEAD + "| Area under the ROC curve | age\\_group | 0.721 | [0.7, 0.8] | inconclusive |", "number-differs"),
        (HEAD + "| Area under the ROC curve | overall | 0.721 | [0.7, 0.8] | **pass** |", "outcome-differs"),
        (HEAD + "| Drift | overall | 0.2 | [-0.112, 0.010] | – |", "point-outside"),
        (HEAD + "| Share | overall | 62 % | [0.40, 0.60] | – |", "point-outside"),
        ("Outcome: **pass**. More follows.", "outcome-differs"),
    ],
)
def test_a_row_is_held_to_its_own_record(text: str, rule: str, tmp_path: Path) -> None:
    """Another measure's value, another slice's, another outcome, a value outside its interval."""
    assert rule in lint(text, tmp_path, RECORDS)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "| Area under the ROC curve | overall | 0.721 | [0.7, 0.8] | inconclusive |",
        HEAD + "| Area under the ROC curve | age\\_group | 81 % | – | **inconclusive** |",
        "Outcome: **inconclusive**.",
        "The outcome of the vote passed nobody by.",
    ],
)
def test_a_row_as_recorded_passes(text: str, tmp_path: Path) -> None:
    """The record's own value, in percent too."""
    assert not {"number-differs", "outcome-differs", "point-outside"} & set(lint(text, tmp_path, RECORDS))


@pytest.mark.parametrize("value", ["-0.051", "−0.051", "0.009"])
def test_a_value_inside_a_negative_interval_passes(value: str, tmp_path: Path) -> None:
    """Signs of interval ends count, as hyphen or as minus."""
    row = f"| Drift | overall | {value} | [-0.112, 0.010] | – |"
    assert "point-outside" not in lint(HEAD + row, tmp_path, RECORDS)


GATE = {
    "results": [
        {"check_id": "fairness.odds", "title": "Odds", "status": "inconclusive", "measures": []},
    ],
    "reasons": [
        {"check_id": "fairness.odds", "slice": "sex", "status": "pass"},
        {"check_id": "fairness.odds", "slice": "age", "status": "inconclusive"},
    ],
}


@pytest.mark.parametrize(("slice_", "outcome", "times"), [("sex", "pass", 0), ("age", "pass", 1), ("sex", "fail", 1)])
def test_the_outcome_of_a_slice_is_that_of_the_gate(slice_: str, outcome: str, times: int, tmp_path: Path) -> None:
    """A check that is undecided on the whole may have passed in one slice."""
    text = f"| Check | Slice | Outcome |\n|---|---|---|\n| Odds | {slice_} | {outcome} |\n"
    assert lint(text, tmp_path, GATE).count("outcome-differs") == times
