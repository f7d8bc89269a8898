"""Cells by their row and column, and what is said to be the same for all groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_cards.lint.test_numbers import lint

EVIDENCE = {
    "by_language": [
        {"language": "German", "calls": 800, "recall": 0.901, "invented_rate": 0.014},
        {"language": "English", "calls": 250, "recall": 0.888, "invented_rate": 0.020},
        {"language": "Arabic", "calls": 100, "recall": 0.790, "invented_rate": 0.030},
    ],
    "internal": {"recall": 0.803, "precision": 0.462},
    "external": {"site": "Rostal", "recall": 0.741, "precision": 0.417},
    "even": [{"sex": "women", "auc": 0.861}, {"sex": "men", "auc": 0.858}],
}


@pytest.mark.parametrize(
    "text",
    [
        "| Language | Recall |\n|---|---|\n| German | 90.1 % |\n| English | 90.1 % |\n| Arabic | 79.0 % |",
        "| Measure | Internal | Rostal |\n|---|---|---|\n| Recall | 80.3 % | 80.3 % |\n| Precision | 46.2 % | 41.7 % |",
    ],
)
def test_a_cell_is_held_to_the_value_of_its_row_and_column(text: str, tmp_path: Path) -> None:
    """The value of another group or part does not carry it, although the evidence holds that value."""
    assert lint(text, tmp_path, EVIDENCE) == ["number-differs"]


@pytest.mark.parametrize(
    "text",
    [
        "| Language | Calls | Recall |\n|---|---|---|\n| German | 800 | 90.1 % |\n| Arabic | 100 | 0.79 |",
        "| Measure | Internal | Rostal |\n|---|---|---|\n| Recall | 80.3 % | 74.1 % |\n| Precision | 46.2 % | 41.7 % |",
    ],
)
def test_a_cell_with_its_own_value_passes(text: str, tmp_path: Path) -> None:
    """Percent or fraction, rows and columns either way round."""
    assert lint(text, tmp_path, EVIDENCE) == []


@pytest.mark.parametrize(
    "text",
    [
        "Recall is the same for all languages.",
        "Invented content is equally rare in every language.",
        "Language does not matter for quality.",
    ],
)
def test_what_is_said_to_be_the_same_for_groups_apart_is_contradicted(text: str, tmp_path: Path) -> None:
    """By the measure that it names, or by the quality of which it speaks."""
    assert "claim-contradicted" in lint(text, tmp_path, EVIDENCE)


@pytest.mark.parametrize(
    "text",
    [
        "Recall is not the same for all languages.",
        "The AUC does not differ between the sexes.",
        "All languages go through the same model.",
    ],
)
def test_what_is_the_same_or_said_to_differ_passes(text: str, tmp_path: Path) -> None:
    """Groups that lie close together, a denial, and what is said to be the same of something else."""
    assert "claim-contradicted" not in lint(text, tmp_path, EVIDENCE)
