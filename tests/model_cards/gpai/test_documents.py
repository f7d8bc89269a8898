"""What holds for every document of a language model's run."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml

from evidence import canonical, language_dossier
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from model_cards import lines, render_html, render_json, render_markdown, tree
from model_cards.gpai import account, book, coverage, documents, open_source
from model_cards.legal import answered, names
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Document, Link
from tests.configs.language_plans import plan_of
from tests.model_cards.gpai import builders
from tests.model_cards.legal.test_builders import JUDGING, PLACES, flat, sections

RUNS = ("bare", "whole", "tuned")
HEADS = re.compile(r"^(?:[1-3]\. |[1-3](?:\.[1-6])+ )|measure 1\.[1-5]|section [12], point [1-3]")
"""Numbers of the headings of the template, and places in the Code of Practice and in Annex XI."""
KEYS = {"language", "license", "license_name", "library_name", "pipeline_tag", "tags", "base_model", "model-index"}
LATER = ("documents/record.json#", "run.json#", "run folder#", "plan.yaml#sha256")


def contents(dossier: LanguageDossier, book: Book) -> dict[str, object]:
    """Record file to its JSON, as it lies in the run folder."""
    found: dict[str, object] = {
        path: getattr(dossier, stage).model_dump(mode="json")
        for stage, (path, _) in language_dossier.STAGES.items()
        if getattr(dossier, stage) is not None
    }
    code = {"register of the law": book.law.value, "catalogue of checks": book.catalogue.value}
    return {**found, "plan.yaml": dossier.plan.model_dump(mode="json"), **code}


def resolve(found: dict[str, object], evidence: str) -> object:
    """What stands at `<record file>#<JSON pointer>`, read without the code under test."""
    record, _, pointer = evidence.partition("#")
    value = found[record]
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]  # type: ignore[index]
    return value


@pytest.mark.parametrize("run", RUNS)
def test_every_fact_is_what_its_record_holds(
    trees: dict[str, dict[str, Document]], runs: dict[str, LanguageDossier], books: dict[str, Book], run: str
) -> None:
    """Each fact stands in a record at its place, with that very value unless it says how it follows from it."""
    found = contents(runs[run], books[run])
    for document in trees[run].values():
        for part in flat(document):
            if isinstance(part, Fact) and not part.evidence.startswith(LATER):
                value = resolve(found, part.evidence)
                assert part.derivation is not None or part.value == value, part


@pytest.mark.parametrize("run", RUNS)
def test_fixed_text_claims_no_number(trees: dict[str, dict[str, Document]], run: str) -> None:
    """The words that the program brings along hold no digit but those of places in the law and of the template."""
    for document in trees[run].values():
        for part in flat(document):
            if isinstance(part, str):
                assert not re.search(r"\d", PLACES.sub("", HEADS.sub("", part))), part


@pytest.mark.parametrize(
    ("answer", "words"), [("yes", "this is a high-risk"), ("unknown", "leave open whether"), ("no", None)]
)
def test_the_account_says_that_it_is_none_of_a_high_risk_system(answer: str, words: str | None, tmp_path: Path) -> None:
    """Where the answers point to such a system, or leave it open, its documents are said to be missing."""
    answers = {
        "ai_system": "yes", "outside_scope": "no", "role": "provider", "annex_i_product": "no",
        "annex_iii_use": answer, "derogation_claimed": "no", "profiling": "no", "prohibited_practice": "no",
    }  # fmt: skip
    made = account.build(book.book(builders.build(tmp_path, plan_of({"classification": answers}))))
    shown = tree.plain(tuple(tree.walk(made)))
    assert (account.SYSTEM in shown) == (words is not None)
    assert words is None or words in shown


@pytest.mark.slow
def test_json_keeps_to_its_schema(trees: dict[str, dict[str, Document]]) -> None:
    """Forms of facts that documents of tables do not have are in the schema, too."""
    schema = json.loads((Path(render_json.__file__).parent / "documents.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for name, document in trees["whole"].items():
        validator.validate(json.loads(render_json.render(document, name)))


@pytest.mark.parametrize("run", RUNS)
def test_never_judges(trees: dict[str, dict[str, Document]], run: str) -> None:
    """No document says that the model is compliant or certified."""
    for document in trees[run].values():
        assert not JUDGING.search(tree.plain(tuple(tree.walk(document))))


@pytest.mark.parametrize("run", RUNS)
def test_every_link_leads_to_a_line(trees: dict[str, dict[str, Document]], run: str) -> None:
    """A link names a document of this run and a section or line in it."""
    known = {
        name: {*(s.id for s in sections(document)), *lines.of(document).values()}
        for name, document in trees[run].items()
    }
    links = [(name, part) for name, d in trees[run].items() for part in tree.walk(d) if isinstance(part, Link)]
    assert len(links) > 10
    for name, link in links:
        assert not link.anchor or link.anchor in known[link.document or name], (name, link)


@pytest.mark.parametrize("run", RUNS)
def test_names_of_sections_are_unique(trees: dict[str, dict[str, Document]], run: str) -> None:
    """An anchor leads to one place."""
    for name, document in trees[run].items():
        ids = [section.id for section in sections(document)]
        assert len(ids) == len(set(ids)), name


@pytest.mark.parametrize("run", RUNS)
def test_every_document_is_marked_as_a_draft(trees: dict[str, dict[str, Document]], run: str) -> None:
    """First sentence and foot of each document say: a draft."""
    for document in trees[run].values():
        assert tree.plain(document.draft).startswith("Draft, not a declaration.")
        assert tree.plain(document.running).startswith("Draft, not a declaration.")


def test_every_document_has_a_builder(trees: dict[str, dict[str, Document]]) -> None:
    """A document that is named can be built, and none is built that is not named."""
    assert set(trees["bare"]) - {"report"} == {entry.id for entry in names.GENERAL_PURPOSE}
    assert not {e.id for e in names.GENERAL_PURPOSE} & {e.id for e in names.DOCUMENTS}


def test_the_account_lists_who_can_fill_what(trees: dict[str, dict[str, Document]], books: dict[str, Book]) -> None:
    """Every open question that applies stands on the page of the account, with who is likely to know."""
    shown = render_markdown.render(trees["bare"]["general_purpose"])
    waiting = [s for s in books["bare"]["answers"]["statements"] if s.value["applies"] and s.value["status"] == "open"]
    assert len(waiting) > 30
    for statement in waiting:
        assert f"proofline answer --only {statement.value['id']}".replace("_", "\\_") in shown
    assert not re.search(r"\.\. To be filled", shown)


@pytest.mark.parametrize("run", RUNS)
def test_every_gap_of_the_report_is_listed_and_counted(trees: dict[str, dict[str, Document]], run: str) -> None:
    """A gap that stands anywhere in the report stands under what is missing, too, and is in the number at the top."""
    report = trees[run]["report"]
    listed = {
        gap.text for s in report.sections if s.id == "gaps" for gap in tree.walk_section(s) if isinstance(gap, Gap)
    }
    shown = {gap.text for gap in tree.walk(report) if isinstance(gap, Gap)}
    assert shown == listed
    assert run != "bare" or any("licence of the model" in gap for gap in listed)
    asked = sum("Not answered" not in gap for gap in listed)
    words = tree.plain(tuple(p for s in report.sections[:1] for p in tree.walk_section(s)))
    assert f"Missing: {asked} thing" in words if asked else "Missing" not in words


@pytest.mark.parametrize("run", RUNS)
def test_nothing_goes_on_after_the_full_stop_of_a_gap(trees: dict[str, dict[str, Document]], run: str) -> None:
    """A gap is a sentence: no comma or semicolon follows it."""
    for name, document in trees[run].items():
        assert not re.search(r"To be filled by: [^.|]*\([^()|]*\)\.\s*[;,]", render_markdown.render(document)), name


def test_an_answer_closes_its_gap(trees: dict[str, dict[str, Document]]) -> None:
    """What a person states stands with name, role and day; the one question left open is still a gap."""
    shown = render_markdown.render(trees["whole"]["copyright_policy"])
    assert "What is known about gpai copyright policy. (Ada Example, Compliance officer, 2026-11-20)" in shown
    left = [text for d in trees["whole"].values() for text in tree.gaps(d) if "Not answered" in text]
    assert {text.partition(" --only ")[2].rstrip(").") for text in left} == {"gpai_user_services"}


@pytest.mark.slow
def test_same_dossier_gives_the_same_bytes(runs: dict[str, LanguageDossier], tmp_path: Path) -> None:
    """Rendering again, from records read back, gives the same digests, and every document in its formats."""
    first = documents.render(RunFolder(tmp_path / "a"), runs["whole"], ("md", "html", "json"))
    again = {
        stage: kind.model_validate_json(canonical.to_bytes(getattr(runs["whole"], stage)))
        for stage, (_, kind) in language_dossier.STAGES.items()
        if getattr(runs["whole"], stage) is not None
    }
    import dataclasses

    second = documents.render(
        RunFolder(tmp_path / "b"), dataclasses.replace(runs["whole"], **again), ("md", "html", "json")
    )
    assert first.digest == second.digest
    written = {reference.path for reference in first.documents}
    assert {f"documents/{e.id}.{s}" for e in names.GENERAL_PURPOSE for s in ("md", "html", "json")} <= written
    assert {"documents/README.md", "documents/report.html"} <= written


@pytest.mark.slow
def test_word_and_pdf_are_written(runs: dict[str, LanguageDossier], tmp_path: Path) -> None:
    """Every document becomes a Word file and a PDF."""
    record = documents.render(RunFolder(tmp_path), runs["bare"], ("docx", "pdf"))
    heads = {p.path: (tmp_path / p.path).read_bytes()[:4] for p in record.documents}
    for entry in names.GENERAL_PURPOSE:
        assert heads[f"documents/{entry.id}.pdf"] == b"%PDF"
        assert heads[f"documents/{entry.id}.docx"] == b"PK\x03\x04"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub.*")
@pytest.mark.parametrize("run", RUNS)
def test_hub_reads_the_card(runs: dict[str, LanguageDossier], run: str, tmp_path: Path) -> None:
    """huggingface_hub parses the metadata; each result is the record's number, every digit."""
    from huggingface_hub import ModelCard

    documents.render(RunFolder(tmp_path), runs[run], ())
    text = (tmp_path / "documents" / "README.md").read_text(encoding="utf-8")
    data = ModelCard(text, ignore_metadata_errors=False).data
    assert data.language == ["de", "en"]
    assert data.pipeline_tag == "text-generation"
    assert data.library_name == "onnx"
    assert {r.metric_type: r.metric_value for r in data.eval_results} == {"perplexity": 61.2, "bits_per_byte": 2.41}
    assert {r.dataset_split for r in data.eval_results} == {"test"}
    assert data.license == ("apache-2.0" if run == "whole" else None)
    assert data.base_model == ("example/great-words" if run == "tuned" else None)


@pytest.mark.parametrize("run", RUNS)
def test_what_was_measured_is_not_said_to_be_not_applicable(trees: dict[str, dict[str, Document]], run: str) -> None:
    """A check that has measures and no threshold says that in its chapter, as it does in the matrix."""
    lines = [
        [tree.plain(cell) for cell in line]
        for table in tree.walk_tables(trees[run]["report"])
        if table.columns == ("Check", "Outcome", "What was found")
        for line in table.rows
    ]
    measured = [line for line in lines if line[-1].startswith("measured; the policy sets no threshold")]
    assert measured
    assert all("no threshold" in line[1] for line in measured)


def test_card_shows_every_measurement(trees: dict[str, dict[str, Document]]) -> None:
    """Languages with intervals as table and plot, robustness, memorisation, calibration, compute and energy."""
    report = trees["whole"]["report"]
    shown = render_markdown.render(report).replace("\u00a0", " ")
    for words in (
        "| German | 271 | 2.630 bit | [2.498, 2.761] |",
        "Loss from typing errors",
        "Exposure of canaries",
        "MWh",
    ):
        assert words in shown
    figures = [b for s in sections(report) for b in s.blocks if isinstance(b, tree.Figures)]
    titles = {tree.plain(f.title) for group in figures for f in group.figures}
    assert titles == {
        "Bits per byte by language", "Robustness to changes of the text", "Verbatim extraction", "Exposure of canaries",
        "Calibration of next tokens", "Loss in training",
    }  # fmt: skip


@pytest.mark.slow
def test_text_of_a_plan_stays_text(tmp_path: Path) -> None:
    """No heading, link, script or key of the metadata comes of a text of the plan."""
    from tests.configs.language_plans import plan_of

    hostile = "x\n---\n# Heading | cell <script>alert(1)</script> [a](javascript:b) `c`"
    plan = plan_of({"system": {"name": hostile, "intended_purpose": hostile}, "documents": {"licence": hostile}})
    documents.render(RunFolder(tmp_path), builders.build(tmp_path / "a", plan), ("md", "html"))
    for path in (tmp_path / "documents").iterdir():
        content = path.read_text(encoding="utf-8")
        if path.name == "README.md":
            head, content = content.removeprefix("---\n").split("\n---\n", 1)
            assert set(yaml.safe_load(head)) <= KEYS
        assert "<script>alert" not in content, path.name
        assert not re.search(r"^# Heading", content, re.MULTILINE), path.name


def test_json_and_html_of_every_document(trees: dict[str, dict[str, Document]]) -> None:
    """Both are well formed for each tree."""
    for name, document in trees["tuned"].items():
        assert render_json.render(document, name).startswith("{")
        assert "</html>" in render_html.render(document)


@pytest.mark.parametrize("run", RUNS)
def test_every_point_of_the_annexes_is_followed_to_its_answers(trees: dict[str, dict[str, Document]], run: str) -> None:
    """Each point of Annex XI, section 1, and of Annex XII stands in the coverage, asked for by the class or not."""
    from configs.law import general_purpose

    shown = tree.plain(tuple(tree.walk(trees[run]["annexes_xi_xii"])))
    register = general_purpose.load()
    for point in (*register.annex_xi[:11], *register.annex_xii):
        assert point.place in shown
        assert point.duty in shown


@pytest.mark.parametrize(("told", "state"), [("obeys robots.txt", "stated"), ("", "gap"), (None, "gap")])
def test_a_crawled_corpus_states_nothing_on_its_crawlers_by_being_named(told: str | None, state: str) -> None:
    """Measure 1.2 of the Code is answered by the plan where it says how the crawlers behaved, and not before."""
    crawl = None if told is None else {"crawlers": ["words-bot"], "behaviour": told or None}
    plan = Node("plan.yaml", "", {"corpora": [{"provenance": {"origin": "crawled", "crawl": crawl}}]})
    assert answered._plan(SimpleNamespace(plan=plan), "corpora", PLACES).state == state  # type: ignore[arg-type]


@pytest.mark.parametrize("general", ["no", "open"])
def test_no_general_purpose_model_is_told_that_duties_remain(books: dict[str, Book], general: str) -> None:
    """The test of the exemption says what the class of the model says: without a duty none remains."""
    found = dict(books["bare"]["account"].value)
    found["classes"] = {**found["classes"], "general_purpose": general}
    stages = {**books["bare"].stages, "account": Node("evaluation/account.json", "", found)}
    document = open_source.build(dataclasses.replace(books["bare"], stages=stages))
    shown = render_markdown.render(document)
    assert ("no duty follows that it could be exempt from" in shown) == (general == "no")
    assert ("public summary remain due" in shown) == (general != "no")


def test_evidence_on_copyright_stands_ready_where_no_measure_applies(
    books: dict[str, Book], trees: dict[str, dict[str, Document]]
) -> None:
    """A model to which no duty applies has its measures of memorisation in the checklist all the same."""
    law = {**books["bare"].law.value, "read": {"requirements": []}}
    bare = dataclasses.replace(books["bare"], law=Node("register of the law", "", law))
    build = documents.builders(coverage.places_of(trees["bare"]["report"]))["copyright_policy"]
    shown = render_markdown.render(build(bare))
    assert "no measure of the copyright chapter applies" in shown
    assert all(f"copyright, measure 1.{n}" in shown for n in range(1, 6))
    assert "language.extraction" in shown or "Verbatim extraction" in shown
