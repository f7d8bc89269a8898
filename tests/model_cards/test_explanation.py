"""The chapter on what the outputs rest on, and the diagrams on calibration."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from evidence import records
from evidence.dossier import Dossier
from model_cards import attributions, calibration, explanation, prediction_sets, refs, strange_inputs, tree
from tests.model_cards import pages
from tests.model_cards.builders import Rendered, render

TASKS = ("binary", "multiclass", "regression")


def result(found: Dossier, check_id: str) -> records.CheckResult:
    return next(r for r in found.evaluate.results if r.check_id == check_id)


def changed(found: Dossier, check_id: str, **details: Any) -> Dossier:
    """The same with other details of one check."""
    others = tuple(
        r.model_copy(update={"details": {**r.details, **details}}) if r.check_id == check_id else r
        for r in found.evaluate.results
    )
    return dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": others}))


def words(said: list[tree.Parts]) -> str:
    """Sentences as they are read."""
    return " ".join("".join(_shown(part) for part in sentence) for sentence in said)


def _shown(part: tree.Part) -> str:
    if isinstance(part, refs.Gap):
        return part.text
    return part if isinstance(part, str) else part.shown


@pytest.mark.parametrize("task", TASKS)
def test_report_and_card_name_the_heaviest_features(rendered: dict[str, Rendered], task: str) -> None:
    """The three heaviest features, the coverage and what the flag does not see stand in both documents."""
    found = rendered[task]
    rows = result(found.dossier, "explanation.permutation_importance").details["features"]
    page = next(e for e in pages.read(found.page).all("section") if e.attributes["aria-labelledby"] == "h-explanation")
    for row in rows[:3]:
        assert row["feature"] in page.text
        whole = found.card + found.annex
        assert f"`{row['feature']}`" in whole or row["feature"].replace("_", "\\_") in whole
    for text in (page.text, found.card + found.annex):
        assert "at nominal level 0.9 hold the truth for" in text
        assert "It does not see: unusual combinations of categories" in text


@pytest.mark.parametrize("task", TASKS)
def test_figures_of_the_chapter(rendered: dict[str, Rendered], task: str) -> None:
    """Importance, calibration and coverage are drawn for every task, sizes of sets where there are classes."""
    titles = {
        e.text.strip() for e in pages.read(rendered[task].page).all("div") if e.attributes.get("class") == "title"
    }
    assert {"Permutation importance", "Calibration"} <= titles
    assert ("Classes in the prediction set" in titles) == (task != "regression")
    assert ("Coverage per group" if task == "regression" else "Coverage per class and group") in titles


def test_protected_inputs_are_told(dossiers: dict[str, Dossier]) -> None:
    """A feature that is the column of a protected attribute is named as such; without attributes nothing is claimed."""
    book = refs.book(dossiers["binary"])
    assert "Protected attributes among the inputs: sex" in words(attributions.summary(book))
    assert "rotected" not in words(attributions.summary(refs.book(dossiers["multiclass"])))


def test_groups_below_the_nominal_level_are_named(dossiers: dict[str, Dossier]) -> None:
    """A class or group whose whole interval lies below the level is told with its interval, no other is."""
    check = "explanation.conformal_coverage"
    found = dossiers["binary"]
    groups = result(found, check).details["groups"]
    low = {"group": "low", "n": 90, "rows": 90, "value": 0.5, "low": 0.4, "high": 0.6}
    fine = {**low, "group": "fine", "high": 0.95}
    other = changed(found, check, groups={**groups, "sex": [low, fine]})
    said = words(prediction_sets.summary(refs.book(other)))
    assert "They hold it less often than that, by the whole of the interval, for: " in said
    named = said.partition("interval, for: ")[2]
    assert "low 0.500 [0.400, 0.600]" in named
    assert "fine" not in named


@pytest.mark.parametrize(("high", "said"), [(0.89, 1), (0.9, 0)])
def test_a_coverage_of_all_rows_below_the_nominal_level_is_told(
    dossiers: dict[str, Dossier], high: float, said: int
) -> None:
    """The whole falls short before any group does, and only where its whole interval lies below the level."""
    check = "explanation.conformal_coverage"
    found = dossiers["binary"]
    first = result(found, check).measures[0]
    assert first.interval is not None
    low = first.model_copy(update={"interval": first.interval.model_copy(update={"low": 0.8, "high": high})})
    results = tuple(
        one.model_copy(update={"measures": (low, *one.measures[1:])}) if one.check_id == check else one
        for one in found.evaluate.results
    )
    other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    told = words(prediction_sets.summary(refs.book(other)))
    assert told.count("Over all test rows they hold it less often than the nominal level") == said


@pytest.mark.parametrize("task", TASKS)
def test_every_threshold_is_told_as_a_rule(rendered: dict[str, Rendered], task: str) -> None:
    """Whoever operates the model finds the rule of each set in the page."""
    for row in result(rendered[task].dossier, "explanation.conformal_coverage").details["thresholds"]:
        assert row["rule"] in rendered[task].page


def test_bins_are_drawn_with_their_intervals(rendered: dict[str, Rendered]) -> None:
    """The reliability diagram has a whisker for each bin; a record of an older version is drawn without."""
    found = rendered["binary"].dossier
    bins = result(found, "performance.ece").details["bins"]
    figure = calibration.reliability(refs.book(found))
    assert figure is not None
    assert figure.svg.count("whisker") == len(bins)
    old = [{k: v for k, v in b.items() if not k.startswith("observed_")} for b in bins]
    figure = calibration.reliability(refs.book(changed(found, "performance.ece", bins=old)))
    assert figure is not None
    assert "whisker" not in figure.svg
    assert "interval at level" not in words([figure.alt])


@pytest.mark.slow
def test_without_the_checks_the_chapter_says_so(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """No result of the family: one sentence. Results without details: no figure, no sentence, and the numbers stay."""
    found = dossiers["binary"]
    none = tuple(r for r in found.evaluate.results if not r.check_id.startswith("explanation."))
    empty = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": none}))
    assert "No such check was recorded." in words([tuple(tree.walk_section(explanation.section(refs.book(empty))))])
    bare = tuple(r.model_copy(update={"details": {}}) for r in found.evaluate.results)
    book = refs.book(dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": bare})))
    for module in (attributions, prediction_sets, strange_inputs):
        assert module.summary(book) == []
        assert module.section(book) == []
    text = words([tuple(tree.walk_section(explanation.section(book)))])
    assert "Coverage of prediction sets" in text
    assert render(empty, tmp_path).record.gaps


def test_a_check_without_a_gradient_is_a_gap(rendered: dict[str, Rendered]) -> None:
    """What was not measured is printed as missing, with the reason."""
    assert any("Not measured: Integrated gradients" in gap for gap in rendered["binary"].record.gaps)
