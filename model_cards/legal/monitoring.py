"""The post-market monitoring plan (Art. 72): what is watched, against which reference, and when somebody must act.

Every reference value is one of this run, every threshold one of its policy. The drift of an input is the population
stability index, with half a row added to each cell, as the run's own checks compute it.
"""

from __future__ import annotations

from typing import Any

from model_cards import blocks, tree
from model_cards.language import Words
from model_cards.legal import frame, inputs
from model_cards.legal import parts as pieces
from model_cards.refs import Book, Fact, Node
from model_cards.statements import said
from model_cards.tree import Document, Pairs, Paragraph, Parts, Section, Table, parts

WATCHED = ("performance.", "fairness.")
"""Families that can be measured again in use, once the true outcomes are known."""
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("Who watches, how often, what triggers action", "monitoring_plan"),
    ("How often the tests are repeated", "test_frequency"),
    ("Risks seen in use so far", "post_market_risks"),
    ("Serious incidents – Art. 73", "incident_procedure"),
    ("Corrective action – Art. 20", "corrective_action"),
    ("Updates", "update_policy"),
)


def build(book: Book) -> Document:
    """The whole document."""
    sections = (_plan(book), _metrics(book), _inputs(book), _outputs(book), _repeated(book), _acting(book))
    return frame.document(book, "post-market monitoring plan", sections)


def _plan(book: Book) -> Section:
    lead = (
        "What follows is what this run can supply: reference values and the triggers that its own policy implies. Who "
        "watches them, and how often, only persons can state.",
    )
    rows = tuple((words, said(book, question)) for words, question in QUESTIONS)
    known = pieces.point(book, "HR-72.3")
    more: list[tree.Block] = [Paragraph((known["note"].fact(), "."), "note")] if known and known["note"] else []
    blocks_ = (Paragraph(lead), Pairs("Stated by persons", rows), *more)
    return Section("plan", "The plan and its owners – Art. 72(1), (3)", blocks_, short="Owners")


def watched(book: Book) -> list[blocks.Verdict]:
    """The gates of the plan that can be measured again in use."""
    return [v for v in blocks.verdicts(book) if v.of_policy and str(v.reason.value["check_id"]).startswith(WATCHED)]


def _metrics(book: Book) -> Section:
    lines = tuple(
        (
            parts(v.title, *((" (", *blocks.slice_words(v.reason), ")") if blocks.adds_slice(v) else ())),
            blocks.value(v.measure, v.bound),
            blocks.interval(v.measure, v.bound),
            blocks.rows(v.measure),
            blocks.threshold(v.threshold),
            blocks.status(v.reason),
        )
        for v in watched(book)
    )
    lead = (
        "Measure these again in every window for which the true outcomes are known, with an interval at the same "
        "level. Act when the whole interval lies on the wrong side of the threshold. Look into it when the interval "
        "straddles the threshold, or when it and the interval below no longer overlap.",
    )
    caption = tree.say("Metrics with their reference in this run, intervals at level {level}", level=blocks.level(book))
    heads = ("Metric", "Reference", "Interval", "Rows", "Threshold", "In this run")
    table = Table(caption, heads, lines, frozenset({1, 2, 3}))
    return Section("metrics", "Performance in use – Art. 72(2)", (Paragraph(lead), table), short="Performance")


def _inputs(book: Book) -> Section:
    node, trigger = book["reference"], book.plan["policy"]["governance"]["drift"]
    if not node or not node["inputs"]:
        none = ("The run holds no distribution of any input that may be told.",)
        return Section("inputs", "Inputs in use", (Paragraph(none),), short="Inputs")
    lead = tree.say(
        "Compare the inputs of each window with those of the {part} part ({rows} rows). Look into it when the "
        "population stability index of an input is above {trigger}, the limit of the policy for drift. The cells with "
        "their shares stand in {file}; no cell rests on fewer than {least} rows.",
        part=node["part"].derived({"train": "training"}.get(str(node.value["part"]), "tested"), "part in words"),
        rows=node["rows"].fact("count"),
        trigger=trigger.fact("exact"),
        file=Words("monitoring_reference.json"),
        least=node["least"].fact("count"),
    )
    lines = tuple(_input(book, spread) for spread in node["inputs"])
    heads = ("Input", "Usual", "Cells", "Missing in training rows", "Rows in a window")
    caption = ("Inputs with their reference",)
    table = Table(caption, heads, lines, frozenset({2, 3, 4}), fold=len(lines) > 2 * blocks.LONG)
    note = (
        "Usual: where eight tenths of the rows lie, or the most frequent category with its share. Cells: rarer "
        "categories share one, and missing values have their own. Rows in a window: at least so many; in a smaller "
        "one, chance alone is expected to fill more than a quarter of the way to the trigger."
    )
    shown: list[tree.Block] = [Paragraph(lead), table, Paragraph((note,), "note"), *_left_out(node)]
    return Section("inputs", "Inputs in use", tuple(shown), short="Inputs")


def _input(book: Book, spread: Node) -> tuple[Parts, ...]:
    return (
        (spread["feature"].fact("name"),),
        inputs.usual(book, spread),
        (_cells(spread),),
        (spread["missing"].fact("percent"),),
        (spread["window"].fact("count"),) if spread["window"].value is not None else ("no such size",),
    )


def _cells(spread: Node) -> Fact:
    """Cells of the index, as `checks.reference.cells` counts them: rarer categories and missing values, too."""
    told = spread.value
    count = len(told["shares"]) + bool(told["others"]) + bool(told["missing"])
    return spread["shares"].derived(count, "number of cells, those of rarer categories and missing values too", "count")


def _left_out(node: Node) -> list[tree.Block]:
    if not node["left_out"]:
        return []
    lines = tuple(
        ((row["feature"].fact("name"),), (row["reason"].derived(str(row["reason"].value), "why it is left out"),))
        for row in node["left_out"]
    )
    return [Table(("Inputs of which no distribution is told",), ("Input", "Why"), lines)]


def _outputs(book: Book) -> Section:
    if not book["reference"] or not book["reference"]["labels"]:
        none = ("The evidence holds no counts of labels for this task; watch the mean and the spread of the output.",)
        return Section("outputs", "Outputs in use", (Paragraph(none),), short="Outputs")
    lead = (
        "The share of each label needs no true outcome and can be watched from the first day. Look into it when the "
        "interval of a window lies wholly away from the share below."
    )
    lines = tuple(
        ((row["label"].fact(),), (row["share"].fact("percent"),), (row["rows"].fact("count"),))
        for row in book["reference"]["labels"]
    )
    table = Table(("Labels given to the test rows",), ("Label", "Share", "Rows"), lines, frozenset({1, 2}))
    return Section("outputs", "Outputs in use", (Paragraph((lead,)), table), short="Outputs")


def _repeated(book: Book) -> Section:
    gates = [v for v in blocks.verdicts(book) if v.of_policy]
    rest = [v for v in gates if not str(v.reason.value["check_id"]).startswith(WATCHED)]
    lead = "These need the model, not the outcomes. Repeat them whenever the model, its software or its inputs change."
    lines = tuple(
        (
            (v.title,),
            blocks.value(v.measure, v.bound),
            blocks.interval(v.measure, v.bound),
            blocks.threshold(v.threshold),
            blocks.status(v.reason),
        )
        for v in rest
    )
    shown: list[tree.Block] = [Paragraph((lead,))]
    if lines:
        caption = ("Tests to repeat after a change",)
        heads = ("Test", "Reference", "Interval", "Threshold", "In this run")
        shown.append(Table(caption, heads, lines, frozenset({1, 2})))
    else:
        shown = [Paragraph(("The policy sets no gate on faults or attacks, so none is repeated by this plan.",))]
    return Section("repeated", "Tests after every change", tuple(shown), short="After a change")


def _acting(book: Book) -> Section:
    rows: tuple[tuple[str, Parts], ...] = (
        ("Changes that were determined beforehand", said(book, "predetermined_changes")),
        ("When the system fails or is unsure", said(book, "fallback")),
        ("Stopping the system", said(book, "stop")),
    )
    words = (
        "Whatever is found goes into the register of risks (Art. 9(2)(c)). A change beyond those that were determined "
        "beforehand may be a substantial modification (Art. 43(4)); proofline diff compares two runs.",
    )
    return Section("acting", "What follows from a finding", (Paragraph(words), Pairs("Stated by persons", rows)))


def data(book: Book) -> dict[str, Any]:
    """Reference and triggers for programs: every number with the place of the record that it comes from."""
    node = book["reference"]
    return {
        "format": "proofline monitoring reference",
        "version": 1,
        "status": "DRAFT",
        "run": book.run_id.shown,
        "model_sha256": book["export"]["onnx"]["sha256"].value if book["export"] else None,
        "confidence": _number(book.plan["policy"]["confidence"]),
        "metrics": [_metric(v) for v in watched(book)],
        "inputs": {
            "measure": "population stability index, half a row added to each cell",
            "trigger": {"above": _number(book.plan["policy"]["governance"]["drift"])},
            "part": node["part"].value if node else None,
            "least_rows_of_a_cell": node["least"].value if node else None,
            "evidence": f"{node.record}#/inputs" if node else None,
            "reference": list(node["inputs"].value) if node else [],
            "left_out": list(node["left_out"].value) if node else [],
        },
        "labels": {
            "evidence": f"{node.record}#/labels" if node else None,
            "reference": list(node["labels"].value) if node else [],
        },
    }


def _number(node: Node) -> dict[str, Any]:
    return {"value": node.value, "evidence": node.evidence}


def _metric(verdict: blocks.Verdict) -> dict[str, Any]:
    measure, asked = verdict.measure, verdict.threshold
    key = "at_least" if asked is not None and asked.value.get("at_least") is not None else "at_most"
    ends = measure["interval"] if measure is not None and measure["interval"] else None
    return {
        "check": verdict.reason.value["check_id"],
        "title": verdict.title.shown,
        "slice": verdict.reason.value["slice"],
        "reference": _number(measure["value"]) if measure is not None else None,
        "interval": {"low": _number(ends["low"]), "high": _number(ends["high"])} if ends else None,
        "rows": _number(measure["n"]) if measure is not None else None,
        "act": {f"interval_not_{key}": _number(asked[key])} if asked is not None else None,
        "look": ["interval straddles the threshold", "interval does not overlap that of the reference"],
        "status_in_this_run": verdict.status,
    }
