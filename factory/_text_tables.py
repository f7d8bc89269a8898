"""CSV and TSV as text: every value a string, nothing guessed, ragged lines refused."""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.csv as pa_csv

from configs import data, errors
from factory import _files, _utf8
from factory._raw import Piece, RawTable, cut, rows_of_piece

Text = Callable[[], _utf8.Stream]
"""Opens the text of a file, from its beginning."""

SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
"""Separators that are tried when the declared one does not fit, and how they are called."""

_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_BLOCK = 1 << 22
"""Bytes that are parsed at a time, and of a row at most. Up to 32 of them are read ahead."""


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
    _utf8.require_text(opened, source.encoding)
    text = functools.partial(_utf8.Stream, opened, source.encoding)
    first = _header(opened.name, text, separator)
    if len(first) == 1:
        raise _one_column(opened.name, text, separator, source, declared)
    if not source.header and len(first) != len(declared):
        raise errors.DataError(
            f"data file {opened.name}: expected {len(declared)} columns, as many as the plan declares for a file "
            f"without header, got {len(first)}. Declare every column in order (unused ones with the role ignored)."
        )
    names = tuple(name.strip() for name in first) if source.header else tuple(declared)
    if source.header and not set(names) & set(declared):
        _hint_other_separator(opened.name, text, separator, declared)
    return RawTable(opened.name, names, _pieces(opened.name, text, separator, len(first), header=source.header))


def widths(opened: _files.Opened, encoding: str) -> dict[str, int]:
    """Into how many columns each of `SEPARATORS` cuts the first row.

    Raises:
        PlanError, DataError: As `read`.
    """
    _utf8.require_text(opened, encoding)
    text = functools.partial(_utf8.Stream, opened, encoding)
    return {separator: len(_header(opened.name, text, separator)) for separator in SEPARATORS}


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


def _header(name: str, text: Text, separator: str) -> list[str]:
    try:
        with text() as stream, io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8", newline="") as lines:
            return next(record for record in csv.reader(lines, delimiter=separator) if record)
    except csv.Error:
        raise errors.DataError(
            f"data file {name}: expected a first row of short values, got one of more than {csv.field_size_limit()} "
            "characters. Look for a quote that is not closed."
        ) from None


def _pieces(name: str, text: Text, separator: str, width: int, *, header: bool) -> Iterator[Piece]:
    names, step = [str(i) for i in range(width)], rows_of_piece(width)
    try:
        with (
            io.BufferedReader(text()) as stream,  # gives whole blocks
            pa_csv.open_csv(
                stream,
                # One thread, so that a ragged row is named by its number.
                read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK),
                parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            ) as reader,
        ):
            skipped = not header
            for batch in reader:
                rest = batch if skipped or not batch.num_rows else batch.slice(1)
                skipped = skipped or batch.num_rows > 0
                yield from cut([pa.chunked_array([c]) for c in rest.columns], rest.num_rows, step)
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
    name: str, text: Text, separator: str, source: data.FileSource, declared: Sequence[str]
) -> errors.DataError:
    widths = {s: len(_header(name, text, s)) for s in SEPARATORS if s != separator}
    best = max(widths, key=lambda s: widths[s])
    remedy = f"The lines look separated by {SEPARATORS[best]}: set {_setting(best)}."
    if widths[best] == 1:
        remedy = "Check the file, or state data.source.separator."
    return errors.DataError(
        f"data file {name}: expected {len(declared)} columns separated by {_called(separator)}, got one column. "
        f"{remedy}"
    )


def _hint_other_separator(name: str, text: Text, separator: str, declared: Sequence[str]) -> None:
    """Refuse a header that another separator would split into declared names."""
    for other, called in SEPARATORS.items():
        if other != separator and {n.strip() for n in _header(name, text, other)} & set(declared):
            raise errors.DataError(
                f"data file {name}: expected columns separated by {_called(separator)}, got lines that are separated "
                f"by {called}. Set {_setting(other)}."
            )


def _called(separator: str) -> str:
    return SEPARATORS.get(separator, f"'{separator}'")


def _setting(separator: str) -> str:
    return "data.source.format: tsv" if separator == "\t" else f"data.source.separator: '{separator}'"
