"""A table as it is read, before any conversion: names, and values a piece of rows at a time, nothing judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

Values = pa.ChunkedArray | Sequence[Any]
"""One column: an Arrow array, or Python values where types may be mixed (Excel, databases)."""
Piece = Sequence[Values]
"""The columns of consecutive rows, in the order of the names; empty where a column is not read."""

CELLS = 1 << 20
"""Values of a piece over all columns: what is in memory at a time."""
FEWEST = 1024
"""Rows of a piece at least, however many columns there are."""
MOST = 1 << 17
"""Rows of a piece at most, however few."""


@dataclasses.dataclass(frozen=True)
class RawTable:
    """One table as it is read."""

    name: str
    """Name for messages."""
    names: tuple[str, ...]
    pieces: Iterable[Piece]
    """Runs through the rows once, in order."""


def rows_of_piece(columns: int) -> int:
    """How many rows of so many columns are read at a time."""
    return min(MOST, max(FEWEST, CELLS // max(1, columns)))


def cut(columns: Piece, rows: int, step: int) -> Iterator[Piece]:
    """Columns in memory as pieces of at most `step` rows."""
    for begin in range(0, rows, step):
        # A column that is not read is empty, and so is each part of it.
        yield [values[begin : begin + step] for values in columns]
