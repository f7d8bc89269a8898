from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from evidence.dossier import Dossier
from model_cards import about, refs, report, tree
from model_cards.tree import Paragraph
from tests.model_cards import builders, pages
from tests.model_cards.builders import Rendered, render

TASKS = ("binary", "multiclass", "regression")
HOSTILE = "</title></style><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@pytest.mark.parametrize("task", TASKS)
def test_page_stands_alone(rendered: dict[str, Rendered], task: str) -> None:
    """No script, nothing loaded, and a policy that would forbid it."""
    page = pages.read(rendered[task].page)
    assert not [e for e in page.elements if e.tag in ("script", "link", "img", "iframe", "object")]
    assert not [e for e in page.elements if "src" in e.attributes or any(k.startswith("on") for k in e.attributes)]
    assert not re.search(r"url\(|@import", page.all("style")[0].text)
    assert any("default-src 'none'" in e.attributes.get("content", "") for e in page.all("meta"))


@pytest.mark.parametrize("task", TASKS)
def test_headings_go_down_one_step_at_a_time(rendered: dict[str, Rendered], task: str) -> None:
    """One h1, and no level is left out."""
    levels = [int(e.tag[1]) for e in pages.read(rendered[task].page).elements if re.fullmatch(r"h[1-6]", e.tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("task", TASKS)
def test_every_link_within_the_page_has_a_target(rendered: dict[str, Rendered], task: str) -> None:
    """The contents lead to sections; no anchor stands twice."""
    page = pages.read(rendered[task].page)
    anchors = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(anchors) == len(set(anchors))
    links = [e.attributes["href"] for e in page.all("a") if e.attributes["href"].startswith("#")]
    assert len(links) > 15
    assert {link[1:] for link in links} <= set(anchors)


@pytest.mark.parametrize("task", TASKS)
def test_tables_and_figures_have_names(rendered: dict[str, Rendered], task: str) -> None:
    """Every table has a caption, every head cell its scope, every figure words that stand for it."""
    page = pages.read(rendered[task].page)
    assert len(page.all("caption")) == len(page.all("table")) > 10
    assert all(e.attributes.get("scope") in ("col", "row") for e in page.all("th"))
    assert len(page.all("figure")) >= 3
    assert all(len(e.attributes["aria-label"]) > 40 for e in page.all("figure"))
    assert all(e.attributes["aria-hidden"] == "true" for e in page.all("svg"))


@pytest.mark.parametrize("task", TASKS)
def test_every_status_is_said_in_a_word(rendered: dict[str, Rendered], task: str) -> None:
    """Colour and sign only repeat what the word says."""
    shown = [
        e for e in pages.read(rendered[task].page).all("span") if "status" in e.attributes.get("class", "").split()
    ]
    assert shown
    for element in shown:
        assert element.text == element.attributes["class"].split()[1].replace("_", " ")


def test_figures_of_each_task(rendered: dict[str, Rendered]) -> None:
    """Each task gets the plots that belong to it."""
    drawn = {task: _titles(rendered[task].page) for task in TASKS}
    classification = {"Training curve", "ROC curve", "Precision and recall", "Calibration", "Confusion matrix"}
    assert classification <= drawn["binary"]
    assert classification <= drawn["multiclass"]
    assert {"Selection rate per group", "True positive rate per group", "Accuracy per group"} <= drawn["binary"]
    assert {"Training curve", "Predicted and observed", "Scores under every test"} <= drawn["regression"]
    assert not {"ROC curve", "Confusion matrix"} & drawn["regression"]


def test_every_kind_of_attack_has_a_result_or_a_reason(dossiers: dict[str, Dossier]) -> None:
    """Each kind of attack that the AI Act names has a line with a number, or with why there is none."""
    from model_cards import refs, security
    from model_cards.refs import Fact, Gap

    for task in TASKS:
        lines = security.table(refs.book(dossiers[task])).rows
        assert {line[0][0] for line in lines} == {kind for kind, _ in security.KINDS}
        assert all(any(isinstance(part, Fact | Gap) for part in line[-1]) for line in lines)


def test_a_kind_of_attack_without_a_check_is_a_gap(dossiers: dict[str, Dossier]) -> None:
    """Where no check answers for a kind, the table says so; it is never left out."""
    from model_cards import refs, security
    from model_cards.refs import Gap

    found = dossiers["binary"]
    kept = tuple(r for r in found.evaluate.results if not r.check_id.startswith("security.membership"))
    bare = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": kept}))
    lines = [line for line in security.table(refs.book(bare)).rows if line[0] == ("Confidentiality",)]
    assert len(lines) == 1
    assert isinstance(lines[0][1][0], Gap)


def test_the_attack_on_confidentiality_is_drawn_on_logarithmic_axes(rendered: dict[str, Rendered]) -> None:
    """The curve begins at the smallest share that the rows can show; ticks are powers of ten."""
    page = rendered["binary"].page
    assert {"Attacks on confidentiality", "Flipped training labels"} <= _titles(page)
    figure = page[page.index("Attacks on confidentiality") :]
    assert all(f">{tick}</text>" in figure for tick in ("0.01", "0.1", "1"))


def test_each_group_is_drawn_with_its_own_numbers(rendered: dict[str, Rendered]) -> None:
    """The mark of a group refers to that group's row of the evidence and shows its size."""
    found = rendered["binary"]
    result = next(r for r in found.dossier.evaluate.results if r.check_id == "fairness.selection_rate")
    index = found.dossier.evaluate.results.index(result)
    marks = {
        e.attributes["data-evidence"]: e.text
        for e in pages.read(found.page).all("g")
        if f"/results/{index}/" in e.attributes.get("data-evidence", "")
    }
    for attribute, rows in result.details["groups"].items():
        for i, row in enumerate(rows):
            text = marks[f"evaluation/results.json#/results/{index}/details/groups/{attribute}/{i}"]
            assert f"{row['group']} (n = {row['rows']}): {row['value']:.3f}".replace(": 0.000", ": 0") in text


@pytest.mark.slow
def test_hostile_plan_stays_text(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Whatever a plan says is shown as it is; no element, attribute or template expression comes of it."""
    plain = pages.read(render(dossiers["binary"], tmp_path / "plain").page)
    system = {"name": HOSTILE, "intended_purpose": HOSTILE, "limitations": [HOSTILE] * 4}
    provenance = dossiers["binary"].plan.data.provenance.model_dump() | {"url": f"https://a.example/{HOSTILE}"}
    data = {"provenance": provenance}
    source = render(builders.with_plan(dossiers["binary"], {"system": system, "data": data}), tmp_path / "hostile").page
    page = pages.read(source)
    differing = {e.tag for e in page.elements} - {e.tag for e in plain.elements}
    assert differing == set()
    assert len(page.all("h2")) == len(plain.all("h2"))
    assert page.all("title")[0].text.startswith("</title></style><script>")
    assert "{{ 7*7 }}" in page.all("h1")[0].text
    assert "\u202e" not in source
    assert not [a for a in page.all("a") if "alert" in a.attributes["href"]]


@pytest.mark.slow
def test_hostile_names_of_groups_and_classes_stay_text(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """Names out of the data are escaped in figures too."""
    import dataclasses

    found = dossiers["binary"]
    changed = []
    for result in found.evaluate.results:
        details = dict(result.details)
        if result.check_id == "fairness.selection_rate":
            details["groups"] = {"sex": [{**row, "group": HOSTILE} for row in details["groups"]["sex"]]}
        if result.check_id == "performance.confusion_matrix":
            details["labels"] = [HOSTILE, HOSTILE]
        changed.append(result.model_copy(update={"details": details}))
    evaluate = found.evaluate.model_copy(update={"results": tuple(changed)})
    page = pages.read(render(dataclasses.replace(found, evaluate=evaluate), tmp_path).page)
    assert not page.all("script")
    assert not page.all("img")
    assert "{{ 7*7 }}" in "".join(e.text for e in page.all("svg"))


def _titles(page: str) -> set[str]:
    return {e.text.strip() for e in pages.read(page).all("div") if e.attributes.get("class") == "title"}


def test_the_summary_says_what_class_the_answers_point_to(dossiers: dict[str, Dossier]) -> None:
    """What is this system, at a glance: its purpose, then the class under the AI Act, before any outcome."""
    summary = report.tree_of(refs.book(dossiers["binary"])).sections[0]
    said = [tree.plain(block.content) for block in summary.blocks if isinstance(block, Paragraph)]
    (at,) = [index for index, words in enumerate(said) if words.startswith("Class under the AI Act: ")]
    assert "A person must confirm." in said[at] or "stays open" in said[at]
    assert said[at - 1] == dossiers["binary"].plan.system.intended_purpose
    assert any(words.startswith("Outcome:") for words in said[at + 1 :])


def test_nothing_stands_between_a_colon_and_its_list(dossiers: dict[str, Dossier]) -> None:
    """Misuse that the provider foresees is named right after the words that announce it."""
    blocks = about.misuse(refs.book(dossiers["binary"])).blocks
    *_, before, named = blocks
    assert isinstance(before, Paragraph)
    assert tree.plain(before.content).endswith("foresees:")
    assert not isinstance(named, Paragraph) or any(isinstance(part, refs.Gap) for part in named.content)
