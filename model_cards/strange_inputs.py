"""The flag for inputs unlike those of training: what it notices, what it does not, how to compute it."""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.prediction_sets import measured
from model_cards.refs import Book, Node
from model_cards.tree import Paragraph, Parts, Table, parts

ALARMS, DETECTION = "explanation.ood_false_alarms", "explanation.ood_detection"


def summary(book: Book) -> list[Parts]:
    """False alarms, detection and blind spots in sentences."""
    alarms = measured(book, ALARMS)
    if alarms is None:
        return []
    one = alarms["measures"][0]
    found = [
        tree.say(
            "The flag for strange inputs is raised for {value} {interval} of the unaltered test rows ({note}).",
            value=blocks.value(one),
            interval=blocks.interval(one),
            note=one["note"].fact(),
        )
    ]
    strange: list[Parts] = []
    for kind in _kinds(book):
        raised = _measure(book, f"{DETECTION}.{kind.value['kind']}_flagged")
        if raised is not None:
            strange.append(parts(*blocks.value(raised), " ", *blocks.interval(raised), ": ", kind["how"].fact()))
    if strange:
        kinds = tree.joined(strange, "; ")
        found.append(tree.say("Of test rows made strange on purpose it is raised for {kinds}.", kinds=kinds))
    blind = tree.joined((item.fact() for item in alarms["details"]["blind_to"]), "; ")
    return [*found, tree.say("It does not see: {blind}.", blind=blind)]


def section(book: Book) -> list[tree.Block]:
    """Everything about the flag; nothing where it was not measured."""
    alarms = measured(book, ALARMS)
    if alarms is None:
        return []
    return [*_detection(book), HOW, *_parameters(alarms)]


HOW = Paragraph(
    (
        "The distance is Mahalanobis’: each numeric feature less the training mean, over the training standard "
        "deviation, a missing value as nothing; then the root of the quadratic form with the inverse of the training "
        "correlations. Means, deviations and the matrix stand in the evidence beside the threshold, so that whoever "
        "operates the model can compute the flag. It is a limit that is known, no protection.",
    ),
    "note",
)


def _kinds(book: Book) -> list[Node]:
    result = book.result(DETECTION)
    return list(result["details"]["kinds"]) if result is not None and result["details"] else []


def _measure(book: Book, name: str) -> Node | None:
    result = book.result(DETECTION)
    return result["measures"].first(name=name) if result is not None else None


def _detection(book: Book) -> list[tree.Block]:
    lines: list[tuple[Parts, ...]] = []
    for kind in _kinds(book):
        name = kind.value["kind"]
        area = _measure(book, DETECTION if name == "shuffled" else f"{DETECTION}.{name}")
        raised = _measure(book, f"{DETECTION}.{name}_flagged")
        lines.append(
            (
                (kind["how"].fact(),),
                blocks.value(area),
                blocks.interval(area),
                blocks.value(raised),
                blocks.interval(raised),
                blocks.rows(area),
            )
        )
    if not lines:
        return []
    caption = tree.say(
        "Rows made strange on purpose: area under the ROC curve of their distance against unaltered rows, and share "
        "flagged, intervals at level {level}",
        level=blocks.level(book),
    )
    heads = ("How they were made", "Area under the curve", "Interval", "Flagged", "Interval", "Rows")
    return [Table(caption, heads, tuple(lines), frozenset({1, 2, 3, 4, 5}), prose=True)]


def _parameters(alarms: Node) -> list[tree.Block]:
    rows = alarms["details"]["features"]
    if not rows:
        return []
    lines = tuple(
        ((row["feature"].fact("name"),), (row["mean"].fact("number"),), (row["std"].fact("number"),)) for row in rows
    )
    caption = tree.say("Numbers behind the flag; threshold {at}", at=alarms["details"]["threshold"].fact("number"))
    heads = ("Feature", "Training mean", "Training standard deviation")
    return [Table(caption, heads, lines, frozenset({1, 2}), fold=True)]
