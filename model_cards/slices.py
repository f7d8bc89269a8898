"""Slices in the section on robustness: declared ones, the worst ones found, the population to come."""

from __future__ import annotations

from model_cards import blocks, figures, tree
from model_cards.refs import Book, Node
from model_cards.tree import Figure, Paragraph, Parts, parts

DECLARED = ("robustness.shift", "robustness.shift_error")
SEARCHED = ("robustness.worst_slice", "robustness.worst_slice_error")


def _found(book: Book, check_ids: tuple[str, ...], key: str) -> Node | None:
    """The result of the one of these checks that holds such details."""
    for check_id in check_ids:
        result = book.result(check_id)
        if result is not None and result["details"] and result["details"][key]:
            return result
    return None


def drawn(book: Book) -> list[Figure]:
    """An interval plot for the declared columns, and one for the slices found by search."""
    figures_ = []
    if (result := _found(book, DECLARED, "groups")) is not None:
        figures_ += _by_column(book, result)
    if (result := _found(book, SEARCHED, "slices")) is not None:
        figures_ += _by_search(result)
    return figures_


def _by_column(book: Book, result: Node) -> list[Figure]:
    least, overall = book.plan["policy"]["minimum_group_size"], result["details"]["overall"]["value"]
    shown = []
    for column, rows in result["details"]["groups"].items():
        lines = [_interval(row, "group", least.value) for row in rows if row["value"].value is not None]
        if lines:
            shown.append((str(column.value).replace("_", " "), lines))
    if not shown:
        return []
    alt = tree.say(
        "One mark with its interval for each slice; hollow marks rest on fewer than {least} rows. The thin line is the "
        "score of all test rows, {overall}.",
        least=least.fact("count"),
        overall=overall.fact("number"),
    )
    drawing = figures.intervals(shown, _axis(result, "rate"), upright=(float(overall.value), ""))
    return [Figure((result["title"].fact(),), drawing, alt)]


def _by_search(result: Node) -> list[Figure]:
    slices, overall = result["details"]["slices"], result["details"]["overall"]
    lines = [_interval(row, "slice", 0) for row in slices if row["value"].value is not None]
    if not lines:
        return []
    alt = tree.say(
        "The slices on which the model was worst on the validation part, with what the test part shows of them. The "
        "thin line is the score of all test rows, {overall}.",
        overall=overall.fact("number"),
    )
    drawing = figures.intervals(
        [("found by search", lines)], _axis(result, "metric"), upright=(float(overall.value), ""), lines=5
    )
    return [Figure((result["title"].fact(),), drawing, alt)]


def _axis(result: Node, key: str) -> str:
    measure = next(iter(result["measures"]))
    unit = "" if measure.value["unit"] == "1" else f" ({measure.value['unit']})"
    return str(result["details"][key].value).capitalize() + unit


def _interval(row: Node, name: str, least: int) -> figures.Interval:
    v = row.value
    return figures.Interval(str(v[name]), v["value"], v["low"], v["high"], row.evidence, v["n"], v["n"] < least)


def tables(book: Book) -> list[tree.Block]:
    """The slices with their numbers, and the target distribution."""
    return [*_declared(book), *_searched(book), *_deployment(book)]


def _declared(book: Book) -> list[tree.Block]:
    result = _found(book, DECLARED, "groups")
    if result is None:
        return []
    found = [(column, row) for column, rows in result["details"]["groups"].items() for row in rows]
    if len(found) > blocks.LONG:
        sign = 1 if book.catalogue[str(result.value["check_id"])]["better"].value == "higher" else -1
        found.sort(key=lambda line: _worst_first(line[1], sign))
    lines = [
        ((column,), (row["group"].fact(),), _count(row["n"]), blocks.number(row["value"]),
         blocks.ends(row["low"], row["high"]))
        for column, row in found
    ]  # fmt: skip
    caption = tree.say(
        "{title}: every slice with its interval at level {level}",
        title=result["title"].fact(),
        level=blocks.level(book),
    )
    heads = ("Column", "Slice", "Test rows", "Score", "Interval")
    missing = [
        tree.say("{column}: {rows} test rows without a value", column=column, rows=rows.fact("count"))
        for column, rows in result["details"]["missing_attribute"].items()
        if rows.value and column.value != "overall"  # the rows of every column once more
    ]
    table = tree.Table(caption, heads, tuple(lines), frozenset({2, 3, 4}))
    return [*blocks.headed(table, result["details"]["groups"], "worst"), *_bullets(missing)]


def _worst_first(row: Node, sign: int) -> tuple[bool, float]:
    """Place of a slice by its score; one without a score comes last."""
    score = row.value["value"]
    return (score is None, 0.0 if score is None else sign * float(score))


def _bullets(items: list[Parts]) -> list[tree.Block]:
    return [tree.Bullets(tuple(items))] if items else []


def _searched(book: Book) -> list[tree.Block]:
    result = _found(book, SEARCHED, "slices")
    if result is None:
        return []
    lines = tuple(
        (
            (row["slice"].fact(),),
            (row["validation_rows"].fact("count"),),
            blocks.number(row["validation"]),
            _count(row["n"]),
            blocks.number(row["value"]),
            blocks.ends(row["low"], row["high"]),
            blocks.number(row["difference"]),
            blocks.ends(row["difference_low"], row["difference_high"]),
        )
        for row in result["details"]["slices"]
    )
    caption = tree.say(
        "{title}: found on the validation part among {searched} slices, measured on the test part; all intervals hold "
        "at once at level {level}",
        title=result["title"].fact(),
        searched=result["details"]["searched"].fact("count"),
        level=blocks.level(book),
    )
    heads = (
        "Slice", "Validation rows", "Score there", "Test rows", "Score", "Interval", "Worse than all by", "Interval",
    )  # fmt: skip
    note = "The search picks the worst of many, so its own scores are worse than the truth. The test part counts."
    luck = "No slice stands out on the validation part beyond luck."
    words: list[tree.Block] = [Paragraph((note,), "note")]
    if not result["details"]["stands_out"].value:
        words.insert(0, Paragraph((luck,)))
    return [*words, tree.Table(caption, heads, lines, frozenset({1, 2, 3, 4, 5, 6, 7}))]


def _deployment(book: Book) -> list[tree.Block]:
    result = _found(book, ("robustness.deployment",), "shares")
    if result is None:
        return []
    details = result["details"]
    source = book.plan["policy"]["robustness"]["shift"]["deployment_source"]
    sentence = tree.say(
        "The test rows were weighted to the shares that the plan expects where the system is used: {score} {interval} "
        "instead of {overall}. They are worth {effective} rows of that population; the largest weight is {largest} "
        "times the mean. Source of the shares: {source}.",
        score=blocks.value(next(iter(result["measures"]))),
        interval=blocks.interval(next(iter(result["measures"]))),
        overall=blocks.number(details["overall"]["value"]),
        effective=details["effective_rows"].derived(round(float(details["effective_rows"].value)), "rounded", "count"),
        largest=details["largest_weight"].fact("number"),
        source=source.fact_or_gap("source of the target distribution"),
    )
    lines = tuple(
        (
            (row["column"].fact(),),
            (row["slice"].fact(),),
            _count(row["n"]),
            (row["found"].fact("percent"),),
            (row["expected"].fact("percent"),),
        )
        for row in details["shares"]
    )
    heads = ("Column", "Slice", "Test rows", "Share found", "Share expected")
    caption = parts(result["title"].fact(), ": shares found and expected")
    return [Paragraph(sentence), tree.Table(caption, heads, lines, frozenset({2, 3, 4}), fold=len(lines) > blocks.LONG)]


def _count(node: Node) -> Parts:
    return (node.fact("count"),) if node.value is not None else blocks.NOTHING
