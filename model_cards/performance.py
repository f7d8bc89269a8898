"""The section on performance: measures with intervals, and the curves behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from checks import catalogue
from model_cards import blocks, calibration, effect, figures, given, matrix, meaning, tree
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Paragraph, Parts, Section, parts


def measures(book: Book, family: str, elsewhere: tuple[str, ...] = ()) -> list[tree.Block]:
    """Every measure of a family of checks with interval, rows, threshold and outcome.

    Where there are many, those under a gate come first and the whole table is folded. What supplements a check (a
    second metric, a slice without its small groups) stands in a table of its own; groups are shown elsewhere, and so
    are the parts of checks that `elsewhere` names.
    """
    gates = {(v.reason.value["check_id"], v.reason.value["slice"]): v for v in blocks.verdicts(book) if v.of_policy}
    gated, heads, others = [], [], []
    for result in book.family(family):
        for measure in (m for m in result["measures"] if "=" not in m.value["slice"]):
            if blocks.of_variant(measure):
                continue  # it stands with its gate, where its level is named
            if measure.value["name"].removeprefix(f"{result.value['check_id']}.") in elsewhere:
                continue
            if measure.value["name"] != result.value["check_id"]:
                others.append((_named(result, measure), *_numbers(measure, None)))
                continue
            verdict = gates.get((measure.value["name"], measure.value["slice"]))
            heads.append(_measure(result, measure, verdict))
            if verdict is not None:
                gated.append(heads[-1])
    level = blocks.level(book)
    tables = [_table(tree.say("Measures with intervals at level {level}", level=level), heads)]
    if len(heads) > 2 * blocks.LONG and gated:
        every = dataclasses.replace(tables[0], fold=True)
        tables = [_table(tree.say("Measures under a gate, intervals at level {level}", level=level), gated), every]
    if others:
        columns = ("Measure", "Slice", "Value", "Interval", "Rows")
        caption = tree.say("Supplementary measures, intervals at level {level}", level=level)
        tables.append(tree.Table(caption, columns, tuple(others), frozenset({2, 3, 4}), fold=True))
    return [table for table in tables if table.rows]


SUFFIXES = {
    "without_small_groups": "without the groups that have too few rows",
    "pgd": "projected gradient",
    "apgd_ce": "AutoPGD, cross entropy",
    "apgd_dlr": "AutoPGD, logit ratio",
    "apgd_t": "AutoPGD, targeted",
    "apgd_se": "AutoPGD, squared error",
    "square": "Square, query only",
}
"""Parts of checks in words, where their names do not say enough."""


def _named(result: Node, measure: Node) -> Parts:
    """The check's title and, in words, the part of it that a measure is."""
    check_id, name = str(result.value["check_id"]), str(measure.value["name"])
    own = name.removeprefix(f"{check_id}.")
    words = SUFFIXES.get(own, own.rpartition(".")[2].replace("_", " "))
    return parts(result["title"].fact(), ": ", measure["name"].derived(words, "name in words"))


def methods(book: Book, family: str) -> list[tree.Block]:
    """How the intervals of a family were made, each way once with the measures it belongs to."""
    found: dict[str, tuple[Node, dict[str, Node]]] = {}
    for result in book.family(family):
        for measure in result["measures"]:
            if measure["interval"] and not blocks.of_variant(measure):
                method = measure["interval"]["method"]
                found.setdefault(str(method.value), (method, {}))[1].setdefault(result.value["title"], result["title"])
    lines: list[tuple[Parts, ...]] = []
    for method, titles in found.values():
        names = parts(*(("; ", title.fact()) for title in titles.values()))[1:]
        lines.append(((method.fact(),), names))
    if not lines:
        return []
    caption = tree.say("How the intervals were made, all at level {level}", level=blocks.level(book))
    return [tree.Table(caption, ("Method", "Measures"), tuple(lines), prose=True, fold=True)]


def _table(caption: Parts, lines: list[tuple[Parts, ...]]) -> tree.Table:
    columns = ("Measure", "Slice", "Value", "Interval", "Rows", "Threshold", "Outcome")
    return tree.Table(caption, columns, tuple(lines), frozenset({2, 3, 4}))


def _measure(result: Node, measure: Node, verdict: blocks.Verdict | None) -> tuple[Parts, ...]:
    bound = verdict.bound if verdict else None
    asked = blocks.threshold(verdict.threshold) if verdict else blocks.NOTHING
    outcome: Parts = ("no threshold set",)
    if verdict:
        outcome = parts(
            *blocks.status(verdict.reason),
            *blocks.own_level(verdict),
            *(() if verdict.reason.value["required"] else (", reported only",)),
        )
    title = parts(result["title"].fact())
    if measure.value["name"] == "performance.confusion_matrix" and measure["note"]:
        title = parts(title, ": ", measure["note"].fact())
    where, *numbers = _numbers(measure, bound)
    return (title, parts(where, *_which_group(result, measure)), *numbers, asked, outcome)


RATES = tuple(metric.id for metric in catalogue.METRICS.values() if metric.scale == "rate")
"""Measures whose headline is the rate of one group of the attribute."""


def _which_group(result: Node, measure: Node) -> Parts:
    """The group whose rate the headline of an attribute is."""
    details = result["details"]
    if result.value["check_id"] not in RATES or not details or not details["groups"]:
        return ()
    row = details["groups"][measure.value["slice"]].first(value=measure.value["value"])
    return (", group ", row["group"].fact()) if row is not None else ()


def _numbers(measure: Node, bound: float | None) -> tuple[Parts, ...]:
    return (
        blocks.slice_words(measure),
        blocks.value(measure, bound),
        blocks.interval(measure, bound),
        blocks.rows(measure),
    )


def without_value(book: Book, family: str) -> list[tree.Block]:
    """The checks of a family that gave no number, each with its reason."""
    empty = [r for r in book.family(family) if not any(m.value["value"] is not None for m in r["measures"])]
    if not empty:
        return []
    inner = blocks.result_table(empty, "Checks without a value")
    return [tree.Table(inner.caption, inner.columns, inner.rows, fold=True)]


def roc(book: Book) -> Figure | None:
    """True against false positive rate."""
    result = book.result("performance.roc_auc")
    curve = _details(result, "curve")
    if result is None or curve is None or not curve.value.get("fpr"):
        return None
    points = list(zip(curve.value["fpr"], curve.value["tpr"], strict=True))
    svg = figures.curves(
        [figures.Series("model", points, curve.evidence)],
        "False positive rate", "True positive rate",
        x_range=(0, 1), y_range=(0, 1), reference=((0, 0), (1, 1)),
    )  # fmt: skip
    alt = tree.say(
        "Receiver operating characteristic on the test rows; the area under it is {area}. "
        "The thin diagonal is what guessing gives.{note}",
        area=headline(result),
        note=_note(result),
    )
    return Figure(("ROC curve",), svg, alt)


def precision_recall(book: Book) -> Figure | None:
    """Precision against recall."""
    result = book.result("performance.pr_auc")
    curve = _details(result, "curve")
    if result is None or curve is None or not curve.value.get("recall"):
        return None
    points = sorted(zip(curve.value["recall"], curve.value["precision"], strict=True), key=lambda p: p[0])
    counted = matrix.of(book) if book["encode"].value["task"] == "binary" else None
    chance = counted.share(1) if counted else None
    level = (float(chance.value), "order by chance") if chance else None
    svg = figures.curves(
        [figures.Series("model", points, curve.evidence)],
        "Recall", "Precision", x_range=(0, 1), y_range=(0, 1), level=level,
    )  # fmt: skip
    alt = tree.say(
        "Precision over recall on the test rows; the area under it is {area}.{note}",
        area=headline(result),
        note=_note(result),
    )
    if chance:
        alt += tree.say(" An order by chance gives {chance} (labelled line), the share of the class.", chance=chance)
    return Figure(("Precision and recall",), svg, alt)


def confusion(book: Book) -> Figure | None:
    """True against predicted classes."""
    result = book.result("performance.confusion_matrix")
    matrix = _details(result, "matrix")
    if result is None or matrix is None:
        return None
    labels = [str(label) for label in result.value["details"].get("labels", ())]
    if len(labels) != len(matrix.value):
        return None
    total = sum(sum(row) for row in matrix.value)
    right = sum(row[i] for i, row in enumerate(matrix.value))
    svg = figures.matrix(labels, matrix.value, matrix.evidence)
    alt = tree.say(
        "Rows of the matrix are true classes, columns predicted ones. Of {total} test rows, {right} stand on the "
        "diagonal. The shade is the share within the true class.",
        total=matrix.derived(total, "sum of the matrix", "count"),
        right=matrix.derived(right, "sum of the diagonal", "count"),
    )
    return Figure(("Confusion matrix",), svg, alt)


def regression(book: Book) -> Figure | None:
    """Observed against predicted values in bins."""
    result = book.result("performance.rmse")
    found = _details(result, "predicted_observed")
    if result is None or found is None:
        return None
    points = [(b.value["predicted"], b.value["observed"]) for b in found]
    bands = [(b.value["low"], b.value["high"]) for b in found if b.value.get("low") is not None]
    ends = [v for p in points for v in p]
    unit = book["encode"].value["target_unit"]
    words = f" in {unit}" if unit else ""
    series = figures.Series("mean of bin", points, found.evidence, marks=True, whiskers=True)
    if len(bands) == len(points):
        series = dataclasses.replace(series, band=bands)
    diagonal = ((min(ends), min(ends)), (max(ends), max(ends)))
    svg = figures.curves([series], f"Predicted{words}", f"Observed{words}", reference=diagonal)
    alt = tree.say(
        "Mean observed over mean predicted value in {bins} bins of test rows, with the range that leaves out the tenth "
        "of the observed values at either end. The root mean squared error is {error}. Unbiased predictions lie on the "
        "diagonal.",
        bins=found.size("bins"),
        error=headline(result),
    )
    return Figure(("Predicted and observed",), svg, alt)


FIGURES: tuple[tuple[str, Callable[[Book], Figure | None], frozenset[str]], ...] = (
    ("ROC curve", roc, frozenset({"binary", "multiclass"})),
    ("precision and recall", precision_recall, frozenset({"binary", "multiclass"})),
    ("calibration", calibration.reliability, frozenset({"binary", "multiclass"})),
    ("confusion matrix", confusion, frozenset({"binary", "multiclass"})),
    ("predicted and observed values", regression, frozenset({"regression"})),
    ("calibration", calibration.deciles, frozenset({"regression"})),
)
"""Name, how to draw it, and the tasks that it belongs to."""


def headline(result: Node) -> Parts:
    """The first measure of a result: value and interval."""
    measure = next(iter(result["measures"]), None)
    shown = blocks.interval(measure)
    return blocks.value(measure) if shown == blocks.NOTHING else parts(*blocks.value(measure), " ", *shown)


def section(book: Book) -> Section:
    """The whole chapter of the report."""
    drawn, absent = [], []
    for name, draw, tasks in FIGURES:
        figure = draw(book) if book["encode"].value["task"] in tasks else None
        if figure:
            drawn.append(figure)
        elif book["encode"].value["task"] in tasks:
            absent.append(name)
    inner: list[tree.Block] = [
        measured_on(book),
        *effect.positive(book),
        *measures(book, "performance"),
        *effect.baseline(book),
        *effect.simple_rules(book),
        *meaning.table(book, "performance"),
        *methods(book, "performance"),
        *without_value(book, "performance"),
    ]
    if drawn:
        inner.append(tree.Figures(tuple(drawn)))
    inner += calibration.table(book)
    if absent:
        inner.append(Paragraph(("Not drawn, since the evidence holds no data for it: ", *_listed(absent), "."), "note"))
    return Section("performance", "Performance", tuple(inner))


def measured_on(book: Book) -> Paragraph:
    """Which graph was measured with which rows, and whether it is the one that ships."""
    audit = book.result("data.leakage")
    leakage: Parts = ("no audit of leakage was recorded",)
    if audit is not None:
        leakage = tree.say(
            "audit that no step gave the model rows it must not see: {status}", status=blocks.status(audit)
        )
    if not given.has_model(book):
        return given.measured_on(book, leakage)
    shipped, evaluated = book["export"]["onnx"]["sha256"], book["evaluate"]["onnx_sha256"]
    same = evaluated.derived("the same" if shipped.value == evaluated.value else "ANOTHER", "digests compared")
    return Paragraph(
        tree.say(
            "Measured with the {rows} rows of the test part under {runtime}, on {same} ONNX file as the one that ships "
            "(by digest); {leakage}. Only the evaluation gave test rows to the model{parity}; checks on data read the "
            "rows of every part.",
            rows=book["split"]["parts"]["test"]["rows"].fact("count"),
            runtime=book["evaluate"]["runtime"].fact(),
            same=same,
            leakage=leakage,
            parity=", beside the comparison of the export" if _parity_read_test(book) else "",
        )
    )


def _parity_read_test(book: Book) -> bool:
    return bool(book["export"]["parity"].value["split"] == "test")


def _note(result: Node) -> Parts:
    note = result["details"]["curve_note"]
    return (" The curve is the ", note.fact(), ".") if note else ()


def _details(result: Node | None, key: str) -> Node | None:
    if result is None or not result["details"] or not result["details"][key]:
        return None
    return result["details"][key]


def _listed(names: list[str]) -> Parts:
    return (", ".join(names),)
