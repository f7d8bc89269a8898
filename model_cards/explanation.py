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
    inner = (
        ("attributions", "Features", attributions.section(book)),
        ("sets", "Prediction sets and intervals", prediction_sets.section(book)),
        ("strange", "Strange inputs", strange_inputs.section(book)),
        ("explained", "Measures of this chapter", _numbers(book)),
    )
    sections = tuple(Section(anchor, title, tuple(blocks)) for anchor, title, blocks in inner if blocks)
    return Section(FAMILY, TITLE, tuple(_said(book)), sections, short=SHORT)


def for_card(book: Book) -> Section:
    """The same in sentences, with the numbers."""
    if not book.family(FAMILY):
        return Section(FAMILY, TITLE, (Paragraph(("No such check was recorded.",)),))
    return Section(FAMILY, TITLE, (*_said(book), *_numbers(book)))


def _said(book: Book) -> list[tree.Block]:
    items = (*attributions.summary(book), *prediction_sets.summary(book), *strange_inputs.summary(book))
    return [Bullets(tuple(items))] if items else []


def _numbers(book: Book) -> list[tree.Block]:
    return [
        *performance.measures(book, FAMILY),
        *meaning.table(book, FAMILY),
        *performance.methods(book, FAMILY),
        *performance.without_value(book, FAMILY),
    ]
