"""Feature contracts fitted on the training split, and columns turned into float32 by them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from configs import data, errors
from evidence import records

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def fit(column: data.Column, train: pd.Series) -> records.FeatureSpec:
    """What the training split says about a feature.

    Args:
        column: The declared feature.
        train: Its values in the training split (rows,).

    Raises:
        DataError: It has no value in the training split, or one that float32 cannot hold.
    """
    if train.isna().all():
        raise errors.DataError(
            f"feature '{column.name}' in train: expected values, got none: all {len(train)} rows are missing. "
            "Provide more data, or give the column the role ignored."
        )
    if column.kind == "categorical":
        categories = column.allowed or tuple(sorted(train.dropna().unique().tolist()))
        labels = {c: column.labels[c] for c in categories if c in column.labels}
        return records.FeatureSpec(
            name=column.name, kind="categorical", categories=categories, labels=labels, immutable=column.immutable
        )
    values = train.dropna().to_numpy(dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    std = float(values.std()) if high > low else 0.0
    return records.FeatureSpec(
        name=column.name,
        kind="numeric",
        integer=column.kind == "integer",
        unit=column.unit,
        minimum=low,
        maximum=high,
        mean=float(values.mean()),
        std=std or 1.0,
        median=float(np.median(values)),
        immutable=column.immutable,
    )


def encode(spec: records.FeatureSpec, values: pd.Series) -> npt.NDArray[np.float32]:
    """Values as the model's input takes them (rows,): numbers as they are, categories as codes, missing as NaN."""
    if spec.kind == "categorical":
        known = {category: float(i) for i, category in enumerate(spec.categories)}
        found, different = pd.factorize(values)
        return np.array([*(known.get(value, np.nan) for value in different), np.nan], dtype=np.float32)[found]
    return values.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)


def too_large(spec: records.FeatureSpec, values: pd.Series) -> errors.DataError | None:
    """Why the numbers of a part cannot be encoded: one is too large for float32."""
    count = int((np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan)) > _FLOAT32_MAX).sum())
    if not count:
        return None
    return errors.DataError(
        f"feature '{spec.name}': expected numbers within ±{_FLOAT32_MAX:.3g} (float32), got larger ones in "
        f"{count} rows. Declare the column in a larger unit."
    )


def unseen(column: data.Column, train: pd.Series, part: pd.Series) -> int:
    """Rows of a part whose category the model could not learn: not in the training split, or not in `allowed`.

    With `allowed`, a value outside it is the data-quality check's business: it is encoded as missing and counted here.
    """
    known = set(train.dropna().unique().tolist())
    if column.allowed:
        known &= set(column.allowed)
    return int((part.notna() & ~part.isin(list(known))).sum())


def refusal(column: data.Column, role: records.Role, count: int, rows: int) -> errors.DataError | None:
    """Why a part of so many rows cannot be encoded: `allowed` is empty, `unseen` is `refuse`, and `count` rows are."""
    if not count or column.allowed or column.unseen != "refuse":
        return None
    return errors.DataError(
        f"feature '{column.name}' in {role}: expected only categories that the training split holds, got others in "
        f"{count} of {rows} rows. Declare every category in `allowed`, or set unseen: as_missing."
    )
