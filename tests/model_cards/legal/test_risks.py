"""The risk management file: the register as tools read it, controls beside their tests, what nobody has assessed."""

from __future__ import annotations

import dataclasses
import re

import pytest

from evidence.dossier import Dossier
from model_cards import refs, render_markdown, report, stated, tree
from model_cards.legal import annex_iv, brief, declaration, registry, risks
from tests.model_cards import builders
from tests.model_cards.legal import stating


def _book(found: Dossier, *register: dict[str, object]) -> refs.Book:
    return refs.book(stating.answered(found, *register))


def _with_status(found: Dossier, check: str, status: str) -> Dossier:
    """The dossier with another outcome of one check, in result and gate."""
    results = tuple(
        r.model_copy(update={"status": status}) if r.check_id == check else r for r in found.evaluate.results
    )
    reasons = tuple(r.model_copy(update={"status": status}) if r.check_id == check else r for r in found.gate.reasons)
    return dataclasses.replace(
        found,
        evaluate=found.evaluate.model_copy(update={"results": results}),
        gate=found.gate.model_copy(update={"reasons": reasons}),
    )


def test_headings_and_lines_are_those_that_tools_read(dossiers: dict[str, Dossier]) -> None:
    """`### Risk 1`, then Risk, Source, Consequence, Affected, Impact areas and Control, each on a line of its own."""
    text = render_markdown.render(risks.build(_book(dossiers["binary"], stating.RISK)))
    block = text.partition("### Risk 1\n")[2].partition("###")[0]
    found = dict(re.findall(r"^([A-Z][a-z ]+): (.*)$", block, re.MULTILINE))
    assert found["Risk"] == stating.RISK["title"]
    assert found["Source"] == stating.RISK["source"]
    assert found["Consequence"] == stating.RISK["consequence"]
    assert found["Affected"] == "Patients"
    assert found["Impact areas"] == "health"
    assert found["Control"] == stating.RISK["control"]
    assert "Jana Beispiel" in found["Residual risk"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pass", "Every test with a threshold that is named for this control passed."),
        ("fail", "This control is NOT shown: a test that is named for it failed."),
        ("inconclusive", "Whether this control works is open"),
        ("not_measured", "This control is NOT shown: a test that is named for it was not made."),
    ],
)
def test_a_control_is_only_as_good_as_its_test(dossiers: dict[str, Dossier], status: str, words: str) -> None:
    """The outcome of the named check decides what is said of the control, and stands beneath it with its numbers."""
    found = _with_status(dossiers["binary"], "performance.roc_auc", status)
    book = _book(found, stating.RISK)
    section = next(s for s in risks.build(book).sections if s.id == "register").sections[0]
    assert words in tree.plain(tuple(tree.walk_section(section)))
    table = next(b for b in section.blocks if isinstance(b, tree.Table))
    measured = next(r for r in found.evaluate.results if r.check_id == "performance.roc_auc").measures[0]
    values = [p.value for row in table.rows for cell in row for p in cell if isinstance(p, refs.Fact)]
    assert measured.value in values
    assert status in values


@pytest.mark.slow
def test_no_test_named_is_said(dossiers: dict[str, Dossier]) -> None:
    """A control that no check shows is not passed over."""
    book = _book(dossiers["binary"], stating.RISK | {"shown_by": []})
    gap = "check that shows the control of the risk"
    for document in (risks.build(book), annex_iv.build(book), report.tree_of(book)):
        assert any(gap in words for words in tree.gaps(document))


def test_an_overdue_review_and_a_missing_acceptance_are_said(dossiers: dict[str, Dossier]) -> None:
    """A review before the day of the decision is overdue; a risk that nobody accepted is a gap with its place."""
    late = {k: v for k, v in stating.RISK.items() if k != "acceptance"} | {"review_on": "2026-11-21"}
    document = risks.build(_book(dossiers["binary"], late))
    text = tree.plain(tuple(tree.walk(document)))
    assert "overdue: due on 2026-11-21" in text
    assert any("acceptance of what remains" in gap and "management" in gap for gap in tree.gaps(document))
    same_day = risks.build(_book(dossiers["binary"], stating.RISK | {"review_on": "2026-11-22"}))
    assert "overdue" not in tree.plain(tuple(tree.walk(same_day)))


@pytest.mark.parametrize(
    ("changed", "reservation"),
    [
        ({"at": "2026-11-20"}, " – given before this run"),
        ({"at": "2026-11-22T23:00:00Z"}, ""),
        (
            {"at": "2026-11-20", "status": "carried", "carried_from": "first"},
            " – carried over from run first, not yet confirmed",
        ),
        ({"at": "2026-11-20", "status": "outdated"}, "outdated"),
    ],
)
def test_a_reservation_on_an_acceptance_stands_wherever_it_is_told(
    dossiers: dict[str, Dossier], changed: dict[str, object], reservation: str
) -> None:
    """Carried over, outdated or older than the tests it judges: said at a glance, in the section and in the report."""
    found = stating.answered(dossiers["binary"], stating.RISK)
    assert found.answers is not None
    (risk,) = found.answers.risks
    assert risk.acceptance is not None
    risk = risk.model_copy(update={"acceptance": risk.acceptance.model_copy(update=changed)})
    book = refs.book(dataclasses.replace(found, answers=found.answers.model_copy(update={"risks": (risk,)})))
    document = risks.build(book)
    glance = next(b for s in document.sections if s.id == "overview" for b in s.blocks if isinstance(b, tree.Table))
    told = [tree.plain(glance.rows[0][4])]
    register = next(s for s in document.sections if s.id == "register")
    told.append(
        tree.plain(
            dict(next(b for b in register.sections[0].blocks if isinstance(b, tree.Labels)).rows)["Residual risk"]
        )
    )
    told.append(tree.plain(stated.acceptance(book["answers"]["risks"][0], book)))
    for words in told:
        assert reservation in words
        assert ("given before" in words) is ("given before" in reservation)
        assert ("carried over" in words) is ("carried over" in reservation)
    assert risks.data(book)["risks"][0]["accepted_before_run"] is (changed.get("at") != "2026-11-22T23:00:00Z")


def test_what_the_run_found_and_no_risk_names_is_listed(dossiers: dict[str, Dossier]) -> None:
    """Each failed or open line of the gate stands under the suggestions until a risk names its check."""
    found = _with_status(dossiers["binary"], "performance.roc_auc", "fail")
    for register, listed in (((), True), ((stating.RISK,), False)):
        section = next(s for s in risks.build(_book(found, *register)).sections if s.id == "suggested")
        shown = {p.value for p in tree.walk_section(section) if isinstance(p, refs.Fact)}
        assert ("performance.roc_auc" in shown) == listed
        others = {r.check_id for r in found.gate.reasons if r.status in risks.BAD} - {"performance.roc_auc"}
        assert others <= {str(name).partition("@")[0] for name in shown}


def _suggested(book: refs.Book) -> tuple[set[str], str]:
    """Check and slice of every line that is suggested, and the whole chapter in words."""
    section = next(s for s in risks.build(book).sections if s.id == "suggested")
    (table,) = (b for b in section.blocks if isinstance(b, tree.Table))
    return {tree.plain(row[3]) for row in table.rows}, tree.plain(tuple(tree.walk_section(section)))


def test_a_risk_covers_the_slice_that_it_names_and_no_other(dossiers: dict[str, Dossier]) -> None:
    """A check with two attributes stays listed for the one that no risk names; without a slice, for both."""
    found = dossiers["binary"]
    check = "fairness.equal_opportunity_difference"
    reason = next(r for r in found.gate.reasons if r.slice != "overall").model_copy(update={"status": "inconclusive"})
    slices = ("sex", "age_group")
    reasons = tuple(reason.model_copy(update={"check_id": check, "slice": where}) for where in slices)
    gates = [{"check": check, "slice": where, "at_most": 0.1, "rationale": "Asked."} for where in slices]
    found = dataclasses.replace(
        builders.with_plan(found, {"policy": {"gates": gates}}), gate=found.gate.model_copy(update={"reasons": reasons})
    )
    both = {f"{check}@{where}" for where in slices}
    for named, left in (([check], both), ([f"{check}@sex"], {f"{check}@age_group"}), ([f"{check}@sex=male"], both)):
        listed, words = _suggested(_book(found, stating.RISK | {"shown_by": named}))
        assert listed & both == left
        assert "A risk that names a check covers its line on the whole" in words
    for named, where in ((["performance.roc_auc"], both), ([*sorted(both)], set())):
        listed, words = _suggested(_book(found, stating.RISK | {"shown_by": named}))
        assert listed & both == where
        assert "A risk that names a check covers" not in words


def test_a_control_with_a_slice_is_judged_by_that_slice(dossiers: dict[str, Dossier]) -> None:
    """Another group that failed says nothing of it; a check that the run has not made is said."""
    found = dossiers["binary"]
    result = next(r for r in found.evaluate.results if r.check_id == "fairness.selection_rate")
    attribute = next(m.slice for m in result.measures if "=" in m.slice).partition("=")[0]
    for named, words in (
        (f"{result.check_id}@{attribute}", "the policy sets no threshold"),
        (f"{result.check_id}@no_such_attribute", "a test that is named for it was not made"),
    ):
        book = _book(found, stating.RISK | {"shown_by": [named]})
        section = next(s for s in risks.build(book).sections if s.id == "register").sections[0]
        assert words in tree.plain(tuple(tree.walk_section(section)))
    said = tree.plain(
        stated.shown_by(
            _book(found, stating.RISK | {"shown_by": [f"{result.check_id}@{attribute}"]})["answers"]["risks"][0],
            _book(found),
        )
    )
    assert f"({attribute})" in said
    assert "no threshold" in said


def test_no_risk_in_misuse_hides_a_misuse_that_the_plan_foresees(dossiers: dict[str, Dossier]) -> None:
    """Each stays listed beside the risks that arise in misuse; whether they cover it a person judges."""
    foreseen = ["Use on children", "Use without a physician"]
    found = builders.with_plan(dossiers["binary"], {"system": {"foreseeable_misuse": foreseen}})
    for in_misuse, sentence in ((False, "no risk of the register arises in misuse"), (True, "for a person to judge")):
        _, words = _suggested(_book(found, stating.RISK | {"in_misuse": in_misuse}))
        assert sentence in words
        assert all(misuse in words for misuse in foreseen)


def test_without_a_register_the_file_is_a_gap(dossiers: dict[str, Dossier]) -> None:
    """An empty register is no sign that there is no risk."""
    document = risks.build(refs.book(dossiers["binary"]))
    assert any("register of risks" in gap for gap in tree.gaps(document))


def test_the_register_for_programs_says_the_same(dossiers: dict[str, Dossier]) -> None:
    """The JSON holds each risk as it was stated, with the outcome of its tests and where these stand."""
    found = _with_status(dossiers["binary"], "performance.roc_auc", "fail")
    (risk,) = risks.data(_book(found, stating.RISK))["risks"]
    assert {k: risk[k] for k in ("id", "source", "control", "severity")} == {
        k: stating.RISK[k] for k in ("id", "source", "control", "severity")
    }
    assert risk["control_shown"] == "no: a test failed"
    assert risk["tests"][0]["outcomes"] == ["fail"]


@pytest.mark.slow
def test_a_statement_on_every_residual_risk_has_to_agree_with_the_register(dossiers: dict[str, Dossier]) -> None:
    """Beside a risk that nobody accepted it stands against a signature, by name; beside an accepted one it does not."""
    open_risk = {k: v for k, v in stating.RISK.items() if k != "acceptance"}
    for register, disagrees in ((open_risk, True), (stating.RISK, False)):
        book = _book(stating.passing(dossiers["binary"]), register)
        where = [tree.plain(o.where) for o in declaration.against(book)]
        assert ("proofline answer --only residual_risk" in where) is disagrees
        said = tree.plain(tuple(tree.walk(risks.build(book))))
        assert ("has accepted the residual risk of 1 of 1 risks" in said) is disagrees
        shown = tree.plain(tuple(tree.walk(annex_iv.build(book))))
        assert ("they have to agree (for the management)" in shown) is disagrees


def test_the_report_says_which_review_is_overdue(dossiers: dict[str, Dossier]) -> None:
    """As the risk file does: a day before the decision is not shown as a day to come."""
    for day, late in (("2026-11-21", True), ("2027-05-31", False)):
        section = stated.section(_book(dossiers["binary"], stating.RISK | {"review_on": day}))
        said = tree.plain(tuple(tree.walk_section(section)))
        assert day in said
        assert (f"{day}: overdue when this run was decided" in said) is late


def test_nothing_is_not_missing_while_findings_are_in_no_risk(dossiers: dict[str, Dossier]) -> None:
    """Findings that no risk names are counted where the document says what is missing."""
    book = _book(_with_status(dossiers["binary"], "performance.roc_auc", "fail"), stating.RISK | {"shown_by": []})
    document = registry.BUILDERS["risk_management"](book)
    (pairs,) = (b for b in document.sections[0].blocks if isinstance(b, tree.Pairs))
    suggested = next(s for s in document.sections if s.id == "suggested")
    lines = next(b for b in suggested.blocks if isinstance(b, tree.Table)).rows
    assert f"{len(lines)} findings of the run are in no risk (below)." in tree.plain(dict(pairs.rows)[brief.MISSING])
    assert "Nothing that this document asks for" not in tree.plain(dict(pairs.rows)[brief.MISSING])
    overview = next(s for s in document.sections if s.id == "overview")
    assert "for a person to judge" in tree.plain(tuple(tree.walk_section(overview)))
