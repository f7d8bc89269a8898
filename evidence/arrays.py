"""Opening the encoded arrays of a run: numpy only, no pickle, digests checked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evidence import canonical, records
from evidence.folder import RunFolder

PIECE = 65_536
"""Rows of a piece."""


@dataclasses.dataclass(frozen=True)
class Groups:
    """Group membership for one attribute: `codes` (rows,) indexes `names`, −1 is missing."""

    codes: npt.NDArray[np.int16]
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Part:
    """The arrays of one split part, rows in one order."""

    role: records.Role
    x: npt.NDArray[np.float32]
    """(rows, features)"""
    y: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    """(rows,)"""
    row_digests: npt.NDArray[np.bytes_]
    """(rows,), S64"""
    groups: dict[str, Groups]
    entities: npt.NDArray[np.int64] | None
    digests_sha256: str
    """SHA-256 over the sorted row digests, one per line."""
    slices: dict[str, Groups] = dataclasses.field(default_factory=dict)
    """Column by which the plan slices the rows to its slices."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.y)

    def use(self, step: str) -> records.DataUse:
        """The entry of the leakage audit for a step that reads this part."""
        return records.DataUse(step=step, role=self.role, rows=self.rows, digests_sha256=self.digests_sha256)


def load(folder: RunFolder, encoded: records.EncodedData, role: records.Role, *, mapped: bool = False) -> Part:
    """Open one part.

    Args:
        folder: The run folder.
        encoded: Its encoded data.
        role: Which part.
        mapped: Leave inputs and digests in their files, where the system reads what is looked at; changes do not
            reach them.

    Raises:
        IntegrityError: When an array was altered.
    """
    part = encoded.parts[role]
    digests = open_array(folder, part.row_digests, mapped=mapped)
    return Part(
        role=role,
        x=open_array(folder, part.x, mapped=mapped),
        y=open_array(folder, part.y),
        row_digests=digests,
        groups=_groups(folder, part.groups),
        entities=open_array(folder, part.entities) if part.entities else None,
        digests_sha256=digest_of_rows(digests),
        slices=_groups(folder, part.slices),
    )


def digest_of_rows(row_digests: npt.NDArray[np.bytes_]) -> str:
    """SHA-256 over the sorted row digests, one hex digest per line."""
    return canonical.sha256_pieces(_lines(row_digests))


def lines_of_rows(row_digests: npt.NDArray[np.bytes_]) -> bytes:
    """The sorted row digests, one per line, each line ended."""
    return b"".join(_lines(row_digests))


def _lines(row_digests: npt.NDArray[np.bytes_]) -> Iterator[bytes]:
    digests = _ordered(row_digests)
    for begin in range(0, len(digests), PIECE):
        yield b"".join(d + b"\n" for d in digests[begin : begin + PIECE].tolist())


def _ordered(values: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bytes_]:
    """The values sorted: as they are where they are so, as digests of encoded rows, or a copy."""
    return values if bool((values[:-1] <= values[1:]).all()) else np.sort(values)


def contained(values: npt.NDArray[np.bytes_], among: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bool_]:
    """Which of the values (n,) stand among others (m,): as `numpy.isin`, with at most one copy of the others."""
    if not len(among):
        return np.zeros(len(values), dtype=np.bool_)
    ordered = _ordered(among)
    at = np.searchsorted(ordered, values)
    at[at == len(ordered)] = 0
    found: npt.NDArray[np.bool_] = ordered[at] == values
    return found


def save(folder: RunFolder, relative: str, array: npt.NDArray[np.generic]) -> records.ArtifactRef:
    """Write an array as `.npy`, whole or not at all."""
    with folder.replacing(relative) as temporary, temporary.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)
    return folder.reference(relative)


def _groups(folder: RunFolder, columns: dict[str, records.GroupColumn]) -> dict[str, Groups]:
    return {name: Groups(codes=open_array(folder, found.codes), names=found.names) for name, found in columns.items()}


def open_array(folder: RunFolder, reference: records.ArtifactRef, *, mapped: bool = False) -> npt.NDArray[Any]:
    """An array as it was saved; `mapped` leaves it in its file.

    Raises:
        IntegrityError: When it was altered.
    """
    array: npt.NDArray[Any] = np.load(folder.checked(reference), "c" if mapped else None, allow_pickle=False)
    return array


def pieces(place: Path) -> Iterator[npt.NDArray[Any]]:
    """Consecutive rows of an array in a file of `save`, some at a time."""
    with place.open("rb") as stream:
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        for begin in range(0, shape[0], PIECE):
            of_piece = (min(PIECE, shape[0] - begin), *shape[1:])
            yield np.frombuffer(stream.read(dtype.itemsize * math.prod(of_piece)), dtype).reshape(of_piece)
