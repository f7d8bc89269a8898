"""The register of general-purpose models is whole: every point, field, threshold and measure, each with its source."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from configs import errors, load
from configs.language.general_purpose import OpenSource
from configs.language.load import parse_any
from configs.language.plan import LanguagePlan
from configs.law import applies, general_purpose
from configs.law import register as base
from tests.configs.language_plans import PLAN, plan_of

REGISTER = general_purpose.load()
DUTIES = ("53.1.a", "53.1.b", "53.1.c", "53.1.d", "53.2", "53.3", "54", "55.1.a", "55.1.b", "55.1.c", "55.1.d")
FORM = [
    "meta.updated", "meta.version", "gen.provider", "gen.name", "gen.auth", "gen.release", "gen.eu", "gen.deps",
    "prop.arch", "prop.design", "prop.in", "prop.out", "prop.size", "prop.range", "dist.a", "dist.b", "lic.link",
    "lic.type", "lic.assets", "use.aup", "use.intended", "use.type", "use.means", "use.hw", "use.sw", "tr.spec",
    "tr.why", "data.type", "data.prov", "data.how", "data.n.nca", "data.n.aio", "data.scope", "data.cur",
    "data.unsuit", "data.bias", "comp.time.nca", "comp.time.aio", "comp.flop.nca", "comp.flop.aio", "comp.meth",
    "en.train", "en.meth", "inf.bench", "inf.meth",
]  # fmt: skip
SUMMARY = [
    "0.version", "0.updated", "1.1.i", "1.1.ii", "1.2.i", "1.2.ii", "1.2.iii", "1.3.i", "1.3.ii", "1.3.iii",
    "1.3.date", "1.3.languages", "1.3.other", "2.1.used", "2.1.modality", "2.1.list", "2.1.other", "2.1.comments",
    "2.2.1.used", "2.2.1.modality", "2.2.2.used", "2.2.2.i", "2.2.2.ii", "2.2.2.iii", "2.2.2.iv", "2.3.used",
    "2.3.i", "2.3.ii", "2.3.iii", "2.3.iv", "2.3.v", "2.3.vi", "2.3.vii", "2.3.viii", "2.4.interactions",
    "2.4.services", "2.4.i", "2.4.modality", "2.4.comments", "2.5.used", "2.5.i", "2.5.ii", "2.5.iii", "2.5.iv",
    "2.6.used", "2.6.i", "2.6.ii", "3.1.signatory", "3.1.measures", "3.1.protocols", "3.1.policy", "3.1.comments",
    "3.2", "3.3",
]  # fmt: skip
COUNTED = {"pretraining", "fine-tuning", "earlier-runs", "synthetic-data", "merging"}
NOT_COUNTED = {
    "public-synthetic", "diagnostics", "failed-runs", "teacher", "auxiliary", "recomputation", "base-model",
}  # fmt: skip


def test_every_duty_of_chapter_v_has_an_entry() -> None:
    """Arts 53(1) to (4), 54 and 55, each letter, and the notification."""
    ids = {r.id for r in REGISTER.requirements}
    assert {f"GP-{d}" for d in DUTIES} | {"GP-52.1", "GP-56", "GP-51"} <= ids


def test_annexes_are_whole() -> None:
    """Annex XI: (a) to (f), (a) to (e), three of section 2; XII: (a) to (h), (a) to (c); XIII: (a) to (g)."""
    first = [f"XI-S1-1{c}" for c in "abcdef"] + [f"XI-S1-2{c}" for c in "abcde"]
    assert [r.id for r in REGISTER.annex_xi] == [*first, *(f"XI-S2-{n}" for n in (1, 2, 3))]
    assert [r.id for r in REGISTER.annex_xii] == [f"XII-1{c}" for c in "abcdefgh"] + [f"XII-2{c}" for c in "abc"]
    assert [r.id for r in REGISTER.annex_xiii] == [f"XIII-{c}" for c in "abcdefg"]


def test_form_and_summary_are_whole() -> None:
    """Every field of the Model Documentation Form and of the public summary, in their order."""
    assert [f.id for f in REGISTER.form_fields] == [f"MDF.{name}" for name in FORM]
    assert [f.id for f in REGISTER.summary_fields] == [f"PTS-{name}" for name in SUMMARY]


def test_what_counts_and_what_does_not() -> None:
    """Each item of the guidelines' annex is there, on its side."""
    assert {i.id for i in REGISTER.compute_items if i.counts} == COUNTED
    assert {i.id for i in REGISTER.compute_items if not i.counts} == NOT_COUNTED


def test_thresholds_are_those_of_law_and_guidelines() -> None:
    """1e23, 1e25, and a third of each (3.3e22, 3.3e24)."""
    assert REGISTER.flop("gpai") == 1e23
    assert REGISTER.flop("systemic") == 1e25
    assert f"{REGISTER.flop('modifier-gpai'):.1e}" == "3.3e+22"
    assert f"{REGISTER.flop('modifier-systemic'):.1e}" == "3.3e+24"
    assert REGISTER.band == 0.3
    assert REGISTER.notification_weeks == 2
    assert REGISTER.refresh_months == 6


def test_copyright_chapter_and_exemption_are_whole() -> None:
    """Five measures; three conditions that together ask every question of the plan."""
    assert [r.id for r in REGISTER.copyright_measures] == [f"CP-1.{n}" for n in range(1, 6)]
    assert [a for c in REGISTER.open_source for a in c.answers] == list(OpenSource.model_fields)


def test_a_field_that_no_source_confirms_stays_out_of_the_view() -> None:
    """`no` is never shown; unconfirmed is not either, but for the range in place of the exact size."""
    for field in REGISTER.form_fields:
        for view in general_purpose.VIEWS:
            answer = getattr(field, view)
            assert field.shown_to(view) == (answer == "yes" or (answer != "no" and field.id == "MDF.prop.range")), field


def test_every_point_of_the_annexes_is_answered_in_the_view_of_whoever_may_ask() -> None:
    """What the AI Office and the authorities see answers all of Annex XI, 1; what downstream providers see, XII."""
    for view, points in (
        ("ai_office", [r.id for r in REGISTER.annex_xi if r.id.startswith("XI-S1")]),
        ("authorities", [r.id for r in REGISTER.annex_xi if r.id.startswith("XI-S1")]),
        ("downstream", [r.id for r in REGISTER.annex_xii]),
    ):
        answered = {p for f in REGISTER.form_fields if f.shown_to(view) for p in f.points}
        assert set(points) <= answered, view


@pytest.mark.parametrize(
    ("domains", "small", "wanted"),
    [(0, False, 0), (1, False, 1), (10, False, 1), (11, False, 2), (20, True, 1), (21, True, 2), (20000, True, 1000),
     (20001, True, 1000), (100000, True, 1000), (100000, False, 10000)],
)  # fmt: skip
def test_domain_rule_at_its_edges(domains: int, small: bool, wanted: int) -> None:  # noqa: FBT001
    """A tenth, rounded up; of small enterprises a twentieth, at most 1 000."""
    assert REGISTER.domain_rule.wanted(domains, small=small) == wanted


@pytest.mark.parametrize(("tokens", "band"), [(999_999_999, 0), (1e9, 1), (1e13, 1), (1.1e13, 2)])
def test_size_bands_at_their_edges(tokens: float, band: int) -> None:
    """The edges belong to the middle band."""
    text = next(b for b in REGISTER.size_bands if b.modality == "text")
    assert text.of(tokens) == text.titles[band]


def test_ranges_leave_nothing_between() -> None:
    """Each range of size and time begins where the one before ends."""
    for ranges in (REGISTER.size_ranges, REGISTER.time_ranges):
        for before, after in itertools.pairwise(ranges):
            assert before.below == after.from_
        assert ranges[-1].below is None


def test_every_pointer_leads_to_something() -> None:
    """Stages, checks, documents and places of the plan that an entry names exist."""
    from evidence.language_dossier import STAGES
    from model_cards.legal import names

    documents = {e.id for e in names.GENERAL_PURPOSE} | {"model_documentation"}
    for pointer in sorted(
        {p for r in REGISTER.all_requirements for p in r.evidence} | {p for q in REGISTER.attestations for p in q.about}
    ):
        kind, _, name = pointer.partition(":")
        if kind == "plan":
            assert _in_plan(name), pointer
        elif kind == "record":
            assert name in STAGES, pointer
        elif kind == "document":
            assert name in documents, pointer


def _in_plan(path: str) -> bool:
    model: object = LanguagePlan
    for part in path.split("."):
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            return False
        model = fields[part].annotation
    return True


def test_every_question_answers_something_and_is_asked_once() -> None:
    """A statement that no requirement needs is not asked for; no identifier is that of another register's question."""
    asked = {p for r in REGISTER.all_requirements for p in r.evidence}
    assert all(f"attestation:{q.id}" in asked for q in REGISTER.attestations)
    every = [q.id for q in applies.every_attestation()]
    assert len(every) == len(set(every))
    assert {f.attestation for f in REGISTER.summary_fields if f.attestation} <= {q.id for q in REGISTER.attestations}


def test_the_register_never_judges() -> None:
    """No entry says of a model that it is compliant or certified."""
    assert not re.search("compliant|certified", REGISTER.model_dump_json().lower())


def test_a_broken_register_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """An unknown source and a missing file are named."""
    for name in general_purpose.FILES:
        (tmp_path / f"{name}.yaml").write_bytes((general_purpose.PLACE / f"{name}.yaml").read_bytes())
    text = (base.PLACE / "general_purpose.yaml").read_text(encoding="utf-8")
    (tmp_path / "general_purpose.yaml").write_text(text.replace("sources: [G],", "sources: [X],", 1), encoding="utf-8")
    with pytest.raises(errors.IntegrityError, match="unknown source X"):
        general_purpose.load(tmp_path)
    (tmp_path / "general_purpose_form.yaml").unlink()
    general_purpose.load.cache_clear()
    with pytest.raises(errors.IntegrityError, match=r"general_purpose_form\.yaml: expected a file, got none"):
        general_purpose.load(tmp_path)


def ids(plan: LanguagePlan, **classes: str) -> set[str]:
    return {r.id for r in applies.requirements(plan, classes={**OPEN, **classes})}


OPEN = dict.fromkeys(("general_purpose", "systemic_risk", "modifier_is_provider", "open_source_exemption"), "open")


def test_what_is_open_applies() -> None:
    """Missing is never no: with everything open, every duty may apply."""
    unknown = plan_of({"general_purpose": {"outside_union": "unknown"}})
    assert ids(unknown) == {r.id for r in REGISTER.all_requirements}


def test_no_general_purpose_model_leaves_the_classification_alone() -> None:
    """Where the model is none, or the modification makes nobody a provider, only the classification is asked for."""
    assert ids(plan_of(), general_purpose="no", compute_decided="yes") == {"GP-51"}
    assert ids(plan_of(), general_purpose="no") == {"GP-51", "GP-51.compute"}


def test_exemption_and_systemic_risk_decide_what_is_asked() -> None:
    """Open source drops documentation and representative, never copyright policy and summary; so does systemic risk."""
    exempt = ids(plan_of(), open_source_exemption="yes", systemic_risk="no")
    assert {"GP-53.1.c", "GP-53.1.d", "CP-1.1"} <= exempt
    assert not exempt & {"GP-53.1.a", "GP-53.1.b", "GP-54", "XI-S1-1a", "XII-1a"}
    plain = ids(plan_of(), systemic_risk="no")
    assert not {name for name in plain if name.startswith(("GP-55", "XI-S2", "GP-52"))}
    assert "GP-54" not in ids(plan_of({"general_purpose": {"outside_union": "no"}}))


def test_questions_belong_to_the_kind_of_plan() -> None:
    """A plan on tables is asked other questions than a language model."""
    tables = load.parse((load.USE_CASES / "diabetes_progression.yaml").read_text(encoding="utf-8"))
    assert {q.id for q in applies.attestations(tables)} == {q.id for q in base.load().attestations}
    assert all(q.id.startswith("gpai_") for q in applies.questions(plan_of()))
    assert isinstance(parse_any(PLAN), LanguagePlan)
