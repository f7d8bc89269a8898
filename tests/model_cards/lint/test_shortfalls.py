"""Two values of the evidence that say together what neither says alone, and the sentences that they contradict."""

from __future__ import annotations

from typing import Any

import pytest

from model_cards.lint import facts, shortfalls
from model_cards.lint.evidence import Evidence, entries_of
from model_cards.lint.model import Place, Sentence
from model_cards.lint.rules import stated


def held(content: Any) -> Evidence:
    return Evidence(entries_of("evidence.json", content))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"training": {"operators_trained": 7, "operators_total": 12}}, "partly"),
        ({"pen_test": {"high": 1, "high_fixed": 0}}, "partly"),
        ({"drift": {"psi": 0.131, "psi_limit": 0.1}}, "failed"),
        ({"usability": {"participants": 14, "sus_score": 71.5, "target": 75}}, "failed"),
        ({"fair": {"age_ratio": 1.19, "age_tolerance": [0.9, 1.1]}}, "failed"),
        ({"psi": {"q1": 0.04, "q2": 0.13}, "psi_limit": 0.1}, "failed"),
        ([{"check": "recall at least 0.80", "measured": 0.743}], "failed"),
        ([{"hazard": "Fire", "verified": "yes"}, {"hazard": "Flood", "verified": "no"}], "partly"),
        ({"contraindicated": ["intensive care"]}, "undone"),
    ],
)
def test_what_two_values_say_together(content: Any, kind: str) -> None:
    """A part of a whole, a limit that is not kept, a column with rows that are not done, a list of what is left out."""
    assert kind in {s.kind for s in shortfalls.of(held(content))}


@pytest.mark.parametrize(
    "content",
    [
        {"training": {"operators_trained": 12, "operators_total": 12}},
        {"drift": {"psi": 0.08, "psi_limit": 0.1}},
        {"test": {"recall": 0.84, "recall_target": 0.8}},
        {"fair": {"age_ratio": 1.04, "age_tolerance": [0.9, 1.1]}},
        [{"check": "latency at most 30 ms", "measured": 23.8}],
        [{"hazard": "Fire", "verified": "yes"}, {"hazard": "Flood", "verified": "yes"}],
    ],
)
def test_what_is_kept_is_no_shortfall(content: Any) -> None:
    """A limit that is kept and a whole that is reached say nothing."""
    assert not list(shortfalls.of(held(content)))


TRAINED = {"training": {"operators_trained": 7, "operators_total": 12}}
USABILITY = {"usability": {"participants": 14, "sus_score": 71.5, "target": 75}}
REQUIREMENT = {"requirements": [{"id": "REQ-7", "status": "failed"}]}


def said(content: Any, text: str) -> bool:
    return any(stated.said_otherwise(Sentence(text, Place("d.md")), facts.of(held(content))))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (TRAINED, "All operators have been trained."),
        ({"register": {"open_risks": 4}}, "No risk is left open."),
        (USABILITY, "The usability target was reached."),
        ({"names_removed": True}, "The texts contain the names of persons."),
        (REQUIREMENT, "REQ-7 is fulfilled."),
    ],
)
def test_what_is_said_of_all_or_of_a_limit_is_contradicted(content: Any, text: str) -> None:
    """`All`, `none is left`, `the target was reached`, the opposite of what holds, a criterion by its number."""
    assert said(content, text)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (TRAINED, "Seven operators have been trained."),
        ({"register": {"open_risks": 4}}, "Four risks are open."),
        (USABILITY, "The usability target was missed."),
        ({"names_removed": True}, "Names were removed from the texts."),
        ({"market_plan": "drafted"}, "A market plan has been drafted."),
        (REQUIREMENT, "REQ-7 was missed."),
    ],
)
def test_what_is_said_as_it_is_passes(content: Any, text: str) -> None:
    """A part is said as a part, a miss as a miss, a draft as a draft."""
    assert not said(content, text)
