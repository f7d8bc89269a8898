"""Reading the table that a plan names, from wherever it is, into columns of the declared kinds.

Knows nothing about run folders. Whatever cannot be read as declared ends in one readable sentence.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd

from configs import data
from evidence import records
from factory import _arrays, _binary_tables, _conversion, _databases, _files, _table_checks, _text_tables
from factory._raw import RawTable


@dataclasses.dataclass(frozen=True)
class Table:
    """The data of a plan, as read."""

    frame: pd.DataFrame
    """(rows, declared columns) in the plan's order: numeric float64, integer Int64, categorical string."""
    files: tuple[records.SourceFile, ...]
    undeclared: tuple[str, ...]
    """Columns that were found but not declared; their values were dropped."""


def read(source: data.Source, declared: data.Data, base: Path) -> Table:
    """Read, convert and check the table of a plan.

    Args:
        source: Where the table is.
        declared: What the plan says about it.
        base: Folder from which relative paths start: `PROOFLINE_DATA` where it is set, otherwise the plan's folder.

    Raises:
        PlanError: The source section does not fit what is there.
        DataError: The data are not what the plan declares.
        MissingError: A file, a driver or a server is absent.
    """
    raws, files = _raw_tables(source, declared, base)
    frames, undeclared = [], {}
    for raw in raws:
        names = _table_checks.check_names(raw.names, declared, f"data file {raw.name}")
        undeclared.update(dict.fromkeys(names))
        frames.append(_conversion.frame(raw, declared))
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    where = f"data file {raws[0].name}" if len(raws) == 1 else f"data ({len(raws)} files, rows counted through)"
    _table_checks.check_values(frame, declared, where)
    return Table(frame=frame, files=files, undeclared=tuple(undeclared))


def _raw_tables(
    source: data.Source, declared: data.Data, base: Path
) -> tuple[list[RawTable], tuple[records.SourceFile, ...]]:
    if isinstance(source, data.FileSource):
        opened = _files.open_all(source, base)
        return [_read_file(file, source, declared) for file in opened], tuple(file.file for file in opened)
    if isinstance(source, data.SqlSource):
        raw, files = _databases.read(source, base)
        return [raw], files
    from factory import _packaged  # noqa: PLC0415 - scikit-learn takes seconds to import; files do not need it

    if isinstance(source, data.SklearnSource):
        raw, files = _packaged.read_sklearn(source)
    else:
        raw, files = _packaged.read_openml(source)
    return [raw], files


def _read_file(opened: _files.Opened, source: data.FileSource, declared: data.Data) -> RawTable:
    names = [c.name for c in declared.columns]
    if opened.format == "parquet":
        return _binary_tables.read_parquet(opened, names)
    if opened.format == "excel":
        return _binary_tables.read_excel(opened, source, names)
    if opened.format == "npz":
        return _arrays.read_npz(opened, names)
    return _text_tables.read(opened, source, names)
