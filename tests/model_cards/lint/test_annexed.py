"""Periods, annexes and sections that an article sets, and subjects that stand before their citation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

FIRES = [
    ("Serious incidents are reported within 30 days, as Article 73 demands.", "article-subject"),
    (
        "A disruption of critical infrastructure is reported within 15 days in accordance with Article 73.",
        "article-subject",
    ),
    ("This is longer than the three months that Article 19 prescribes.", "article-subject"),
    ("Draft under Article 47 of the AI Act, with the contents of Annex VI.", "article-subject"),
    ("The procedure of internal control pursuant to Annex VII is applied.", "article-subject"),
    ("Lifts stand in Annex I, Section B, of the AI Act.", "article-subject"),
    ("# Post-market monitoring\n\nIt implements the plan of Article 61.", "article-proposal"),
    ("It is a high-risk system. The obligations for such systems apply from 2 August 2026.", "article-outdated"),
    ("The system falls under Annex III, point 5(b).", "article-subject"),
]
PASSES = [
    "Serious incidents are reported within 15 days, as Article 73 demands.",
    "A disruption of critical infrastructure is reported within two days in accordance with Article 73.",
    "Entries are deleted after nine months; Article 19 asks for at least six.",
    "Declared under Article 47 of the AI Act, with the contents of Annex V.",
    "The procedure of internal control pursuant to Annex VI is applied.",
    "Lifts stand in Annex I, Section A, of the AI Act.",
    "# Post-market monitoring\n\nIt implements the plan of Article 72.",
    "The system falls under Annex III, point 5(d), and not under point 5(b).",
    "Annex III(2) to (8): internal control by Annex VI.",
    "The earlier version declares no change [Annex IV(2)(f), Art. 43(4)].",
]


@pytest.mark.parametrize(("text", "rule"), FIRES)
def test_what_the_article_sets_otherwise_is_reported(text: str, rule: str, tmp_path: Path) -> None:
    """Another period, annex or section, a number of the proposal under its heading, a date said of what came before."""
    assert rule in lint(text, tmp_path, {"annex_iii_point": "5(d)"})


@pytest.mark.parametrize("text", PASSES)
def test_what_the_article_sets_passes(text: str, tmp_path: Path) -> None:
    """The periods, annexes and sections as they stand in the law."""
    assert not [rule for rule in lint(text, tmp_path, {"annex_iii_point": "5(d)"}) if rule.startswith("article")]
