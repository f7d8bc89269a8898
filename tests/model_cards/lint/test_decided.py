"""What a text says of the gates of a run is held to the decision of that run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint


def line(check: str, status: str, *, required: bool = True) -> dict[str, object]:
    """One line of a decision."""
    return {"check_id": check, "slice": "overall", "required": required, "status": status, "text": "measured"}


GATES = ("performance.roc_auc", "performance.brier", "robustness.noise")
EVIDENCE = {
    "plan": {"policy": {"gates": [{"check": check, "at_least": 0.5} for check in GATES]}},
    "gate": {
        "outcome": "inconclusive",
        "reasons": [
            line(GATES[0], "pass"),
            line(GATES[1], "inconclusive"),
            line(GATES[2], "inconclusive", required=False),
            line("data.missing", "pass"),
            line("data.drift", "pass"),
        ],
    },
}
TRUE = [
    "Two gates are inconclusive and one gate passed; no gate failed.",
    "One of the three gates passed.",
    "Four required checks are named: three of the four required checks passed.",
    "No gate failed.",
    "Whether all gates passed is told in the report.",
    "All gates must have passed before the release.",
    "Three of five checks passed.",
]
FALSE = [
    "All gates passed.",
    "All required gates were passed.",
    "All three gates were met.",
    "Two of the three gates passed.",
    "Two of the four gates passed.",
    "One gate failed.",
    "No gate is inconclusive.",
    "All checks passed.",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_the_decision_says_passes(text: str, tmp_path: Path) -> None:
    """Gates of the plan, required ones or all checks: one of them counts so."""
    assert "declaration-failed" not in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize("text", FALSE)
def test_what_the_decision_does_not_say_is_found(text: str, tmp_path: Path) -> None:
    """However it is counted, the decision has other numbers."""
    assert lint(text, tmp_path, EVIDENCE).count("declaration-failed") == 1
