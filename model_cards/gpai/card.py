"""The model card of a language model in the form that the Hub reads, and the report with the same chapters."""

from __future__ import annotations

import re
from typing import Any

import yaml

from model_cards import about, decision, gaps, hub, meaning, performance, received, statements, text, tree
from model_cards.gpai import account, chapters, measured, values
from model_cards.legal import frame, names
from model_cards.refs import Book, Gap
from model_cards.tree import Bullets, Document, Link, Pairs, Paragraph, Section

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
PIPELINE = "text-generation"


def tree_of(book: Book) -> Document:
    """The whole card, which is the report, too."""
    found = all_gaps(book) if book.gaps is None else book.gaps
    first, *rest = _chapters(book)
    return Document(
        about.title(book, ": model card"),
        frame.draft(book),
        (_summary(book, found), first, gaps.section(found), *rest, chapters.provenance(book)),
        frame.running(book),
    )


def all_gaps(book: Book) -> tuple[Gap, ...]:
    """Every gap of the summary and of the chapters, each once, and the questions that nobody has answered."""
    shown = (Section("summary", "", (_identity(book),)), *_chapters(book))
    found = (p for s in shown for p in tree.walk_section(s) if isinstance(p, Gap))
    return gaps.each_once((*found, *statements.open_statements(book)))


def _chapters(book: Book) -> tuple[Section, ...]:
    return (
        decision.not_passed(book),
        _class(book),
        about.purpose(book),
        about.misuse(book),
        chapters.limitations(book),
        chapters.corpora(book),
        chapters.cleaning(book),
        chapters.parts_of(book),
        chapters.quality(book),
        chapters.training(book),
        chapters.shipped(book),
        _language(book),
        chapters.cost(book),
        decision.section(book),
        *_received(book),
    )


def _received(book: Book) -> tuple[Section, ...]:
    answered = received.listing(book)
    return (Section("received", "Answers of test facilities", tuple(answered)),) if answered else ()


def _summary(book: Book, found: tuple[Gap, ...]) -> Section:
    system = book.plan["system"]
    lead = tree.say("{name} continues text. It ships as an ONNX graph with its tokenizer.", name=system["name"].fact())
    documents = tuple((Link(entry.title, "", entry.id),) for entry in names.GENERAL_PURPOSE)
    return Section(
        "summary",
        "What this is",
        (
            Paragraph(lead),
            decision.outcome(book),
            *measured.headlines(book),
            gaps.of_run(found),
            _identity(book),
            Paragraph(("What the law asks of general-purpose models stands in documents of their own:",)),
            Bullets(documents),
            Paragraph((about.IN_A_BUNDLE,), "note"),
        ),
    )


def _identity(book: Book) -> Pairs:
    system, provider = book.plan["system"], book.plan["system"]["provider"]
    rows: list[tuple[str, tree.Parts]] = [
        ("Model", (system["name"].fact(),)),
        ("Version", (system["version"].fact(),)),
        ("Identifier", (system["id"].fact("name"),)),
        ("Provider", (provider["name"].fact(),)),
        ("Address", (provider["address"].fact_or_gap("postal address of the provider"),)),
        ("Contact", (provider["contact"].fact_or_gap("contact of the provider"),)),
        ("Architecture", values.architecture(book)),
        ("Parameters", (book["train"]["parameters"].fact("count"),)),
        ("Languages", tree.joined(n["name"].fact("tongue") for n in values.languages(book))),
        ("Longest text, tokens", (book["export"]["context"].fact("count"),)),
        ("Builds on", values.dependencies(book)),
        ("Licence of the model", (about.licence(book),)),
    ]
    return Pairs("Identity of the model", tuple(rows))


def _class(book: Book) -> Section:
    classes = book["account"]["classes"]
    rows = tuple((name, account.state(classes[key])) for key, name in account.CLASSES.items())
    more = tree.parts(
        "The reasons, step by step, stand in the ", Link("account of the model", "path", "general_purpose"), "."
    )
    return Section("class", "Class of the model", (Pairs("The class by answers and figures", rows), Paragraph(more)))


def _language(book: Book) -> Section:
    inner = (
        measured.by_language(book),
        measured.robustness(book),
        measured.memorisation(book),
        measured.calibration(book),
        measured.harness(book),
    )
    tables = performance.measures(book, "language")
    lead = Paragraph(
        ("Measured on held-out text, on the ONNX graph as it ships. Rows are documents, passages or tokens, as named.",)
    )
    own = (lead, *tables, *meaning.table(book, "language"), *performance.methods(book, "language"))
    return Section("language", "Evaluation", own, tuple(s for s in inner if s is not None))


def front_matter(book: Book) -> str:
    """The YAML block between the two lines of dashes, with `model-index`.

    Every value of `model-index` is the value of the record, all digits.
    """
    system = book.plan.value["system"]
    content: dict[str, Any] = {}
    languages = [str(n.value["name"]) for n in values.languages(book) if n.value["name"] != "und"]
    if languages:
        content["language"] = languages
    if stated := book.plan.value["documents"]["licence"]:
        content |= hub.licence(text.plain(stated))
    content |= {"library_name": "onnx", "pipeline_tag": PIPELINE, "tags": ["onnx", "llama", "causal-lm"]}
    base = book["train"]["base"]
    if base and _HUB_NAME.fullmatch(str(base.value["name"])):
        content["base_model"] = str(base.value["name"])
        content["base_model_relation"] = "adapter" if book["train"].value["method"] == "lora" else "finetune"
    results = _index(book)
    if results:
        content["model-index"] = [{"name": text.plain(system["name"]), "results": results}]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000)


def _index(book: Book) -> list[dict[str, Any]]:
    metrics = []
    for check_id in ("language.perplexity", "language.bits_per_byte"):
        result = book.result(check_id)
        if result is None:
            continue
        for measure in result["measures"]:
            named = measure.value["name"] == check_id and measure.value["slice"] == "overall"
            if named and measure.value["value"] is not None:
                kind = check_id.partition(".")[2]
                metrics.append(
                    {"type": kind, "value": measure.value["value"], "name": text.plain(result.value["title"])}
                )
    if not metrics:
        return []
    source = {
        "name": "held-out part of the training corpora",
        "type": "held-out",
        "split": "test",
        "revision": book["encode"].value["parts"]["test"]["digests_sha256"],
    }
    return [{"task": {"type": PIPELINE}, "dataset": source, "metrics": metrics}]


def render_front(book: Book) -> str:
    """Front matter with its two lines of dashes."""
    return f"---\n{front_matter(book)}---\n\n"
