"""A table of the facility's own: CSV, or Parquet where pyarrow is installed. Every cell a text; nothing is guessed."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import io
from pathlib import Path

from configs import errors

LARGEST = 512 << 20
"""Bytes of a file."""
MOST_COLUMNS = 10_000
MOST_ROWS = 2_000_000
LONGEST_CELL = 10_000
"""Characters."""
LONGEST_HEADER = 4 << 20
"""Characters of the first line."""


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns of texts."""

    name: str
    columns: dict[str, list[str | None]]
    """Name to cells; None is a missing cell (Parquet)."""
    rows: int


def read(path: Path) -> Table:
    """Read a table whose first row names the columns.

    Raises:
        MissingError: There is no such file, or pyarrow is needed and absent.
        DataError: It is no table, too large, or in an encoding that is not UTF-8.
    """
    if not path.is_file():
        raise errors.MissingError(f"data file {path}: expected a file, got none. Check the path.")
    if path.stat().st_size > LARGEST:
        raise _refused(path, f"at most {LARGEST >> 20} MiB", f"{path.stat().st_size >> 20}. Use a sample of the rows")
    content = path.read_bytes()
    if path.suffix.lower() == ".parquet" or content.startswith(b"PAR1"):
        return _parquet(path, content)
    return _csv(path, _text(path, content))


def _text(path: Path, content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refused(path, "CSV or Parquet", "a ZIP or an Excel file. Save the sheet as CSV")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, "UTF-8 text", f"other bytes at {error.start}. Save it as UTF-8") from None
    if "\0" in text:
        raise _refused(path, "text", "zero bytes. Save it as UTF-8 text")
    return text


def _csv(path: Path, text: str) -> Table:
    end = text.find("\n")
    first = text[: end if end >= 0 else len(text)]
    if len(first) > LONGEST_HEADER:
        raise _refused(path, f"a first line of at most {LONGEST_HEADER:,} characters", f"{len(first):,}")
    separator = max(",;\t", key=first.count) if first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    cells: list[list[str]] = []
    try:
        for line in reader:
            if not line:
                continue
            if not names:
                names = [name.strip() for name in line]
                _require_names(path, names)
                continue
            if len(line) != len(names):
                found = f"{len(line)} in line {reader.line_num}"
                remedy = f"Quote texts that hold '{separator}'"
                raise _refused(path, f"{len(names)} cells in every line", f"{found}. {remedy}")
            if max(map(len, line)) > LONGEST_CELL:
                found = f"a longer one in line {reader.line_num}. Look for a quote that is not closed"
                raise _refused(path, f"cells of at most {LONGEST_CELL:,} characters", found)
            cells.append(line)
            if len(cells) > MOST_ROWS:
                raise _refused(path, f"at most {MOST_ROWS:,} rows", "more. Use a sample of the rows")
    except csv.Error as error:
        raise _refused(path, "plain CSV", f"{error} in line {reader.line_num}. Correct it") from None
    if not names:
        raise _refused(path, "a table", "nothing. Restore the file")
    columns: dict[str, list[str | None]] = {name: [line[j] for line in cells] for j, name in enumerate(names)}
    return Table(path.name, columns, len(cells))


def _require_names(path: Path, names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise _refused(path, f"at most {MOST_COLUMNS:,} columns", f"{len(names):,}. Keep those that the contract names")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _refused(path, "different names of columns", f"'{name[:60]}' twice. Rename one")
        seen.add(name)


def _parquet(path: Path, content: bytes) -> Table:
    if importlib.util.find_spec("pyarrow") is None:
        raise errors.MissingError(
            f"data file {path.name}: expected pyarrow to read Parquet, got none. `pip install pyarrow`, or save as CSV."
        )
    import pyarrow as pa  # noqa: PLC0415 - optional
    from pyarrow import parquet  # noqa: PLC0415

    try:
        opened = parquet.ParquetFile(io.BytesIO(content))
        names = list(opened.schema_arrow.names)
        _require_names(path, names)
        if opened.metadata.num_rows > MOST_ROWS:
            raise _refused(path, f"at most {MOST_ROWS:,} rows", "more. Use a sample of the rows")
        table = opened.read()
        columns = {name: [_cell(v) for v in table.column(j).to_pylist()] for j, name in enumerate(names)}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _refused(path, "a Parquet table", f"{str(error)[:120]}. Write it again") from None
    return Table(path.name, columns, opened.metadata.num_rows)


def _cell(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _refused(path: Path, expected: str, got: str) -> errors.DataError:
    return errors.DataError(f"data file {path.name}: expected {expected}, got {got}.")
