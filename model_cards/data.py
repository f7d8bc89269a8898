"""Sections on the data: origin, splits, columns, quality, governance."""

from __future__ import annotations

from model_cards import blocks, figures, text, tree
from model_cards.refs import Book, Node
from model_cards.tree import Pairs, Paragraph, Parts, Section

ROLES = ("train", "validation", "test")


def origin(book: Book) -> Pairs:
    """Where the data come from, and what was read."""
    stated, dataset = book.plan["data"]["provenance"], book["ingest"]
    personal = stated["personal_data"]
    rows: list[tuple[str, Parts]] = [
        ("Data set", (stated["title"].fact(),)),
        ("Origin", (stated["origin"].fact_or_gap("origin of the data"),)),
        ("Licence", (stated["licence"].fact_or_gap("licence of the data"),)),
        ("Address", (stated["url"].fact_or_gap("web address of the data"),)),
        ("Collected", (stated["collected"].fact_or_gap("period of collection"),)),
        ("Original purpose", (stated["original_purpose"].fact_or_gap("purpose of the original collection"),)),
        ("Personal data", (personal.fact_or_gap("whether the data are personal"),)),
        ("Rows read", (dataset["rows"].fact("count"),)),
        ("Repeated rows", (dataset["duplicate_rows"].fact("count"),)),
        ("Content digest", (dataset["rows_sha256"].fact("digest"),)),
    ]
    if personal.value == "unknown":
        gap = Node(personal.record, personal.pointer, None).fact_or_gap("whether the data are personal")
        rows[6] = ("Personal data", (gap,))
    return Pairs("Origin of the data", tuple(rows))


def splits(book: Book) -> tree.Table:
    """Rows, shares, entities and classes of the three parts."""
    split, total = book["split"], book["ingest"].value["rows"]
    classes = list(dict.fromkeys(c for part in split["parts"] for c in part.value["class_counts"]))
    entities = any(part.value["entities"] is not None for part in split["parts"])
    lines = []
    for role in ROLES:
        part = split["parts"][role]
        share = part["rows"].derived(part.value["rows"] / total, "rows of the part over rows read", "percent")
        line: list[Parts] = [(part["rows"].derived(role, "name of the part"),), (part["rows"].fact("count"),), (share,)]
        if entities:
            line.append((part["entities"].fact("count"),) if part["entities"].value is not None else blocks.NOTHING)
        line += [_count(part["class_counts"][c]) for c in classes]
        lines.append(tuple(line))
    heads: list[tree.Part] = ["Part", "Rows", "Share", *(["Entities"] if entities else [])]
    heads += [split["parts"].derived(c, "name of the class") for c in classes]
    return tree.Table(("Splits",), tuple(heads), tuple(lines), frozenset(range(1, len(heads))))


def how_split(book: Book) -> Paragraph:
    """Method and seed of the split."""
    split = book["split"]
    return Paragraph(
        tree.say(
            "Rows were assigned by: {how}; seed {seed}.", how=split["method"].fact(), seed=split["seed"].fact("exact")
        )
    )


def columns(book: Book) -> tree.Table:
    """Every column as it was found, with what the plan says of it."""
    lines = []
    for column in book["ingest"]["columns"]:
        declared = book.plan["data"]["columns"].first(name=column.value["name"])
        described = declared is not None and declared["description"]
        lines.append(
            (
                (column["name"].fact("name"),),
                (column["role"].fact(),),
                (column["kind"].fact(),),
                (column["unit"].fact(),) if column["unit"] else blocks.NOTHING,
                (column["missing"].fact("count"),),
                (column["distinct"].fact("count"),),
                (declared["description"].fact(),) if declared and described else blocks.NOTHING,
            )
        )
    return tree.Table(
        ("Columns as found",),
        ("Column", "Role", "Kind", "Unit", "Missing", "Distinct", "Meaning"),
        tuple(lines),
        frozenset({4, 5}),
        "Show the columns" if len(lines) > blocks.LONG else None,
    )


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    return Section(
        "data",
        "Data",
        (origin(book), sources(book)),
        (
            Section("splits", "Splits", (how_split(book), splits(book), *_class_balance(book))),
            Section("columns", "Columns", (columns(book),)),
            _checks(book, "validate", "quality", "Quality", "Checks of what the plan declares of the data"),
            _checks(book, "govern", "governance", "Governance", "Checks of suitability, balance and leakage"),
        ),
    )


def sources(book: Book) -> tree.Table:
    """The files that were read."""
    lines = tuple(
        ((s["name"].fact("name"),), (s["size"].fact("size"),), (s["sha256"].fact("digest"),))
        for s in book["ingest"]["sources"]
    )
    return tree.Table(("Files read",), ("File", "Size", "sha256"), lines, frozenset({1}))


def _checks(book: Book, stage: str, anchor: str, title: str, caption: str) -> Section:
    results = list(book[stage]["results"])
    if not results:
        return Section(anchor, title, (Paragraph(("No such check was recorded.",)),))
    inner: list[tree.Block] = [blocks.result_table(results, caption, fold="Show the checks")]
    inner += _group_sizes(results)
    for result in results:
        if isinstance(result.value["details"].get("rows"), list) and result["details"]["rows"]:
            inner.append(blocks.record_table(result["details"]["rows"], (result["title"].fact(), ": details")))
    return Section(anchor, title, tuple(inner))


def _class_balance(book: Book) -> list[tree.Block]:
    parts_ = book["split"]["parts"]
    totals: dict[str, int] = {}
    for part in parts_:
        for name, rows in part.value["class_counts"].items():
            totals[name] = totals.get(name, 0) + rows
    if not totals:
        return []
    whole = sum(totals.values())
    bars = [
        figures.Bar(name, rows, f"{text.count(rows)} ({text.percent(rows / whole)})", parts_.evidence)
        for name, rows in totals.items()
    ]
    rarest = min(totals, key=lambda name: totals[name])
    alt = tree.say(
        "Bars with the rows of each class. The rarest class is {rarest} with {rows} rows.",
        rarest=parts_.derived(rarest, "class with the fewest rows"),
        rows=parts_.derived(totals[rarest], "sum over the parts", "count"),
    )
    return [tree.Figures((tree.Figure(("Class balance, all parts together",), figures.bars(bars, "Rows"), alt),))]


def _group_sizes(results: list[Node]) -> list[tree.Block]:
    result = next((r for r in results if r.value["check_id"] == "data.group_sizes"), None)
    if result is None or not result.value["details"].get("rows"):
        return []
    drawn = []
    rows = list(result["details"]["rows"])
    for attribute in dict.fromkeys(r.value.get("attribute") for r in rows):
        mine = [r for r in rows if r.value.get("attribute") == attribute]
        key = next((k for k in ("test", "rows", "n", "count") if isinstance(mine[0].value.get(k), int)), None)
        if key is None or attribute is None or any(not isinstance(r.value.get(key), int) for r in mine):
            continue
        bars = [figures.Bar(r.value["group"], r.value[key], text.count(r.value[key]), r[key].evidence) for r in mine]
        name = mine[0]["attribute"].fact()
        alt = tree.say(
            "Bars with the number of rows of each group of {name}; the numbers stand in the table.", name=name
        )
        drawn.append(tree.Figure(("Group sizes: ", name), figures.bars(bars, "Rows"), alt))
    return [tree.Figures(tuple(drawn))] if drawn else []


def _count(node: Node) -> Parts:
    return (node.fact("count"),) if node.value is not None else blocks.NOTHING
