"""Slices of the rows by the columns that the plan names: sites, times, ranges. Cut points come from the training split.

A slice column need not be a feature. Names of slices are found over the whole table, so that every part knows the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors
from configs.plan import Plan
from configs.shift import MOST_GROUPS, SliceColumn
from evidence.arrays import Groups
from factory import _groups

FEW = 12
"""An integer column of at most so many different values is not cut: each value is a slice."""
_PERIODS = {"year": "%Y", "month": "%Y-%m", "week": "%G-W%V", "day": "%Y-%m-%d"}


def of(plan: Plan, table: _groups.Columns, train: npt.NDArray[np.bool_]) -> dict[str, Groups]:
    """The slices of every row, by column.

    Args:
        plan: Which columns, and how they are cut.
        table: All rows.
        train: (rows,) which of them are of the training split.

    Raises:
        DataError: Times cannot be read, a column has too many different values, none, or values in no slice.
    """
    return {s.column: _column(plan.data, s, table[s.column], train) for s in plan.policy.robustness.shift.columns}


def _column(declared: data.Data, wanted: SliceColumn, values: pd.Series, train: npt.NDArray[np.bool_]) -> Groups:
    column = next(c for c in declared.columns if c.name == wanted.column)
    if wanted.bins:
        return _groups.binned(values, wanted.bins)
    if wanted.period:
        return _limited(wanted, _by_text(_periods(wanted, values)))
    if column.kind == "categorical":
        if not wanted.groups:
            _require_few(wanted, int(values.nunique()))
        return _groups.by_value(column, wanted.groups, values, "slices by")
    if column.kind == "integer" and values.nunique() <= FEW:
        return _by_number(values)
    return _groups.binned(values, _edges(wanted, values[train]))


def _edges(wanted: SliceColumn, train: pd.Series) -> tuple[float, ...]:
    """Quantiles of the training rows, each once; a value that half of the rows share gives fewer slices."""
    numbers = train.dropna().to_numpy(dtype=np.float64)
    if len(numbers) == 0:
        raise errors.DataError(
            f"slices by column '{wanted.column}': expected values in the training split, got none. "
            "Give bins, or leave the column out of policy.robustness.shift.slices."
        )
    inner = np.arange(1, wanted.quantiles) / wanted.quantiles
    # Four significant digits: readable, and no single row's value.
    found = np.unique([float(f"{cut:.4g}") for cut in np.quantile(numbers, inner, method="inverted_cdf")])
    above = found[found > numbers.min()]
    return tuple(above.tolist()) or (float(numbers.max()),)


def _periods(wanted: SliceColumn, values: pd.Series) -> pd.Series:
    """Each time as the name of its period."""
    times = pd.to_datetime(values, format=wanted.format or "ISO8601", errors="coerce", utc=True)
    unread = values.notna() & times.isna()
    if unread.any():
        example = str(values[unread].iloc[0])[:40]
        written = f"written as {wanted.format}" if wanted.format else "in ISO 8601 such as 2026-11-28"
        raise errors.DataError(
            f"slices by column '{wanted.column}': expected times {written}, got others in {int(unread.sum())} of "
            f"{len(values)} rows, '{example}' for example. State their form in `format`, or correct them."
        )
    if wanted.period == "quarter":
        return (times.dt.strftime("%Y-Q") + times.dt.quarter.astype("Int64").astype("string")).where(times.notna())
    return times.dt.strftime(_PERIODS[wanted.period or "year"]).where(times.notna())


def _by_text(names: pd.Series) -> Groups:
    codes, found = pd.factorize(names, sort=True)
    return Groups(codes.astype(np.int16), tuple(str(name) for name in found))


def _by_number(values: pd.Series) -> Groups:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, found = pd.factorize(numbers, sort=True)
    return Groups(codes.astype(np.int16), tuple(f"{value:g}" for value in found))


def _limited(wanted: SliceColumn, found: Groups) -> Groups:
    _require_few(wanted, len(found.names))
    return found


def _require_few(wanted: SliceColumn, different: int) -> None:
    if different > MOST_GROUPS:
        raise errors.DataError(
            f"slices by column '{wanted.column}': expected at most {MOST_GROUPS} slices, got {different:,}. Name a "
            "column of sites, kinds or times, give groups, or take a longer period."
        )
