"""The contract of the model's input in words: which columns, of which kind, in which unit, within which limits."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import blocks, given, tree
from model_cards.language import Words
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Paragraph, Parts, Table, parts

MOST = 12
"""Categories that a table names; the plan, the schema of the log and `bundle.json` hold them all."""


def contract(book: Book) -> list[tree.Block]:
    """How a row is handed over."""
    if not given.has_model(book):
        return [Paragraph((given.NO_MODEL,))]
    tensor = book["export"]["inputs"][0]
    return [
        Paragraph(
            tree.say(
                "One tensor {name} of type {dtype}, a row for each case, with the {count} columns below in this order. "
                "A category is given as its code, counted from zero in the order of its list; a missing value, and a "
                "category that is not on the list, as the floating-point value that is no number. Lists that are cut "
                "short here stand whole in {schema}.",
                schema=Words("log_schema.json"),
                name=tensor["name"].fact("name"),
                dtype=tensor["dtype"].fact("name"),
                count=book["encode"]["features"].size("inputs"),
            )
        )
    ]


def table(book: Book) -> list[tree.Block]:
    """Every input with its meaning, unit and limits, and how its values were spread in training."""
    if not book["encode"]["features"]:
        return []
    lines = tuple(_line(book, feature) for feature in book["encode"]["features"])
    caption = (
        "The inputs in their order; usual is where eight tenths of the training rows lie, or the most frequent "
        "category",
    )
    heads = ("Input", "Kind and unit", "Allowed", "Usual", "Missing in training rows")
    return [Table(caption, heads, lines, frozenset({4}), prose=True, fold=len(lines) > 2 * blocks.LONG)]


def _line(book: Book, feature: Node) -> tuple[Parts, ...]:
    column = book.plan["data"]["columns"].first(name=feature.value["name"])
    spread = distribution(book, str(feature.value["name"]))
    return (
        named(feature, column),
        with_unit(kind(feature), feature),
        _allowed(feature, column),
        usual(book, spread),
        (spread["missing"].fact("percent"),) if spread is not None else blocks.NOTHING,
    )


def named(feature: Node, column: Node | None) -> Parts:
    """The name of a column, with what it means where the plan says so: a column of its own would mostly be empty."""
    words = column["description"] if column is not None else None
    return parts(feature["name"].fact("name"), *((": ", words.fact()) if words else ()))


def with_unit(kind: Fact, feature: Node) -> Parts:
    """`whole number, days`; without its unit where it has none."""
    return parts(kind, *((", ", feature["unit"].fact()) if feature["unit"] else ()))


KINDS = {"categorical": "category", "integer": "whole number", "numeric": "number"}
"""Kinds of columns, in the words in which every document names them."""


ROLES = {
    "feature": "input",
    "target": "to be predicted",
    "protected": "to compare groups",
    "entity": "person or thing of the row",
    "prediction": "what was predicted",
    "ignored": "not used",
}
"""Roles of columns in words: a plan's own words for them say little to who reads a datasheet."""


def role_of(column: Node) -> Fact:
    """What a column is for."""
    return column["role"].derived(ROLES[str(column["role"].value)], "role in words")


def kind_of(column: Node) -> Fact:
    """Of a column as the plan declares it, `number`, `whole number` or `category`."""
    return column["kind"].derived(KINDS[str(column["kind"].value)], "kind in words")


def kind(feature: Node) -> Fact:
    """`number`, `whole number` or `category`."""
    if feature.value["kind"] == "categorical":
        return feature["kind"].derived("category", "kind in words")
    words = "whole number" if feature.value["integer"] else "number"
    return feature["integer"].derived(words, "kind in words")


def distribution(book: Book, feature: str) -> Node | None:
    """How an input was spread, where that is told."""
    return book["reference"]["inputs"].first(feature=feature) if book["reference"] else None


def _allowed(feature: Node, column: Node | None) -> Parts:
    if feature.value["kind"] == "categorical":
        return categories(feature)
    return limits(column) if column is not None else blocks.NOTHING


def allowed(column: Node | None) -> Parts:
    """What the plan declares that a column may hold: its limits, or the first values with what they mean."""
    if column is None or (column.value["kind"] == "categorical" and not column["allowed"]):
        return blocks.NOTHING
    if column.value["kind"] != "categorical":
        return limits(column)
    shown: Parts = ()
    for value in list(column["allowed"])[:MOST]:
        label = column["labels"][str(value.value)] if column["labels"] else None
        shown += parts("; " if shown else (), value.fact(), *((" (", label.fact(), ")") if label else ()))
    rest = len(column["allowed"].value) - MOST
    if rest > 0:
        shown += tree.say("; and {rest} more", rest=column["allowed"].derived(rest, "values not named here", "count"))
    return shown


def whole_lists(columns: Iterable[Node]) -> list[tree.Block]:
    """Where the lists stand whole that `allowed` cuts short; nothing where it cuts none."""
    declared = (column["allowed"] for column in columns if column.value["kind"] == "categorical")
    if not any(allowed and len(allowed.value) > MOST for allowed in declared):
        return []
    return [Paragraph(("Lists that are cut short here stand whole in the plan, under data.columns.",), "note")]


def limits(column: Node) -> Parts:
    """The limits of a number that the plan states, in words."""
    low, high = column["minimum"], column["maximum"]
    if low.value is None and high.value is None:
        return ("no limit stated",)
    if high.value is None:
        return tree.say("{low} or more", low=low.fact("exact"))
    if low.value is None:
        return tree.say("up to {high}", high=high.fact("exact"))
    return tree.say("{low} to {high}", low=low.fact("exact"), high=high.fact("exact"))


def categories(feature: Node) -> Parts:
    """The first categories with what they mean, in the order of their codes, and how many more there are."""
    known = list(feature["categories"])
    shown: Parts = ()
    for category in known[:MOST]:
        label = feature["labels"][str(category.value)] if feature["labels"] else None
        shown += parts("; " if shown else (), category.fact(), *((" (", label.fact(), ")") if label else ()))
    if len(known) > MOST:
        rest = feature["categories"].derived(len(known) - MOST, "categories not named here", "count")
        shown += tree.say("; and {rest} more", rest=rest)
    return shown or blocks.NOTHING


def usual(book: Book, spread: Node | None) -> Parts:
    """The middle eight tenths of the values, or the most frequent category with what it means."""
    if spread is None:
        return blocks.NOTHING
    if spread.value["kind"] == "categorical":
        if not spread["categories"]:
            return blocks.NOTHING
        first = spread["categories"][0]
        feature = book["encode"]["features"].first(name=spread.value["feature"])
        label = feature["labels"][str(first.value)] if feature is not None and feature["labels"] else None
        return tree.say(
            "most often {category} ({share})",
            category=parts(first.fact(), *((", ", label.fact()) if label else ())),
            share=spread["shares"][0].fact("percent"),
        )
    return middle(spread)


def middle(spread: Node) -> Parts:
    """The range of the middle eight tenths of the values."""
    tenths = spread["tenths"]
    if not tenths:
        return blocks.NOTHING
    low, high = tenths[0], tenths[len(tenths.value) - 1]
    if low.value == high.value:
        return tree.say("mostly {low}", low=low.fact("exact"))
    return tree.say("{low} to {high}", low=low.fact("exact"), high=high.fact("exact"))
