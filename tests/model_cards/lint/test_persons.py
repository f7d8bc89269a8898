"""Persons, places and outside bodies, periods in cells, and what nobody counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "provider": {"name": "Hissi Components Oy", "city": "Tampere", "country": "Finland"},
    "site_acceptance": {"date": "2025-09-18", "signed_by": "J. Novak"},
    "release": {"by": "Dr. Mohn", "role": "director"},
    "metrics": {
        "detection_rate": {"trigger": 0.9, "check": "quarterly"},
        "false_alarms": {"trigger": 0.2, "check": "weekly"},
    },
}
FIRES = [
    "The acceptance was signed by M. Dvorak.",
    "Dr. Hohn released the system.",
    "Provider: Hissi Components Oy, Turku, Finland.",
    "A notified body has examined the system.",
    "The model was reviewed by the supervisory authority.",
    "More than 4,000 growers use it.",
    "| Metric | Check |\n|---|---|\n| Detection rate | monthly |\n| False alarms | weekly |",
]
PASSES = [
    "The acceptance was signed by J. Novak.",
    "Dr. Mohn released the system.",
    "Provider: Hissi Components Oy, Tampere, Finland.",
    "No notified body has examined the system.",
    "| Metric | Check |\n|---|---|\n| Detection rate | quarterly |\n| False alarms | weekly |",
]


@pytest.mark.parametrize("text", FIRES)
def test_who_and_how_often_is_held_to_the_evidence(text: str, tmp_path: Path) -> None:
    """Another person, a name with a letter otherwise, another city, a body of which nothing is said, another period."""
    assert lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize("text", PASSES)
def test_who_the_evidence_has_passes(text: str, tmp_path: Path) -> None:
    """The same with the names of the evidence, and a body that is said to have done nothing."""
    assert lint(text, tmp_path, EVIDENCE) == []
