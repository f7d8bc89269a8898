"""Tables in the lines of a PDF page, told by their columns; cells that run over several lines are put together."""

from __future__ import annotations

import re

_CELL = re.compile(r"[^ ]+(?: [^ ]+)*")
_CONTENTS = re.compile(r"(?:\s?\.){4,}\s*\d{1,4}$")
LONGEST_CELL = 160
FEWEST_ROWS = 2
MOST_BLANKS = 2
"""Blank lines between two rows."""

NEAR = 6
"""Characters between a column and the rest of a cell that is still its own."""

_Placed = tuple[str, int, int]
"""Text of a cell, with the columns of characters from which to which it goes."""


def at(lines: list[str], begin: int) -> tuple[int, list[list[str]]]:
    """The table that begins at a line: number of its lines, and its rows. No lines where there is none."""
    first = cells(lines[begin])
    if len(first) < 2 or _CONTENTS.search(lines[begin]):
        return 0, []
    columns = [(low, high) for _, low, high in first]
    rows = [[text for text, _, _ in first]]
    if below := _without_first(lines, begin, first):
        columns = [below[0][1:], *columns]
        rows = [["", *rows[0]]]
    length, blank = 1, 0
    for offset, line in enumerate(lines[begin + 1 :], start=1):
        found = cells(line)
        if not found:
            blank += 1
            if blank > MOST_BLANKS:
                break
            continue
        if any(len(text) > LONGEST_CELL for text, _, _ in found) or _CONTENTS.search(line):
            break
        if len(found) == len(columns):
            columns = [(min(a, low), max(b, high)) for (a, b), (_, low, high) in zip(columns, found, strict=True)]
            rows.append([text for text, _, _ in found])
        elif blank or not _continue(rows[-1], found, columns):
            break
        blank, length = 0, offset + 1
    return (length, rows) if len(rows) >= FEWEST_ROWS else (0, [])


def _without_first(lines: list[str], begin: int, header: list[_Placed]) -> list[_Placed]:
    """The cells of the next line, where the header has none above the first of them, and one above each other."""
    below = next((found for line in lines[begin + 1 : begin + 2 + MOST_BLANKS] if (found := cells(line))), [])
    if len(below) != len(header) + 1 or below[0][2] > header[0][1]:
        return []
    above = zip(header, below[1:], strict=True)
    return below if all(a[1] < b[2] + NEAR and b[1] < a[2] + NEAR for a, b in above) else []


def cells(line: str) -> list[_Placed]:
    """The columns of a line. A bullet is none."""
    found = [(match[0], *match.span()) for match in _CELL.finditer(line)]
    return found[1:] if len(found) > 1 and len(found[0][0]) == 1 and not found[0][0].isalnum() else found


def _continue(row: list[str], found: list[_Placed], columns: list[tuple[int, int]]) -> bool:
    """Add a line to the cells above it, where each part stands under one column alone."""
    if len(found) >= len(columns):
        return False
    places = []
    for _, low, high in found:
        under = [number for number, (a, b) in enumerate(columns) if low < b and a < high]
        if not under:  # set to the right, it may end just behind its column
            gaps = sorted((max(a - high, low - b), number) for number, (a, b) in enumerate(columns))
            under = [gaps[0][1]] if gaps[0][0] <= NEAR and gaps[0][0] < gaps[1][0] else []
        if len(under) != 1:
            return False
        places.append(under[0])
    if len(set(places)) != len(places):
        return False
    for (text, _, _), number in zip(found, places, strict=True):
        row[number] = f"{row[number]} {text}"
    return True
