"""Curves, crossings and slices in the report."""

from __future__ import annotations

import html
import re

from model_cards import multiples
from tests.model_cards import pages
from tests.model_cards.builders import Rendered


def panel(**changes):
    points = [(0.0, 0.9), (0.5, 0.8), (1.0, 0.5)]
    band = [(0.85, 0.95), (0.75, 0.85), (0.4, 0.6)]
    given = {"title": "Noise", "x_label": "severity", "points": points, "evidence": "e#/0", "band": band}
    return multiples.Panel(**{**given, **changes})


def test_the_crossing_is_shaded_between_its_ends() -> None:
    """A curve that meets its threshold has an upright line, and a shade as wide as the interval."""
    plain = multiples.draw([panel(threshold=0.3)], "Accuracy", (0, 1))
    crossed = multiples.draw([panel(threshold=0.7, crossing=(0.65, 0.55, 0.8))], "Accuracy", (0, 1))
    assert plain.count('class="limit"') == 1
    assert crossed.count('class="limit"') == 2
    assert 'class="count"' not in plain
    width = float(re.search(r'width="([\d.]+)" height="84" class="count"', crossed)[1])
    wide = multiples.draw([panel(threshold=0.7, crossing=(0.65, 0.3, 0.8))], "Accuracy", (0, 1))
    assert float(re.search(r'width="([\d.]+)" height="84" class="count"', wide)[1]) / width == 2


def test_panels_stand_in_two_columns() -> None:
    """Five panels take three rows; each names its test and its evidence."""
    panels = [panel(title=f"Test {c}", evidence=f"e#/{c}") for c in "abcde"]
    one, five = (multiples.draw(panels[:n], "Accuracy", (0, 1)) for n in (1, 5))
    heights = [float(re.search(r'viewBox="0 0 400 ([\d.]+)"', drawn)[1]) - 18 for drawn in (one, five)]
    assert heights[1] == 3 * heights[0]
    assert [f'data-evidence="e#/{c}"' in five for c in "abcde"] == [True] * 5


def test_every_curve_is_in_the_overview(rendered: dict[str, Rendered]) -> None:
    """As many panels as checks with a curve, each leading to its own points."""
    found = rendered["binary"]
    curves = [i for i, r in enumerate(found.dossier.evaluate.results) if r.details.get("curve") and r.details.get("x")]
    evidence = [e.attributes.get("data-evidence", "") for e in pages.read(found.page).all("g")]
    assert len(curves) >= 8
    for index in curves:
        assert f"evaluation/results.json#/results/{index}/details/curve" in evidence


def test_slices_are_drawn_and_listed(rendered: dict[str, Rendered]) -> None:
    """Every declared slice and every slice found has its mark and its row, with the validation part beside the test."""
    for task, check, by_search in (
        ("binary", "robustness.shift", "robustness.worst_slice"),
        ("regression", "robustness.shift_error", "robustness.worst_slice_error"),
    ):
        found = rendered[task]
        results = {r.check_id: (i, r) for i, r in enumerate(found.dossier.evaluate.results)}
        evidence = {e.attributes.get("data-evidence") for e in pages.read(found.page).all("g")}
        index, result = results[check]
        for i, row in enumerate(result.details["groups"]["bmi"]):
            assert (
                row["value"] is None or f"evaluation/results.json#/results/{index}/details/groups/bmi/{i}" in evidence
            )
        index, result = results[by_search]
        assert result.details["slices"]
        for i, row in enumerate(result.details["slices"]):
            assert f"evaluation/results.json#/results/{index}/details/slices/{i}" in evidence
            assert row["slice"] in html.unescape(found.page)


def test_the_gate_s_crossing_is_told(rendered: dict[str, Rendered]) -> None:
    """The words of the evidence stand in the table of crossings."""
    found = rendered["binary"]
    words = [c["words"] for r in found.dossier.evaluate.results for c in r.details.get("crossing", [])]
    assert words
    assert all(w in found.page for w in words)
