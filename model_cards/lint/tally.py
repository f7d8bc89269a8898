"""Totals of a document's own tables: `119 requirements` above a table that adds up to it needs no other evidence."""

from __future__ import annotations

import collections
import re

from model_cards.lint.model import Document

_WHOLE = re.compile(r"\d{1,3}(?:[ ,.'’]\d{3})+|\d{1,9}")
FEWEST_ROWS = 3
"""Rows from which on a total is one, and no coincidence of two numbers."""


def totals(document: Document) -> frozenset[int]:
    """Sums of columns of whole numbers, and numbers of rows; a last row may hold the sum itself."""
    columns: dict[tuple[int, str], list[int]] = collections.defaultdict(list)
    rows: dict[int, int] = {}
    table, last = 0, (0, 0)
    for sentence in document.sentences:
        cell = sentence.place.cell
        if cell is None:
            last = (0, 0)
            continue
        if cell < last or last == (0, 0):
            table += 1
        last = cell
        rows[table] = cell[0]
        text = sentence.text.strip()
        if cell[1] > 1 and _WHOLE.fullmatch(text):
            columns[table, f"{cell[1]}"].append(int(re.sub(r"\D", "", text)))
    found = {count for last_row in rows.values() for count in (last_row, last_row - 1)}
    for values in columns.values():
        if len(values) >= FEWEST_ROWS:
            found |= {sum(values), sum(values[:-1])}
    return frozenset(found)
