"""Limits that the evidence shows: one list for the report and every document that prints them, the worst first."""

from __future__ import annotations

from model_cards import about, blocks, given, matrix, tree
from model_cards.refs import Book, Node
from model_cards.tree import Parts, Section

UNSETTLED = ("fail", "inconclusive", "not_measured")


def section(book: Book) -> Section:
    """Limits stated by the provider, and limits that the evidence shows."""
    return about.limits(book, shown(book))


def listing(book: Book) -> tree.Block:
    """The list, or that there is nothing to list."""
    found = shown(book)
    return tree.Bullets(tuple(found)) if found else tree.Paragraph((about.NO_LIMIT,))


def shown(book: Book) -> list[Parts]:
    """A line for each limit: what judges the whole, what failed or stayed open, what fell most, what was not measured.

    What has no threshold decides nothing and is told. It stands in the order of what it loses against its reference,
    then gaps between groups, then what has no reference.
    """
    lines = blocks.verdicts(book)
    found = [*_below_baseline(book), *_known_rows(book)]
    for required in (True, False):
        bad = UNSETTLED if required else UNSETTLED[:2]
        found += [
            blocks.line(v) for s in bad for v in lines if v.status == s and v.reason.value["required"] is required
        ]
    found += [*_without_threshold(book), *_repeated(book)]
    found += [blocks.line(v) for v in lines if v.status == "not_measured" and not v.reason.value["required"]]
    return [*found, *_not_measured(book)]


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


def _without_threshold(book: Book) -> list[Parts]:
    """What was found for which the policy asks nothing: it decides nothing, and is told."""
    gated = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
    found: list[tuple[float, Parts]] = []
    rest: list[Parts] = []
    for result in (*book.family("robustness"), *book.family("security")):
        measure = next(iter(result["measures"]), None)
        if measure is None or measure.value["value"] is None or result.value["check_id"] in gated:
            continue
        start = reference(result) if str(result.value["check_id"]).startswith("robustness.") else None
        line = _line(result, measure, start)
        if start is None:
            rest.append(line)
        else:
            found.append((loss(measure, start), line))
    by_loss = [line for _, line in sorted(found, key=lambda each: -each[0])]
    return [*by_loss, *(_gap_line(*each) for each in apart(book)), *rest]


def reference(result: Node) -> Node | None:
    """What a value is held against: the result on unchanged inputs, or on all rows; None where there is none."""
    details = result["details"]
    found = (details[name] for name in ("clean", "overall")) if details else ()
    return next((n for n in found if isinstance(n.value, int | float) and not isinstance(n.value, bool)), None)


def loss(measure: Node, start: Node) -> float:
    """How far a value lies from its reference, as a share of the reference; 0 and more, no unit."""
    first = abs(float(start.value))
    return abs(float(measure.value["value"]) - float(start.value)) / first if first else 0.0


def apart(book: Book) -> list[tuple[Node, Node]]:
    """Gaps between groups that no gate judges and whose whole interval is away from zero, the largest first.

    Returns:
        Result and measure of each.
    """
    judged = {(v.reason.value["check_id"], v.reason.value["slice"]) for v in blocks.verdicts(book)}
    found: list[tuple[Node, Node]] = []
    for result in book.family("fairness"):
        check = str(result.value["check_id"])
        if not check.endswith("_difference"):
            continue
        for measure in result["measures"]:
            where = str(measure.value["slice"])
            whole = measure.value["name"] == check and "=" not in where and measure["interval"]
            if whole and (check, where) not in judged and measure["interval"].value["low"] > 0:
                found.append((result, measure))
    return sorted(found, key=lambda each: -float(each[1].value["value"]))


def _gap_line(result: Node, measure: Node) -> Parts:
    return tree.say(
        "{title} ({slice}): {value} {interval}{how}; the policy sets no threshold for this slice.",
        title=result["title"].fact(),
        slice=blocks.slice_words(measure),
        value=blocks.value(measure),
        interval=blocks.interval(measure),
        how=blocks.note_of(measure),
    )


def _line(result: Node, measure: Node, start: Node | None) -> Parts:
    before: Parts = ()
    if start is not None:
        clean = start.pointer.endswith("/clean")
        words = "{clean} on unchanged inputs, " if clean else "{clean} over all rows, "
        before = tree.say(words, clean=start.fact("number"))
    return tree.say(
        "{title}: {start}{value} {interval}{how}; the policy sets no threshold.",
        title=result["title"].fact(),
        start=before,
        value=blocks.value(measure),
        interval=blocks.interval(measure) if measure["interval"] else ("(no interval)",),
        # why there is no interval stands with the check: its numbers are those of the method, and no limit of the model
        how=blocks.note_of(measure) if measure["interval"] else (),
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
