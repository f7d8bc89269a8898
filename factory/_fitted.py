"""What the training split says about the features, found column by column, and what of the parts it does not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from configs import data, errors
from evidence import records
from factory import _features, _rows


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The features as the model takes them."""

    features: tuple[records.FeatureSpec, ...]
    unseen: dict[records.Role, dict[str, int]]
    """Part to feature to number of rows whose category the training split does not hold, where there are some."""
    refused: errors.DataError | None
    """Why the parts cannot be encoded: of the first part, its categories first."""


def fit(columns: Sequence[data.Column], rows: _rows.Rows) -> Fitted:
    """Look at each feature once.

    Raises:
        DataError: A feature has no value in the training split, or one that float32 cannot hold.
    """
    features = []
    unseen: dict[records.Role, dict[str, int]] = {role: {} for role in rows.roles}
    refused: list[tuple[int, bool, errors.DataError]] = []
    for column in columns:
        values = rows[column.name]
        train = values[rows.of("train")]
        spec = _features.fit(column, train)
        features.append(spec)
        for number, role in enumerate(rows.roles):
            part = values[rows.of(role)]
            if column.kind == "categorical":
                count = _features.unseen(column, train, part)
                unseen[role] |= {column.name: count} if count else {}
                problem = _features.refusal(column, role, count, len(part))
            else:
                problem = _features.too_large(spec, part)
            if problem is not None:
                refused.append((number, column.kind != "categorical", problem))
    first = min(refused, key=lambda found: found[:2], default=None)
    return Fitted(tuple(features), unseen, first[2] if first else None)
