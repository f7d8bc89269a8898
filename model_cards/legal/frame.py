"""What every legal document has in common: its title, the sentence that it is a draft, and the foot of its pages."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import about, statements, tree
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
    """That it is a draft, of which run, evidence and text of the law, and how new the newest statement in them is.

    The day of the newest statement tells two states of the documents of one run apart.
    """
    law = book.law["register"]
    newest = statements.newest(book)
    up_to = tree.say(" Statements of persons up to {day}.", day=newest["at"].fact("date")) if newest else ()
    said = tree.say(
        "Draft, not a declaration. Run {run}, decided {at}. Evidence sha256 {evidence}, plan sha256 {plan}. Text of "
        "the law: CELEX {celex}, checked on {day}. What is said of the law is paraphrase, and no legal advice.",
        run=book.run_id,
        at=book["gate"]["at"].fact("time"),
        evidence=book.evidence_sha256,
        plan=book.plan_sha256,
        celex=law["celex"].fact("name"),
        day=law["checked_on"].fact("date"),
    )
    return tree.parts(said, up_to)


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
