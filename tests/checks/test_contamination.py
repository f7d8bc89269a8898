"""The check of contamination: three answers from what the step counted."""

from __future__ import annotations

from typing import Any

import pytest

from checks import catalogue, contamination
from evidence import language_records, records
from tests.factory.text import builders

COUNTS = {"documents": 100, "characters": 1000, "bytes": 1000}


def _tokenised(contaminated: int, held_out: int, short: int, dropped: int) -> Any:
    before = language_records.TextCounts(**COUNTS)
    step = language_records.CleaningStep(
        step="contamination",
        title="t",
        method="m",
        before=before,
        after=before.model_copy(update={"documents": 100 - dropped}),
        found={"held_out_without_ngrams": short},
    )
    return language_records.TokenisedData.model_construct(
        contamination=step, contaminated=contaminated, held_out=held_out
    )


def _measured(action: str, contaminated: int = 2, held_out: int = 20, short: int = 0) -> records.CheckResult:
    dropped = 3 if action == "drop_training" else 0
    declared = builders.plan(cleaning={"contamination": {"action": action}})
    return contamination.measure(declared, _tokenised(contaminated, held_out, short, dropped))


@pytest.mark.parametrize(
    ("case", "status", "after"),
    [
        ({"action": "drop_training"}, "pass", 0.0),
        ({"action": "report"}, "fail", 0.1),
        ({"action": "report", "contaminated": 0}, "pass", 0.0),
        ({"action": "report", "contaminated": 2, "short": 10}, "fail", 0.2),
        ({"action": "drop_training", "contaminated": 0, "short": 20}, "inconclusive", None),
    ],
)
def test_the_share_after_the_step_is_held_against_the_policy(
    case: dict[str, Any], status: str, after: float | None
) -> None:
    """Dropped is gone, reported is not, and what cannot be judged is left out; where all is, nothing is known."""
    result = _measured(**case)
    assert (result.status, result.measures[0].value) == (status, after)
    assert result.check_id in catalogue.METRICS
    assert result.severity == "gate"


def test_both_counts_are_told() -> None:
    """Before and after stand in the reason, with the limit."""
    assert _measured("drop_training").reason == (
        "2 of 20 held-out documents were contaminated; after 3 training documents were dropped none is, limit 1.0 %"
    )
