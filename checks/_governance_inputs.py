"""The model's inputs of all rows as the governance checks look at them: column by column, or row by row.

They stay in their files. A block of columns is read at a time, for columns are asked for one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence import arrays

BLOCK = 8
"""Columns that are read at a time."""


class Inputs:
    """float32 inputs (rows, features) of several parts, one after the other."""

    def __init__(self, places: tuple[Path, ...], rows: int) -> None:
        self._places, self._rows = places, rows
        self._first, self._block = 0, np.empty((0, rows), dtype=np.float32)

    def column(self, number: int) -> npt.NDArray[np.float32]:
        """All values of a feature (rows,)."""
        if not self._first <= number < self._first + len(self._block):
            self._first = number // BLOCK * BLOCK
            self._block = self._read(self._first)
        column: npt.NDArray[np.float32] = self._block[number - self._first]
        return column

    def pieces(self) -> Iterator[npt.NDArray[Any]]:
        """Consecutive rows."""
        for place in self._places:
            yield from arrays.pieces(place)

    def _read(self, first: int) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        begin = 0
        for piece in self.pieces():
            columns = piece[:, first : first + BLOCK]
            if not begin:
                found = np.empty((columns.shape[1], self._rows), dtype=np.float32)
            found[:, begin : begin + len(piece)] = columns.T
            begin += len(piece)
        return found
