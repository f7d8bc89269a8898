from __future__ import annotations

from typing import Any

import pytest

from configs import errors, load, strict_yaml
from configs.mitigation import Mitigation
from configs.plan import Plan

TEXT = load.plan_path("german_credit").read_text(encoding="utf-8")
REWEIGHING = {"method": "reweighing", "attribute": "age_group"}
REDUCTION = {"method": "exponentiated_gradient", "attribute": "age_group"}
THRESHOLDS = {"method": "threshold_optimizer", "attribute": "age_group", "attribute_in_operation": True}


def content(mitigation: dict[str, Any], **training: Any) -> dict[str, Any]:
    """German credit with a mitigation."""
    plan = strict_yaml.parse(TEXT, "plan")
    plan["mitigation"] = mitigation
    plan["training"] |= training
    return plan


def refusal(mitigation: dict[str, Any], **training: Any) -> str:
    import yaml

    with pytest.raises(errors.PlanError) as caught:
        load.parse(yaml.safe_dump(content(mitigation, **training)), "plan.yaml")
    return str(caught.value)


def test_a_plan_without_a_word_about_it_has_none():
    """The default is no mitigation and no calibration; existing plans mean what they meant."""
    plan = load.parse(TEXT, "plan")
    assert plan.mitigation == Mitigation()
    assert (plan.mitigation.method, plan.training.calibration) == ("none", "none")


@pytest.mark.parametrize("stated", [REWEIGHING, REDUCTION])
def test_methods_that_do_not_need_the_attribute_in_operation_are_accepted(stated):
    """Reweighing and the reduction treat an attribute that the model never sees, at the plan's own threshold."""
    assert Plan.model_validate(content(stated)).mitigation.method == stated["method"]


@pytest.mark.parametrize(
    ("stated", "training", "said"),
    [
        ({"method": "reweighing", "attribute": "agegroup"}, {}, "'agegroup' is no protected attribute; known are sex,"),
        ({"method": "reweighing"}, {}, "expected attribute to name a protected attribute, got none"),
        ({"attribute": "sex"}, {}, "attribute 'sex' is stated, but method is none"),
        ({**REWEIGHING, "constraint": "equalized_odds"}, {}, "expected constraint demographic_parity, got"),
        ({**REDUCTION, "constraint": "parity"}, {}, "mitigation.constraint: expected 'demographic_parity', "),
        ({**REDUCTION, "max_iterations": 500}, {}, "mitigation.max_iterations"),
        ({**REDUCTION, "difference_bound": 0.0}, {}, "mitigation.difference_bound"),
        (REDUCTION, {"threshold": "f1"}, "which say what an error costs, got f1"),
        (REDUCTION, {"class_weights": "balanced"}, "expected training.class_weights none, got balanced"),
        ({**THRESHOLDS, "attribute_in_operation": False}, {"threshold": 0.5}, "expected attribute_in_operation: true"),
        (THRESHOLDS, {"threshold": 0.5}, "expected column 'age' among the features"),
        (THRESHOLDS, {"threshold": "f1"}, "expected column 'age' among the features"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_sentence(stated, training, said):
    """Unknown attributes, missing permission and aims that a method cannot have end at `proofline check`."""
    message = refusal(stated, **training)
    assert said in message
    assert "\n" not in message


def test_thresholds_per_group_need_permission_and_the_column_among_the_features():
    """With both they are accepted, for the aims that the optimizer knows."""
    plan = content(THRESHOLDS, threshold="balanced_accuracy")
    next(c for c in plan["data"]["columns"] if c["name"] == "age")["role"] = "feature"
    next(p for p in plan["data"]["protected"] if p["name"] == "age_group")["use_in_model"] = True
    assert Plan.model_validate(plan).mitigation.attribute_in_operation
    plan["training"]["threshold"] = 0.8333
    with pytest.raises(ValueError, match=r"got 0\.8333: the thresholds are searched"):
        Plan.model_validate(plan)


def test_only_binary_targets_are_mitigated():
    """Several classes are refused with the task's name; a temperature is no matter for regression."""
    plan = strict_yaml.parse(load.plan_path("dry_bean").read_text(encoding="utf-8"), "plan")
    column = plan["data"]["columns"][0]["name"]
    plan["data"]["protected"] = [{"name": "group", "column": column, "bins": [1.0], "use_in_model": True}]
    plan["mitigation"] = {"method": "reweighing", "attribute": "group"}
    with pytest.raises(ValueError, match="expected a binary target, got multiclass"):
        Plan.model_validate(plan)


def test_the_words_say_what_will_be_done():
    """Each method has a sentence of its own; that of thresholds says that the attribute decides."""
    said = {Mitigation.model_validate(stated).words for stated in (REWEIGHING, REDUCTION, THRESHOLDS)}
    assert len(said) == 3
    assert "the attribute decides over the label in operation" in Mitigation.model_validate(THRESHOLDS).words
    assert "not a random choice" in Mitigation.model_validate(REDUCTION).words
