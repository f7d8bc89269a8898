"""Instructions for use: Art. 13(3) point by point, the accuracy table of Art. 15(3), what must be known first."""

from __future__ import annotations

import pytest

from configs.law import register as law
from evidence.dossier import Dossier
from model_cards import blocks, refs, tree
from model_cards.legal import instructions
from tests.model_cards.legal import stating

TASKS = ("binary", "multiclass", "regression")


def _sections(found: Dossier) -> dict[str, tree.Section]:
    return {section.id: section for section in instructions.build(refs.book(found)).sections}


def _text(section: tree.Section) -> str:
    return tree.plain(tuple(tree.walk_section(section)))


def test_every_point_of_the_article_has_its_section(dossiers: dict[str, Dossier]) -> None:
    """No point of Art. 13(3) that the register knows is without a section that names it."""
    titles = " ".join(section.title for section in _sections(dossiers["binary"]).values())
    points = [r.place for r in law.load().requirements if r.id.startswith("HR-13.3.")]
    assert len(points) == 12
    for place in points:
        assert place.removeprefix("Art. ") in titles


@pytest.mark.parametrize("task", TASKS)
def test_accuracy_is_declared_with_interval_rows_and_data(dossiers: dict[str, Dossier], task: str) -> None:
    """Each overall measure of performance stands in the tables as the record has it, beside the digest of the data."""
    found = dossiers[task]
    sections = _sections(found)
    shown = (*tree.walk_section(sections["accuracy"]), *tree.walk_section(sections["more"]))
    facts = {p.evidence: p.value for p in shown if isinstance(p, refs.Fact)}
    counted = 0
    for i, result in enumerate(found.evaluate.results):
        for j, measure in enumerate(result.measures):
            own = measure.name == result.check_id and measure.slice == "overall"
            if result.check_id.startswith("performance.") and own and measure.value is not None:
                if result.check_id == "performance.confusion_matrix":
                    continue
                place = f"evaluation/results.json#/results/{i}/measures/{j}"
                assert facts[f"{place}/value"] == measure.value
                assert facts[f"{place}/n"] == measure.n
                if measure.interval is not None:
                    assert facts[f"{place}/interval/low"] == measure.interval.low
                counted += 1
    assert counted >= 3
    assert facts["data/dataset.json#/rows_sha256"] == found.ingest.rows_sha256
    assert facts["data/split.json#/parts/test/digests/sha256"] == found.split.parts["test"].digests.sha256


def test_what_did_not_pass_stands_first(dossiers: dict[str, Dossier]) -> None:
    """The first section names every gate of the plan that did not pass, and none that did."""
    book = refs.book(dossiers["binary"])
    first = instructions.build(book).sections[0]
    shown = {p.evidence for p in tree.walk_section(first) if isinstance(p, refs.Fact)}
    for verdict in (v for v in blocks.verdicts(book) if v.of_policy):
        assert (verdict.reason["status"].evidence in shown) == (verdict.status != "pass")


@pytest.mark.parametrize("task", TASKS)
def test_the_input_contract_is_whole(dossiers: dict[str, Dossier], task: str) -> None:
    """Every input stands there in its order, with the limits that the plan states."""
    found = dossiers[task]
    section = _sections(found)["input"]
    table = next(b for b in section.blocks if isinstance(b, tree.Table))
    assert [tree.plain(row[0][:1]) for row in table.rows] == [f.name for f in found.encode.features]
    for row, feature in zip(table.rows, found.encode.features, strict=True):
        column = found.plan.data.column(feature.name)
        assert column is not None
        if column.minimum is not None:
            assert any(isinstance(p, refs.Fact) and p.value == column.minimum for p in row[2])
        assert not column.unit or column.unit in tree.plain(row[1])
        assert not column.description or column.description in tree.plain(row[0])


def test_statements_and_risks_reach_the_deployer(dossiers: dict[str, Dossier]) -> None:
    """What persons said on oversight, and the risks of the register, stand there with names."""
    sections = _sections(stating.answered(dossiers["binary"], stating.RISK))
    assert "What the company says on oversight. (Jana Beispiel, compliance officer, 2026-11-22)" in _text(
        sections["oversight"]
    )
    assert stating.RISK["title"] in _text(sections["risks"])
    assert stating.RISK["control"] in _text(sections["risks"])
