"""The part of the report on proofs: what is shown is what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evidence import records
from evidence.dossier import Dossier
from tests.model_cards import pages
from tests.model_cards.builders import render

COUNTS = ("certified", "falsified", "unknown", "wrong")
LEVELS = [
    {"severity": 0.1, "value": 0.7, "low": 0.6, "high": 0.8, **dict(zip(COUNTS, (61, 7, 3, 17), strict=True))},
    {"severity": 0.2, "value": 0.4, "low": 0.3, "high": 0.5, **dict(zip(COUNTS, (35, 19, 17, 17), strict=True))},
]
DECLARED = [
    {"name": "dose.vnnlib", "answer": "violated", "reason": "confirmed by ONNX Runtime", "sha256": "0a" * 32,
     "inputs": {"age": 61.5, "bmi": 31.25}, "outputs": [0.25, 0.75]},
    {"name": "age.vnnlib", "answer": "unknown", "reason": "operator Erf: the certifier does not know it",
     "sha256": "0b" * 32},
]  # fmt: skip


def checked(
    check_id: str, title: str, status: Any, details: dict[str, Any], value: float | None
) -> records.CheckResult:
    """A result as the check leaves it."""
    measure = records.Measure(name=check_id, value=value, n=88, note="how it was made")
    return records.CheckResult(
        check_id=check_id, title=title, status=status, measures=(measure,), reason="what was found", details=details
    )


@pytest.fixture(scope="module")
def page(dossiers: dict[str, Dossier], tmp_path_factory: pytest.TempPathFactory) -> pages.Page:
    """The report of a run with both checks."""
    import dataclasses

    found = dossiers["binary"]
    points = ((0.0, 0.8), (0.1, 0.75), (0.2, 0.5))
    curve = [{"severity": s, "value": v, "low": v - 0.1, "high": v + 0.1} for s, v in points]
    certified = {"x": "largest change", "metric": "accuracy", "levels": LEVELS, "clean": 0.8, "rows": 88}
    attacked = {"x": "largest change", "metric": "accuracy", "curve": curve, "clean": 0.8,
                "attacked_rows": 88, "attacked_features": ["bmi"]}  # fmt: skip
    own = [
        checked("robustness.evasion", "Accuracy under evasion attack", "not_applicable", attacked, 0.5),
        checked("robustness.certified", "Proven accuracy", "not_applicable", certified, 0.4),
        checked("robustness.properties", "Declared properties", "fail", {"properties": DECLARED}, 0.0),
    ]
    kept = [r for r in found.evaluate.results if r.check_id not in {o.check_id for o in own}]
    evaluated = found.evaluate.model_copy(update={"results": (*kept, *own)})
    place: Path = tmp_path_factory.mktemp("certified")
    return pages.read(render(dataclasses.replace(found, evaluate=evaluated), place).page)


def test_the_three_results_stand_in_one_figure(page: pages.Page) -> None:
    """Clean, attacked and certified are drawn together, and said in words."""
    (figure,) = [f for f in page.all("figure") if f.attributes["aria-label"].startswith("Proven accuracy")]
    assert "from 0.800 on unchanged inputs" in figure.attributes["aria-label"]
    assert "0.500 under attack and 0.400 certified, at 0.2" in figure.attributes["aria-label"]
    assert "under attack" in figure.text
    assert "certified" in figure.text


def test_how_the_rows_ended_is_counted(page: pages.Page) -> None:
    """Certified, falsified, unknown and wrong rows stand at each size of a change, as recorded."""
    (table,) = [t for t in page.all("table") if t.text.strip().startswith("Proven accuracy at each size")]
    assert "0.16173170.700[0.600, 0.800]" in table.text
    assert "0.2351917170.400[0.300, 0.500]" in table.text


def test_declared_properties_are_answered_one_by_one(page: pages.Page) -> None:
    """The input that violates one is shown; the operator that left one unknown is named."""
    (table,) = [t for t in page.all("table") if t.text.strip().startswith("Declared properties: what must hold")]
    for words in ("dose.vnnlib", "violated", "age = 61.5", "bmi = 31.2", "age.vnnlib", "unknown", "operator Erf"):
        assert words in table.text
