"""Which digits of a sentence state a number, how they are read, and for which numbers of the evidence they stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_cards.lint import evidence, mentions, readers, run, words
from model_cards.lint.model import Place, Sentence, at_least

NAMES_ONLY = [
    "See Section 5.1, Table 2, Figure 4 and page 17; step 3 follows.",
    "Articles 9 to 15 and Annex IV(2)(g) apply from 2 December 2027.",
    "ISO/IEC 42001:2023, EN 18286:2026 and prEN 18229-1 are cited.",
    "Regulation (EU) 2016/679, Article 22, and 29 CFR 1607.4(D).",
    "scikit-learn 1.5.2, torch 2.11, TLS 1.3, Python 3.11 and version 2.3.",
    "The difference was significant (p < 0.05) in 2019-2024, at 14:35.",
    "Call +49 40 1234567, room 3.14, Hafenstr. 25, 20457 Hamburg.",
    "The 51st epoch of the 2nd run; AES-256, F1, R2, s5, float32.",
    "Guo et al. 2017 and Brier (1950).",
    "Commit 9f86d081884c and file a1.csv#/0/value.",
]
READ = [
    ("Accuracy was 84.4 %.", 84.4),
    ("It held 9,650 rows.", 9650),
    ("Es waren 1.941 Zeilen.", 1941),
    ("Il y a 1 941 lignes.", 1941),
    ("Die Genauigkeit beträgt 78,35 %.", 78.35),
    ("The AUC is .951.", 0.951),
    ("From 0.849–0.902.", 0.902),
    ("It fell by −0.02.", -0.02),
    ("2.6 million records.", 2_600_000),
    ("1.5 × 10⁹ operations.", 1.5e9),
    ("1.2e-07 at most.", 1.2e-7),
]


def stated(text: str) -> list[mentions.Mention]:
    """The numbers of a sentence."""
    return mentions.find(Sentence(words.tidy(text), Place("a.md")))


@pytest.mark.parametrize("text", NAMES_ONLY)
def test_digits_that_only_name_something_are_no_numbers(text: str) -> None:
    """Sections, articles, standards, versions, dates, telephones, ordinals and identifiers state no value."""
    assert [text[m.begin : m.end] for m in stated(text)] == []


@pytest.mark.parametrize(("text", "value"), READ)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    """English, German and French separators, signs, powers and millions."""
    assert any(abs(reading - value) < 1e-12 + 1e-9 * abs(value) for m in stated(text) for reading, _ in m.readings)


EVIDENCE = {
    "model": {"max_depth": 6, "dropout": 0.15},
    "rows": 48250, "train": 33775, "test": 9650, "size_bytes": 28312, "duration_s": 1284, "patients": 8123,
    "test_scores": {"accuracy": 0.8437, "recall": 0.6158, "roc_auc": 0.8921},
    "groups": [{"group": "female", "recall": 0.5942}, {"group": "male", "recall": 0.6247}],
}  # fmt: skip
TRUE = [
    "The accuracy is 0.844, that is 84 %.",
    "Recall is 0.594 for women and 0.625 for men, a difference of 3 points.",
    "About 38 % of the positive cases are missed.",
    "There are 48,250 rows; 33,775 (70 %) were used for training and 9,650 for the test.",
    "The file has 28 kB and training took 21 minutes.",
    "ROC AUC: 0.89. The accuracy exceeds 0.8.",
    "The maximum depth was 6 and the dropout of 0.15 was kept.",
    "84 of 100 rows are labelled rightly.",
    "A temperature of 45.7 °C, for example, would be wrong.",
]
WRONG = [
    ("The accuracy is 0.912.", "number-differs"),
    ("Women have a recall of 0.6247.", "number-of-another"),
    ("ROC AUC: 0.84.", "number-differs"),
    ("The model was trained on 35,775 rows.", "count-differs"),
    ("Data of 9,123 patients were used.", "count-differs"),
    ("A dropout of 0.3 was used.", "number-differs"),
    ("The accuracy exceeds 0.95.", "number-differs"),
    ("Latency is 3.71 ms at the median.", "number-unsupported"),
    ("12.7 % of the cases were escalated.", "number-unsupported"),
]


def lint(text: str, place: Path, content: object = EVIDENCE, least: str = "medium") -> list[str]:
    """The rules that fire on a text."""
    (place / "e.json").write_text(json.dumps(content), encoding="utf-8")
    (place / "a.md").write_text(text, encoding="utf-8")
    index = evidence.load((place / "e.json",))
    return [f.rule.id for f in run.lint([readers.read(place / "a.md")], index) if at_least(f.confidence, least)]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", TRUE)
def test_what_the_evidence_carries_passes(text: str, tmp_path: Path) -> None:
    """Rounding, percent, units, shares, differences, rests and comparisons are understood."""
    assert lint(text, tmp_path) == []


@pytest.mark.parametrize(("text", "rule"), WRONG)
def test_what_the_evidence_does_not_carry_is_found(text: str, rule: str, tmp_path: Path) -> None:
    """Another value, the value of another group, a number from nowhere."""
    assert rule in lint(text, tmp_path)


@pytest.mark.slow
def test_more_digits_than_any_number_has_are_read_without_harm(tmp_path: Path) -> None:
    """A line of digits alone, longer than what a float holds, is no number that the evidence could carry."""
    assert lint(f"The recall was {'1' * 3000}.", tmp_path) in ([], ["number-differs"], ["number-unsupported"])


def test_a_total_above_its_own_table_needs_no_evidence(tmp_path: Path) -> None:
    """A number that the table below adds up to is no number from nowhere; another one is."""
    table = "\n\n| Point | Answers |\n|---|---|\n| a | 117 |\n| b | 120 |\n| c | 98 |\n"
    content = {"answers": [117, 120, 98]}
    assert lint("335 answers were asked for." + table, tmp_path, content) == []
    assert lint("336 answers were asked for." + table, tmp_path, content) != []


def test_documents_that_disagree_without_evidence(tmp_path: Path) -> None:
    """Where no evidence settles it, two documents that differ are reported against each other."""
    one, two = tmp_path / "one.md", tmp_path / "two.md"
    one.write_text("# A\n\nVersion 1.2.0. The model is a random forest. Training used 1,200 rows.", encoding="utf-8")
    two.write_text("# B\n\nVersion 1.3.0. The model is a neural network. Training used 1,300 rows.", encoding="utf-8")
    found = run.lint([readers.read(one), readers.read(two)], evidence.Evidence(()))
    assert {f.rule.id for f in found} == {"version-conflict", "model-conflict", "count-conflict"}
    assert all(f.sentence.place.file == str(two) and f.other and f.other.file == str(one) for f in found)
