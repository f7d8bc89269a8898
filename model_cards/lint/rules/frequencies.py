"""How often something is done, against how often the evidence says that it is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import saying, tokens
from model_cards.lint.rules.catalogue import RULES

_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}
_ADVERBS = {
    "hourly": 1 / 24,
    "daily": 1.0,
    "nightly": 1.0,
    "weekly": 7.0,
    "fortnightly": 14.0,
    "biweekly": 14.0,
    "monthly": 30.4375,
    "quarterly": 91.3125,
    "yearly": 365.25,
    "annually": 365.25,
    "annual": 365.25,
}
_UNITS = "|".join(_DAYS)
_COUNTS = "|".join(mentions.SPELLED)
_EVERY = re.compile(
    rf"(?<!\w)(?:(?P<adverb>{'|'.join(_ADVERBS)})|(?P<times>once|twice|(?:\d{{1,2}}|{_COUNTS}) times) (?:a|"
    rf"an|per|every|each) "
    rf"(?P<per>{_UNITS})|"
    rf"(?:(?:once|one time)\s+)?(?:every|each|an?|per)\s+(?:(?P<count>\d{{1,3}}|{_COUNTS}|second|other)\s+)?"
    rf"(?P<unit>{_UNITS})s?)(?!\w)",
    re.IGNORECASE,
)
_ONCE = re.compile(r"(?<!\w)(?:every|each|once|one time)(?!\w)", re.IGNORECASE)
_KEY = re.compile(
    rf"(?:interval|every|frequency|period|cycle|update|cadence|refresh|renewal)\w*?_?(?P<unit>{_UNITS}|h|d)s?$",
    re.IGNORECASE,
)
_SHORT = {"h": "hour", "d": "day"}
SAME = 0.04
"""Relative difference up to which two periods are one: 12 months and a year."""
_EMPTY = concepts.fold(
    tuple(
        words.words(
            "interval every frequency period cycle the a is are of in and to by at data model system h d day "
            "week month "
            "year quarter hour who when owner checked"
        )
    ),
    "wider",
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every `weekly` and `every three months` where the evidence names the same thing with another period."""
    if evidence.rich or not (held := recorded(evidence)):
        return
    for sentence in document.sentences:
        if sentence.kind != "prose":
            continue
        names = concepts.fold(tokens.of(sentence.text).row, "wider") - _EMPTY
        names |= {"train"} if "retrain" in names else frozenset()
        for begin, end, days in stated(sentence.text):
            known = [(entry, period) for entry, own, period in held if own & names]
            if not known or any(same(days, period) for _, period in known):
                continue
            if saying.asserted(sentence, begin, end):
                yield _finding(sentence, begin, end, known[0][0])


def stated(text: str) -> Iterator[tuple[int, int, float]]:
    """Periods that a text states: from, to, days."""
    for match in _EVERY.finditer(text):
        if match["adverb"]:
            yield *match.span(), _ADVERBS[match["adverb"].lower()]
            continue
        if match["times"]:
            often = {"once": 1.0, "twice": 2.0}.get(match["times"].lower()) or _number(match["times"].split()[0])
            yield *match.span(), _DAYS[match["per"].lower()] / often
            continue
        if not _ONCE.search(match[0]):
            continue  # `11 hours a week` is no period
        count = (match["count"] or "1").lower()
        number = 2.0 if count in {"second", "other"} else _number(count)
        yield *match.span(), number * _DAYS[match["unit"].lower()]


def _number(text: str) -> float:
    return float(mentions.SPELLED.get(text.lower()) or text)


@functools.lru_cache(maxsize=4)
def recorded(evidence: Evidence) -> tuple[tuple[Entry, frozenset[str], float], ...]:
    """Periods that the evidence holds, with the concepts of what has them."""
    found = []
    for entry in evidence.entries:
        if entry.derived or not entry.path:
            continue
        days: float | None = None
        if isinstance(entry.value, str) and len(entry.value) < 40:
            days = next((period for _, _, period in stated(entry.value)), None)
        elif isinstance(entry.value, int | float) and not isinstance(entry.value, bool) and entry.value > 0:
            match = _KEY.search(entry.key)
            days = (
                float(entry.value) * _DAYS[_SHORT.get(match["unit"].lower(), match["unit"].lower())] if match else None
            )
        elif entry.value is True and (adverb := _ADVERBS.keys() & set(words.words(entry.key))):
            days = _ADVERBS[next(iter(adverb))]  # `trained_weekly: true`
        if days:
            names = concepts.fold((*entry.named, *words.words(entry.key)), "wider") - _EMPTY
            found.append((entry, names, days))
    return tuple(found)


def same(one: float, other: float) -> bool:
    """Are two periods one, such as 12 months and a year?"""
    return abs(one - other) <= SAME * max(one, other)


def _finding(sentence: Sentence, begin: int, end: int, entry: Entry) -> Finding:
    return Finding(
        RULES["number-differs"],
        sentence,
        "medium",
        f"“{sentence.text[begin:end]}” is said of what the evidence does otherwise: {entry.value!s:.40}.",
        "Take the period of the evidence, or add the evidence of this one.",
        (begin, end),
        entry.proof,
    )
