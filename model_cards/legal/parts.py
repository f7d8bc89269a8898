"""Pieces that the legal documents share: statements of persons, links to the report and to each other, requirements."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import statements, tree
from model_cards.legal import names
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Block, Link, Paragraph, Parts, parts

REPORT = "report"
ATTESTATION = "attestation:"


def point(book: Book, requirement_id: str) -> Node | None:
    """A requirement of the register that applies to the system, or may apply; None where it does not."""
    return book.law["read"]["requirements"].first(id=requirement_id)


def points(book: Book, *starts: str) -> list[Node]:
    """The applying requirements whose identifier begins with one of these."""
    return [r for r in book.law["read"]["requirements"] if str(r.value["id"]).startswith(starts)]


def asked(requirement: Node) -> list[str]:
    """The attestations that answer a requirement."""
    found = [str(pointer.value) for pointer in requirement["evidence"]]
    return [pointer.removeprefix(ATTESTATION) for pointer in found if pointer.startswith(ATTESTATION)]


def stated(book: Book, questions: Iterable[str]) -> list[Block]:
    """What persons said on these questions, each under its question; or the gap that a question is."""
    blocks: list[Block] = []
    for question in questions:
        said = statements.paragraphs(book, question)
        if len(said[-1].content) > 1:
            blocks.append(Paragraph((question_of(book, question),), "owner"))
        blocks.extend(said)
    return blocks


def question_of(book: Book, question: str) -> Fact:
    """The words of a question of the register.

    Raises:
        KeyError: The register has no such question.
    """
    found = book.law["register"]["attestations"].first(id=question)
    if found is None:
        raise KeyError(f"attestation {question}: expected a question of the register, got none of that name.")
    return found["question"].fact()


def in_report(**sections: str) -> Paragraph:
    """`More in the report: ROBUSTNESS, …`, each a link. Underscores in the names of sections stand for hyphens."""
    links: list[Parts] = [(Link(words, name.replace("_", "-"), REPORT),) for name, words in sections.items()]
    return Paragraph(parts("More in the report: ", listed(links), "."), "note")


def other(book: Book, need: str, otherwise: str) -> Parts:
    """A link to the document of this run that answers a need of the register, or other words where there is none."""
    entry = names.answering(book, need)
    return (Link(entry.title, "", entry.id),) if entry else (otherwise,)


def listed(items: Iterable[Parts], between: str = ", ") -> Parts:
    """Runs of text one after the other; a dash for none."""
    return tree.joined(items, between) or ("–",)


def duty(requirement: Node) -> Paragraph:
    """What a requirement asks for, in the register's paraphrase, and a note on it."""
    note = parts(" ", requirement["note"].fact(), ".") if requirement["note"] else ()
    return Paragraph(tree.say("Asked for: {duty}.{note}", duty=requirement["duty"].fact(), note=note), "note")
