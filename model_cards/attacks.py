"""The chapter on attacks: what each reached, how far it may go, and whether the attack itself is sound."""

from __future__ import annotations

from model_cards import blocks, figures, svg, text, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Bullets, Figure, Figures, Paragraph, Parts, Section, Table, parts

WORST, QUERIES = "robustness.evasion", "robustness.query_attack"
CHECKS = (WORST, QUERIES)
"""Checks whose curves are drawn here."""
METRICS = {"r2": "Coefficient of determination", "accuracy": "Accuracy"}
NAMES = {WORST: "worst of all attacks", QUERIES: "questions alone"}
SOUND = {True: "yes", False: "NO"}
MOST_BARS = 12


def section(book: Book) -> Section:
    """The whole chapter; empty where no attack gave a number."""
    made = [r for name in CHECKS if (r := book.result(name)) is not None and r["details"] and r["details"]["curve"]]
    if not made:
        return Section("attacks", "Attacks on the inputs")
    worst = made[0]
    inner: list[tree.Block] = [lead(worst), *flags(worst)]
    if drawn := tuple(figure for figure in (curve(book, made), deciding(worst)) if figure):
        inner.append(Figures(drawn))
    inner += [*table(book, made), *validity(worst), *needed(worst), *budgets(worst)]
    return Section("attacks", "Attacks on the inputs", tuple(inner), short="Attacks")


def lead(result: Node) -> Paragraph:
    """What was attacked, and what that says."""
    details = result["details"]
    names = tree.joined(name.fact("name") for name in details["attacked_features"])
    return Paragraph(
        tree.say(
            "An attacker changes the inputs of {rows} test rows, only within the budget and only in these features: "
            "{names}. Every changed row was fed to the ONNX graph, whose own answer counts. A score under attack is an "
            "upper bound: an attack that nobody has tried may reach more.",
            rows=details["attacked_rows"].fact("count"),
            names=names,
        )
    )


def flags(result: Node) -> list[tree.Block]:
    """What speaks against the attack, before its numbers; nothing where all is sound."""
    failed = [entry for entry in result["details"]["validity"] or () if entry.value["sound"] is False]
    if not failed:
        return []
    items = tuple(tree.say("Failed check of the attack: {asked}.", asked=entry["asked"].fact()) for entry in failed)
    first = Paragraph(("The attack may say less about the model than it seems; see the table of questions below.",))
    return [first, Bullets(items)]


def curve(book: Book, results: list[Node]) -> Figure | None:
    """The score over the budget: all attacks together, and the one that only asks; the clean score as a thin line."""
    series, alt = [], list[Parts]()
    for result in results:
        points = [p for p in result["details"]["curve"] if p.value.get("value") is not None]
        if not points:
            continue
        band = [(p.value["low"], p.value["high"]) for p in points if p.value.get("low") is not None]
        line = [(float(p.value["severity"]), float(p.value["value"])) for p in points]
        name, whiskers = NAMES[str(result.value["check_id"])], result is results[0] and len(band) == len(points)
        evidence = result["details"]["curve"].evidence
        series.append(figures.Series(name, line, evidence, band if whiskers else (), marks=True, whiskers=whiskers))
        end = tree.say("{value} at the whole budget", value=points[-1]["value"].fact("number"))
        alt.append(parts(f"{name} ", *end))
    if not series:
        return None
    first, details = results[0], results[0]["details"]
    last = max(p[0] for s in series for p in s.points)
    clean = details["clean"] if details["clean"].value is not None else None
    asked = _asked(book, first)
    ends = [p[1] for s in series for p in s.points] + [e for s in series for pair in s.band for e in pair]
    ends += [float(asked.value)] if asked else []
    drawing = figures.curves(
        series,
        str(details.value["x"]).capitalize(),
        _metric(details),
        x_range=(0, last),
        y_range=(0.0, 1.0) if min(ends) >= 0 and max(ends) <= 1 else svg.around([0.0, *ends]),
        reference=((0, float(clean.value)), (last, float(clean.value))) if clean is not None else None,
        level=(float(asked.value), "threshold") if asked else None,
    )
    words = parts("The score on the attacked rows over the budget of the attack")
    if clean is not None:
        words += tree.say(", from {clean} on unchanged inputs (thin line)", clean=clean.fact("number"))
    words += parts(": ", *alt[0], *(p for more in alt[1:] for p in ("; ", *more)), ".")
    return Figure(("Score under attack",), drawing, words)


def table(book: Book, results: list[Node]) -> list[tree.Block]:
    """Every attack with its settings and its score at each budget, between the clean score and the worst case."""
    result = results[0]
    details = result["details"]
    levels = [p for p in details["curve"] if p.value["severity"] > 0]
    lines: list[tuple[Parts, ...]] = []
    unaltered = result["measures"].first(name=f"{result.value['check_id']}.clean")
    if unaltered is not None:
        same = [blocks.value(unaltered)] * len(levels)
        lines.append((("Unchanged inputs",), blocks.NOTHING, *same, blocks.interval(unaltered)))
    for entry in details["attacks"] or ():
        measure = result["measures"].first(name=f"{WORST}.{entry.value['attack']}")
        scores = [blocks.number(point["value"]) for point in entry["curve"]]
        lines.append(((entry["title"].fact(),), (entry["how"].fact(),), *scores, blocks.interval(measure)))
    measure = next(iter(result["measures"]), None)
    name: Parts = ("Worst case, row by row",) if details["attacks"] else (result["title"].fact(),)
    regression = details.value["metric"] == "r2"
    rule = "the largest error of each row" if regression else "right only where no attack fooled the graph"
    how: Parts = (rule,) if details["attacks"] else blocks.NOTHING
    lines.append((name, how, *(blocks.number(point["value"]) for point in levels), blocks.interval(measure)))
    caption = tree.say(
        "{metric} under each attack; budget: {axis}; interval of the last column at level {level}",
        metric=details["metric"].derived(_metric(details), "name of the metric in words"),
        axis=details["x"].fact(),
        level=blocks.level(book),
    )
    heads = [p["severity"].derived(f"at {text.exact(p.value['severity'])}", "budget in words") for p in levels]
    numeric = frozenset(range(2, 3 + len(levels)))
    return [Table(caption, ("Attack", "Settings", *heads, "Interval"), tuple(lines), numeric, prose=True)]


def validity(result: Node) -> list[tree.Block]:
    """The questions that an attack must stand, with the numbers that answer them."""
    lines = []
    for entry in result["details"]["validity"] or ():
        numbers = [parts(name, " ", *_number(value)) for name, value in entry["found"].items()]
        shown = tree.joined(numbers, "; ")
        if entry["exceptions"]:
            shown += parts("; not for ", *(p for name in entry["exceptions"] for p in (name.fact(), ", ")))[:-1]
        sound = entry["sound"].derived(SOUND[bool(entry.value["sound"])], "answer in words")
        lines.append(((entry["asked"].fact(),), (sound,), shown))
    if not lines:
        return []
    caption = ("Is the attack itself sound?",)
    return [Table(caption, ("What should hold", "Holds", "What was found"), tuple(lines), prose=True)]


def needed(result: Node) -> list[tree.Block]:
    """How few features suffice for the rows that were fooled."""
    found = result["details"]["features_needed"]
    if not found or not found["by_count"]:
        return []
    lines = tuple(((row["features"].fact("count"),), (row["rows"].fact("count"),)) for row in found["by_count"])
    caption = tree.say(
        "Features that had to change, at most, in the {rows} rows that were labelled rightly and fooled",
        rows=found["rows"].fact("count"),
    )
    return [Table(caption, ("Features", "Rows"), lines, frozenset({1}), fold=len(lines) > blocks.LONG)]


def deciding(result: Node) -> Figure | None:
    """In how many of the fooled rows each feature had to change."""
    found = result["details"]["features_needed"]
    if not found or not found["by_feature"]:
        return None
    rows = list(found["by_feature"])[:MOST_BARS]
    bars = [
        figures.Bar(
            str(row.value["feature"]), float(row.value["rows"]), text.count(row.value["rows"]), row["rows"].evidence
        )
        for row in rows
    ]
    words = tree.say(
        "Of {all} rows that were labelled rightly and fooled, those in which a feature had to change; first {name}, "
        "in {rows}. Changes without need were taken back.",
        all=found["rows"].fact("count"),
        name=rows[0]["feature"].fact("name"),
        rows=rows[0]["rows"].fact("count"),
    )
    return Figure(("Features that had to change",), figures.bars(bars, "Fooled rows"), words)


def budgets(result: Node) -> list[tree.Block]:
    """How far each feature may go, and where that is not what one would think."""
    lines = []
    for row in result["details"]["budget"] or ():
        unit: Parts = ("\u00a0", row["unit"].fact()) if row["unit"].value not in (None, "", "1") else ()
        note = (row["note"].fact(),) if row["note"] else blocks.NOTHING
        lines.append(((row["feature"].fact("name"),), parts(row["change"].fact("number"), *unit), note))
    if not lines:
        return []
    caption = ("Budget of each feature that an attacker can change",)
    heads = ("Feature", "Largest change", "Remark")
    return [Table(caption, heads, tuple(lines), frozenset({1}), prose=True, fold=len(lines) > blocks.LONG)]


def _asked(book: Book, result: Node) -> Fact | None:
    gate = book.plan["policy"]["gates"].first(check=result.value["check_id"])
    if gate is None or gate.value["at_least"] is None:
        return None
    return gate["at_least"].fact("exact")


def _number(node: Node) -> Parts:
    if node.value is None:
        return ("without a finite value",)
    return (node.fact("count" if isinstance(node.value, int) else "number"),)


def _metric(details: Node) -> str:
    return METRICS.get(str(details.value["metric"]), str(details.value["metric"]))
