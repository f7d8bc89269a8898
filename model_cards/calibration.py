"""The figures and tables on calibration: observed over predicted, with the interval of every bin."""

from __future__ import annotations

from model_cards import blocks, figures, tree
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Parts


def reliability(book: Book) -> Figure | None:
    """Observed share against predicted probability, in bins of equal width."""
    result = book.result("performance.ece")
    found = _bins(result)
    bins = [b for b in found or () if b.value.get("count") and b.value.get("observed") is not None]
    if result is None or found is None or not bins:
        return None
    points = [(b.value["predicted"], b.value["observed"]) for b in bins]
    bands = [
        (b.value["observed_low"], b.value["observed_high"]) for b in bins if b.value.get("observed_low") is not None
    ]
    counts = [b.value["count"] for b in bins]
    least = book.plan["policy"]["minimum_group_size"]
    whose: Parts = ("probability of the label that the model gives, against the share of right labels",)
    x_label, y_label = "Probability of the label given", "Share of right labels"
    if book["encode"].value["task"] == "binary":
        name = book["encode"]["classes"][1]
        whose = tree.say("probability of {name}, against the share of rows that are {name}", name=name.fact())
        x_label, y_label = f"Probability of {name.value}", f"Share that is {name.value}"
    whole = len(bands) == len(points)
    series = figures.Series("model", points, found.evidence, bands if whole else (), marks=True, whiskers=whole)
    svg = figures.calibration(series, counts, x_label, y_label, fewest=least.value)
    alt = tree.say(
        "The {whose}, in {bins} bins that hold rows{intervals}; bars show the rows in each, hollow marks stand for "
        "fewer than {least}. The expected calibration error is {error}. A calibrated model lies on the diagonal.",
        whose=whose,
        intervals=tree.say(", each with its own interval at level {level}", level=blocks.level(book)) if whole else "",
        least=least.fact("count"),
        bins=found.derived(len(bins), "bins that hold rows", "count"),
        error=_headline(result),
    )
    return Figure(("Calibration",), svg, alt)


def deciles(book: Book) -> Figure | None:
    """Mean observed against mean predicted value of a regressor, in bins of equal count."""
    result = book.result("performance.decile_error")
    found = _bins(result)
    if result is None or found is None:
        return None
    points = [(b.value["predicted"], b.value["observed"]) for b in found]
    bands = [(b.value["low"], b.value["high"]) for b in found]
    ends = [v for p in points for v in p]
    unit = book["encode"].value["target_unit"]
    words = f" in {unit}" if unit else ""
    series = figures.Series("mean of bin", points, found.evidence, bands, marks=True, whiskers=True)
    diagonal = ((min(ends), min(ends)), (max(ends), max(ends)))
    svg = figures.curves([series], f"Mean predicted{words}", f"Mean observed{words}", reference=diagonal)
    alt = tree.say(
        "Mean observed over mean predicted value in {bins} bins of equal count, each with its own interval at level "
        "{level}. The calibration error is {error}. Calibrated predictions lie on the diagonal.",
        bins=found.size("bins"),
        level=blocks.level(book),
        error=_headline(result),
    )
    return Figure(("Calibration",), svg, alt)


def table(book: Book) -> list[tree.Block]:
    """The bins of equal count, from which the debiased error is made."""
    for name in ("performance.calibration_error", "performance.decile_error"):
        found = _bins(book.result(name))
        if found is not None:
            lines = tuple(
                (
                    (b["predicted"].fact("number"),),
                    (b["observed"].fact("number"),),
                    blocks.ends(b["low"], b["high"]),
                    (b["count"].fact("count"),),
                )
                for b in found
            )
            caption = tree.say(
                "Predicted and observed in bins of equal count, each with its own interval at level {level}",
                level=blocks.level(book),
            )
            heads = ("Mean predicted", "Mean observed", "Interval", "Rows")
            return [tree.Table(caption, heads, lines, frozenset({0, 1, 2, 3}), fold=True)]
    return []


def _bins(result: Node | None) -> Node | None:
    if result is None or not result["details"] or not result["details"]["bins"]:
        return None
    return result["details"]["bins"]


def _headline(result: Node) -> Parts:
    measure = next(iter(result["measures"]), None)
    return tree.parts(*blocks.value(measure), " ", *blocks.interval(measure))
