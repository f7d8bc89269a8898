"""What persons have stated, as parts of a document: the text with its name, role and day, or the gap that it is."""

from __future__ import annotations

from model_cards import tree
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Parts, parts

OWNERS = {"engineer": "engineer", "officer": "compliance officer", "management": "management"}
"""Who is likely to know, in words."""
WHERE = "proofline answer"


def statement(book: Book, question: str) -> Node | None:
    """Where the answer to a question stands in the record; None where the run has no such record.

    Raises:
        KeyError: The register has no such question.
    """
    _question(book, question)
    return book["answers"]["statements"].first(id=question) if book["answers"] else None


def said(book: Book, question: str) -> Parts:
    """What a person stated, with who, in which role and when; what is carried over or outdated says so; else a gap.

    Args:
        book: The records of the run.
        question: Identifier of the attestation in the register.

    Raises:
        KeyError: The register has no such question.
    """
    found = statement(book, question)
    if found is None or found.value["status"] == "open":
        return (gap(book, question),)
    return parts(found["text"].fact(), *signed(found), *_standing(found))


def signed(node: Node) -> Parts:
    """` (Name, role, date)` of a statement or of an acceptance."""
    return tree.say(
        " ({person}, {role}, {at})", person=node["person"].fact(), role=node["role"].fact(), at=node["at"].fact("date")
    )


def gap(book: Book, question: str) -> Gap:
    """The gap that an unanswered question is."""
    asked = _question(book, question)
    return Gap(asked["question"].fact(), OWNERS[str(asked.value["owner"])], f"{WHERE} --only {question}")


def is_settled(book: Book, question: str) -> bool:
    """Was it stated, or confirmed, in this very run?"""
    found = statement(book, question)
    return found is not None and found.value["status"] == "stated"


def open_statements(book: Book) -> tuple[Gap, ...]:
    """The questions that apply to the system and that nobody has answered, in the order of the register."""
    if not book["answers"]:
        return ()
    return tuple(
        gap(book, str(s.value["id"])) for s in book["answers"]["statements"].where(applies=True, status="open")
    )


def to_confirm(book: Book) -> tuple[Node, ...]:
    """The statements that apply and were carried over, outdated ones among them: to be confirmed."""
    if not book["answers"]:
        return ()
    applying = book["answers"]["statements"].where(applies=True)
    return tuple(s for s in applying if s.value["status"] in ("carried", "outdated"))


def _standing(found: Node) -> Parts:
    status = found.value["status"]
    if status == "stated":
        return ()
    since = parts(" from run ", found["carried_from"].fact("name")) if found["carried_from"] else ()
    if status == "carried":
        return tree.say(" – carried over{since}, to be confirmed", since=since)
    return tree.say(" – outdated: what it speaks of has changed; carried over{since}, to be confirmed", since=since)


def _question(book: Book, question: str) -> Node:
    found = book.law["register"]["attestations"].first(id=question)
    if found is None:
        raise KeyError(f"attestation {question}: expected a question of the register, got none of that name.")
    return found
