"""What the evidence says on each point of Annex IV, shortly; the report holds the rest, and each point leads there."""

from __future__ import annotations

from collections.abc import Callable

from model_cards import (
    about,
    blocks,
    data,
    decision,
    effect,
    fairness_comparisons,
    gaps,
    given,
    limits,
    provenance,
    received,
    security,
    stated,
    statements,
    training,
    tree,
)
from model_cards.legal import brief, declaration, expectations, inputs, names, parts
from model_cards.legal import risks as risk_file
from model_cards.modification import planned
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Block, Bullets, Labels, Pairs, Paragraph, Parts, Section, Table

Evidence = Callable[[Book], list[Block]]


def _identity(book: Book) -> list[Block]:
    system = book.plan["system"]
    provider = system["provider"]

    def texts(node: Node, what: str) -> Parts:
        if not node:
            return (Gap(what, "provider", f"plan: {node.path}"),)
        return parts.listed([(item.fact(),) for item in node], "; ")

    rows: list[tuple[str, Parts]] = [
        *brief.identity(book).rows,
        ("Identifier", (system["id"].fact("name"),)),
        ("Address", (provider["address"].fact_or_gap("postal address of the provider"),)),
        ("Contact", (provider["contact"].fact_or_gap("contact of the provider"),)),
        ("Domain", (system["sector"].fact_or_gap("sector of use"),)),
        ("Intended users", texts(system["intended_users"], "intended users")),
        ("Affected persons", texts(system["affected_persons"], "persons affected by the output")),
        ("Foreseeable misuse", texts(system["foreseeable_misuse"], "reasonably foreseeable misuse")),
    ]
    return [about.STATED, Labels(tuple(rows)), parts.in_report(classification="AI Act answers")]


def _interaction(book: Book) -> list[Block]:
    if not given.has_model(book):
        return list(given.notice(book))
    export = book["export"]
    lines: list[tuple[Parts, ...]] = []
    for kind, words in (("inputs", "input"), ("outputs", "output")):
        for tensor in export[kind]:
            shape = parts.listed(
                [(size.fact("exact" if isinstance(size.value, int) else "text"),) for size in tensor["shape"]]
            )
            lines.append(((tensor["name"].fact("name"),), (words,), (tensor["dtype"].fact("name"),), shape))
    lead = "The model takes part in a larger system through one ONNX graph; what surrounds it is no part of this run."
    return [
        Paragraph((lead,)),
        Table(("Interface of the model",), ("Tensor", "Direction", "Type", "Shape"), tuple(lines)),
    ]


def _versions(book: Book) -> list[Block]:
    return [provenance.software(book), parts.in_report(provenance="Provenance")]


def _hardware(book: Book) -> list[Block]:
    if not given.has_model(book):
        return []
    sentence = tree.say(
        "Tested under {runtime}; the graph is ONNX, opset {opset}, {size}. Other hardware was not tried.",
        runtime=book["evaluate"]["runtime"].fact(),
        opset=book["export"]["opset"].fact("exact"),
        size=book["export"]["onnx"]["size"].fact("size"),
    )
    return [Paragraph(sentence)]


def _instructions(book: Book) -> list[Block]:
    where = parts.other(book, "instructions", "not among the documents of this run")
    return [Paragraph(tree.say("The instructions for use are a document of their own: {where}.", where=where))]


def _development(book: Book) -> list[Block]:
    if not given.has_model(book):
        return [given.predictions(book), given.model(book)]
    train = book["train"]
    inside: list[Parts] = [("preprocessing",)]
    inside += [("calibration",)] if train["calibration"] else []
    inside += [("a decision threshold",)] if train["threshold"] else []
    sentence = tree.say(
        "Trained by this run on {rows} rows ({device}), then exported to ONNX. Inside the graph beside the network: "
        "{inside}. Everything after that was measured on the graph.",
        rows=book["split"]["parts"]["train"]["rows"].fact("count"),
        device=train["device"].fact("name"),
        inside=parts.listed(inside),
    )
    return [
        Paragraph(sentence),
        parts.in_report(training="Training and export", mitigation="Mitigation and calibration"),
    ]


def _design(book: Book) -> list[Block]:
    encode = book["encode"]
    predicts = tree.parts(encode["target"].fact("name"), *about.target_words(book))
    rows: list[tuple[str, Parts]] = [("Task", (about.task_words(book),)), ("Predicts", predicts)]
    if given.has_model(book):
        own = book.plan["model"]["factory"]
        rows.append(("Model", (own.fact("name"),) if own else training.family(book)))
        rows.append(("Decision threshold", training.threshold(book)))
    rows.append(("Inputs", (encode["features"].size("inputs"), " features")))
    shown: list[Block] = [Pairs("Design as recorded", tuple(rows)), *_ranking(book)]
    return [*shown, parts.in_report(effect="Effect on persons and groups", explanation="What the outputs rest on")]


def _ranking(book: Book) -> list[Block]:
    """Outcome of each explanation check that was made, in a line."""
    found = [r for r in book.family("explanation") if r.value["status"] != "not_measured" and r["measures"]]
    lead = Paragraph(("Expected output and its quality, as measured:",), "owner")
    return [lead, tree.Bullets(tuple(blocks.line_of_result(r) for r in found[:5]))] if found else []


def _architecture(book: Book) -> list[Block]:
    if not given.has_model(book):
        return [given.model(book)]
    return [training.model(book)]


def _datasheet(book: Book) -> list[Block]:
    links = {"data": "Data", "columns": "Columns", "quality": "Quality", "governance": "Governance"}
    return [data.origin(book), data.how_split(book), data.splits(book), *_data_open(book), parts.in_report(**links)]


def _data_open(book: Book) -> list[Block]:
    found = [r for stage in ("validate", "govern") for r in book[stage]["results"]]
    open_ = [r for r in found if r.value["status"] not in ("pass", "not_applicable")]
    counts = tree.say(
        "Checks of the data: {quality} of quality, {governance} of governance.",
        quality=book["validate"]["results"].size("checks"),
        governance=book["govern"]["results"].size("checks"),
    )
    if not open_:
        return [Paragraph(tree.parts(counts, " None failed or stayed open."))]
    return [Paragraph(tree.parts(counts, " Not passed:")), tree.Bullets(tuple(blocks.line_of_result(r) for r in open_))]


def _testing(book: Book) -> list[Block]:
    rows = book["split"]["parts"]["test"]["rows"].fact("count")
    sentence = tree.parts(
        decision.when_fixed(book), tree.say(" Training used none of the {rows} test rows.", rows=rows)
    )
    links = {
        "performance": "Performance",
        "fairness": "Fairness",
        "robustness": "Robustness",
        "decision": "How it was decided",
    }
    answered = received.listing(book)
    return [Paragraph(sentence), decision.outcome(book), blocks.gate_table(book), *answered, parts.in_report(**links)]


def _cybersecurity(book: Book) -> list[Block]:
    rows = tuple((row[0], row[1], row[2], row[6]) for row in security.table(book).rows)
    caption = ("Attacks that were tried on data, model and inputs",)
    table = Table(caption, ("Kind", "Check", "Value", "Outcome"), rows, frozenset({2}))
    return [table, parts.in_report(security="Security", attacks="Attacks on the inputs")]


def _functioning(book: Book) -> list[Block]:
    shown: list[Block] = [Paragraph(("Capabilities, as measured:",), "owner")]
    shown += [*_headlines(book), *fairness_comparisons.basis(book, gated=True), *effect.baseline(book)]
    shown += effect.of_groups(book)
    shown += [Paragraph(("What the input has to look like:",), "owner"), *_input(book)]
    links = {"limitations": "Limitations", "performance": "Performance", "fairness": "Fairness"}
    return [*shown, parts.in_report(**links, strange="Strange inputs")]


def _headlines(book: Book) -> list[Block]:
    """The overall value of each measure of performance, and of what the plan asks between groups."""
    gated = {str(gate.value["check"]) for gate in book.plan["policy"]["gates"]}
    lines: list[tuple[Parts, ...]] = []
    for family in ("performance", "fairness"):
        for result in book.family(family):
            if family == "fairness" and result.value["check_id"] not in gated:
                continue
            for measure in result["measures"]:
                whole = measure.value["name"] == result.value["check_id"] and "=" not in measure.value["slice"]
                if whole and measure.value["value"] is not None and measure.value["split"] == "test":
                    lines.append(_headline(result, measure))
    if not lines:
        return [Paragraph(("No such check gave a number.",))]
    caption = tree.say(
        "Accuracy, and what the plan asks between groups, intervals at level {level}", level=blocks.level(book)
    )
    columns = ("Measure", "Slice", "Value", "Interval", "Rows")
    return [Table(caption, columns, tuple(lines), frozenset({2, 3, 4}))]


def _headline(result: Node, measure: Node) -> tuple[Parts, ...]:
    return (
        (result["title"].fact(),),
        blocks.slice_words(measure),
        blocks.value(measure),
        blocks.interval(measure),
        blocks.rows(measure),
    )


def _input(book: Book) -> list[Block]:
    """What the input has to look like, as the plan declares it; never what single persons' data were."""
    columns = tuple(book.plan["data"]["columns"].where(role="feature"))
    lines = [
        (inputs.named(column, column), inputs.with_unit(inputs.kind_of(column), column), inputs.allowed(column))
        for column in columns
    ]
    caption = ("Specification of the input: the features, in the order of the model's input",)
    heads = ("Feature", "Kind and unit", "Declared values")
    table = Table(caption, heads, tuple(lines), prose=True, fold=len(lines) > blocks.LONG)
    return [table, *inputs.whole_lists(columns)]


def _metrics(book: Book) -> list[Block]:
    lines = []
    for gate in book.plan["policy"]["gates"]:
        result = book.result(str(gate.value["check"]))
        title = result["title"].fact() if result else gate["check"].fact("name")
        why = gate["rationale"].fact_or_gap("reason for this threshold", "engineer")
        lines.append(((title,), blocks.slice_words(gate), blocks.threshold(gate), (why,)))
    caption = ("What is asked, and why, as the plan states it",)
    asked = Table(caption, ("Metric", "Slice", "Threshold", "Reason"), tuple(lines), frozenset({2}), prose=True)
    return [asked, *_expected(book)]


def _expected(book: Book) -> list[Block]:
    """The gates that a duty of the system expects and that the plan lacks."""
    lacking = [
        tree.parts(gate["requirement"]["place"].fact(), ": ", expectations.gap(gate))
        for gate in expectations.lacking(book)
    ]
    lead = "The class of the system leads to duties that expect a gate, and the plan has none:"
    return [Paragraph((lead,)), Bullets(tuple(lacking))] if lacking else []


def _risk_file(book: Book) -> list[Block]:
    where = parts.other(book, "risk_management", "not among the documents of this run")
    shown: list[Block] = [Paragraph(tree.say("The risk management file: {where}.", where=where))]
    if not book["answers"] or not book["answers"]["risks"]:
        gap = Gap(statements.NO_RISKS, "compliance officer", statements.RISKS)
        shown.append(Paragraph((gap,)))
    return shown


def gaps_at(book: Book, point: str) -> tuple[Gap, ...]:
    """The gaps that the evidence leaves at a point, each once; none where `point` is no point of Annex IV."""
    evidence = POINTS.get(point)
    printed = [part for block in (evidence(book) if evidence else ()) for part in tree.walk_block(block)]
    printed += [part for section in sections(book, point) for part in tree.walk_section(section)]
    return gaps.each_once(part for part in printed if isinstance(part, Gap))


def sections(book: Book, point: str) -> tuple[Section, ...]:
    """Sections of a point beside its own blocks: limits under functioning, each risk under risk management."""
    found = SECTIONS.get(point)
    return found(book) if found else ()


def limitations(book: Book) -> tuple[Section, ...]:
    """Limits that the provider states, and those that the evidence shows."""
    shown = (
        Paragraph(("Limits that the provider states, not tested:",), "owner"),
        blocks.listing(book.plan["system"]["limitations"], "known limitations"),
        Paragraph(("Limits that the evidence shows:",), "owner"),
        limits.listing(book),
    )
    return (Section("limits", "Limitations", shown),)


def risks(book: Book) -> tuple[Section, ...]:
    """One section for each risk on record, in labelled lines."""
    if not book["answers"]:
        return ()
    found = enumerate(book["answers"]["risks"], start=1)
    return tuple(Section(f"risk-{index}", f"Risk {index}", (_risk(book, risk),)) for index, risk in found)


def _risk(book: Book, risk: Node) -> Labels:
    shown = ("Shown by", stated.shown_by(risk, book))
    return Labels((*risk_file.assessed(risk), shown, *risk_file.settled(book, risk)))


def _standards(book: Book) -> list[Block]:
    node = book.law["register"]["standards"]
    cited = sum(bool(s.value["harmonised"]) for s in node)
    none = "No harmonised standard for the Act is cited in the Official Journal: none gives a presumption (Art. 40)."
    lines = tuple(
        ((s["id"].fact(),), (s["subject"].fact(),), (s["stage"].fact(),), (s["checked"].fact("date"),)) for s in node
    )
    caption = ("Standards of the register and how far they are; being listed does not mean that they were applied",)
    table = Table(caption, ("Standard", "Subject", "Stage", "Checked"), lines, fold=True)
    some = node.derived(cited, "standards that are cited", "count")
    words: Parts = (none,) if not cited else tree.say("Standards that are cited and give a presumption: {n}.", n=some)
    return [Paragraph(words), table]


def _declaration(book: Book) -> list[Block]:
    where = parts.other(book, "declaration", "not among the documents of this run")
    if names.answering(book, "declaration") is None:
        return [Paragraph(tree.say("Draft of the declaration of Art. 47: {where}.", where=where))]
    words = tree.say(
        "The declaration of Art. 47 is not rendered, not even as a draft. Things that stand against it before any "
        "approval: {n} ({where}). Once nothing does, and a named person approves the run, the draft stands beside the "
        "approval.",
        n=declaration.number(book, declaration.against(book)),
        where=where,
    )
    return [Paragraph(words)]


def _monitoring(book: Book) -> list[Block]:
    where = parts.other(book, "monitoring", "not among the documents of this run")
    return [Paragraph(tree.say("The plan of Art. 72(3): {where}.", where=where))]


def _changes(book: Book) -> list[Block]:
    sentence = tree.say(
        "This is version {version}, run {run}. Two runs are compared with proofline diff.",
        version=book.plan["system"]["version"].fact(),
        run=book.run_id,
    )
    return [Paragraph(sentence)]


POINTS: dict[str, Evidence] = {
    "AIV-1a": _identity,
    "AIV-1b": _interaction,
    "AIV-1c": _versions,
    "AIV-1e": _hardware,
    "AIV-1h": _instructions,
    "AIV-2a": _development,
    "AIV-2b": _design,
    "AIV-2c": _architecture,
    "AIV-2d": _datasheet,
    "AIV-2f": planned.blocks,
    "AIV-2g": _testing,
    "AIV-2h": _cybersecurity,
    "AIV-3": _functioning,
    "AIV-4": _metrics,
    "AIV-5": _risk_file,
    "AIV-6": _changes,
    "AIV-7": _standards,
    "AIV-8": _declaration,
    "AIV-9": _monitoring,
}
"""Requirement to what the run knows about it. Points that are not named rest on what persons state."""

SECTIONS: dict[str, Callable[[Book], tuple[Section, ...]]] = {"AIV-3": limitations, "AIV-5": risks}
"""Point to the sections that it has beside its own blocks."""
