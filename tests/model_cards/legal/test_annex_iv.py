"""The technical documentation: every point, in the form that other tools read, and what is missing."""

from __future__ import annotations

import dataclasses
import re

import pytest

from configs.law import register as law
from evidence.answers import RiskAcceptance
from evidence.dossier import Dossier
from model_cards import card, decision, effect, gaps, refs, render_markdown, report, statements, tree
from model_cards.legal import annex_iv, annex_iv_points, brief, declaration, risks, signing
from model_cards.refs import Gap
from model_cards.tree import Bullets, Document, Labels, Pairs, Paragraph
from tests.model_cards.legal.test_builders import sections


def test_has_every_point_of_the_annex(trees: dict[str, dict[str, Document]]) -> None:
    """Each point of Annex IV is a section under its own heading."""
    found = {s.id: s.title for s in sections(trees["binary"]["annex_iv"])}
    for point in law.load().annex_iv:
        assert found[point.id] == point.place


def test_what_is_known_belongs_to_a_point() -> None:
    """No evidence is laid to a point that the annex does not have."""
    assert set(annex_iv_points.POINTS) <= {point.id for point in law.load().annex_iv}


def test_markdown_has_the_lines_that_other_tools_look_for(trees: dict[str, dict[str, Document]]) -> None:
    """Headings of the points, labelled lines at the start of a line, and a block for each risk."""
    markdown = render_markdown.render(trees["answered"]["annex_iv"], anchors=True)
    for point in law.load().annex_iv:
        assert re.search(rf"^##+ {re.escape(point.place)}$", markdown, re.MULTILINE)
    for label in ("System name", "Provider", "Intended purpose"):
        assert re.search(rf"^{label}: \S", markdown, re.MULTILINE)
    risk = markdown.partition("### Risk 1\n")[2].partition("\n#")[0]
    labels = ("Risk", "Source", "Consequence", "Affected", "Impact areas", "Control")
    assert [found for found in re.findall(r"^([A-Z][a-z ]+): ", risk, re.MULTILINE) if found in labels] == list(labels)


def test_answers_take_the_place_of_gaps(trees: dict[str, dict[str, Document]]) -> None:
    """What a person stated stands with name, role and day where the gap stood."""
    without, with_ = (trees[run]["annex_iv"] for run in ("binary", "answered"))
    asked = [gap for gap in tree.gaps(without) if "proofline answer --only" in gap]
    assert len(asked) > 20
    assert not [gap for gap in tree.gaps(with_) if "proofline answer --only" in gap]
    words = " ".join(tree.plain((part,)) for part in tree.walk(with_))
    assert "What is known about oversight." in words
    assert "Ada Example" in words


def test_first_page_says_what_stands_against_a_signature(trees: dict[str, dict[str, Document]]) -> None:
    """The gate that did not pass, the questions that are open and by whom, and the risk that nobody accepted."""

    def sign(run: str) -> str:
        section = next(s for s in sections(trees[run]["annex_iv"]) if s.id == "brief-sign")
        return tree.plain(tuple(tree.walk_section(section)))

    assert "not on this evidence" in sign("binary")
    assert "The gate says" in sign("binary")
    asked = r"Questions nobody has answered: (\d+) of \d+ \((.*?)\)"
    assert re.search(r"\d+ for the compliance officer", re.findall(asked, sign("binary"))[0][1])
    assert re.findall(asked, sign("answered")) == [("1", "1 for the compliance officer")]
    assert "Risks whose rest nobody has judged acceptable: 1 of 1 (for the management)." in sign("answered")


@pytest.mark.slow
@pytest.mark.parametrize("run", ["binary", "answered"])
def test_the_first_page_and_the_declaration_count_the_same_things(runs: dict[str, Dossier], run: str) -> None:
    """How many things stand against a signature is one number; the lines below it add up to it."""
    book = refs.book(runs[run])
    found = {s.id: s for s in sections(annex_iv.build(book))}
    number = len(declaration.against(book))
    first = next(b for b in found["brief"].blocks if isinstance(b, Pairs))
    said = tree.plain(dict(first.rows)[signing.DECLARATION])
    assert f"Before any approval, not on this evidence: {number} thing" in said
    assert f"before any approval: {number} (" in tree.plain(tuple(tree.walk_section(found["AIV-8"])))
    (lines,) = (b for b in found["brief-sign"].blocks if isinstance(b, Bullets))
    counts = [
        next((p.value for p in line if isinstance(p, refs.Fact) and p.form == "count"), None) for line in lines.items
    ]
    listed = [len([p for p in line if isinstance(p, refs.Fact)]) for line in lines.items]
    assert sum(int(n) if n is not None else max(each, 1) for n, each in zip(counts, listed, strict=True)) == number


@pytest.mark.slow
def test_a_risk_reads_the_same_in_every_document(runs: dict[str, Dossier]) -> None:
    """What the register says of a risk, who accepts its rest, also where that is outdated, and when it is reviewed."""
    found = runs["answered"]
    assert found.answers is not None
    outdated = found.answers.risks[0].model_copy(
        update={
            "review_on": "2026-01-31",
            "acceptance": RiskAcceptance(
                reason="It is small.", person="B", role="director", at="2026-01-01", status="outdated"
            ),
        }
    )
    book = refs.book(dataclasses.replace(found, answers=found.answers.model_copy(update={"risks": (outdated,)})))

    def lines(document: Document) -> dict[str, str]:
        section = next(s for s in sections(document) if s.title == "Risk 1")
        labels = next(b for b in section.blocks if isinstance(b, Labels))
        return {name: tree.plain(content) for name, content in labels.rows}

    one, other = lines(annex_iv.build(book)), lines(risks.build(book))
    both = one.keys() & other.keys()
    assert {"Impact areas", "Likelihood", "Severity", "Control", "Residual risk", "Review"} <= both
    assert {name: one[name] for name in both} == {name: other[name] for name in both}
    assert "outdated" in one["Residual risk"]
    assert "overdue" in one["Review"]


@pytest.mark.slow
def test_gaps_are_counted_by_who_can_fill_them(runs: dict[str, Dossier]) -> None:
    """The table of the first page counts every gap of the document once."""
    document = annex_iv.build(refs.book(runs["binary"]))
    table = next(t for t in tree.walk_tables(document) if tree.plain(t.caption).startswith("Gaps of this document"))
    counted = {tree.plain(row[0]): row[1][0] for row in table.rows}
    gaps = {p.text: p for p in tree.walk(document) if isinstance(p, Gap)}
    for who, number in counted.items():
        assert isinstance(number, refs.Fact)
        assert number.value == sum(gap.who == who for gap in gaps.values())
    assert sum(int(n.value) for n in counted.values() if isinstance(n, refs.Fact)) == len(gaps)


def test_no_person_s_data_in_the_specification_of_the_input(trees: dict[str, dict[str, Document]]) -> None:
    """Limits of the input are those that the plan declares; the extremes of the rows stay in the run."""
    for part in tree.walk(trees["binary"]["annex_iv"]):
        assert not (
            isinstance(part, refs.Fact)
            and re.match(r"data/encoded.json#/features/\d+/(low|high|min|max)", part.evidence)
        )


def test_the_effect_on_persons_stands_in_the_technical_documentation(runs: dict[str, Dossier]) -> None:
    """Wrong labels by class and the simplest rule on the first page, groups where accuracy for them is told."""
    book = refs.book(runs["binary"])
    found = {s.id: s for s in sections(annex_iv.build(book))}
    first = next(b for b in found["brief"].blocks if isinstance(b, Pairs))
    tested = tree.plain(dict(first.rows)[brief.TESTED])
    (rule,) = effect.baseline(book)
    lines, *_ = (b for b in effect.in_words(book) if isinstance(b, Bullets))
    assert isinstance(rule, Paragraph)
    assert len(lines.items) == 2
    for said in (*lines.items, rule.content):
        assert tree.plain(said) in tested
    groups = [b for b in effect.of_groups(book) if isinstance(b, Bullets)]
    assert groups
    of_point = [tree.plain(i) for b in found["AIV-3"].blocks if isinstance(b, Bullets) for i in b.items]
    assert {tree.plain(i) for b in groups for i in b.items} <= set(of_point)


@pytest.mark.slow
def test_first_page_says_how_much_is_open_in_all(runs: dict[str, Dossier]) -> None:
    """One line counts the open questions by owner and the gaps of plan and data over every document."""
    book = refs.book(runs["answered"])
    found = next(s for s in sections(annex_iv.build(book)) if s.id == "brief-missing")
    text = tree.plain(tuple(tree.walk_section(found)))
    said = re.search(
        r"Questions for persons that are open: (\d+) \((.+?)\); gaps of the plan and the data: (\d+)", text
    )
    assert said is not None
    waiting = statements.open_statements(book)
    assert int(said[1]) == len(waiting) == sum(int(n) for n in re.findall(r"\d+", said[2]))
    assert int(said[3]) >= len({g.text for g in gaps.of(report.tree_of(book).sections, book) if "Not stated" in g.text})


def test_the_graph_is_said_to_hold_only_what_it_holds(dossiers: dict[str, Dossier]) -> None:
    """A calibration stands in Annex IV(2)(a) where one was fitted, a threshold where a label is cut; else neither."""
    for dossier in dossiers.values():
        words = "".join(
            tree.plain(block.content)
            for block in annex_iv_points._development(refs.book(dossier))
            if isinstance(block, tree.Paragraph)
        )
        assert ("calibration" in words.partition("Everything")[0]) == (dossier.train.calibration is not None)
        assert ("decision threshold" in words) == (dossier.train.threshold is not None)


@pytest.mark.slow
def test_documents_agree_on_what_was_fixed_when(runs: dict[str, Dossier]) -> None:
    """The plan when the run began, the rest at the commitment, after the checks of the data: the same words."""
    book = refs.book(dataclasses.replace(runs["answered"], opened_at="2026-09-24T07:00:00Z"))
    words = tree.plain(decision.when_fixed(book))
    times = [book.opened_at, *(book["evaluate"][name].fact("time") for name in ("committed_at", "started_at"))]
    places = [words.index(time.shown) for time in times if time is not None]
    assert len(places) == 3
    assert places == sorted(places)
    assert book.plan_sha256.shown in words
    assert "checks of the data ran before the commitment" in words
    for document in (annex_iv.build(book), risks.build(book), report.tree_of(book), card.tree_of(book)):
        said = tree.plain(tuple(tree.walk(document)))
        assert words in said
        assert "thresholds were fixed at" not in said


@pytest.mark.slow
def test_what_waits_to_be_confirmed_stands_with_what_is_missing(runs: dict[str, Dossier]) -> None:
    """Outdated and carried statements, and acceptances, by person: in the answer in brief and in its table."""
    found = runs["answered"]
    assert found.answers is not None
    changed = {"oversight": "outdated", "retention": "carried"}
    said = tuple(
        s.model_copy(update={"status": changed[s.id], "applies": True}) if s.id in changed else s
        for s in found.answers.statements
    )
    accepted = RiskAcceptance(reason="It is small.", person="B", role="director", at="2026-01-01", status="outdated")
    risk = found.answers.risks[0].model_copy(update={"acceptance": accepted})
    record = found.answers.model_copy(update={"statements": said, "risks": (risk,)})
    for answers, waits in ((record, True), (found.answers, False)):
        document = annex_iv.build(refs.book(dataclasses.replace(found, answers=answers)))
        tables = [
            t for t in tree.walk_tables(document) if tree.plain(t.caption).startswith("Statements to be confirmed")
        ]
        assert bool(tables) is waits
        told = {(tree.plain(r[1]), tree.plain(r[3])) for t in tables for r in t.rows}
        assert (("outdated", "oversight") in told) is waits
        assert (("carried over", "retention") in told) is waits
        assert any(standing == "outdated" and risk.title in on for standing, on in told) is waits
        brief = next(s for s in sections(document) if s.id == "brief")
        shortly = tree.plain(
            dict(next(b for b in brief.blocks if isinstance(b, Pairs)).rows)["What is missing, and who must do it"]
        )
        assert ("Outdated statements, waiting for confirmation or another answer: 1." in shortly) is waits


def test_the_head_says_how_new_the_newest_statement_is(runs: dict[str, Dossier]) -> None:
    """The day of the newest statement or acceptance; nothing where nobody has stated anything."""
    found = runs["answered"]
    assert found.answers is not None
    accepted = RiskAcceptance(reason="It is small.", person="B", role="director", at="2026-11-23", status="stated")
    risk = found.answers.risks[0].model_copy(update={"acceptance": accepted})
    later = dataclasses.replace(found, answers=found.answers.model_copy(update={"risks": (risk,)}))
    for run, day in ((runs["binary"], None), (found, "2026-11-22"), (later, "2026-11-23")):
        book = refs.book(run)
        for document in (annex_iv.build(book), report.tree_of(book)):
            head = tree.plain(document.draft)
            assert ("Statements of persons up to" in head) is (day is not None)
            assert day is None or f"Statements of persons up to {day}." in head
