"""What persons stated, in the documents: with name, role and day; carried over or outdated plainly; open as a gap."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from configs.answers import Acceptance, Answer, AnswersFile, By, Risk
from evidence import answers
from evidence.dossier import Dossier
from model_cards import decision, gaps, refs, report, stated, statements, text, tree
from tests.evidence import builders

BY = By(person="Anna <b>Muster", role="compliance officer", at="2026-11-20")
OTHER = "1" * 64
RISK = Risk(
    id="a-return-is-missed", title="A return is missed", source="The score misses it", consequence="No call is made",
    affected=("In-patients", "relatives"), impact_areas=("health", "fundamental_rights"), likelihood="rare",
    severity="minor", control="The usual call stays", shown_by=("performance.roc_auc", "performance.no_such_check"),
    acceptance=Acceptance(reason="It is small enough.", run="first-run", about_sha256=OTHER), review_on="2027-05-31",
)  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """The records of a small run of a system whose class is open: everything is asked."""
    return builders.dossier(tmp_path_factory.mktemp("space"))[1]


def book(found: Dossier, *said: Answer, risks: tuple[Risk, ...] = ()) -> refs.Book:
    """The places of the run with these answers."""
    file = AnswersFile(version=1, system=found.plan.system.id, by=BY, answers=said, risks=risks)
    stages = ("ingest", "validate", "govern", "encode", "evaluate", "export")
    settled = answers.settle(found.run_id, found.plan, file, {name: getattr(found, name) for name in stages})
    return refs.book(dataclasses.replace(found, answers=settled))


def words(content: tree.Parts) -> str:
    return "".join(p if isinstance(p, str) else p.shown if isinstance(p, refs.Fact) else p.text for p in content)


def test_what_was_stated_has_name_role_and_day(found: Dossier) -> None:
    """Nothing stands without the person behind it, and each of the three is a fact of the record."""
    content = statements.said(book(found, Answer(id="stop", text="It is switched off.")), "stop")
    assert words(content) == "It is switched off. (Anna <b>Muster, compliance officer, 2026-11-20)"
    facts = [p for p in content if isinstance(p, refs.Fact)]
    assert all(fact.evidence.startswith("documents/answers.json#/statements/") for fact in facts)
    assert len(facts) == 4


def test_carried_over_and_outdated_say_so(found: Dossier) -> None:
    """A reader sees at once that nobody has confirmed it for this run."""
    now = {
        s.id: s.about_sha256
        for s in answers.settle("x", found.plan, AnswersFile(version=1, system="x-y"), {}).statements
    }
    same = Answer(id="retention", text="In the archive of the firm.", run="first-run", about_sha256=now["retention"])
    other = Answer(id="stop", text="It is switched off.", run="first-run", about_sha256=OTHER)
    made = book(found, same, other)
    assert words(statements.said(made, "retention")).endswith(" – carried over from run first-run, not yet confirmed")
    assert "outdated: what it speaks of has changed" in words(statements.said(made, "stop"))
    assert not statements.is_settled(made, "stop")
    assert {s.value["id"] for s in statements.to_confirm(made)} == {"retention"}
    assert "stop" in {s.value["id"] for s in statements.blocking(made)}


def test_what_is_optional_stands_against_nothing_and_stays_a_gap(found: Dossier) -> None:
    """The law asks for a web address where there is one: unanswered it is listed, and prevents no declaration."""
    made = book(found)
    blocking = {str(s.value["id"]) for s in statements.blocking(made)}
    gaps = " ".join(gap.text for gap in statements.open_statements(made))
    assert "registration_member_states" in blocking
    assert "registration_address" not in blocking
    assert "proofline answer --only registration_address" in gaps


def test_what_nobody_stated_is_a_gap_with_who_and_where(found: Dossier) -> None:
    """The gap names the person who is likely to know and the command that asks."""
    (gap,) = statements.said(book(found), "oversight")
    assert isinstance(gap, refs.Gap)
    assert gap.text == (
        "Not answered: Who oversees the system, and by which measures and aids? To be filled by: "
        "compliance officer (proofline answer --only oversight)."
    )


def test_open_questions_are_missing_from_the_report_and_answered_ones_are_not(found: Dossier) -> None:
    """The list of what is missing follows the answers, and is silent on subjects for which there is a question."""
    before, after = book(found), book(found, Answer(id="oversight", text="The ward physician decides."))
    one, two = ({gap.text for gap in gaps.of((), made)} for made in (before, after))
    assert one - two == {statements.gap(before, "oversight").text}
    assert not [t for t in one if "measures of human oversight" in t]
    assert words(statements.tally(after)).startswith("1 stated, ")


def test_where_none_is_open_no_list_is_pointed_to(found: Dossier) -> None:
    """The chapter on what stayed open names the list of open questions only while there is one."""
    asked = [question["id"].value for question in book(found).law["register"]["attestations"]]
    for said, shown in ((asked[:1], True), (asked, False)):
        made = book(found, *(Answer(id=question, text="Written down in chapter 4.") for question in said))
        last = decision.not_passed(made).blocks[-1]
        assert isinstance(last, tree.Paragraph)
        assert any("The open ones are listed here" in p for p in last.content if isinstance(p, str)) == shown


def test_a_run_of_an_earlier_version_says_what_it_always_said(found: Dossier) -> None:
    """Without a record of answers nothing is asked, and what nothing covers is listed."""
    made = refs.book(dataclasses.replace(found, answers=None))
    assert statements.open_statements(made) == ()
    assert [g for g in gaps.of((), made) if "measures of human oversight" in g.text]
    assert stated.section(made).blocks == ()
    assert isinstance(statements.said(made, "oversight")[0], refs.Gap)


def test_the_paragraphs_of_a_person_stay_paragraphs(found: Dossier) -> None:
    """Two paragraphs are shown as two, the name once."""
    made = book(found, Answer(id="stop", text="First the service.\n\nThen the list."))
    first, second = statements.paragraphs(made, "stop")
    assert words(first.content) == "First the service."
    assert words(second.content).startswith("Then the list. (Anna")
    assert len(statements.paragraphs(made, "oversight")) == 1


def test_a_risk_has_the_labels_that_other_tools_read(found: Dossier) -> None:
    """Risk, Source, Consequence, Affected, Impact areas, Control; what was not measured or is old shows."""
    made = book(found, risks=(RISK,))
    section = stated.section(made).sections[0]
    (pairs,) = (b for b in section.blocks if isinstance(b, tree.Pairs))
    shown = {name: words(content) for name, content in pairs.rows}
    assert list(shown)[:5] == ["Risk", "Source", "Consequence", "Affected", "Impact areas"]
    assert shown["Affected"] == "In-patients; relatives"
    assert shown["Impact areas"] == "health; fundamental rights"
    assert "pass" in shown["Shown by"]
    assert "Not measured" in shown["Shown by"]
    assert "outdated" in shown["What remains"]
    bare = stated.section(
        book(found, risks=(RISK.model_copy(update={"acceptance": None, "shown_by": (), "review_on": None}),))
    )
    assert len([p for p in tree.walk_section(bare) if isinstance(p, refs.Gap)]) == 3


def test_names_are_text_and_nothing_else(found: Dossier, tmp_path: Path) -> None:
    """What a person types is escaped like every other text of a record."""
    from model_cards import render_html

    made = book(found, Answer(id="stop", text="<script>alert(1)</script> is no answer."))
    section = stated.section(made)
    page = render_html.render(dataclasses.replace(report.tree_of(made), sections=(section,)))
    assert "<script>alert" not in page
    assert "Anna &lt;b&gt;Muster" in page
    assert text.plain("a\u202eb") != "a\u202eb"
