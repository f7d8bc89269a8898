"""The reader accepts thresholds per group exactly where the plan of the bundle allows them."""

from __future__ import annotations

from typing import Any

import pytest

from configs import errors, load, strict_yaml
from configs.plan import Plan
from evidence import mitigation_records, records
from tef_export import coherence


def plan(mitigation: dict[str, Any]) -> Plan:
    content = strict_yaml.parse(load.plan_path("german_credit").read_text(encoding="utf-8"), "plan")
    next(c for c in content["data"]["columns"] if c["name"] == "age")["role"] = "feature"
    next(p for p in content["data"]["protected"] if p["name"] == "age_group")["use_in_model"] = True
    content["training"]["threshold"] = "balanced_accuracy"
    content["mitigation"] = mitigation
    return Plan.model_validate(content)


def threshold(**groups: str) -> records.DecisionThreshold:
    one = mitigation_records.GroupThreshold(group="< 25", value=0.4, rates={}, wanted={}, rows=30)
    found = mitigation_records.GroupThresholds(groups=(one, one), edges=(25.0,), **groups) if groups else None
    return records.DecisionThreshold(value=0.5, criterion="balanced_accuracy", groups=found)


ALLOWED = {"method": "threshold_optimizer", "attribute": "age_group", "attribute_in_operation": True}
BY_AGE = {"attribute": "age_group", "feature": "age"}


def test_what_the_plan_allows_holds():
    """Thresholds by the plan's attribute and its column, and none where the plan asks for none."""
    coherence._check_group_thresholds(threshold(**BY_AGE), plan(ALLOWED))
    coherence._check_group_thresholds(threshold(), plan({"method": "reweighing", "attribute": "age_group"}))
    coherence._check_group_thresholds(None, plan({}))


@pytest.mark.parametrize(
    ("groups", "stated", "said"),
    [
        (BY_AGE, {}, "got some by age_group"),
        (BY_AGE, {"method": "reweighing", "attribute": "age_group"}, "got some by age_group"),
        ({}, ALLOWED, "got none"),
        ({**BY_AGE, "attribute": "sex"}, ALLOWED, "attribute of the thresholds"),
        ({**BY_AGE, "feature": "duration"}, ALLOWED, "feature of the thresholds"),
    ],
)
def test_what_the_plan_does_not_say_is_refused(groups, stated, said):
    """A contract that cuts groups apart without the plan's word, or by another attribute or column, is refused."""
    with pytest.raises(errors.VerificationError, match=said):
        coherence._check_group_thresholds(threshold(**groups), plan(stated))
