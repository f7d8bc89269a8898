"""Coverage of Annexes XI and XII and of the other duties: each point with its evidence, statement or gap.

Beside it, which field of the Model Documentation Form goes to whom, and on which basis.
"""

from __future__ import annotations

import dataclasses

from model_cards import tree
from model_cards.legal import frame, names, traceability
from model_cards.legal.answered import Places
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Bullets, Document, Paragraph, Parts, Section, Table

TITLE = "coverage of Annexes XI and XII"
STAGES = {
    "ingest": ("corpora", "the text as read"),
    "clean": ("cleaning", "cleaning of the text, step by step"),
    "validate": ("quality", "checks of the text"),
    "split": ("parts", "how the documents were split"),
    "encode": ("parts", "tokens and the tokenizer"),
    "commit": ("decision", "what was fixed before the evaluation"),
    "train": ("training", "the training"),
    "export": ("shipped", "the graph as exported"),
    "evaluate": ("language", "the evaluation"),
    "gate": ("decision", "the decision of the gate"),
    "account": ("cost", "compute, energy and class"),
    "document": ("summary", "the documents of this run"),
    "close": ("provenance", "run, code and software"),
}
"""Stage to its chapter of the report, and what its record holds."""
CHAPTERS = {"data": "quality", "language": "language"}
RECIPIENTS = {"yes": "yes", "no": "no", "unconfirmed": "not confirmed"}


def places_of(report: Document) -> Places:
    """What can be linked to in the report of a language model."""
    documents = {entry.id: entry for entry in names.GENERAL_PURPOSE}
    documents["model_documentation"] = documents["model_documentation_ai_office"]
    return Places(traceability.places_of(report).names, STAGES, CHAPTERS, documents)


def build(book: Book, places: Places) -> Document:
    """The whole document."""
    first, *rest = traceability.sections(book, places)
    return frame.document(book, TITLE, (first, _exempt(book), *rest, *_ready(book, places), _recipients(book)))


def _ready(book: Book, places: Places) -> tuple[Section, ...]:
    """The points of the annexes that the class does not ask for, with what answers them all the same."""
    applying = {str(r.value["id"]) for r in book.law["read"]["requirements"]}
    points = [r for part in ("annex_xi", "annex_xii") for r in book.law["general"][part]]
    rest = [r for r in points if r.value["id"] not in applying and not str(r.value["id"]).startswith("XI-S2")]
    if not rest:
        return ()
    words = "The class of the model does not ask for these points. What stands ready for them, should it be another:"
    found = traceability.articles(book, dataclasses.replace(places, statements=None), rest)
    inner = tuple(traceability.chapter(article) for article in found)
    return (Section("ready", "What the class does not ask for", (Paragraph((words,)),), inner),)


def _exempt(book: Book) -> Section:
    """Which annexes are asked for at all."""
    applying = {str(r.value["id"]).partition("-")[0] for r in book.law["read"]["requirements"]}
    state = book["account"]["classes"]["open_source_exemption"]
    if "XI" in applying:
        words = (
            "Both annexes apply, or may apply as long as something is open. What asks for systemic risk stands in "
            "Annex XI, section two, and is listed only where such risk is not ruled out."
        )
        return Section("applies", "What applies", (Paragraph((words,)),))
    why = state.derived("Neither annex applies by the class of the model", "the classes of the account")
    return Section(
        "applies",
        "What applies",
        (
            Paragraph(
                (why, ". See the account of the model for the reasons."),
            ),
        ),
    )


def _recipients(book: Book) -> Section:
    lines = tuple(_field(field) for field in book.law["general"]["form_fields"])
    heads = (
        "Field",
        "AI Office",
        "National authorities",
        "Downstream providers",
        "Recipients read off the form",
        "Answers",
    )
    table = Table(("Fields of the Model Documentation Form and who receives them",), heads, lines, prose=True)
    notes = Bullets(
        (
            ("yes: the field stands in the view of this reader.",),
            ("no: it never does.",),
            (
                "not confirmed: no source that was read settles it; it is left out, but for the range of the size, "
                "which stands in the place of the exact number.",
            ),
        )
    )
    lead = Paragraph(("Hold the recipients that were not read off the form against the official one.",), "note")
    return Section("recipients", "Which field goes to whom", (lead, notes, table))


def _field(field: Node) -> tuple[Parts, ...]:
    def recipient(view: str) -> Fact:
        return field[view].derived(RECIPIENTS[str(field.value[view])], "recipient in words")

    points: Parts = tree.joined(p.fact("name") for p in field["points"]) or ("–",)
    return (
        (field["title"].fact(), " ", field["id"].fact("name")),
        (recipient("ai_office"),),
        (recipient("authorities"),),
        (recipient("downstream"),),
        (field["ticked"].fact(),),
        points,
    )
