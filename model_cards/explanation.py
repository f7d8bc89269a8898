"""The chapter on what the outputs rest on and where they hold (AI Act Art. 13), for the report and the card."""

from __future__ import annotations

from model_cards import attributions, meaning, performance, prediction_sets, strange_inputs, tree
from model_cards.refs import Book
from model_cards.tree import Bullets, Paragraph, Section

FAMILY = "explanation"
TITLE, SHORT = "What the outputs rest on, and where they hold", "Explanation"


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    if not book.family(FAMILY):
        return Section(FAMILY, TITLE, (Paragraph(("No such check was recorded.",)),), short=SHORT)
    parts_ = (
        ("attributions", "Features", attributions.section(book)),
        ("sets", "Prediction sets and intervals", prediction_sets.section(book)),
        ("strange", "Strange inputs", strange_inputs.section(book)),
    )
    inner = tuple(Section(anchor, title, tuple(blocks)) for anchor, title, blocks in parts_ if blocks)
    return Section(FAMILY, TITLE, tuple(_numbers(book)), inner, short=SHORT)


def for_card(book: Book) -> Section:
    """The same in sentences, with the numbers."""
    if not book.family(FAMILY):
        return Section(FAMILY, TITLE, (Paragraph(("No such check was recorded.",)),))
    items = (*attributions.summary(book), *prediction_sets.summary(book), *strange_inputs.summary(book))
    said: list[tree.Block] = [Bullets(tuple(items))] if items else []
    return Section(FAMILY, TITLE, (*said, *_numbers(book)))


def _numbers(book: Book) -> list[tree.Block]:
    return [
        *performance.measures(book, FAMILY),
        *meaning.table(book, FAMILY),
        *performance.methods(book, FAMILY),
        *performance.without_value(book, FAMILY),
    ]
