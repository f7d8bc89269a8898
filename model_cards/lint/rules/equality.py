"""What is said to be the same for all groups, against the values of the groups in the evidence."""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying, tokens
from model_cards.lint.rules.catalogue import RULES

_EQUAL = re.compile(
    r"(?<!\w)(?:equally|alike|just as|(?:as|no less|no more) \w+ (?:as|than) (?:those|the others?|others?|all "
    r"others?|for)|"
    r"the (?:very )?same(?= (?:for|in|across|with|among|on|at|everywhere)(?!\w))|no differen(?:t|ce|tly)|"
    r"identical(?:ly)?|"
    r"(?:does|do|did) not (?:matter|depend on|differ|vary)|regardless of|irrespective of|independent(?:ly)? of|"
    r"whatever the|on a par|evenly|consistent(?:ly)? across|makes? no difference)(?!\w)",
    re.IGNORECASE,
)
_UNEQUAL = re.compile(
    r"(?<!\w)(?:not (?:equally|alike|just as|the same|identical|on a par)|worse|weaker|lower|higher|except|apart "
    r"from|nearly|"
    r"almost|about|roughly|similar\w*)(?!\w)|\d",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"(?<!\w)(?:quality|performance|works?|served|results?|errors?|accura\w+|figures|recogni\w+|good|well|right|"
    r"reliabl\w+)(?!\w)",
    re.IGNORECASE,
)
_GENERAL = concepts.fold(
    tuple(words.words("group subgroup category class segment cohort name value attribute")), "wider"
)
_NO_EFFECT = re.compile(
    r"(?<!\w)(?:makes? no difference|(?:does|do|did) not (?:matter|depend on)|regardless of|irrespective of|"
    r"whatever the)(?!\w)",
    re.I,
)
"""Phrases that deny that the groups matter, whatever is measured."""
_NO_MEASURE = concepts.fold(tuple(words.words("n count number rate share value total")))
"""Concepts of columns that measure nothing by themselves."""
_SMALL = concepts.fold(tuple(words.words("no not other and over under the of")), "wider")
"""Concepts that tell no group from another."""
FEWEST, MOST = 2, 60
"""Rows of a table of groups."""
WIDEST = 0.15
"""Relative difference of the largest and the smallest, from which nobody calls them the same."""
APART = 0.03
"""Difference of two shares, likewise."""


@dataclasses.dataclass(frozen=True)
class _Groups:
    """The values of one measure by group."""

    attribute: frozenset[str]
    """Concepts of what the groups are told apart by."""
    leaf: frozenset[str]
    values: tuple[tuple[frozenset[str], float, Entry], ...]
    """Concepts of each group, its value."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that says of groups that they fare the same, where their values lie apart."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        match = _EQUAL.search(sentence.text) if sentence.kind == "prose" else None
        if match is None or _UNEQUAL.search(sentence.text) or not saying.unconditional(sentence):
            continue
        if apart := _apart(sentence, evidence):
            low, high = apart
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "medium",
                f"Said to be the same; the evidence has {low.value} and {high.value}.",
                "Give the values of the groups instead.",
                (0, len(sentence.text)),
                low.proof,
            )


def borne_out(sentence: Sentence, evidence: Evidence) -> bool:
    """Does the evidence have values of the groups that a sentence names, which lie close together?"""
    said = _said(sentence)
    for groups in _groups(evidence):
        told = sorted(value for names, value, _ in groups.values if names & said)
        key = {concepts.root(word) for word in words.words(groups.values[0][2].key)} - _NO_MEASURE
        if (groups.leaf | key) & said and len(told) > 1 and not _wide(told[0], told[-1]):
            return True
    return False


def _wide(low: float, high: float) -> bool:
    """Do two values lie so far apart that nobody calls them the same?"""
    shares = 0 <= low <= high <= 1
    return high - low > WIDEST * abs(high) or (shares and high - low > APART)


def _apart(sentence: Sentence, evidence: Evidence) -> tuple[Entry, Entry] | None:
    """The lowest and the highest value of the groups that a sentence calls equal, where they lie apart."""
    said, no_effect = _said(sentence), bool(_NO_EFFECT.search(sentence.text))
    held = [g for g in _groups(evidence) if _speaks_of(g, said, 1 if no_effect else 2)]
    named = [g for g in held if g.leaf & said]
    for groups in named or (held if no_effect or _QUALITY.search(sentence.text) else []):
        told = [v for v in groups.values if v[0] & said] if not groups.attribute & said else []
        if len(told) == 1 and no_effect:
            told = [*told, max(groups.values, key=lambda v: abs(v[1] - told[0][1]))]
        values = sorted(told if len(told) > 1 else groups.values, key=lambda v: v[1])
        low, high = values[0], values[-1]
        if _wide(low[1], high[1]) and (named or groups.leaf & lexicon.load().measures.keys()):
            return low[2], high[2]
    return None


def _said(sentence: Sentence) -> frozenset[str]:
    """The concepts of a sentence, wider ones too."""
    row = tokens.of(sentence.text).row
    return concepts.fold(row, "wider") | concepts.fold(row)


def _speaks_of(groups: _Groups, said: frozenset[str], least: int) -> bool:
    """Does a sentence name what the groups are told apart by, or enough of them?"""
    return bool(groups.attribute & said) or sum(bool(names & said) for names, _, _ in groups.values) >= least


@functools.lru_cache(maxsize=4)
def _groups(evidence: Evidence) -> tuple[_Groups, ...]:
    """Columns of numbers of tables whose rows have names."""
    columns: dict[tuple[str, tuple[str | int, ...], str], list[Entry]] = collections.defaultdict(list)
    texts: dict[tuple[str, tuple[str | int, ...]], list[Entry]] = collections.defaultdict(list)
    for e in evidence.entries:
        if e.derived or len(e.path) < 2 or not isinstance(e.path[-2], int) or not isinstance(e.path[-1], str):
            continue
        if isinstance(e.value, str):
            texts[e.file, e.path[:-1]].append(e)
        elif isinstance(e.value, float | int) and not isinstance(e.value, bool):
            columns[e.file, e.path[:-2], e.path[-1]].append(e)
    found = []
    for (_, _, leaf), entries in columns.items():
        if not FEWEST <= len(entries) <= MOST:
            continue
        rows = [(texts[e.file, e.path[:-1]], e) for e in entries]
        if any(not own for own, _ in rows):
            continue
        attribute = concepts.fold(tuple(words.words(rows[0][0][0].key)), "wider") - _GENERAL
        values = tuple((_names(own), float(e.value or 0), e) for own, e in rows)
        measures = concepts.fold(tuple(words.words(leaf))) | rows[0][1].measures
        found.append(_Groups(attribute, measures - _NO_MEASURE, values))
    return tuple(found)


def _names(texts: list[Entry]) -> frozenset[str]:
    """The concepts of the texts of a row."""
    row = tuple(w for e in texts for w in words.words(str(e.value)))
    return (concepts.fold(row, "wider") | concepts.fold(row)) - _SMALL
