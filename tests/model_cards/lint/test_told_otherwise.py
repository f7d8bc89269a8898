"""True sentences that tell what the evidence has in another form; beside each, the same sentence told wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "training": {"beach_images": 5100, "test_images": 7300},
    "test": {"seal_images": 431},
    "rows_by_lens": [
        {"slice": "filter", "value": "yes", "images": 2210, "recall": 0.861},
        {"slice": "filter", "value": "no", "images": 5090, "recall": 0.893},
    ],
    "boxes_per_image": 4,
    "images_total": 88_000,
    "false_sightings_per_day": 0.21,
    "latency_ms": {"p95": 71},
    "flights": {"from": "2025-03-04", "until": "2025-09-30", "opening_hours": "7-19"},
    "forecast_horizon_d": 5,
    "score": {"mae": 0.317},
    "checks": {
        "recall": {"min": 0.85, "value": 0.87, "met": True},
        "recall_at_dusk": {"min": 0.80, "value": 0.741, "met": False},
    },
    "kept_fields": ["altitude", "licences", "weather"],
    "operator": {"licensed": False},
    "consent_of_keepers": "written",
    "release": "6.2.0",
    "HyperParameters": {"eta": "0.08"},
    "acceptance_by_site": [
        {"site": "north", "acceptance_rate": 0.744},
        {"site": "south", "acceptance_rate": 0.751},
    ],
}
PASSES = [
    "| Part | Images |\n|---|---|\n| Test | 7,300 |\n",
    "| Lens | Images | Recall |\n|---|---|---|\n| No filter | 5,090 | 89.3 % |\n| With filter | 2,210 | 86.1 % |\n",
    "Each image carries four boxes.",
    "The recall of lenses with a filter is 3.2 points lower than without.",
    "A wrong sighting is reported; false sightings occur about once in five days.",
    "In 95 % of the flights an answer takes at most 71 ms.",
    "The drone starts at 5 and 21 o'clock.",
    "The forecast looks ahead for five days.",
    "The mean absolute error is 0.317 points.",
    "Recall is lowest at dusk.",
    "The recall at dusk is below the target.",
    "Altitude, licences and weather stay in.",
    "Against version 5.9 it rose.",
    "With a filter recall is three points below that without.",
    "It was tested on 7,300 images that training never saw.",
    "The learning rate is 0.08.",
    "The keepers had given their consent.",
    "| Check | Limit | Value |\n|---|---|---|\n| Recall at dusk | 0.80 | 0.741 |\n",
]
FIRES = [
    "| Part | Images |\n|---|---|\n| Test | 3,700 |\n",
    "| Lens | Images | Recall |\n|---|---|---|\n| Without filter | 5,090 | 86.1 % |\n",
    "False sightings occur about once in fifty days.",
    "It flies from 7 to 21 o'clock.",
    "The forecast looks ahead for nine days.",
    "The mean absolute error is 0.371 points.",
    "The recall at dusk reached the target.",
    "The operator is licensed.",
    "The system is version 5.9.0.",
    "With a filter recall is forty points below that without.",
    "It was tested on 5,100 images that training never saw.",
    "The learning rate is 0.07.",
    "The board has given its approval.",
]


@pytest.mark.one_fast
@pytest.mark.parametrize("text", PASSES)
def test_the_same_in_another_form_passes(text: str, tmp_path: Path) -> None:
    """A row without, a rate turned round, a limit beside its value, a comparison, an admission."""
    assert lint(text, tmp_path, EVIDENCE) == []


@pytest.mark.one_fast
@pytest.mark.parametrize("text", FIRES)
def test_another_value_in_that_form_is_found(text: str, tmp_path: Path) -> None:
    """The forms do not hide what the evidence has otherwise."""
    assert lint(text, tmp_path, EVIDENCE) != []
