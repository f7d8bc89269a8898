from __future__ import annotations

from model_cards import fairness_comparisons, refs, tree
from model_cards.legal import annex_iv, instructions, risks
from tests.model_cards.builders import Rendered
from tests.model_cards.test_content import _result, _table


def _shown(value: float) -> str:
    return refs.Fact(value, "e", "number").shown


def test_every_rate_is_compared_between_groups_and_with_overall(rendered: dict[str, Rendered]) -> None:
    """Each measure beside the headlines stands in one of two tables with its interval, and nowhere else."""
    found = rendered["binary"]
    pairs = _table(found.page, "Every rate between the groups of an attribute, intervals")
    furthest = _table(found.page, "The group furthest from the overall rate, intervals")
    for name in ("selection_rate", "precision", "accuracy"):
        result = _result(found.dossier, f"fairness.{name}")
        rate = name.replace("_", " ").capitalize()
        line = next(row for row in pairs if row[:2] == [rate, "sex"])
        far = next(row for row in furthest if row[:2] == [rate, "sex"])
        value = {m.name.rpartition(".")[2]: m for m in result.measures if m.slice == "sex"}
        assert [line[2], line[4]] == [_shown(value[which].value) for which in ("difference", "ratio")]
        assert far[2:4] == [value["difference_to_overall"].note, _shown(value["difference_to_overall"].value)]
    others = _table(found.page, "Supplementary measures, intervals", within="h-fairness")
    assert not any("overall" in row[0] for row in others)


def test_every_group_stands_beside_the_overall_rate(rendered: dict[str, Rendered]) -> None:
    """The table has a line for each group of each rate, with rows, overall rate and difference."""
    found = rendered["binary"]
    lines = _table(found.page, "Every group against the overall rate, each interval")
    details = _result(found.dossier, "fairness.precision").details
    for row in details["to_overall"]["sex"]:
        line = next(x for x in lines if x[:3] == ["Precision", "sex", row["group"]])
        assert line[3:5] == [str(row["rows"]), _shown(details["overall"]["sex"])]
        assert line[5].startswith(_shown(row["difference"]))


def test_each_measure_says_what_it_is_corrected_for(rendered: dict[str, Rendered]) -> None:
    """One line for each measure and attribute, as the record has it."""
    found = rendered["binary"]
    lines = _table(found.page, "Correction for several comparisons")
    for result in found.dossier.evaluate.results:
        for attribute, said in result.details.get("correction", {}).items():
            assert [result.title, attribute, said] in lines


def test_open_gates_show_the_rows_that_would_settle_them(rendered: dict[str, Rendered]) -> None:
    """Every estimate of the records is a line with its number, and the forecast does not read as an outcome."""
    found = rendered["binary"]
    entries = [e for r in found.dossier.evaluate.results for e in r.details.get("rows_needed", ())]
    assert entries
    lines = _table(found.page, "How many more rows would settle what stayed open")
    assert len(lines) == len(entries)
    for line, entry in zip(lines, entries, strict=True):
        assert line[1] == entry["slice"]
        assert line[3] == (f"{entry['total']:,}" if entry["total"] else "no number would")
        assert line[5] not in ("pass", "fail")


def test_nothing_is_said_where_no_group_was_compared(rendered: dict[str, Rendered]) -> None:
    """Without protected attributes no table of comparisons appears."""
    book = refs.book(rendered["multiclass"].dossier)
    for blocks in (fairness_comparisons.between, fairness_comparisons.to_overall, fairness_comparisons.rows_needed):
        assert blocks(book) == []
    assert fairness_comparisons.corrections(book) == []


def test_a_value_that_equals_the_threshold_is_said_to_stay_open() -> None:
    """Where no number of rows helps, the table says so instead of leaving a blank."""
    entry = {"slice": "sex", "at_least": None, "at_most": 0.1, "status": None, "groups": {}, "total": None}
    cells = fairness_comparisons._needed(refs.Node("e", "", entry))
    words = "".join(p for cell in cells for p in cell if isinstance(p, str))
    assert "no number would" in words


def test_a_gap_says_on_which_rate_and_how_many_rows_it_rests(rendered: dict[str, Rendered]) -> None:
    """Of equalised odds the rate that gives the value, and for each group the rows of its rate, not all its rows."""
    found = rendered["binary"]
    lines = _table(found.page, "What a gap between groups rests on")
    for name in ("equal_opportunity_difference", "equalized_odds_difference"):
        result = _result(found.dossier, f"fairness.{name}")
        line = next(x for x in lines if x[:2] == [result.title, "sex"])
        assert line[2].lower() == result.details["rate"]["sex"]
        assert line[3] == "; ".join(f"{g['group']}: {g['rows']}" for g in result.details["groups"]["sex"])
        assert all(g["rows"] < g["n"] for g in result.details["groups"]["sex"])


def test_documents_of_the_law_say_it_of_the_gaps_that_a_gate_judges(rendered: dict[str, Rendered]) -> None:
    """One line for each gate of the plan on a gap between groups, and none beside."""
    book = refs.book(rendered["binary"].dossier)
    asked = [(g["check"], g["slice"]) for g in book.plan.value["policy"]["gates"] if g["check"].startswith("fairness.")]
    asked = [gate for gate in asked if gate[0].endswith(("_difference", "_ratio"))]
    _, table = fairness_comparisons.basis(book, gated=True)
    assert isinstance(table, tree.Table)
    assert len(table.rows) == len(asked) > 0
    for document in (annex_iv.build(book), instructions.build(book), risks.build(book)):
        assert any(t.rows == table.rows for t in tree.walk_tables(document))
