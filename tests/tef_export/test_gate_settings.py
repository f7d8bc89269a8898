"""The reader knows what a plan may say of a gate: its own level, its own group size, what inconclusive means."""

from __future__ import annotations

import pytest

from checks import gate
from configs import errors
from configs.plan import Plan
from evidence import records
from tef_export import coherence
from tests.checks import model_builders

ACCURACY = "performance.accuracy"


def measure(low: float, high: float, level: float = 0.95, name: str = ACCURACY) -> records.Measure:
    """Accuracy with an interval."""
    interval = records.Interval(low=low, high=high, level=level, method="m")
    return records.Measure(name=name, value=(low + high) / 2, interval=interval, n=99, split="test")


def decided(
    *measures: records.Measure, **settings: object
) -> tuple[Plan, records.GateDecision, list[records.CheckResult]]:
    """A plan with one gate of these settings, the decision on these measures, and the results."""
    plan = model_builders.plan(gates=[{"check": ACCURACY, "at_least": 0.8, **settings}])
    own = [
        records.CheckResult(check_id=check, title=check, status="pass", reason="held", severity="critical")
        for check in ("data.leakage", "export.parity")
    ]
    found = records.CheckResult(
        check_id=ACCURACY, title="Accuracy", status="not_applicable", measures=measures,
        reason="measured; the policy sets no threshold",
    )  # fmt: skip
    results = [*gate.apply(plan, [found]), *own]
    return plan, gate.decide(plan, results), results


def test_a_gate_that_reports_what_is_inconclusive_may_let_it_pass() -> None:
    """What the plan excuses is accepted; the same line in a plan that does not say so is refused."""
    plan, decision, results = decided(measure(0.7, 0.9), inconclusive="reports")
    assert decision.outcome == "pass"
    coherence.check_gate(plan, decision, results)
    strict = model_builders.plan(gates=[{"check": ACCURACY, "at_least": 0.8}])
    with pytest.raises(errors.VerificationError, match="gate, required lines"):
        coherence.check_gate(strict, decision, results)


def test_a_failure_is_not_excused_by_it() -> None:
    """A supplier cannot take a failed line out of the required ones that way."""
    plan, decision, results = decided(measure(0.5, 0.6), inconclusive="reports")
    lines = tuple(r.model_copy(update={"required": r.check_id != ACCURACY}) for r in decision.reasons)
    hidden = decision.model_copy(update={"reasons": lines, "outcome": "pass"})
    with pytest.raises(errors.VerificationError, match="gate, required lines"):
        coherence.check_gate(plan, hidden, results)


def test_a_pass_rests_on_the_measure_at_the_gate_s_own_level() -> None:
    """The interval of the policy's level cannot stand in for the stricter one."""
    own = f"{ACCURACY}.confidence_99"
    plan, decision, results = decided(measure(0.82, 0.9), measure(0.81, 0.91, 0.99, own), confidence=0.99)
    assert decision.outcome == "pass"
    coherence.check_gate(plan, decision, results)
    for measures in ((measure(0.82, 0.9),), (measure(0.82, 0.9), measure(0.82, 0.9, 0.95, own))):
        weaker = [results[0].model_copy(update={"measures": measures}), *results[1:]]
        with pytest.raises(errors.VerificationError, match=r"a pass only on what is at least 0\.8"):
            coherence.check_gate(plan, decision, weaker)
