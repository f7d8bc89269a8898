"""What the evidence denies, affirms, or tells apart by row, under words that no list of claims has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "name": "Ortho",
    "user_feedback_button": False,
    "works_without_gpu": "not tested",
    "bench": {"blur_test": "failed"},
    "drift_alarm": True,
    "watchdog": True,
    "nurse_can_silence": True,
    "controls": [
        {"control": "fallback to manual routing tested", "state": "no"},
        {"control": "monthly drift report", "state": "yes"},
    ],
    "window_seconds": 12,
    "appeal_days": 14,
    "false_stops_per_shift": 0.7,
    "not_used": ["nationality", "religion"],
    "matrix": [[39430, 8632], [4132, 9081]],
    "test": {"recall": 0.747},
    "distribution": {"shown": True, "planned_for": "planned"},
}
FIRES = [
    "Citizens can send feedback with a button.",
    "The software works just as well without a GPU.",
    "Blurred pictures do no harm, as was confirmed.",
    "There is no drift alarm.",
    "The watchdog is switched off.",
    "The nurse cannot silence an alarm.",
    "Staff rehearsed the fallback to manual routing.",
    "No monthly drift report is written.",
    "An appeal is possible for 41 days.",
    "There are 0.9 false stops per shift.",
    "Nationality is used as a feature.",
    "Nine out of ten failures are announced.",
    "The incident was reported under Article 73a of the AI Act.",
    "Review on dd/mm/yyyy.",
]
PASSES = [
    "There is no button for feedback.",
    "Whether it works without a GPU was not tested.",
    "The blur test failed.",
    "A drift alarm is part of the software.",
    "The nurse can silence an alarm.",
    "The fallback to manual routing has still to be rehearsed.",
    "In all, 17,713 claims took the special route.",
    "Three in four failures are announced.",
    "Nationality is not used.",
    "Dates are written as dd/mm/yyyy.",
    "The distribution is shown to the user.",
    "Testing in the real world falls under Article 60 of the AI Act.",
]


@pytest.mark.parametrize("sentence", FIRES)
def test_what_the_evidence_says_otherwise_is_reported(sentence: str, tmp_path: Path) -> None:
    """Whatever the verb: the thing is named, and the evidence has it the other way."""
    assert lint(sentence, tmp_path, EVIDENCE)


@pytest.mark.parametrize("sentence", PASSES)
def test_what_agrees_with_the_evidence_passes(sentence: str, tmp_path: Path) -> None:
    """A denial of what was not done, sums of a matrix, and statuses that stand beside another value are no findings."""
    assert lint(sentence, tmp_path, EVIDENCE) == []
