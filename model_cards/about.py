"""Sections on what the system is: identity, purpose, misuse, limits."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import blocks, given, matrix, tree
from model_cards.refs import Book, Fact, Gap, Node
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


def limitations(book: Book) -> Section:
    """Limits stated by the provider, and limits that the evidence shows."""
    shown = [*_below_baseline(book), *_known_rows(book)]
    shown += [blocks.line(v) for status in UNSETTLED for v in blocks.verdicts(book) if v.status == status]
    shown += [*_without_threshold(book, "robustness"), *_without_threshold(book, "security"), *_repeated(book)]
    return limits(book, (*shown, *_not_measured(book)))


def limits(book: Book, shown: Sequence[tree.Parts]) -> Section:
    """What the provider states of limits, and the lines that the evidence shows."""
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


def _not_measured(book: Book) -> list[tree.Parts]:
    """The checks without a gate that did not run; those that share a reason stand under it together."""
    by_reason: dict[str, list[Node]] = {}
    for result in book.results():
        if result.value["status"] != "not_measured":
            continue
        if not book["gate"]["reasons"].first(check_id=result.value["check_id"]):
            by_reason.setdefault(str(result.value["reason"]), []).append(result)
    found = []
    for results in by_reason.values():
        if len(results) == 1:
            found.append(blocks.line_of_result(results[0]))
            continue
        names = tree.joined((r["title"].fact() for r in results), "; ")
        reason = results[0]["reason"].fact()
        found.append(tree.say("Not measured, because {reason}: {names}.", reason=reason, names=names))
    return found


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


def _repeated(book: Book) -> list[tree.Parts]:
    """Given rows that repeat an earlier one: if they are the same case, it is counted more than once."""
    repeated = book["ingest"]["duplicate_rows"]
    if given.has_model(book) or not repeated.value:
        return []
    return [
        tree.say(
            "Repeated rows: {repeated} of {all} rows equal an earlier row in every declared column. Where they are the "
            "same case, every interval is too narrow; a column of names (predictions.row_id) would show it.",
            repeated=repeated.fact("count"),
            all=book["ingest"]["rows"].fact("count"),
        )
    ]


def _without_threshold(book: Book, family: str) -> list[tree.Parts]:
    """What the checks of a family found for which the policy asks nothing: it decides nothing, and is told."""
    gated = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
    found = []
    for result in book.family(family):
        measure = next(iter(result["measures"]), None)
        if measure is None or measure.value["value"] is None or result.value["check_id"] in gated:
            continue
        clean = result["details"]["clean"] if result["details"] and family == "robustness" else None
        start = tree.say("{clean} on unchanged inputs, ", clean=clean.fact("number")) if clean else ()
        found.append(
            tree.say(
                "{title}: {start}{value} {interval}{how}; the policy sets no threshold.",
                title=result["title"].fact(),
                start=start,
                value=blocks.value(measure),
                interval=blocks.interval(measure) if measure["interval"] else ("(no interval)",),
                how=blocks.note_of(measure),
            )
        )
    return found


def title(book: Book, words: str) -> tree.Parts:
    """Name and version of the system, and what this document is."""
    system = book.plan["system"]
    return parts(system["name"].fact(), " ", system["version"].fact(), words)
