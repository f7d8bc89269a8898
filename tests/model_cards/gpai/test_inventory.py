"""One definition of the gaps of a language model's run: record and card tell the same total, and list each gap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from model_cards import refs, tree
from model_cards.gpai import card, coverage, documents, inventory
from model_cards.refs import Book
from model_cards.tree import Document

RUNS = ("bare", "whole", "tuned")


def gathered(book: Book) -> tuple[Book, dict[str, Document]]:
    """The records with their gaps, and every document of them, the card among them."""
    built = documents.builders(coverage.places_of(card.tree_of(book)))
    found = inventory.gathered(book, built)
    return found, {"card": card.tree_of(found), **{name: build(found) for name, build in built.items()}}


@pytest.mark.parametrize("run", RUNS)
def test_the_card_lists_every_gap_of_every_document(books: dict[str, Book], run: str) -> None:
    """What any document prints as missing is among the gaps of the run, each once, and the card lists all of them."""
    book, made = gathered(books[run])
    assert book.gaps
    keys = [gap.key for gap in book.gaps]
    assert len(keys) == len(set(keys))
    for name, document in made.items():
        printed = {p.key for p in tree.walk(document) if isinstance(p, refs.Gap)}
        assert printed <= set(keys), name
    listed = next(s for s in made["card"].sections if s.id == "gaps")
    assert {p.key for p in tree.walk_section(listed) if isinstance(p, refs.Gap)} == set(keys)


@pytest.mark.parametrize("run", RUNS)
def test_record_and_card_tell_one_total(
    runs: dict[str, LanguageDossier], books: dict[str, Book], run: str, tmp_path: Path
) -> None:
    """The total on the first page is that of the record, and what it is made of adds up to it."""
    record = documents.render(RunFolder(tmp_path), runs[run], suffixes=())
    book, made = gathered(books[run])
    assert book.gaps is not None
    assert set(record.gaps) == {gap.text for gap in book.gaps}
    assert len(record.gaps) == len(set(record.gaps)) == len(book.gaps)
    words = tree.plain(tuple(tree.walk_section(made["card"].sections[0])))
    total = re.search(r"Gaps of this run over all its documents: (\d+)\.", words)
    assert total is not None
    assert int(total[1]) == len(record.gaps)
    kinds = [
        re.search(p, words)
        for p in (r"Missing: (\d+) thing", r"(\d+) questions that only persons", r"that, (\d+) subjects")
    ]
    assert sum(int(found[1]) for found in kinds if found) == len(record.gaps)
