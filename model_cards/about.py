"""Sections on what the system is: identity, purpose, misuse, limits, classification answers."""

from __future__ import annotations

import re

from model_cards import blocks, matrix, tree
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
            Paragraph(("Any use other than the intended purpose is out of scope. Misuse that the provider foresees:",)),
            Paragraph(("Stated by the provider; nothing here tests whether it is prevented.",), "note"),
            blocks.listing(node, "reasonably foreseeable misuse"),
        ),
    )


def limitations(book: Book) -> Section:
    """Limits stated by the provider, and limits that the evidence shows."""
    shown = [*_below_baseline(book), *_known_rows(book)]
    shown += [blocks.line(v) for status in UNSETTLED for v in blocks.verdicts(book) if v.status == status]
    shown += _without_threshold(book)
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
            Paragraph(("Stated by the provider, not tested:",)),
            blocks.listing(book.plan["system"]["limitations"], "known limitations"),
            Paragraph(("Shown by the evidence:",)),
            found,
        ),
    )


UNSETTLED = ("fail", "inconclusive", "not_measured")


def _below_baseline(book: Book) -> list[tree.Parts]:
    found = matrix.of(book)
    if found is None or found.right > sum(found.counts[found.largest]):
        return []
    return [
        tree.say(
            "Accuracy: the model labels {right} of {all} test rows rightly; giving every row the label {name} would be "
            "right for {most}.",
            right=found.right_rows(),
            all=found.all_rows(),
            name=found.name(found.largest),
            most=found.rows(found.largest),
        )
    ]


def _known_rows(book: Book) -> list[tree.Parts]:
    """Test rows that training has seen in all features and the target: scores on them are no scores on new rows."""
    result = book.result("data.duplicates_across_splits")
    rows = result["details"]["rows"] if result is not None and result["details"] else None
    row = rows.first(**{"in": "test", "also_in": "train"}) if rows else None
    if row is None or not row.value.get("features_and_target"):
        return []
    share = row.value["features_and_target"] / row.value["n"]
    return [
        tree.say(
            "Rows already seen: {seen} of {all} test rows ({share}) equal a training row in every feature and in the "
            "target, so that every measure on the test rows is partly one on rows that training has seen.",
            seen=row["features_and_target"].fact("count"),
            all=row["n"].fact("count"),
            share=row["features_and_target"].derived(share, "over the test rows", "percent"),
        )
    ]


def _without_threshold(book: Book) -> list[tree.Parts]:
    """What robustness checks found for which the policy asks nothing: a fall there decides nothing, and is told."""
    gated = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
    found = []
    for result in book.family("robustness"):
        measure = next(iter(result["measures"]), None)
        if measure is None or measure.value["value"] is None or result.value["check_id"] in gated:
            continue
        clean = result["details"]["clean"] if result["details"] else None
        start = tree.say("{clean} on unchanged inputs, ", clean=clean.fact("number")) if clean else ()
        found.append(
            tree.say(
                "{title}: {start}{value} {interval}{how}; the policy sets no threshold.",
                title=result["title"].fact(),
                start=start,
                value=blocks.value(measure),
                interval=blocks.interval(measure),
                how=blocks.note_of(measure),
            )
        )
    return found


def classification(book: Book) -> Section:
    """The answers of a person about the class of the system, as given, and what they point to."""
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
            tree.Bullets(tuple((words,) for words in _pointing(node.value))),
        ),
        short="AI Act answers",
    )


def _pointing(answers: dict[str, str]) -> list[str]:
    """What the answers point to, for a person to confirm. No class is given to the system here."""
    found = []
    if answers["prohibited_practice"] == "yes":
        found.append("The answers point to a prohibited practice; a person must settle this before anything else.")
    if "yes" in (answers["annex_iii_use"], answers["annex_i_product"]):
        found.append("The answers point to high-risk use; a person must confirm.")
    if answers["derogation_claimed"] == "yes":
        found.append("The answers claim the derogation; a person must give the reasons and confirm.")
        if answers["profiling"] == "yes":
            found.append("The answers also say that persons are profiled, which rules the derogation out.")
    if answers["transparency_duty"] == "yes":
        found.append("The answers point to duties of transparency; a person must confirm how they are met.")
    open_ = [key for key in ("prohibited_practice", "annex_iii_use", "annex_i_product") if answers[key] == "unknown"]
    if open_:
        found.append("Answers on which the class depends are missing; the class stays open.")
    return found or ["None of the answers points to a prohibited practice or to high-risk use; a person must confirm."]


def draft(book: Book) -> tree.Parts:
    """The sentence that every page carries."""
    return tree.say(
        "Draft, not a declaration. Run {run}, decided {at}, plan sha256 {plan}.",
        run=book.run_id,
        at=book["gate"]["at"].fact("time"),
        plan=book.plan_sha256,
    )


def running(book: Book) -> str:
    """The run identifier for the foot of printed pages; nothing where it holds unusual characters."""
    return book.run_id.shown if re.fullmatch(r"[A-Za-z0-9._-]+", book.run_id.shown) else ""


def title(book: Book, words: str) -> tree.Parts:
    """Name and version of the system, and what this document is."""
    system = book.plan["system"]
    return parts(system["name"].fact(), " ", system["version"].fact(), words)
