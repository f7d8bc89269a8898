"""Instructions for use, for whoever operates the system: Art. 13(3) of the AI Act, point by point.

The accuracy table is that of Art. 15(3). Short sentences; what a deployer must do stands before what was measured.
"""

from __future__ import annotations

import dataclasses

from model_cards import (
    about,
    attributions,
    blocks,
    calibration,
    effect,
    fairness,
    fairness_comparisons,
    given,
    limits,
    meaning,
    prediction_sets,
    strange_inputs,
    tree,
)
from model_cards.legal import frame, inputs
from model_cards.legal import parts as pieces
from model_cards.refs import Book, Node
from model_cards.statements import said
from model_cards.tree import Bullets, Document, Pairs, Paragraph, Parts, Section, Table, parts

NOT_PASSED = ("fail", "inconclusive", "not_measured")


def build(book: Book) -> Document:
    """The whole document."""
    sections = (
        _first(book),
        _provider(book),
        _purpose(book),
        _accuracy(book),
        _risks(book),
        _explanation(book),
        _groups(book),
        _input(book),
        _output(book),
        _changes(book),
        _oversight(book),
        _resources(book),
        _logs(book),
        _more(book),
    )
    return frame.document(book, "instructions for use", sections)


def _first(book: Book) -> Section:
    """What to know before anything else: what it does, for whom, what it must not be used for, what did not pass."""
    system = book.plan["system"]
    found = [v for v in blocks.verdicts(book) if v.status in NOT_PASSED and v.of_policy]
    gives = tree.say(
        "From {inputs} inputs {name} gives {target}.",
        inputs=book["encode"]["features"].size("inputs"),
        name=system["name"].fact(),
        target=parts(book["encode"]["target"].fact("name"), *about.target_words(book)),
    )
    shown: list[tree.Block] = [Paragraph((system["intended_purpose"].fact(),), "lead"), Paragraph(gives)]
    shown += given.notice(book)
    if found:
        words = "The following was tested against a threshold and did not pass. Ask the provider before you rely on it."
        heads = ("Tested", "Asked", "Measured", "Interval", "Outcome")
        lines = tuple(_not_passed(v) for v in found)
        failed = Table(("Tested and not passed",), heads, lines, frozenset({2, 3}), prose=True)
        shown += [Paragraph((words,)), failed]
    return Section("first", "Read this first", tuple(shown))


def _not_passed(verdict: blocks.Verdict) -> tuple[Parts, ...]:
    where: Parts = parts(" (", *blocks.slice_words(verdict.reason), ")") if blocks.adds_slice(verdict) else ()
    return (
        parts(verdict.title, *where),
        blocks.threshold(verdict.threshold),
        blocks.value(verdict.measure, verdict.bound),
        blocks.interval(verdict.measure, verdict.bound),
        blocks.status(verdict.reason),
    )


def _provider(book: Book) -> Section:
    provider = book.plan["system"]["provider"]
    rows: tuple[tuple[str, Parts], ...] = (
        ("System", parts(book.plan["system"]["name"].fact(), " ", book.plan["system"]["version"].fact())),
        ("Provider", (provider["name"].fact(),)),
        ("Address", (provider["address"].fact_or_gap("postal address of the provider"),)),
        ("Contact", (provider["contact"].fact_or_gap("contact of the provider"),)),
        ("Authorised representative", said(book, "representative")),
        ("Instructions reviewed", said(book, "instructions_reviewed")),
    )
    return Section("provider", "Who provides it – Art. 13(3)(a)", (Pairs("Provider", rows),), short="Provider")


def _purpose(book: Book) -> Section:
    system = book.plan["system"]
    inner = (
        Paragraph((system["intended_purpose"].fact(),)),
        Paragraph(("It is made to be operated by:",)),
        blocks.listing(system["intended_users"], "intended users"),
        Paragraph(("Its output affects:",)),
        blocks.listing(system["affected_persons"], "persons affected by the output"),
    )
    known = (
        Paragraph(("Known limits, as the provider states them:",)),
        blocks.listing(system["limitations"], "known limitations"),
        Paragraph(("Limits that the evidence shows:",)),
        limits.listing(book),
    )
    limitations = Section("limits", "Limitations", known)
    return Section("purpose", "What it is for – Art. 13(3)(b)(i)", inner, (limitations,), short="Purpose")


def _accuracy(book: Book) -> Section:
    """Levels of accuracy with their metrics, and how the system stood up to faults and attacks."""
    dataset, split = book["ingest"], book["split"]["parts"]["test"]
    rows: tuple[tuple[str, Parts], ...] = (
        ("Data set", (dataset["title"].fact(),)),
        ("Digest of its content", (dataset["rows_sha256"].fact("digest"),)),
        ("Rows tested on", (split["rows"].fact("count"),)),
        ("Digest of those rows", (split["digests"]["sha256"].fact("digest"),)),
        ("Measured at", (book["evaluate"]["finished_at"].fact("time"),)),
    )
    shown: list[tree.Block] = [Pairs("What the figures were measured on", rows), *accuracy_tables(book)[:1]]
    shown += [*effect.baseline(book), *test_tables(book)[:1], FURTHER]
    shown.append(Paragraph(("Whatever changes the inputs, their quality or the persons they speak of changes these.",)))
    title = "How accurate, robust and secure it is – Arts 13(3)(b)(ii) and 15(3)"
    return Section("accuracy", title, tuple(shown), short="Accuracy")


FURTHER = Paragraph(("Measures and tests without a threshold stand at the end, and so does every group.",), "note")


def _more(book: Book) -> Section:
    """What has no threshold, and every group: for whoever wants to know it all."""
    shown = [*accuracy_tables(book)[1:], *test_tables(book)[1:]]
    shown += [block for block in effect.section(book).blocks if isinstance(block, Table)]
    shown += [b for b in calibration.table(book) if isinstance(b, Table)][:1]
    shown = [dataclasses.replace(block, fold=True) if isinstance(block, Table) else block for block in shown]
    title = "Further figures – Art. 13(3)(b)(ii) and (v)"
    return Section("more", title, tuple(shown) or (Paragraph(("There are none.",)),), short="Further figures")


def accuracy_tables(book: Book) -> list[tree.Block]:
    """Metric, value, interval, rows and what it means: what has a threshold, then the other measures."""
    gated = {v.reason.value["check_id"] for v in blocks.verdicts(book) if v.of_policy}
    first: list[tuple[Parts, ...]] = []
    rest: list[tuple[Parts, ...]] = []
    for result in book.family("performance"):
        measure = result["measures"].first(name=result.value["check_id"], slice="overall")
        if measure is None or measure.value["value"] is None or result.value["check_id"] in _COUNTS:
            continue
        known = book.catalogue[str(result.value["check_id"])]
        line: tuple[Parts, ...] = (
            (result["title"].fact(),),
            blocks.value(measure),
            blocks.interval(measure),
            blocks.rows(measure),
            (known["better"].derived(meaning.DIRECTIONS[known.value["better"]], "direction in words"),),
            (known["definition"].fact(),),
        )
        (first if result.value["check_id"] in gated else rest).append(line)
    if not first:
        first, rest = rest, []
    if not first:
        return [Paragraph(("No measure of accuracy gave a number.",))]
    level, numbers = blocks.level(book), frozenset({1, 2, 3})
    heads = ("Metric", "Value", "Interval", "Rows", "Direction", "What it means")
    caption = tree.say("Accuracy on rows that training has not seen, intervals at level {level}", level=level)
    shown: list[tree.Block] = [Table(caption, heads, tuple(first), numbers, prose=True)]
    if rest:
        other = tree.say("Further metrics of accuracy, intervals at level {level}", level=level)
        shown.append(Table(other, heads, tuple(rest), numbers, prose=True))
    return shown


_COUNTS = ("performance.confusion_matrix",)


def test_tables(book: Book) -> list[tree.Block]:
    """Faults and attacks: those with a threshold, then the others."""
    first: list[tuple[Parts, ...]] = []
    rest: list[tuple[Parts, ...]] = []
    asked = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
    for result in (*book.family("robustness"), *book.family("security")):
        measure = next(iter(result["measures"]), None)
        if measure is None or measure.value["value"] is None:
            continue
        clean = result["details"]["clean"] if result["details"] else None
        known = clean is not None and isinstance(clean.value, int | float)
        before: Parts = (clean.fact("number"),) if clean is not None and known else blocks.NOTHING
        free = result.value["check_id"] not in asked and not result["threshold"]
        open_ = result.value["status"] != "not_applicable"
        outcome: Parts = blocks.status(result) if open_ else ("no threshold set",)
        how: Parts = (measure["note"].fact(),) if measure["note"] else blocks.NOTHING
        line = ((result["title"].fact(),), how, before, blocks.value(measure), blocks.interval(measure), outcome)
        (rest if free else first).append(line)
    level, numbers = blocks.level(book), frozenset({2, 3, 4})
    heads = ("Test", "What was done", "Unchanged inputs", "Measured", "Interval", "Outcome")
    shown: list[tree.Block] = []
    if first:
        caption = tree.say("Faults and attacks with a threshold, intervals at level {level}", level=level)
        shown.append(Table(caption, heads, tuple(first), numbers, prose=True))
    else:
        shown.append(Paragraph(("The policy sets no threshold on faults or attacks.",)))
    if rest:
        caption = tree.say("Faults and attacks tried without a threshold, intervals at level {level}", level=level)
        shown.append(Table(caption, heads, tuple(rest), numbers, prose=True))
    return shown


def _risks(book: Book) -> Section:
    shown: list[tree.Block] = [
        Paragraph(("Do not use it for the following, which the provider foresees as misuse:",)),
        blocks.listing(book.plan["system"]["foreseeable_misuse"], "reasonably foreseeable misuse"),
    ]
    register = book["answers"]["risks"] if book["answers"] else None
    if register:
        lines = tuple(
            ((r["title"].fact(),), (r["source"].fact(),), (r["consequence"].fact(),), (r["control"].fact(),))
            for r in register
        )
        heads = ("Risk", "Comes from", "Consequence", "What to do about it")
        shown.append(Table(("Risks of the provider’s register",), heads, lines, prose=True))
    shown += [Paragraph(("Other circumstances in which it can do harm:",)), Paragraph(said(book, "risks_identified"))]
    title = "When it can do harm – Art. 13(3)(b)(iii)"
    return Section("risks", title, tuple(shown), short="Harm")


def _explanation(book: Book) -> Section:
    items = tuple(attributions.summary(book))
    shown: list[tree.Block] = [Bullets(items)] if items else []
    if not items:
        shown.append(Paragraph(("Nothing in this run measured what the outputs rest on.",)))
    note = "An attribution says what moved the output of the model; it does not say what causes the outcome."
    shown.append(Paragraph((note,), "note"))
    return Section("explanation", "What the outputs rest on – Art. 13(3)(b)(iv)", tuple(shown), short="Explanation")


def _groups(book: Book) -> Section:
    """Where it does worse, and for whom."""
    shown: list[tree.Block] = []
    shown += effect.in_words(book)
    if not book.plan["data"]["protected"]:
        shown = [Paragraph(("No groups were compared: the plan declares no protected attribute.",))]
    elif not shown:
        shown = [dataclasses.replace(b, fold=False) for b in fairness.extremes(book) if isinstance(b, Table)]
    shown += fairness_comparisons.basis(book, gated=True)
    return Section("groups", "For whom it does better or worse – Art. 13(3)(b)(v)", tuple(shown), short="Groups")


def _input(book: Book) -> Section:
    shown = [*inputs.contract(book), *inputs.table(book), *_data(book)]
    title = "What to give it – Art. 13(3)(b)(vi)"
    return Section("input", title, tuple(shown), short="Input")


def _data(book: Book) -> list[tree.Block]:
    stated, split = book.plan["data"]["provenance"], book["split"]["parts"]
    rows: list[tuple[str, Parts]] = [
        ("Data set", (stated["title"].fact(),)),
        ("Collected", (stated["collected"].fact_or_gap("period of collection"),)),
        ("Setting of use", said(book, "data_setting")),
    ]
    rows += [
        (f"Rows of the {role} part", (split[role]["rows"].fact("count"),))
        for role in ("train", "validation", "test")
        if role in split.value
    ]
    return [Pairs("The data behind the model", tuple(rows))]


def _output(book: Book) -> Section:
    shown: list[tree.Block] = [*_outputs(book), Paragraph(said(book, "interpretation"))]
    shown += effect.positive(book)
    result = book.result("performance.ece")
    measure = next(iter(result["measures"]), None) if result else None
    if result is not None and measure is not None and measure.value["value"] is not None:
        shown.append(
            Paragraph(
                tree.say(
                    "A probability is a forecast of how often the outcome occurs among rows alike, as far as the "
                    "limits that the provider states do not say otherwise. On the test rows forecast and frequency "
                    "differ by {value} {interval} on average.",
                    value=blocks.value(measure),
                    interval=blocks.interval(measure),
                )
            )
        )
    sets = prediction_sets.summary(book)
    shown += [Bullets(tuple(sets))] if sets else []
    title = "How to read the output – Art. 13(3)(b)(vii)"
    return Section("output", title, tuple(shown), short="Output")


def _outputs(book: Book) -> list[tree.Block]:
    if not given.has_model(book):
        return []
    lines = tuple(
        ((o["name"].fact("name"),), (o["dtype"].fact("name"),), _shape(o["shape"]), _classes(book, o))
        for o in book["export"]["outputs"]
    )
    return [Table(("Outputs of the model",), ("Output", "Type", "Shape", "Meaning"), lines, prose=True)]


def _shape(node: Node) -> Parts:
    return tree.joined((size.fact("name") for size in node), " × ")


def _classes(book: Book, output: Node) -> Parts:
    name, classes = str(output.value["name"]), book["encode"]["classes"]
    if name == "prediction":
        return parts(book["encode"]["target"].fact("name"), *about.target_words(book))
    codes = ((c.derived(i, "place of the class", "count"), " is ", c.fact()) for i, c in enumerate(classes))
    words = "code of the class: " if name == "label" else "probability of each class, by its code: "
    return parts(words, tree.joined(codes, "; "))


def _changes(book: Book) -> Section:
    shown = (Paragraph(said(book, "predetermined_changes")),)
    return Section("changes", "Changes foreseen – Art. 13(3)(c)", shown, short="Changes")


def _oversight(book: Book) -> Section:
    rows: tuple[tuple[str, Parts], ...] = (
        ("Who oversees it, and how", said(book, "oversight")),
        ("Against automation bias", said(book, "automation_bias")),
        ("Overriding the output", said(book, "override")),
        ("Stopping the system", said(book, "stop")),
        ("When it fails or is unsure", said(book, "fallback")),
    )
    shown: list[tree.Block] = [Pairs("Human oversight", rows)]
    aids = strange_inputs.summary(book)
    if aids:
        shown += [Paragraph(("A technical aid that the evidence allows, a flag for inputs unlike those of training:",))]
        shown.append(Bullets(tuple(aids)))
    return Section("oversight", "Human oversight – Arts 13(3)(d) and 14", tuple(shown), short="Oversight")


def _resources(book: Book) -> Section:
    rows: list[tuple[str, Parts]] = []
    if given.has_model(book):
        export = book["export"]
        rows = [
            ("Form", ("one ONNX file",)),
            ("Operator set of ONNX", (export["opset"].fact("exact"),)),
            ("Format version of ONNX", (export["ir_version"].fact("exact"),)),
            ("Size", (export["onnx"]["size"].fact("size"),)),
            ("Digest of the model", (export["onnx"]["sha256"].fact("digest"),)),
            ("Tested under", (book["evaluate"]["runtime"].fact(),)),
        ]
    rows += [
        ("Hardware", said(book, "target_hardware")),
        ("Works together with", said(book, "integration")),
        ("Lifetime and maintenance", said(book, "lifetime")),
        ("Updates", said(book, "update_policy")),
    ]
    shown = (Pairs("Resources, lifetime, maintenance", tuple(rows)),)
    return Section("resources", "What it needs, and for how long – Art. 13(3)(e)", shown, short="Resources")


def _logs(book: Book) -> Section:
    shown = (
        Paragraph(
            tree.say(
                "What to log, in which form, and for how long: {where}.",
                where=pieces.other(book, "logs", "not among the documents of this run"),
            )
        ),
        Pairs("Logs", (("Logging", said(book, "logging")), ("Retention", said(book, "log_retention")))),
    )
    return Section("logs", "Logs – Art. 13(3)(f)", shown, short="Logs")
