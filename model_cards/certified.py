"""What is proven of the model: clean, attacked and certified results over the size of a change; declared properties."""

from __future__ import annotations

from model_cards import blocks, figures, tree
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Paragraph, Parts, parts

ATTACKED, CERTIFIED, PROPERTIES = "robustness.evasion", "robustness.certified", "robustness.properties"

MEANING = Paragraph(
    (
        "Certified means proven: no admissible change of the inputs of such a row, up to the size named, changes its "
        "label; rounding in float32 is included. Falsified means that the model itself gave an admissible input "
        "another label. What is unknown could not be decided in the time given: nothing is claimed of it. The true "
        "result under the worst change lies between the certified and the attacked one.",
    )
)
MEANING_REGRESSION = Paragraph(
    (
        "Certified means proven: the score if every prediction took the worst value that the proven bounds allow under "
        "an admissible change of the inputs; rounding in float32 is included. The true score under the worst change "
        "lies between the certified and the attacked one.",
    )
)


def figure(book: Book) -> Figure | None:
    """The attacked and the certified result over epsilon, with the clean one as a line."""
    result = book.result(CERTIFIED)
    levels = _levels(result)
    if result is None or levels is None or result["details"]["clean"].value is None:
        return None
    details = result["details"]
    clean, attack = float(details["clean"].value), _curve(book)
    most = max(p.value["severity"] for p in levels)
    lines = [_series("certified", levels, clean)]
    if attack is not None:
        lines.insert(0, _series("under attack", attack, clean))
    ends = [value for line in lines for pair in line.band for value in pair] + [p[1] for s in lines for p in s.points]
    drawing = figures.curves(
        lines,
        str(details["x"].value),
        _name(details),
        x_range=(0, most),
        y_range=(0, 1) if min(ends) >= 0 and max(ends) <= 1 else None,
        reference=((0, clean), (most, clean)),
    )
    last = levels[len(levels.value) - 1]
    alt = tree.say(
        "{title}: from {clean} on unchanged inputs (thin line)",
        title=result["title"].fact(),
        clean=details["clean"].fact("number"),
    )
    if attack is not None:
        end = attack[len(attack.value) - 1]
        alt += tree.say(" to {value} under attack", value=end["value"].fact("number"))
    alt += tree.say(
        " and {value} certified, at {severity}",
        value=last["value"].fact("number"),
        severity=last["severity"].fact("exact"),
    )
    return Figure(parts(result["title"].fact()), drawing, (*alt, "."))


def _levels(result: Node | None) -> Node | None:
    if result is None or not result["details"]:
        return None
    levels = result["details"]["levels"]
    return levels if levels and all(p.value.get("value") is not None for p in levels) else None


def _curve(book: Book) -> Node | None:
    """The curve of the attack, where it was made on the same rows."""
    attacked, proven = book.result(ATTACKED), book.result(CERTIFIED)
    if attacked is None or proven is None or not attacked["details"] or not attacked["details"]["curve"]:
        return None
    curve, same = attacked["details"]["curve"], attacked["details"]["clean"].value == proven["details"]["clean"].value
    return curve if same and all(p.value.get("value") is not None for p in curve) else None


def _series(name: str, points: Node, clean: float) -> figures.Series:
    """A line that starts at the clean result."""
    drawn = [(p.value["severity"], p.value["value"]) for p in points]
    bands = [(p.value["low"], p.value["high"]) for p in points if p.value.get("low") is not None]
    if drawn[0][0] > 0:
        drawn.insert(0, (0.0, clean))
        bands = [(clean, clean), *bands] if bands else bands
    band = bands if len(bands) == len(drawn) else ()
    return figures.Series(name, drawn, points.evidence, band, marks=True, whiskers=True)


def _name(details: Node) -> str:
    metric = str(details["metric"].value)
    return "Coefficient of determination" if metric == "r2" else metric.replace("_", " ").capitalize()


def section(book: Book) -> list[tree.Block]:
    """The figure, how the rows ended at each size of a change, and the declared properties."""
    made: list[tree.Block] = []
    result = book.result(CERTIFIED)
    levels = _levels(result)
    if result is not None and levels is not None:
        drawn = figure(book)
        if drawn is not None:
            made.append(tree.Figures((drawn,)))
        counted = "certified" in levels[0].value
        made += [MEANING if counted else MEANING_REGRESSION, _table(book, result, levels, counted=counted)]
    return [*made, *properties(book)]


def _table(book: Book, result: Node, levels: Node, *, counted: bool) -> tree.Table:
    kinds = ("certified", "falsified", "unknown", "wrong") if counted else ("largest_change",)
    words = {
        "certified": "Certified rows",
        "falsified": "Falsified rows",
        "unknown": "Unknown rows",
        "wrong": "Rows wrong from the start",
        "largest_change": "Widest interval of a prediction",
    }
    lines: list[tuple[Parts, ...]] = []
    for level in levels:
        cells = (
            (level[kind].fact("count" if counted else "number"),) if level[kind].value is not None else blocks.NOTHING
            for kind in kinds
        )
        lines.append(
            (
                (level["severity"].fact("exact"),),
                *cells,
                blocks.number(level["value"]),
                blocks.ends(level["low"], level["high"]),
            )
        )
    caption = tree.say(
        "{title} at each size of a change, intervals at level {level}",
        title=result["title"].fact(),
        level=blocks.level(book),
    )
    heads = ("Largest change", *(words[k] for k in kinds), _name(result["details"]), "Interval")
    return tree.Table(caption, heads, tuple(lines), frozenset(range(len(heads))))


def properties(book: Book) -> list[tree.Block]:
    """The declared properties with their answers; for a violated one the input that violates it."""
    result = book.result(PROPERTIES)
    found = result["details"]["properties"] if result is not None and result["details"] else None
    if result is None or not found:
        return []
    lines = tuple(
        (
            (one["name"].fact("name"),),
            (one["answer"].fact(),),
            (one["reason"].fact(),),
            _input(one),
            (one["sha256"].fact("digest"),),
        )
        for one in found
    )
    heads = ("Property", "Answer", "How it was decided", "Input that violates it", "File (SHA-256)")
    caption = parts(result["title"].fact(), ": what must hold of the exported graph")
    summary = Paragraph((result["title"].fact(), ": ", result["reason"].fact(), "."))
    return [summary, tree.Table(caption, heads, lines, prose=True)]


def _input(one: Node) -> Parts:
    if not one["inputs"]:
        return blocks.NOTHING
    named = (p for key, value in one["inputs"].items() for p in (", ", key, " = ", value.fact("number")))
    return parts(*named)[1:]
