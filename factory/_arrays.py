"""NumPy archives (.npz) as tables: an array is a column, or several. Nothing is unpickled."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from configs import errors
from factory import _files
from factory._raw import RawTable, cut, rows_of_piece

KINDS = "biufSU"
"""Kinds of arrays that hold plain values: bool, integers, floats, bytes, text."""


def read_npz(opened: _files.Opened, declared: Sequence[str]) -> RawTable:
    """Read the declared columns. An array of more than two dimensions, and any other content, is named and not read.

    Raises:
        DataError: The file is damaged, is no .npz file, holds Python objects where a column is declared, or its
            declared arrays differ in length.
    """
    found: dict[str, npt.NDArray[Any] | None] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(opened.content())) as archive:
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name == info.filename:
                    continue
                _files.check_size(info, opened.name)
                if any(c == name or c.startswith(f"{name}.") for c in declared):
                    found |= _columns(name, np.load(io.BytesIO(archive.read(info)), allow_pickle=False))
                else:
                    found[name] = None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, MemoryError):
        raise _damaged(opened.name) from None
    except ValueError:  # numpy: no array, or one of Python objects, which only a pickle could bring back
        raise errors.DataError(
            f"data file {opened.name}: expected arrays of numbers or text, got Python objects or a damaged array. Save "
            "them again with numpy.savez and a plain dtype; pickles are never opened."
        ) from None
    rows = _length({n: len(v) for n, v in found.items() if v is not None and n in declared}, opened.name)
    columns = tuple(_plain(v) if v is not None and n in declared else () for n, v in found.items())
    return RawTable(opened.name, tuple(found), cut(columns, rows, rows_of_piece(len(declared))))


def _columns(name: str, array: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any] | None]:
    if array.dtype.kind not in KINDS or array.ndim not in (1, 2):
        return {name: None}
    if array.ndim == 1 or array.shape[1] == 1:
        return {name: array.reshape(-1)}
    return {f"{name}.{j}": array[:, j] for j in range(array.shape[1])}


def _length(lengths: dict[str, int], name: str) -> int:
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{n} {rows}" for n, rows in lengths.items())
        raise errors.DataError(
            f"data file {name}: expected declared arrays of one length, got {shown}. "
            "Declare only arrays that hold one entry for each row."
        )
    return next(iter(lengths.values()), 0)


def _plain(array: npt.NDArray[Any]) -> list[Any]:
    """Python values; bytes as text."""
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", errors="replace").tolist()
    found: list[Any] = array.tolist()
    return found


def _damaged(name: str) -> errors.DataError:
    return errors.DataError(
        f"data file {name}: expected a whole NumPy archive (.npz), got a damaged or different one. Fetch it again, or "
        "correct data.source.format."
    )
