"""What makes a table unusable, found before anything is stored: names, emptiness, the target, the entity."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from configs import data, errors
from factory import _target


def check_names(names: Sequence[str], declared: data.Data, where: str) -> tuple[str, ...]:
    """Compare the names found with those declared.

    Returns:
        The names that the plan does not declare, in the order of the table.

    Raises:
        DataError: A declared column is absent or stands twice, or an undeclared one is refused.
    """
    wanted = [c.name for c in declared.columns]
    undeclared = tuple(n for n in names if n not in wanted)
    require_once(wanted, names, where)
    if missing := tuple(n for n in wanted if n not in names):
        # Where no name is known, the first row may be no header: it is not quoted, it may be a person's.
        source = declared.source
        nameable = isinstance(source, data.FileSource) and source.header and source.may_lack_names
        no_header = nameable and len(missing) == len(wanted)
        told = () if no_header else undeclared
        raise errors.DataError(_absent(missing, told, len(names), where, no_header=no_header))
    if undeclared and declared.undeclared == "refuse":
        shown = _listed(undeclared)
        raise errors.DataError(
            f"{where}: expected only declared columns (data.undeclared is refuse), got {len(undeclared)} more: "
            f"{shown}. Declare them, or set data.undeclared: ignore."
        )
    return undeclared


def require_once(wanted: Sequence[str], names: Sequence[str], where: str) -> None:
    """Refuse a table that has two columns of a name that is wanted.

    Raises:
        DataError: With the name.
    """
    for name in wanted:
        if names.count(name) > 1:
            raise errors.DataError(
                f"{where} column '{name}': expected it once, got it twice. Rename one of the columns."
            )


def _absent(missing: Sequence[str], undeclared: Sequence[str], width: int, where: str, *, no_header: bool) -> str:
    """Every declared column that is absent, with the one of the table that was probably meant."""
    column, them = ("column", "it") if len(missing) == 1 else ("columns", "them")
    got = f"got no such {column} among {width}"
    if undeclared:
        got += f", where the plan does not declare {_listed(undeclared)}"
    hints = "".join(_suggestion(name, undeclared, alone=len(missing) == 1) for name in missing[:5])
    if no_header:
        hints = "If its first row holds no names, set data.source.header: false. "
    return (
        f"{where} {column} {_listed(missing)}: expected {them} as the plan declares, {got}. {hints}Correct the "
        f"{'name' if len(missing) == 1 else 'names'} in the plan or in the data."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{n[:60]}'" for n in names[:5]) + (", …" if len(names) > 5 else "")


def _suggestion(name: str, undeclared: Sequence[str], *, alone: bool) -> str:
    folded = {n.casefold(): n for n in undeclared}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    of = "" if alone else f" for '{name}'"
    return f"Did you mean '{folded[near[0]]}'{of}? " if near else ""


def check_values(
    read: Callable[[str], pd.Series], rows: int, missing: Mapping[str, int], declared: data.Data, where: str
) -> None:
    """Refuse a table from which no model can be trained.

    Args:
        read: Gives all rows of a column, of its declared kind.
        rows: Rows of the table.
        missing: Column to how many of its values are missing.
        declared: What the plan says about it.
        where: Name of the data for messages.

    Raises:
        DataError: It has no rows, a used column has no values, the target is missing somewhere, names an unknown class,
            does not vary or holds a number that is too large, or the entity is missing somewhere.
    """
    if not rows:
        raise errors.DataError(f"{where}: expected rows, got an empty table. Check the file or the query.")
    for column in declared.columns:
        if column.role != "ignored" and missing[column.name] == rows:
            raise errors.DataError(
                f"{where} column '{column.name}': expected values, got none: all {rows} rows are missing. "
                "Check the column and its missing_values, or give it the role ignored."
            )
    for role in ("target", "entity"):
        for column in declared.columns:
            if column.role == role:
                _check_complete(read(column.name), column, where)
    target = read(declared.target_column.name)
    if declared.target.task == "regression":
        _target.numbers(target, f"{where} column '{target.name}' (target)")
        _check_varies(target, declared, where)
    else:
        _check_classes(target, declared, where)


def _check_complete(values: pd.Series, column: data.Column, where: str) -> None:
    rows = np.flatnonzero(values.isna().to_numpy())
    if len(rows):
        raise errors.DataError(
            f"{where} column '{column.name}' ({column.role}): expected a value in every row, got missing (empty or "
            f"NaN) in {len(rows)} of {len(values)} rows, first in row {rows[0] + 1}. Complete or remove these rows."
        )


def _check_classes(values: pd.Series, declared: data.Data, where: str) -> None:
    target, column = declared.target, declared.target_column
    codes = _target.codes(declared, values)
    rows = np.flatnonzero(codes < 0)
    if len(rows):
        known = ", ".join(f"'{v}'" for v in (*target.positive, *target.negative, *target.classes))
        raise errors.DataError(
            f"{where} column '{column.name}' (target): expected one of {known}, got other values in {len(rows)} of "
            f"{len(values)} rows, first in row {rows[0] + 1}. Correct the data, or complete data.target."
        )
    found = np.unique(codes)
    if len(found) < 2:
        only = _target.class_names(declared)[found[0]]
        raise errors.DataError(
            f"{where} column '{column.name}' (target): expected at least two classes, got only '{only}' in all "
            f"{len(values)} rows. Check the data and data.target."
        )


def _check_varies(values: pd.Series, declared: data.Data, where: str) -> None:
    if values.nunique() < 2:
        raise errors.DataError(
            f"{where} column '{declared.target_column.name}' (target): expected differing values, got the same in all "
            f"{len(values)} rows. Check the data and data.target."
        )
