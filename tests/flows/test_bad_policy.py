"""A policy that can never mean what it says is refused through the command line before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from configs import errors
from tests.flows import plans, prediction_plans
from tests.flows.test_bad_input import Say, changed, say  # noqa: F401 - the fixture

if TYPE_CHECKING:
    from pathlib import Path

GATE = "policy.gates.0"
ATTACK = "policy.robustness.attack"
WRONG: dict[str, tuple[str, Any, str]] = {
    "an unknown metric": (f"{GATE}.check", "performance.roc_aux", "Did you mean performance.roc_auc?"),
    "an unknown slice": ("policy.gates.1.slice", "gender", "slice 'gender' is unknown; known are overall, sex"),
    "an unknown attribute in an intersection": (
        "data.intersections", [["sex", "gender"]], "intersection: 'gender' is no protected attribute",
    ),
    "an attribute of an unknown column": (
        "data.protected.0.column", "gender", "protected attribute 'sex': column 'gender' is not declared",
    ),
    "a threshold out of the range": (f"{GATE}.at_least", 80, "expected a threshold from 0 to 1, got 80"),
    "a threshold below the range": ("policy.gates.1.at_most", -0.1, "expected a threshold from 0 to 1, got -0.1"),
    "a threshold that is no number": (f"{GATE}.at_least", float("nan"), "at_least (performance.roc_auc): expected"),
    "a level of one": (f"{GATE}.confidence", 1.0, "confidence (performance.roc_auc): expected less than 1"),
    "a group size of zero": (
        "policy.gates.1.minimum_group_size",
        0,
        "minimum_group_size (fairness.demographic_parity_difference): expected greater than or eq",
    ),
    "a meaning of inconclusive that there is not": (f"{GATE}.inconclusive", "passes", "'blocks' or 'reports'"),
    "a budget of zero": (f"{ATTACK}.epsilon", 0, "attack.epsilon: expected greater than 0, got 0"),
    "an attack without steps": (f"{ATTACK}.steps", 0, "attack.steps: expected greater than or equal to 1, got 0"),
    "noise of zero": ("policy.robustness.noise", [0.0], "noise[0]: expected greater than 0, got 0.0"),
    "more than everything missing": ("policy.robustness.missing", [1.5], "missing[0]: expected less than or equal"),
    "a negative distance out of range": ("policy.robustness.out_of_range", [-1], "expected greater than 0, got -1"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_a_policy_that_means_nothing_is_refused(tmp_path: Path, say: Say, what: str) -> None:  # noqa: F811
    """One sentence with the place, what was expected and what was found; nothing is begun."""
    place, value, said_ = WRONG[what]
    path = plans.write(tmp_path, changed(place, value))
    code, said = say("run", path, "--engine", "plain")
    assert code == errors.EXIT_USAGE
    assert said_ in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


WITHOUT_A_MODEL: dict[str, tuple[dict[str, Any], str]] = {
    "a metric that needs the model": (
        {"check": "robustness.noise", "at_least": 0.5}, "got one that needs the model. Remove the gate.",
    ),
    "a metric that predictions give": ({"check": "performance.brier", "at_most": 0.3}, ""),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WITHOUT_A_MODEL))
def test_gates_on_given_predictions(tmp_path: Path, say: Say, what: str) -> None:  # noqa: F811
    """A gate that could only ever stay open is refused."""
    gate, said_ = WITHOUT_A_MODEL[what]
    content = prediction_plans.plan()
    content["policy"]["gates"] = [gate]
    code, said = say("check", prediction_plans.write(tmp_path, content), "--no-data")
    assert code == (errors.EXIT_USAGE if said_ else errors.EXIT_PASS)
    assert said_ in said


def test_gates_on_probabilities_that_are_not_given(tmp_path: Path, say: Say) -> None:  # noqa: F811
    """Labels alone have no area under a curve."""
    content = prediction_plans.plan()
    content["predictions"] = {"label": "predicted"}
    content["data"]["columns"] = [c for c in content["data"]["columns"] if not c["name"].startswith("p_")]
    code, said = say("check", prediction_plans.write(tmp_path, content), "--no-data")
    assert code == errors.EXIT_USAGE
    assert "performance.roc_auc: expected a metric of the labels, got one of probabilities" in said
