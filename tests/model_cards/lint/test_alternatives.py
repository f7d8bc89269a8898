"""Names of a closed class, features that are left out, counts of outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "training": {"early_stopping_on": "validation", "base_model": "xlm-roberta-large", "library": "lightgbm 4.3.0"},
    "algorithm": "gradient boosted trees",
    "baseline": {"name": "BirdNET 2.4"},
    "device_class": "IIb",
    "site": "Schweinfurt, line 4",
    "rollback_version": "5.0.4",
    "manual_languages": ["English", "Finnish", "Swedish", "German"],
    "not_used": ["insurance_status", "age"],
    "hardware": {"gpu_needed": False},
    "hazards": [
        {"hazard": "burn of the skin", "residual_risk": "high"},
        {"hazard": "noise at work", "residual_risk": "low"},
    ],
    "deployment": "on-premise",
    "users": "triage nurses",
    "split": "by time",
    "handover": {"hours": "8-16"},
    "hosting": {"provider": "Exoscale"},
    "targets": {"f1": {"ok": True}, "recall": {"ok": False}, "latency": {"ok": True}, "size": {"ok": False}},
}
FIRES = [
    "Early stopping was done on the test set.",
    "It starts from XLM-RoBERTa base.",
    "The implementation is XGBoost.",
    "That is more than BirdNET 2.2 reaches.",
    "The device belongs to class IIa.",
    "The trial ran on line 2.",
    "If something goes wrong, roll back to 5.0.1.",
    "The manual exists in English, Finnish, Swedish and Estonian.",
    "It takes the insurance status into account.",
    "Age enters the model as a feature.",
    "A GPU is required for inference.",
    "The residual risk of a burn of the skin is low.",
    "Three of four targets were reached.",
    "The deployment is in the cloud.",
    "The system is meant for physicians.",
    "The split is random.",
    "Staff take over between 8 and 18 o'clock.",
    "Hosting is done by Infomaniak.",
]
PASSES = [
    "Early stopping was done on the validation set.",
    "It starts from XLM-RoBERTa large, and the implementation is LightGBM.",
    "That is more than BirdNET 2.4 reaches.",
    "The device belongs to class IIb, and the trial ran on line 4.",
    "If something goes wrong, roll back to 5.0.4.",
    "The manual exists in English, Finnish and Swedish.",
    "Insurance status and age are not used.",
    "No GPU is required for inference.",
    "The residual risk of a burn of the skin is high.",
    "Two of four targets were reached.",
    "The deployment is on premise, and the split goes by time.",
    "The system is meant for nurses and not for physicians.",
    "Staff take over between 8 and 16 o'clock.",
    "Hosting is done by Exoscale.",
]


@pytest.mark.parametrize("text", FIRES)
def test_another_member_of_the_class_is_reported(text: str, tmp_path: Path) -> None:
    """Part, size, library, version, class, place, list, feature, need, level and number of outcomes."""
    assert lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize("text", PASSES)
def test_the_member_of_the_evidence_passes(text: str, tmp_path: Path) -> None:
    """The same sentences with what the evidence has."""
    assert lint(text, tmp_path, EVIDENCE) == []
