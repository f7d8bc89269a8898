"""The model card as a tree, and its front matter in the form that Hugging Face reads."""

from __future__ import annotations

import re
from typing import Any

import yaml

from model_cards import (
    about,
    blocks,
    data,
    decision,
    effect,
    explanation,
    fairness,
    gaps,
    given,
    hub,
    meaning,
    mitigation,
    performance,
    provenance,
    received,
    refs,
    report,
    robustness,
    security,
    text,
    training,
    tree,
)
from model_cards.legal import brief, frame
from model_cards.refs import Book, Node
from model_cards.tree import Bullets, Document, Paragraph, Section

ANNEX = "card_annex"
"""The long tables of the card, a file beside it."""


IN_THE_ANNEX = (tree.Link("annex of this card", "decision", ANNEX), tree.Link("annex of this card", "gaps", ANNEX))
"""Where the card, which shows neither, leads to: every check with its outcome, and every open question."""


def tree_of(book: Book) -> Document:
    """The card itself, to be read in a quarter of an hour: headlines, and where the rest stands."""
    found = report.all_gaps(book)
    _, effect_, classes, limits = report.first_chapters(book)
    sections = (
        _what(book, found),
        brief.for_card(book),
        decision.not_passed(book, IN_THE_ANNEX),
        effect_,
        _missing(found),
        _shortened(classes, "class", _without_tables(classes)),
        _shortened(limits, limits.id, limits.blocks[:STATED_LIMITS]),
        about.purpose(book),
        about.misuse(book),
        _data(book),
        _training(book),
        _performance(book),
        _fairness(book),
        Section("mitigation", "Mitigation and calibration", tuple(mitigation.summary(book))),
        _tested(book, "robustness", "Robustness"),
        Section("security", "Security", (security.table(book),)),
        _decided(book),
        *_received(book),
        provenance.section(book),
    )
    return Document(about.title(book, ": model card"), frame.draft(book), sections)


def annex_of(book: Book) -> Document:
    """The annex of the card: what the card only sums up, table by table."""
    _, _, classes, limits = report.first_chapters(book)
    measured = (*meaning.table(book, "performance"), *performance.methods(book, "performance"))
    none = (Paragraph(("No such check gave a number.",)),)
    groups = (*fairness.definitions(book), *(performance.measures(book, "fairness") or none), *fairness.extremes(book))
    robust = (*(performance.measures(book, "robustness") or none), *robustness.tests(book), IN_THE_REPORT)
    sections = (
        gaps.section(report.all_gaps(book)),
        classes,
        limits,
        Section("evaluation", "What the measures mean", measured or none),
        Section("fairness", "Fairness per group", (*groups, IN_THE_REPORT)),
        Section("robustness", "Robustness", robust),
        explanation.for_card(book),
        decision.section(book),
    )
    return Document(about.title(book, ": annex of the model card"), frame.draft(book), sections)


STATED_LIMITS = 2
"""Blocks of the limitations that the provider states; those that the evidence shows follow in the annex."""


def _in_annex(words: str, anchor: str) -> Paragraph:
    return Paragraph((words, " ", tree.Link("annex of this card", anchor, ANNEX), "."), "note")


def _shortened(section: Section, id_: str, blocks_: tuple[tree.Block, ...]) -> Section:
    """A section without its tables, and where they stand."""
    return Section(id_, section.title, (*blocks_, _in_annex("All of it stands in the", section.id)))


def _without_tables(section: Section) -> tuple[tree.Block, ...]:
    return tuple(block for block in section.blocks if not isinstance(block, tree.Table))


def _missing(found: tuple[refs.Gap, ...]) -> Section:
    """How much is missing, by the person who can fill it."""
    owners = dict.fromkeys(gap.who for gap in found)
    items = tuple(
        tree.say("{who}: {number}", who=who, number=gaps.number_of(sum(g.who == who for g in found))) for who in owners
    )
    words = "Gaps of this run over all its documents: {number}. Who can fill how many of them:"
    lead = Paragraph(tree.say(words, number=gaps.number_of(len(found))))
    shown: tuple[tree.Block, ...] = (lead, Bullets(items)) if items else (Paragraph(("Nothing is missing.",)),)
    return Section("gaps", "What is missing, and who can fill it", (*shown, _in_annex("Each stands in the", "gaps")))


def _decided(book: Book) -> Section:
    """The outcome, when what was fixed, and the gates of the plan."""
    whole = decision.section(book)
    first = next((i for i, block in enumerate(whole.blocks) if isinstance(block, tree.Table)), len(whole.blocks))
    rest = _in_annex("Thresholds with their reasons, and every other check, stand in the", whole.id)
    return Section(whole.id, whole.title, (*whole.blocks[: first + 1], rest))


def _tested(book: Book, family: str, title: str) -> Section:
    """How many checks of a family were made, how they ended, and those that did not pass."""
    found = book.family(family)
    if not found:
        return Section(family, title, (Paragraph(("No such check gave a number.",)),))
    unsettled = [r for r in found if r.value["status"] in ("fail", "inconclusive", "not_measured")]
    counts = tree.say("{number} checks were made.", number=found[0].derived(len(found), f"checks of {family}", "count"))
    items = tuple(blocks.line_of_result(r) for r in unsettled)
    shown: list[tree.Block] = [Paragraph((*counts, " ", "These failed, stayed open or were not measured:"))]
    shown = [*shown, Bullets(items)] if items else [Paragraph((*counts, " ", "None failed or stayed open."))]
    return Section(family, title, (*shown, _in_annex("Every value stands in the", family)))


def _received(book: Book) -> tuple[Section, ...]:
    answered = received.listing(book)
    return (Section("received", "Answers of test facilities", tuple(answered)),) if answered else ()


def front_matter(book: Book) -> str:
    """The YAML block between the two lines of dashes, with `model-index`.

    Every value of `model-index` is the value of the record, all digits.
    """
    system = book.plan.value["system"]
    kind = hub.PIPELINES[book["encode"].value["task"]] if given.has_model(book) else hub.OTHER
    content: dict[str, Any] = {}
    if stated := book.plan.value["documents"]["licence"]:
        content |= hub.licence(text.plain(stated))
    if given.has_model(book):
        content |= {"library_name": "onnx", "pipeline_tag": kind}
    about_model = ["onnx", "tabular"] if given.has_model(book) else ["predictions"]
    content["tags"] = [*about_model, *([slug(system["sector"])] if slug(system["sector"] or "") else [])]
    results = _index(book, kind)
    if results:
        content["model-index"] = [{"name": text.plain(system["name"]), "results": results}]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000)


def slug(words: str) -> str:
    """Lower-case letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _index(book: Book, kind: str) -> list[dict[str, Any]]:
    dataset = book["ingest"].value
    metrics = [
        {"type": hub.metric(measure.value["name"]), "value": measure.value["value"], "name": text.plain(title)}
        for title, measure in _numbers(book)
    ]
    if not metrics:
        return []
    source = {
        "name": text.plain(dataset["title"]),
        "type": slug(dataset["title"]) or "unnamed",
        "split": "test",
        "revision": dataset["rows_sha256"],
    }
    return [{"task": {"type": kind}, "dataset": source, "metrics": metrics}]


def _numbers(book: Book) -> list[tuple[str, Node]]:
    """Title and overall test measure of every performance check that has a number and a direction."""
    return [
        (result.value["title"], measure)
        for result in book.family("performance")
        if result.value["check_id"] != "performance.confusion_matrix"
        for measure in result["measures"]
        if measure.value["value"] is not None
        and measure.value["slice"] == "overall"
        and measure.value["split"] == "test"
        and measure.value["name"] == result.value["check_id"]
    ]


def _what(book: Book, found: tuple[refs.Gap, ...]) -> Section:
    how = "ships as an ONNX graph" if given.has_model(book) else "is known here by predictions that were given"
    first = Paragraph(
        tree.say(
            "{name} does {task}. It {how}.",
            name=book.plan["system"]["name"].fact(),
            task=about.task_words(book),
            how=how,
        )
    )
    figures = Paragraph(("The figures stand in the report beside this card (report.html). ", about.IN_A_BUNDLE))
    return Section(
        "what",
        "What this is",
        (first, *given.notice(book), decision.outcome(book), gaps.of_run(found), about.identity(book), figures),
    )


def _training(book: Book) -> Section:
    if not given.has_model(book):
        return given.section(book)
    return Section("training", "Training", (training.model(book), training.parity(book)))


def _data(book: Book) -> Section:
    inner = (data.origin(book), data.how_split(book), data.splits(book), *_data_checks(book))
    return Section("data", "Data and splits", inner)


def _data_checks(book: Book) -> list[tree.Block]:
    unsettled = [
        r for stage in ("validate", "govern") for r in book[stage]["results"] if r.value["status"] not in _QUIET
    ]
    counts = tree.say(
        "{quality} checks of quality and {governance} of governance were made on the data. ",
        quality=book["validate"]["results"].size("checks"),
        governance=book["govern"]["results"].size("checks"),
    )
    if not unsettled:
        return [Paragraph((*counts, "None failed or stayed open."))]
    items = tuple(blocks.line_of_result(r) for r in unsettled)
    return [Paragraph((*counts, "These failed or stayed open:")), Bullets(items)]


_QUIET = ("pass", "not_applicable")


IN_THE_REPORT = Paragraph(
    ("Every group, point and slice with its rows and its interval, and what each measure means, stand in the report.",),
    "note",
)
"""A card is read in minutes: it holds the headlines, and where they come from."""


def _performance(book: Book) -> Section:
    tables = performance.measures(book, "performance")
    if not tables:
        return Section("evaluation", "Evaluation", (Paragraph(("No such check gave a number.",)),))
    inner = [performance.measured_on(book), *effect.positive(book), *tables, *effect.simple_rules(book)]
    return Section(
        "evaluation", "Evaluation", (*inner, _in_annex("What each measure means stands in the", "evaluation"))
    )


def _fairness(book: Book) -> Section:
    none = () if fairness.groups(book) else (Paragraph(("No groups were compared.",)),)
    tested = _tested(book, "fairness", "Fairness per group")
    return Section("fairness", "Fairness per group", (fairness.use_of_attributes(book), *none, *tested.blocks))


def render_front(book: Book) -> str:
    """Front matter with its two lines of dashes."""
    return f"---\n{front_matter(book)}---\n\n"
