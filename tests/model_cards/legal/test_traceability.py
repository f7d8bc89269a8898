"""The matrix: every requirement that applies, each of its answers followed to a record, counted and never graded."""

from __future__ import annotations

import dataclasses
import re

import pytest

from configs.law import applies, gates
from evidence.dossier import Dossier
from model_cards import inventory, refs, report, tree
from model_cards.legal import annex_iv_points, answered, traceability
from model_cards.legal.answered import STATES
from model_cards.tree import Document, Figures, Paragraph, Table

RUNS = ("binary", "multiclass", "regression", "answered")


def counts(document: Document) -> Table:
    """The table of completeness."""
    return next(t for t in tree.walk_tables(document) if tree.plain(t.caption).startswith("Answers asked for"))


def numbers(row: tuple[tree.Parts, ...]) -> list[int]:
    """The counts of a row."""
    return [int(cell[0].value) for cell in row[1:] if isinstance(cell[0], refs.Fact)]


@pytest.mark.parametrize("run", RUNS)
def test_every_applying_requirement_and_answer_has_its_line(
    trees: dict[str, dict[str, Document]], runs: dict[str, Dossier], run: str
) -> None:
    """A line for each answer asked for, for each gate that the plan lacks, and for each further gap of Annex IV."""
    lacking = [gate.requirement.id for gate in gates.lacking(runs[run].plan)]
    asked = [(r.place, len(r.evidence) + lacking.count(r.id)) for r in applies.requirements(runs[run].plan)]
    expected = [place for place, number in asked for _ in range(number)]
    expected += [place for place, beyond in _beyond(runs[run]) for _ in beyond]
    found = [
        tree.plain(row[0])
        for table in tree.walk_tables(trees[run]["traceability"])
        if tree.plain(table.caption).endswith("what is asked for, and what answers it")
        for row in table.rows
        if tree.plain(row[2]) != "touched"
    ]
    assert sorted(found) == sorted(expected)


def _beyond(found: Dossier) -> list[tuple[str, set[tuple[str, str, str]]]]:
    """Place of each point of Annex IV, and the gaps printed there that no answer of the register is."""
    book = refs.book(found)
    made = []
    for requirement in book.law["read"]["requirements"]:
        answers = answered.of(book, requirement, answered.Places(frozenset()))
        own = {p.key for answer in answers for p in answer.words if isinstance(p, refs.Gap)}
        printed = {gap.key for gap in annex_iv_points.gaps_at(book, str(requirement.value["id"]))}
        made.append((str(requirement.value["place"]), printed - own))
    return made


@pytest.mark.parametrize("run", RUNS)
def test_annex_iv_and_the_matrix_name_the_same_gaps(
    trees: dict[str, dict[str, Document]], runs: dict[str, Dossier], run: str
) -> None:
    """Every gap of the documentation stands in the matrix; what else the run lacks is counted and named there."""
    assert any(beyond for _, beyond in _beyond(runs[run]))
    inside = {p.key for p in tree.walk(trees[run]["annex_iv"]) if isinstance(p, refs.Gap)}
    assert inside <= {p.key for p in tree.walk(trees[run]["traceability"]) if isinstance(p, refs.Gap)}


@pytest.mark.slow
def test_the_matrix_says_which_gaps_of_the_run_stand_elsewhere(runs: dict[str, Dossier]) -> None:
    """Its own gaps and those that it names as standing elsewhere are those of the run."""
    book = inventory.gathered(refs.book(runs["binary"]))
    document = traceability.build(book)
    said = "".join(tree.plain(b.content) for b in document.sections[1].blocks if isinstance(b, Paragraph))
    numbers_ = re.search(r"over every document: (\d+)\. At no requirement .* stand (\d+) of them", said)
    assert numbers_ is not None
    assert book.gaps is not None
    own = {p.key for p in tree.walk(document) if isinstance(p, refs.Gap)}
    assert [int(n) for n in numbers_.groups()] == [len(book.gaps), len({g.key for g in book.gaps} - own)]


@pytest.mark.parametrize("run", RUNS)
def test_states_add_up(trees: dict[str, dict[str, Document]], run: str) -> None:
    """For each article evidenced, stated, carried over, outdated and gaps make up what is asked for."""
    for row in counts(trees[run]["traceability"]).rows:
        _, asked, *states, _touched, _once = numbers(row)
        assert len(states) + 1 == len(STATES)
        assert sum(states) == asked


@pytest.mark.parametrize("run", RUNS)
def test_gaps_counted_once_add_up_to_those_of_the_first_lines(trees: dict[str, dict[str, Document]], run: str) -> None:
    """The last column, the note above the table and In short tell one number: the different gaps of the document."""
    document = trees[run]["traceability"]
    *articles, total = counts(document).rows
    once = [numbers(row)[-1] for row in articles]
    assert sum(once) == numbers(total)[-1] == len(tree.gaps(document))
    short = next(s for s in document.sections if s.id == "short")
    said = "".join(tree.plain(content) for block in short.blocks for _, content in block.rows)  # type: ignore[union-attr]
    assert f"{sum(once)} gaps in this document, each counted once" in said
    notes = [b for s in document.sections if s.id == "completeness" for b in s.blocks if isinstance(b, Paragraph)]
    assert f"there are {sum(once)}," in tree.plain(notes[1].content)


def test_statements_of_persons_are_told_apart_from_the_plan(
    trees: dict[str, dict[str, Document]], runs: dict[str, Dossier]
) -> None:
    """The note says how many answers are statements of persons, and how many different ones these are."""
    for run in ("binary", "answered"):
        answers = runs[run].answers
        given = {s.id for s in answers.statements if s.status != "open"} if answers else set()
        asked = [p for r in applies.requirements(runs[run].plan) for p in r.evidence]
        used = [p for p in asked if p.removeprefix("attestation:") in given and p.startswith("attestation:")]
        section = next(s for s in trees[run]["traceability"].sections if s.id == "completeness")
        words = "".join(tree.plain(b.content) for b in section.blocks if isinstance(b, Paragraph))
        assert f"{len(used)} are statements of persons, {len(set(used))} different ones" in words


def test_what_the_plan_says_is_stated(runs: dict[str, Dossier]) -> None:
    """The label keeps to the legend: that the plan declares no changes is said by the plan, and measured by nothing."""
    answer = answered._plan(refs.book(runs["binary"]), "predetermined_changes", traceability.Places(frozenset()))
    assert tree.plain(answer.words).startswith("the plan declares none")
    assert answer.state == "stated"
    for requirement in refs.book(runs["answered"]).law["read"]["requirements"]:
        for found in answered.of(refs.book(runs["answered"]), requirement, traceability.Places(frozenset())):
            if found.pointer.startswith("plan:"):
                assert found.state in ("stated", "gap")


def test_answers_of_persons_turn_gaps_into_statements(
    trees: dict[str, dict[str, Document]], runs: dict[str, Dossier]
) -> None:
    """With answers there are fewer gaps, by as many as there are more statements; risks leave gaps of their own."""
    before, after = (
        [sum(column) for column in zip(*(numbers(r) for r in counts(trees[run]["traceability"]).rows), strict=True)]
        for run in ("binary", "answered")
    )
    assert after[6] < before[6]
    without, with_ = (sum(len(beyond) for _, beyond in _beyond(runs[run])) for run in ("binary", "answered"))
    in_the_total_too = 2
    assert before[6] - after[6] == after[3] - before[3] + in_the_total_too * (without - with_)
    assert before[2] == after[2]


def test_a_failed_check_is_evidence_and_says_so(runs: dict[str, Dossier]) -> None:
    """The state of an answer never hides the outcome of the check behind it."""
    document = traceability.build(refs.book(runs["binary"]))
    shown = [
        tree.plain(row[3])
        for table in tree.walk_tables(document)
        for row in table.rows
        if len(row) == 4 and tree.plain(row[2]) == "evidenced"
    ]
    assert any("inconclusive" in words for words in shown)


def test_no_share_and_no_score(trees: dict[str, dict[str, Document]]) -> None:
    """Nothing in the matrix is a percentage or a mark."""
    document = trees["answered"]["traceability"]
    words = " ".join(tree.plain((part,)) for part in tree.walk(document) if not isinstance(part, refs.Gap))
    assert "%" not in words
    assert not re.search(r"\b(?:score|grade|rating)\b", words)


def test_picture_shows_the_numbers_of_the_table(trees: dict[str, dict[str, Document]]) -> None:
    """Each article of the table is a bar with its five counts, and the picture has words beside it."""
    document = trees["binary"]["traceability"]
    figure = next(
        figure
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Figures)
        for figure in block.figures
    )
    *articles, total = counts(document).rows
    assert numbers(total) == [sum(column) for column in zip(*map(numbers, articles), strict=True)]
    for row in articles:
        _, _, *states, _touched, _once = numbers(row)
        title = ", ".join(f"{n} {STATES[state]}" for n, state in zip(states, traceability.SHOWN, strict=True))
        assert f"{tree.plain(row[0])}: {title}" in figure.svg
    assert tree.plain(figure.alt).startswith("One bar for each article")


def test_checks_lead_to_their_line_in_the_report(runs: dict[str, Dossier]) -> None:
    """A check is linked to the row of the report that shows it, not only to its chapter."""
    book = refs.book(runs["binary"])
    places = traceability.places_of(report.tree_of(book))
    result = book.result("export.parity") or book.result("data.drift")
    assert result is not None
    assert places.link("x", result.evidence, "other").anchor.startswith("line-")


def test_measured_without_a_threshold_is_evidence(runs: dict[str, Dossier]) -> None:
    """A check with measures was measured, whatever the policy asks; only one without measures is missing."""
    found = runs["binary"]
    book = refs.book(found)
    places = traceability.places_of(report.tree_of(book))
    results = tuple(
        r.model_copy(update={"status": "not_applicable"}) if r.check_id.startswith("performance.") else r
        for r in found.evaluate.results
    )
    free = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
    answer = answered._family(refs.book(free), "performance", places)
    assert answer.state == "evidenced"
    assert "measured, no threshold" in tree.plain(answer.words)
    bare = tuple(r.model_copy(update={"measures": ()}) if r.check_id.startswith("performance.") else r for r in results)
    empty = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": bare}))
    assert answered._family(refs.book(empty), "performance", places).state == "gap"


def test_a_check_that_does_not_apply_is_no_evidence(runs: dict[str, Dossier]) -> None:
    """A single check without measures that does not apply answers nothing."""
    found = runs["binary"]
    results = tuple(
        r.model_copy(update={"status": "not_applicable", "measures": ()}) if r.check_id == "data.proxies" else r
        for r in found.govern.results
    )
    changed = dataclasses.replace(found, govern=found.govern.model_copy(update={"results": results}))
    answer = answered._check(refs.book(changed), "data.proxies", traceability.Places(frozenset()))
    assert answer.state == "gap"


def test_what_only_touches_a_duty_is_no_answer(trees: dict[str, dict[str, Document]]) -> None:
    """General checks near Art. 9(2)(b), 9(4) and 9(9) only touch them; a person is asked all the same."""
    rows = [row for table in tree.walk_tables(trees["binary"]["traceability"]) for row in table.rows if len(row) == 4]
    for place in ("Art. 9(2)(b)", "Art. 9(4)", "Art. 9(9)"):
        states = {tree.plain(row[2]) for row in rows if tree.plain(row[0]) == place}
        assert "evidenced" not in states
        assert {"touched", "gap"} <= states


def test_representativeness_is_the_provider_s_for_every_attribute(runs: dict[str, Dossier]) -> None:
    """Each attribute without a reference population is a gap of its own, of the same owner as in the report."""
    found = runs["binary"]
    result = next(r for r in found.govern.results if r.check_id == "data.representativeness")
    rest = tuple(r for r in found.govern.results if r.check_id != "data.representativeness")
    missing = tuple(
        result.model_copy(update={"status": "not_measured", "measures": (), "details": {"slice": name}})
        for name in ("sex", "age_group")
    )
    changed = dataclasses.replace(found, govern=found.govern.model_copy(update={"results": (*rest, *missing)}))
    answer = answered._check(refs.book(changed), "data.representativeness", traceability.Places(frozenset()))
    gaps = [part for part in answer.words if isinstance(part, refs.Gap)]
    assert [(gap.who, gap.where) for gap in gaps] == [
        ("provider", "plan: data.protected, sex, reference"),
        ("provider", "plan: data.protected, age_group, reference"),
    ]
