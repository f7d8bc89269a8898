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
from model_cards.refs import Book, Node
from model_cards.tree import Bullets, Document, Paragraph, Section


def tree_of(book: Book) -> Document:
    """The whole card."""
    found = report.all_gaps(book)
    open_, effect_, classes, limits = report.first_chapters(book)
    sections = (
        _what(book, found),
        open_,
        effect_,
        gaps.section(found),
        classes,
        limits,
        about.purpose(book),
        about.misuse(book),
        _data(book),
        _training(book),
        _performance(book),
        _fairness(book),
        Section("mitigation", "Mitigation and calibration", tuple(mitigation.summary(book))),
        _robustness(book),
        explanation.for_card(book),
        Section("security", "Security", (security.table(book),)),
        decision.section(book),
        *_received(book),
        provenance.section(book),
    )
    return Document(about.title(book, ": model card"), about.draft(book), sections)


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
    figures = Paragraph(("The figures stand in the report beside this card (report.html).",))
    return Section(
        "what",
        "What this is",
        (first, *given.notice(book), decision.outcome(book), gaps.missing(found), about.identity(book), figures),
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
    inner += [*meaning.table(book, "performance"), *performance.methods(book, "performance")]
    return Section("evaluation", "Evaluation", tuple(inner))


def _fairness(book: Book) -> Section:
    tables = performance.measures(book, "fairness") or [Paragraph(("No such check gave a number.",))]
    first = (fairness.use_of_attributes(book), *fairness.definitions(book))
    none = () if fairness.groups(book) else (Paragraph(("No groups were compared.",)),)
    inner = (*first, *tables, *fairness.extremes(book), *none, IN_THE_REPORT)
    return Section("fairness", "Fairness per group", inner)


def _robustness(book: Book) -> Section:
    tables = performance.measures(book, "robustness") or [Paragraph(("No such check gave a number.",))]
    return Section("robustness", "Robustness", (*tables, *robustness.tests(book), IN_THE_REPORT))


def render_front(book: Book) -> str:
    """Front matter with its two lines of dashes."""
    return f"---\n{front_matter(book)}---\n\n"
