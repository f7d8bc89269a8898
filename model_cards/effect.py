"""The section on effect: who gets which label, how often wrongly, and what always giving one label would do."""

from __future__ import annotations

from collections.abc import Callable

from model_cards import blocks, given, groups, matrix, training, tree
from model_cards.matrix import Matrix
from model_cards.refs import Book, Fact, Node
from model_cards.tree import Bullets, Paragraph, Parts, Section, Table, parts


def positive(book: Book) -> list[tree.Block]:
    """Which class is the positive one, and from which probability it is given."""
    encode = book["encode"]
    if encode.value["task"] != "binary":
        return []
    sentence = tree.say("Positive class: {name}.", name=_positive(book))
    if not given.has_model(book):
        return [Paragraph((*sentence, *given.labels(book)))]
    threshold = book["train"]["threshold"]
    if threshold:
        sentence += tree.say(
            " The label {name} is given where its probability is at least {value} ({criterion}); every other row is "
            "labelled {other}.",
            name=_positive(book),
            value=training.threshold_value(book),
            criterion=training.criterion(threshold["criterion"]),
            other=encode["classes"][0].fact(),
        )
        if threshold["groups"]:
            sentence += tree.say(
                " This holds where the group of {attribute} is unknown; each of its groups has a threshold of its own "
                "(see mitigation).",
                attribute=threshold["groups"]["attribute"].fact("name"),
            )
    return [Paragraph(sentence)]


def baseline(book: Book) -> list[tree.Block]:
    """Right labels of the model beside those of a rule that gives every row the most frequent class."""
    found = matrix.of(book)
    if found is None:
        return []
    most = sum(found.counts[found.largest])
    verdict = "more" if found.right > most else "no more" if found.right == most else "FEWER"
    sentence = tree.say(
        "Of {all} test rows the model labels {right} rightly. Giving every row the label {name} would be right for "
        "{most}: the model gives {verdict} right labels than that rule.",
        all=found.all_rows(),
        right=found.right_rows(),
        name=found.name(found.largest),
        most=found.rows(found.largest),
        verdict=found.node.derived(verdict, "diagonal compared with the largest class"),
    )
    return [Paragraph(sentence)]


def simple_rules(book: Book) -> list[tree.Block]:
    """Measures of the model beside those of rules that look at no feature, from the rows of each class."""
    found = matrix.of(book)
    if found is None:
        return []
    names = len(found.counts)
    equal = found.labels.derived(1 / names, "one over the number of classes", "number")
    lines = [("performance.accuracy", found.share(found.largest)), ("performance.balanced_accuracy", equal)]
    if book["encode"].value["task"] == "binary":
        chance = found.labels.derived(0.5, "an order by chance", "number")
        lines += [("performance.roc_auc", chance), ("performance.pr_auc", found.share(1))]
    rows = []
    for check_id, simple in lines:
        result = book.result(check_id)
        measure = next(iter(result["measures"]), None) if result else None
        if result is not None and measure is not None:
            cells = ((result["title"].fact(),), blocks.value(measure), blocks.interval(measure), (simple,))
            rows.append(cells)
    caption = tree.say(
        "Beside rules that look at no feature: every row labelled {name}, or rows ordered by chance",
        name=found.name(found.largest),
    )
    columns = ("Measure", "Model", "Interval", "Such a rule")
    return [Table(caption, columns, tuple(rows), frozenset({1, 2, 3}))] if rows else []


def section(book: Book) -> Section:
    """The whole chapter, for the report and the card."""
    blocks_ = [*positive(book), *_classes(book), *baseline(book), *_groups(book)]
    if not blocks_:
        blocks_ = [Paragraph(("The evidence holds no counts of labels and no values per group.",))]
    return Section("effect", "Effect on persons and groups", tuple(blocks_), short="Effect on persons")


def in_words(book: Book) -> list[tree.Block]:
    """The lists of the chapter with the lines above them, without tables."""
    found = [*_classes(book), *_groups(book)]
    return [block for block in found if isinstance(block, Bullets) or getattr(block, "kind", "") == "owner"]


def shortly(book: Book) -> Parts:
    """Rows of each class that get the other label, then the comparison with a rule that always gives one label."""
    found = matrix.of(book)
    if found is None:
        return ()
    wrong = [_wrong(found, i) for i in (1, 0) if sum(found.counts[i])] if len(found.counts) == 2 else []
    rule = [block.content for block in baseline(book) if isinstance(block, Paragraph)]
    return tree.joined((*wrong, *rule), " ")


def of_groups(book: Book) -> list[tree.Block]:
    """Who gets which label by group, in words with counts, without the table of every group."""
    return [block for block in _groups(book) if not isinstance(block, Table)]


def _positive(book: Book) -> Fact:
    return book["encode"]["classes"][1].fact()


def _classes(book: Book) -> list[tree.Block]:
    found = matrix.of(book)
    if found is None:
        return []
    if len(found.counts) == 2:
        return [Bullets(tuple(_wrong(found, i) for i in (1, 0) if sum(found.counts[i])))]
    lines = []
    for i in range(len(found.counts)):
        worst = found.worst_label(i)
        other: Parts = blocks.NOTHING
        if worst is not None:
            other = parts(found.name(worst), " (", found.node[i][worst].fact("count"), ")")
        lines.append(((found.name(i),), (found.rows(i),), (found.wrong(i),), other))
    caption = ("Rows of each class that get another label",)
    columns = ("Class", "Test rows", "Labelled otherwise", "Most often as")
    return [Table(caption, columns, tuple(lines), frozenset({1, 2}))]


def _wrong(found: Matrix, index: int) -> Parts:
    return tree.say(
        "Of {rows} test rows that are {name}, {wrong} are labelled {other}.",
        rows=found.rows(index),
        name=found.name(index),
        wrong=found.wrong(index),
        other=found.name(1 - index),
    )


def _rows_of(book: Book, check_id: str) -> Node | None:
    result = book.result(check_id)
    return result["details"]["groups"] if result is not None and result["details"] else None


def _groups(book: Book) -> list[tree.Block]:
    """Rates per group in words with counts, then every group."""
    if not book.plan["data"]["protected"]:
        return [Paragraph(("The plan declares no protected attribute, so no groups were compared.",))]
    task = book["encode"].value["task"]
    if task == "binary":
        return _binary_groups(book)
    if task == "multiclass":
        right = _rows_of(book, "fairness.accuracy_difference")
        return _led(("Who is labelled rightly:",), _sentences(book, right, share)) if right else []
    return []


def _binary_groups(book: Book) -> list[tree.Block]:
    selected, found = _rows_of(book, "fairness.selection_rate"), _rows_of(book, "fairness.true_positive_rate")
    false = _rows_of(book, "fairness.false_positive_rate")
    name, other = _positive(book), book["encode"]["classes"][0].fact()
    shown: list[tree.Block] = []
    if selected:
        shown += _led(tree.say("Who is labelled {name}:", name=name), _sentences(book, selected, share))
    if found:
        lead = tree.say("Who is {name} but labelled {other}:", name=name, other=other)
        shown += _led(lead, _sentences(book, found, missed))
    if not selected:
        return shown
    lines = []
    for attribute, rows in groups.in_order(book, selected):
        for row in rows:
            group = row.value["group"]
            cells = [(attribute,), (row["group"].fact(),), share(row)]
            for rates, count in ((found, missed), (false, share)):
                own = rates[str(attribute.value)].first(group=group) if rates else None
                cells.append(count(own) if own is not None else blocks.NOTHING)
            lines.append(tuple(cells))
    columns: tuple[tree.Part, ...] = ("Attribute", "Group", "Labelled positive", "Positive, labelled negative")
    columns += ("Negative, labelled positive",)
    caption = tree.say(
        "Labels per group, in test rows; positive is {name}, negative is {other}", name=name, other=other
    )
    shown.append(Table(caption, columns, tuple(lines), frozenset({2, 3, 4}), fold=len(lines) > blocks.LONG))
    return shown


def share(row: Node) -> Parts:
    """`16 of 68 (23.5 %)`: the rows that a rate counts."""
    if row.value["value"] is None:
        return _no_rows()
    return _of(row, float(row.value["value"]), row["value"].fact("percent"))


def missed(row: Node) -> Parts:
    """The same for the rows that a rate does not count."""
    if row.value["value"] is None:
        return _no_rows()
    rest = 1 - float(row.value["value"])
    return _of(row, rest, row["value"].derived(rest, "one less the value", "percent"))


def _no_rows() -> Parts:
    return ("no such row",)


def _of(row: Node, value: float, percent: Fact) -> Parts:
    size = "rows" if row.value.get("rows") is not None else "n"
    return tree.say(
        "{count}\u00a0of\u00a0{rows} ({percent})",
        count=row["value"].derived(round(value * row.value[size]), "share times rows", "count"),
        rows=row[size].fact("count"),
        percent=percent,
    )


def _led(lead: Parts, shown: list[tree.Block]) -> list[tree.Block]:
    """A list below the line that says what it counts."""
    return [Paragraph(lead, "owner"), *shown] if shown else []


def _sentences(book: Book, rates: Node, count: Callable[[Node], Parts]) -> list[tree.Block]:
    """For every attribute of the plan, the group with the lowest and with the highest rate, with counts."""
    items = []
    for declared in book.plan["data"]["protected"]:
        rows = [r for r in rates[declared.value["name"]] or () if r.value["value"] is not None]
        if len(rows) < 2:
            continue
        rows.sort(key=lambda r: float(r.value["value"]), reverse=count is missed)
        attribute = declared["name"].derived(declared.value["name"].replace("_", " "), "name in words")
        if rows[0].value["value"] == rows[-1].value["value"]:
            items.append(_equal(book, attribute, rows, count))
            continue
        items.append(
            tree.say(
                "By {attribute}: least often {low}, {least}; most often {high}, {most}.",
                attribute=attribute,
                low=rows[0]["group"].fact(),
                least=parts(*count(rows[0]), *_few(book, rows[0])),
                high=rows[-1]["group"].fact(),
                most=parts(*count(rows[-1]), *_few(book, rows[-1])),
            )
        )
    return [Bullets(tuple(items))] if items else []


def _equal(book: Book, attribute: Fact, rows: list[Node], count: Callable[[Node], Parts]) -> Parts:
    """Groups among which none fares better: to name one of them as the least would say what is not so."""
    each = tree.joined((parts(row["group"].fact(), ", ", *count(row), *_few(book, row)) for row in rows), "; ")
    return tree.say("By {attribute}: equally often, {each}.", attribute=attribute, each=each)


def _few(book: Book, row: Node) -> Parts:
    """A word of warning where a rate rests on fewer rows than the policy asks for."""
    least = book.plan["policy"]["minimum_group_size"]
    size = row.value["n"] if row.value.get("rows") is None else row.value["rows"]
    return tree.say(", fewer than {least} rows", least=least.fact("count")) if size < least.value else ()
