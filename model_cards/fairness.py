"""The section on fairness: gaps between groups, and every group with its interval and size."""

from __future__ import annotations

import dataclasses

from model_cards import blocks, figures, performance, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Paragraph, Parts, Section, parts


def use_of_attributes(book: Book) -> tree.Block:
    """Which protected attributes there are and whether the model sees them, as the encoded features show."""
    declared = list(book.plan["data"]["protected"])
    if not declared:
        return Paragraph(("The plan declares no protected attribute, so no groups were compared.",))
    features = book["encode"]["features"]
    lines = []
    for attribute in declared:
        seen = features.first(name=attribute.value["column"])
        source = (seen["name"] if seen else features).derived("yes" if seen else "no", "is the column among the inputs")
        lines.append(
            (
                (attribute["name"].fact(),),
                (attribute["column"].fact("name"),),
                (source,),
                (attribute["special_category"].fact(),),
            )
        )
    return tree.Table(
        ("Protected attributes",),
        ("Attribute", "Column", "Input of the model", "Special category"),
        tuple(lines),
    )


@dataclasses.dataclass
class _Rate:
    """One rate (selection rate, true positive rate, …) with the groups of each attribute that it was measured for."""

    name: Fact
    groups: dict[str, tuple[Fact, Node]]
    """Attribute to its name and rows of plotting data."""
    small: set[str]
    """Groups too small for this rate, as `attribute=group`."""
    unit: Fact | None
    """Unit of the rate, where it has one."""


def _rates(book: Book) -> list[_Rate]:
    """Every rate once: several checks compare the same rate of the same groups."""
    found: dict[str, _Rate] = {}
    for result in book.family("fairness"):
        details = result["details"]
        for attribute, rows in _in_order(book, details["groups"]) if details else ():
            named = details["rate"] and details["rate"][str(attribute.value)]
            name = named.fact() if named else result["title"].fact()
            rate = found.setdefault(name.shown, _Rate(name, {}, set(), _unit(result)))
            if str(attribute.value) not in rate.groups:
                rate.groups[str(attribute.value)] = (attribute, rows)
                rate.small |= {str(g.value) for g in details["small_groups"]}
    return list(found.values())


def _in_order(book: Book, groups: Node) -> list[tuple[Fact, Node]]:
    """Attributes and intersections as the plan declares them; any other one after them."""
    data = book.plan.value["data"]
    names = [p["name"] for p in data["protected"]] + [" × ".join(names) for names in data["intersections"]]
    order = {name: index for index, name in enumerate(names)}
    return sorted(groups.items(), key=lambda item: order.get(str(item[0].value), len(order)))


def drawn(book: Book) -> list[Figure]:
    """One figure for each rate: the groups of every attribute with their intervals."""
    return [figure for rate in _rates(book) if (figure := _figure(rate))]


def _figure(rate: _Rate) -> Figure | None:
    blocks_ = []
    for attribute, rows in rate.groups.values():
        shown = [_interval(row, str(attribute.value), rate.small) for row in rows if row["value"].value is not None]
        if shown:
            blocks_.append((str(attribute.value).replace("_", " "), shown))
    if not blocks_:
        return None
    hollow = " Hollow marks are groups too small to be judged." if any(i.small for _, g in blocks_ for i in g) else ""
    alt = tree.say(
        "{rate}: one mark with its interval for each group; n is the rows it is computed from.{hollow} The numbers "
        "stand in the table below.",
        rate=_title(rate),
        hollow=hollow,
    )
    return Figure(
        (_title(rate), " per group"),
        figures.intervals(blocks_, _title(rate).shown + (f" ({rate.unit.shown})" if rate.unit else "")),
        alt,
    )


def _unit(result: Node) -> Fact | None:
    first = next(iter(result["measures"]), None)
    return None if first is None or first.value["unit"] == "1" else first["unit"].fact()


def _title(rate: _Rate) -> Fact:
    shown = str(rate.name.value)
    return dataclasses.replace(rate.name, value=shown[:1].upper() + shown[1:])


def _interval(row: Node, attribute: str, small: set[str]) -> figures.Interval:
    v = row.value
    n = v["n"] if v.get("rows") is None else v["rows"]
    tiny = f"{attribute}={v['group']}" in small or v["group"] in small
    return figures.Interval(str(v["group"]), v["value"], v.get("low"), v.get("high"), row.evidence, n, tiny)


def groups(book: Book) -> tree.Table | None:
    """Every group for every rate: size, rows used, value, interval."""
    lines = [
        (
            (_title(rate),),
            (attribute,),
            (row["group"].fact(),),
            _count(row["n"]),
            _count(row["rows"]),
            blocks.number(row["value"]),
            blocks.ends(row["low"], row["high"]),
        )
        for rate in _rates(book)
        for attribute, rows in rate.groups.values()
        for row in rows
    ]
    if not lines:
        return None
    return tree.Table(
        ("Every group: rows of the group, rows that the rate is computed from, rate",),
        ("Rate", "Attribute", "Group", "Group rows", "Rows used", "Value", "Interval"),
        tuple(lines),
        frozenset({3, 4, 5, 6}),
        fold=len(lines) > blocks.LONG,
    )


def small_groups(book: Book) -> Paragraph:
    """Which groups are too small or empty."""
    listed = [
        node.fact()
        for result in book.family("fairness")
        if result["details"]
        for key in ("small_groups", "empty_groups")
        for node in result["details"][key]
    ]
    least = book.plan["policy"]["minimum_group_size"].fact("count")
    once = {fact.shown: fact for fact in listed}
    if not once:
        return Paragraph(tree.say("For every rate, every group has at least {least} test rows.", least=least))
    names = parts(*((", ", fact) for fact in once.values()))[1:]
    sentence = (
        "For at least one rate, these groups have fewer than {least} test rows, and nothing is passed on them: {names}."
    )
    return Paragraph(tree.say(sentence, least=least, names=names))


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    if not book.family("fairness"):
        none = Paragraph(("No fairness check was recorded.",))
        return Section("fairness", "Fairness", (use_of_attributes(book), none))
    figures_ = drawn(book)
    table = groups(book)
    inner: list[tree.Block] = [
        use_of_attributes(book),
        *performance.measures(book, "fairness"),
        *performance.without_value(book, "fairness"),
        small_groups(book),
    ]
    if figures_:
        inner.append(tree.Figures(tuple(figures_)))
    else:
        inner.append(Paragraph(("No figure: the evidence holds no values per group.",), "note"))
    return Section("fairness", "Fairness", (*inner, table) if table else tuple(inner))


def _count(node: Node) -> Parts:
    return (node.fact("count"),) if node.value is not None else blocks.NOTHING
