"""What stands beside the headlines of fairness: every rate between groups and to overall, corrections, rows needed."""

from __future__ import annotations

import dataclasses

from model_cards import blocks, groups, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Paragraph, Parts, Table, parts

BESIDE = ("difference", "ratio", "difference_to_overall", "ratio_to_overall")
"""Measures that a check on a rate holds beside its headline."""


def between(book: Book) -> list[tree.Block]:
    """Every rate of every attribute: difference and ratio between its groups, and the group furthest from overall."""
    pairs: list[tuple[Parts, ...]] = []
    furthest: list[tuple[Parts, ...]] = []
    for result in book.family("fairness"):
        found = {(m.value["name"], m.value["slice"]): m for m in result["measures"]}
        for attribute, rate in groups.in_order(book, result["details"]["rate"]) if result["details"] else ():
            names = [(f"{result.value['check_id']}.{which}", str(attribute.value)) for which in BESIDE]
            difference, ratio, far, far_ratio = (found.get(name) for name in names)
            head: tuple[Parts, ...] = ((_capital(rate),), (attribute,))
            if difference is not None or ratio is not None:
                pairs.append((*head, *_cells(difference), *_cells(ratio)))
            if far is not None or far_ratio is not None:
                furthest.append((*head, *_with_group(far), *_with_group(far_ratio)))
    level = blocks.level(book)
    shown: list[tree.Block] = []
    if pairs:
        caption = tree.say("Every rate between the groups of an attribute, intervals at level {level}", level=level)
        heads = ("Rate", "Attribute", "Difference", "Interval", "Ratio", "Interval of the ratio")
        shown.append(Table(caption, heads, tuple(pairs), frozenset({2, 3, 4, 5}), fold=len(pairs) > blocks.LONG))
    if furthest:
        caption = tree.say("The group furthest from the overall rate, intervals at level {level}", level=level)
        columns: tuple[tree.Part, ...] = (
            "Rate",
            "Attribute",
            "By difference",
            "Difference",
            "Interval",
            "By ratio",
            "Ratio",
            "Interval of the ratio",
        )
        numeric = frozenset({3, 4, 6, 7})
        shown.append(Table(caption, columns, tuple(furthest), numeric, fold=len(furthest) > blocks.LONG))
    return [*shown, HOW_TO_COMPARE] if shown else []


def basis(book: Book, *, gated: bool = False) -> list[tree.Block]:
    """What each gap between groups rests on: the rate that gives its value, and how many rows that of each group has.

    The rows beside a gap are all rows of its groups; a true positive rate rests on those of one class alone.

    Args:
        book: The records.
        gated: Only the gaps that a gate of the plan judges.
    """
    judged = {(g.value["check"], g.value["slice"]) for g in book.plan["policy"]["gates"]}
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("fairness"):
        check, details = str(result.value["check_id"]), result["details"]
        if not check.endswith(("_difference", "_ratio")) or not details:
            continue
        for attribute, rows in groups.in_order(book, details["groups"]):
            rate = details["rate"][str(attribute.value)] if details["rate"] else None
            if rate is None or not rate or (gated and (check, str(attribute.value)) not in judged):
                continue
            resting = tree.joined(map(_resting, rows), "; ")
            lines.append(((result["title"].fact(),), (attribute,), (_capital(rate),), resting))
    if not lines:
        return []
    heads = ("Check", "Slice", "Rate that gives the value", "Test rows that the rate of each group rests on")
    caption = ("What a gap between groups rests on",)
    return [ALL_ROWS, Table(caption, heads, tuple(lines), prose=True, fold=len(lines) > blocks.LONG)]


ALL_ROWS = Paragraph(
    (
        "The rows beside a gap between groups are all rows of its groups. The rate of a group may rest on fewer: on "
        "those of one class, or of one label.",
    ),
    "note",
)


def _resting(row: Node) -> Parts:
    used = row["n"] if row["rows"].value is None else row["rows"]
    return parts(row["group"].fact(), ": ", *((used.fact("count"),) if used.value is not None else blocks.NOTHING))


HOW_TO_COMPARE = Paragraph(
    (
        "A difference is the largest rate of a group less the smallest, a ratio the smallest over the largest. Against "
        "the overall rate, the group that is furthest from it counts, in either direction; a ratio above one is turned "
        "over. A limit that is stated for ratios says nothing about differences.",
    ),
    "note",
)


def to_overall(book: Book) -> list[tree.Block]:
    """Every group against the rate of all groups together."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("fairness"):
        details = result["details"]
        if not details or not details["to_overall"]:
            continue
        for attribute, rows in groups.in_order(book, details["to_overall"]):
            rate, overall = (details[key][str(attribute.value)] for key in ("rate", "overall"))
            for row in rows:
                cells = [
                    parts(*blocks.number(row[how]), " ", *blocks.ends(row[f"{how}_low"], row[f"{how}_high"]))
                    if row.value.get(how) is not None
                    else blocks.NOTHING
                    for how in ("difference", "ratio")
                ]
                used = (row["rows"].fact("count"),)
                lines.append(
                    ((_capital(rate),), (attribute,), (row["group"].fact(),), used, blocks.number(overall), *cells)
                )
    if not lines:
        return []
    caption = tree.say(
        "Every group against the overall rate, each interval by itself at level {level}", level=blocks.level(book)
    )
    heads = ("Rate", "Attribute", "Group", "Rows used", "Overall", "Difference to overall", "Ratio to overall")
    return [Table(caption, heads, tuple(lines), frozenset({3, 4, 5, 6}), fold=len(lines) > blocks.LONG)]


def corrections(book: Book) -> list[tree.Block]:
    """For each measure and slice, how many comparisons its interval holds for at once, and by which correction."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("fairness"):
        if result["details"] and result["details"]["correction"]:
            lines += [
                ((result["title"].fact(),), (attribute,), (said.fact(),))
                for attribute, said in groups.in_order(book, result["details"]["correction"])
            ]
    if not lines:
        return []
    heads = ("Measure", "Attribute", "The end of the interval towards equality holds at once for")
    return [Table(("Correction for several comparisons",), heads, tuple(lines), fold=len(lines) > blocks.LONG)]


def rows_needed(book: Book) -> list[tree.Block]:
    """For each gate that stayed open, how many more test rows would settle it, and in which groups."""
    lines: list[tuple[Parts, ...]] = [
        ((result["title"].fact(),), (entry["slice"].fact(),), blocks.threshold(entry), *_needed(entry))
        for result in book.family("fairness")
        for entry in (result["details"]["rows_needed"] if result["details"] else None) or ()
    ]
    if not lines:
        return []
    heads = ("Measure", "Slice", "Threshold", "More test rows", "In which groups", "Would then")
    note = Paragraph(
        (
            "The groups with the fewest rows are filled up until the interval clears the threshold and no group is too "
            "small, with the rates held as measured. New rows will move the rates, so this is an estimate for "
            "planning, rounded up; it is no result.",
        ),
        "note",
    )
    table = Table(
        ("How many more rows would settle what stayed open",), heads, tuple(lines), frozenset({3}), prose=True
    )
    return [table, note]


def _needed(entry: Node) -> tuple[Parts, ...]:
    if entry["status"].value is None:
        return (("no number would",), blocks.NOTHING, ("stay open: the measured value is too near to the threshold",))
    names = parts(
        *(p for group, rows in entry["groups"].items() for p in ("; ", _name(group), ": ", rows.fact("count")))
    )[1:]
    return ((entry["total"].fact("count"),), names or blocks.NOTHING, (_forecast(entry["status"]),))


def _name(group: Fact) -> Fact:
    """`attribute=group` without the attribute, which stands in the column of the slice."""
    return dataclasses.replace(group, value=str(group.value).partition("=")[2], derivation="name of the group")


def _forecast(status: Node) -> Fact:
    """The answer if the rates stay, in words that do not read as an answer that was given."""
    words = {"pass": "be in its favour", "fail": "be against it"}
    return status.derived(words[str(status.value)], "answer in words")


def _cells(measure: Node | None) -> tuple[Parts, Parts]:
    """Value and interval."""
    if measure is None:
        return blocks.NOTHING, blocks.NOTHING
    value = blocks.value(measure) if measure.value["value"] is not None else ("undefined",)
    return value, blocks.interval(measure)


def _with_group(measure: Node | None) -> tuple[Parts, Parts, Parts]:
    """The group that a measure names, then value and interval."""
    known = measure is not None and measure.value["value"] is not None and bool(measure["note"])
    return ((measure["note"].fact(),) if measure is not None and known else blocks.NOTHING, *_cells(measure))


def _capital(rate: Node) -> Fact:
    shown = str(rate.value)
    return rate.derived(shown[:1].upper() + shown[1:], "with a capital")
