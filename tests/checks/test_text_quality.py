"""Checks on the text of a language model, on real corpora that went through ingest and cleaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks import catalogue, gate, text_quality
from configs import errors
from configs.language.plan import LanguagePlan
from evidence import records
from evidence.folder import RunFolder
from tests.factory.text import builders

Results = dict[str, records.CheckResult]


def _validated(tmp_path: Path, declared: LanguagePlan) -> tuple[RunFolder, Results, records.QualityRecord]:
    folder, corpus, cleaning = builders.cleaned(tmp_path, declared)
    quality = text_quality.validate(folder, declared, corpus, cleaning)
    return folder, {result.check_id: result for result in quality.results}, quality


@pytest.mark.slow
def test_the_embedded_corpus_satisfies_what_is_expected(tmp_path: Path) -> None:
    """Every expectation holds on the tables as ingested and as cleaned, and the Data Docs hold no text."""
    folder, found, quality = _validated(tmp_path, builders.plan())
    result = found["data.text_expectations"]
    assert (result.status, result.measures[0].value) == ("pass", 0.0)
    assert result.measures[1].value == len(result.details["ingested"]) + len(result.details["cleaned"])
    assert quality.data_docs is not None
    page = folder.checked(quality.data_docs).read_text(encoding="utf-8")
    assert "every document once" in page
    assert "The standard type hierarchy" not in page
    assert found["data.near_duplicates"].measures[1].value > 0
    assert all(result.check_id in catalogue.METRICS for result in quality.results)


@pytest.mark.slow
def test_a_record_that_counts_otherwise_is_critical(tmp_path: Path) -> None:
    """A table with other documents than its record names stops the run."""
    declared = builders.plan()
    folder, corpus, cleaning = builders.cleaned(tmp_path, declared)
    counts = corpus.counts.model_copy(update={"documents": corpus.counts.documents + 1})
    quality = text_quality.validate(folder, declared, corpus.model_copy(update={"counts": counts}), cleaning)
    assert (quality.results[0].status, quality.results[0].severity) == ("fail", "critical")


@pytest.mark.slow
def test_an_altered_table_is_refused(tmp_path: Path) -> None:
    """What was altered after it was recorded is not looked at."""
    declared = builders.plan()
    folder, corpus, cleaning = builders.cleaned(tmp_path, declared)
    folder.at(cleaning.shards[0].path).write_bytes(b"PAR1")
    with pytest.raises(errors.IntegrityError):
        text_quality.validate(folder, declared, corpus, cleaning)


def _corpora(**provenance: Any) -> list[dict[str, Any]]:
    known = builders.PYTHON
    other = builders.files("a.txt", language="en", document="line", id="other")
    return [known, other | {"provenance": {"title": "Other", "origin": "public"} | provenance}]


@pytest.mark.slow
def test_an_unknown_licence_is_a_warning_that_blocks_nothing(tmp_path: Path) -> None:
    """It is told with its share of the text, is no pass, and does not decide; a gate can make it decide."""
    (tmp_path / "a.txt").write_text("One line of text that nobody has licensed to us.", encoding="utf-8")
    declared = builders.plan(*_corpora())
    result = _validated(tmp_path, declared)[1]["data.licences"]
    assert (result.status, result.severity) == ("inconclusive", "info")
    assert "warning: no licence is stated for other, " in result.reason
    assert result.measures[0].value == pytest.approx(49 / 400_000, rel=0.5)
    ungated = gate.decide(declared.model_copy(update={"policy": _policy()}), [result])
    assert not [reason for reason in ungated.reasons if reason.check_id == "data.licences" and reason.required]
    gated = gate.decide(declared.model_copy(update={"policy": _policy("data.licences", 0.0)}), [result])
    assert gated.outcome == "fail"


def _policy(check: str = "data.text_expectations", limit: float = 0.0) -> Any:
    gates = [{"check": check, "at_most": limit}]
    declared = builders.plan(policy={"gates": gates})
    catalogue.check_policy(declared)
    return declared.policy


@pytest.mark.slow
def test_a_stated_licence_passes(tmp_path: Path) -> None:
    """With a licence for every corpus nothing is open."""
    assert _validated(tmp_path, builders.plan())[1]["data.licences"].status == "pass"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("origin", "applied", "status"),
    [
        ("public", "unknown", "inconclusive"),
        ("public", "no", "inconclusive"),
        ("public", "yes", "pass"),
        ("licensed", "unknown", "not_applicable"),
    ],
)
def test_reservations_of_rights_are_asked_where_they_can_be(
    tmp_path: Path, origin: str, applied: str, status: str
) -> None:
    """What nobody has stated is open; a licence from the rightsholder leaves nothing to reserve."""
    provenance = {"title": "Python", "origin": origin, "licence": "PSF-2.0", "opt_out": {"applied": applied}}
    declared = builders.plan(builders.PYTHON | {"provenance": provenance})
    assert _validated(tmp_path, declared)[1]["data.opt_outs"].status == status


@pytest.mark.slow
@pytest.mark.parametrize(("action", "status", "left"), [("count", "inconclusive", 0.5), ("mask", "pass", 0.0)])
def test_personal_data_that_stays_is_open(tmp_path: Path, action: str, status: str, left: float) -> None:
    """What was masked is gone and counted; what was only counted is still there. A denial is named."""
    (tmp_path / "a.txt").write_text("Write to jane@example.org today.\nNothing to be found in here.", encoding="utf-8")
    provenance = {"title": "T", "origin": "public", "personal_data": "no"}
    corpus = builders.files("a.txt", document="line", language="en", provenance=provenance)
    declared = builders.plan(corpus, cleaning={"personal_data": {"action": action}})
    result = _validated(tmp_path, declared)[1]["data.personal_data"]
    assert result.status == status
    assert [m.value for m in result.measures] == [left, 0.5, 1.0, 0.0, 0.0]
    assert "files state that there are none" in result.reason


@pytest.mark.slow
def test_what_the_plan_turns_off_is_not_measured(tmp_path: Path) -> None:
    """A step that was not done is no pass, and says so."""
    off = {"enabled": False}
    cleaning = {"identification": off, "near_duplicates": off, "personal_data": {"find": []}}
    found = _validated(tmp_path, builders.plan(cleaning=cleaning))[1]
    for name in ("language_identification", "near_duplicates", "personal_data"):
        assert found[f"data.{name}"].status == "not_measured"
        assert "the plan" in found[f"data.{name}"].reason


@pytest.mark.slow
def test_a_declared_language_without_held_out_text_leaves_the_run_open(tmp_path: Path) -> None:
    """Nothing is measured on it, so the outcome cannot be a pass."""
    (tmp_path / "a.txt").write_text("Alle Menschen sind frei und gleich geboren.", encoding="utf-8")
    declared = builders.plan(builders.PYTHON, builders.files("a.txt", language="de"))
    result = _validated(tmp_path, declared)[1]["data.held_out_languages"]
    assert (result.status, result.severity, result.measures[0].value) == ("inconclusive", "gate", 1.0)
    assert "de (1 document)" in result.reason
