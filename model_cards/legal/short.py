"""What stands first in a legal document: what the system is, how it did, what is missing in it, and may I sign what.

For whoever has an hour. Each answer leads to where it is given whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from model_cards import decision, tree
from model_cards.legal import brief, names, parts, signing
from model_cards.refs import Book
from model_cards.tree import Document, Link, Pairs, Paragraph, Parts, Section

Build = Callable[[Book], Document]


NOTHING: Parts = ("Nothing that this document asks for.",)


def first(build: Build, *, sign: bool = True, beside: Callable[[Book], Parts] | None = None) -> Build:
    """A builder whose document begins with the short answers.

    Args:
        build: The builder of the document.
        sign: Does it also say what is missing and whether it can be signed? The document on the declaration is about
            just that and says it itself.
        beside: What is missing although no gap stands for it, in a sentence; empty where nothing is.
    """

    def built(book: Book) -> Document:
        made = build(book)
        rows = [(brief.WHAT, brief.what_shortly(book)), (brief.TESTED, decision.outcome(book).content)]
        if sign:
            rows += [(brief.MISSING, _with(missing(book, made), beside(book) if beside else ())), *_sign(book)]
        section = Section("short", "In short", (Pairs("What a reader asks first", tuple(rows)),))
        return dataclasses.replace(made, sections=(section, *made.sections))

    return built


def with_missing(build: Build) -> Build:
    """A builder whose document ends its first section with how much is missing in it, and who must do it."""

    def built(book: Book) -> Document:
        made = build(book)
        start, *rest = made.sections
        line = Paragraph(tree.say("What is missing: {missing}", missing=missing(book, made)), "note")
        return dataclasses.replace(made, sections=(dataclasses.replace(start, blocks=(*start.blocks, line)), *rest))

    return built


def missing(book: Book, document: Document) -> Parts:
    """How many gaps a document has, and who can fill them."""
    found = brief.gaps_of(document.sections)
    if not found:
        return NOTHING
    one, many = "{n} gap in this document: {each}.", "{n} gaps in this document, each counted once: {each}."
    return tree.say(one if len(found) == 1 else many, n=brief.number_of(found), each=brief.by_owner(found))


def _with(gaps: Parts, beside: Parts) -> Parts:
    """What is missing with what no gap stands for: beside that, nobody reads that nothing is missing."""
    if not beside:
        return gaps
    return beside if gaps == NOTHING else tree.parts(*gaps, " ", *beside)


def _sign(book: Book) -> list[tuple[str, Parts]]:
    """Whether the run may be signed, and the declaration, where the class of the system asks for one."""
    whole = names.answering(book, "technical_documentation") is not None
    open_ = Link("which", "open", parts.REPORT)
    rows = [(signing.RUN, signing.run(book, (Link("which", "brief-tested", "annex_iv") if whole else open_,)))]
    if names.answering(book, "declaration") is None:
        return rows
    where = Link("which", "brief-sign", "annex_iv") if whole else open_
    return [*rows, (signing.DECLARATION, signing.declared(book, (where,)))]
