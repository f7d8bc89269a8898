"""Cells of a table against the cell of the evidence that row and column name together.

What stands somewhere in the evidence carries a number; here the very value is known: that of this group and measure.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Iterator

from model_cards.lint import concepts, linking, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.linking import Source
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import frequencies, tokens
from model_cards.lint.rules.catalogue import RULES

_SAID_OF_ALL = concepts.fold(tuple(words.words("value result share rate number count n of in the per total")))
_COUNTS = frozenset(words.words("n count number support total"))
LONGEST_LABEL = 60
MOST_LABELS = 4
SURE = 3
"""Of two names, one has to be the same, and the other the same but for a word."""


@dataclasses.dataclass(frozen=True)
class _Held:
    """A number of the evidence with the names of its row and of its column."""

    source: Source
    labels: tuple[frozenset[str], ...]
    leaf: frozenset[str]


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every cell whose row and column name a value of the evidence, and which has another."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        if sentence.kind != "cell" or not sentence.row or not sentence.column or sentence.row == sentence.text:
            continue
        yield from _period(sentence, evidence)
        found = mentions.find(sentence)
        if len(found) != 1 or found[0].hedge != "exact":
            continue
        meant = _meant(sentence, evidence)
        percent = "%" in f"{sentence.row} {sentence.column} {sentence.caption}"
        counts = _counts(sentence, evidence) if found[0].whole else []
        if meant and not any(
            linking.stands_for(found[0], m.source, percent=percent)
            for m in (*meant, *counts, *_named_in_full(sentence, evidence))
        ):
            value = meant[0].source
            yield Finding(
                RULES["number-differs"],
                sentence,
                "high",
                f"The evidence has {value.value:.7g} for “{sentence.row}”, “{sentence.column}”.",
                "Take the value of the evidence, or add the evidence of this one.",
                (found[0].begin, found[0].end),
                value.entry.proof,
            )


def _period(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`monthly` in a cell, where row and column name what the evidence does every quarter."""
    said = [days for _, _, days in frequencies.stated(sentence.text)]
    row, column = _names(sentence.row), _names(sentence.column)
    for entry, label, leaf in _periods(evidence) if len(said) == 1 and row and column else ():
        held = [days for _, _, days in frequencies.stated(str(entry.value))]
        if _both(_alike(row, label), _alike(column, leaf)) < SURE or frequencies.same(said[0], held[0]):
            continue
        yield Finding(
            RULES["number-differs"],
            sentence,
            "high",
            f"The evidence has {entry.value} for “{sentence.row}”, “{sentence.column}”.",
            "Take the period of the evidence.",
            (0, len(sentence.text)),
            entry.proof,
        )


@functools.lru_cache(maxsize=4)
def _periods(evidence: Evidence) -> tuple[tuple[Entry, frozenset[str], frozenset[str]], ...]:
    """Texts that state a period, with the names of their row and of their key."""
    found = []
    for e in evidence.texts:
        if (
            e.derived
            or len(e.path) < 2
            or len(str(e.value)) > LONGEST_LABEL
            or not list(frequencies.stated(str(e.value)))
        ):
            continue
        label = _telling(concepts.fold(tuple(words.words(str(e.path[-2])))))
        found.append((e, label, _telling(concepts.fold(tuple(words.words(e.key))))))
    return tuple(found)


def _meant(sentence: Sentence, evidence: Evidence) -> list[_Held]:
    row, column = _names(sentence.row), _names(sentence.column)
    if not row or not column:
        return []
    scored = collections.defaultdict(list)
    for held in (h for h in _held(evidence) if h.leaf):
        label = max((_alike(row, own) for own in held.labels), default=0)
        turned = max((_alike(column, own) for own in held.labels), default=0)
        score = max(_both(label, _alike(column, held.leaf)), _both(turned, _alike(row, held.leaf)))
        if score >= SURE:
            scored[score].append(held)
    return scored[max(scored)] if scored else []


def _counts(sentence: Sentence, evidence: Evidence) -> list[_Held]:
    """Mere counts of the row, which any noun may head."""
    row = _names(sentence.row)
    return [held for held in _held(evidence) if not held.leaf and any(_alike(row, own) > 1 for own in held.labels)]


def _named_in_full(sentence: Sentence, evidence: Evidence) -> list[_Held]:
    """Values whose own key names row and column together: `test_sessions`."""
    both = _names(sentence.row) | _names(sentence.column)
    return [held for held in _held(evidence) if held.leaf == both]


def _both(one: int, other: int) -> int:
    return one + other if one and other else 0


def _alike(one: frozenset[str], other: frozenset[str]) -> int:
    """2 where two names are the same, 1 where one has a word more, else 0."""
    if one == other:
        return 2 if one else 0
    return int(bool(one and other) and (one < other or other < one) and len(one ^ other) == 1)


@functools.lru_cache(maxsize=4096)
def _names(text: str) -> frozenset[str]:
    return _telling(concepts.fold(tokens.of(text).row))


def _telling(names: frozenset[str]) -> frozenset[str]:
    return names - _SAID_OF_ALL


@functools.lru_cache(maxsize=4)
def _held(evidence: Evidence) -> tuple[_Held, ...]:
    texts: dict[tuple[str, tuple[str | int, ...]], list[Entry]] = collections.defaultdict(list)
    for e in evidence.texts:
        if not e.derived and e.path and len(str(e.value)) <= LONGEST_LABEL:
            texts[e.file, e.path[:-1]].append(e)
    found = []
    for entry in evidence.numbers:
        if entry.derived or len(entry.path) < 2 or not isinstance(entry.path[-1], str):
            continue
        leaf = _telling(concepts.fold(tuple(words.words(entry.called or entry.key))))
        beside = [str(e.value) for e in texts[entry.file, entry.path[:-1]] if str(e.value) != entry.called]
        above = entry.path[-2]
        names = [*beside[:MOST_LABELS], *([above] if isinstance(above, str) else [])]
        labels = tuple(filter(None, (_telling(concepts.fold(tuple(words.words(name)))) for name in names)))
        if labels and (leaf or set(words.words(entry.key)) & _COUNTS):
            found.append(_Held(linking.source_of(entry), labels, leaf))
    return tuple(found)
