"""The section on robustness: how the result falls as the inputs get worse."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from model_cards import attacks, blocks, certified, effect, figures, meaning, multiples, performance, slices, svg, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Paragraph, Parts, Section, parts

LOWEST = -1.0
"""Lowest score that an axis shows: a coefficient of determination has no smallest value."""
METRICS = {"r2": "Coefficient of determination"}
"""Names of metrics whose identifier says too little."""


def drawn(book: Book) -> list[Figure]:
    """All severity curves as small plots on one axis; a plot of its own for each check under a gate; slices.

    The curves of attacks stand in their own chapter.
    """
    faults = (r for r in book.family("robustness") if r.value["check_id"] not in attacks.CHECKS)
    results = [r for r in faults if _curve(r) is not None]
    large = [figure for r in results if _threshold(book, r) and (figure := _figure(book, r))]
    return [*_overview(book, results), *large, *slices.drawn(book)]


@dataclasses.dataclass(frozen=True)
class _Curve:
    """A severity curve from the score on unchanged inputs on."""

    points: list[svg.Point]
    band: list[svg.Point]
    clean: Node | None


def _curve(result: Node) -> _Curve | None:
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
        bands = [_clean_interval(details), *bands] if bands else bands
    return _Curve(points, bands if len(bands) == len(points) else [], clean)


def _overview(book: Book, results: list[Node]) -> list[Figure]:
    """Every test in a small plot."""
    panels, ends = [], [0.0]
    for result in results:
        curve, asked, crossing = _curve(result), _threshold(book, result), _crossing(result)
        if curve is None:
            continue
        title = str(result["title"].value)
        for start in ("Robustness to ", "Accuracy under "):
            title = title.removeprefix(start)
        ends += [p[1] for p in curve.points] + [end for pair in curve.band for end in pair]
        ends += [float(asked.value)] if asked else []
        panels.append(
            multiples.Panel(
                title[:1].upper() + title[1:],
                str(result["details"].value.get("x") or "Severity"),
                curve.points,
                result["details"]["curve"].evidence,
                curve.band,
                float(asked.value) if asked else None,
                _span(crossing, curve) if crossing else None,
                float(curve.clean.value) if curve.clean else None,
            )
        )
    if not panels:
        return []
    low = max(min(ends), LOWEST)
    alt = tree.say(
        "{tests} tests on one axis: the score over growing severity with its interval as a band, from unchanged inputs "
        "(thin line) on. A dashed line is a threshold of the policy; shaded is where the curve falls below it. What is "
        "lower than the axis is drawn at its edge. The numbers stand in the table of the points.",
        tests=book["evaluate"]["results"].derived(len(panels), "number of checks with a severity curve", "count"),
    )
    y_range = (0.0, 1.0) if low >= 0 and max(ends) <= 1 else svg.around([low, *(min(e, 1.0) for e in ends if e > low)])
    drawing = multiples.draw(panels, _metric(results[0]["details"]), y_range)
    return [Figure(("Scores under every test",), drawing, alt)]


def _span(crossing: Node, curve: _Curve) -> tuple[float, float, float]:
    """Severity at which the threshold is crossed and the ends of its interval, as far as was measured."""
    found, last = crossing.value, curve.points[-1][0]
    low = found["low"] if found["low"] is not None else found["at"]
    return found["at"], low, found["high"] if found["high"] is not None else last


def _figure(book: Book, result: Node) -> Figure | None:
    details, curve = result["details"], _curve(result)
    if curve is None:
        return None
    asked, crossing = _threshold(book, result), _crossing(result)
    most = max(p[0] for p in curve.points)
    drawing = figures.curves(
        [figures.Series("model", curve.points, details["curve"].evidence, curve.band, marks=True, whiskers=True)],
        str(details.value.get("x") or "Severity"),
        _metric(details),
        x_range=(0, most),
        y_range=_range(curve.points, curve.band, asked),
        reference=((0, curve.clean.value), (most, curve.clean.value)) if curve.clean is not None else None,
        level=(float(asked.value), "threshold") if asked else None,
        upright=(crossing.value["at"], "falls below") if crossing else None,
    )
    last = details["curve"][len(details.value["curve"]) - 1]
    alt = tree.say("{title}: the score over growing severity", title=result["title"].fact())
    if curve.clean is not None:
        alt += tree.say(", from {clean} on unchanged inputs (thin line)", clean=curve.clean.fact("number"))
    if last["value"].value is not None:
        end, severity = last["value"].fact("number"), last["severity"].fact("exact")
        alt += tree.say(" to {end} at severity {severity}", end=end, severity=severity)
    if asked:
        alt += tree.say("; the policy asks for {asked} (labelled line)", asked=asked)
    if details["crossing"]:
        alt += tree.say("; the curve: {words}", words=details["crossing"][0]["words"].fact())
    return Figure((result["title"].fact(),), drawing, (*alt, "."))


def _crossing(result: Node) -> Node | None:
    """Where the curve falls below the first threshold of the policy, where it does beyond unaltered inputs."""
    found = result["details"]["crossing"]
    first = found[0] if found else None
    return first if first is not None and first.value["at"] is not None else None


def _range(points: list[svg.Point], band: Sequence[svg.Point], asked: Fact | None) -> tuple[float, float] | None:
    """From zero, so that a fall is seen at its size: to one for a share; further down where a score is negative."""
    ends = [p[1] for p in points] + [end for pair in band for end in pair] + ([float(asked.value)] if asked else [])
    if min(ends) >= 0 and max(ends) <= 1:
        return (0.0, 1.0)
    return svg.around([0.0, *(max(end, LOWEST) for end in ends)])


def _threshold(book: Book, result: Node) -> Fact | None:
    gate = book.plan["policy"]["gates"].first(check=result.value["check_id"])
    if gate is None:
        return None
    key = "at_least" if gate.value["at_least"] is not None else "at_most"
    return gate[key].fact("exact")


def _clean_interval(details: Node) -> svg.Point:
    """Interval of the score on unchanged inputs; the score itself where the evidence holds none."""
    clean, found = float(details.value["clean"]), details.value.get("clean_interval")
    return (float(found["low"]), float(found["high"])) if found else (clean, clean)


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
    return [table, *crossings(book), *unseen(book), *attacked, *_digits(book), *_features(book)]


def _attacked(result: Node) -> Paragraph:
    details = result["details"]
    names = tree.joined(name.fact("name") for name in details["attacked_features"])
    sentence = tree.say(
        "{title}: the attack changed these features: {names}.", title=result["title"].fact(), names=names
    )
    if details["attacked_rows"]:
        sentence += tree.say(" It was made on {rows} test rows.", rows=details["attacked_rows"].fact("count"))
    return Paragraph(sentence)


def _features(book: Book) -> list[tree.Block]:
    """The score with each feature alone at fault, worst first within each test."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("robustness"):
        details = result["details"]
        if not details or not isinstance(details.value.get("features"), dict):
            continue
        found = [(n, v) for n, v in details["features"].items() if isinstance(v.value, int | float)]
        found.sort(key=lambda item: float(item[1].value))
        for name, value in found:
            how = details["faults"][str(name.value)] if details["faults"] else None
            words = (how.fact(),) if how is not None and how else blocks.NOTHING
            lines.append(((result["title"].fact(),), (name,), words, (value.fact("number"),)))
    if not lines:
        return []
    caption = ("The score with each feature alone at fault, at the largest severity; the worst fault of each feature",)
    return [tree.Table(caption, ("Test", "Feature", "Fault", "Score"), tuple(lines), frozenset({3}), fold=True)]


def crossings(book: Book) -> list[tree.Block]:
    """Where each curve falls below the threshold of its gate."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family("robustness"):
        for found in (result["details"]["crossing"] if result["details"] else None) or ():
            at, ends = found["at"], blocks.ends(found["low"], found["high"])
            cells = ((result["title"].fact(),), (found["threshold"].fact("exact"),), _severity(at), ends)
            lines.append((*cells, (found["words"].fact(),)))
    if not lines:
        return []
    caption = tree.say(
        "At which severity the policy's threshold is missed, with the interval that the curve's band gives at level "
        "{level}",
        level=blocks.level(book),
    )
    heads = ("Test", "Threshold", "Severity", "Interval", "In words")
    return [tree.Table(caption, heads, tuple(lines), frozenset({1, 2, 3}), prose=True)]


def _severity(node: Node) -> Parts:
    return (node.fact("number"),) if node.value is not None else ("not reached",)


def unseen(book: Book) -> list[tree.Block]:
    """Features whose unseen categories the graph does not treat as missing."""
    result = book.result("robustness.unseen_category")
    if result is None or not result["details"] or not result["details"]["unlike_missing"]:
        return []
    found = [(name, rows) for name, rows in result["details"]["unlike_missing"].items() if rows.value]
    if not found:
        return []
    listed = parts(*((", ", name, " (", rows.fact("count"), " rows)") for name, rows in found))[1:]
    sentence = (
        "The graph answers otherwise to an unseen category than to a missing value, against its contract: {listed}."
    )
    return [Paragraph(tree.say(sentence, listed=listed))]


def _digits(book: Book) -> list[tree.Block]:
    """The score with every numeric feature rounded to few significant digits."""
    result = book.result("robustness.rounding")
    if result is None or not result["details"] or not result["details"]["significant_digits"]:
        return []
    lines = tuple(
        ((row["digits"].fact("count"),), blocks.number(row["value"]), blocks.ends(row["low"], row["high"]))
        for row in result["details"]["significant_digits"]
    )
    caption = parts(result["title"].fact(), ": score with so many significant digits left of every numeric feature")
    return [tree.Table(caption, ("Digits", "Score", "Interval"), lines, frozenset({0, 1, 2}), fold=True)]


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
        *([tree.Figures(tuple(figures_))] if figures_ else []),
        *tests(book),
        *slices.tables(book),
        *meaning.table(book, "robustness"),
        *performance.methods(book, "robustness"),
        *performance.without_value(book, "robustness"),
    ]
    inner += certified.section(book)
    return Section("robustness", "Robustness", (*inner, table) if table else tuple(inner))


def _point(result: Node, point: Node) -> tuple[Parts, ...]:
    return (
        (result["title"].fact(),),
        (point["severity"].fact("exact"),),
        blocks.number(point["value"]),
        blocks.ends(point["low"], point["high"]),
    )
