"""Rows chosen by a seeded hash of their digests: the same rows whatever the order of the table."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from evidence import arrays


def hashed_order(part: arrays.Part, seed: int) -> npt.NDArray[np.intp]:
    """Indices of the rows (rows,) by their seeded hash."""
    digests, prefix, keys = part.row_digests, f"{seed}:".encode(), bytearray()
    for begin in range(0, len(digests), arrays.PIECE):  # as Python's bytes they take several times their length
        some = digests[begin : begin + arrays.PIECE].tolist()
        keys += b"".join([hashlib.sha256(prefix + digest).digest() for digest in some])
    return np.argsort(np.frombuffer(keys, dtype="S32"), kind="stable") if keys else np.empty(0, dtype=np.intp)


def chosen(part: arrays.Part, most: int, seed: int) -> npt.NDArray[np.intp]:
    """Indices of at most so many rows, ascending."""
    return np.arange(part.rows) if part.rows <= most else np.sort(hashed_order(part, seed)[:most])
