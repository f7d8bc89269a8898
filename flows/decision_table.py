"""A decision as lines of text that fit the terminal: one for each gate, and below it what the numbers do not say."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable

from rich.cells import cell_len
from rich.markup import escape

from flows import view
from flows.decisions import Line

GLYPHS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "not_measured": "·", "not_applicable": "·"}
LEGEND = "✓ pass   ✗ fail   ? inconclusive   · not measured or not applicable"
HEADS = ("value", "interval", "asked", "n")
INDENT = 4
LONGEST_NAME = 60


def rows(lines: Iterable[Line], width: int) -> list[str]:
    """The lines as rich markup, grouped by family, with a heading for the numbers; none is wider than `width`."""
    listed = list(lines)
    if not listed:
        return []
    cells = [_cells(line) for line in listed]
    sizes = [max(len(head), *(cell_len(c[i]) for c in cells)) for i, head in enumerate(HEADS)]
    numbers = cell_len(_numbers(HEADS, sizes))
    room = max(12, width - INDENT - numbers)
    name = min(room, max(cell_len(_name(line)) for line in listed), LONGEST_NAME)
    made = [f"[dim]{' ' * (INDENT + name)}{_numbers(HEADS, sizes)}[/]"]
    for family, members in itertools.groupby(zip(listed, cells, strict=True), key=lambda pair: pair[0].family):
        made.append(f"  [bold]{escape(family)}[/]")
        for line, cell in members:
            made += _row(line, _numbers(cell, sizes), name, width)
    return made


def _row(line: Line, numbers: str, room: int, width: int) -> list[str]:
    colour, name = view.COLOURS[line.status], _name(line)
    start = f"  [{colour}]{GLYPHS[line.status]}[/] "
    if cell_len(name) <= room:
        made = [f"{start}{escape(name)}{' ' * (room - cell_len(name))}{escape(numbers)}"]
    else:
        made = [f"{start}{escape(name)}", f"{' ' * (INDENT + room)}{escape(numbers)}"]
    made = [text.rstrip() for text in made]
    return made + [f"{' ' * INDENT}[dim]{escape(t)}[/]" for t in textwrap.wrap(_said(line), max(20, width - INDENT))]


def _name(line: Line) -> str:
    """The check without its family, the slice, the unit, and a level of its own."""
    part = "" if line.slice == "overall" else f" · {line.slice}"
    unit = "" if line.unit in ("1", "rows") else f" ({line.unit})"
    return f"{line.check.partition('.')[2]}{part}{unit}"


def _cells(line: Line) -> tuple[str, str, str, str]:
    measured = "" if line.value is None else f"{line.value:.3g}"
    interval = "" if line.low is None or line.high is None else f"[{line.low:.3g}, {line.high:.3g}]"
    asked = f"≥ {line.at_least:g}" if line.at_least is not None else ""
    asked += f"≤ {line.at_most:g}" if line.at_most is not None else ""
    return measured, interval, asked, "" if line.n is None else f"{line.n:,}"


def _numbers(cells: Iterable[str], sizes: list[int]) -> str:
    measured, interval, asked, n = cells
    return f" {measured:>{sizes[0]}} {interval:<{sizes[1]}}  {asked:<{sizes[2]}}  {n:>{sizes[3]}}"


def _said(line: Line) -> str:
    """The words below a line: the outcome where it is no pass, why, and whether it decides."""
    level = f"interval at {100 * line.level:.6g} %" if line.own_level and line.level else ""
    if line.status == "pass":
        return "; ".join(text for text in (level, line.why if line.of_plan else "") if text)
    outcome = line.status.replace("_", " ") + ("" if line.required else ", reported only")
    rest = "; ".join(text for text in (_against(line), level, line.why) if text)
    return f"{outcome}: {rest}" if rest else outcome


def _against(line: Line) -> str:
    """How the interval lies to the threshold, where there are both."""
    limit = line.at_least if line.at_least is not None else line.at_most
    if limit is None or line.low is None or line.high is None:
        return ""
    if line.status == "fail":
        return f"the whole interval is {'below' if line.at_least is not None else 'above'} {limit:g}"
    holds = line.low <= limit <= line.high
    return f"{limit:g} lies within the interval" if line.status == "inconclusive" and holds else ""
