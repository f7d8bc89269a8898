"""Registration data (Art. 49): the fields of Annex VIII by the class of the system, and of Annex IX for a real test."""

from __future__ import annotations

import dataclasses
from typing import Any

from model_cards.legal import annexes, frame
from model_cards.refs import Book
from model_cards.tree import Document, Paragraph, Section


@dataclasses.dataclass(frozen=True)
class Form:
    """One list of fields."""

    id: str
    title: str
    prefix: str
    """How the identifiers of its fields begin."""
    why: str


FORMS = (
    Form("a", "High-risk system – Annex VIII, Section A", "AVIII-A", "For a provider, by Art. 49(1)."),
    Form(
        "b",
        "System held not to be high-risk – Annex VIII, Section B",
        "AVIII-B",
        "For a provider who claims the derogation of Art. 6(3), by Art. 49(2).",
    ),
    Form(
        "c",
        "Use by a public deployer – Annex VIII, Section C",
        "AVIII-C",
        "For a deployer that is a public authority, by Art. 49(3).",
    ),
    Form("ix", "Test in real-world conditions – Annex IX", "AIX-", "For a test outside a laboratory, by Art. 60."),
)


def forms(book: Book) -> list[tuple[Form, list[annexes.Field]]]:
    """The forms that apply, or may apply because an answer is missing, each with its fields."""
    return [(form, found) for form in FORMS if (found := annexes.fields(book, form.prefix))]


def build(book: Book) -> Document:
    """The forms that apply, field by field."""
    sections = [
        Section(form.id, form.title, (Paragraph((form.why,), "note"), annexes.table(found, form.title)))
        for form, found in forms(book)
    ]
    none = "The answers on the class lead to no registration, and no test in real-world conditions is planned."
    return frame.document(
        book, "registration data", sections or [Section("none", "No registration", (Paragraph((none,)),))]
    )


def data(book: Book) -> dict[str, Any]:
    """The same for programs, with the identifiers of the fields."""
    return {
        "format": "proofline registration data",
        "version": 1,
        "status": "DRAFT - not a registration",
        "run": book.run_id.shown,
        "law": book.law["register"]["celex"].value,
        "forms": [{"id": f.id, "title": f.title, "fields": annexes.plain(found)} for f, found in forms(book)],
    }
