"""Counting rows by group and cell, in blocks that stay in the processor's cache: tens of millions of rows a second."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

BLOCK = 1 << 16
"""Rows at once: their temporaries fit into a cache of the second level."""
WIDEST = 1 << 22
"""Largest number of (group, entity) cells that are told apart by counting instead of by sorting."""


@dataclasses.dataclass(frozen=True)
class Columns:
    """The entities of each group: one with rows in two groups counts in each of them."""

    column: npt.NDArray[np.int64]
    """(rows,) column of each row; −1 for rows without a group."""
    owner: npt.NDArray[np.int64]
    """(columns,) group of each column."""


def tables(member: Codes, groups: int, cell: Codes, cells: int) -> npt.NDArray[np.int64]:
    """Rows in each cell of each group, (groups, cells); rows without a group (negative member) are left out."""
    found = np.zeros((groups + 1) * cells, dtype=np.int64)
    for start in range(0, len(member), BLOCK):
        part = slice(start, start + BLOCK)
        found += np.bincount(_codes(member[part], cell[part], cells), minlength=len(found))
    return found.reshape(groups + 1, cells)[1:]


def sums(member: Codes, groups: int, cell: Codes, cells: int, values: tuple[Floats, ...]) -> Floats:
    """Sums of each of the values (rows,) in each cell of each group, and last of the first one squared.

    Returns:
        (values + 1, groups, cells)
    """
    found = np.zeros((len(values) + 1, (groups + 1) * cells))
    for start in range(0, len(member), BLOCK):
        part = slice(start, start + BLOCK)
        codes = _codes(member[part], cell[part], cells)
        blocks = [value[part] for value in values]
        for index, block in enumerate([*blocks, np.square(blocks[0])]):
            found[index] += np.bincount(codes, weights=block, minlength=found.shape[1])
    return found.reshape(len(found), groups + 1, cells)[:, 1:]


def pairs(first: Codes, second: Codes, size: int) -> npt.NDArray[np.integer]:
    """`first` times `size` plus `second`, (rows,), in a small type: the cell of a row in a square table."""
    found = np.empty(len(first), np.int16 if size <= 128 else np.int64)
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        found[part] = first[part] * size + second[part]
    return found


def columns(member: Codes, groups: int, units: Codes) -> Columns:
    """Number the pairs of group and entity that hold rows."""
    most = int(units.max(initial=0)) + 1
    pair = member.astype(np.int64) * most + units
    known = member >= 0
    if groups * most > max(WIDEST, 4 * len(member)):
        present, index = np.unique(pair[known], return_inverse=True)
    else:
        present = np.flatnonzero(np.bincount(pair[known], minlength=groups * most))
        place = np.zeros(groups * most, dtype=np.int64)
        place[present] = np.arange(len(present))
        index = place[pair[known]]
    column = np.full(len(member), -1, dtype=np.int64)
    column[known] = index
    return Columns(column, present // most)


def _codes(member: Codes, cell: Codes, cells: int) -> npt.NDArray[np.int64]:
    codes: npt.NDArray[np.int64] = (member.astype(np.int64) + 1) * cells
    codes += cell
    return codes
