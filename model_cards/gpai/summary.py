"""The public summary of training content (Art. 53(1)(d)), in the sections of the Commission's template.

No field of the template is left out. What was used of which kind is a declared corpus or a person's yes or no; neither
is inferred, and what nobody has answered is a gap. It is made for the public: sizes are bands; no counts stand here.
"""

from __future__ import annotations

from collections.abc import Iterator

from configs.law import general_purpose
from configs.law.general_purpose import SummaryField
from model_cards import tree
from model_cards.gpai import book as books
from model_cards.gpai import summary_facts, summary_sources, values
from model_cards.legal import frame
from model_cards.refs import Book, Gap
from model_cards.tree import Block, Document, Paragraph, Section

TITLE = "public summary of training content"
VALUES = {**summary_facts.VALUES, **summary_sources.VALUES}
"""Field of the template to what is known; a test holds the table against the register."""


def build(book: Book) -> Document:
    """The whole document."""
    register = general_purpose.load()
    chapters = []
    for head in register.summary_sections:
        mine = [field for field in register.summary_fields if field.section == head.id]
        chapters.append(Section(f"summary-{head.id}", head.title, (), tuple(_groups(book, mine))))
    return frame.document(book, TITLE, (_stamp(book), *chapters))


def open_fields(book: Book) -> int:
    """How many fields of the template hold a gap, or wait for the answer to the question above them."""
    waiting = Paragraph((summary_sources.WAITING,))
    fields = general_purpose.load().summary_fields
    shown = (VALUES[field.id](book) for field in fields)
    return sum(
        waiting in blocks or any(isinstance(p, Gap) for b in blocks for p in tree.walk_block(b)) for blocks in shown
    )


def _groups(book: Book, fields: list[SummaryField]) -> Iterator[Section]:
    """Fields one by one; those of a numbered point of the template beneath its heading."""
    for group in dict.fromkeys(field.group for field in fields):
        mine = [field for field in fields if field.group == group]
        if group is None:
            yield from (_field(book, field) for field in mine)
        else:
            yield Section(_anchor(group), group, (), tuple(_field(book, field) for field in mine))


def _anchor(group: str) -> str:
    return "point-" + group.partition(" ")[0].replace(".", "-")


def _field(book: Book, field: SummaryField) -> Section:
    node = books.entry(book, "summary_fields", field.id)
    asked: tuple[Block, ...] = ()
    if field.enter:
        asked = (Paragraph(tree.say("Asked for: {enter}.", enter=node["enter"].fact()), "note"),)
    return Section(field.id.replace(".", "-"), field.title, (*asked, *VALUES[field.id](book)))


def _stamp(book: Book) -> Section:
    """Which template it follows, which version of it, and until when it has to be looked at again."""
    template = book.law["general"]["template"]
    months = book.law["general"]["refresh_months"]
    day = values.months_later(str(values.updated(book).value), int(months.value))
    rows: tuple[tuple[str, tree.Parts], ...] = (
        ("Template", (template["title"].fact(),)),
        ("Version of the template", (template["version"].fact(),)),
        ("File of the template", (template["file"].fact(),)),
        ("How it was read", (template["status"].fact(),)),
    )
    lead = tree.Pairs("Template", rows)
    due = tree.say(
        "To be updated by {day}, {months} months after the last update, or sooner after a material change.",
        day=months.derived(day, "the last update and so many months", "date"),
        months=months.fact("count"),
    )
    rules = [tree.parts(rule["text"].fact(), ".") for rule in book.law["general"]["summary_rules"]]
    return Section(
        "stamp",
        "Template and refresh",
        (lead, Paragraph(due), Paragraph(("Rules of the template, in paraphrase:",)), tree.Bullets(tuple(rules))),
    )
