"""Group membership of rows for protected attributes and their intersections."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors
from configs.bins import bin_names
from evidence.arrays import Groups

JOINT = " × "
"""Between the names of an intersection's attributes, and between those of its groups."""


class Columns(Protocol):
    """All rows of a table, by the name of a column."""

    def __getitem__(self, name: str, /) -> pd.Series:
        """(rows,), of its declared kind."""


def of(declared: data.Data, table: Columns) -> dict[str, Groups]:
    """Groups of every protected attribute and intersection of the plan, for every row of the table.

    Raises:
        DataError: A column holds values that the declared groups of its attribute do not list.
    """
    single = {p.name: _attribute(p, declared, table) for p in declared.protected}
    joint = {
        JOINT.join(names): functools.reduce(_cross, (single[n] for n in names)) for names in declared.intersections
    }
    return single | joint


def _attribute(attribute: data.ProtectedAttribute, declared: data.Data, table: Columns) -> Groups:
    values = table[attribute.column]
    if attribute.bins:
        return binned(values, attribute.bins)
    column = next(c for c in declared.columns if c.name == attribute.column)
    return by_value(column, attribute.groups, values, f"protected attribute '{attribute.name}'")


def binned(values: pd.Series, edges: tuple[float, ...]) -> Groups:
    """Groups of numbers between ascending edges."""
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = np.searchsorted(np.array(edges), numbers, side="right")
    return Groups(np.where(np.isnan(numbers), -1, codes).astype(np.int16), bin_names(edges))


def by_value(column: data.Column, groups: dict[str, tuple[str, ...]], values: pd.Series, what: str) -> Groups:
    """Groups of a categorical column: the given ones, or one for each value, in the order of the plan.

    Args:
        column: The declared column.
        groups: Group name to values; empty for one group a value.
        values: Of the column (rows,).
        what: What the groups are, for messages.

    Raises:
        DataError: The column holds a value that no group lists.
    """
    name_of = names_of(column, groups, values.dropna().unique().tolist())
    names = tuple(groups) if groups else tuple(dict.fromkeys(name_of.values()))
    if groups:
        _check_covered(what, column.name, values, name_of)
    position = {name: i for i, name in enumerate(names)}
    # By the different values: text takes much more memory as Python objects than in its column.
    found, different = pd.factorize(values)
    codes = [position[name_of[value]] if value in name_of else -1 for value in different]
    return Groups(np.array([*codes, -1], dtype=np.int16)[found], names)


def names_of(column: data.Column, groups: dict[str, tuple[str, ...]], values: Collection[str]) -> dict[str, str]:
    """Value of a categorical column to the name of its group.

    Args:
        column: The column.
        groups: Group name to values; empty for one group a value.
        values: Values that occur; those of `allowed` are added.
    """
    if groups:
        return {value: name for name, members in groups.items() for value in members}
    order = [*column.allowed, *(v for v in sorted(values) if v not in column.allowed)]
    return {value: column.labels.get(value, value) for value in order}


def _check_covered(what: str, column: str, values: pd.Series, listed: Collection[str]) -> None:
    """Persons whose value no group lists would be compared with nobody, and nobody would see it."""
    strange = values.notna() & ~values.isin(list(listed))
    if strange.any():
        count = values[strange].nunique()
        raise errors.DataError(
            f"{what} column '{column}': expected only values that its groups "
            f"list, got {count} other{'s' if count > 1 else ''} in {int(strange.sum())} of {len(values)} rows. List "
            "every value in groups, one for `not stated` too, or leave groups out."
        )


def _cross(left: Groups, right: Groups) -> Groups:
    """Joint groups that hold at least one row; missing where either is missing."""
    joint = left.codes.astype(np.int64) * len(right.names) + right.codes
    joint[(left.codes < 0) | (right.codes < 0)] = -1
    found = np.unique(joint[joint >= 0])
    names = tuple(f"{left.names[c // len(right.names)]}{JOINT}{right.names[c % len(right.names)]}" for c in found)
    codes: npt.NDArray[np.int64] = np.where(joint < 0, -1, np.searchsorted(found, joint))
    return Groups(codes.astype(np.int16), names)
