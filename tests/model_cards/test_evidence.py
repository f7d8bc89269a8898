"""Nothing is said that no record carries."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from checks import catalogue
from evidence import dossier as dossiers
from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from model_cards import card, refs, report, tree
from tests.model_cards import builders, pages
from tests.model_cards.builders import Rendered, render

TASKS = ("binary", "multiclass", "regression")
CITED = re.compile(r"(?:Art\. \d+[a-z]?|Annex [IVX]+)(?:\(\w+\))*")
WORDS = ("F1", "SHA-256", "sha256")


def trees(dossier: Dossier) -> tuple[tree.Document, tree.Document]:
    book = refs.book(dossier)
    return card.tree_of(book), report.tree_of(book)


def contents(dossier: Dossier) -> dict[str, Any]:
    """Record file to its JSON, as it lies in the run folder."""
    found = {
        path: getattr(dossier, stage).model_dump(mode="json")
        for stage, (path, _) in (dossiers.STAGES | dossiers.PREDICTIONS).items()
        if getattr(dossier, stage) is not None
    }
    meanings = refs.book(dossier).catalogue.value
    for name, metric in catalogue.METRICS.items():
        assert meanings[name]["definition"] == metric.definition
        assert meanings[name]["reference"] == metric.reference
    found["catalogue of checks"] = meanings
    found["register of the law"] = refs.book(dossier).law.value
    return {**found, "plan.yaml": dossier.plan.model_dump(mode="json"), "": dossier}


def resolve(found: dict[str, Any], evidence: str) -> Any:
    """What stands at `<record file>#<JSON pointer>`, read without the code under test."""
    if evidence in ("plan.yaml#sha256", "run folder#name", "run folder#evidence"):
        return found[""].plan_sha256 if evidence.startswith("plan") else found[""].run_id
    record, _, pointer = evidence.partition("#")
    value = found[record]
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


@pytest.mark.parametrize("task", TASKS)
def test_every_number_equals_its_record(rendered: dict[str, Rendered], task: str) -> None:
    """Each number of the page carries a place in a record, and the record holds that very value there."""
    found = rendered[task]
    records_ = contents(found.dossier)
    numbers = pages.read(found.page).all("data")
    assert len(numbers) > 100
    for element in numbers:
        if "data-derivation" in element.attributes:
            continue
        value = resolve(records_, element.attributes["data-evidence"])
        assert element.attributes["value"] == (repr(value) if isinstance(value, float) else str(value))


@pytest.mark.parametrize("task", TASKS)
def test_every_reference_leads_somewhere(rendered: dict[str, Rendered], task: str) -> None:
    """No reference points into nothing, whether at a text, a derived number or a mark of a figure."""
    found = rendered[task]
    records_ = contents(found.dossier)
    for element in pages.read(found.page).elements:
        evidence = element.attributes.get("data-evidence")
        if evidence and not evidence.startswith("documents/record.json#"):
            resolve(records_, evidence)


@pytest.mark.parametrize("task", TASKS)
def test_fixed_text_claims_no_number(dossiers: dict[str, Dossier], task: str) -> None:
    """The words that the program brings along hold no digit but those of named articles and standards."""
    for document in trees(dossiers[task]):
        for part in tree.walk(document):
            if isinstance(part, str):
                rest = CITED.sub("", part)
                for known in sorted(WORDS, key=len, reverse=True):
                    rest = rest.replace(known, "")
                assert not re.search(r"\d", rest), part


@pytest.mark.parametrize("task", TASKS)
def test_fixed_text_holds_no_text_of_the_plan(dossiers: dict[str, Dossier], task: str) -> None:
    """Names and sentences of the plan come in as facts only, so that each carries its place."""
    system = dossiers[task].plan.system
    stated = [system.name, system.version, system.provider.name, *system.limitations, system.intended_purpose]
    for document in trees(dossiers[task]):
        fixed = [part for part in tree.walk(document) if isinstance(part, str)]
        assert not [text for text in stated if any(text in part for part in fixed)]


@pytest.mark.parametrize("task", TASKS)
def test_never_says_compliant_or_certified(dossiers: dict[str, Dossier], task: str) -> None:
    """Fixed text judges no conformity; it names the document and the procedure that bear the word, and no more."""
    for document in trees(dossiers[task]):
        words = " ".join(part for part in tree.walk(document) if isinstance(part, str)).lower()
        words = re.sub(r"compliance officer|eu declaration of conformity|conformity assessment", "", words)
        assert not re.search(r"complian|certif|conform", words)


@pytest.mark.parametrize("task", TASKS)
def test_says_that_it_is_a_draft_of_which_run(rendered: dict[str, Rendered], task: str) -> None:
    """Both documents name run, evidence, plan and text of the law they were made of, and that they declare nothing."""
    found = rendered[task]
    book = refs.book(found.dossier)
    for document in (found.card, found.page):
        assert "Draft, not a declaration." in document
        assert found.dossier.run_id in document
        assert found.dossier.plan_sha256 in document
        head = document[: document.index("What is said of the law is paraphrase")]
        assert book.evidence_sha256.value in head
        assert book.law["register"]["celex"].value in head


@pytest.mark.slow
def test_same_dossier_same_bytes(rendered: dict[str, Rendered], tmp_path: Path) -> None:
    """Rendering again, after the documents were recorded, gives the digests that were approved."""
    first = rendered["binary"]
    again = render(dataclasses.replace(first.dossier, document=first.record), tmp_path)
    assert again.record.digest == first.record.digest


@pytest.mark.slow
def test_records_read_back_give_the_same_bytes(rendered: dict[str, Rendered], tmp_path: Path) -> None:
    """A resumed run, whose records come from their files, gives the documents of an uninterrupted one."""
    first = rendered["binary"]
    folder = RunFolder(tmp_path / "run")
    again = {
        stage: folder.read_record(folder.write_record(path, getattr(first.dossier, stage)), kind)
        for stage, (path, kind) in dossiers.STAGES.items()
        if getattr(first.dossier, stage) is not None
    }
    assert render(dataclasses.replace(first.dossier, **again), tmp_path / "again").record == first.record


def test_gaps_are_printed_in_both_documents_and_recorded(rendered: dict[str, Rendered]) -> None:
    """What nobody stated or measured is visible, and is listed in the record."""
    found = rendered["multiclass"]
    stated = [g for g in found.record.gaps if "licence of the model" in g]
    assert stated == [
        "Not stated: licence of the model. To be filled by: provider (plan: documents.licence).",
    ]
    assert any("Not measured: Accuracy under evasion attack" in gap for gap in found.record.gaps)
    page = pages.read(found.page)
    shown = {e.text.removeprefix("Gap. ") for e in page.all("span") if e.attributes.get("class") == "gap"}
    assert shown <= set(found.record.gaps)
    assert "**Gap.** Not stated: licence of the model." in found.card


@pytest.mark.slow
def test_gap_disappears_when_it_is_stated(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """A gap is the absence of a value, nothing else."""
    stated = builders.with_plan(dossiers["multiclass"], {"documents": {"licence": "EUPL-1.2"}})
    found = render(stated, tmp_path)
    assert not [g for g in found.record.gaps if "licence of the model" in g]
    assert "EUPL-1.2" in found.page


@pytest.mark.slow
def test_another_graph_than_the_one_shipped_is_said(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """The sentence on the measured graph follows from the two digests."""
    found = dossiers["binary"]
    evaluate = found.evaluate.model_copy(update={"onnx_sha256": "ab" * 32})
    other = render(dataclasses.replace(found, evaluate=evaluate), tmp_path)
    assert ">ANOTHER</span> ONNX file" in other.page
    assert "on ANOTHER ONNX file" in other.card


def test_each_line_of_the_gate_has_the_title_of_its_own_check(dossiers: dict[str, Dossier]) -> None:
    """Checks that share identifier and reason (one per column) are not confused."""
    from model_cards import blocks

    found = dossiers["binary"]
    titles = [
        v.title.value for v in blocks.verdicts(refs.book(found)) if v.reason.value["check_id"] == "data.missingness"
    ]
    assert titles == [f"{column.name}: no value missing" for column in found.ingest.columns]


def test_gate_and_tiles_count_every_line(dossiers: dict[str, Dossier]) -> None:
    """The counts of the summary add up to the lines of the decision."""
    from model_cards import decision

    found = dossiers["binary"]
    tiles = decision.counts(refs.book(found)).tiles
    gates = [int(tile.value[0].value) for tile in tiles if isinstance(tile.value[0], refs.Fact)]
    others = [int(tile.notes[1][1].value) for tile in tiles if isinstance(tile.notes[1][1], refs.Fact)]
    assert len(gates) == len(others) == len(tiles)
    assert sum(gates) == len(found.plan.policy.gates)
    statuses = {tile.status for tile in tiles}
    assert {"pass", "fail", "inconclusive"} <= statuses
    assert sum(gates) + sum(others) == sum(r.status in statuses for r in found.gate.reasons)


@pytest.mark.slow
def test_absent_details_are_said_not_drawn(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Without plotting data there is no figure, and the page says so."""
    found = dossiers["binary"]
    bare = tuple(result.model_copy(update={"details": {}}) for result in found.evaluate.results)
    evaluate = found.evaluate.model_copy(update={"results": bare})
    page = render(dataclasses.replace(found, evaluate=evaluate), tmp_path).page
    assert "Not drawn, since the evidence holds no data for it: ROC curve" in page
    assert "No figure: the evidence holds no values per group." in page


@pytest.mark.slow
def test_a_run_without_checks_still_renders(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Empty evidence gives a document that says what is missing."""
    found = dossiers["binary"]
    nothing = records.QualityRecord(results=())
    empty = dataclasses.replace(
        found,
        validate=nothing,
        govern=nothing,
        evaluate=found.evaluate.model_copy(update={"results": ()}),
        gate=found.gate.model_copy(update={"reasons": ()}),
    )
    page = render(empty, tmp_path).page
    for sentence in (
        "No such check was recorded.",
        "No fairness check was recorded.",
        "No robustness check was recorded.",
    ):
        assert sentence in page
