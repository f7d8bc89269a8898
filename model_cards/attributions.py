"""What the outputs rest on: permutation importance and integrated gradients, protected attributes marked."""

from __future__ import annotations

from model_cards import blocks, figures, tree
from model_cards.prediction_sets import measured
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Paragraph, Parts, Table, parts

PERMUTATION, GRADIENTS = "explanation.permutation_importance", "explanation.integrated_gradients"
COMPLETENESS, AGREEMENT = "explanation.completeness", "explanation.attribution_agreement"
DRAWN = 15
"""So many features are drawn, the heaviest ones; all stand in the table."""
NAMED = 3
"""So many features are named in the summary."""


def summary(book: Book) -> list[Parts]:
    """The heaviest features, and which inputs are protected attributes."""
    result = measured(book, PERMUTATION)
    if result is None:
        return []
    rows = list(result["details"]["features"])
    sure = [row for row in rows if row.value["low"] is not None and row.value["low"] > 0]
    names = tree.joined((_named(row) for row in sure[:NAMED]), "; ")
    sentence = (
        tree.say(
            "These rows show of no feature that the outputs rest on it: every interval of the rise of the {loss} when "
            "a feature is shuffled holds zero (the intervals of all features hold together at level {level}).",
            loss=result["details"]["loss"].fact(),
            level=blocks.level(book),
        )
        if not sure
        else tree.say(
            "The outputs rest on these features beyond chance, the heaviest first: {names} (rise of the {loss} when "
            "the feature is shuffled; the intervals of all features hold together at level {level}).",
            names=names,
            loss=result["details"]["loss"].fact(),
            level=blocks.level(book),
        )
    )
    mine = [row for row in rows if row.value["protected"]]
    if not book.plan["data"]["protected"]:
        return [sentence]
    if not mine:
        return [sentence, ("No protected attribute is an input by itself; others may stand for one.",)]
    marked = tree.joined((_named(row) for row in mine), "; ")
    return [sentence, tree.say("Protected attributes among the inputs: {marked}.", marked=marked)]


def _named(row: Node) -> Parts:
    shown: Parts = (row["feature"].fact("name"), " ", row["value"].fact("number"), " ")
    return parts(shown, blocks.ends(row["low"], row["high"]), *_protected(row))


def _protected(row: Node) -> Parts:
    return tree.say(", protected: {name}", name=row["protected"].fact()) if row.value["protected"] else ()


def section(book: Book) -> list[tree.Block]:
    """Both kinds of attribution; nothing where neither was measured."""
    shuffled, gradients = measured(book, PERMUTATION), measured(book, GRADIENTS)
    drawn = [f for f in (_figure(book, shuffled), _figure(book, gradients)) if f is not None]
    found: list[tree.Block] = [tree.Figures(tuple(drawn))] if drawn else []
    if len(drawn) > 1:
        found.append(READING)
    if shuffled is not None:
        found.append(_permutation_table(book, shuffled))
    if gradients is not None:
        found += [_how(gradients), _gradient_table(book, gradients)]
    return found


READING = Paragraph(
    (
        "The two say different things. Shuffling asks what the model loses without a feature; what it shares with "
        "another feature then counts for neither. Integrated gradients ask what a feature adds to an output between a "
        "baseline and its value, right or wrong. Neither says that a feature causes anything in the world.",
    ),
    "note",
)


def _figure(book: Book, result: Node | None) -> Figure | None:
    if result is None or not result["details"] or not result["details"]["features"]:
        return None
    rows = list(result["details"]["features"])[:DRAWN]
    shown = [
        figures.Interval(
            str(row.value["feature"]) + (" (protected)" if row.value["protected"] else ""),
            row.value["value"],
            row.value["low"],
            row.value["high"],
            row.evidence,
        )
        for row in rows
    ]
    all_ = result["details"]["features"].size("features")
    alt = tree.say(
        "{title}, heaviest first: {shown} of {all} features, one mark with its interval each. The intervals of all "
        "features hold together at level {level}. The numbers stand in the table below.",
        title=result["title"].fact(),
        shown=result["details"]["features"].derived(len(rows), "features drawn", "count"),
        all=all_,
        level=blocks.level(book),
    )
    loss = result["details"].value.get("loss")
    words = f"Rise of the {loss}" if loss else f"Mean size, in {result['measures'][0].value['unit']}"
    return Figure((result["title"].fact(),), figures.intervals([("", shown)], words, upright=(0.0, "")), alt)


def _permutation_table(book: Book, result: Node) -> Table:
    rows = result["details"]["features"]
    accuracy = any("accuracy" in row.value for row in rows)
    lines = []
    for row in rows:
        extra: tuple[Parts, ...] = ()
        if accuracy:
            extra = ((row["accuracy"].fact("number"),), blocks.ends(row["accuracy_low"], row["accuracy_high"]))
        alike = tree.joined(name.fact("name") for name in row["alike"]) or blocks.NOTHING
        lines.append(
            (
                (row["feature"].fact("name"),),
                (row["protected"].fact(),) if row.value["protected"] else blocks.NOTHING,
                (row["value"].fact("number"),),
                blocks.ends(row["low"], row["high"]),
                *extra,
                alike,
            )
        )
    fall = ("Fall of the accuracy", "Interval") if accuracy else ()
    heads = ("Feature", "Protected attribute", "Rise of the loss", "Interval", *fall, "Goes together with")
    caption = tree.say(
        "{title} on {rows} test rows, {repeats} shuffles; the intervals of a column hold together at level {level}",
        title=result["title"].fact(),
        rows=result["measures"][0]["n"].fact("count"),
        repeats=result["details"]["repeats"].fact("count"),
        level=blocks.level(book),
    )
    numeric = frozenset(range(2, len(heads) - 1))
    return Table(caption, heads, tuple(lines), numeric, fold=len(lines) > blocks.LONG)


def _how(result: Node) -> Paragraph:
    details = result["details"]
    sentence = tree.say(
        "Integrated gradients of: {output}. Baseline: {baseline}. {steps} points on the line.",
        output=details["output"].fact(),
        baseline=details["baseline"].fact(),
        steps=details["steps"].fact("count"),
    )
    if details["not_attributed"]:
        names = tree.joined(name.fact("name") for name in details["not_attributed"])
        sentence += tree.say(" Nothing is said about: {names}, since no line runs between categories.", names=names)
    return Paragraph(sentence)


def _gradient_table(book: Book, result: Node) -> Table:
    lines = tuple(
        (
            (row["feature"].fact("name"),),
            (row["protected"].fact(),) if row.value["protected"] else blocks.NOTHING,
            (row["value"].fact("number"),),
            blocks.ends(row["low"], row["high"]),
            (row["mean"].fact("number"),),
        )
        for row in result["details"]["features"]
    )
    caption = tree.say(
        "{title} on {rows} test rows, in {unit}; the intervals hold together at level {level}",
        title=result["title"].fact(),
        rows=result["measures"][0]["n"].fact("count"),
        unit=result["measures"][0]["unit"].fact(),
        level=blocks.level(book),
    )
    heads = ("Feature", "Protected attribute", "Mean size", "Interval", "Mean with its sign")
    return Table(caption, heads, lines, frozenset({2, 3, 4}), fold=len(lines) > blocks.LONG)
