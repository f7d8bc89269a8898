"""Where a statement stands: stated, carried over, outdated or open, by what it speaks of."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from configs import answers as file_types
from configs import errors
from configs.answers import Acceptance, Answer, AnswersFile, By, Risk
from configs.law import register as law
from evidence import about, answers, canonical
from evidence.dossier import Dossier
from tests.evidence import builders

BY = By(person="Anna Muster", role="officer", at="2026-11-20")
QUESTIONS = {question.id: question for question in law.load().attestations}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """The records of a small closed run."""
    return builders.dossier(tmp_path_factory.mktemp("space"))[1]


def stages(found: Dossier) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("ingest", "validate", "govern", "encode", "evaluate", "export")}


def file_of(found: Dossier, **fields: Any) -> AnswersFile:
    return AnswersFile(version=1, system=found.plan.system.id, by=BY, **fields)


def settled(found: Dossier, file: AnswersFile, run_id: str = "second") -> answers.AnswersRecord:
    return answers.settle(run_id, found.plan, file, stages(found))


def answered(found: Dossier, name: str, run_id: str = "first") -> Answer:
    """An answer as `proofline answer` writes it in a run."""
    digest = about.digest(QUESTIONS[name].about, found.plan, stages(found))
    question = file_types.question_sha256(QUESTIONS[name])
    return Answer(id=name, text="So it is here.", run=run_id, about_sha256=digest, question_sha256=question)


def test_every_question_has_one_statement(found: Dossier) -> None:
    """Nothing is left out, and without a file everything is open."""
    record = settled(found, AnswersFile(version=1, system=found.plan.system.id))
    assert [s.id for s in record.statements] == list(QUESTIONS)
    assert {s.status for s in record.statements} == {"open"}


def test_stated_in_this_run_carried_from_another(found: Dossier) -> None:
    """The same answer is stated in its own run and carried over into the next one, which names where it is from."""
    file = file_of(found, answers=(answered(found, "oversight"),))
    own = settled(found, file, "first").statement("oversight")
    next_ = settled(found, file).statement("oversight")
    assert (own.status, own.carried_from, own.person) == ("stated", None, "Anna Muster")
    assert (next_.status, next_.carried_from, next_.text) == ("carried", "first", own.text)


def test_written_by_hand_is_stated(found: Dossier) -> None:
    """An answer without run and digest is new in whatever run reads it."""
    file = file_of(found, answers=(Answer(id="oversight", text="So it is here."),))
    assert settled(found, file).statement("oversight").status == "stated"


@pytest.mark.parametrize(
    ("at", "standing"),
    [("2000-01-01", "carried"), ("2000-01-01T10:00:00Z", "carried"), ("today", "stated")],
)
def test_what_was_written_before_the_run_measured_waits_to_be_confirmed(found: Dossier, at: str, standing: str) -> None:
    """Dated before the evaluation: on what it measures, and on what remains of a risk, nobody could know."""
    at = found.evaluate.started_at[:10] if at == "today" else at
    by = {"person": "Anna Muster", "role": "officer", "at": at}
    names = ("residual_risk", "trade_offs", "data_gaps", "oversight")
    accepted = Acceptance(reason="A person decides.", **by)
    said = tuple(Answer(id=n, text="So it is here.", **by) for n in names)
    file = file_of(found, answers=said, risks=(risk(found, acceptance=accepted),))
    record = settled(found, file)
    stood = [record.statement(name).status for name in names]
    assert stood == [standing, standing, standing, "stated"]
    assert [r.acceptance.status for r in record.risks if r.acceptance] == [standing]
    own = [a.model_copy(update={"run": "second"}) for a in file.answers]
    confirmed = settled(found, file.model_copy(update={"answers": tuple(own)}))
    assert {confirmed.statement(name).status for name in names} == {"stated"}


def altered(found: Dossier, **system: Any) -> Dossier:
    plan = found.plan.model_copy(update={"system": found.plan.system.model_copy(update=system)})
    return dataclasses.replace(found, plan=plan)


def test_outdated_when_what_it_speaks_of_changed(found: Dossier) -> None:
    """Who uses the system concerns those who oversee it, and not how the data were labelled."""
    file = file_of(found, answers=(answered(found, "oversight"), answered(found, "labelling")))
    record = settled(altered(found, intended_users=("Nobody in particular",)), file)
    assert record.statement("oversight").status == "outdated"
    assert record.statement("labelling").status == "carried"


def test_a_new_version_outdates_only_what_is_about_the_version(found: Dossier) -> None:
    """An unchanged purpose does not ask sixty questions again."""
    file = file_of(found, answers=(answered(found, "risks_identified"), answered(found, "earlier_versions")))
    record = settled(altered(found, version="2.0.0"), file)
    assert record.statement("risks_identified").status == "carried"
    assert record.statement("earlier_versions").status == "outdated"


def test_results_count_and_times_do_not(found: Dossier) -> None:
    """The same numbers at another time are the same; another number is not."""
    file = file_of(found, answers=(answered(found, "trade_offs"),))
    later = found.evaluate.model_copy(update={"finished_at": "2026-12-01T00:00:00Z", "commitment_sha256": "1" * 64})
    again = dataclasses.replace(found, evaluate=later)
    assert settled(again, file).statement("trade_offs").status == "carried"
    first = found.evaluate.results[0]
    measure = first.measures[0].model_copy(update={"value": 0.7654})
    results = (first.model_copy(update={"measures": (measure,)}), *found.evaluate.results[1:])
    other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    assert settled(other, file).statement("trade_offs").status == "outdated"


def test_the_last_bits_of_a_number_do_not_count(found: Dossier) -> None:
    """Another processor rounds otherwise; nobody has to confirm that."""
    first = found.evaluate.results[0]
    value = first.measures[0].value
    assert value is not None
    measure = first.measures[0].model_copy(update={"value": value * (1 + 1e-12)})
    results = (first.model_copy(update={"measures": (measure,)}), *found.evaluate.results[1:])
    other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    assert about.digest(("record:evaluate",), other.plan, stages(other)) == about.digest(
        ("record:evaluate",), found.plan, stages(found)
    )


def test_another_wording_of_the_question_outdates_the_answer(found: Dossier) -> None:
    """An answer to other words is no answer to these."""
    file = file_of(found, answers=(answered(found, "stop").model_copy(update={"question_sha256": "1" * 64}),))
    assert settled(found, file, "first").statement("stop").status == "outdated"


def test_an_answer_that_nobody_signs_is_refused(found: Dossier) -> None:
    """Without name, role and day it is no statement."""
    file = AnswersFile(version=1, system=found.plan.system.id, answers=(Answer(id="stop", text="So it is here."),))
    with pytest.raises(errors.PlanError, match="got no person, role, at"):
        settled(found, file)


def test_words_changed_by_hand_do_not_keep_name_and_day(found: Dossier) -> None:
    """A text that is not the one that was stated is refused under the old name; without the digests it is a new one."""
    entry = answered(found, "oversight").model_copy(
        update={"person": "Anna Muster", "role": "officer", "at": "2026-11-20"}
    )
    seal = file_types.stated_sha256("So it is here.", "Anna Muster", "officer", "2026-11-20")
    sealed = entry.model_copy(update={"stated_sha256": seal})
    broken_lines = sealed.model_copy(update={"text": "So it\nis here."})
    assert settled(found, file_of(found, answers=(broken_lines,))).statement("oversight").status == "carried"
    for change in ({"text": "So it is not here."}, {"person": "Ben Beispiel"}, {"at": "2026-11-21"}):
        with pytest.raises(errors.PlanError, match=r"expected the words that .* stated on"):
            settled(found, file_of(found, answers=(sealed.model_copy(update=change),)))
    fresh = Answer(id="oversight", text="So it is not here.", person="Ben Beispiel", role="officer", at="2026-11-21")
    assert settled(found, file_of(found, answers=(fresh,))).statement("oversight").person == "Ben Beispiel"


def risk(found: Dossier, **more: Any) -> Risk:
    check = found.evaluate.results[0].check_id
    made = Risk(
        id="a-risk", title="A risk", source="A source", consequence="Harm", affected=("All",), impact_areas=("health",),
        likelihood="rare", severity="minor", control="A measure", shown_by=(check,),
    )  # fmt: skip
    return made.model_copy(update=more)


def test_an_accepted_risk_is_outdated_when_its_check_finds_something_else(found: Dossier) -> None:
    """Acceptance rests on the results that show the control."""
    digest = about.of_risk(risk(found), found.plan, stages(found))
    accepted = Acceptance(reason="It is small enough.", run="first", about_sha256=digest)
    file = file_of(found, risks=(risk(found, acceptance=accepted),))
    entry = settled(found, file).risks[0]
    assert entry.acceptance is not None
    assert (entry.acceptance.status, entry.acceptance.carried_from) == ("carried", "first")
    failed = (found.evaluate.results[0].model_copy(update={"status": "fail"}), *found.evaluate.results[1:])
    other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": failed}))
    after = settled(other, file).risks[0].acceptance
    assert after is not None
    assert after.status == "outdated"
    worse = settled(found, file_of(found, risks=(risk(found, acceptance=accepted, severity="critical"),))).risks[0]
    assert worse.acceptance is not None
    assert worse.acceptance.status == "outdated"


def test_an_acceptance_that_rests_on_a_slice_is_outdated_by_that_slice_alone(found: Dossier) -> None:
    """What another group's rate does, and the outcome over all groups, leave it as it stands."""
    result = next(r for r in found.evaluate.results if any("=" in m.slice for m in r.measures))
    mine = next(m.slice for m in result.measures if "=" in m.slice).partition("=")[0]
    named = risk(found, shown_by=(f"{result.check_id}@{mine}",))

    def digest(**changed: Any) -> str:
        results = tuple(
            r.model_copy(update=changed) if r.check_id == result.check_id else r for r in found.evaluate.results
        )
        record = found.evaluate.model_copy(update={"results": results})
        return about.of_risk(named, found.plan, {**stages(found), "evaluate": record})

    def moved(measure: Any) -> Any:
        return measure.model_copy(update={"value": 0.123})

    of_mine = tuple(moved(m) if m.slice.startswith(f"{mine}=") else m for m in result.measures)
    another = (*result.measures, result.measures[0].model_copy(update={"slice": "another=group"}))
    before = about.of_risk(named, found.plan, stages(found))
    assert digest(status="fail") == before
    assert digest(measures=another) == before
    assert digest(measures=of_mine) != before
    assert digest(measures=()) != before


def test_every_pointer_of_the_register_can_be_followed(found: Dossier) -> None:
    """What a question speaks of exists in every plan and run; predictions without a model have none, and say so."""
    for question in QUESTIONS.values():
        assert len(about.digest(question.about, found.plan, stages(found))) == 64
        assert len(about.digest(question.about, found.plan, {**stages(found), "export": None})) == 64
    with pytest.raises(errors.IntegrityError, match="got none at nowhere"):
        about.digest(("plan:system.nowhere",), found.plan, stages(found))


def test_comments_and_layout_change_nothing(tmp_path: Path, found: Dossier) -> None:
    """The record depends on what the file says."""
    from configs import answers_file

    system = found.plan.system.id
    one = f"version: 1\nsystem: {system}\nanswers: []\n"
    two = f"# a comment\nsystem: {system}\nversion: 1\n"
    first, second = (answers_file.parse(text, system) for text in (one, two))
    assert canonical.sha256(settled(found, first)) == canonical.sha256(settled(found, second))
