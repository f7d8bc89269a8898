"""What a reader who did not build the system meets in the documents: no riddle, no wrong plural, no hidden failure."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pytest

from evidence.dossier import Dossier
from model_cards import blocks, refs, render_docx, render_markdown, tree
from model_cards.legal import brief, instructions, registry, signing
from model_cards.tree import Document


def test_wrong_labels_are_counted_in_words(runs: dict[str, Dossier]) -> None:
    """The confusion matrix is shown as so many wrong labels of so many rows, never as a number of rows."""
    found = [refs.book(d).result("performance.confusion_matrix") for d in runs.values()]
    shown = [tree.plain(blocks.value(next(iter(r["measures"])))) for r in found if r is not None and r["measures"]]
    assert shown
    assert all(re.fullmatch(r"wrong labels: [\d,]+ of [\d,]+", words) for words in shown)


def test_tests_to_repeat_say_how_they_came_out(runs: dict[str, Dossier]) -> None:
    """A reference that missed its threshold is marked as failed where it is to be repeated."""
    tables = [
        t
        for d in runs.values()
        for t in tree.walk_tables(registry.BUILDERS["monitoring"](refs.book(d)))
        if tree.plain(t.caption) == "Tests to repeat after a change"
    ]
    assert tables
    assert all(row[-1][0].form == "status" for table in tables for row in table.rows)


def test_only_what_was_asked_stands_with_a_threshold(runs: dict[str, Dossier]) -> None:
    """Under `with a threshold` stands a check of a gate or with a limit of its own, nothing else."""
    for dossier in runs.values():
        book = refs.book(dossier)
        asked = {gate["check"] for gate in book.plan.value["policy"]["gates"]}
        limited = {r["title"].value for r in book.results() if r.value["check_id"] in asked or r["threshold"]}
        tables = [t for t in instructions.test_tables(book) if isinstance(t, tree.Table)]
        for table in tables:
            named = {row[0][0].value for row in table.rows}
            with_one = "without" not in tree.plain(table.caption)
            assert named <= limited if with_one else not named & limited


def test_no_row_of_a_table_is_split_between_pages(runs: dict[str, Dossier]) -> None:
    """Word keeps every row of every table whole."""
    document = registry.BUILDERS["monitoring"](refs.book(next(iter(runs.values()))))
    made = render_docx.render(document, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    body = zipfile.ZipFile(io.BytesIO(made)).read("word/document.xml").decode()
    rows = re.findall(r"<w:tr\b[^>]*>.*?</w:tr>", body, re.DOTALL)
    assert rows
    assert all("<w:cantSplit" in row for row in rows)


def test_every_document_begins_with_what_a_reader_asks_first(trees: dict[str, dict[str, Document]]) -> None:
    """What the system is and how it did stands on the first page; what is missing is counted as its gaps are."""
    for documents in trees.values():
        for name, document in documents.items():
            if name in ("annex_iv", "instructions"):
                continue  # they begin with their own
            (answers,) = document.sections[0].blocks
            said = {row: tree.plain(content) for row, content in answers.rows}
            assert [*said][:2] == [brief.WHAT, brief.TESTED], name
            assert "Outcome: " in said[brief.TESTED]
            if name != "declaration":
                number = len(brief.gaps_of(document.sections))
                words = f"{number} gap" if number else "Nothing that this document asks for."
                assert said[brief.MISSING].startswith(words), name
                assert said[signing.RUN]
                assert said[signing.DECLARATION]


def test_the_lists_of_effect_say_what_they_count(trees: dict[str, dict[str, Document]]) -> None:
    """Above each list of groups stands who is counted."""
    section = next(s for s in trees["binary"]["instructions"].sections if s.id == "groups")
    lists = [i for i, block in enumerate(section.blocks) if isinstance(block, tree.Bullets)]
    assert len(lists) == 3
    assert all(getattr(section.blocks[i - 1], "kind", "") == "owner" for i in lists[1:])


@pytest.mark.slow
def test_one_gap_is_not_several(runs: dict[str, Dossier]) -> None:
    """`1 gaps` is never written."""
    for dossier in runs.values():
        for build in registry.BUILDERS.values():
            assert not re.search(r"(?<![\d,])1 gaps", render_markdown.render(build(refs.book(dossier))))
