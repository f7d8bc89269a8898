"""Assurances that no evidence speaks of at all, by the topics that one gives them on."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, facts, words
from model_cards.lint.evidence import Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, tokens
from model_cards.lint.rules.catalogue import RULES

TOPICS = facts.ASSURING - {"log", "explain", "override", "appeal", "uncertainty", "validate", "audit"} | {
    "drift",
    "security",
    "usability",
    "robust",
    "bias",
    "mfa",
    "codesign",
}
"""Concepts on which a document gives assurances; those that are said of much else are left to the table of claims."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that assures something on a topic that the evidence does not have."""
    if evidence.rich:
        return
    held = _held(evidence)
    good = [f.names for f in facts.of(evidence) if f.kind == "holds" and facts.affirmed(f.entry) and f.names]
    for sentence in document.sentences:
        if sentence.kind != "prose" or len(sentence.text) < facts.SHORTEST or not praise.states(sentence.text):
            continue
        if _LAW.search(sentence.text):
            continue  # what an article is about is no assurance
        row = tokens.of(sentence.text)
        said = concepts.fold(row.row, "wider")
        if any(2 * len(names & said) >= len(names) and names & said for names in good):
            continue  # of what the evidence says that it passed
        for name, first, last in concepts.spans(row.row, "wider"):
            if name not in TOPICS or name in held:
                continue
            span = (row.at[first][0], row.at[last - 1][1])
            if praise.asserted(sentence, span) and _assures(sentence, span):
                yield Finding(
                    RULES["claim-unsupported"],
                    sentence,
                    "medium",
                    f"The sentence gives an assurance on “{sentence.text[span[0] : span[1]]}”; no evidence speaks of "
                    f"it.",
                    "Add the evidence of it, or take it out.",
                    span,
                )
                break


_LAW = re.compile(r"(?<!\w)(?:art(?:icle)?s?\.?|annex) (?:\d|[IVX])", re.IGNORECASE)
_BEFORE = re.compile(r"(?<!\w)(?:is|are|was|were|been|gets?|got)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


def _assures(sentence: Sentence, span: tuple[int, int]) -> bool:
    """Was it done, or is it good, or there; or is the word itself what was done?"""
    itself = sentence.text[span[0] : span[1]].lower().endswith(("ed", "n")) and bool(
        _BEFORE.search(sentence.text[: span[0]])
    )
    return itself or praise.done(sentence) or praise.good(sentence) or praise.has(sentence)


@functools.lru_cache(maxsize=4)
def _held(evidence: Evidence) -> frozenset[str]:
    """All concepts of the evidence: of its keys, names and texts."""
    found: set[str] = set()
    for entry in evidence.entries:
        found |= concepts.fold(tuple(words.words(entry.key)), "wider")
        for step in entry.steps:
            found |= concepts.fold(tuple(words.words(step)), "wider")
        if isinstance(entry.value, str) and len(entry.value) < 1_000:
            found |= concepts.fold(tuple(words.words(entry.value)), "wider")
    return frozenset(found)
