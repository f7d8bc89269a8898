"""Sections on measures and rows: differences with intervals, drawn and listed."""

from __future__ import annotations

from model_cards import figures, tree
from model_cards.modification import places
from model_cards.modification.places import NOTHING, Places
from model_cards.refs import Fact, Node
from model_cards.tree import Block, Paragraph, Parts, Section, Table, parts

MOST = 14
"""Rows of one figure: more do not fit on a printed page."""
LONG = 30
"""Rows of a table beyond which it is folded."""
FAMILIES = {
    "performance": "Performance",
    "fairness": "Groups",
    "robustness": "Robustness",
    "security": "Security",
    "explanation": "Explanation",
    "mitigation": "Mitigation",
    "data": "Data",
    "export": "Export",
}
DRAWN = ("performance", "fairness", "robustness")
"""Families whose headlines are drawn even where nothing moved, as far as there is room."""
NUMERIC = frozenset({2, 3, 4, 5})
HEADS = ("Measure", "Slice", "Before", "After", "Difference", "Interval", "Shows")


def gates(book: Places) -> list[Block]:
    """The gates of both plans with their answers, and by how much what they are laid on moved."""
    measures = list(book.record["measures"])
    lines = []
    for gate in book.record["gates"]:
        m = None if gate.value["measure"] is None else measures[gate.value["measure"]]
        lines.append(
            (
                parts(
                    gate["title"].fact(), *(() if gate.value["slice"] == "overall" else (", ", gate["slice"].fact()))
                ),
                _gate(gate, "before"),
                _gate(gate, "after"),
                NOTHING if m is None else parts(*_number(m["before"]), " → ", *_number(m["after"])),
                NOTHING if m is None else _signed(m["value"]),
                NOTHING if m is None else _interval(m),
            )
        )
    if not lines:
        return []
    caption = tree.say(
        "Gates of the plans: answers, and the difference of what they are laid on with its interval at level {level}",
        level=book.record["level"].fact("level"),
    )
    heads = ("Gate", "Before", "After", "Measured", "Difference", "Interval")
    return [Table(caption, heads, tuple(lines), frozenset({4, 5}))]


def _gate(gate: Node, side: str) -> Parts:
    """The answer and what was asked; a dash where the version has no such gate."""
    if gate.value[f"asked_{side}"] is None:
        return NOTHING
    answer: Parts = (gate[side].fact("status"),) if gate.value[side] is not None else ("no answer",)
    return parts(*answer, " (", gate[f"asked_{side}"].fact(), ")")


def section(book: Places) -> Section:
    """All measures that both versions have."""
    measures = list(book.record["measures"])
    if not measures:
        return Section("measures", "Measures", (Paragraph(("No measure was compared.",)),))
    shown = [m for m in measures if m.value["shown"] in ("worse", "better", "moved") and m.value["level"] is not None]
    blocks: list[Block] = [
        Paragraph(
            tree.say(
                "After less before. An interval holds the differences that the data do not rule out, each at the level "
                "{level} by itself; among many, some stay apart from zero by chance. A measure without a limit counts "
                "as moved only where it does so among all {judged} that are judged together.",
                level=book.record["level"].fact("level"),
                judged=book.record["judged"].fact("count"),
            )
        ),
        *_figures(book, measures),
        Table(
            ("Measures whose interval of the difference leaves zero out, the largest first",),
            HEADS,
            tuple(_row(m) for m in shown),
            NUMERIC,
            fold=len(shown) > LONG,
        )
        if shown
        else Paragraph(("No interval of a difference leaves zero out.",)),
        _methods(book),
    ]
    listed = [m for m in measures if m.value["name"] == m.value["check"] and m.value["shown"] != "equal"]
    for family, title in FAMILIES.items():
        of_family = [m for m in listed if _family(m) == family]
        if of_family:
            caption = f"{title}: the checks' own numbers that are not equal, overall and by group"
            blocks.append(Table((caption,), HEADS, tuple(_row(m) for m in of_family), NUMERIC, fold=True))
    blocks.append(
        Paragraph(
            tree.say(
                "Of {all} measures of both versions, {equal} are equal. Parts of checks stand in the record alone.",
                all=book.record["measures"].size("measures"),
                equal=book.record["equal"].fact("count"),
            ),
            "note",
        )
    )
    blocks += _only(book)
    return Section("measures", "Measures", tuple(blocks))


def _row(m: Node) -> tuple[Parts, ...]:
    part = str(m.value["name"]).removeprefix(str(m.value["check"]))[1:].replace("_", " ")
    more = (" (", m["name"].derived(part, "part of a check"), ")") if part else ()
    return (
        parts(m["title"].fact(), *more),
        (m["slice"].fact(),),
        _number(m["before"]),
        _number(m["after"]),
        _signed(m["value"]),
        _interval(m),
        (places.in_words(m["shown"], places.SHOWN),),
    )


def _family(m: Node) -> str:
    return str(m.value["check"]).partition(".")[0]


def _number(node: Node) -> Parts:
    return NOTHING if node.value is None else (node.fact("number"),)


def _signed(node: Node) -> Parts:
    if node.value is None:
        return NOTHING
    return parts("+" if float(node.value) > 0 else "", node.fact("number"))


def _interval(m: Node) -> Parts:
    if m.value["low"] is None or m.value["level"] is None:
        return NOTHING
    return ("[", m["low"].fact("number"), ", ", m["high"].fact("number"), "]")


def _methods(book: Places) -> Table:
    """How the intervals were made, and of how many measures, the most frequent first."""
    counted = sorted(book.record["methods"].items(), key=lambda pair: -int(pair[1].value))
    rows = tuple(((method,), (count.fact("count"),)) for method, count in counted)
    caption = ("How the intervals of the differences were made",)
    return Table(caption, ("Method", "Measures"), rows, frozenset({1}), fold=True)


def _only(book: Places) -> list[Block]:
    found: list[Block] = []
    for key, words in (("only_before", "Measured before only"), ("only_after", "Measured after only")):
        if book.record[key]:
            items = tuple((node.fact("name"),) for node in book.record[key])
            found += [Paragraph((f"{words}:",)), tree.Bullets(items)]
    return found


def _figures(book: Places, measures: list[Node]) -> list[Block]:
    """Differences with intervals and declared limits: one drawing for each unit."""
    limits = _limits(book)
    drawn = [m for m in measures if m.value["judged"]]
    drawn.sort(key=lambda m: (_key(m) not in limits, m.value["shown"] not in ("worse", "better")))
    made: list[tree.Figure] = []
    for unit in dict.fromkeys(str(m.value["unit"]) for m in drawn):
        for family, title in FAMILIES.items():
            of_family = [m for m in drawn if m.value["unit"] == unit and _family(m) == family]
            chosen = [m for m in of_family if _key(m) in limits or _worth(m)][:MOST]
            if chosen:
                made.append(_figure(title, chosen, limits, unit))
    if not made:
        return []
    note = (
        "The mark is the difference, the line its interval. The tall upright stroke is a declared limit on how much "
        "worse the measure may become. Left is less than before, right is more; which side is worse depends on the "
        "measure."
    )
    return [tree.Figures(tuple(made)), Paragraph((note,), "note")]


def _worth(m: Node) -> bool:
    return _family(m) in DRAWN or m.value["shown"] in ("worse", "better")


def _key(m: Node) -> tuple[str, str]:
    return str(m.value["name"]), str(m.value["slice"])


def _limits(book: Places) -> dict[tuple[str, str], float]:
    """Check and slice to the tightest declared loss."""
    found: dict[tuple[str, str], float] = {}
    for one in book.record["declared"]:
        for limit in one.value["limits"]:
            if limit["kind"] == "worse_by_at_most":
                key = (limit["check"], limit["slice"])
                found[key] = min(limit["bound"], found.get(key, limit["bound"]))
    return found


def _figure(title: str, chosen: list[Node], limits: dict[tuple[str, str], float], unit: str) -> tree.Figure:
    axis = "difference, after less before" + ("" if unit == "1" else f" ({unit})")
    worse = sum(m.value["shown"] == "worse" for m in chosen)
    first = chosen[0]["shown"]
    return tree.Figure(
        title=(f"{title}: differences with intervals",),
        svg=figures.intervals(
            [(title, [_drawn(m, limits) for m in chosen])], axis, unit_range=False, upright=(0.0, "")
        ),
        alt=tree.say(
            "Measures drawn: {count}; worse by the whole interval: {worse}.",
            count=first.derived(len(chosen), "number of measures drawn", "count"),
            worse=first.derived(worse, "number of those that are worse", "count"),
        ),
    )


def _drawn(m: Node, limits: dict[tuple[str, str], float]) -> figures.Interval:
    value = m.value
    where = "" if value["slice"] == "overall" else f", {value['slice']}"
    bound = limits.get(_key(m))
    sign = -1.0 if value["better"] == "higher" else 1.0
    return figures.Interval(
        name=f"{value['title']}{where}",
        value=float(value["value"]),
        low=float(value["low"]),
        high=float(value["high"]),
        evidence=m["value"].evidence,
        limit=None if bound is None else sign * bound,
    )


def rows(book: Places) -> Section:
    """The rows, the groups' shares, the drift between the test parts."""
    found = book.record["rows"]
    pairs: tuple[tuple[str, Parts], ...] = (
        ("Rows", parts(found["before"].fact("count"), " → ", found["after"].fact("count"))),
        ("The same content", (found["content_equal"].fact(),)),
        ("The same test rows", parts(found["same_test_rows"].fact(), *_matched(found["matched_by"]))),
        ("Rows of the earlier data that the later ones hold", _count(found["shared"])),
        ("Test rows of the earlier version that the later one tests on", _count(found["shared_test"])),
    )
    blocks: list[Block] = [tree.Pairs("Rows of the two versions", pairs)]
    if found["groups"] and not found.value["content_equal"]:
        blocks.append(
            Table(
                ("Share of the rows with a known group",),
                ("Group", "Before", "After", "Difference in points of percent"),
                tuple(
                    (
                        parts(g["attribute"].fact(), ": ", g["group"].fact()),
                        (g["before"].fact("percent"),),
                        (g["after"].fact("percent"),),
                        (_points(g["value"]),),
                    )
                    for g in found["groups"]
                ),
                frozenset({1, 2, 3}),
            )
        )
    if found["drift"]:
        blocks.append(
            Table(
                (
                    "Drift of the features between the two test parts: population stability index less what chance "
                    "adds, intervals that hold together",
                ),
                ("Feature", "Index", "Interval", "Rows"),
                tuple(
                    (
                        (d["feature"].fact("name"),),
                        (d["value"].fact("number"),),
                        ("[", d["low"].fact("number"), ", ", d["high"].fact("number"), "]"),
                        (d["n"].fact("count"),),
                    )
                    for d in found["drift"]
                ),
                frozenset({1, 2, 3}),
                fold=True,
            )
        )
    return Section("rows", "Rows", tuple(blocks))


def _matched(node: Node) -> Parts:
    return () if node.value is None else (", by ", node.fact("name"))


def _count(node: Node) -> Parts:
    return ("not known: the rows are not at hand",) if node.value is None else (node.fact("count"),)


def _points(node: Node) -> Fact:
    return node.derived(100 * float(node.value), "times hundred", "number")
