"""Evidence in the shapes that others write: flat keys, tables of key and value, long tables, criteria as keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_cards.lint import evidence, readers, run
from model_cards.lint.model import Finding, at_least

FLAT = {"model.version": "2.1.0", "metrics.test.auc": 0.9438, "metrics.val.auc": 0.9502, "train.images": 18420}
LONG = (
    "metric,subset,value,ci_low,ci_high\nsensitivity,women,0.9288,0.8884,0.9552\nsensitivity,men,0.9332,0.8939,0.9588\n"
)
PAIRS = "key,value\nproduct,LifeRate\nversion,5.0.2\ngini_holdout,0.3874\nn_estimators,640\n"
YAML = """
robustness: {rain: 0.791, night: 0.742}
latency_ms: {p50: 23.4, p95: 41.7}
backup_test: null
checks:
  calibration: {limit: "ece <= 0.03", status: inconclusive}
criteria: {battery_f1_min_0_9: false}
field_trial: {sites: 2, from: 2026-04-07, to: 2026-05-30}
human_review: every case is decided by a clerk
inputs: [patient_age, account_tenure]
"""
RISKS = """
class_counts: {bad risk: 60, good risk: 140}
classes: [bad risk, good risk]
human_review: every case is decided by a clerk
risks:
  - {title: The score decides alone, consequence: A decision without a person, control: a clerk reads every case}
  - {title: A creditworthy applicant is refused, consequence: No credit, control: a clerk reads every case}
"""
FIRES = [
    ("flat.json", json.dumps(FLAT), "On the validation part the AUC is 0.9438.", "number"),
    ("flat.json", json.dumps(FLAT), "This is release 2.0.1 of the system.", "version"),
    ("flat.json", json.dumps(FLAT), "It was trained on 18,240 images.", "count"),
    ("long.csv", LONG, "In men the sensitivity is 92.9 %.", "number"),
    ("long.csv", LONG, "The sensitivity for women is 0.8884.", "number"),
    ("pairs.csv", PAIRS, "Gini is 0.3784.", "number"),
    ("pairs.csv", PAIRS, "LifeRate 5.2.0 prices contracts.", "version"),
    ("notes.yaml", YAML, "At night it is 0.791.", "number"),
    ("notes.yaml", YAML, "Half of the images are processed within 41.7 ms.", "number"),
    ("notes.yaml", YAML, "It was tried at four sites.", "count"),
    ("named.yaml", "name: Study at Four Sites\nsites: 2\n", "Study at Four Sites was made at three sites.", "count"),
    ("notes.yaml", YAML, "The trial lasted from 7 April to 30 June 2026.", "date"),
    ("notes.yaml", YAML, "The backup was tested with success.", "claim"),
    ("notes.yaml", YAML, "Calibration was shown to be good.", "claim"),
    ("notes.yaml", YAML, "Batteries are recognised as reliably as required.", "claim"),
    ("notes.yaml", YAML, "Cases are decided without a clerk.", "claim"),
    ("notes.yaml", YAML, "The age of the patient plays no role.", "claim"),
    ("risks.yaml", RISKS, "Every case ends in a decision without a person.", "claim"),
]
PASSES = [
    ("flat.json", json.dumps(FLAT), "The AUC is 0.944 on the test part and 0.950 on the validation part."),
    ("flat.json", json.dumps(FLAT), "Release 2.1.0 was trained on 18,420 images."),
    ("long.csv", LONG, "Sensitivity is 92.9 % for women (88.8 to 95.5) and 93.3 % for men."),
    ("pairs.csv", PAIRS, "LifeRate 5.0.2 has 640 trees (n_estimators) and a Gini of 0.387."),
    ("notes.yaml", YAML, "In rain mAP is 0.791 and at night 0.742."),
    ("notes.yaml", YAML, "95 % of the images are processed within 41.7 ms."),
    ("notes.yaml", YAML, "The trial ran at two sites from 7 April to 30 May 2026."),
    ("notes.yaml", YAML, "The backup was not tested, and F1 of batteries had to be at least 0.9."),
    ("notes.yaml", YAML, "Whether it is calibrated could not be told."),
    ("named.yaml", "name: Study at Four Sites\nsites: 2\n", "Study at Four Sites was made at two sites."),
    ("notes.yaml", YAML, "No case may ever be decided without a clerk."),
    ("risks.yaml", RISKS, "Two risks are known and stand in the register."),
    ("risks.yaml", RISKS, "Consequence: A decision without a person"),
]


def found(place: Path, name: str, content: str, text: str) -> list[Finding]:
    """Findings of a sentence against one evidence file, those of low confidence left out."""
    (place / name).write_text(content, encoding="utf-8")
    (place / "a.md").write_text(f"# A report\n\n{text}\n", encoding="utf-8")
    findings = run.lint([readers.read(place / "a.md")], evidence.load((place / name,)))
    return [f for f in findings if at_least(f.confidence, "medium")]


@pytest.mark.parametrize(("name", "content", "text", "group"), FIRES)
def test_what_differs_is_reported(name: str, content: str, text: str, group: str, tmp_path: Path) -> None:
    """Each shape of evidence tells what a sentence has wrong."""
    assert group in [f.rule.group for f in found(tmp_path, name, content, text)]


@pytest.mark.parametrize(("name", "content", "text"), PASSES)
def test_what_agrees_passes(name: str, content: str, text: str, tmp_path: Path) -> None:
    """The same evidence has nothing against sentences that say it rightly."""
    assert [(f.rule.id, f.quoted) for f in found(tmp_path, name, content, text)] == []


def test_a_flat_key_keeps_its_pointer(tmp_path: Path) -> None:
    """A finding points to the key as it stands in the file."""
    finding = found(tmp_path, "flat.json", json.dumps(FLAT), "This is release 2.0.1 of the system.")[0]
    assert finding.proof is not None
    assert finding.proof.pointer == "/model.version"
