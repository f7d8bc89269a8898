from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from evidence import records
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from tests.model_cards import builders, pages
from tests.model_cards.builders import Rendered, render

TASKS = ("binary", "multiclass", "regression")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dossier]:
    """Dossiers whose checks were given the model's derivatives."""
    place = tmp_path_factory.mktemp("runs")
    return {t: builders.build(RunFolder(place / t), builders.plan_of(t), derivatives=True) for t in TASKS}


@pytest.fixture(scope="module")
def documents(attacked: dict[str, Dossier], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rendered]:
    """Their documents."""
    place = tmp_path_factory.mktemp("documents")
    return {task: render(dossier, place / task) for task, dossier in attacked.items()}


def _evasion(dossier: Dossier) -> records.CheckResult:
    return next(r for r in dossier.evaluate.results if r.check_id == "robustness.evasion")


def _chapter(page: str) -> pages.Page:
    start = page.index('<section id="attacks"')
    return pages.read(page[start : page.index("</section>", start) + len("</section>")])


@pytest.mark.parametrize("task", TASKS)
def test_every_attack_has_a_line_between_clean_and_worst(documents: dict[str, Rendered], task: str) -> None:
    """Name, settings, a score at each budget and the interval; all as the evidence has them."""
    found = _evasion(documents[task].dossier)
    text = _chapter(documents[task].page).all("section")[0].text
    for attack in found.details["attacks"]:
        measure = next(m for m in found.measures if m.name == f"robustness.evasion.{attack['attack']}")
        assert attack["title"] in text
        assert attack["how"] in text
        assert attack["curve"][-1]["value"] == measure.value
    names = {a["attack"] for a in found.details["attacks"]}
    own = {"binary": {"apgd_ce", "apgd_dlr"}, "multiclass": {"apgd_ce", "apgd_dlr", "apgd_t"}}
    assert names == {"pgd", "square"} | own.get(task, {"apgd_se", "apgd_t"})
    assert "Unchanged inputs" in text
    assert "Worst case, row by row" in text


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_curve_is_drawn_once(documents: dict[str, Rendered], task: str) -> None:
    """One figure holds the worst case and the questions alone; the chapter on faults has none of them."""
    figures = [e.attributes["aria-label"] for e in pages.read(documents[task].page).all("figure")]
    (drawn,) = [label for label in figures if "under attack" in label or "attacked rows" in label]
    assert "worst of all attacks" in drawn
    assert "questions alone" in drawn
    assert "on unchanged inputs (thin line)" in drawn


@pytest.mark.slow
def test_what_speaks_against_the_attack_stands_first(attacked: dict[str, Dossier], tmp_path: Path) -> None:
    """A question that was answered with no is said in plain words before the numbers."""
    found = attacked["binary"]
    result = _evasion(found)
    entries = [{**entry, "sound": False} for entry in result.details["validity"]]
    spoiled = result.model_copy(update={"details": {**result.details, "validity": entries}})
    results = tuple(spoiled if r is result else r for r in found.evaluate.results)
    changed = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    page = render(changed, tmp_path).page
    assert page.index("Failed check of the attack: ") < page.index("Worst case, row by row")
    assert page.count("Failed check of the attack: ") == len(entries)


def test_budgets_and_remarks_are_listed(documents: dict[str, Rendered]) -> None:
    """Each feature that can be attacked stands with its budget."""
    found = _evasion(documents["binary"].dossier)
    text = _chapter(documents["binary"].page).all("section")[0].text
    assert found.details["budget"]
    assert all(row["feature"] in text for row in found.details["budget"])


def test_without_a_gradient_the_questions_stand_alone(rendered: dict[str, Rendered]) -> None:
    """Where no gradient was given the chapter shows what questions found, and claims no worst case."""
    text = _chapter(rendered["binary"].page).all("section")[0].text
    assert "Accuracy under query-only attack" in text
    assert "Worst case, row by row" not in text
