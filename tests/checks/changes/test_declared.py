"""What `proofline check` says of declarations that cannot mean what they say."""

from __future__ import annotations

from typing import Any

import pytest

from checks.changes import declared
from configs import errors
from configs.plan import Plan
from tests.checks.changes import sides


def plan(**declaration: Any) -> Plan:
    """A plan with one declaration; fields as given, otherwise sound ones."""
    sound = {
        "id": "yearly",
        "title": "Retraining once a year",
        "may_change": {"data": True, "retraining": True, "plan": ["training.seed"]},
        "limits": {"metrics": [{"check": "performance.roc_auc", "worse_by_at_most": 0.05}]},
        "rationale": "A loss of five points would be seen.",
    }
    return sides.plan(predetermined_changes=[sound | declaration])


def limits(**metric: Any) -> dict[str, Any]:
    return {"metrics": [metric]}


def test_a_sound_declaration_passes() -> None:
    """Fields, items of lists by name, any item, metrics overall and per group."""
    paths = ["training", "data.columns[bmi].maximum", "data.columns[*].maximum", "data.source.*",
             "policy.gates[performance.roc_auc@overall].at_least"]  # fmt: skip
    declared.check(plan(may_change={"plan": paths}))
    gap = {"check": "fairness.equal_opportunity_difference", "slice": "sex", "at_most": 0.2}
    declared.check(plan(limits=limits(**gap)))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("training.sed", "got no 'sed'. Did you mean seed?"),
        ("trainig", "got no 'trainig'. Did you mean training?"),
        ("data.columns[bmj].role", "got no '[bmj]'. Did you mean bmi?"),
        ("policy.gates[performance.roc_auc@sex].at_least", "Did you mean performance.roc_auc@overall?"),
        ("training.seed.deeper", "got no 'deeper'. Known are none."),
    ],
)
def test_a_path_that_leads_nowhere(path: str, words: str) -> None:
    """The step that is wrong, and what was meant."""
    with pytest.raises(errors.PlanError) as refusal:
        declared.check(plan(may_change={"plan": [path]}))
    assert f"predetermined_changes[0] yearly: may_change.plan {path}" in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ({"check": "performance.roc_acu", "at_least": 0.7}, "Did you mean performance.roc_auc?"),
        ({"check": "performance.rmse", "at_most": 3}, "expected a metric for the task binary"),
        ({"check": "performance.roc_auc", "slice": "sex", "at_least": 0.7}, "expected the slice overall, got 'sex'"),
        ({"check": "fairness.accuracy_difference", "at_most": 0.1}, "expected a slice, got overall"),
        ({"check": "fairness.accuracy_difference", "slice": "sx", "at_most": 0.1}, "expected a slice that is known"),
        ({"check": "performance.roc_auc", "at_least": 7}, "expected at_least from 0 to 1, got 7"),
        ({"check": "performance.calibration_slope", "worse_by_at_most": 0.1}, "no worse side"),
    ],
)
def test_a_limit_on_what_is_not_measured(metric: dict[str, Any], words: str) -> None:
    """Unknown metrics, other tasks, slices, ranges, directions."""
    with pytest.raises(errors.PlanError) as refusal:
        declared.check(plan(limits=limits(**metric)))
    assert words in str(refusal.value)


def test_every_problem_has_its_line() -> None:
    """Nobody corrects one and meets the next."""
    both = limits(check="performance.roc_acu", at_least=0.7)
    with pytest.raises(errors.PlanError) as refusal:
        declared.check(plan(may_change={"plan": ["trainig", "mdel"]}, limits=both))
    assert len(str(refusal.value).splitlines()) == 3
