"""How a table's file is written, found out before there is a plan: its encoding and its separator."""

from __future__ import annotations

import codecs
from pathlib import Path

from configs import data, errors
from factory import _files, _text_tables, _utf8

WESTERN = "cp1252"
"""What is tried where a text is no UTF-8: Western Windows, the encoding in which spreadsheets there save CSV."""


def of(path: Path) -> data.FileSource:
    """The source section that reads a table.

    Raises:
        MissingError: The file is absent or cannot be read.
        DataError: It is empty, is text in no known encoding, or has one column.
        PlanError: It has an unknown ending, or holds no text where its ending promises some.
    """
    source = data.FileSource(kind="file", path=(path.name,))
    (opened,) = _files.open_all(source, path.parent)
    if opened.format not in ("csv", "tsv"):
        return source
    encoding = _encoding(opened)
    widths = _text_tables.widths(opened, encoding)
    usual = "\t" if opened.format == "tsv" else ","
    found = max((usual, *widths), key=widths.__getitem__)  # the usual one where several cut alike
    if widths[found] == 1:
        raise errors.DataError(
            f"data file {path.name}: expected at least two columns, separated by one of "
            f"{', '.join(_text_tables.SEPARATORS.values())}, got one column. Check the file."
        )
    separator = None if found == usual else "tab" if found == "\t" else found
    return source.model_copy(update={"encoding": encoding, "separator": separator})


def _encoding(opened: _files.Opened) -> str:
    head = next(opened.chunks(), b"")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", WESTERN):
        # A ZIP or Parquet file is told as such when it is read as text.
        if _utf8.decodes(opened, encoding) or head.startswith((b"PK\x03\x04", b"PAR1")):
            return encoding
    raise errors.DataError(
        f"data file {opened.name}: expected text in UTF-8 or {WESTERN} (Western Windows), got something else. Save it "
        "as UTF-8."
    )
