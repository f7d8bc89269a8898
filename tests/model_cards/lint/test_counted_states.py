"""What is said of all, of some or of none, of what is not so, and names that are one word off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "provider": "Kornblum GmbH",
    "approved": {"by": "Ada Berg", "role": "head of quality"},
    "deviations": ["unit K-11 lost 72 hours of data"],
    "inputs": ["soil moisture", "wind", "slope", "crop"],
    "consent_withdrawals": 3,
    "alarm_threshold": 3.5,
    "trained_hours": 3.5,
    "mean_lead_time_h": 175.5,
    "forecast_errors": [{"weeks_before_harvest": 12, "mae": 0.842}, {"weeks_before_harvest": 8, "mae": 0.705}],
    "overall": {"rmse": 0.782},
    "faults": [
        {"kind": "bearing", "faults": 8, "detected": 8, "rmse": 0.741},
        {"kind": "gear tooth", "faults": 6, "detected": 5, "rmse": 0.722},
        {"kind": "oil", "faults": 3, "detected": 3, "rmse": 0.813},
    ],
    "risks": [
        {"risk": "leak", "status": "mitigated"},
        {"risk": "bias", "status": "open"},
        {"risk": "drift", "status": "mitigated"},
    ],
    "memory_mb": {"peak": 212, "limit": 256},
    "climate": [{"temperature_c": -25, "result": "pass"}, {"temperature_c": 55, "result": "pass"}],
    "dropout": {"trials": 30, "result": "fail"},
}


@pytest.mark.parametrize(
    "text",
    [
        "All gear tooth faults were detected.",
        "All three risks are mitigated.",
        "One of three risks is mitigated.",
        "None of the farms withdrew their consent.",
        "The device is provided by Kornblum AG.",
        "Ada Berg, head of research, approved it.",
        "Unit K-14 lost 72 hours of data.",
        "The inputs are soil moisture, wind, rainfall and slope.",
        "The RMSE is 0.722 on all of them.",
        "The mean lead time was 175.5 h, which is more than nine days.",
        "An alarm is raised above an alarm threshold of 2.5.",
        "All dropout tests were passed.",
    ],
)
def test_what_is_said_of_all_is_counted(text: str, tmp_path: Path) -> None:
    """A record that lacks one, states of a register, none of three, names but for a word, a group's value for all."""
    assert lint(text, tmp_path, EVIDENCE) != []


@pytest.mark.parametrize(
    "text",
    [
        "All bearing faults were detected.",
        "Two of three risks are mitigated.",
        "The device is provided by Kornblum GmbH.",
        "Ada Berg, head of quality, approved it.",
        "Unit K-11 lost 72 hours of data.",
        "The inputs are soil moisture, wind, slope and crop.",
        "The RMSE for oil is 0.813.",
        "The mean lead time was 175.5 h, which is more than seven days.",
        "If the threshold were lowered to 3.0, it would have to be repeated.",
        "Training took three and a half hours.",
        "Twelve weeks ahead the MAE is 0.842.",
        "Peak memory stays 44 MB below the limit.",
        "Both climate tests were passed.",
    ],
)
def test_what_is_so_or_is_not_said_to_be_so_passes(text: str, tmp_path: Path) -> None:
    """What the records bear, what would be, halves, weeks of a key, the way to a limit, tests of one topic."""
    assert lint(text, tmp_path, EVIDENCE) == []
