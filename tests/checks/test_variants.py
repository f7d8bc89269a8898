"""A gate with its own level or group size is judged on measures made with it, and on no others."""

from __future__ import annotations

import numpy as np
import pytest

from configs.policy import Gate, Policy
from tests.checks import model_builders

ACCURACY = "performance.accuracy"
PARITY = "fairness.demographic_parity_difference"


def evaluated(tmp_path, gates, *, rows=300, rare=0, **policy):
    """The record of a linear model under these gates."""
    from checks import evaluate

    x, coefficients, y = model_builders.simulated(rows, 3, 0)
    model_builders.linear_graph(tmp_path / "model/model.onnx", coefficients, np.zeros(2))
    plan = model_builders.plan(gates=gates, replicates=200, **policy)
    made = model_builders.case(tmp_path, plan, x, y, model_builders.membership(rows, 2, rare=rare))
    return plan, evaluate.evaluate(*made.arguments)


def of(record, check_id):
    """One result."""
    return next(r for r in record.results if r.check_id == check_id)


def test_a_name_tells_the_settings():
    """The end of a measure's name says what it was made with; a gate with the policy's settings has none."""
    policy = Policy(gates=(Gate(check=ACCURACY, at_least=0.5),))
    own = {"check": PARITY, "slice": "sex", "at_most": 0.1}
    assert policy.variant(Gate(**own)) == ""
    assert policy.variant(Gate(**own, confidence=0.95, minimum_group_size=20)) == ""
    assert policy.variant(Gate(**own, confidence=0.975)) == ".confidence_97_5"
    assert policy.variant(Gate(**own, confidence=0.99, minimum_group_size=50)) == ".confidence_99_groups_of_50"


def test_a_stricter_level_makes_a_wider_interval_of_the_same_value(tmp_path):
    """The gate is judged on the interval at its own level, which its words name; the policy's stays beside it."""
    from checks import basis, gate

    asked = [{"check": ACCURACY, "at_least": 0.5, "confidence": 0.999}]
    plan, record = evaluated(tmp_path, asked)
    result = of(record, ACCURACY)
    own = basis.measure_of(plan.policy.gates[0], plan.policy, record.results)
    usual = result.measures[0]
    assert own.value == usual.value
    assert (own.interval.level, usual.interval.level) == (0.999, 0.95)
    assert own.interval.low < usual.interval.low
    assert own.interval.high > usual.interval.high
    reason = gate.decide(plan, record.results).reasons[0]
    assert "at 99.9 %, at least 0.5" in reason.text
    assert f"[{own.interval.low:.3g}, {own.interval.high:.3g}]" in result.reason


@pytest.mark.slow
def test_the_level_can_change_the_answer(tmp_path):
    """A threshold between the ends at 95 % and those at 99.9 % passes at the one and is inconclusive at the other."""
    _, record = evaluated(tmp_path / "a", [{"check": ACCURACY, "at_least": 0.5, "confidence": 0.999}])
    _, usual = evaluated(tmp_path / "b", [{"check": ACCURACY, "at_least": 0.5}])
    low = of(usual, ACCURACY).measures[0].interval.low
    strict = next(m for m in of(record, ACCURACY).measures if m.name.endswith("confidence_99_9")).interval.low
    between = (low + strict) / 2
    _, loose = evaluated(tmp_path / "c", [{"check": ACCURACY, "at_least": between}])
    _, tight = evaluated(tmp_path / "d", [{"check": ACCURACY, "at_least": between, "confidence": 0.999}])
    assert (of(loose, ACCURACY).status, of(tight, ACCURACY).status) == ("pass", "inconclusive")


@pytest.mark.slow
def test_a_group_size_of_its_own_decides_what_is_too_small(tmp_path):
    """Twelve rows are too few for the policy and enough for a gate that says so, and for that gate alone."""
    asked = [
        {"check": PARITY, "slice": "sex", "at_most": 1.0, "minimum_group_size": 5},
        {"check": "fairness.accuracy_difference", "slice": "sex", "at_most": 1.0},
    ]
    _, record = evaluated(tmp_path, asked, rare=12)
    assert of(record, PARITY).status == "pass"
    assert of(record, "fairness.accuracy_difference").status == "inconclusive"
    assert "sex=other" in of(record, PARITY).details["small_groups"], "the report goes by the policy's size"


@pytest.mark.slow
def test_other_checks_get_no_further_measures(tmp_path):
    """Only what a gate asks for is made again, for its slice alone."""
    asked = [{"check": PARITY, "slice": "sex", "at_most": 1.0, "confidence": 0.99}]
    _, record = evaluated(tmp_path, asked)
    made = [m for r in record.results for m in r.measures if "confidence_99" in m.name]
    assert [(m.name, m.slice) for m in made if m.name.startswith(f"{PARITY}.confidence")] == [
        (f"{PARITY}.confidence_99", "sex")
    ]
    assert {m.name.split(".confidence")[0] for m in made} <= {PARITY, f"{PARITY}.selection_rate"}


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"check": "data.drift", "at_most": 0.2, "confidence": 0.99}, "expected the policy's confidence"),
        (
            {"check": ACCURACY, "at_least": 0.5, "minimum_group_size": 5},
            "expected minimum_group_size on a check of groups",
        ),
    ],
)
def test_settings_that_a_check_does_not_take_are_refused(gate, said):
    """A setting that would change nothing is a mistake, and is told."""
    from checks import catalogue
    from configs import errors

    with pytest.raises(errors.PlanError, match=said):
        catalogue.check_policy(model_builders.plan(gates=[gate]))
