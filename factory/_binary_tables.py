"""Parquet and Excel: typed values as they stand in the file."""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import openpyxl.utils.exceptions
import pyarrow as pa
import pyarrow.parquet as pq

from configs import data, errors
from factory import _files
from factory._raw import Piece, RawTable, cut, rows_of_piece

_BUFFER = 1 << 20
"""Bytes of a column that are read at a time."""


def read_parquet(opened: _files.Opened, declared: Sequence[str]) -> RawTable:
    """Read the declared columns of a Parquet file piece by piece; the names of the others come along, no values.

    Raises:
        DataError: The file is damaged, or is no Parquet file.
    """
    content = opened.place if opened.member is None else io.BytesIO(opened.content())
    with _damage_told(opened.name), pq.ParquetFile(content) as file:  # closed again: there may be thousands
        names = tuple(file.schema_arrow.names)
    return RawTable(opened.name, names, _pieces(content, opened.name, names, declared))


def _pieces(content: Path | io.BytesIO, name: str, names: tuple[str, ...], declared: Sequence[str]) -> Iterator[Piece]:
    wanted = [n for n in names if n in declared]
    # Nothing is read ahead: a row group may be as large as the file.
    with _damage_told(name), pq.ParquetFile(content, pre_buffer=False, buffer_size=_BUFFER) as file:
        for batch in file.iter_batches(rows_of_piece(len(wanted)), columns=wanted):
            yield [pa.chunked_array([batch.column(n)]) if n in declared and names.count(n) == 1 else () for n in names]


@contextlib.contextmanager
def _damage_told(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError):
        raise errors.DataError(
            f"data file {name}: expected a whole Parquet file, got a damaged or different one. Fetch it again, "
            "or correct data.source.format."
        ) from None


def read_excel(opened: _files.Opened, source: data.FileSource, declared: Sequence[str]) -> RawTable:
    """Read one sheet. Rows without any value are left out; formulas count by their stored results.

    Raises:
        PlanError: The sheet does not exist.
        DataError: The file is damaged, or is no .xlsx file.
    """
    content = opened.content()
    _check_archive(opened.name, content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = _sheet(book, opened.name, source.sheet)
        rows = [row for row in sheet.iter_rows(values_only=True) if any(v is not None for v in row)]
        book.close()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        ParseError,
        # What the library raises for a workbook without its parts, or a number cell that holds no number.
        AttributeError,
        IndexError,
        TypeError,
        ValueError,
        openpyxl.utils.exceptions.InvalidFileException,
    ):
        raise _damaged(opened.name) from None
    if not rows:
        raise errors.DataError(
            f"data file {opened.name}: expected a table, got a sheet without values. Name another in data.source.sheet."
        )
    return _table(opened.name, rows, declared, header=source.header)


def _check_archive(name: str, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                _files.check_size(info, name)
    except zipfile.BadZipFile:
        raise _damaged(name) from None


def _damaged(name: str) -> errors.DataError:
    return errors.DataError(
        f"data file {name}: expected a whole Excel file (.xlsx), got a damaged or different one. Open it and save it "
        "as .xlsx again, or correct data.source.format."
    )


def _sheet(book: Any, name: str, wanted: str | None) -> Any:
    if wanted is None:
        return book.worksheets[0]
    if wanted not in book.sheetnames:
        raise errors.PlanError(
            f"data file {name}: expected the sheet '{wanted}', got {', '.join(book.sheetnames)}. "
            "Correct data.source.sheet."
        )
    if wanted not in (sheet.title for sheet in book.worksheets):
        raise errors.PlanError(
            f"data file {name}: expected a sheet with cells, got the chart '{wanted}'. Correct data.source.sheet."
        )
    return book[wanted]


def _table(name: str, rows: list[tuple[Any, ...]], declared: Sequence[str], *, header: bool) -> RawTable:
    width = max(max((i + 1 for i, v in enumerate(row) if v is not None), default=0) for row in rows)
    full = [(*row[:width], *(None,) * (width - len(row))) for row in rows]
    if header:
        names = tuple(
            str(v).strip() if v is not None else f"(column {i} without name)" for i, v in enumerate(full[0], 1)
        )
        full = full[1:]
    else:
        names = tuple(declared)
        if width != len(names):
            raise errors.DataError(
                f"data file {name}: expected {len(names)} columns, as many as the plan declares for a sheet without "
                f"header, got {width}. Declare every column in order (unused ones with the role ignored)."
            )
    columns = tuple(zip(*full, strict=True)) if full else ((),) * len(names)
    return RawTable(name, names, cut(columns, len(full), rows_of_piece(len(names))))
