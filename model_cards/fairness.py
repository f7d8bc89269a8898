"""The section on fairness: gaps between groups, and every group with its interval and size."""

from __future__ import annotations

import dataclasses

from model_cards import blocks, effect, fairness_comparisons, figures, given, meaning, performance, special, tree
from model_cards import groups as groups_
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Figure, Paragraph, Parts, Section, parts


def use_of_attributes(book: Book) -> tree.Block:
    """Which protected attributes there are and whether the model sees them, as the encoded features show."""
    declared = list(book.plan["data"]["protected"])
    if not declared:
        return Paragraph(("The plan declares no protected attribute, so no groups were compared.",))
    features, ours = book["encode"]["features"], given.has_model(book)
    lines = []
    for attribute in declared:
        seen = features.first(name=attribute.value["column"])
        source = (seen["name"] if seen else features).derived("yes" if seen else "no", "is the column among the inputs")
        if not ours:
            source = attribute["use_in_model"].fact()
        lines.append(
            (
                (attribute["name"].fact(),),
                (attribute["column"].fact("name"),),
                (source,),
                (_special(attribute),),
            )
        )
    return tree.Table(
        ("Protected attributes",),
        ("Attribute", "Column", "Input of the model" if ours else "Input of the model, as stated", "Special category"),
        tuple(lines),
    )


def _special(attribute: Node) -> Fact | Gap:
    """Whether it is a special category; what nobody has stated is a gap, not a no."""
    stated = attribute["special_category"]
    return special.gap(attribute) if stated.value is None else stated.fact()


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
        for attribute, rows in groups_.in_order(book, details["groups"]) if details else ():
            named = details["rate"] and details["rate"][str(attribute.value)]
            name = named.fact() if named else result["title"].fact()
            rate = found.setdefault(name.shown, _Rate(name, {}, set(), _unit(result)))
            if str(attribute.value) not in rate.groups:
                rate.groups[str(attribute.value)] = (attribute, rows)
                rate.small |= {str(g.value) for g in details["small_groups"]}
    return list(found.values())


MIRRORED = ("true negative rate", "false negative rate")
"""Rates that are one less another that is drawn: the tables hold them."""


def drawn(book: Book) -> list[Figure]:
    """One figure for each rate: the groups of every attribute with their intervals."""
    kept = (rate for rate in _rates(book) if not str(rate.name.value).startswith(MIRRORED))
    return [figure for rate in kept if (figure := _figure(rate))]


def _figure(rate: _Rate) -> Figure | None:
    blocks_ = []
    for attribute, rows in rate.groups.values():
        shown = [_interval(row, str(attribute.value), rate.small) for row in rows if row["value"].value is not None]
        if shown:
            blocks_.append((str(attribute.value).replace("_", " "), shown))
    if not blocks_:
        return None
    hollow = " Hollow marks rest on too few rows to be judged." if any(i.small for _, g in blocks_ for i in g) else ""
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
    return dataclasses.replace(rate.name, value=shown[:1].upper() + shown[1:], derivation="name, capitalised")


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
        tree.say(
            "Every group: rows of the group, rows that the rate is computed from, rate, interval at level {level}",
            level=blocks.level(book),
        ),
        ("Rate", "Attribute", "Group", "Group rows", "Rows used", "Value", "Interval"),
        tuple(lines),
        frozenset({3, 4, 5, 6}),
        fold=len(lines) > blocks.LONG,
    )


def small_groups(book: Book) -> list[tree.Block]:
    """Which rates rest on too few rows: rows of the group, or of the one class that the rate looks at."""
    rates = _rates(book)
    if not rates:
        return [Paragraph(("No groups were compared.",))]
    least = book.plan["policy"]["minimum_group_size"]
    lines: list[tuple[Parts, ...]] = []
    told: set[str] = set()
    for rate in rates:
        for attribute, rows in rate.groups.values():
            for row in rows:
                used = row["n"] if row["rows"].value is None else row["rows"]
                if used.value is not None and used.value < least.value:
                    told.add(f"{attribute.value}={row.value['group']}")
                    cells = ((attribute,), (row["group"].fact(),), (_title(rate),), _count(used), _count(row["n"]))
                    lines.append(cells)
    shown: list[tree.Block] = []
    if lines:
        sentence = (
            "These rates rest on fewer than {least} test rows, and nothing is passed on them. A group can be large "
        )
        sentence += "and still hold few rows of the one class that a rate looks at."
        shown.append(Paragraph(tree.say(sentence, least=least.fact("count"))))
        heads = ("Attribute", "Group", "Rate", "Rows the rate rests on", "Rows of the group")
        caption = ("Rates that rest on few rows",)
        shown.append(tree.Table(caption, heads, tuple(lines), frozenset({3, 4}), fold=len(lines) > blocks.LONG))
    return shown + _other_small(book, told, least, first=not lines)


def _other_small(book: Book, told: set[str], least: Node, *, first: bool) -> list[tree.Block]:
    """Groups that a check calls small or empty, though none of its rates that are listed is."""
    listed = {
        str(node.value): node.derived(str(node.value).replace("=", ": ", 1), "name in words")
        for result in book.family("fairness")
        if result["details"]
        for key in ("small_groups", "empty_groups")
        for node in result["details"][key] or ()
        if str(node.value) not in told
    }
    if listed:
        names = tree.joined(listed.values())
        sentence = "For at least one class, these groups have fewer than {least} test rows or none at all: {names}."
        return [Paragraph(tree.say(sentence, least=least.fact("count"), names=names))]
    if first:
        sentence = "Every rate of every group rests on at least {least} test rows."
        return [Paragraph(tree.say(sentence, least=least.fact("count")))]
    return []


def extremes(book: Book) -> list[tree.Block]:
    """Between which groups each measure stands: the lowest and the highest rate of every attribute."""
    lines: list[tuple[Parts, ...]] = []
    for rate in _rates(book):
        for attribute, rows in rate.groups.values():
            known = [row for row in rows if row["value"].value is not None]
            if len(known) > 1:
                known.sort(key=lambda row: float(row.value["value"]))
                lines.append(((_title(rate),), (attribute,), _end(known[0]), _end(known[-1])))
    if not lines:
        return []
    heads = ("Rate", "Attribute", "Lowest group", "Highest group")
    return [tree.Table(("Between which groups the rates lie",), heads, tuple(lines), fold=len(lines) > blocks.LONG)]


def _end(row: Node) -> Parts:
    used = row["n"] if row["rows"].value is None else row["rows"]
    return parts(row["group"].fact(), " ", row["value"].fact("number"), " (", used.fact("count"), " rows)")


TWO_INTERVALS = Paragraph(
    (
        "A gap between groups has an interval that holds for all pairs of its groups at once; a single group has an "
        "interval of its own. The two answer different questions: the ends of a gap do not follow from the ends of its "
        "groups. Where checks on data name an interval for the extreme of several comparisons, it is widened for their "
        "number in the same way.",
    ),
    "note",
)


def definitions(book: Book) -> list[tree.Block]:
    """How the groups are defined, where there are any."""
    return [groups_.definitions(book)] if book.plan["data"]["protected"] else []


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    if not book.family("fairness"):
        none = Paragraph(("No fairness check was recorded.",))
        return Section("fairness", "Fairness", (use_of_attributes(book), none))
    figures_ = drawn(book)
    table = groups(book)
    inner: list[tree.Block] = [
        use_of_attributes(book),
        *definitions(book),
        *effect.positive(book),
        *performance.measures(book, "fairness", fairness_comparisons.BESIDE),
        *fairness_comparisons.basis(book),
        *fairness_comparisons.rows_needed(book),
        *fairness_comparisons.between(book),
        *fairness_comparisons.to_overall(book),
        *extremes(book),
        *(() if not table else (TWO_INTERVALS,)),
        *small_groups(book),
        *meaning.table(book, "fairness"),
        *fairness_comparisons.corrections(book),
        *performance.methods(book, "fairness"),
        *performance.without_value(book, "fairness"),
    ]
    if figures_:
        inner.append(tree.Figures(tuple(figures_)))
    else:
        inner.append(Paragraph(("No figure: the evidence holds no values per group.",), "note"))
    return Section("fairness", "Fairness", (*inner, table) if table else tuple(inner))


def _count(node: Node) -> Parts:
    return (node.fact("count"),) if node.value is not None else blocks.NOTHING
