"""Sections on what the system is: identity, purpose, misuse, limits."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import blocks, given, tree
from model_cards.refs import Book, Fact, Gap
from model_cards.tree import Pairs, Paragraph, Section, parts

TASKS = {
    "binary": "binary classification of table rows",
    "multiclass": "classification of table rows into several classes",
    "regression": "regression on table rows",
}

IN_A_BUNDLE = (
    "A bundle holds a copy of this card apart from the other documents: what is named or linked as lying beside it is "
    "in the folder “documents” there."
)
"""The copy has the bytes that were approved, so its links cannot lead elsewhere."""


def identity(book: Book) -> Pairs:
    """Name, version, provider, task."""
    system = book.plan["system"]
    provider = system["provider"]
    rows: list[tuple[str, tree.Parts]] = [
        ("System", (system["name"].fact(),)),
        ("Version", (system["version"].fact(),)),
        ("Identifier", (system["id"].fact("name"),)),
        ("Provider", (provider["name"].fact(),)),
        ("Address", (provider["address"].fact_or_gap("postal address of the provider"),)),
        ("Contact", (provider["contact"].fact_or_gap("contact of the provider"),)),
        ("Sector", (system["sector"].fact_or_gap("sector of use"),)),
        ("Task", (task_words(book),)),
        ("Predicts", (book["encode"]["target"].fact("name"), *target_words(book))),
        ("Licence of the model", (licence(book),)),
    ]
    return Pairs("Identity of the system", tuple(rows))


def task_words(book: Book) -> Fact:
    """The task in words. Of a model that is not given, nobody knows what it takes in."""
    task, words = book["encode"]["task"], TASKS[book["encode"].value["task"]]
    if not given.has_model(book):
        words = words.replace(" of table rows", "").replace(" on table rows", "")
    return task.derived(words, "name of the task in words")


def licence(book: Book) -> Fact | Gap:
    """The stated licence of the model, or its gap."""
    return book.plan["documents"]["licence"].fact_or_gap("licence of the model")


def target_words(book: Book) -> tree.Parts:
    """What the target's values mean: classes, or the unit."""
    encode = book["encode"]
    if encode["classes"]:
        names = [(", ", node.fact()) for node in encode["classes"]]
        return parts(": ", parts(*names)[1:])
    unit = encode["target_unit"]
    return (" (", unit.fact(), ")") if unit else (" ", Gap("unit of the target", "provider", "plan: data.target.unit"))


STATED = Paragraph(("Stated by the provider, not tested:",), "note")
"""Stands above every text of the plan that says what nothing measures."""


def purpose(book: Book) -> Section:
    """Intended purpose, users, affected persons."""
    system = book.plan["system"]
    return Section(
        "purpose",
        "Intended purpose",
        (
            STATED,
            Paragraph((system["intended_purpose"].fact(),)),
            Paragraph(("Who is meant to operate it:",)),
            blocks.listing(system["intended_users"], "intended users"),
            Paragraph(("Who is affected by its output:",)),
            blocks.listing(system["affected_persons"], "persons affected by the output"),
        ),
    )


def misuse(book: Book) -> Section:
    """Uses it is not made for."""
    node = book.plan["system"]["foreseeable_misuse"]
    return Section(
        "misuse",
        "Out-of-scope use and misuse",
        (
            Paragraph(("Stated by the provider; nothing here tests whether it is prevented.",), "note"),
            Paragraph(("Any use other than the intended purpose is out of scope. Misuse that the provider foresees:",)),
            blocks.listing(node, "reasonably foreseeable misuse"),
        ),
    )


NO_LIMIT = "Every gate passed, and every check of the run was measured."


def limits(book: Book, shown: Sequence[tree.Parts]) -> Section:
    """What the provider states of limits, and the lines that the evidence shows."""
    found: tree.Block = tree.Bullets(tuple(shown)) if shown else Paragraph((NO_LIMIT,))
    return Section(
        "limitations",
        "Limitations",
        (
            Paragraph(("Stated by the provider, not tested:",)),
            blocks.listing(book.plan["system"]["limitations"], "known limitations"),
            Paragraph(("Shown by the evidence:",)),
            found,
        ),
    )


def title(book: Book, words: str) -> tree.Parts:
    """Name and version of the system, and what this document is."""
    system = book.plan["system"]
    return parts(system["name"].fact(), " ", system["version"].fact(), words)
