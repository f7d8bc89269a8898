"""The Model Documentation Form of the Code of Practice, in one view for each who may read it.

A view holds the fields that the register gives to its reader and no other; where no source confirms the recipient the
narrower view counts. What stands in a field carries no more than the field asks for: a range, an order of magnitude or
two significant figures, in every format.
"""

from __future__ import annotations

from configs.law import general_purpose
from configs.law.general_purpose import FormField, View
from model_cards import tree
from model_cards.gpai import book as books
from model_cards.gpai import form_cost, form_data, form_model
from model_cards.legal import frame
from model_cards.refs import Book
from model_cards.tree import Block, Document, Paragraph, Section

TITLES: dict[View, str] = {
    "ai_office": "Model Documentation Form, view of the AI Office",
    "authorities": "Model Documentation Form, view of national authorities",
    "downstream": "Model Documentation Form, view of downstream providers",
}
ON_REQUEST = (
    "It is handed over on request through the AI Office, with the legal basis and the purpose of the request, and is "
    "treated as confidential."
)
HANDED_OVER: dict[View, str] = {
    "ai_office": ON_REQUEST,
    "authorities": ON_REQUEST,
    "downstream": "It is given to providers who integrate the model, or mean to.",
}
VALUES = {**form_model.VALUES, **form_data.VALUES, **form_cost.VALUES}
"""Field of the register to what the evidence says; a test holds the table against the register."""


def build(book: Book, view: View) -> Document:
    """One view as a document."""
    register = general_purpose.load()
    shown = [field for field in register.form_fields if field.shown_to(view)]
    chapters = []
    for head in register.form_sections:
        mine = [field for field in shown if field.section == head.id]
        if mine:
            inner = tuple(_field(book, field) for field in mine)
            chapters.append(Section(head.id, head.title, (), inner))
    return frame.document(book, TITLES[view], (_reading(book, view), *chapters))


def _reading(book: Book, view: View) -> Section:
    status = book.law["general"]["form_status"].fact()
    lead = Paragraph((HANDED_OVER[view],))
    notes = (
        Paragraph((status,), "note"),
        Paragraph(
            (
                "A field that this reader may not see, or for whom no source confirms that it is meant, does not "
                "stand here. Which field goes to whom is listed in the coverage of the annexes.",
            ),
            "note",
        ),
    )
    return Section("reading", "What this is", (lead, *notes))


def _field(book: Book, field: FormField) -> Section:
    node = books.entry(book, "form_fields", field.id)
    words: tree.Parts = ()
    if field.words is not None:
        form = "about {n} words" if field.words_confirmed else "about {n} words, unconfirmed"
        words = tree.parts(", ", tree.say(form, n=node["words"].fact("count")))
    asked = Paragraph(tree.say("Asked for: {enter}{words}.", enter=node["enter"].fact(), words=words), "note")
    blocks: tuple[Block, ...] = tuple(VALUES[field.id](book))
    return Section(field.id.replace(".", "-"), field.title, (asked, *blocks))
