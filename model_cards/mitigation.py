"""The section on mitigation and calibration: what was done to the model, and what it changed on the same test rows."""

from __future__ import annotations

from model_cards import blocks, figures, given, meaning, performance, tree
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Figure, Pairs, Paragraph, Parts, Section, Table, parts

FAMILY = "mitigation"
METHODS = {
    "reweighing": "training rows weighted so that label and group are independent",
    "exponentiated_gradient": "a weighted mean of networks that were trained under the constraint",
    "threshold_optimizer": "a decision threshold for each group, inside the graph",
}
"""Methods of the plan in words."""
LIMITS = {
    "reweighing": (
        "The weights make the labels of the training rows independent of the group. They do not make the decisions of "
        "a model so: that is measured below."
    ),
    "exponentiated_gradient": (
        "The method finds a classifier that draws one of its networks at random for each row, and its theory speaks of "
        "that one. A model that ships must answer the same row the same way: the graph holds the weighted mean of the "
        "networks' probabilities, cut once. That is another classifier. The theory says nothing of it; it is measured "
        "below like any other."
    ),
    "threshold_optimizer": (
        "The attribute decides over the label in operation, as the plan allows. The method's own rule draws between "
        "two thresholds at random; the graph holds one threshold for each group, the one whose rates on the validation "
        "rows come nearest to those of that rule. A row whose group is unknown takes the common threshold."
    ),
}
"""What each method does not do."""
NOT_SHIPPED = {
    "unmitigated": "the same plan and seed without the mitigation",
    "uncalibrated": "the same model without the temperature",
}


def asked(book: Book) -> list[tree.Block]:
    """What the plan asks for, in words."""
    stated = book.plan["mitigation"]
    if stated.value["method"] == "none":
        return [Paragraph(("The plan asks for no mitigation of differences between groups.",))]
    sentence = tree.say(
        "Mitigation {method}: {words}. Treated are the groups of {attribute}; wanted is {constraint}.",
        method=stated["method"].fact("name"),
        words=stated["method"].derived(METHODS[stated.value["method"]], "method in words"),
        attribute=stated["attribute"].fact("name"),
        constraint=stated["constraint"].fact("name"),
    )
    return [Paragraph(sentence), Paragraph((LIMITS[stated.value["method"]],), "note")]


def calibration(book: Book) -> list[tree.Block]:
    """The temperature, and what it did to the rows it was fitted on."""
    found = book["train"]["calibration"]
    if not found:
        return [Paragraph(("The plan asks for no calibration.",))] if _classifies(book) else []
    sentence = tree.say(
        "Calibration: the logits are divided by the temperature {temperature} inside the graph, before the decision "
        "threshold was chosen. On the {rows} validation rows it was fitted on, the log loss went from {before} to "
        "{after}.",
        temperature=found["temperature"].fact("number"),
        rows=found["rows"].fact("count"),
        before=found["log_loss_before"].fact("number"),
        after=found["log_loss_after"].fact("number"),
    )
    return [Paragraph(sentence)]


def weights(book: Book) -> list[tree.Block]:
    """The weights of reweighing."""
    lines = tuple(
        (
            (row["group"].fact(),),
            (row["negative_rows"].fact("count"),),
            (row["negative"].fact("number"),),
            (row["positive_rows"].fact("count"),),
            (row["positive"].fact("number"),),
        )
        for row in book["train"]["mitigation"]["weights"]
    )
    if not lines:
        return []
    negative, positive = book["encode"]["classes"][0], book["encode"]["classes"][1]
    columns = (
        "Group",
        negative.derived(f"Rows: {negative.value}", "name of the class"),
        negative.derived(f"Weight: {negative.value}", "name of the class"),
        positive.derived(f"Rows: {positive.value}", "name of the class"),
        positive.derived(f"Weight: {positive.value}", "name of the class"),
    )
    return [Table(("Weights of the training rows",), columns, lines, frozenset({1, 2, 3, 4}))]


def ensemble(book: Book) -> list[tree.Block]:
    """The networks of the weighted mean, and how the reduction ended."""
    found = book["train"]["mitigation"]["ensemble"]
    if not found:
        return []
    ended = "converged" if found.value["converged"] else "did not converge within its rounds"
    rows: tuple[tuple[str, Parts], ...] = (
        ("Networks trained", (found["fitted"].fact("count"),)),
        ("Networks with weight", (found["members"].size("members"),)),
        ("Rounds", parts(found["iterations"].fact("count"), ", ", found["converged"].derived(ended, "in words"))),
        ("Duality gap", (found["gap"].fact("number"),)),
        ("Allowed difference to the rate of all rows", (book.plan["mitigation"]["difference_bound"].fact("exact"),)),
        ("Largest on training rows, drawing at random", (found["violation_random"].fact("number"),)),
        ("Largest on training rows, weighted mean", (found["violation_shipped"].fact("number"),)),
        ("Members cut at", (found["cut"].fact("number"),)),
    )
    lines = tuple(
        (
            (member["constant"].derived(_kind(member), "in words"),),
            (member["weight"].fact("number"),),
            (member["epochs"].fact("count"),),
        )
        for member in found["members"]
    )
    table = Table(("Members of the weighted mean",), ("Member", "Weight", "Epochs"), lines, frozenset({1, 2}))
    return [Pairs("The reduction", rows), table]


def thresholds(book: Book) -> list[tree.Block]:
    """The threshold of each group, with the rates that were wanted and reached on the validation rows."""
    found = book["train"]["threshold"]["groups"] if book["train"]["threshold"] else None
    if not found:
        return []
    lines: list[tuple[Parts, ...]] = []
    for group in found["groups"]:
        for name, wanted in group["wanted"].items():
            reached = group["rates"][str(name.value)]
            cells = (_in_words(name),), (wanted.fact("number"),), (reached.fact("number"),)
            lines.append(
                ((group["group"].fact(),), (group["value"].fact("number"),), *cells, (group["rows"].fact("count"),))
            )
    heads = ("Group", "Threshold", "Rate", "Wanted", "Reached", "Validation rows")
    return [Table(("Thresholds of the groups",), heads, tuple(lines), frozenset({1, 3, 4, 5}))]


def changes(book: Book) -> list[tree.Block]:
    """Before, after and their paired difference for every measure."""
    lines = []
    for result in _measured(book):
        before, after, change = _three(result)
        lines.append(
            (
                parts(result["title"].fact(), *_note(change)),
                _with_interval(before),
                _with_interval(after),
                _with_interval(change),
                blocks.rows(change),
            )
        )
    if not lines:
        return []
    caption = tree.say(
        "Before and after on the same test rows, intervals at level {level}; that of the change is paired",
        level=blocks.level(book),
    )
    heads = ("Measure", "Before", "After", "Change", "Rows")
    return [Table(caption, heads, tuple(lines), frozenset({1, 2, 3, 4}))]


def groups(book: Book) -> list[tree.Block]:
    """The rates of every treated group before and after."""
    result = book.result("mitigation.disparity_change")
    rows = result["details"]["groups"] if result is not None and result["details"] else None
    if not rows:
        return []
    lines = tuple(
        (
            (row["rate"].fact(),),
            (row["group"].fact(),),
            (row["n"].fact("count"),),
            *(parts(blocks.number(row[w]), " ", blocks.ends(row[f"{w}_low"], row[f"{w}_high"])) for w in WHEN),
        )
        for row in rows
    )
    heads = ("Rate", "Group", "Rows used", "Before", "After")
    return [Table(("Rates of the treated groups before and after",), heads, lines, frozenset({2, 3, 4}))]


WHEN = ("before", "after")


def drawn(book: Book) -> list[Figure]:
    """Before beside after with their intervals; then the changes against nothing."""
    found = _measured(book)
    return [f for f in (_group_figure(book), _levels(found), _changes(found)) if f is not None]


def _levels(results: list[Node]) -> Figure | None:
    shown = []
    for result in results:
        before, after, _ = _three(result)
        if before is not None and after is not None and result.value["check_id"] in SHORT:
            shown += [_drawn(f"{_short(result)}, before", before), _drawn(f"{_short(result)}, after", after)]
    if not shown:
        return None
    alt = (
        "Each measure without and with the mitigation or calibration, with intervals. The numbers stand in the table.",
    )
    return Figure(("Before and after",), figures.intervals([("test rows", shown)], "Value on the test rows"), alt)


def _changes(results: list[Node]) -> Figure | None:
    shown = [_drawn(_short(r), _three(r)[2]) for r in results if r.value["check_id"] in SHORT]
    if not shown:
        return None
    alt = (
        "The change of each measure with its paired interval. An interval that holds zero leaves open whether anything "
        "changed. A smaller gap and a smaller calibration error are better, a larger accuracy is.",
    )
    drawing = figures.intervals([("after less before", shown)], "Change on the test rows", unit_range=False)
    return Figure(("What changed",), drawing, alt)


def _group_figure(book: Book) -> Figure | None:
    result = book.result("mitigation.disparity_change")
    rows = result["details"]["groups"] if result is not None and result["details"] else None
    if result is None or not rows:
        return None
    shown: dict[str, list[figures.Interval]] = {}
    for row in rows:
        v = row.value
        shown.setdefault(v["rate"], []).extend(
            figures.Interval(f"{v['group']}, {w}", v[w], v[f"{w}_low"], v[f"{w}_high"], row.evidence, v["n"])
            for w in WHEN
            if v[w] is not None
        )
    if not any(shown.values()):
        return None
    rate = result["details"]["rate"].fact()
    alt = tree.say(
        "The {rate} of each group before and after, with its interval. The numbers stand in the table.", rate=rate
    )
    axis = str(rate.value)
    return Figure(("Treated groups",), figures.intervals(list(shown.items()), axis[:1].upper() + axis[1:]), alt)


def comparisons(book: Book) -> list[tree.Block]:
    """The graphs that were measured for comparison and do not ship."""
    lines = tuple(
        ((name,), (Fact(NOT_SHIPPED[str(name.value)], name.evidence, derivation="in words"),),
         (graph["sha256"].fact("digest"),))
        for name, graph in (book["export"]["comparisons"] or Node("", "", {})).items()
        if str(name.value) in NOT_SHIPPED
    )  # fmt: skip
    if not lines:
        return []
    caption = ("Graphs that were measured for comparison; they are not in the bundle",)
    return [Table(caption, ("Graph", "What it is", "sha256"), lines, fold=True)]


def section(book: Book) -> Section:
    """The whole chapter of the report; empty where no model was given."""
    if not given.has_model(book):
        return Section("mitigation", "Mitigation and calibration")
    inner = summary(book)
    figures_ = drawn(book)
    inner += [*groups(book), *comparisons(book), *meaning.table(book, FAMILY)]
    inner += [*performance.methods(book, FAMILY), *performance.without_value(book, FAMILY)]
    if figures_:
        inner.append(tree.Figures(tuple(figures_)))
    return Section("mitigation", "Mitigation and calibration", tuple(inner))


def summary(book: Book) -> list[tree.Block]:
    """What the card says too: what was done, and what it changed."""
    if not given.has_model(book):
        return []
    done: list[tree.Block] = []
    if book["train"]["mitigation"]:
        done = [*weights(book), *ensemble(book), *thresholds(book)]
    return [*asked(book), *calibration(book), *done, *changes(book)]


def _measured(book: Book) -> list[Node]:
    """The results of the family that have a value."""
    found = []
    for result in book.family(FAMILY):
        first = next(iter(result["measures"]), None)
        if first is not None and first.value["value"] is not None:
            found.append(result)
    return found


def _three(result: Node) -> tuple[Node | None, Node | None, Node]:
    name, measures = str(result.value["check_id"]), result["measures"]
    before, after = (measures.first(name=f"{name}.{when}") for when in WHEN)
    return before, after, next(iter(measures))


def _with_interval(measure: Node | None) -> Parts:
    shown = blocks.interval(measure)
    return blocks.value(measure) if shown == blocks.NOTHING else parts(*blocks.value(measure), " ", *shown)


def _note(measure: Node) -> Parts:
    return (": ", measure["note"].fact()) if measure["note"] else ()


def _drawn(name: str, measure: Node) -> figures.Interval:
    ends = measure.value["interval"] or {}
    return figures.Interval(name, measure.value["value"], ends.get("low"), ends.get("high"), measure.evidence)


SHORT = {
    "mitigation.disparity_change": "gap between groups",
    "mitigation.accuracy_change": "accuracy",
    "mitigation.balanced_accuracy_change": "balanced accuracy",
    "mitigation.ece_change": "calibration error",
}
"""Measures that are drawn, in few words: those that are shares."""


def _short(result: Node) -> str:
    return SHORT[str(result.value["check_id"])]


def _kind(member: Node) -> str:
    return "network" if member.value["constant"] is None else "constant"


def _in_words(name: Fact) -> Fact:
    return Fact(str(name.value).replace("_", " "), name.evidence, derivation="name in words")


def _classifies(book: Book) -> bool:
    return bool(book["encode"].value["task"] != "regression")
