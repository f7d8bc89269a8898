"""What stands beside the headlines of fairness: every rate between groups and to overall, corrections, rows needed."""

from __future__ import annotations

from model_cards import blocks, groups, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Paragraph, Parts, Table, parts

BESIDE = ("difference", "ratio", "difference_to_overall", "ratio_to_overall")
"""Measures that a check on a rate holds beside its headline."""


def between(book: Book) -> list[tree.Block]:
    """Every rate of every attribute: difference and ratio between its groups, and the furthest from overall."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("fairness"):
        own: dict[str, dict[str, Node]] = {}
        for measure in result["measures"]:
            own.setdefault(measure.value["name"], {})[measure.value["slice"]] = measure
        names = [f"{result.value['check_id']}.{which}" for which in BESIDE]
        if not any(own.get(name) for name in names):
            continue
        for attribute, rate in groups.in_order(book, result["details"]["rate"]):
            found = [own.get(name, {}).get(str(attribute.value)) for name in names]
            cells = [_with_interval(measure, group=index > 1) for index, measure in enumerate(found)]
            lines.append(((_capital(rate),), (attribute,), *cells))
    if not lines:
        return []
    caption = tree.say(
        "Every rate between groups and against the overall rate, intervals at level {level}", level=blocks.level(book)
    )
    heads = ("Rate", "Attribute", "Difference", "Ratio", "Furthest from overall", "Smallest ratio to overall")
    note = (
        "A difference is the largest rate of a group less the smallest, a ratio the smallest over the largest. Against "
        "the overall rate, the group that is furthest from it counts, in either direction; a ratio above one is turned "
        "over. A limit that is stated for ratios says nothing about differences.",
    )
    return [
        Table(caption, heads, tuple(lines), frozenset({2, 3, 4, 5}), fold=len(lines) > blocks.LONG),
        Paragraph(note, "note"),
    ]


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
    names = parts(*(p for group, rows in entry["groups"].items() for p in ("; ", group, ": ", rows.fact("count"))))[1:]
    return ((entry["total"].fact("count"),), names or blocks.NOTHING, (entry["status"].fact("status"),))


def _with_interval(measure: Node | None, *, group: bool) -> Parts:
    if measure is None:
        return blocks.NOTHING
    if measure.value["value"] is None:
        return ("undefined",)
    which: Parts = (", ", measure["note"].fact()) if group and measure["note"] else ()
    return parts(*blocks.value(measure), " ", *blocks.interval(measure), *which)


def _capital(rate: Node) -> Fact:
    shown = str(rate.value)
    return rate.derived(shown[:1].upper() + shown[1:], "with a capital")
