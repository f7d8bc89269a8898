"""One definition of the gaps of a run: record, card, report and technical documentation tell the same total."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evidence.dossier import Dossier
from evidence.folder import RunFolder
from model_cards import card, documents, gaps, inventory, localise, refs, report, tree
from model_cards.legal import annex_iv, names, registry
from tests.model_cards.legal.test_builders import sections


@pytest.mark.slow
@pytest.mark.parametrize("run", ["binary", "answered"])
def test_every_document_tells_the_same_total(runs: dict[str, Dossier], run: str, tmp_path: Path) -> None:
    """The record's: owners add up to it in the card, kinds on the first page, and the report lists each gap."""
    record = documents.render(RunFolder(tmp_path), runs[run], suffixes=())
    book = inventory.gathered(refs.book(runs[run]))
    total = len(record.gaps)
    assert total == len(set(record.gaps)) > 0
    of_card = next(s for s in card.tree_of(book).sections if s.id == "gaps")
    said = tree.plain(tuple(tree.walk_section(of_card)))
    numbers = [int(n) for n in re.findall(r": (\d+)", said)]
    assert numbers[0] == total == sum(numbers[1:])
    of_report = next(s for s in report.tree_of(book).sections if s.id == "gaps")
    assert {p.text for p in tree.walk_section(of_report) if isinstance(p, refs.Gap)} == set(record.gaps)
    for language, words in (("en", r"over every document: (\d+)\. .*?: (\d+)"), ("de", r"alle Dokumente: (\d+)\. ")):
        document = localise.build(annex_iv.build, book, language)
        brief = next(s for s in sections(document) if s.id == "brief-missing")
        found = re.search(words, tree.plain(tuple(tree.walk_section(brief))))
        assert found is not None
        assert int(found[1]) == total
    first = tree.plain(tuple(tree.walk_section(annex_iv.build(book).sections[0])))
    parts = re.search(r"together: (\d+) gaps, .*? persons: (\d+), .*? data: (\d+), .*? this run: (\d+)\.", first)
    assert parts is not None
    assert int(parts[1]) == total == sum(int(parts[n]) for n in (2, 3, 4))


def test_no_document_prints_a_gap_that_the_run_does_not_count(runs: dict[str, Dossier]) -> None:
    """What a document prints as missing is among the gaps of the run; the register of risks is one of them, once."""
    book = inventory.gathered(refs.book(runs["binary"]))
    assert book.gaps is not None
    keys = [gap.key for gap in book.gaps]
    assert len(keys) == len(set(keys))
    assert sum("register of risks" in key[0] for key in keys) == 1
    for entry in names.needed(book):
        printed = {p.key for p in tree.walk(registry.BUILDERS[entry.id](book)) if isinstance(p, refs.Gap)}
        assert printed <= set(keys)


def test_the_same_thing_by_another_owner_or_in_another_place_is_another_gap() -> None:
    """Thing, owner and place make a gap; how it is told does not."""
    one = refs.Gap("address", "provider", "plan: system")
    again = refs.Gap("address", "provider", "plan: system", "Not measured")
    others = (refs.Gap("address", "engineer", "plan: system"), refs.Gap("address", "provider", "plan: data"))
    assert gaps.each_once((one, again, *others)) == (one, *others)
