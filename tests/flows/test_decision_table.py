"""The lines of a decision fit the terminal, and say in words what the numbers do not."""

from __future__ import annotations

import dataclasses

import pytest
from rich.text import Text

from flows import decision_table
from flows.commands import show
from flows.decisions import Line

LINE = Line(
    check="fairness.equal_opportunity_difference", slice="sex × age_group", status="inconclusive", required=True,
    of_plan=True, value=0.1234, unit="1", low=0.0321, high=0.2345, level=0.95, own_level=False,
    at_least=None, at_most=0.1, n=16281, why="“other” has fewer than 20 rows to be measured on",
)  # fmt: skip


def shown(*lines: Line, width: int = 80) -> list[str]:
    """The lines as plain text."""
    return [Text.from_markup(row).plain for row in decision_table.rows(lines, width)]


def line(**changed: object) -> Line:
    """The line with changes."""
    return dataclasses.replace(LINE, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Long names take a line of their own before anything is cut or wrapped by the terminal."""
    found = shown(line(), line(check="performance.roc_auc", slice="overall", status="pass"), width=width)
    assert max(map(len, found)) <= width


def test_value_interval_threshold_and_rows_stand_on_the_line() -> None:
    """In columns under their heads."""
    heads, _, row = shown(line(check="performance.roc_auc", slice="overall", status="pass", why=""))
    for head, cell in (("interval", "[0.0321, 0.234]"), ("asked", "≤ 0.1")):
        assert row.index(cell) == heads.index(head)
    assert row.rstrip().endswith("16,281")
    assert "0.123" in row


def test_what_did_not_pass_says_why() -> None:
    """How the interval lies to the threshold, and what else the reason holds."""
    text = " ".join(" ".join(shown(line())).split())
    assert "inconclusive: 0.1 lies within the interval; “other” has fewer than 20 rows" in text
    failed = " ".join(shown(line(status="fail", low=0.2, why="")))
    assert "fail: the whole interval is above 0.1" in failed
    optional = " ".join(shown(line(status="fail", low=0.2, required=False, why="")))
    assert "fail, reported only" in optional


def test_a_level_of_its_own_is_told() -> None:
    """A gate that asks for another level than the policy says so below its line, passed or not."""
    for status in ("pass", "fail"):
        found = " ".join(shown(line(status=status, level=0.999, own_level=True, why="")))
        assert "interval at 99.9 %" in found
    assert "interval at" not in " ".join(shown(line(why="")))


def test_what_was_not_measured_shows_no_number() -> None:
    """No value, no interval; the reason instead."""
    bare = line(
        status="not_measured", value=None, low=None, high=None, n=None, why="the source model gives no gradient"
    )
    found = shown(bare)
    assert "not measured: the source model gives no gradient" in found[-1]
    assert "none" not in " ".join(found).lower()


def test_words_of_a_record_are_no_markup() -> None:
    """Brackets in names are shown, not obeyed."""
    assert "[red]x[/red]" in " ".join(shown(line(slice="[red]x[/red]")))


def test_gates_of_the_plan_and_further_checks_are_counted_apart() -> None:
    """As the documents count them: a gate that is only reported is among the gates, and said to be that."""
    lines = (
        line(status="pass"),
        line(),
        line(required=False),
        line(of_plan=False, status="pass"),
        line(of_plan=False, required=False, status="not_measured"),
    )
    assert show.counted(lines) == (
        "Gates of the plan: 1 pass, 2 inconclusive (1 reported only). Further checks: 1 pass, 1 not measured"
    )
