"""The comparison of two versions: what is listed, how measures are compared, what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from checks.changes import compare, measures
from checks.changes.side import Side
from configs import errors, load
from evidence import diff_records, records
from evidence.diff_records import DiffRecord
from tests.checks.changes import sides
from tests.flows import prediction_plans


def places(record: DiffRecord) -> dict[str, diff_records.Change]:
    return {change.place: change for change in record.changes}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_a_version_does_not_differ_from_itself(name: str, request: pytest.FixtureRequest) -> None:
    """Nothing is listed, every difference is 0, and the record says `identical`."""
    side = request.getfixturevalue(name)
    found = compare.compare(side, side)
    assert found.outcome == "identical"
    assert found.changes == ()
    assert {m.value for m in found.measures if m.value is not None} == {0.0}
    assert found.only_before == found.only_after == ()


@pytest.mark.parametrize("other", ["second", "third"])
def test_the_other_way_round_everything_is_turned(first: Side, other: str, request: pytest.FixtureRequest) -> None:
    """The same places differ with both values exchanged; every difference and interval has its sign turned."""
    there, back = (compare.compare(*pair) for pair in _both(first, request.getfixturevalue(other)))
    exchanged = {place: (c.after, c.before) for place, c in places(back).items() if c.subject not in ("gate", "split")}
    assert {p: (c.before, c.after) for p, c in places(there).items() if c.subject not in ("gate", "split")} == exchanged
    turned = {_key(m): m for m in back.measures}
    assert len(turned) == len(there.measures)
    for m in there.measures:
        again = turned[_key(m)]
        assert (m.before, m.after, m.paired, m.method) == (again.after, again.before, again.paired, again.method)
        if m.value is not None:
            assert m.value == -again.value
        if m.low is not None:
            assert (m.low, m.high) == pytest.approx((-again.high, -again.low), abs=1e-12), m.name
    assert there.only_before == back.only_after


def _both(first: Side, second: Side) -> tuple[tuple[Side, Side], tuple[Side, Side]]:
    return (first, second), (second, first)


def _key(m: diff_records.MeasureDifference) -> tuple[str, ...]:
    return m.check, m.title, m.name, m.slice, m.split or ""


def test_a_removed_feature_is_told_as_such(first: Side, second: Side) -> None:
    """The plan's field, the list of features without it, the parameters and the model itself are listed."""
    found = places(compare.compare(first, second))
    role = found["plan: data.columns[bmi].role"]
    assert (role.before, role.after, role.subject) == ("feature", "ignored", "features")
    assert found["contract: features"].removed == ("bmi (numeric, kg/m²)",)
    assert found["contract: features"].added == ()
    assert found["model/record.json: graph"].subject == "model"
    assert found["training/record.json: parameters"].verdict == "follows"
    assert found["plan: system.version"].verdict == "follows"


def test_same_test_rows_are_compared_row_by_row(first: Side, second: Side) -> None:
    """Pairs wherever there is a method for them, and their interval is the narrower one."""
    found = compare.compare(first, second)
    assert found.rows.same_test_rows
    assert found.rows.shared_test == found.before.test_rows
    by_name = {(m.name, m.slice): m for m in found.measures}
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "pr_auc", "f1", "brier", "log_loss"):
        assert by_name[f"performance.{name}", "overall"].paired, name
    assert by_name["fairness.demographic_parity_difference", "sex"].paired
    assert not by_name["performance.ece", "overall"].paired
    alone = dataclasses.replace(first, folder=None, encoded=None)
    unpaired = {(m.name, m.slice): m for m in compare.compare(alone, second).measures}
    for name in ("roc_auc", "brier", "accuracy"):
        one, other = by_name[f"performance.{name}", "overall"], unpaired[f"performance.{name}", "overall"]
        assert one.value == other.value
        assert one.high - one.low < other.high - other.low
        assert "MOVER" in other.method


def test_other_test_rows_are_not(first: Side, third: Side) -> None:
    """Nothing is paired; the test rows in common are counted, and the drift between the parts is told."""
    found = compare.compare(first, third)
    assert not found.rows.same_test_rows
    assert found.rows.content_equal
    assert 0 < found.rows.shared_test < found.before.test_rows
    assert not any(m.paired for m in found.measures)
    assert {d.feature for d in found.rows.drift} == {c.name for c in first.plan.data.features}
    assert all(d.low <= d.value <= d.high for d in found.rows.drift)


def test_every_common_measure_is_compared_once(first: Side, second: Side) -> None:
    """No measure with a value in both versions is left out."""
    found = compare.compare(first, second)
    keys = [_key(m) for m in found.measures]
    assert len(keys) == len(set(keys))
    named = {(m.name, m.slice) for m in found.measures}
    for result in first.results:
        for measure in result.measures:
            listed = (measure.name, measure.slice) in named or f"{measure.name}@{measure.slice}" in found.only_before
            repeated = measure.name != result.check_id and "=" in measure.slice
            assert listed or repeated or measure.value is None, measure.name


def test_the_largest_differences_come_first(first: Side, second: Side) -> None:
    """Those that leave 0 out come before those that do not, each by its distance from 0 in half-widths."""
    shown = [m.shown in ("worse", "better", "moved") for m in compare.compare(first, second).measures]
    assert shown == sorted(shown, reverse=True)


def test_worse_and_better_follow_the_direction(first: Side, second: Side) -> None:
    """A loss of accuracy is worse, a loss of log loss is better, a descriptive measure moves."""
    for m in compare.compare(first, second).measures:
        if m.shown in ("worse", "better"):
            assert (m.value > 0) == ((m.shown == "better") == (m.better == "higher")), m.name
        if m.shown == "moved":
            assert m.better == "none"


def test_a_level_is_shared_out_among_what_is_judged(first: Side, second: Side) -> None:
    """What is apart from 0 by itself, but not among hundreds, is listed and not held against the version."""
    found = compare.compare(first, second)
    m = next(m for m in found.measures if m.judged)
    near = m.model_copy(update={"value": 0.1, "low": 0.01, "high": 0.19, "level": 0.95})
    assert measures.holds_among(near, 1, 0.95)
    assert not measures.holds_among(near, 100, 0.95)


def test_another_purpose_comes_first_and_is_outside_whatever_is_declared(first: Side) -> None:
    """The words that are gone and that are new are told, and no declaration covers them."""
    stated = sides.stating(
        first, {"id": "all", "title": "All", "may_change": {"plan": ["training"]}, "rationale": "None."}
    )
    other = sides.with_plan(
        stated, system={"intended_purpose": "Sorts patients by the treatment they get.", "sector": None}
    )
    found = compare.compare(stated, other)
    assert [c.subject for c in found.changes[:2]] == ["purpose", "purpose"]
    assert {c.verdict for c in found.changes} == {"outside"}
    assert found.outcome == "outside"
    purpose = places(found)["plan: system.intended_purpose"]
    assert "treatment" in " ".join(purpose.added)
    assert purpose.clause == "Art. 3(23)"


def test_another_class_is_told_from_what_the_answers_point_to(first: Side) -> None:
    """The changed answer and the changed finding are listed, both outside."""
    other = sides.with_plan(first, classification={"ai_system": "no"})
    found = compare.compare(first, other)
    assert found.changes[0].subject == "classification"
    assert any(c.place == "class: scope" for c in found.changes)
    assert {c.verdict for c in found.changes} == {"outside"}


def test_a_gate_that_fails_now_is_outside(first: Side) -> None:
    """No declaration of a change covers a gate that is lost; one that gives no answer any more cannot be told."""
    passing = next(r for r in first.gate.reasons if r.status == "pass")
    for status, verdict in (("fail", "outside"), ("inconclusive", "cannot_tell")):
        reasons = tuple(r.model_copy(update={"status": status}) if r is passing else r for r in first.gate.reasons)
        other = dataclasses.replace(first, gate=first.gate.model_copy(update={"reasons": reasons}))
        change = compare.compare(first, other).changes[0]
        assert (change.subject, change.verdict) == ("gate", verdict)


def test_gates_stand_side_by_side(first: Side, second: Side) -> None:
    """Each gate of either plan with both answers, what was asked, and the measure beneath it."""
    policy = second.plan.policy.model_dump(mode="json")
    policy["gates"] = [
        g | {"at_least": 0.5} if g["check"] == "performance.roc_auc" else g for g in policy["gates"][:-1]
    ]
    found = compare.compare(first, sides.with_plan(second, policy=policy))
    assert len(found.gates) == len(first.plan.policy.gates)
    auc = next(g for g in found.gates if g.check == "performance.roc_auc")
    answers = [next(r for r in s.gate.reasons if r.check_id == auc.check).status for s in (first, second)]
    assert [auc.before, auc.after] == answers
    assert auc.asked_after == "at least 0.5"
    assert auc.asked_before != auc.asked_after
    assert (found.measures[auc.measure].name, found.measures[auc.measure].slice) == (auc.check, auc.slice)
    gone = found.gates[-1]
    assert gone.asked_after is gone.after is None
    assert gone.before is not None


def test_software_documents_and_statements_are_compared(first: Side) -> None:
    """A package, a gap that is filled and a person's decision are listed."""
    close = first.close.model_copy(update={"software": {"numpy": "2.5.0"}, "code_sha256": "ab" * 32})
    documents = records.DocumentsRecord(documents=(), gaps=("contact of the provider",))
    approval = records.Approval(
        run_id="run-b", run_sha256="0" * 64, documents_sha256="0" * 64, decision="approved", person="E. Muster",
        role="officer", reason="Read.", at="2026-11-24T10:00:00Z",
    )  # fmt: skip
    other = dataclasses.replace(first, close=close, documents=documents, approval=approval)
    found = places(compare.compare(first, other))
    assert (found["run.json: numpy"].before, found["run.json: numpy"].after) == ("2.4.6", "2.5.0")
    assert found["run.json: code"].verdict == "none_declared"
    assert found["documents/record.json: gaps"].after == "contact of the provider"
    assert "E. Muster" in str(found["approval"].after)
    assert found["approval"].verdict == "follows"


def test_different_systems_are_refused_unless_asked_for(first: Side) -> None:
    """Two systems are no two versions."""
    other = sides.with_plan(first, system={"id": "another"})
    with pytest.raises(errors.PlanError, match="two versions of one system, got diabetes-progression and another"):
        compare.compare(first, other)
    assert compare.compare(first, other, anyway=True).outcome == "outside"


def test_different_classes_are_refused_and_never_compared(first: Side) -> None:
    """Measures of other classes mean something else: with --anyway everything but them is compared."""
    target = first.plan.model_dump(mode="json")["data"]["target"] | {"positive_label": "fast progression"}
    other = sides.with_plan(first, data={"target": target})
    with pytest.raises(errors.PlanError, match="same task and classes"):
        compare.compare(first, other)
    found = compare.compare(first, other, anyway=True)
    assert found.measures == ()
    assert any("no measure was compared" in note for note in found.notes)


def test_altered_rows_are_refused(first: Side, second: Side, tmp_path) -> None:
    """Stored answers that do not have the recorded digest are not compared."""
    import shutil

    from evidence.folder import RunFolder

    shutil.copytree(first.folder.path, tmp_path / "copy")
    (tmp_path / "copy" / "evaluation" / "labels.npy").write_bytes(b"\x93NUMPY altered")
    altered = dataclasses.replace(first, folder=RunFolder(tmp_path / "copy"))
    with pytest.raises(errors.IntegrityError, match="altered after it was recorded"):
        compare.compare(altered, second)


def test_the_record_survives_its_file(first: Side, second: Side) -> None:
    """JSON and back is the same record: no infinity, no NaN."""
    found = compare.compare(first, second)
    assert DiffRecord.model_validate_json(found.model_dump_json()) == found


@pytest.mark.slow
def test_given_predictions_are_matched_by_the_row_id(tmp_path) -> None:
    """Two tables of predictions of the same rows share no digest; the plan's row id tells the rows apart."""
    found = [_given(tmp_path / letter, letter) for letter in "ab"]
    record = compare.compare(*found)
    assert record.rows.same_test_rows
    assert record.rows.matched_by == "patient"
    assert not record.rows.content_equal
    by_name = {(m.name, m.slice): m for m in record.measures}
    assert by_name["performance.roc_auc", "overall"].paired
    assert by_name["fairness.equal_opportunity_difference", "sex"].paired
    changes = places(record)
    assert changes["predictions/record.json: predictions"].verdict == "none_declared"
    assert "data/split.json: test part" not in changes
    assert compare.compare(found[0], found[0]).outcome == "identical"


@pytest.mark.slow
def test_without_a_row_id_given_predictions_are_not_matched(tmp_path) -> None:
    """Nobody knows which row is which."""
    record = compare.compare(*(_given(tmp_path / letter, letter, row_id=None) for letter in "ab"))
    assert not record.rows.same_test_rows
    assert not any(m.paired for m in record.measures)


def _given(place: Path, letter: str, row_id: str | None = "patient") -> Side:
    """A table of predictions, evaluated; the second one is noisier, and its rows are in another order."""
    place.mkdir()
    content = prediction_plans.plan()
    content["predictions"]["row_id"] = row_id
    frame = prediction_plans.table()
    if letter == "b":
        noisy = np.clip(frame.p_yes + np.random.default_rng(0).normal(0, 0.1, len(frame)), 0.01, 0.99)
        frame = frame.assign(p_yes=noisy, p_no=1 - noisy, predicted=np.where(noisy >= 0.5, "yes", "no"))
        frame = frame.sample(frac=1, random_state=1)
    path = prediction_plans.write(place, content, frame)
    return sides.given(place / "run", load.load(path), letter, place)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["second", "third"])
def test_the_report_says_nothing_that_its_record_does_not_carry(
    first: Side, other: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The claims linter finds nothing in the report of a real comparison."""
    from model_cards.lint import evidence, readers, run
    from model_cards.lint.model import at_least
    from model_cards.modification import write

    write.write(compare.compare(first, request.getfixturevalue(other)), tmp_path, ("md", "html"))
    index = evidence.load((tmp_path / "modification.json",))
    read = [readers.read(tmp_path / f"modification.{kind}") for kind in ("md", "html")]
    found = run.lint(read, index)
    assert [f"{f.rule.id}: {f.message} | {f.sentence.text}" for f in found if at_least(f.confidence, "medium")] == []


def test_another_language_of_the_documents_is_no_change_of_the_system(first: Side) -> None:
    """Who reads the documents in German compares the same system: nothing undeclared is reported for it."""
    translated = sides.with_plan(first, documents={"languages": ["en", "de"]})
    found = compare.compare(first, translated)
    languages = [change for change in found.changes if change.place.startswith("plan: documents.languages")]
    assert languages
    assert {change.verdict for change in languages} == {"follows"}
