"""Given predictions in the columns of a table: no value absent, probabilities that are some, labels that are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import errors
from configs.data import Data
from configs.plan import Plan
from configs.predictions import Predictions
from evidence import records
from factory import _target

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Column = Callable[[str], pd.Series]

ROUNDING = 0.005
"""Largest error of a probability in a table with two decimals: so far a row's sum may be from 1, for each class."""
THRESHOLD = 0.5
"""The probability from which a label is positive where nobody states another."""


@dataclasses.dataclass(frozen=True)
class Said:
    """What a model said of the rows of a table."""

    labels: Codes | None
    """(rows,): as given, or as the probabilities lead to; None for regression."""
    probabilities: Floats | None
    """(rows, classes)"""
    values: Floats | None
    """(rows,): regression."""
    expected: Codes | None
    """(rows,): the labels that the probabilities lead to; None without probabilities."""
    largest_sum_error: float | None


def read(column: Column, plan: Plan, where: str) -> Said:
    """The predictions of a table whose columns have their declared kinds.

    Args:
        column: Gives the values of a column, all in one order of the rows.
        plan: With the section `predictions`.
        where: Name of the data for messages.

    Raises:
        DataError: A value is missing, no probability, or no class; probabilities do not sum to 1; a row's name is
            missing or stands twice.
    """
    given, data = section(plan), plan.data
    for name in given.columns:
        _require_complete(column(name), f"{where} column '{name}' (prediction)")
    if given.row_id is not None:
        _require_unique(column(given.row_id), f"{where} column '{given.row_id}' (row_id)")
    if given.value is not None:
        values = _target.numbers(column(given.value), f"{where} column '{given.value}' (prediction)")
        return Said(None, None, values, None, None)
    probabilities, error = _probabilities(column, given, where) if given.probabilities else (None, None)
    expected = None if probabilities is None else _expected(probabilities, plan)
    labels = expected if given.label is None else _labels(column(given.label), given.label, data, where)
    return Said(labels, probabilities, None, expected, error)


def threshold_of(plan: Plan) -> records.DecisionThreshold | None:
    """The probability from which a label is positive, and who said so; None where there is none."""
    given = section(plan)
    if plan.data.target.task != "binary" or not given.probabilities:
        return None
    if given.threshold is not None:
        return records.DecisionThreshold(value=given.threshold, criterion="stated in the plan")
    return records.DecisionThreshold(value=THRESHOLD, criterion="not stated; the tool's default")


def section(plan: Plan) -> Predictions:
    """The section `predictions` of a plan that has one."""
    if plan.predictions is None:
        raise ValueError("the plan has no section predictions")
    return plan.predictions


def _numbers(values: pd.Series) -> Floats:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _require_complete(values: pd.Series, where: str) -> None:
    rows = np.flatnonzero(values.isna().to_numpy())
    if len(rows):
        raise errors.DataError(
            f"{where}: expected a value in every row, got missing (empty or NaN) in {len(rows)} of {len(values)} rows, "
            f"first in row {rows[0] + 1}. A model that gives no answer must be told as one: complete these rows."
        )


def _require_unique(values: pd.Series, where: str) -> None:
    _require_complete(values, where)
    rows = np.flatnonzero(values.duplicated().to_numpy())
    if len(rows):
        raise errors.DataError(
            f"{where}: expected every row's name once, got {len(rows)} of {len(values)} rows that repeat an earlier "
            f"one, first in row {rows[0] + 1}. Remove the repeated rows."
        )


def _probabilities(column: Column, given: Predictions, where: str) -> tuple[Floats, float | None]:
    """Probabilities (rows, classes) and the largest distance from the sum 1."""
    columns = []
    for name in given.probabilities:
        shares = _numbers(column(name))
        _require(
            ~((shares < 0) | (shares > 1)), f"{where} column '{name}' (prediction)", "probabilities between 0 and 1",
            "Give probabilities, no scores or percentages.",
        )  # fmt: skip
        columns.append(shares)
    if len(columns) == 1:
        return np.stack([1 - columns[0], columns[0]], axis=1), None
    shares = np.stack(columns, axis=1)
    error, most = np.abs(shares.sum(axis=1) - 1), ROUNDING * len(columns)
    _require(
        error <= most + 1e-9,
        f"{where} columns {', '.join(repr(n) for n in given.probabilities)} (prediction)",
        f"probabilities that sum to 1 (to within {most:g})",
        "Name the column of every class in predictions.probabilities, and give probabilities, no scores.",
    )
    return shares, float(error.max(initial=0.0))


def _labels(values: pd.Series, name: str, data: Data, where: str) -> Codes:
    codes = _target.codes(data, values)
    known = ", ".join(f"'{v}'" for v in (*data.target.positive, *data.target.negative, *data.target.classes))
    _require(
        codes >= 0, f"{where} column '{name}' (prediction)", f"one of the labels {known}",
        "Write predicted labels as those of the target.",
    )  # fmt: skip
    return codes


def _require(good: npt.NDArray[np.bool_], where: str, expected: str, remedy: str) -> None:
    rows = np.flatnonzero(~good)
    if len(rows):
        raise errors.DataError(
            f"{where}: expected {expected}, got others in {len(rows)} of {len(good)} rows, first in row {rows[0] + 1}. "
            f"{remedy}"
        )


def _expected(probabilities: Floats, plan: Plan) -> Codes:
    """The labels that probabilities lead to: from the threshold, or the class with the largest."""
    found = threshold_of(plan)
    if found is not None:
        return (probabilities[:, 1] >= found.value).astype(np.int64)
    return probabilities.argmax(axis=1).astype(np.int64)
