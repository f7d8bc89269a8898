"""A `.npy` file of rows that come in one order and stand in another. The whole is never in memory.

The file is cut into regions. Whatever belongs into a region is appended to it as it comes, in its place on the disk;
when all rows are there, each region is read, its rows are put in order, and it is written back.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

REGION = 1 << 25
"""Bytes of a region: what is in memory while it is put in order."""
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


class Scattered:
    """float32 rows of one width."""

    def __init__(self, place: Path, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._step = max(1, REGION // max(1, 4 * shape[1]))  # rows of a region
        self._free = np.arange(0, shape[0], self._step)  # for each region the row at which the next one is appended
        self._came = np.zeros(shape[0], dtype=np.int32)  # where in its region each appended row shall stand
        self._stream: BinaryIO = place.open("wb+")
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)
        self._begin = self._stream.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, rows: Floats, places: Places) -> None:
        """Some rows, and at which row of the file each shall stand."""
        order = np.argsort(places // self._step, kind="stable")
        rows, places = rows[order], places[order]
        regions, begins = np.unique(places // self._step, return_index=True)
        ends = np.append(begins, len(places))[1:]
        for number, begin, end in zip(regions, begins, ends, strict=True):
            at = int(self._free[number])
            self._write(at, rows[begin:end])
            self._came[at : at + end - begin] = places[begin:end] - number * self._step
            self._free[number] += end - begin

    def put_in_order(self) -> None:
        """Call when all rows are there."""
        for first in range(0, self._shape[0], self._step) if self._shape[1] else ():
            rows = self.read(slice(first, first + self._step))
            ordered = np.empty_like(rows)
            ordered[self._came[first : first + self._step]] = rows
            self._write(first, ordered)
        self._stream.flush()

    def read(self, rows: slice) -> Floats:
        """Consecutive rows, as they stand."""
        first, end = rows.start, min(rows.stop, self._shape[0])
        self._stream.seek(self._begin + 4 * self._shape[1] * first)
        content = self._stream.read(4 * self._shape[1] * (end - first))
        return np.frombuffer(content, dtype="<f4").reshape(end - first, self._shape[1])

    def _write(self, first: int, rows: Floats) -> None:
        self._stream.seek(self._begin + 4 * self._shape[1] * first)
        self._stream.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
