"""Group membership of rows for protected attributes and their intersections."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors
from evidence.arrays import Groups

JOINT = " × "
"""Between the names of an intersection's attributes, and between those of its groups."""


def of(declared: data.Data, table: pd.DataFrame) -> dict[str, Groups]:
    """Groups of every protected attribute and intersection of the plan, for every row of the table.

    Raises:
        DataError: A column holds values that the declared groups of its attribute do not list.
    """
    single = {p.name: _attribute(p, declared, table) for p in declared.protected}
    joint = {
        JOINT.join(names): functools.reduce(_cross, (single[n] for n in names)) for names in declared.intersections
    }
    return single | joint


def bin_names(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the groups between ascending edges, for example `< 30`, `30 to < 50`, `>= 50`."""
    text = [f"{edge:g}" if abs(edge) < 1e5 else repr(edge) for edge in edges]
    middle = [f"{low} to < {high}" for low, high in itertools.pairwise(text)]
    return (f"< {text[0]}", *middle, f">= {text[-1]}")


def _attribute(attribute: data.ProtectedAttribute, declared: data.Data, table: pd.DataFrame) -> Groups:
    values = table[attribute.column]
    if attribute.bins:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        codes = np.searchsorted(np.array(attribute.bins), numbers, side="right")
        return Groups(np.where(np.isnan(numbers), -1, codes).astype(np.int16), bin_names(attribute.bins))
    column = next(c for c in declared.columns if c.name == attribute.column)
    name_of = names_of(attribute, column, values.dropna().unique().tolist())
    names = tuple(attribute.groups) if attribute.groups else tuple(dict.fromkeys(name_of.values()))
    if attribute.groups:
        _check_covered(attribute, values, name_of)
    position = {name: i for i, name in enumerate(names)}
    codes = values.map({value: position[name] for value, name in name_of.items()})
    return Groups(codes.to_numpy(dtype=np.float64, na_value=-1).astype(np.int16), names)


def names_of(attribute: data.ProtectedAttribute, column: data.Column, values: Collection[str]) -> dict[str, str]:
    """Value of a categorical column to the name of its group.

    Args:
        attribute: The attribute, which has no bins.
        column: Its column.
        values: Values that occur; those of `allowed` are added.
    """
    if attribute.groups:
        return {value: name for name, members in attribute.groups.items() for value in members}
    order = [*column.allowed, *(v for v in sorted(values) if v not in column.allowed)]
    return {value: column.labels.get(value, value) for value in order}


def _check_covered(attribute: data.ProtectedAttribute, values: pd.Series, listed: Collection[str]) -> None:
    """Persons whose value no group lists would be compared with nobody, and nobody would see it."""
    strange = values.notna() & ~values.isin(list(listed))
    if strange.any():
        count = values[strange].nunique()
        raise errors.DataError(
            f"protected attribute '{attribute.name}' column '{attribute.column}': expected only values that its groups "
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
