"""Every number has to be carried, and what the evidence says of a thing is compared in whatever words it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "hyperparameters": {"optimizer": "AdamW", "max_epochs": 60, "learning_rate": 0.003},
    "epochs_run": 49,
    "commit": "a81f0c2",
    "groups": [
        {"group": "women", "recall": 0.9403, "n": 2871},
        {"group": "men", "recall": 0.9528, "n": 3156},
    ],
    "regions": ["Uelzen", "Champagne", "East Anglia", "Skåne"],
    "night_images": 0,
    "double_annotated_share": 0.12,
    "retention_months": 18,
    "retraining": {"interval": "weekly", "automatic": False},
    "trained_on": "2025-12-08",
    "pilot": {"start": "2026-01-12", "end": "2026-03-27"},
    "checks": [
        {"title": "Fallback tested", "result": "passed"},
        {"title": "Penetration test of the gateway", "result": "not done"},
    ],
    "mitigation": {"threshold_per_group": False},
    "operators_trained": 22,
    "hectares": [14.5, 22.0, 9.8],
}
FIRES = [
    ("Labelling took 47 seconds an image.", "number-unsupported"),
    ("Training ended after 60 epochs.", "number-of-another"),
    ("In men the recall is 94.0 %.", "number-of-another"),
    ("The pictures come from five regions.", "count-differs"),
    ("Records are kept for two years.", "number-unsupported"),
    ("The model is retrained every two weeks.", "number-differs"),
    ("It was trained on 8 October 2025.", "date-differs"),
    ("The commit is b81f0c2.", "version-differs"),
    ("The optimiser was SGD.", "model-differs"),
    ("Night images are part of the set.", "claim-contradicted"),
    ("All images were annotated twice.", "claim-contradicted"),
    ("Thresholds were set for each group.", "claim-contradicted"),
    ("Hackers tried to get in through the gateway and did not succeed.", "claim-contradicted"),
    ("| Check | Outcome |\n|---|---|\n| Penetration test of the gateway | passed |", "claim-contradicted"),
]
PASSES = [
    "Training ended after 49 of at most 60 epochs.",
    "Recall is 94.0 % for women and 95.3 % for men, 1.25 points more.",
    "The pictures come from four regions, and 6,027 cases were read.",
    "Records are kept for a year and a half, that is eighteen months.",
    "The model is retrained every week, by hand.",
    "The pilot lasted from 12 January to 27 March 2026, about ten weeks.",
    "Twenty-two operators were trained.",
    "The set holds no night images.",
    "Twelve percent of the images were annotated twice.",
    "The penetration test of the gateway is still open.",
    "| Check | Outcome |\n|---|---|\n| Fallback tested | passed |",
]


@pytest.mark.parametrize(("text", "rule"), FIRES)
def test_what_nothing_carries_or_the_evidence_denies_is_found(text: str, rule: str, tmp_path: Path) -> None:
    """Numbers in digits and letters, periods, days, codes, settings, and things that are not so."""
    assert rule in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize("text", PASSES)
def test_what_the_evidence_bears_passes(text: str, tmp_path: Path) -> None:
    """The same things, said as the evidence has them, or as following from it."""
    assert lint(text, tmp_path, EVIDENCE) == []
