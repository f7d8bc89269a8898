"""Protected attributes and their groups as the plan defines them."""

from __future__ import annotations

from model_cards import blocks
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Parts, Table, joined, parts


def in_order(book: Book, groups: Node) -> list[tuple[Fact, Node]]:
    """Attributes and intersections as the plan declares them; any other one after them."""
    data = book.plan.value["data"]
    names = [p["name"] for p in data["protected"]] + [" × ".join(names) for names in data["intersections"]]
    order = {name: index for index, name in enumerate(names)}
    return sorted(groups.items(), key=lambda item: order.get(str(item[0].value), len(order)))


def definitions(book: Book) -> Table:
    """Which values of which column make each group, with what the values mean."""
    lines: list[tuple[Parts, ...]] = []
    for attribute in book.plan["data"]["protected"]:
        column = book.plan["data"]["columns"].first(name=attribute.value["column"])
        rows: list[tuple[Parts, Parts]]
        head: tuple[Parts, ...] = ((attribute["name"].fact(),),)
        where: Parts = (attribute["column"].fact("name"),)
        if column is not None and column["description"]:
            where = parts(where, ": ", column["description"].fact())
        if attribute["groups"]:
            rows = [((name,), _listed(values, column)) for name, values in _as_encoded(book, attribute)]
        elif attribute["bins"]:
            unit: Parts = (" ", column["unit"].fact()) if column is not None and column["unit"] else ()
            edges = joined(edge.fact("exact") for edge in attribute["bins"])
            rows = [(names_of(book, attribute), parts("numbers, cut at ", edges, unit))]
        else:
            allowed = column["allowed"] if column is not None else None
            found = _listed(allowed, column) if allowed else ("as found",)
            rows = [(("every value is a group",), found)]
        lines += [(*head, name, where, values) for name, values in rows]
    columns = ("Attribute", "Group", "Column", "Values, with what they mean")
    return Table(("How the groups are defined",), columns, tuple(lines), prose=True)


def _as_encoded(book: Book, attribute: Node) -> list[tuple[Fact, Node]]:
    """The groups that the plan names, in the order of the plan: the encoding keeps it, a record sorts its keys."""
    known = book["encode"]["parts"]["test"]["groups"][attribute.value["name"]]
    order = [str(name) for name in known["names"].value] if known else []
    place = {name: index for index, name in enumerate(order)}
    return sorted(attribute["groups"].items(), key=lambda item: place.get(str(item[0].value), len(order)))


def names_of(book: Book, attribute: Node) -> Parts:
    """The names of the groups of an attribute, as the encoding gave them."""
    known = book["encode"]["parts"]["test"]["groups"][attribute.value["name"]]
    if not known:
        return blocks.NOTHING
    return joined((name.fact() for name in known["names"]), "; ")


def _listed(values: Node, column: Node | None) -> Parts:
    shown: Parts = ()
    for value in values:
        label = column["labels"][str(value.value)] if column is not None and column["labels"] else None
        meaning: Parts = (" (", label.fact(), ")") if label else ()
        shown += parts("; " if shown else (), value.fact(), meaning)
    return shown
