"""Prediction sets and intervals: coverage per class and group against the nominal level, sizes, how to form them."""

from __future__ import annotations

from model_cards import blocks, figures, tree
from model_cards import groups as groups_
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Paragraph, Parts, Table, parts

COVERAGE, SIZE, WIDTH = "explanation.conformal_coverage", "explanation.set_size", "explanation.interval_width"


def measured(book: Book, check_id: str) -> Node | None:
    """The result of a check whose headline has a value and that holds details."""
    result = book.result(check_id)
    if result is None or not result["details"]:
        return None
    measure = next(iter(result["measures"]), None)
    return result if measure is not None and measure.value["value"] is not None else None


def kind(book: Book) -> str:
    """What is formed: a set of classes, or an interval."""
    return "prediction interval" if book["encode"].value["task"] == "regression" else "prediction set"


def summary(book: Book) -> list[Parts]:
    """Coverage and size in a sentence or two."""
    result = measured(book, COVERAGE)
    if result is None:
        return []
    level, one = result["details"]["level"], result["measures"][0]
    sentence = tree.say(
        "{kind}s at nominal level {level} hold the truth for {value} {interval} of the test rows",
        kind=kind(book).capitalize(),
        level=level.fact("exact"),
        value=blocks.value(one),
        interval=blocks.interval(one),
    )
    extent = measured(book, SIZE) or measured(book, WIDTH)
    if extent is not None:
        words = "; their mean size is {size}." if extent.value["check_id"] == SIZE else "; they are {size} wide."
        sentence += tree.say(words, size=blocks.value(extent["measures"][0]))
    return [sentence, *_overall(one, float(level.value)), *_not_reached(book, result)]


def _overall(measure: Node, level: float) -> list[Parts]:
    """Said of all test rows before any class or group."""
    high = measure.value["interval"]["high"] if measure.value["interval"] else None
    if high is None or high >= level:
        return []
    return [("Over all test rows they hold it less often than the nominal level, by the whole of the interval.",)]


def _not_reached(book: Book, result: Node) -> list[Parts]:
    """Classes and groups whose whole interval lies below the nominal level."""
    level = float(result["details"]["level"].value)
    of_groups = groups_.in_order(book, result["details"]["groups"])
    rows: list[tuple[Parts, Node]] = [((), row) for row in result["details"]["classes"] or ()]
    rows += [((attribute, " "), row) for attribute, own in of_groups for row in own]
    names = [_named(before, row) for before, row in rows if row.value["high"] is not None and row.value["high"] < level]
    if not names:
        return []
    listed = tree.joined(names, "; ")
    said = [tree.say("They hold it less often than that, by the whole of the interval, for: {names}.", names=listed)]
    return [*said, (SMALLEST,)] if any(before for before, row in rows if _named(before, row) in names) else said


SMALLEST = (
    "Each of these intervals is of one group or class by itself. The tables give an attribute the smallest coverage of "
    "its groups with an interval that holds for whichever group has the smallest, so that the same coverage stands "
    "there with a wider one; where groups with too few rows are left out, fewer groups are compared, and it is "
    "another again."
)
"""Why one coverage stands with several intervals."""


def _named(before: Parts, row: Node) -> Parts:
    return parts(
        before, row["group"].fact(), " ", row["value"].fact("number"), " ", blocks.ends(row["low"], row["high"])
    )


def section(book: Book) -> list[tree.Block]:
    """Everything about the sets; nothing where they were not measured."""
    result = measured(book, COVERAGE)
    if result is None:
        return []
    return [
        *_expected(result),
        CAVEAT,
        _rules(book, result),
        *_drawn(book, result),
        *_counted(book, result),
    ]


CAVEAT = Paragraph(
    (
        "The promise of such sets holds for new rows that are exchangeable with the validation rows on which they were "
        "calibrated; where rows belong to entities, for new entities. The best epoch and the decision threshold were "
        "chosen on the same validation rows, so the sets may be slightly too small. That is why the coverage is "
        "measured on the test rows. It is a statement about many rows, not about a single one.",
    ),
    "note",
)


def _expected(result: Node) -> list[tree.Block]:
    found = result["details"]["expected"]
    if not found:
        return []
    sentence = tree.say(
        "If validation and test rows are exchangeable, the coverage of so many rows lies within {ends}.",
        ends=blocks.ends(found["low"], found["high"]),
    )
    return [Paragraph(sentence)]


def _rules(book: Book, result: Node) -> Table:
    """How whoever operates the model forms the sets."""
    rows = result["details"]["thresholds"]
    by_class = any(row.value.get("class") for row in rows)
    lines = []
    for row in rows:
        name: tuple[Parts, ...] = ((row["class"].fact(),),) if by_class else ()
        lines.append(((row["level"].fact("exact"),), *name, (row["rule"].fact(),), (row["rows"].fact("count"),)))
    heads = ("Nominal level", *(("Class",) if by_class else ()), "What belongs to it", "Validation rows")
    caption = tree.say("How to form a {kind}", kind=kind(book))
    last = len(heads) - 1
    return Table(caption, heads, tuple(lines), frozenset({last}), prose=True, fold=len(lines) > blocks.LONG)


def _drawn(book: Book, result: Node) -> list[tree.Block]:
    """Coverage per class and group against the nominal level, and the sizes."""
    level = result["details"]["level"]
    shown = []
    least = book.plan["policy"]["minimum_group_size"].value
    if result["details"]["classes"]:
        shown.append(("class", _intervals(result["details"]["classes"], least)))
    for attribute, rows in groups_.in_order(book, result["details"]["groups"]):
        shown.append((str(attribute.value).replace("_", " "), _intervals(rows, least)))
    shown = [(heading, rows) for heading, rows in shown if rows]
    drawn = []
    if shown:
        alt = tree.say(
            "Share of the rows of each class and group whose {kind} holds the truth, with its own interval; n is the "
            "rows it is computed from. The line is the nominal level {level}. The numbers stand in the table below.",
            kind=kind(book),
            level=level.fact("exact"),
        )
        drawing = figures.intervals(shown, "Coverage", upright=(float(level.value), "nominal level"))
        title = "Coverage per class and group" if result["details"]["classes"] else "Coverage per group"
        drawn.append(Figure((title,), drawing, alt))
    sizes = _sizes(book)
    found = [*drawn, *([sizes] if sizes else [])]
    return [tree.Figures(tuple(found))] if found else []


def _intervals(rows: Node, least: int) -> list[figures.Interval]:
    return [
        figures.Interval(
            str(r.value["group"]), r.value["value"], r.value["low"], r.value["high"], r.evidence, r.value["n"],
            r.value["n"] < least,
        )
        for r in rows
        if r.value["value"] is not None
    ]  # fmt: skip


def _sizes(book: Book) -> Figure | None:
    result = measured(book, SIZE)
    rows = result["details"]["sizes"] if result is not None and result["details"] else None
    if not rows:
        return None
    last = max(i for i, row in enumerate(rows) if row.value["rows"])
    bars = [
        figures.Bar(row["size"].fact("count").shown, row.value["rows"], row["rows"].fact("count").shown, row.evidence)
        for row in list(rows)[: max(last, 1) + 1]
    ]
    alt = tree.say(
        "Test rows by the number of classes in their prediction set. An empty set says that no class fits well enough; "
        "a set of several classes, that the model cannot tell them apart at this level. Mean size {mean}.",
        mean=blocks.value(result["measures"][0]) if result is not None else (),
    )
    return Figure(("Classes in the prediction set",), figures.bars(bars, "Test rows"), alt)


def _counted(book: Book, result: Node) -> list[tree.Block]:
    lines: list[tuple[Parts, ...]] = [(("class",), *_cells(row)) for row in result["details"]["classes"] or ()]
    for attribute, rows in groups_.in_order(book, result["details"]["groups"]):
        lines += [((attribute,), *_cells(row)) for row in rows]
    if not lines:
        return []
    caption = tree.say("Coverage of every class and group, intervals at level {level}", level=blocks.level(book))
    heads = ("Attribute", "Group", "Rows", "Coverage", "Interval")
    return [Table(caption, heads, tuple(lines), frozenset({2, 3, 4}), fold=len(lines) > blocks.LONG)]


def _cells(row: Node) -> tuple[Parts, ...]:
    name: Fact = row["group"].fact()
    return ((name,), (row["n"].fact("count"),), blocks.number(row["value"]), blocks.ends(row["low"], row["high"]))
