"""What a plan may say of given predictions."""

from __future__ import annotations

import copy
from typing import Any

import pydantic
import pytest

from configs.plan import Plan
from tests.flows import prediction_plans


def changed(**sections: Any) -> dict[str, Any]:
    """The plan of the tests with changes: `predictions={...}` is merged, other keys replace a section."""
    content = copy.deepcopy(prediction_plans.plan())
    content["predictions"] |= sections.pop("predictions", {})
    return content | sections


def test_a_plan_with_predictions_needs_no_features() -> None:
    """Nothing is trained, so nothing is given to a model; the columns are those that the section names."""
    plan = Plan.model_validate(prediction_plans.plan())
    assert plan.predictions is not None
    assert plan.predictions.columns == ("predicted", "p_no", "p_yes")
    assert plan.data.features == ()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an undeclared column": ({"label": "said"}, "column 'said' is not declared"),
    "a column of another role": ({"label": "truth"}, "with the role prediction, got target"),
    "a column that no field names": ({"probabilities": ["p_yes"]}, "column 'p_no' has the role prediction"),
    "one column twice": ({"probabilities": ["p_yes", "p_yes"]}, "named twice"),
    "too many probabilities": ({"probabilities": ["p_no", "p_yes", "predicted"]}, "named twice"),
    "a regression value for classes": ({"value": "p_yes", "probabilities": ["p_no"]}, "and no value"),
    "neither labels nor probabilities": ({"label": None, "probabilities": []}, "has the role prediction"),
    "a row_id that is a prediction": ({"row_id": "p_yes"}, "a declared column of its own"),
    "a threshold of one": ({"threshold": 1.0}, "less than 1"),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_a_section_that_does_not_fit_the_columns_is_refused(what: str) -> None:
    """Each mistake is named before anything is read."""
    given, said = WRONG[what]
    with pytest.raises(pydantic.ValidationError, match=said):
        Plan.model_validate(changed(predictions=given))


@pytest.mark.parametrize("section", ["model", "training", "split", "factory"])
def test_predictions_or_a_training(section: str) -> None:
    """A plan cannot both give predictions and say how to train."""
    with pytest.raises(pydantic.ValidationError, match=f"expected predictions or {section}, got both"):
        Plan.model_validate(changed(**{section: {}}))


def test_columns_of_predictions_need_the_section_and_features_exclude_it() -> None:
    """Neither a forgotten section nor a forgotten role goes unnoticed."""
    content = changed()
    del content["predictions"]
    with pytest.raises(pydantic.ValidationError, match="expected the section predictions, got none"):
        Plan.model_validate(content)
    content = changed()
    content["data"]["columns"][0]["role"] = "feature"
    with pytest.raises(pydantic.ValidationError, match="gives nothing to a model"):
        Plan.model_validate(content)


def test_a_gate_on_the_same_check_and_slice_twice_is_refused() -> None:
    """A waiver could not say which of the two it accepts."""
    content = changed()
    content["policy"]["gates"].append({"check": "performance.roc_auc", "at_least": 0.7})
    with pytest.raises(pydantic.ValidationError, match="is gated twice"):
        Plan.model_validate(content)
