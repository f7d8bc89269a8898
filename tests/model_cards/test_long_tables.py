"""Long tables begin with what matters most, and say how much follows."""

from __future__ import annotations

import dataclasses
from typing import Any

from evidence import records
from evidence.dossier import Dossier
from model_cards import blocks, card, data, decision, prediction_sets, refs, report, slices, tree


def _proxies(found: Dossier, rows: list[dict[str, Any]]) -> Dossier:
    """The run with these rows in its first check of proxies."""
    first = next(r for r in found.govern.results if r.check_id == "data.proxies")
    results = tuple(
        r.model_copy(update={"details": {**r.details, "rows": rows}}) if r is first else r
        for r in found.govern.results
        if r is first or r.check_id != "data.proxies"
    )
    return dataclasses.replace(found, govern=found.govern.model_copy(update={"results": results}))


def _row(index: int, value: float | None) -> dict[str, Any]:
    return {"feature": f"f{index}", "group": "g", "value": value, "low": None, "high": None, "n": 100}


def _tables(found: Dossier) -> list[tree.Table]:
    section = data.section(refs.book(found))
    inner = next(s for s in section.sections if s.id == "governance")
    return [b for b in inner.blocks if isinstance(b, tree.Table) and tree.plain(b.caption).startswith("Proxies of")]


def test_proxies_begin_with_the_strongest(dossiers: dict[str, Dossier]) -> None:
    """Sorted by strength; the first are open to view, the others folded, and the captions add up."""
    values = [(50 + 7 * i % 30) / 100 for i in range(30)]
    first, rest = _tables(_proxies(dossiers["binary"], [_row(i, v) for i, v in enumerate(values)]))
    column = [tree.plain((name,)) for name in first.columns].index("Value")
    shown = [float(tree.plain(row[column])) for row in (*first.rows, *rest.rows)]
    assert shown == sorted(values, reverse=True)
    assert (first.fold, rest.fold) == (False, True)
    assert len(first.rows) == blocks.LONG
    assert f"the {blocks.LONG} strongest of 30; the other {30 - blocks.LONG} follow" in tree.plain(first.caption)
    assert tree.plain(rest.caption).endswith(f"the other {30 - blocks.LONG}")


def test_a_short_table_of_proxies_stays_one(dossiers: dict[str, Dossier]) -> None:
    """Sorted all the same; a row without a number comes last."""
    (only,) = _tables(_proxies(dossiers["binary"], [_row(0, 0.6), _row(1, None), _row(2, 0.9)]))
    assert [tree.plain(row[0]) for row in only.rows] == ["f2", "f0", "f1"]


def test_slices_begin_with_the_worst(dossiers: dict[str, Dossier]) -> None:
    """Of a score the lowest come first, of an error the highest."""
    for task, check, sign in (("binary", "robustness.shift", 1), ("regression", "robustness.shift_error", -1)):
        found = dossiers[task]
        result = next(r for r in found.evaluate.results if r.check_id == check)
        one = next(rows for rows in result.details["groups"].values() if rows)[0]
        many = [{**one, "group": f"s{i}", "value": (7 * i % 20) / 20} for i in range(20)]
        changed = result.model_copy(update={"details": {**result.details, "groups": {"site": many}}})
        results = tuple(changed if r is result else r for r in found.evaluate.results)
        other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
        first, rest = (
            block
            for block in slices.tables(refs.book(other))
            if isinstance(block, tree.Table) and "every slice" in tree.plain(block.caption)
        )
        shown = [float(tree.plain(row[3])) for row in (*first.rows, *rest.rows)]
        assert shown == sorted(shown, key=lambda value: sign * value)
        assert "the 12 worst of 20; the other 8 follow" in tree.plain(first.caption)


def _unsettled(found: Dossier) -> Dossier:
    """The run with one line more that did not pass and is not required."""
    line = records.GateReason(
        check_id="performance.accuracy", slice="overall", status="not_measured", required=False, text="not measured"
    )
    return dataclasses.replace(found, gate=found.gate.model_copy(update={"reasons": (*found.gate.reasons, line)}))


def test_the_card_leads_to_where_the_rest_is_listed(dossiers: dict[str, Dossier]) -> None:
    """What is not required and every open question stand in the annex of the card, and in the report itself."""
    book = refs.book(_unsettled(dossiers["binary"]))
    for document, file in ((card.tree_of(book), card.ANNEX), (report.tree_of(book), "")):
        section = next(s for s in document.sections if s.id == "open")
        links = [p for p in tree.walk_section(section) if isinstance(p, tree.Link)]
        words = "".join(tree.plain((p,)) for p in tree.walk_section(section))
        assert "Not required: " in words
        assert {(link.document, link.anchor) for link in links} <= {(file, "decision"), (file, "gaps")}
        assert (file, "decision") in {(link.document, link.anchor) for link in links}
    listed = next(s for s in card.annex_of(book).sections if s.id == "decision")
    assert any(
        "that count by their own limits" in tree.plain(b.caption) for b in listed.blocks if isinstance(b, tree.Table)
    )
    assert decision.HERE[0].anchor == listed.id


def test_several_intervals_of_one_coverage_are_explained(dossiers: dict[str, Dossier]) -> None:
    """Where a group is named with its own interval it is said why the tables give another; else nothing is."""
    check = "explanation.conformal_coverage"
    found = dossiers["binary"]
    for high, expected in ((0.6, True), (0.95, False)):
        result = next(r for r in found.evaluate.results if r.check_id == check)
        low = {"group": "low", "n": 90, "rows": 90, "value": 0.5, "low": 0.4, "high": high}
        details = {**result.details, "groups": {"sex": [low]}, "classes": None}
        changed = result.model_copy(update={"details": details})
        results = tuple(changed if r is result else r for r in found.evaluate.results)
        other = dataclasses.replace(found, evaluate=found.evaluate.model_copy(update={"results": results}))
        said = prediction_sets.summary(refs.book(other))
        assert ((prediction_sets.SMALLEST,) in said) is expected
