"""Intervals of proportions that hold at 0 and 1 and in small groups: Clopper and Pearson's exact bounds.

A bootstrap of 0 successes in 5 rows draws next to nothing else, and its percentiles claim a precision that nobody has.
The exact bounds hold at least at the level for every true share and every number of rows, and the upper end at 0
successes, 1 − tail^(1 / n), only falls as n grows. The price: for few rows they hold more often than the level says.

Rows of one entity are not independent. There the exact bounds are taken for the effective number of rows, n over the
design effect. The effect is the variance over entities against that of independent rows, estimated with two
pseudo-entities of mean size, one with all rows a success and one with none: with 0 successes the variance over
entities says nothing, and the estimate becomes the worst case, in which all rows of an entity are alike.

Refs: Clopper and Pearson, Biometrika 26 (1934) 404. Korn and Graubard, Surv. Methodol. 24 (1998) 193 (exact bounds for
an effective number of rows). Agresti and Coull, Am. Stat. 52 (1998) 119 (pseudo-rows).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import intervals
from evidence import records

Floats = npt.NDArray[np.float64]

METHOD = "Clopper-Pearson"
CLUSTERED = ", effective rows by entity"


def method(sampling: intervals.Sampling) -> str:
    """Text for `Interval.method`."""
    return METHOD if sampling.entities is None else METHOD + CLUSTERED


def bounds(shares: Floats, rows: Floats, level: float) -> tuple[Floats, Floats]:
    """Exact bounds of shares.

    Args:
        shares: (…,) observed shares, 0 to 1; NaN where undefined.
        rows: (…,) rows they are taken from, or effective rows; may be fractional.
        level: Two-sided confidence level.

    Returns:
        Lower and upper bounds (…,); NaN where the share is undefined.
    """
    tail = (1 - level) / 2
    defined = np.isfinite(shares) & (rows > 0)
    total = np.where(defined, rows, 1.0)
    hits = np.where(defined, shares, 0.0) * total
    misses = total - hits
    # Rounding must not turn all of the rows into a little less than all of them.
    none, every = hits <= 1e-9 * total, misses <= 1e-9 * total
    low = np.where(none, 0.0, special.betaincinv(np.where(none, 1.0, hits), misses + 1, tail))
    high = np.where(every, 1.0, special.betaincinv(hits + 1, np.where(every, 1.0, misses), 1 - tail))
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def effective_rows(hits: Floats, rows: Floats, member: npt.NDArray[np.integer], groups: int) -> Floats:
    """Independent rows that would know the shares as well as these do.

    Args:
        hits: (families, entities) successes of each entity of a group.
        rows: (families, entities) its rows.
        member: (entities,) the group of each column; an entity with rows in two groups has two columns.
        groups: Number of groups.

    Returns:
        (families, groups), at most the number of rows; 0 where there are none.
    """

    def total(values: Floats) -> Floats:
        return np.stack([np.bincount(member, weights=v, minlength=groups) for v in values])

    found, count = total(hits), total(rows)
    squares, crossed, hit_squares = total(rows**2), total(rows * hits), total(hits**2)
    present = count > 0
    count_or_one = np.where(present, count, 1.0)
    size = np.where(present, squares / count_or_one, 1.0)
    share = (found + size) / (count_or_one + 2 * size)
    pseudo = size**2 * (share**2 + (1 - share) ** 2)
    spread = hit_squares - 2 * share * crossed + share**2 * squares + pseudo
    effect = spread / ((count_or_one + 2 * size) * share * (1 - share))
    return np.where(present, count / np.maximum(effect, 1.0), 0.0)


def of_rows(hits: npt.NDArray[np.bool_], sampling: intervals.Sampling) -> records.Interval | None:
    """The interval of the share of `hits` (rows,) that are true; None without rows."""
    if len(hits) == 0:
        return None
    size, text = np.array([[float(len(hits))]]), METHOD
    if sampling.entities is not None:
        member = intervals.clusters(sampling.entities)
        found = np.bincount(member, weights=hits)[None]
        owned = np.bincount(member).astype(np.float64)[None]
        size = effective_rows(found, owned, np.zeros(found.shape[1], np.intp), 1)
        text = f"{METHOD}, {size.item():,.0f} effective rows over {found.shape[1]:,} entities"
    share = float(np.mean(hits))
    low, high = bounds(np.array([[share]]), size, sampling.level)
    return records.Interval(
        low=float(min(low.item(), share)),
        high=float(max(high.item(), share)),
        level=sampling.level,
        method=text,
    )
