"""Arrays of a run, some rows at a time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from evidence import arrays
from evidence.folder import RunFolder


def test_pieces_are_the_rows_of_the_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together they are what was saved, in its type and shape, whole pieces or not."""
    monkeypatch.setattr(arrays, "PIECE", 4)
    folder = RunFolder(tmp_path)
    for array in (np.arange(33, dtype=np.float32).reshape(11, 3), np.arange(8), np.array([b"ab", b"c"], "S2")):
        saved = folder.checked(arrays.save(folder, "a.npy", array))
        assert len(next(arrays.pieces(saved))) == min(4, len(array))
        joined = np.concatenate(list(arrays.pieces(saved)))
        assert joined.dtype == array.dtype
        assert joined.tolist() == array.tolist()
    assert list(arrays.pieces(folder.checked(arrays.save(folder, "none.npy", np.empty((0, 3)))))) == []


def test_contained_tells_equal_values_apart_from_like_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `numpy.isin`: values at either end, none at all, and bytes that end in zeros."""
    rows = [hashlib.sha256(bytes([n])).digest() for n in range(40)] + [bytes(31) + b"\1", b"\1" + bytes(31), bytes(32)]
    all_rows = np.frombuffer(b"".join(rows), dtype="S32")
    for among in (all_rows[::3], all_rows[:0], all_rows[-2:], all_rows):
        assert arrays.contained(all_rows, among).tolist() == np.isin(all_rows, among).tolist()
    assert arrays.contained(all_rows[:0], all_rows).tolist() == []


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_lines_are_sorted_whatever_the_order(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """The digest of a set of rows is that of its sorted lines, in however many pieces they are made."""
    monkeypatch.setattr(arrays, "PIECE", 4)
    names = [hashlib.sha256(bytes([n])).hexdigest() for n in range(rows)]
    expected = "".join(f"{name}\n" for name in sorted(names)).encode()
    for order in (names, sorted(names), sorted(names)[::-1]):
        given = np.array(order, dtype="S64")
        assert arrays.lines_of_rows(given) == expected
        assert arrays.digest_of_rows(given) == hashlib.sha256(expected).hexdigest()
