"""The point of an annex that is cited, against the uses that it lists and against the point that the evidence names."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from configs.law import articles
from model_cards.lint import lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Confidence, Document, Finding, Sentence
from model_cards.lint.rules import citations, tokens
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.citations import Citation

ANNEX = "Annex III"
"""It lists the uses that make a system high-risk."""
_IS_UNDER = re.compile(
    r"(?<!\w)(?:high.risk|falls? (?:under|within)|classif\w+|listed|belongs?|covered by|in scope|within)(?!\w)",
    re.IGNORECASE,
)
_IS_NOT = re.compile(r"(?<!\w)(?:not|no|never|neither|nor|outside|kein\w*|nicht|pas)(?!\w)", re.IGNORECASE)
_DENIED = re.compile(r"(?<!\w)(?:not|no|never)(?!\w)", re.IGNORECASE)
_PURPOSE = frozenset({"purpose", "use", "intended", "description", "domain", "application", "task", "system", "title"})
"""Words of the keys under which evidence says what a system is for."""
OPENING = 12
"""Sentences at the head of a document that say what it is about."""
_POINT = re.compile(
    r"\W*(?:annex\s+iii\W+(?:point\s+)?)?(?P<number>[1-8])\s*(?:\((?P<letter>[a-e])\))?\W*", re.IGNORECASE
)
_RANGE = re.compile(r"\s*(?:to|bis|à|and|und|et|-|–)\s*(?:point\s+)?\(?[1-8]\)?", re.IGNORECASE)
"""After the first point of a range."""
Uses = Callable[[], frozenset[str]]
"""Gives the points of Annex III that list what the system is for."""


def check(sentence: Sentence, cited: Sequence[Citation], evidence: Evidence, uses: Uses) -> Iterator[Finding]:
    """Every point of an annex that is another than the sentence, the document or the evidence has; each once."""
    for citation in cited:
        if citation.paragraphs:
            found = itertools.chain(_by_use(sentence, citation, uses), _by_evidence(sentence, citation, evidence))
            yield from itertools.islice(found, 1)


def uses_of(document: Document, evidence: Evidence) -> frozenset[str]:
    """The points of Annex III that list what the system is for, by the head of its document and its evidence."""
    head = [s.text for s in document.sentences if s.kind != "code" and not citations.find(s.text)][:OPENING]
    stated = [str(e.value) for e in evidence.texts if _PURPOSE & e.word_set]
    told = {span.concept for text in (*head, *stated) for span in tokens.of(text).spans(_phrases(ANNEX))}
    return frozenset(name for name, said in articles.load().annex_points[ANNEX].items() if told & set(said))


@functools.cache
def _phrases(annex: str) -> lexicon.Phrases:
    return lexicon.Phrases({word: (word,) for said in articles.load().annex_points[annex].values() for word in said})


def _by_use(sentence: Sentence, citation: Citation, uses: Uses) -> Iterator[Finding]:
    """`Pricing of life insurance is in Annex III, point 5(b)`: the point lists another use."""
    points = articles.load().annex_points.get(citation.name, {})
    if citation.paragraphs.partition(".")[0] not in points:
        return
    told = list(tokens.of(sentence.text).spans(_phrases(citation.name)))
    right = frozenset(name for span in told for name, said in points.items() if span.concept in said)
    of_the_system = not told and citation.name == ANNEX and _says_it_is_under(sentence.text)
    right = uses() if of_the_system else right
    if right and not _within(citation.paragraphs, right):
        first = sorted(right, key=len)[-1]
        use = "what the system is for" if of_the_system else f"“{told[0].concept}”"
        yield _finding(
            sentence,
            citation,
            "medium" if of_the_system else "high",
            f"{_shown(citation.name, citation.paragraphs)} lists another use than {use}.",
            f"Cite {_shown(citation.name, first)}, or say what the point is cited for.",
        )


def _by_evidence(sentence: Sentence, citation: Citation, evidence: Evidence) -> Iterator[Finding]:
    """The point that the evidence names for the system is another."""
    # The documents of a run cite other points for other uses.
    if evidence.rich or sentence.kind != "prose" or citation.name != ANNEX:
        return
    if _RANGE.match(sentence.text, citation.end) or _DENIED.search(sentence.text):
        return  # `Annex III(2) to (8)` speaks of many points, that of the evidence among them or not
    held = _recorded(evidence)
    if held is not None and not _within(citation.paragraphs.lower(), frozenset({held[1]})):
        message = f"The evidence has Annex III, point {held[0].value}."
        yield _finding(sentence, citation, "high", message, "Cite the point of the evidence, or correct it.")


@functools.lru_cache(maxsize=4)
def _recorded(evidence: Evidence) -> tuple[Entry, str] | None:
    """The first value that names a point of Annex III, with the point: `5.b`."""
    for entry in evidence.texts:
        if {"annex", "iii"} <= set(words.words(entry.key)) and (held := _POINT.fullmatch(str(entry.value))):
            return entry, ".".join(part.lower() for part in held.groups() if part)
    return None


def _says_it_is_under(text: str) -> bool:
    return bool(_IS_UNDER.search(text)) and not _IS_NOT.search(text)


def _within(cited: str, right: frozenset[str]) -> bool:
    """Is one of the points the cited one, or a part of it? A letter that lists the use goes before its whole point."""
    letters = {name for name in right if "." in name}
    return any(
        cited == name or name.startswith(f"{cited}.") or cited.startswith(f"{name}.") for name in letters or right
    )


def _shown(annex: str, point: str) -> str:
    """`Annex III(5)(b)`."""
    return f"{annex}({point.replace('.', ')(')})"


def _finding(sentence: Sentence, citation: Citation, confidence: Confidence, message: str, advice: str) -> Finding:
    span = (citation.begin, citation.end)
    return Finding(RULES["article-subject"], sentence, confidence, message, advice, span)
