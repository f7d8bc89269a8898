from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from checks import catalogue
from evidence import records
from evidence.dossier import Dossier
from model_cards import blocks, classification, decision, effect, gaps, refs, report, training, tree
from tests.model_cards import builders, pages
from tests.model_cards.builders import Rendered, render

TASKS = ("binary", "multiclass", "regression")


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_card_and_report_list_the_same_gaps(
    rendered: dict[str, Rendered], dossiers: dict[str, Dossier], task: str
) -> None:
    """Neither document is silent about something that the other one prints as missing."""
    from model_cards import card

    book = refs.book(dossiers[task])
    in_card = (*tree.gaps(card.tree_of(book)), *tree.gaps(card.annex_of(book)))
    in_report = tree.gaps(report.tree_of(book))
    assert set(in_card) == set(in_report) <= set(rendered[task].record.gaps)
    assert len(gaps.not_covered(book)) == sum(g.startswith("Not covered: ") for g in in_card) >= 2
    for question in ("Is the use listed in Annex III?", "Does it profile natural persons (GDPR Art. 4(4))?"):
        assert question in rendered[task].card + rendered[task].annex


@pytest.mark.slow
def test_order_of_the_report(rendered: dict[str, Rendered]) -> None:
    """Outcome, what is open, effect, gaps and the answers come before any detail."""
    titles = [e.attributes["id"] for e in pages.read(rendered["binary"].page).all("h2")]
    first = ["h-summary", "h-open", "h-effect", "h-gaps", "h-classification", "h-limitations"]
    assert titles[: len(first)] == first


def test_gaps_stand_under_the_person_who_can_fill_them(dossiers: dict[str, Dossier]) -> None:
    """Every gap follows the heading of its owner, and a missing reference population is the provider's to state."""
    section = gaps.section(report.all_gaps(refs.book(dossiers["binary"])))
    owner = ""
    found = []
    for block in section.blocks:
        if isinstance(block, tree.Paragraph) and block.kind == "owner":
            owner = str(block.content[1])
        if isinstance(block, tree.Bullets):
            for (gap,) in block.items:
                assert isinstance(gap, refs.Gap)
                assert gap.who == owner
                found.append(gap)
    assert {g.who for g in found if "Representativeness" in g.text} == {"provider"}


def test_failures_come_first_among_the_tiles(dossiers: dict[str, Dossier]) -> None:
    """No passed gate is shown before one that failed or stayed open, whatever its place in the plan."""
    found = dossiers["binary"]
    reasons = list(found.gate.reasons)
    gates = [i for i, r in enumerate(reasons) if r.check_id == "performance.roc_auc" or r.check_id.startswith("fair")]
    reasons[gates[-1]] = reasons[gates[-1]].model_copy(update={"status": "fail"})
    changed = dataclasses.replace(found, gate=found.gate.model_copy(update={"reasons": tuple(reasons)}))
    order = [tile.status for tile in decision.headlines(refs.book(changed)).tiles]
    assert order[0] == "fail"
    assert order == sorted(order, key=("fail", "inconclusive", "not_measured", "not_applicable", "pass").index)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_baseline_follows_from_the_confusion_matrix(rendered: dict[str, Rendered], task: str) -> None:
    """Right labels of the model and of always giving the largest class are counted from the matrix."""
    found = rendered[task]
    counts = _result(found.dossier, "performance.confusion_matrix").details["matrix"]
    total, right = sum(map(sum, counts)), sum(row[i] for i, row in enumerate(counts))
    text = _text(found.page, "h-effect")
    assert f"Of {total} test rows the model labels {right} rightly." in text
    assert f"would be right for {max(map(sum, counts))}:" in text


def test_effect_says_who_is_labelled_what(rendered: dict[str, Rendered]) -> None:
    """For a binary task: the positive class, its threshold, and wrong labels of both classes in counts."""
    found = rendered["binary"]
    matrix = _result(found.dossier, "performance.confusion_matrix").details["matrix"]
    negative, positive = found.dossier.encode.classes
    text = _text(found.page, "h-effect")
    assert f"Positive class: {positive}." in text
    assert f"Of {sum(matrix[1])} test rows that are {positive}, {matrix[1][0]} are labelled {negative}." in text
    assert f"Of {sum(matrix[0])} test rows that are {negative}, {matrix[0][1]} are labelled {positive}." in text


def test_counts_per_group_are_the_counted_rows(dossiers: dict[str, Dossier]) -> None:
    """The labels of all groups of an attribute add up to the column of the confusion matrix."""
    from model_cards import effect

    found = dossiers["binary"]
    matrix = _result(found, "performance.confusion_matrix").details["matrix"]
    rows = _result(found, "fairness.selection_rate").details["groups"]["sex"]
    counted = [effect.share(refs.Node("e", "", row))[0] for row in rows]
    assert sum(int(fact.value) for fact in counted if isinstance(fact, refs.Fact)) == matrix[0][1] + matrix[1][1]


def test_rates_on_few_rows_are_named_with_their_rows(rendered: dict[str, Rendered]) -> None:
    """Exactly the rates below the policy's number are listed, with the rows they rest on."""
    found = rendered["binary"]
    least = found.dossier.plan.policy.minimum_group_size
    expected = {
        (attribute, row["group"], str(row["rows"]))
        for result in found.dossier.evaluate.results
        if result.check_id in ("fairness.selection_rate", "fairness.true_positive_rate", "fairness.false_positive_rate")
        for attribute, rows in result.details["groups"].items()
        for row in rows
        if row["rows"] < least
    }
    assert expected
    lines = _table(found.page, "Rates that rest on few rows")
    assert expected <= {(line[0], line[1], line[3]) for line in lines}
    assert all(int(line[3]) < least for line in lines)


def test_no_groups_is_no_praise(rendered: dict[str, Rendered]) -> None:
    """Without protected attributes nothing is said about the size of groups."""
    assert "Every rate of every group" not in rendered["multiclass"].page
    assert "No groups were compared." in rendered["multiclass"].card


def test_groups_are_defined(rendered: dict[str, Rendered]) -> None:
    """Every protected attribute stands in the table of definitions with its column."""
    lines = _table(rendered["binary"].page, "How the groups are defined")
    declared = {(p.name, p.column) for p in rendered["binary"].dossier.plan.data.protected}
    assert {(line[0], line[2].partition(": ")[0]) for line in lines} == declared
    described = {c.name: c.description for c in rendered["binary"].dossier.plan.data.columns}
    for line in lines:  # a code without a label is explained by what the plan says of its column
        name, _, words = line[2].partition(": ")
        assert words == (described[name] or "")


def test_a_gate_that_is_not_required_is_reported_only(rendered: dict[str, Rendered]) -> None:
    """The words stand beside the outcome in the table of the measures."""
    optional = [g for g in rendered["binary"].dossier.plan.policy.gates if not g.required]
    assert optional
    assert ", reported only" in _text(rendered["binary"].page, "h-fairness")


def test_robustness_shows_the_clean_score_beside_the_worst(rendered: dict[str, Rendered]) -> None:
    """The score on unchanged inputs and how the test was made stand in one line."""
    found = rendered["binary"]
    noise = _result(found.dossier, "robustness.noise")
    line = next(row for row in _table(found.page, "How the tests were made") if row[0] == noise.title)
    assert line[1] == noise.measures[0].note
    assert line[2] == f"{noise.details['clean']:.3f}"


def test_a_fall_without_threshold_is_a_limitation(rendered: dict[str, Rendered]) -> None:
    """What no threshold watches over is told among the limitations; checks that need none are not."""
    text = _text(rendered["binary"].page, "h-limitations")
    gated = {g.check for g in rendered["binary"].dossier.plan.policy.gates}
    open_ = [r for r in rendered["binary"].dossier.evaluate.results if r.check_id.startswith("robustness.")]
    told = [r for r in open_ if r.check_id not in gated and r.measures and r.measures[0].value is not None]
    assert told
    assert all(r.title in text for r in told)
    assert "the policy sets no threshold." in text
    assert "not applicable" not in text


@pytest.mark.slow
@pytest.mark.parametrize("seen", [0, 40])
def test_test_rows_seen_in_training_are_a_limitation(dossiers: dict[str, Dossier], tmp_path: Path, seen: int) -> None:
    """Test rows that equal a training row are counted in plain sight, and only where there are some."""
    found = dossiers["binary"]
    changed = []
    for result in found.govern.results:
        details: dict[str, Any] = dict(result.details)
        if result.check_id == "data.duplicates_across_splits":
            details["rows"] = [{"in": "test", "also_in": "train", "features_and_target": seen, "n": 88}]
        changed.append(result.model_copy(update={"details": details}))
    other = dataclasses.replace(found, govern=found.govern.model_copy(update={"results": tuple(changed)}))
    text = _text(render(other, tmp_path).page, "h-limitations")
    assert ("Rows already seen: 40 of 88 test rows (45.5\u00a0%)" in text) == bool(seen)


def test_waivers_are_not_denied(rendered: dict[str, Rendered]) -> None:
    """The documents are older than the approval: they say where its waivers stand, not that there are none."""
    for document in (rendered["binary"].page, rendered["binary"].card + rendered["binary"].annex):
        assert "No waiver was given" not in document
        assert "they stand in the approval (approvals/ of the run) and in the bundle" in document


def test_limits_say_that_they_have_no_rationale(rendered: dict[str, Rendered]) -> None:
    """Every limit of the checks on data stands with its value and where it comes from."""
    lines = _table(rendered["binary"].page, "Limits of the checks on data")
    assert len(lines) == len(type(rendered["binary"].dossier.plan.policy.governance).model_fields) + 1
    assert all(line[2].endswith("no rationale stated") for line in lines)


HIGH = {"ai_system": "yes", "outside_scope": "no", "annex_i_product": "no", "annex_i_point": None}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (
            HIGH | {"annex_iii_use": "yes", "annex_iii_point": "5(b)", "derogation_claimed": "no"},
            "score of natural persons (detecting fraud is no such use); a person must confirm",
        ),
        ({"prohibited_practice": "yes"}, "point to a prohibited practice"),
        (HIGH | {"annex_iii_use": "unknown"}, "the class stays open"),
        ({"annex_iii_use": "yes", "derogation_claimed": "yes", "profiling": "yes"}, "rules the derogation out"),
    ],
)
def test_answers_have_a_consequence(dossiers: dict[str, Dossier], answers: dict[str, str], words: str) -> None:
    """What the answers point to is said, and left to a person."""
    changed = builders.with_plan(dossiers["binary"], {"classification": answers})
    section = classification.section(refs.book(changed))
    assert words in "".join(tree.plain((part,)) for part in tree.walk_section(section))


def test_an_answer_names_the_entry_of_the_annex(dossiers: dict[str, Dossier]) -> None:
    """A point of Annex I is told with its place and its words: `yes: 11` says nothing to a reader."""
    answers = {"annex_i_product": "yes", "annex_i_point": "11", "annex_iii_use": "no"}
    section = classification.section(refs.book(builders.with_plan(dossiers["binary"], {"classification": answers})))
    table = next(b for b in section.blocks if isinstance(b, tree.Table))
    said = [tree.plain(row[2]) for row in table.rows]
    assert "yes: Annex I, Section A, 11 (Medical devices)" in said


def test_the_summary_begins_with_what_the_system_is_for(dossiers: dict[str, Dossier]) -> None:
    """The purpose stands before the outcome: a number means nothing to who does not know what was tested."""
    for dossier in dossiers.values():
        book = refs.book(dossier)
        first, purpose, *_ = report.tree_of(book).sections[0].blocks
        assert "not tested" in "".join(map(str, tree.walk_block(first)))
        assert tree.plain(purpose.content) == book.plan.value["system"]["intended_purpose"]


def test_the_summary_says_where_a_signature_is_weighed(dossiers: dict[str, Dossier]) -> None:
    """A reader of the report finds what stands against a signature, where a document tells it; else nothing is said."""
    high = {"annex_i_product": "yes", "annex_i_point": "11", "annex_iii_use": "no"}
    low = {"annex_i_product": "no", "annex_i_point": None, "annex_iii_use": "no"}
    found = []
    for answers in (high, low):
        book = refs.book(builders.with_plan(dossiers["binary"], {"classification": answers}))
        said = tree.walk_section(report.tree_of(book).sections[0])
        found.append([part.address("html") for part in said if isinstance(part, tree.Link)])
    assert found == [["annex_iv.html#brief-sign"], []]


def test_a_check_has_one_outcome_everywhere(dossiers: dict[str, Dossier]) -> None:
    """What was measured without a limit is told so in the list of the decision, in its chapter and in the counts."""
    book = refs.book(dossiers["binary"])
    free = [v for v in blocks.verdicts(book) if not v.of_policy and v.result is not None and v.result["measures"]]
    assert free
    assert all(blocks.status_of(v)[0].shown == blocks.outcome(v.result).shown for v in free)


def test_what_a_reason_says_is_not_said_again() -> None:
    """A gate that names the groups with too few rows is not followed by the note that names them once more."""
    note = "too few rows in Asian, Other; 7 of 90 test rows have no group"
    measure = refs.Node("r.json", "", {"note": note, "value": 0.1})
    told = "“Asian” and “Other” have fewer than 50 rows to be measured on"
    assert tree.plain(blocks.note_of(measure, told)) == "; 7 of 90 test rows have no group"
    assert tree.plain(blocks.note_of(measure, "another reason")) == f"; {note}"


def test_measures_are_explained(rendered: dict[str, Rendered]) -> None:
    """Every measure that gave a number has the catalogue's definition, range, direction, best value and reference."""
    lines = {
        line[0]: line
        for family in ("h-performance", "h-fairness", "h-robustness", "h-explanation")
        for line in _table(rendered["binary"].page, "What these measures mean", within=family)
    }
    ratio = catalogue.METRICS["fairness.demographic_parity_ratio"]
    assert lines["Demographic parity ratio"][1:] == [
        ratio.definition, "0 to 1", "higher is better", "1", ratio.reference,
    ]  # fmt: skip
    assert lines["Equal opportunity difference"][2:5] == ["0 to 1", "lower is better", "0"]
    assert lines["Log loss"][2:5] == ["0 or more", "lower is better", "0"]
    assert lines["Calibration slope"][2:5] == ["any number", "descriptive", "–"]
    measured = {
        r.title
        for r in rendered["binary"].dossier.evaluate.results
        if any(m.value is not None for m in r.measures) and not r.check_id.startswith("security.")
    }
    assert measured == set(lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["20261122-100000-test", 'x"; } body { display: none } @page { a: "'])
def test_printed_pages_name_the_run(dossiers: dict[str, Dossier], tmp_path: Path, name: str) -> None:
    """The foot of every page is that of every document; a name with other characters never enters the style."""
    found = render(dataclasses.replace(dossiers["binary"], run_id=name), tmp_path)
    style, book = pages.read(found.page).all("style")[0].text, refs.book(found.dossier)
    foot = f"Draft, not a declaration. Run {name}. Evidence sha256 {book.evidence_sha256.value}. Law: CELEX 02024R1689-"
    assert (foot in style) == bool(re.fullmatch(r"[\w-]+", name))
    assert "display: none } @page" not in style


def _result(found: Dossier, check_id: str) -> records.CheckResult:
    return next(r for r in found.results() if r.check_id == check_id)


def _text(page: str, heading: str) -> str:
    """The text of a chapter."""
    section = next(e for e in pages.read(page).all("section") if e.attributes["aria-labelledby"] == heading)
    return " ".join(section.text.replace("\u00a0%", "\u00a0%").split(" "))


def _table(page: str, caption: str, within: str | None = None) -> list[list[str]]:
    """The body of a table as text, by the beginning of its caption."""
    source = page
    if within:
        source = page[page.index(f'aria-labelledby="{within}"') :]
    start = source.index(f"<caption>{caption}")
    body = source[source.index("<tbody", start) : source.index("</tbody>", start)]
    rows = re.findall(r"<tr.*?</tr>", body, flags=re.DOTALL)
    return [[_plain(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.DOTALL)] for row in rows]


def _plain(cell: str) -> str:
    import html

    return html.unescape(re.sub(r"<[^>]*>", "", cell)).strip()


@pytest.mark.slow
def test_a_collapse_that_passed_stands_beside_the_outcome(dossiers: dict[str, Dossier], tmp_path: Path) -> None:
    """A gate that passed far below the score on unchanged inputs is told in the chapter on what is open."""
    found = dossiers["binary"]
    words, reasons = "on unchanged inputs", []
    for reason in found.gate.reasons:
        passed = reason.check_id == "robustness.noise"
        text = {"status": "pass", "text": f"{reason.text}; 0.92 {words}"} if passed else {}
        reasons.append(reason.model_copy(update=text))
    assert any(reason.check_id == "robustness.noise" for reason in reasons)
    other = dataclasses.replace(found, gate=found.gate.model_copy(update={"reasons": tuple(reasons)}))
    plain, told = (_text(render(one, tmp_path / str(i)).page, "h-open") for i, one in enumerate((found, other)))
    assert "Passed, though the score falls far" in told
    assert _result(found, "robustness.noise").title in told
    assert "Passed, though the score falls far" not in plain


def test_findings_on_security_are_limitations(rendered: dict[str, Rendered]) -> None:
    """What an attack on data or confidentiality found without a threshold is told among the limitations."""
    text = _text(rendered["binary"].page, "h-limitations")
    gated = {g.check for g in rendered["binary"].dossier.plan.policy.gates}
    found = [
        r
        for r in rendered["binary"].dossier.evaluate.results
        if r.check_id.startswith("security.") and r.check_id not in gated and r.measures
    ]
    told = [r.title for r in found if r.measures[0].value is not None]
    assert told
    assert all(title in text for title in told)


def test_the_report_says_how_many_processes_trained(dossiers: dict[str, Dossier]) -> None:
    """Number, kind and passes as the record has them, and nothing where an older record is silent."""
    dossier = dossiers["binary"]
    assert dossier.train is not None
    spread = records.Execution(
        ranks=4, parallel="fsdp", why="as the plan says", micro_batches=2, compiled_graphs=3, graph_breaks=0
    )
    told = dataclasses.replace(dossier, train=dossier.train.model_copy(update={"execution": spread}))
    rows = dict(training.model(refs.book(told)).rows)
    shown = "".join(part.shown if isinstance(part, refs.Fact) else str(part) for part in rows["Processes"])
    assert shown == (
        "4, a part of the network's weights, gradients and moments on each (FSDP2); passes for each batch: 2; "
        "graphs compiled by torch.compile: 3"
    )
    assert "Processes" not in dict(training.model(refs.book(dossier)).rows)


def test_the_list_of_documents_claims_no_declaration(dossiers: dict[str, Dossier]) -> None:
    """What is written with a run on the EU declaration of conformity is what stands against one, not a declaration."""
    answers = {"ai_system": "yes", "outside_scope": "no", "annex_iii_use": "yes", "annex_iii_point": "5(b)"}
    changed = builders.with_plan(dossiers["binary"], {"classification": answers})
    section = classification.section(refs.book(changed))
    rows = [row for block in section.blocks if isinstance(block, tree.Table) for row in block.rows]
    (declared,) = [row for row in rows if tree.plain(row[0]) == "EU declaration of conformity"]
    assert tree.plain(declared[-1]) == "its status only"


def test_why_a_value_is_undefined_is_said_once() -> None:
    """The word is not repeated where the note of the measure begins with it, and not lost where it does not."""
    for note in ("undefined: no test row", "no test row"):
        measure = refs.Node("evaluation/results.json", "/results/0/measures/0", {"value": None, "note": note})
        assert tree.plain(blocks.value(measure)) == "undefined: no test row"


def test_no_group_is_named_as_the_least_where_all_fare_alike(dossiers: dict[str, Dossier]) -> None:
    """Equal rates are said to be equal; before, the first group of equals was called the one labelled least often."""
    book = refs.book(dossiers["binary"])
    rates = effect._rows_of(book, "fairness.true_positive_rate")
    assert rates is not None
    name = str(next(iter(book.plan["data"]["protected"])).value["name"])
    level = [dict(row.value) | {"value": 0.6} for row in rates[name]]
    alike = refs.Node("evaluation/results.json", "/level", {name: level})
    said = " ".join(tree.plain(item) for block in effect._sentences(book, alike, effect.missed) for item in block.items)
    assert "equally often" in said
    assert "least often" not in said
