"""Choices that exclude each other by their words: where it runs, how data were split, who uses it, at which hours."""

from __future__ import annotations

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
LONGEST = 60
MOST_WORDS = 7


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
def _held(evidence: Evidence) -> tuple[tuple[Entry, int, int, frozenset[str]], ...]:
    """Short texts that hold one member of a choice: which choice, which member, the concepts of their keys."""
    found = []
    for entry in evidence.texts:
        text = str(entry.value).replace("_", " ")
        if entry.derived or entry.rows or len(text) > LONGEST or len(text.split()) > MOST_WORDS:
            continue
        names = concepts.fold(tuple(w for step in entry.steps[-2:] for w in words.words(step)), "wider") - _EMPTY
        for choice, row in enumerate(_patterns()):
            members = [number for number, pattern in enumerate(row) if pattern.search(text)]
            if len(members) == 1 and names:
                found.append((entry, choice, members[0], names))
    return tuple(found)


_EMPTY = concepts.fold(
    tuple(words.words("by on of in the for to model system data name type kind is note text")), "wider"
)


def _choices(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    said = concepts.fold(tokens.of(f"{sentence.row} {sentence.text}").row, "wider")
    for entry, choice, member, names in _held(evidence):
        users = bool(_USER_KEYS & set(words.words(entry.key))) and bool(_USERS.search(sentence.text))
        if not (users or names & said):
            continue
        matches = [(n, m) for n, p in enumerate(_patterns()[choice]) if (m := p.search(sentence.text))]
        if len(matches) != 1 or matches[0][0] == member:
            continue
        span = matches[0][1].span()
        if _elsewhere(choice, matches[0][0], evidence) or not praise.asserted(sentence, span):
            continue
        yield Finding(
            RULES["claim-contradicted"],
            sentence,
            "medium",
            f"“{matches[0][1][0]}” is said of what the evidence has as “{entry.value!s:.60}”.",
            "Say what the evidence says, or add the evidence of it.",
            span,
            entry.proof,
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
    return (begin, end) if begin <= _LAST and end <= _LAST else None


_LAST = 24
