"""Totals of a document's own tables: `119 requirements` above a table that adds up to it needs no other evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model_cards.lint.model import Document, Sentence

_WHOLE = re.compile(r"\d{1,3}(?:[ ,.'’]\d{3})+|\d{1,9}")
FEWEST_ROWS = 3
"""Rows from which on a total is one, and no coincidence of two numbers."""


def row_counts(document: Document) -> dict[int, str]:
    """Numbers of rows of its tables, without their header or with it, to the words of their headers and captions."""
    found: dict[int, str] = {}
    for table in _tables(document):
        rows = len({(cell.place.page, cell.place.cell[0]) for cell in table if cell.place.cell})
        said = " ".join(dict.fromkeys(part for cell in table for part in (cell.column, cell.caption)))
        headed = any(cell.column for cell in table)
        for count in (rows - 1,) if headed else (rows, rows - 1):
            found[count] = f"{found.get(count, '')} {said}"
    return found


def totals(document: Document) -> frozenset[int]:
    """Sums of columns of whole numbers; a last row may hold the sum itself."""
    found: set[int] = set()
    for table in _tables(document):
        columns: dict[int, list[int]] = {}
        for cell in table:
            text = cell.text.strip()
            if cell.place.cell and cell.place.cell[1] > 1 and _WHOLE.fullmatch(text):
                columns.setdefault(cell.place.cell[1], []).append(int(re.sub(r"\D", "", text)))
        for values in columns.values():
            if len(values) >= FEWEST_ROWS:
                found |= {sum(values), sum(values[:-1])}
    return frozenset(found)


def _tables(document: Document) -> Iterator[list[Sentence]]:
    """The cells of each table; what goes on under the same header on the next page is one table."""
    table: list[Sentence] = []
    for part in _parts(document):
        if table and _goes_on(table, part):
            table += part
            continue
        if table:
            yield table
        table = part
    if table:
        yield table


def _parts(document: Document) -> Iterator[list[Sentence]]:
    part: list[Sentence] = []
    for sentence in document.sentences:
        cell = sentence.place.cell
        before = part[-1].place.cell if part else None
        if part and (cell is None or (before and cell < before)):
            yield part
            part = []
        if cell is not None:
            part.append(sentence)
    if part:
        yield part


def _goes_on(table: list[Sentence], part: list[Sentence]) -> bool:
    pages = table[-1].place.page, part[0].place.page
    if None in pages or pages[1] != (pages[0] or 0) + 1:
        return False
    return _header(table) == _header(part) != ()


def _header(table: list[Sentence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cell.column for cell in table if cell.column))
