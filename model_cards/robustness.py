"""The section on robustness: how the result falls as the inputs get worse."""

from __future__ import annotations

from collections.abc import Sequence

from model_cards import attacks, blocks, effect, figures, meaning, performance, svg, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Paragraph, Parts, Section, parts

METRICS = {"r2": "Coefficient of determination"}
"""Names of metrics whose identifier says too little."""


def drawn(book: Book) -> list[Figure]:
    """One figure for each check that holds a severity curve; those of attacks stand in their own chapter."""
    faults = [result for result in book.family("robustness") if result.value["check_id"] not in attacks.CHECKS]
    return [figure for result in faults if (figure := _figure(book, result))]


def _figure(book: Book, result: Node) -> Figure | None:
    details = result["details"]
    if not details or not details["curve"]:
        return None
    points = [(p["severity"], p["value"]) for p in details.value["curve"] if p.get("value") is not None]
    bands = [(p["low"], p["high"]) for p in details.value["curve"] if p.get("low") is not None]
    if not points:
        return None
    clean = details["clean"] if isinstance(details.value.get("clean"), int | float) else None
    if clean is not None and points[0][0] > 0:
        points.insert(0, (0.0, clean.value))
        bands = [_clean_interval(book, details), *bands] if bands else bands
    band = bands if len(bands) == len(points) else ()
    asked = _threshold(book, result)
    drawing = figures.curves(
        [figures.Series("model", points, details["curve"].evidence, band, marks=True, whiskers=True)],
        str(details.value.get("x") or "Severity"),
        _metric(details),
        x_range=(0, max(p[0] for p in points)),
        y_range=_range(points, band, asked),
        reference=((0, clean.value), (max(p[0] for p in points), clean.value)) if clean is not None else None,
        level=(float(asked.value), "threshold") if asked else None,
    )
    last = details["curve"][len(details.value["curve"]) - 1]
    alt = tree.say("{title}: the score over growing severity", title=result["title"].fact())
    if clean is not None:
        alt += tree.say(", from {clean} on unchanged inputs (thin line)", clean=clean.fact("number"))
    if last["value"].value is not None:
        end, severity = last["value"].fact("number"), last["severity"].fact("exact")
        alt += tree.say(" to {end} at severity {severity}", end=end, severity=severity)
    if asked:
        alt += tree.say("; the policy asks for {asked} (labelled line)", asked=asked)
    return Figure((result["title"].fact(),), drawing, (*alt, "."))


def _range(points: list[svg.Point], band: Sequence[svg.Point], asked: Fact | None) -> tuple[float, float] | None:
    """From zero, so that a fall is seen at its size: to one for a share; further down where a score is negative."""
    ends = [p[1] for p in points] + [end for pair in band for end in pair] + ([float(asked.value)] if asked else [])
    return (0.0, 1.0) if min(ends) >= 0 and max(ends) <= 1 else svg.around([0.0, *ends])


def _threshold(book: Book, result: Node) -> Fact | None:
    gate = book.plan["policy"]["gates"].first(check=result.value["check_id"])
    if gate is None:
        return None
    key = "at_least" if gate.value["at_least"] is not None else "at_most"
    return gate[key].fact("exact")


def _clean_interval(book: Book, details: Node) -> svg.Point:
    """Interval of the score on unchanged inputs, where the evidence holds it for that very value."""
    clean = float(details.value["clean"])
    result = book.result(f"performance.{details.value.get('metric')}")
    measure = next(iter(result["measures"]), None) if result is not None else None
    if measure is None or measure.value["value"] != clean or not measure["interval"]:
        return clean, clean
    return float(measure.value["interval"]["low"]), float(measure.value["interval"]["high"])


def tests(book: Book) -> list[tree.Block]:
    """How each test was made, the score on unchanged inputs beside the worst one, and the rows behind it."""
    lines: list[tuple[Parts, ...]] = []
    attacked: list[tree.Block] = []
    for result in book.family("robustness"):
        measure = next(iter(result["measures"]), None)
        if measure is None or measure.value["value"] is None:
            continue
        details = result["details"]
        clean = (details["clean"].fact("number"),) if details and details["clean"] else blocks.NOTHING
        how = (measure["note"].fact(),) if measure["note"] else blocks.NOTHING
        lines.append(((result["title"].fact(),), how, clean, blocks.value(measure), blocks.rows(measure)))
        if details and details["attacked_features"]:
            attacked.append(_attacked(result))
    if not lines:
        return []
    heads = ("Test", "How it was made", "Clean score", "Score under the test", "Rows")
    table = tree.Table(("How the tests were made",), heads, tuple(lines), frozenset({2, 3, 4}), prose=True)
    return [table, *attacked, *_features(book)]


def _attacked(result: Node) -> Paragraph:
    details = result["details"]
    names = parts(*(p for name in details["attacked_features"] for p in (", ", name.fact("name"))))[1:]
    sentence = tree.say(
        "{title}: the attack changed these features: {names}.", title=result["title"].fact(), names=names
    )
    if details["attacked_rows"]:
        sentence += tree.say(" It was made on {rows} test rows.", rows=details["attacked_rows"].fact("count"))
    return Paragraph(sentence)


def _features(book: Book) -> list[tree.Block]:
    """The score with each feature alone pushed out of its range, worst first."""
    result = book.result("robustness.out_of_range")
    if result is None or not result["details"] or not isinstance(result.value["details"].get("features"), dict):
        return []
    found = [(n, v) for n, v in result["details"]["features"].items() if isinstance(v.value, int | float)]
    found.sort(key=lambda item: float(item[1].value))
    lines = tuple(((name,), (value.fact("number"),)) for name, value in found)
    caption = parts(result["title"].fact(), ": score with each feature alone out of its range")
    return [tree.Table(caption, ("Feature", "Score"), lines, frozenset({1}), fold=True)] if lines else []


def _metric(details: Node) -> str:
    name = str(details.value.get("metric") or "score")
    return METRICS.get(name, name.replace("_", " ").capitalize())


def curves_table(book: Book) -> tree.Table | None:
    """The points of the severity curves."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("robustness"):
        for point in (result["details"]["curve"] if result["details"] else ()) or ():
            lines.append(_point(result, point))  # noqa: PERF401 - a comprehension of three levels says less
    if not lines:
        return None
    return tree.Table(
        tree.say("Score at each severity, intervals at level {level}", level=blocks.level(book)),
        ("Check", "Severity", "Score", "Interval"),
        tuple(lines),
        frozenset({1, 2, 3}),
        fold=len(lines) > blocks.LONG,
    )


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    if not book.family("robustness"):
        return Section("robustness", "Robustness", (Paragraph(("No robustness check was recorded.",)),))
    figures_, table = drawn(book), curves_table(book)
    inner: list[tree.Block] = [
        *effect.baseline(book),
        *performance.measures(book, "robustness"),
        *tests(book),
        *meaning.table(book, "robustness"),
        *performance.methods(book, "robustness"),
        *performance.without_value(book, "robustness"),
    ]
    if figures_:
        inner.append(tree.Figures(tuple(figures_)))
    return Section("robustness", "Robustness", (*inner, table) if table else tuple(inner))


def _point(result: Node, point: Node) -> tuple[Parts, ...]:
    return (
        (result["title"].fact(),),
        (point["severity"].fact("exact"),),
        blocks.number(point["value"]),
        blocks.ends(point["low"], point["high"]),
    )
