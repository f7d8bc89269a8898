"""What a table holds, before there is a plan: its columns and their kinds.

It is read by the reader of a run, once to find the kinds and once as these kinds, so that what is said of it here is
what a run will see.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pydantic

from configs import data, errors
from factory import _kinds, _table_checks, file_form, sources


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """A table of at least one row and two columns."""

    source: data.FileSource
    """How it is read: encoding, separator and decimals as they were found."""
    folder: Path
    where: str
    """Name of the data for messages."""
    table: pd.DataFrame
    """All rows of the columns that a plan can declare: numeric float64, integer Int64, categorical string."""
    kinds: Mapping[str, _kinds.Kind]
    """Column to its kind, in the order of the table."""
    notes: Mapping[str, str]
    """Column to what a person should know of how it was read."""
    left_out: Mapping[str, str]
    """Column to why no plan can declare it. A column without a name goes by its number."""

    @functools.cache  # noqa: B019 - lives as long as the one look of a command
    def column(self, name: str, kind: _kinds.Kind) -> pd.Series:
        """All rows of a column, read as a kind: as text, `3.0` is not `3`.

        Raises:
            DataError: Some value is of another kind.
        """
        if kind == self.kinds[name]:
            return self.table[name]
        return _read(self.source, (data.Column(name=name, kind=kind),), self.folder)[name]

    @functools.cache  # noqa: B019 - the same
    def different(self, name: str) -> int:
        """How many different values a column has, of its own kind."""
        return int(self.table[name].nunique())

    @functools.cache  # noqa: B019 - the same
    def missing(self, name: str, kind: _kinds.Kind) -> int:
        """In how many rows a column has no value, read as a kind."""
        return int(self.column(name, kind).isna().sum())

    def require(self, declared: data.Data) -> None:
        """Refuse what the ingestion of a run would refuse: see `factory.ingest`.

        Raises:
            DataError: The table is not what is declared.
        """
        kinds = {column.name: column.kind for column in declared.columns}
        missing = {name: self.missing(name, kind) for name, kind in kinds.items()}
        _table_checks.check_values(
            lambda name: self.column(name, kinds[name]), len(self.table), missing, declared, self.where
        )


def at(path: Path) -> Look:
    """Look at a table.

    Raises:
        MissingError: The file is absent or cannot be read.
        PlanError: It has an unknown ending, or holds something else than that promises.
        DataError: It is damaged, has no rows, one column, or two columns of one name.
    """
    source = file_form.of(path)
    where = f"data file {path.name}"
    names = sources.raw_files(source, (), path.parent)[1][0].names
    named = tuple(name for name in names if name)
    _table_checks.require_once(named, names, where)
    left_out = {f"column {i} (without a name)": "it has no name" for i, name in enumerate(names, 1) if not name}
    left_out |= {name: why for name in named if (why := _not_declarable(name))}
    found = _kinds.of(sources.raw_files(source, names, path.parent)[1][0], set(names) - left_out.keys() - {""})
    if not found.rows:
        raise errors.DataError(f"{where}: expected rows below the names, got none. Check the file.")
    source = source.model_copy(update={"decimal": found.decimal})
    left_out |= found.unreadable
    columns = tuple(data.Column(name=name, kind=kind) for name, kind in found.kinds.items())
    if len(columns) < 2:
        raise errors.DataError(
            f"{where}: expected at least two columns that a plan can name, got {len(columns)}"
            f"{''.join(f'; {name}: {why}' for name, why in left_out.items())}. Name the columns, or correct them."
        )
    return Look(
        source=source,
        folder=path.parent,
        where=where,
        table=_read(source, columns, path.parent),
        kinds={column.name: column.kind for column in columns},
        notes=found.notes,
        left_out=left_out,
    )


def _not_declarable(name: str) -> str | None:
    """Why a plan cannot hold a name."""
    try:
        kept = data.Column(name=name, kind="categorical").name
    except pydantic.ValidationError as error:
        return error.errors()[0]["msg"].removeprefix("Value error, ")
    return None if kept == name else "its name begins or ends with a space; rename it"


def _read(source: data.FileSource, columns: tuple[data.Column, ...], folder: Path) -> pd.DataFrame:
    # There is no target yet: of the section only source, columns and missing_values are read.
    declared = data.Data.model_construct(source=source, columns=columns)
    return pd.concat(list(sources.read(source, declared, folder).frames()), ignore_index=True)
