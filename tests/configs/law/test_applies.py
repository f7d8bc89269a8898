"""Which questions the class of a system leads to."""

from __future__ import annotations

from typing import Any

import pytest

from configs import load
from configs.law import applies
from configs.law import register as law
from configs.plan import Plan

MEDICAL = load.load(load.plan_path("hospital_readmission"))
CREDIT = load.load(load.plan_path("german_credit"))


def changed(plan: Plan, **answers: Any) -> Plan:
    return plan.model_copy(update={"classification": plan.classification.model_copy(update=answers)})


def duties(plan: Plan) -> set[str]:
    return {r.id for r in applies.requirements(plan)}


def asked(plan: Plan) -> set[str]:
    return {q.id for q in applies.questions(plan)}


def test_nothing_is_asked_of_what_is_not_high_risk() -> None:
    """No duty of high-risk systems, so no question; what is asked of special categories stays where they are used."""
    no = changed(MEDICAL, annex_i_product="no", annex_i_point=None)
    assert asked(no) == {"special_categories"}
    assert asked(changed(MEDICAL, outside_scope="yes")) == set()


def test_an_attribute_of_which_nothing_is_stated_may_be_a_special_category() -> None:
    """Missing is never no: Art. 4a is asked until the plan says of every attribute that it is none."""
    for said, expected in ((False, False), (None, True), (True, True)):
        content = CREDIT.model_dump(mode="json")
        content["data"]["protected"][0]["special_category"] = said
        assert ("special_categories" in asked(Plan.model_validate(content))) == expected


def test_what_is_open_is_asked() -> None:
    """Missing is never no: without answers, every question whose duty may apply is asked."""
    nothing = Plan.model_validate(MEDICAL.model_dump(mode="json") | {"classification": {}})
    assert asked(nothing) > asked(MEDICAL)
    assert {"two_persons", "logging_biometric", "registration"} <= asked(nothing)


@pytest.mark.parametrize(
    ("plan", "there", "absent"),
    [
        (
            MEDICAL,
            {"HR-43.3", "HR-11.2", "HR-4a.1.a"},
            {"HR-43.2", "HR-49.1", "AVIII-A1", "HR-14.5", "AIX-1", "HR-6.4"},
        ),
        (
            CREDIT,
            {"HR-43.2", "HR-49.1", "AVIII-A1"},
            {"HR-43.1", "HR-43.3", "HR-14.5", "HR-49.5", "HR-49.4", "AVIII-C1"},
        ),
    ],
    ids=["medical device", "credit"],
)
def test_the_route_and_the_use_decide(plan: Plan, there: set[str], absent: set[str]) -> None:
    """Sectoral procedure and one single file for a product; registration for a use of Annex III; no biometrics."""
    assert there <= duties(plan)
    assert not absent & duties(plan)


def test_every_procedure_may_apply_while_the_product_is_open() -> None:
    """Art. 43(3) takes a product of Section A even where Annex III applies."""
    open_ = changed(CREDIT, annex_i_product="unknown")
    assert {"HR-43.2", "HR-43.3", "HR-11.2"} <= duties(open_)


def test_critical_infrastructure_is_registered_at_national_level() -> None:
    """Art. 49(1) leaves Annex III(2) out, and Art. 49(5) is for it alone; which applies is open while the point is."""
    assert {"HR-49.1", "HR-49.5"} & duties(changed(CREDIT, annex_iii_point="2")) == {"HR-49.5"}
    assert {"HR-49.1", "HR-49.5"} & duties(CREDIT) == {"HR-49.1"}
    assert {"HR-49.1", "HR-49.5"} <= duties(changed(CREDIT, annex_iii_point=None))


def test_biometrics_bring_their_own_questions() -> None:
    """Remote biometric identification: two persons, its logs, and a notified body."""
    plan = changed(CREDIT, annex_iii_point="1(a)")
    assert {"two_persons", "logging_biometric"} <= asked(plan)
    assert "HR-43.1" in duties(plan)


def test_every_question_can_be_asked_of_some_system() -> None:
    """None stands in the register in vain."""
    nothing = Plan.model_validate(MEDICAL.model_dump(mode="json") | {"classification": {}})
    everything = asked(
        nothing.model_copy(update={"bundle": nothing.bundle.model_copy(update={"test_environment": "real_world"})})
    )
    assert everything == {q.id for q in law.load().attestations}


def test_a_product_of_section_b_is_asked_nothing_of_chapter_iii() -> None:
    """What machinery has to fulfil comes through its own law: only the rule that classifies it is left."""
    tractor = changed(MEDICAL, annex_i_point="15")
    assert {name for name in duties(tractor) if not name.startswith("HR-4a")} == {"HR-6.1"}
    assert asked(tractor) == {"special_categories"}
