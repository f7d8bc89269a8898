"""Tables beside the records that they were copied from, units, and sentences that mix up the records of a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "log": [
        {"iteration": 100, "val_loss": 0.722, "lr_state": "warm"},
        {"iteration": 200, "val_loss": 0.651, "lr_state": "cold"},
        {"iteration": 300, "val_loss": 0.566, "lr_state": "cold"},
    ],
    "lines": [
        {"line": "north", "cases": 150, "mae": 0.541, "bias": -0.03, "alarms": 1, "status": "open"},
        {"line": "south", "cases": 130, "mae": 0.702, "bias": -0.21, "alarms": 4, "status": "closed"},
        {"line": "harbour", "cases": 120, "mae": 0.583, "bias": -0.11, "alarms": 0, "status": "closed"},
    ],
    "disturbed": {"typos_5pct": 0.871, "moved_parts": 0.875, "stuffing": 0.718},
    "sensors": {"sampling_khz": 25.6, "clock_error_s": 0.5},
    "median_seconds_per_ranking": 1.8,
    "stops_per_1000_hours": 0.631,
    "share_by_scale": {"scale": 0.71, "eye": 0.29},
    "kpi_before": 0.784,
    "kpi_after": 0.779,
}
LOG = "| Iteration | Loss |\n|---|---|\n| 100 | 0.722 |\n| 200 | 0.651 |\n| 300 | {} |"
LINES = "| Line | Cases | Share | Bias | State |\n|---|---|---|---|---|\n"
LINES += (
    "| North | 150 | 38 % | -0.03 | {} |\n| South | 130 | {} | -0.21 | closed |\n| Harbour | 120 | 30 % | {} | closed |"
)
DISTURBED = "| Disturbance | Result |\n|---|---|\n| 5 % typos | 0.871 |\n| Moved parts | 0.875 |\n| Stuffing | {} |"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (LOG.format("0.651"), "number-differs"),
        (LINES.format("open", "33 %", "0.11"), "number-differs"),
        (LINES.format("closed", "33 %", "-0.11"), "claim-contradicted"),
        (LINES.format("open", "41 %", "-0.11"), "number-differs"),
        (DISTURBED.format("0.871"), "number-differs"),
    ],
)
def test_a_cell_is_held_to_the_record_of_its_row(text: str, rule: str, tmp_path: Path) -> None:
    """Rows named by numbers, another sign, another state, a share of a column, a value that another row has."""
    assert rule in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize(
    "text", [LOG.format("0.566"), LINES.format("open", "33 %", "-0.11"), DISTURBED.format("0.718")]
)
def test_what_its_record_carries_is_not_reported(text: str, tmp_path: Path) -> None:
    """Values, shares that follow from a column of counts, and the names of rows."""
    assert lint(text, tmp_path, EVIDENCE) == []


@pytest.mark.parametrize(
    "text",
    [
        "Signals were sampled at 25.6 Hz.",
        "The clock error is 5 ms.",
        "A ranking takes 1.8 milliseconds in the median.",
        "There were 0.631 stops per 100 hours.",
        "The yield was measured on the scale for 0.71 % of the records.",
        "The kpi stood at 0.748 before.",
    ],
)
def test_another_unit_is_another_number(text: str, tmp_path: Path) -> None:
    """Hertz for kilohertz, milliseconds for seconds, per 100 for per 1000, percent for a fraction."""
    assert lint(text, tmp_path, EVIDENCE) != []


@pytest.mark.parametrize(
    "text",
    [
        "Signals were sampled at 25.6 kHz.",
        "Signals were sampled at 25,600 Hz.",
        "A ranking takes 1,800 milliseconds in the median.",
        "There were 0.631 stops per 1,000 hours.",
        "The yield was measured on the scale for 71 % of the records.",
    ],
)
def test_the_same_in_another_unit_passes(text: str, tmp_path: Path) -> None:
    """What is converted rightly is carried."""
    assert lint(text, tmp_path, EVIDENCE) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The MAE in the north is 0.702, in the south 0.541.", "number-of-another"),
        ("The harbour has the lowest MAE.", "claim-contradicted"),
        ("South is the weakest line, harbour the strongest.", "claim-contradicted"),
        ("North had no alarms.", "claim-contradicted"),
    ],
)
def test_records_are_not_mixed_up(text: str, rule: str, tmp_path: Path) -> None:
    """A value of another record, one that is not the lowest or the best, and none of some."""
    assert rule in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize(
    "text",
    [
        "The MAE in the north is 0.541, in the south 0.702.",
        "From the north to the south the MAE rises from 0.541 to 0.702.",
        "The north has the lowest MAE.",
        "The harbour has the second lowest MAE.",
        "South is the weakest line, north the strongest.",
        "The harbour had no alarms.",
    ],
)
def test_what_is_so_of_a_record_passes(text: str, tmp_path: Path) -> None:
    """Its own values, and the ends of a column."""
    assert lint(text, tmp_path, EVIDENCE) == []


def test_yaml_numbers_with_an_exponent_are_numbers(tmp_path: Path) -> None:
    """`6.1e6` and `1e-4` without a sign are texts to YAML 1.1, and numbers to who writes them."""
    from model_cards.lint import evidence_files

    path = tmp_path / "run.yaml"
    path.write_text("parameters: 6.1e6\nrate: 1e-4\ncommit: 1234e56\n", encoding="utf-8")
    assert evidence_files.read(path) == {"parameters": 6.1e6, "rate": 1e-4, "commit": "1234e56"}
