"""Choices that exclude each other by their words: where it runs, how data were split, who uses it, at which hours."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, tokens
from model_cards.lint.rules.catalogue import RULES

_CHOICES: tuple[tuple[str, ...], ...] = (
    (
        r"on[- ]premises?|own servers?|own data cent(?:re|er)|local servers?",
        r"(?:in|from) (?:the |a )?(?:public |private )?cloud|cloud[- ]hosted|cloud service",
        r"on (?:the )?(?:device|phone|edge)|on[- ]device",
    ),
    (r"retrospective(?:ly)?", r"prospective(?:ly)?"),
    (r"means?|averages?", r"medians?", r"modes?|most frequent", r"zeros?"),
    (r"random(?:ly)?", r"by time|chronological(?:ly)?|temporal(?:ly)?", r"by (?:site|patient|person|customer|vehicle)"),
    (r"gr[ae]yscale|black[- ]and[- ]white|monochrome", r"colou?r|rgb"),
    (r"opt[- ]in|only if (?:you|they|he|she) agrees?", r"opt[- ]out|unless (?:you|they) object"),
    (r"overnight|nightly|in batches|batch mode", r"in real time|real[- ]time|streaming"),
    (r"supervised", r"unsupervised", r"self[- ]supervised"),
    (r"nurses?", r"physicians?|doctors?", r"pharmacists?", r"paramedics?", r"radiologists?", r"midwives|midwife"),
    (r"teachers?", r"pupils?|students?", r"parents?", r"examiners?"),
    (r"clerks?|case ?workers?", r"citizens?|applicants?", r"managers?", r"judges?", r"registrars?"),
    (r"operators?", r"technicians?", r"drivers?", r"engineers?", r"inspectors?"),
)
"""Sets of choices as patterns; the members of one exclude each other where one thing is spoken of."""
_USERS = re.compile(
    r"(?<!\w)(?:meant for|intended for|used by|users? (?:is|are)|operated by|written for|made for)(?!\w)", re.IGNORECASE
)
_USER_KEYS = frozenset(words.words("user users intended operator audience reader"))
_HOURS = re.compile(
    r"(?<![\d.:-])(?P<between>between )?(\d{1,2})(?::(\d\d))?\s*(?:h|am|pm|uhr|o.clock)?\s*"
    r"(?:-|–|to|bis|until|(?(between)and|to))\s*(\d{1,2})(?::(\d\d))?(?![\d.-])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"o.clock|(?<=\d) ?(?:am|pm|uhr)(?!\w)|\d:\d\d|(?<!\w)hours(?!\w)", re.IGNORECASE)
_HOUR_KEYS = frozenset(words.words("hours opening time times open service"))
_LAST_HOUR = 24
_EMPTY = concepts.fold(
    tuple(words.words("by on of in the for to model system data name type kind is note text")), "wider"
)
"""Concepts of keys that say nothing of what is chosen."""
LONGEST = 60
MOST_WORDS = 7
"""Characters and words of a text that holds one choice and no story."""


@dataclasses.dataclass(frozen=True)
class _Chosen:
    """A short text of the evidence that holds one member of a choice."""

    entry: Entry
    choice: int
    """Number of the choice in `_CHOICES`."""
    member: int
    """Number of the member within it."""
    names: frozenset[str]
    """Concepts of the keys that it stands under."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every choice that the evidence has otherwise under a name that the sentence has, too."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        if sentence.kind in {"prose", "cell"}:
            yield from _choices(sentence, evidence)
            yield from _hours(sentence, evidence)


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], ...], ...]:
    return tuple(tuple(re.compile(rf"(?<![\w-])(?:{p})(?![\w-])", re.IGNORECASE) for p in row) for row in _CHOICES)


@functools.lru_cache(maxsize=4)
def _chosen(evidence: Evidence) -> tuple[_Chosen, ...]:
    """All choices that the evidence tells."""
    found = []
    for entry in evidence.texts:
        text = str(entry.value).replace("_", " ")
        if entry.derived or entry.rows or len(text) > LONGEST or len(text.split()) > MOST_WORDS:
            continue
        names = concepts.fold(tuple(w for step in entry.steps[-2:] for w in words.words(step)), "wider") - _EMPTY
        for choice, row in enumerate(_patterns()):
            members = [number for number, pattern in enumerate(row) if pattern.search(text)]
            if len(members) == 1 and names:
                found.append(_Chosen(entry, choice, members[0], names))
    return tuple(found)


def _choices(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """The first choice that a sentence tells otherwise of a thing that it names as the evidence does."""
    said = concepts.fold(tokens.of(f"{sentence.row} {sentence.text}").row, "wider")
    for held in _chosen(evidence):
        of_users = bool(_USER_KEYS & set(words.words(held.entry.key))) and bool(_USERS.search(sentence.text))
        if not (of_users or held.names & said):
            continue
        patterns = enumerate(_patterns()[held.choice])
        told = [(number, match) for number, pattern in patterns if (match := pattern.search(sentence.text))]
        if len(told) != 1 or told[0][0] == held.member:
            continue
        member, match = told[0]
        if _elsewhere(held.choice, member, evidence) or not praise.asserted(sentence, match.span()):
            continue
        yield Finding(
            RULES["claim-contradicted"],
            sentence,
            "medium",
            f"“{match[0]}” is said of what the evidence has as “{held.entry.value!s:.60}”.",
            "Say what the evidence says, or add the evidence of it.",
            match.span(),
            held.entry.proof,
        )
        return


@functools.lru_cache(maxsize=1024)
def _elsewhere(choice: int, member: int, evidence: Evidence) -> bool:
    """Does the evidence have the member that is said, too, of whatever?"""
    pattern = _patterns()[choice][member]
    keys = {str(step).replace("_", " ") for e in evidence.entries for step in e.path if isinstance(step, str)}
    return any(pattern.search(str(e.value).replace("_", " ")) for e in evidence.texts) or any(map(pattern.search, keys))


def _hours(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Between 8 and 18 o'clock`, where the evidence has `hours: 8-16`."""
    match = _HOURS.search(sentence.text) if _CLOCK.search(sentence.text) else None
    if match is None or not _day(match):
        return
    of_hours = (e for e in evidence.texts if not e.derived and _HOUR_KEYS & set(words.words(e.key)))
    held = [(found, e) for e in of_hours if (found := _HOURS.search(str(e.value))) and _day(found)]
    if held and not any(_day(found) == _day(match) for found, _ in held):
        entry = held[0][1]
        yield Finding(
            RULES["number-differs"],
            sentence,
            "medium",
            f"“{match[0]}” is given as the hours; the evidence has {entry.value}.",
            "Take the hours of the evidence.",
            match.span(),
            entry.proof,
        )


def _day(match: re.Match[str]) -> tuple[int, int] | None:
    """Two hours of a day; none where the numbers are something else."""
    begin, end = int(match[2]), int(match[4])
    return (begin, end) if begin <= _LAST_HOUR and end <= _LAST_HOUR else None
