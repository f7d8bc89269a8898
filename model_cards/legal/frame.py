"""What every legal document has in common: its title, the sentence that it is a draft, and the foot of its pages."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import about, tree
from model_cards.refs import Book
from model_cards.tree import Document, Section


def document(book: Book, title: str, sections: Sequence[Section]) -> Document:
    """A legal document of a run.

    Args:
        book: The records.
        title: What it is, in words: `technical documentation`.
        sections: What it says.
    """
    return Document(about.title(book, f": {title}"), draft(book), tuple(sections), running(book))


def draft(book: Book) -> tree.Parts:
    """That it is a draft, of which run and evidence, and which text of the law it follows."""
    law = book.law["register"]
    return tree.say(
        "Draft, not a declaration. Run {run}, decided {at}. Evidence sha256 {evidence}, plan sha256 {plan}. Text of "
        "the law: CELEX {celex}, checked on {day}. What is said of the law is paraphrase, and no legal advice.",
        run=book.run_id,
        at=book["gate"]["at"].fact("time"),
        evidence=book.evidence_sha256,
        plan=book.plan_sha256,
        celex=law["celex"].fact("name"),
        day=law["checked_on"].fact("date"),
    )


def running(book: Book) -> tree.Parts:
    """The foot of every page."""
    law = book.law["register"]
    return tree.say(
        "Draft, not a declaration. Run {run}. Evidence sha256 {evidence}. Law: CELEX {celex}, checked {day}.",
        run=book.run_id,
        evidence=book.evidence_sha256,
        celex=law["celex"].fact("name"),
        day=law["checked_on"].fact("date"),
    )
