"""The target as the model sees it: class codes, or a number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors


def class_names(declared: data.Data) -> tuple[str, ...]:
    """Names of the classes 0…K−1; empty for regression."""
    target = declared.target
    if target.task == "binary":
        return (target.negative_label, target.positive_label)
    labels = declared.target_column.labels
    return tuple(labels.get(value, value) for value in target.classes)


def codes(declared: data.Data, values: pd.Series) -> npt.NDArray[np.int64]:
    """Class codes (rows,); −1 where the value is missing or belongs to no class. Not for regression."""
    target = declared.target
    if target.above is not None:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(numbers), -1, numbers > target.above).astype(np.int64)
    known = dict.fromkeys(target.negative, 0) | dict.fromkeys(target.positive, 1)
    if target.task == "multiclass":
        known = {value: code for code, value in enumerate(target.classes)}
    # By the different values: text takes much more memory as Python objects than in its column.
    found, different = pd.factorize(values)
    return np.array([*(known.get(value, -1) for value in different), -1], dtype=np.int64)[found]


LARGEST = 1e18
"""Largest size of a regression target or prediction: the squares of larger ones do not fit float32."""


def numbers(values: pd.Series, where: str) -> npt.NDArray[np.float64]:
    """The values of a regression target, or of predictions of it, (rows,).

    Args:
        values: (rows,)
        where: What they are, for the message.

    Raises:
        DataError: One is too large to be squared.
    """
    found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    rows = np.flatnonzero(np.abs(found) > LARGEST)
    if len(rows):
        raise errors.DataError(
            f"{where}: expected numbers within ±{LARGEST:g}, got larger ones in {len(rows)} of {len(found)} rows, "
            f"first in row {rows[0] + 1}. Correct them, or state the column in a larger unit."
        )
    return found
