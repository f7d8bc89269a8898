"""Which test row of one version is which of the other: by digest, or of given predictions by the plan's row id.

A row's digest covers every declared column, its given predictions among them: two tables of predictions of the same
rows share no digest. Where both plans name the same column as `predictions.row_id`, its values tell the rows apart.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks.changes.side import Side
from evidence import arrays

ROW = "_row"
"""Column of the ingested table that holds the row digests."""
Order = npt.NDArray[np.intp]


@dataclasses.dataclass(frozen=True)
class Matched:
    """The test rows of two versions in one order."""

    before: Order
    """(rows,) rows of the earlier test part."""
    after: Order
    by: str | None
    """Column whose values matched them; None for digests."""


def match(before: Side, after: Side, parts: tuple[arrays.Part, arrays.Part]) -> Matched | None:
    """The two orders in which the rows are the same, with the same outcome; None where they are not the same rows.

    Raises:
        IntegrityError: The ingested table was altered.
    """
    found = _ordered(parts[0].row_digests, parts[1].row_digests, None)
    names = {side.plan.predictions.row_id if side.plan.predictions else None for side in (before, after)}
    by = names.pop() if len(names) == 1 else None
    if found is None and by is not None:
        keys = [_values(side, part, by) for side, part in zip((before, after), parts, strict=True)]
        found = _ordered(keys[0], keys[1], by)
    if found is None or not np.array_equal(parts[0].y[found.before], parts[1].y[found.after]):
        return None
    return found


def _ordered(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic], by: str | None) -> Matched | None:
    if len(first) != len(second):
        return None
    orders = [np.argsort(keys, kind="stable") for keys in (first, second)]
    return Matched(orders[0], orders[1], by) if np.array_equal(first[orders[0]], second[orders[1]]) else None


def _values(side: Side, part: arrays.Part, column: str) -> npt.NDArray[np.str_]:
    """The row ids (rows,) of a part, as text."""
    import pandas as pd  # noqa: PLC0415 - only tables of given predictions are read here

    if side.folder is None:
        return np.zeros(0, dtype=str)
    table = pd.read_parquet(side.folder.checked(side.dataset.table), engine="pyarrow", columns=[column, ROW])
    ids = dict(zip(table[ROW].astype(str), table[column].astype(str), strict=True))
    return np.array([ids[digest.decode()] for digest in part.row_digests.tolist()], dtype=str)
