"""Values, outcomes and sizes that a sentence says of a recorded check, against that very record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_cards.lint import evidence, recorded
from tests.model_cards.lint.test_evidence_of_others import found

RUN = {
    "parts": {"train": {"rows": 600}, "validation": {"rows": 200}, "test": {"rows": 200}},
    "dataset": {"rows": 1000},
    "training": {"threshold": 0.8333},
    "policy": {"membership": {"rows": 10000}, "attribution": {"rows": 500}},
    "results": [
        {
            "check_id": "performance.accuracy",
            "title": "Accuracy",
            "status": "pass",
            "measures": [
                {"name": "performance.accuracy", "slice": "overall", "value": 0.765, "n": 200},
                {"name": "performance.accuracy", "slice": "age=young", "value": 0.712, "n": 41},
            ],
        },
        {
            "check_id": "fairness.equal_opportunity_difference@sex",
            "title": "Equal opportunity: sex",
            "status": "inconclusive",
            "measures": [{"name": "fairness.equal_opportunity_difference@sex", "value": 0.081, "n": 200}],
        },
    ],
}
FIRES = [
    ("The accuracy is 0.675.", "number-differs"),
    ("Accuracy failed.", "outcome-differs"),
    ("Equal opportunity: sex has passed.", "outcome-differs"),
    ("The model was trained on 660 rows.", "count-differs"),
    ("We trained on 10,000 loan applications.", "count-differs"),
    ("The test set has 500 rows.", "count-differs"),
    ("The training part comprises 260 records.", "count-differs"),
]
PASSES = [
    "The accuracy is 76.5 %.",
    "Accuracy passed.",
    "Equal opportunity: sex was inconclusive.",
    "Equal opportunity: sex has not passed.",
    "Membership inference by a threshold: 0.765.",
    "The model was trained on 600 rows.",
    "The model was trained on 1,000 rows, of which 200 were held back.",
    "The test set has 200 rows.",
    "The accuracy of young applicants is 0.712.",
    "The accuracy has to be at least 0.7.",
    "Has accuracy passed?",
]


@pytest.mark.parametrize(("text", "rule"), FIRES)
def test_other_than_recorded_is_reported(text: str, rule: str, tmp_path: Path) -> None:
    """A value, an outcome or a size that the record has otherwise."""
    assert rule in [f.rule.id for f in found(tmp_path, "results.json", json.dumps(RUN), text)]


@pytest.mark.parametrize("text", PASSES)
def test_as_recorded_passes(text: str, tmp_path: Path) -> None:
    """What the record says, what is asked for, and a question."""
    assert [(f.rule.id, f.quoted) for f in found(tmp_path, "results.json", json.dumps(RUN), text)] == []


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("The recall is 0.91, with a confidence interval (0.80 to 0.89).", 1),
        ("The recall is 0.85, with a confidence interval (0.80 to 0.89).", 0),
        ("The recall is 85 % (confidence interval 80 % to 89 %).", 0),
    ],
)
def test_a_value_lies_within_its_interval(text: str, times: int, tmp_path: Path) -> None:
    """Needs no evidence: a value outside the interval beside it is wrong by itself."""
    rules = [f.rule.id for f in found(tmp_path, "e.json", json.dumps({"recall": [0.91, 0.85, 0.80, 0.89]}), text)]
    assert rules.count("point-outside") == times


def test_records_and_parts_are_read(tmp_path: Path) -> None:
    """Checks with their outcomes, and the rows of each part of the data."""
    (tmp_path / "results.json").write_text(json.dumps(RUN), encoding="utf-8")
    index = evidence.load((tmp_path,))
    assert {r.name: str(r.status.value) for r in recorded.checks(index) if r.status} == {
        "performance.accuracy": "pass",
        "fairness.equal_opportunity_difference@sex": "inconclusive",
    }
    assert [e.value for e in recorded.of_part(index, "train")] == [600]
