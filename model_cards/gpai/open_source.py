"""The test of the open-source exemption (Art. 53(2)): each condition with its answer, and what follows."""

from __future__ import annotations

from model_cards import tree
from model_cards.gpai import reasons, values
from model_cards.legal import frame
from model_cards.refs import Book
from model_cards.tree import Document, Paragraph, Parts, Section, Table

TITLE = "test of the open-source exemption"


def build(book: Book) -> Document:
    """The whole document."""
    # What the exemption leaves due is no duty of a model that is no general-purpose model.
    remains = () if _no_general_purpose(book) else (_remains(book),)
    return frame.document(book, TITLE, (_outcome(book), _conditions(book), _path(book), *remains))


def _no_general_purpose(book: Book) -> bool:
    return bool(book["account"]["classes"]["general_purpose"].value == "no")


def _outcome(book: Book) -> Section:
    state = book["account"]["classes"]["open_source_exemption"]
    none: list[Paragraph] = []
    if _no_general_purpose(book):
        ready = (
            "By the class of the model no duty follows that it could be exempt from. The test stands ready, should the "
            "class be another."
        )
        none = [Paragraph((book["account"]["classes"]["general_purpose"].derived(ready, "state in words"),), "lead")]
    words = {
        "yes": "By the answers, all conditions hold. A person confirms it.",
        "no": "By the answers, a condition does not hold: the exemption does not apply.",
        "open": "Open: an answer is missing, or systemic risk is open. Until then no exemption is assumed.",
    }[str(state.value)]
    return Section(
        "outcome", "What the answers lead to", (*none, Paragraph((state.derived(words, "state in words"),), "lead"))
    )


def _conditions(book: Book) -> Section:
    said = book.plan["general_purpose"]["open_source"]
    lines: list[tuple[Parts, ...]] = []
    for condition in book.law["general"]["open_source"]:
        for index, question in enumerate(condition["answers"]):
            node = said[question.pointer.rpartition("/")[2]]
            lines.append(
                (
                    (condition["text"].fact() if index == 0 else tree.AGAIN,),
                    (question.fact(),),
                    (condition["wanted"].fact(),),
                    (values.answer(node, question.fact()),),
                    (condition["note"].fact() if index == 0 else tree.AGAIN,),
                    (condition["place"].fact(),),
                )
            )
    heads = ("Condition", "Question", "Needed", "Answer", "In detail", "Basis")
    table = Table(("Conditions of the exemption",), heads, tuple(lines), prose=True)
    return Section("conditions", "Conditions", (table,))


def _path(book: Book) -> Section:
    steps = [s for s in book["account"]["path"] if str(s.value["id"]).startswith("open-source")]
    steps += [s for s in book["account"]["path"] if "systemic" in str(s.value["id"]) or s.value["id"] == "designated"]
    return Section("path", "Path of reasons", (reasons.table(steps),))


def _remains(book: Book) -> Section:
    remains = book.law["general"]["open_source_remains"]
    return Section("remains", "What remains due", (Paragraph(tree.parts(remains.fact(), ".")),))
