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
        self._came: list[list[Places]] = [[] for _ in self._free]
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
        region = places // self._step
        for number in np.unique(region):
            mine = np.flatnonzero(region == number)
            self._write(int(self._free[number]), rows[mine])
            self._free[number] += len(mine)
            self._came[number].append((places[mine] - number * self._step).astype(np.int32))

    def put_in_order(self) -> None:
        """Call when all rows are there."""
        for number, came in enumerate(self._came):
            if not came:  # rows without columns never come
                continue
            first = number * self._step
            rows = self.read(slice(first, first + self._step))
            ordered = np.empty_like(rows)
            ordered[np.concatenate(came)] = rows
            self._write(first, ordered)
            self._came[number] = []
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
