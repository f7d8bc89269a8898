"""Sections on the data: origin, splits, columns, quality, governance."""

from __future__ import annotations

from model_cards import blocks, figures, text, tree
from model_cards.refs import STATUS_WORDS, Book, Node
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
        ("Web address", (stated["url"].fact_or_gap("web address of the data", form="url"),)),
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
    classes = [c for c in book["encode"].value["classes"] if any(c in p.value["class_counts"] for p in split["parts"])]
    entities = any(part.value["entities"] is not None for part in split["parts"])
    lines = []
    for role in (role for role in ROLES if role in split["parts"].value):
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
    """How the rows were assigned; the method names its seed."""
    return Paragraph(tree.say("Rows were assigned by: {how}.", how=book["split"]["method"].fact()))


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
        ("Column", "Role", "Kind", "Unit", "Missing in all rows", "Distinct", "Meaning"),
        tuple(lines),
        frozenset({4, 5}),
        prose=True,
        fold=len(lines) > blocks.LONG,
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
    unsettled = [r for r in results if r.value["status"] not in ("pass", "not_applicable")]
    inner: list[tree.Block] = [_tally(book[stage]["results"], results)]
    if unsettled:
        inner.append(blocks.result_table(unsettled, "Checks that did not pass"))
    inner.append(blocks.result_table(results, caption, fold=len(results) > blocks.LONG))
    figures_ = [*_group_sizes(results), *_label_balance(results)]
    if figures_:
        inner.append(tree.Figures(tuple(figures_)))
    for result in results:
        if isinstance(result.value["details"].get("rows"), list) and result["details"]["rows"]:
            inner += _rows(result)
    return Section(anchor, title, tuple(inner))


def _rows(result: Node) -> tuple[tree.Table, ...]:
    """The rows behind a check; of proxies, one for each feature and group, the strongest first."""
    rows, caption = result["details"]["rows"], (result["title"].fact(),)
    if result.value["check_id"] != "data.proxies":
        return (blocks.record_table(rows, caption),)
    table = blocks.record_table(rows, caption, blocks.largest_first(rows))
    return blocks.headed(table, rows, "strongest") if len(table.rows) > blocks.LONG else (table,)


def _tally(node: Node, results: list[Node]) -> Paragraph:
    counted: Parts = ()
    shown = [blocks.outcome(r).shown for r in results]
    for key, word in {**STATUS_WORDS, blocks.NO_THRESHOLD: blocks.NO_THRESHOLD}.items():
        if found := shown.count(word):
            count = node.derived(found, f"number with status {key}", "count")
            counted += tree.say("{comma}{count} {word}", comma="; " if counted else "", count=count, word=word)
    return Paragraph(tree.say("Checks: {all} ({each}).", all=node.size("checks"), each=counted))


def _class_balance(book: Book) -> list[tree.Block]:
    parts_ = book["split"]["parts"]
    counts = [part.value["class_counts"] for part in parts_]
    totals = {name: sum(c.get(name, 0) for c in counts) for name in book["encode"].value["classes"]}
    if not any(totals.values()):
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


def _group_sizes(results: list[Node]) -> list[tree.Figure]:
    drawn = []
    for result in (r for r in results if r.value["check_id"] == "data.group_sizes"):
        sizes = [r["test"] for r in result["details"]["rows"] or () if r.value.get("test") is not None]
        rows = [r for r in result["details"]["rows"] or () if r.value.get("test") is not None]
        if not rows:
            continue
        bars = [
            figures.Bar(str(r.value["group"]), n.value, text.count(n.value), n.evidence)
            for r, n in zip(rows, sizes, strict=True)
        ]
        least = min(sizes, key=lambda n: float(n.value)).fact("count")
        alt = tree.say("Bars with the test rows of each group; the smallest has {least}.", least=least)
        drawn.append(tree.Figure((result["title"].fact(), ", test part"), figures.bars(bars, "Test rows"), alt))
    return drawn


def _label_balance(results: list[Node]) -> list[tree.Figure]:
    drawn = []
    for result in (r for r in results if r.value["check_id"] == "data.label_balance"):
        by_outcome: dict[str, list[figures.Interval]] = {}
        for row in result["details"]["rows"] or ():
            v = row.value
            if v.get("value") is not None:
                one = figures.Interval(
                    str(v["group"]), v["value"], v.get("low"), v.get("high"), row.evidence, v.get("n")
                )
                by_outcome.setdefault(str(v.get("outcome", "")), []).append(one)
        if by_outcome:
            alt = tree.say("One mark with its interval for each group: {reason}.", reason=result["reason"].fact())
            svg = figures.intervals(list(by_outcome.items()), "Share or mean of the target in the group")
            drawn.append(tree.Figure((result["title"].fact(),), svg, alt))
    return drawn


def _count(node: Node) -> Parts:
    return (node.fact("count"),) if node.value is not None else blocks.NOTHING
