"""Intervals of proportions that hold at 0 and 1 and in small groups, and near their level in larger ones.

A bootstrap of 0 successes in 5 rows draws next to nothing else, and its percentiles claim a precision that nobody has.
The exact bounds of Clopper and Pearson hold at least at the level for every true share, but for any number of rows they
hold more often than the level says, and what is made of several of them more often still. Jeffreys' bounds hold at the
level on average, but too seldom near 0 and 1. Both are quantiles of beta distributions that differ by half a row:

    lower end: Beta(k + a, n − k + 1 − a), upper end: Beta(k + 1 − a, n − k + a), with a = 0 (exact) or 1/2 (Jeffreys)

for k successes in n rows. Here a = m / (2 (m + 4)), m being the smaller of successes and failures: exact at 0 and n,
half-way at 4, Jeffreys' in the limit. For 95 % the coverage, which is a finite sum, lies between 93.2 and 97.0 %
wherever ten successes and ten failures are expected, and above 93.2 % everywhere (the tests add it up).

Rows of one entity are not independent. There the bounds are taken for the effective number of rows, n over the
design effect. The effect is the variance over entities against that of independent rows, estimated with two
pseudo-entities of mean size, one with all rows a success and one with none: with 0 successes the variance over
entities says nothing, and the estimate becomes the worst case, in which all rows of an entity are alike.

Refs: Clopper and Pearson, Biometrika 26 (1934) 404. Brown, Cai and DasGupta, Stat. Sci. 16 (2001) 101 (Jeffreys'
interval as Clopper and Pearson's, corrected for continuity). Korn and Graubard, Surv. Methodol. 24 (1998) 193 (bounds
for an effective number of rows). Agresti and Coull, Am. Stat. 52 (1998) 119 (pseudo-rows).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _moments, intervals
from evidence import records

Floats = npt.NDArray[np.float64]

METHOD = "Clopper-Pearson to Jeffreys beta"
HALF_WAY = 4.0
"""Successes or failures, whichever are fewer, at which the bounds lie half-way from the exact ones to Jeffreys'."""
CLUSTERED = ", effective rows by entity"


def method(sampling: intervals.Sampling) -> str:
    """Text for `Interval.method`."""
    return METHOD if sampling.entities is None else METHOD + CLUSTERED


def bounds(shares: Floats, rows: Floats, level: float) -> tuple[Floats, Floats]:
    """Bounds of shares.

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
    fewer = np.maximum(np.minimum(hits, misses), 0.0)
    shift = np.where(none | every, 0.0, 0.5 * fewer / (fewer + HALF_WAY))
    low = np.where(none, 0.0, special.betaincinv(np.where(none, 1.0, hits + shift), misses + 1 - shift, tail))
    high = np.where(every, 1.0, special.betaincinv(hits + 1 - shift, np.where(every, 1.0, misses + shift), 1 - tail))
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def of_rows(hits: npt.NDArray[np.bool_], sampling: intervals.Sampling) -> records.Interval | None:
    """The interval of the share of `hits` (rows,) that are true; None without rows."""
    if len(hits) == 0:
        return None
    size, text = np.array([[float(len(hits))]]), METHOD
    if sampling.entities is not None:
        member = intervals.clusters(sampling.entities)
        found = np.bincount(member, weights=hits)[None]
        owned = np.bincount(member).astype(np.float64)[None]
        size = _moments.of_entities(found, owned, np.zeros(found.shape[1], np.intp), 1).effective_rows()
        text = f"{METHOD}, {size.item():,.0f} effective rows over {found.shape[1]:,} entities"
    share = float(np.mean(hits))
    low, high = bounds(np.array([[share]]), size, sampling.level)
    return records.Interval(
        low=float(min(low.item(), share)),
        high=float(max(high.item(), share)),
        level=sampling.level,
        method=text,
    )
