"""Numbers out of Arrow arrays of numbers, all at once: the rules of `factory._conversion` without a step per value."""

from __future__ import annotations

import functools
import re

import numpy as np
import pandas as pd
import pyarrow as pa

from factory._raw import Values

NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
"""A number as text."""
EXACT = 2**53
"""Up to here every whole number is a float64."""


@functools.cache
def equal_to(missing: frozenset[str]) -> frozenset[float]:
    """The numbers that texts meaning missing read as."""
    return frozenset(float(t) for t in missing if NUMBER.fullmatch(t))


def converted(values: Values, kind: str, missing: frozenset[float]) -> pd.Series | None:
    """An Arrow array of numbers as a numeric or integer column.

    Args:
        values: The column as read.
        kind: Declared kind of the column.
        missing: Numbers that mean missing.

    Returns:
        None where the values are no such array, or some do not fit the kind: they must be looked at one by one.
    """
    if kind == "categorical" or not isinstance(values, pa.ChunkedArray):
        return None
    stored = values.type
    whole = pa.types.is_integer(stored) and not pa.types.is_uint64(stored)
    if kind == "integer" and whole and any(abs(m) > EXACT for m in missing):
        return None
    if not whole and not (pa.types.is_float32(stored) or pa.types.is_float64(stored)):
        return None
    absent = values.is_null().to_numpy()
    plain = values.fill_null(0).to_numpy()
    if kind == "integer" and whole:
        found = plain.astype(np.int64)
        same = np.array([int(m) for m in missing if m.is_integer() and abs(m) <= EXACT], dtype=np.int64)
        absent = absent | np.isin(found, same)
        return pd.Series(pd.arrays.IntegerArray(np.where(absent, 0, found), absent))
    numbers = plain.astype(np.float64) + 0.0  # −0 becomes 0
    absent = absent | np.isnan(numbers)
    if np.isinf(numbers).any():
        return None
    if kind == "integer":
        numbers = np.where(absent, 0.0, numbers)
        if (numbers != np.floor(numbers)).any() or (np.abs(numbers) > EXACT).any():
            return None
    absent = absent | np.isin(numbers, list(missing))
    if kind == "integer":
        return pd.Series(pd.arrays.IntegerArray(np.where(absent, 0.0, numbers).astype(np.int64), absent))
    return pd.Series(np.where(absent, np.nan, numbers))
