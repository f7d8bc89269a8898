from __future__ import annotations

import re

import pytest

from configs import load
from configs.plan import Plan

NAMES = ("adult_income", "diabetes_progression", "dry_bean", "german_credit", "hospital_readmission", "steel_plates")
LANGUAGE = ("genesis_languages", "python_documentation")


@pytest.fixture(params=NAMES)
def plan(request: pytest.FixtureRequest) -> Plan:
    return load.load(load.plan_path(request.param))


def test_the_eight_plans_ship():
    """The use cases that the README names are those in the folder."""
    assert tuple(sorted(p.stem for p in load.USE_CASES.glob("*.yaml"))) == tuple(sorted((*NAMES, *LANGUAGE)))


def test_providers_are_plainly_invented(plan: Plan):
    """Nobody real is named as the provider, and no address reaches anybody."""
    assert "(fictional)" in plan.system.provider.name
    assert plan.system.provider.contact.endswith(".example")


def test_every_gate_says_why(plan: Plan):
    """A threshold without a reason is no policy."""
    assert [g.check for g in plan.policy.gates if not g.rationale] == []


def test_gates_exist_in_the_catalogue(plan: Plan):
    """Every gate names a measure of the plan's task, in the right direction."""
    from checks import catalogue

    catalogue.check_policy(plan)


def test_every_protected_attribute_has_a_fairness_gate(plan: Plan):
    """Groups that are declared are also judged."""
    judged = {g.slice for g in plan.policy.gates if g.check.startswith("fairness.")}
    assert {p.name for p in plan.data.protected} <= judged


def test_files_are_pinned(plan: Plan):
    """A plan that reads files states the digest of each."""
    if plan.data.source.kind == "file":
        assert len(plan.data.source.sha256) == len(plan.data.source.path)


def test_labels_explain_allowed_values(plan: Plan):
    """A label belongs to a value that can occur."""
    for column in plan.data.columns:
        if column.allowed:
            assert set(column.labels) <= set(column.allowed), column.name


def test_groups_and_classes_are_allowed_values(plan: Plan):
    """Groups and classes name values that their columns allow, and groups leave none out."""
    for attribute in plan.data.protected:
        column = plan.data.column(attribute.column)
        if attribute.groups and column.allowed:
            assert sorted(v for values in attribute.groups.values() for v in values) == sorted(column.allowed)
    target = plan.data.target
    if plan.data.target_column.allowed:
        assert sorted((*target.positive, *target.negative, *target.classes)) == sorted(plan.data.target_column.allowed)


def test_a_special_category_is_kept_from_the_model(plan: Plan):
    """In the shipped plans the model never sees a special category."""
    for attribute in plan.data.protected:
        assert attribute.special_category is not None
        if attribute.special_category:
            assert not attribute.use_in_model
            assert plan.data.column(attribute.column).role == "protected"


def test_german_credit_is_the_listed_use():
    """Creditworthiness is Annex III point 5(b), and the score is answered as profiling."""
    plan = load.load(load.plan_path("german_credit"))
    assert (plan.classification.annex_iii_use, plan.classification.annex_iii_point) == ("yes", "5(b)")
    assert plan.classification.profiling == "yes"


def test_labels_of_german_credit_cover_its_codes():
    """Every code of the published table has its meaning."""
    plan = load.load(load.plan_path("german_credit"))
    codes = [c for c in plan.data.columns if c.allowed and all(re.fullmatch(r"A\d+", v) for v in c.allowed)]
    assert len(codes) == 13
    assert all(set(c.labels) == set(c.allowed) for c in codes)
