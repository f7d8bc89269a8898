from __future__ import annotations

import pydantic
import pytest

from configs.data import Column
from configs.robustness import Attack
from tests.checks import model_builders

COLUMNS = (
    Column(name="age", kind="integer", immutable=True),
    Column(name="income", kind="numeric", minimum=0, maximum=1000),
    Column(name="city", kind="categorical"),
    Column(name="hours", kind="integer"),
)


def refusal(**budget: float) -> str | None:
    return Attack(budget=budget).problem(COLUMNS)


def test_fitting_budgets_are_accepted():
    """Numeric features take a budget up to the width of their range, and an immutable one may be given none."""
    assert refusal(income=1000, hours=3) is None
    assert refusal(age=0, income=0) is None


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({"salary": 1}, "'salary': expected a feature of the model, got an unknown one; known are age, income"),
        ({"city": 1}, "'city': expected a numeric feature, got a categorical one"),
        ({"age": 1}, "'age': expected no budget for an immutable feature, got 1"),
        ({"income": 1001}, "expected at most the width of the declared range (1000), got 1001; lower it"),
    ],
)
def test_budgets_that_mean_nothing_are_refused(budget, expected):
    """Each is one sentence that names the feature, what was expected and what was given."""
    assert expected in (refusal(**budget) or "")


def test_a_plan_with_such_a_budget_is_refused():
    """The plan's own check asks."""
    with pytest.raises(pydantic.ValidationError, match="budget 'wage': expected a feature of the model"):
        model_builders.plan(robustness={"attack": {"budget": {"wage": 1}}})


@pytest.mark.parametrize("bad", [{"epsilon": 0}, {"epsilon": -1}, {"budget": {"hours": -1}}, {"queries": 0}])
def test_numbers_out_of_range_are_refused(bad):
    """No epsilon of zero, no negative budget, no attack without a question."""
    with pytest.raises(pydantic.ValidationError, match="greater than"):
        Attack(**bad)


def test_a_share_of_the_attack_scales_every_budget():
    """Half of the attack is half of epsilon and half of each budget; all else stays."""
    half = Attack(epsilon=0.4, budget={"hours": 6}, steps=7).scaled(0.5)
    assert (half.epsilon, half.budget, half.steps) == (0.2, {"hours": 3}, 7)
