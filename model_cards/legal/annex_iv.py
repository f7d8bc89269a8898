"""The technical documentation of Annex IV: a first page that answers what a compliance officer asks, then every point.

Ref: AI Act Art. 11 and Annex IV.
"""

from __future__ import annotations

from model_cards.legal import annex_iv_points, brief, frame, parts
from model_cards.refs import Book, Node
from model_cards.tree import Block, Document, Paragraph, Section

TITLE = "technical documentation under Annex IV"
CHAPTERS = (
    ("AIV-1", "Annex IV(1)", "General description"),
    ("AIV-2", "Annex IV(2)", "Elements and development"),
    ("AIV-3", "Annex IV(3)", "Monitoring, functioning and control"),
    ("AIV-4", "Annex IV(4)", "Why the metrics fit"),
    ("AIV-5", "Annex IV(5)", "Risk management"),
    ("AIV-6", "Annex IV(6)", "Changes over the life cycle"),
    ("AIV-7", "Annex IV(7)", "Standards applied"),
    ("AIV-8", "Annex IV(8)", "EU declaration of conformity"),
    ("AIV-9", "Annex IV(9)", "Monitoring after placing on the market"),
)
"""Beginning of the identifiers in the register, heading, and what it is about."""


def build(book: Book) -> Document:
    """The whole document."""
    chapters = tuple(_chapter(book, *chapter) for chapter in CHAPTERS)
    return frame.document(book, TITLE, (brief.section(book, chapters), *chapters))


def _chapter(book: Book, start: str, place: str, subject: str) -> Section:
    """A number of the annex: its letters as sections of their own, or its one point."""
    found = parts.points(book, start)
    inner = tuple(
        Section(str(p.value["id"]), str(p.value["place"]), _blocks(book, p)) for p in found if p.value["id"] != start
    )
    own = [p for p in found if p.value["id"] == start]
    lead = Paragraph((subject,), "lead")
    blocks = [lead, *(block for p in own for block in _blocks(book, p))]
    beside = annex_iv_points.sections(book, start)
    return Section(start, place, tuple(blocks), (*inner, *beside), short=f"{place} {subject}")


def _blocks(book: Book, point: Node) -> tuple[Block, ...]:
    """What is asked for, what the evidence says, what persons stated, and where more stands."""
    evidence = annex_iv_points.POINTS.get(str(point.value["id"]))
    shown: list[Block] = [parts.duty(point)]
    shown += evidence(book) if evidence else []
    return (*shown, *parts.stated(book, parts.asked(point)))
