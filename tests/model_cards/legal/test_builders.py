"""What holds for every legal document, whoever builds it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from evidence.dossier import Dossier
from model_cards import legal, lines, refs, report, tree
from model_cards.legal import names, registry
from model_cards.refs import Fact
from model_cards.tree import Document, Link, Section
from tests.model_cards.test_evidence import contents, resolve

RUNS = ("binary", "multiclass", "regression", "answered")
POINT = r"\d+[a-z]?(?:\([0-9a-z]{1,3}\))*"
PLACES = re.compile(
    rf"Arts?\.? {POINT}(?:(?:, | to | and )(?:Art\. )?(?:{POINT}|\([0-9]+\)))*|Annex [IVX]+(?:\(\d+\))?(?:\([a-z]\))?"
    r"|Risk \d+|SHA-256|sha256|F1|Section [ABC]"
)
"""Articles, points of annexes, ordinals of headings, names of digests and of one measure: no claims with a number."""
JUDGING = re.compile(r"\b(?:compliant|certified|complies|conforms)\b", re.IGNORECASE)
MEASURES = ("evaluation/results.json", "evaluation/gate.json")


def sections(document: Document) -> list[Section]:
    """Every section, inner ones too."""
    waiting, found = list(document.sections), []
    while waiting:
        found.append(waiting.pop(0))
        waiting += found[-1].sections
    return found


def flat(document: Document) -> list[tree.Part]:
    """Every part, the words of links among them."""
    return [part.words if isinstance(part, Link) else part for part in tree.walk(document)]


def test_every_document_has_a_builder() -> None:
    """A document that is named can be built, and none is built that is not named."""
    assert {entry.id for entry in names.DOCUMENTS} == set(registry.BUILDERS)


def test_file_names_are_its_own() -> None:
    """No document is written over another one, over a record of the run, or over the report."""
    taken = {"README", "report", "record", "answers"}
    ids = [entry.id for entry in names.DOCUMENTS]
    assert len(ids) == len(set(ids))
    assert not taken.intersection(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in ids)


@pytest.mark.parametrize("run", RUNS)
def test_fixed_text_claims_no_number(trees: dict[str, dict[str, Document]], run: str) -> None:
    """The words that the program brings along hold no digit but those of places in the law."""
    for document in trees[run].values():
        for part in flat(document):
            if isinstance(part, str):
                assert not re.search(r"\d", PLACES.sub("", part)), part


def test_no_builder_holds_a_number() -> None:
    """No text in the code of a builder holds a digit, so that none can slip in on a path that no run here takes."""
    folder = Path(legal.__file__).parent
    for path in sorted(folder.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        described = {id(n.value) for n in ast.walk(module) if isinstance(n, ast.Expr)}
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
                prose = " " in node.value.strip() and not node.value.startswith(("^", "("))
                assert not prose or not re.search(r"\d", PLACES.sub("", node.value)), f"{path.name}: {node.value}"


def test_templates_hold_no_number_of_their_own() -> None:
    """What a template writes between its tags and codes holds no digit."""
    page = (Path(report.__file__).parent / "templates" / "report.html.j2").read_text(encoding="utf-8")
    bare = re.sub(r"\{[%{#].*?[%}#]\}|<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert not re.search(r"\d", bare)
    template = (Path(report.__file__).parent / "templates" / "document.typ").read_text(encoding="utf-8")
    shown = re.findall(r"(?<![\w#)(,.-])\[([^\[\]#]*)\]", template)
    assert not [words for words in shown if re.search(r"\d", words)]


@pytest.mark.parametrize("run", RUNS)
def test_every_fact_is_what_its_record_holds(
    trees: dict[str, dict[str, Document]], runs: dict[str, Dossier], run: str
) -> None:
    """Each fact stands in a record at its place, with that very value unless it says how it follows from it."""
    found = contents(runs[run])
    later = ("documents/record.json#", "run.json#", "run folder#", "plan.yaml#sha256")
    for document in trees[run].values():
        for part in flat(document):
            if not isinstance(part, Fact) or part.evidence.startswith(later):
                continue
            value = resolve(found, part.evidence)
            if part.derivation is None:
                assert part.value == value, part


@pytest.mark.parametrize("run", RUNS)
def test_never_says_compliant_or_certified_about_the_system(trees: dict[str, dict[str, Document]], run: str) -> None:
    """No document judges the system; only results of the check by that name speak of rows that are certified."""
    for document in trees[run].values():
        for part in flat(document):
            if not (isinstance(part, Fact) and part.evidence.startswith(MEASURES)):
                assert not JUDGING.search(tree.plain((part,))), part


@pytest.mark.parametrize("run", RUNS)
def test_every_link_leads_to_a_line(trees: dict[str, dict[str, Document]], runs: dict[str, Dossier], run: str) -> None:
    """A link names a document of this run and a section or line in it."""
    documents = {**trees[run], "report": report.tree_of(refs.book(runs[run]))}
    known = {
        name: {*(s.id for s in sections(document)), *lines.of(document).values()}
        for name, document in documents.items()
    }
    links = [(name, part) for name, d in trees[run].items() for part in tree.walk(d) if isinstance(part, Link)]
    assert links
    for name, link in links:
        there = known[link.document or name]
        assert not link.anchor or link.anchor in there, (name, link)


@pytest.mark.parametrize("run", RUNS)
def test_names_of_sections_are_unique(trees: dict[str, dict[str, Document]], run: str) -> None:
    """An anchor leads to one place."""
    for document in trees[run].values():
        ids = [section.id for section in sections(document)]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("run", RUNS)
def test_every_document_is_marked_as_a_draft(trees: dict[str, dict[str, Document]], run: str) -> None:
    """First sentence and foot of each document say: a draft."""
    for document in trees[run].values():
        assert tree.plain(document.draft).startswith("Draft, not a declaration.")
        assert tree.plain(document.running).startswith("Draft, not a declaration.")


def test_an_outcome_is_not_out_of_sight_on_a_phone(trees: dict[str, dict[str, Document]]) -> None:
    """Tables that end with the outcome of what the plan asks are set as lines there, not cut off at the right."""
    captions = ("Required, and not passed", "Tested and not passed", "Gates of the plan: ")
    tables = [t for documents in trees.values() for d in documents.values() for t in tree.walk_tables(d)]
    found = [table for table in tables if tree.plain(table.caption).startswith(captions)]
    assert {caption for caption in captions for t in found if tree.plain(t.caption).startswith(caption)} == set(
        captions
    )
    assert all(table.prose and table.columns[-1] == "Outcome" for table in found)
