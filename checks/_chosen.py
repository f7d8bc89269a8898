"""Rows chosen by a seeded hash of their digests: the same rows whatever the order of the table."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from evidence import arrays


def hashed_order(part: arrays.Part, seed: int) -> npt.NDArray[np.intp]:
    """Indices of the rows (rows,) by their seeded hash."""
    keys = [hashlib.sha256(f"{seed}:".encode() + digest).digest() for digest in part.row_digests.tolist()]
    return np.argsort(np.array(keys, dtype="S32"), kind="stable")


def chosen(part: arrays.Part, most: int, seed: int) -> npt.NDArray[np.intp]:
    """Indices of at most so many rows, ascending."""
    return np.arange(part.rows) if part.rows <= most else np.sort(hashed_order(part, seed)[:most])
