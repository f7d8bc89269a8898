"""Limits that the evidence shows: one list in every document that prints it, the worst first."""

from __future__ import annotations

import dataclasses

import pytest

from evidence.dossier import Dossier
from model_cards import limits, refs, report, tree
from model_cards.legal import annex_iv, instructions, risks

WORST = "robustness.worst_slice"


def _lines(document: tree.Document, title: str) -> list[str]:
    """The bullets under a paragraph."""
    waiting = list(document.sections)
    while waiting:
        section = waiting.pop()
        waiting += section.sections
        for before, block in zip(section.blocks, section.blocks[1:], strict=False):
            if isinstance(before, tree.Paragraph) and tree.plain(before.content) == title:
                assert isinstance(block, tree.Bullets)
                return [tree.plain(item) for item in block.items]
    raise AssertionError(f"expected a list under {title!r}, got none")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_every_document_prints_the_same_limits(dossiers: dict[str, Dossier], task: str) -> None:
    """The report, Annex IV(3) and the instructions for use hold one list."""
    book = refs.book(dossiers[task])
    found = [tree.plain(line) for line in limits.shown(book)]
    assert len(found) > 5
    assert _lines(report.tree_of(book), "Shown by the evidence:") == found
    for document in (annex_iv.build(book), instructions.build(book)):
        assert _lines(document, "Limits that the evidence shows:") == found


def test_what_lost_most_stands_first(dossiers: dict[str, Dossier]) -> None:
    """What no threshold judges follows the gates in the order of its loss; a gap that no gate judges is among it."""
    book = refs.book(dossiers["binary"])
    lines = [tree.plain(line) for line in limits.shown(book)]
    lost = []
    for result in book.family("robustness"):
        start, measure = limits.reference(result), next(iter(result["measures"]), None)
        named = [n for n, line in enumerate(lines) if line.startswith(f"{result['title'].fact().shown}: ")]
        if start is not None and measure is not None and measure.value["value"] is not None and len(named) == 1:
            lost.append((named[0], limits.loss(measure, start)))
    by_place = [loss for _, loss in sorted(lost)]
    assert len(by_place) > 3
    free = [loss for place, loss in sorted(lost) if "the policy sets no threshold" in lines[place]]
    assert free == sorted(free, reverse=True)
    for result, measure in limits.apart(book):
        start = f"{result['title'].fact().shown} ({measure.value['slice']}): "
        assert any(line.startswith(start) for line in lines)


@pytest.mark.parametrize("stands_out", [True, False])
def test_the_risk_file_suggests_the_worst_group(dossiers: dict[str, Dossier], *, stands_out: bool) -> None:
    """Named with its rows where it stands out on rows on which it was not searched."""
    found = dossiers["binary"]
    results = tuple(
        r.model_copy(update={"details": dict(r.details) | {"stands_out": stands_out}}) if r.check_id == WORST else r
        for r in found.evaluate.results
    )
    worst = next(r for r in results if r.check_id == WORST)
    book = refs.book(dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results})))
    section = next(s for s in risks.build(book).sections if s.id == "suggested")
    said = tree.plain(tuple(tree.walk_section(section)))
    assert (WORST in said) is stands_out
    assert (str(worst.measures[0].note) in said) is stands_out
