"""Reading the table that a plan names, from wherever it is, into columns of the declared kinds, some rows at a time.

Knows nothing about run folders. Whatever cannot be read as declared ends in one readable sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from configs import data
from evidence import records
from factory import _arrays, _binary_tables, _conversion, _databases, _files, _table_checks, _text_tables
from factory._raw import RawTable


class Table:
    """The data of a plan, as they are read: once, from beginning to end."""

    files: tuple[records.SourceFile, ...]
    undeclared: tuple[str, ...]
    """Columns that were found but not declared; their values are dropped."""
    where: str
    """Name of the data for messages."""

    def __init__(
        self,
        raws: Sequence[RawTable],
        declared: data.Data,
        files: tuple[records.SourceFile, ...],
        opened: Sequence[_files.Opened] = (),
    ) -> None:
        self._raws, self._declared, self._opened, self.files = raws, declared, opened, files
        self.where = (
            f"data file {raws[0].name}" if len(raws) == 1 else f"data ({len(raws)} files, rows counted through)"
        )
        undeclared: dict[str, None] = {}
        for raw in raws:
            names = _table_checks.check_names(raw.names, declared, f"data file {raw.name}")
            undeclared.update(dict.fromkeys(names))
        self.undeclared = tuple(undeclared)

    def frames(self) -> Iterator[pd.DataFrame]:
        """Consecutive rows: the declared columns in the plan's order, numeric float64, integer Int64, else string.

        Raises:
            DataError: Values do not convert, a file is damaged, or has changed since its digest was taken.
            MissingError: A database is gone.
        """
        for raw in self._raws:
            conversion = _conversion.Conversion(raw.name, raw.names, self._declared)
            for piece in raw.pieces:
                frame = conversion.frame(piece)
                if frame is not None:
                    yield frame
            conversion.require_fit()
        for file in self._opened:
            file.require_same()


def read(source: data.Source, declared: data.Data, base: Path) -> Table:
    """Open the table of a plan; its rows are read, converted and checked as they are asked for.

    Args:
        source: Where the table is.
        declared: What the plan says about it.
        base: Folder from which relative paths start: `PROOFLINE_DATA` where it is set, otherwise the plan's folder.

    Raises:
        PlanError: The source section does not fit what is there.
        DataError: The data are not what the plan declares.
        MissingError: A file, a driver or a server is absent.
    """
    if isinstance(source, data.FileSource):
        opened, raws = raw_files(source, [c.name for c in declared.columns], base)
        return Table(raws, declared, tuple(file.file for file in opened), opened)
    raw, files = _read_other(source, base)
    return Table([raw], declared, files)


def raw_files(
    source: data.FileSource, names: Sequence[str], base: Path
) -> tuple[tuple[_files.Opened, ...], list[RawTable]]:
    """The files of a source and their tables before any conversion; a Parquet file gives values of `names` alone.

    Raises:
        PlanError, DataError, MissingError: As `read`.
    """
    opened = _files.open_all(source, base)
    return opened, [_read_file(file, source, names) for file in opened]


def _read_other(
    source: data.SqlSource | data.SklearnSource | data.OpenMLSource, base: Path
) -> tuple[RawTable, tuple[records.SourceFile, ...]]:
    if isinstance(source, data.SqlSource):
        return _databases.read(source, base)
    from factory import _packaged  # noqa: PLC0415 - scikit-learn takes seconds to import; files do not need it

    if isinstance(source, data.SklearnSource):
        return _packaged.read_sklearn(source)
    return _packaged.read_openml(source)


def _read_file(opened: _files.Opened, source: data.FileSource, names: Sequence[str]) -> RawTable:
    if opened.format == "parquet":
        return _binary_tables.read_parquet(opened, names)
    if opened.format == "excel":
        return _binary_tables.read_excel(opened, source, names)
    if opened.format == "npz":
        return _arrays.read_npz(opened, names)
    return _text_tables.read(opened, source, names)
