"""Sections on what the system is: identity, purpose, misuse, limits, classification answers."""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.refs import Book, Fact, Gap
from model_cards.tree import Pairs, Paragraph, Section, parts

TASKS = {
    "binary": "binary classification of table rows",
    "multiclass": "classification of table rows into several classes",
    "regression": "regression on table rows",
}

ANSWERS = (
    ("role", "Role of the company that ran this"),
    ("prohibited_practice", "Does the use fall under the prohibited practices (Art. 5)?"),
    ("annex_i_product", "Is it, or is it a safety component of, an Annex I product with third-party assessment?"),
    ("annex_iii_use", "Is the use listed in Annex III?"),
    ("annex_iii_point", "Which point of Annex III?"),
    ("derogation_claimed", "Does the provider claim the derogation of Art. 6(3)?"),
    ("profiling", "Does it profile natural persons?"),
    ("transparency_duty", "Does Art. 50 apply?"),
)
"""Answers of the plan and the questions of the AI Act that they answer."""


def identity(book: Book) -> Pairs:
    """Name, version, provider, task."""
    system = book.plan["system"]
    provider = system["provider"]
    task = book["encode"]["task"]
    rows: list[tuple[str, tree.Parts]] = [
        ("System", (system["name"].fact(),)),
        ("Version", (system["version"].fact(),)),
        ("Identifier", (system["id"].fact("name"),)),
        ("Provider", (provider["name"].fact(),)),
        ("Address", (provider["address"].fact_or_gap("postal address of the provider"),)),
        ("Contact", (provider["contact"].fact_or_gap("contact of the provider"),)),
        ("Sector", (system["sector"].fact_or_gap("sector of use"),)),
        ("Task", (task.derived(TASKS[task.value], "name of the task in words"),)),
        ("Predicts", (book["encode"]["target"].fact("name"), *target_words(book))),
        ("Licence of the model", (licence(book),)),
    ]
    return Pairs("Identity of the system", tuple(rows))


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


def purpose(book: Book) -> Section:
    """Intended purpose, users, affected persons."""
    system = book.plan["system"]
    return Section(
        "purpose",
        "Intended purpose",
        (
            Paragraph((system["intended_purpose"].fact(),), "lead"),
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
            Paragraph(("Any use other than the intended purpose is out of scope. Misuse that the provider foresees:",)),
            blocks.listing(node, "reasonably foreseeable misuse"),
        ),
    )


def limitations(book: Book) -> Section:
    """Limits stated by the provider, and limits that the evidence shows."""
    shown = [blocks.line(v) for v in blocks.verdicts(book) if v.status != "pass"]
    shown += [
        blocks.line_of_result(r)
        for r in book.results()
        if r.value["status"] == "not_measured" and not book["gate"]["reasons"].first(check_id=r.value["check_id"])
    ]
    none = "Every gate passed, and every check of the run was measured."
    found: tree.Block = tree.Bullets(tuple(shown)) if shown else Paragraph((none,))
    return Section(
        "limitations",
        "Limitations",
        (
            Paragraph(("Stated by the provider:",)),
            blocks.listing(book.plan["system"]["limitations"], "known limitations"),
            Paragraph(("Shown by the evidence:",)),
            found,
        ),
    )


def classification(book: Book) -> Section:
    """The answers of a person about the class of the system, as given."""
    node = book.plan["classification"]
    rows = []
    for key, question in ANSWERS:
        answer = node[key]
        unknown = answer.value in (None, "unknown")
        if key == "annex_iii_point" and node.value["annex_iii_use"] != "yes":
            continue
        gap = Gap(f"answer to “{question}”", "compliance officer", f"plan: {answer.path}")
        rows.append((question, (gap if unknown else answer.fact(),)))
    return Section(
        "classification",
        "Answers on the class under the AI Act",
        (
            Paragraph(("A person gives these answers in the plan. Nothing here is inferred from data.",), "note"),
            Pairs("Answers as given", tuple(rows)),
        ),
        short="AI Act answers",
    )


def draft(book: Book) -> tree.Parts:
    """The sentence that every page carries."""
    return tree.say(
        "Draft, not a declaration. Run {run}, decided {at}, plan sha256 {plan}.",
        run=book.run_id,
        at=book["gate"]["at"].fact("time"),
        plan=book.plan_sha256,
    )


def title(book: Book, words: str) -> tree.Parts:
    """Name and version of the system, and what this document is."""
    system = book.plan["system"]
    return parts(system["name"].fact(), " ", system["version"].fact(), words)
