"""German and French documents of a language model: fixed words from catalogues, the same evidence."""

from __future__ import annotations

import pytest

from model_cards import localise, render_html, render_markdown, tree
from model_cards.gpai import coverage, documents
from model_cards.legal import names
from model_cards.refs import Book, Fact, Gap
from model_cards.tree import Document

COVERED = [(entry.id, other) for entry in names.GENERAL_PURPOSE for other in entry.languages if other != "en"]
RUNS = ("bare", "whole", "tuned")


@pytest.fixture(scope="module")
def translated(books: dict[str, Book], trees: dict[str, dict[str, Document]]) -> dict[tuple[str, str, str], Document]:
    """Run, document and language to the tree."""
    found = {}
    for run, book in books.items():
        built = documents.builders(coverage.places_of(trees[run]["report"]))
        found |= {(run, name, other): localise.build(built[name], book, other) for name, other in COVERED}
    return found


@pytest.mark.parametrize(("name", "other"), COVERED)
def test_no_fixed_text_is_left_in_english(
    translated: dict[tuple[str, str, str], Document], name: str, other: str
) -> None:
    """The catalogue of a language has every sentence that its documents say."""
    for run in RUNS:
        assert localise.missing(translated[run, name, other]) == ()


@pytest.mark.parametrize(("name", "other"), COVERED)
def test_one_set_of_evidence_is_behind_all(
    translated: dict[tuple[str, str, str], Document], trees: dict[str, dict[str, Document]], name: str, other: str
) -> None:
    """Facts and gaps are those of the English document, whatever their order in a sentence."""

    def content(document: Document) -> tuple[list[str], list[tuple[str, str]]]:
        walked = list(tree.walk(document))
        facts = sorted(repr((p.value, p.evidence)) for p in walked if isinstance(p, Fact))
        return facts, sorted((p.kind, p.where) for p in walked if isinstance(p, Gap))

    assert content(translated["whole", name, other]) == content(trees["whole"][name])


@pytest.mark.parametrize("other", ["de", "fr"])
def test_headings_of_the_template_keep_their_numbers(
    translated: dict[tuple[str, str, str], Document], other: str
) -> None:
    """The points of the public summary are found by their numbers in every language; yes and no are translated."""
    shown = render_markdown.render(translated["whole", "public_summary", other])
    for number in ("1.", "2.", "2.1", "2.2.1", "2.2.2", "2.3", "2.4", "2.5", "2.6", "3.", "3.1", "3.2", "3.3"):
        assert f"# {number} " in shown
    assert {"de": "\nnein (", "fr": "\nnon ("}[other] in shown
    assert {"de": "Deutsch, Englisch", "fr": "allemand, anglais"}[other] in shown
    assert {"de": "weniger als 1 Milliarde Token", "fr": "moins de 1 milliard de jetons"}[other] in shown
    assert f'lang="{other}"' in render_html.render(translated["whole", "public_summary", other])
