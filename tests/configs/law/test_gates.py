"""Which gates the duties of a system expect of its policy."""

from __future__ import annotations

from typing import Any

from configs import load
from configs.law import gates
from configs.law import register as law
from configs.plan import Plan

CREDIT = load.load(load.plan_path("german_credit"))


def changed(left_out: str = "", *, optional: str = "", about: str = "unknown", **classification: Any) -> Plan:
    """The plan without, or with an optional gate only, on a family of checks."""
    content = CREDIT.model_dump(mode="json")
    asked = [g for g in content["policy"]["gates"] if not g["check"].startswith(f"{left_out}.")]
    for gate in asked:
        gate["required"] &= not gate["check"].startswith(f"{optional}.")
    content["policy"]["gates"] = asked
    content["classification"] |= classification
    content["data"]["provenance"]["personal_data"] = about
    return Plan.model_validate(content)


def families(plan: Plan) -> list[str]:
    return [gate.family for gate in gates.lacking(plan)]


def test_each_family_is_expected_where_the_class_leads_to_its_duty() -> None:
    """High-risk use, open or said, expects a required gate on each family; one that only reports is none."""
    assert families(CREDIT) == []
    for expected in law.load().expected_gates:
        (found,) = gates.lacking(changed(expected.family))
        assert (found.family, found.requirement.id) == (expected.family, expected.requirement)
        assert families(changed(optional=expected.family)) == [expected.family]
        assert families(changed(expected.family, annex_iii_use="unknown", annex_iii_point=None)) == [expected.family]
        assert families(changed(expected.family, annex_iii_use="no", annex_iii_point=None)) == []


def test_fairness_is_expected_where_the_data_are_about_persons() -> None:
    """A protected attribute, personal data, or no word on it: missing is never no."""
    content = changed("fairness").model_dump(mode="json")
    content["data"] |= {"protected": [], "intersections": []}
    for about, expected in (("yes", ["fairness"]), ("unknown", ["fairness"]), ("no", [])):
        content["data"]["provenance"]["personal_data"] = about
        assert families(Plan.model_validate(content)) == expected
    assert families(changed("fairness", about="no")) == ["fairness"]
