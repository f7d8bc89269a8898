"""The section on robustness: how the result falls as the inputs get worse."""

from __future__ import annotations

from model_cards import blocks, figures, performance, tree
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Paragraph, Parts, Section

METRICS = {"r2": "Coefficient of determination"}
"""Names of metrics whose identifier says too little."""


def drawn(book: Book) -> list[Figure]:
    """One figure for each check that holds a severity curve."""
    return [figure for result in book.family("robustness") if (figure := _figure(result))]


def _figure(result: Node) -> Figure | None:
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
        bands = [(clean.value, clean.value), *bands] if bands else bands
    band = bands if len(bands) == len(points) else ()
    svg = figures.curves(
        [figures.Series("model", points, details["curve"].evidence, band, marks=True, whiskers=True)],
        str(details.value.get("x") or "Severity"),
        _metric(details),
        x_range=(0, max(p[0] for p in points)),
        reference=((0, clean.value), (max(p[0] for p in points), clean.value)) if clean is not None else None,
    )
    last = details["curve"][len(details.value["curve"]) - 1]
    alt = tree.say("{title}: the score over growing severity", title=result["title"].fact())
    if clean is not None:
        alt += tree.say(", from {clean} on unchanged inputs (thin line)", clean=clean.fact("number"))
    if last["value"].value is not None:
        end, severity = last["value"].fact("number"), last["severity"].fact("exact")
        alt += tree.say(" to {end} at severity {severity}", end=end, severity=severity)
    return Figure((result["title"].fact(),), svg, (*alt, "."))


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
        ("Score at each severity",),
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
    inner: list[tree.Block] = [*performance.measures(book, "robustness")]
    inner += performance.without_value(book, "robustness")
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
