"""What an article sets beside its subject: its annex, and the section of a product."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from configs.law import articles
from model_cards.lint import lexicon
from model_cards.lint.model import Finding, Sentence
from model_cards.lint.rules import citations, tokens
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.citations import Citation

_SECTION = re.compile(
    r"(?<!\w)(?:annex\s+I,?\s+section\s+(?P<section>[AB])|section\s+(?P<before>[AB])\s+of\s+annex\s+I)(?!\w)",
    re.IGNORECASE,
)
_OF_PROCEDURE = re.compile(
    r"(?<!\w)(?:internal control|conformity assessment|procedure|notified body)(?!\w)", re.IGNORECASE
)
_NEAR = 70
"""Characters between an article and an annex that are read together."""


def check(sentence: Sentence) -> Iterator[Finding]:
    """Every annex or section that is another than the article or the product has."""
    cited = citations.find(sentence.text)
    if not cited:
        return
    yield from _annexes(sentence, cited)
    yield from _sections(sentence)


def _annexes(sentence: Sentence, cited: list[Citation]) -> Iterator[Finding]:
    """`Article 47, with the contents of Annex VI`: the annex of another article."""
    if _OF_PROCEDURE.search(sentence.text):
        return
    numbers = [c for c in cited if not c.name.startswith("Annex")]
    others = [c for c in cited if c.name.startswith("Annex")]
    if len(numbers) != 1 or len(others) != 1 or numbers[0].name not in articles.load().annex_of:
        return
    if not sentence.text[others[0].end : numbers[0].begin].strip(" ,;") and others[0].end <= numbers[0].begin:
        return  # `Annex IV(2)(f), Art. 43(4)`: two places that are cited one after the other, neither of the other's
    right = articles.load().annex_of[numbers[0].name]
    if others[0].name.rpartition(" ")[2] not in right and abs(others[0].begin - numbers[0].end) < _NEAR:
        yield _finding(
            sentence,
            (others[0].begin, others[0].end),
            f"To Article {numbers[0].name} belongs Annex {' or '.join(right)}.",
            "Correct the annex, or say what it is cited for.",
        )


def _sections(sentence: Sentence) -> Iterator[Finding]:
    match = _SECTION.search(sentence.text)
    if match is None:
        return
    table = articles.load().annex_sections
    told = {span.concept for span in tokens.of(sentence.text).spans(_products())}
    named = (match["section"] or match["before"]).upper()
    own = table[named]
    other = next((s for s, row in table.items() if s != named and told & set(row)), None)
    if other and not told & set(own):
        yield _finding(
            sentence, match.span(), f"This product is listed in Section {other} of Annex I.", f"Cite Section {other}."
        )


@functools.cache
def _products() -> lexicon.Phrases:
    return lexicon.Phrases({name: (name,) for row in articles.load().annex_sections.values() for name in row})


def _finding(sentence: Sentence, span: tuple[int, int], message: str, advice: str) -> Finding:
    return Finding(RULES["article-subject"], sentence, "high", message, advice, span)
