"""CSV and TSV as text: every value a string, nothing guessed, ragged lines refused."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.csv as pa_csv

from configs import data, errors
from factory import _files
from factory._raw import RawTable

SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
"""Separators that are tried when the declared one does not fit, and how they are called."""

_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_BLOCK = 1 << 24


def read(opened: _files.Opened, source: data.FileSource, declared: Sequence[str]) -> RawTable:
    """Read a text table.

    Args:
        opened: The file.
        source: How it is written.
        declared: Names of the declared columns, in order: the names of the columns where there is no header.

    Raises:
        PlanError: Encoding or separator do not fit.
        DataError: The content is no table.
    """
    separator = _separator(opened, source)
    content = _utf8(opened, source)
    first = _header(opened.name, content, separator)
    if len(first) == 1:
        raise _one_column(opened.name, content, separator, source, declared)
    if not source.header and len(first) != len(declared):
        raise errors.DataError(
            f"data file {opened.name}: expected {len(declared)} columns, as many as the plan declares for a file "
            f"without header, got {len(first)}. Declare every column in order (unused ones with the role ignored)."
        )
    table = _parse(opened.name, content, separator, len(first), header=source.header)
    if source.header:
        names = tuple(name.strip() for name in first)
        table = table.slice(1)
        if not set(names) & set(declared):
            _hint_other_separator(opened.name, content, separator, declared)
    else:
        names = tuple(declared)
    return RawTable(opened.name, names, tuple(table.columns), table.num_rows)


def _separator(opened: _files.Opened, source: data.FileSource) -> str:
    declared = source.separator
    if declared is None:
        return "\t" if opened.format == "tsv" else ","
    if declared.lower() in ("tab", "\\t"):
        return "\t"
    if len(declared) != 1:
        raise errors.PlanError(
            f"plan data.source.separator: expected one character or `tab`, got {len(declared)} characters. "
            "Correct the separator."
        )
    return declared


def _utf8(opened: _files.Opened, source: data.FileSource) -> bytes:
    content, name = opened.content, opened.name
    if content.startswith((b"PK\x03\x04", b"PAR1")):
        raise errors.PlanError(
            f"data file {name}: expected text, got a ZIP, Excel or Parquet file. State data.source.format."
        )
    try:
        codecs.lookup(source.encoding)
    except (LookupError, ValueError):  # unknown, or no name at all
        raise errors.PlanError(
            f"plan data.source.encoding: expected a known encoding such as utf-8 or latin-1, got {source.encoding!r}. "
            "Correct it."
        ) from None
    try:
        text = content.decode(source.encoding)
    except LookupError:  # a codec that makes no text, such as base64
        raise errors.PlanError(
            f"plan data.source.encoding: expected an encoding of text, got {source.encoding!r}. Correct it."
        ) from None
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        remedy = "utf-16" if utf16 else "cp1252 (Western Windows) or the one it was saved in"
        raise errors.PlanError(
            f"data file {name}: expected {source.encoding} text, got something else at byte {start}. "
            f"Set data.source.encoding: {remedy}."
        ) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise errors.DataError(
            f"data file {name}: expected text, got NUL bytes. Check data.source.format and data.source.encoding."
        )
    if not text.strip():
        raise errors.DataError(f"data file {name}: expected a table, got only blank lines. Restore the file.")
    return text.encode("utf-8")


def _header(name: str, content: bytes, separator: str) -> list[str]:
    try:
        return _first_record(content, separator)
    except csv.Error:
        raise errors.DataError(
            f"data file {name}: expected a first row of short values, got one of more than {csv.field_size_limit()} "
            "characters. Look for a quote that is not closed."
        ) from None


def _first_record(content: bytes, separator: str) -> list[str]:
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    return next(record for record in csv.reader(lines, delimiter=separator) if record)


def _parse(name: str, content: bytes, separator: str, width: int, *, header: bool) -> pa.Table:
    names = [str(i) for i in range(width)]
    try:
        return pa_csv.read_csv(
            io.BytesIO(content),
            # One thread, so that a ragged row is named by its number.
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        found = _RAGGED.search(str(error))  # the message itself may quote the line, and so a person's values
        if found is None:
            raise errors.DataError(
                f"data file {name}: expected a table of {width} columns, got text that cannot be read as one. "
                "Check quotes and line ends."
            ) from None
        row = f" row {int(found[1]) - header}" if found[1] else ""
        raise errors.DataError(
            f"data file {name}{row}: expected {found[2]} columns, got {found[3]}. Correct the row: a value that "
            "holds the separator must stand in quotes."
        ) from None


def _one_column(
    name: str, content: bytes, separator: str, source: data.FileSource, declared: Sequence[str]
) -> errors.DataError:
    widths = {s: len(_header(name, content, s)) for s in SEPARATORS if s != separator}
    best = max(widths, key=lambda s: widths[s])
    remedy = f"The lines look separated by {SEPARATORS[best]}: set {_setting(best)}."
    if widths[best] == 1:
        remedy = "Check the file, or state data.source.separator."
    return errors.DataError(
        f"data file {name}: expected {len(declared)} columns separated by {_called(separator)}, got one column. "
        f"{remedy}"
    )


def _hint_other_separator(name: str, content: bytes, separator: str, declared: Sequence[str]) -> None:
    """Refuse a header that another separator would split into declared names."""
    for other, called in SEPARATORS.items():
        if other != separator and {n.strip() for n in _header(name, content, other)} & set(declared):
            raise errors.DataError(
                f"data file {name}: expected columns separated by {_called(separator)}, got lines that are separated "
                f"by {called}. Set {_setting(other)}."
            )


def _called(separator: str) -> str:
    return SEPARATORS.get(separator, f"'{separator}'")


def _setting(separator: str) -> str:
    return "data.source.format: tsv" if separator == "\t" else f"data.source.separator: '{separator}'"
