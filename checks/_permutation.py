"""Permutation importance of one feature with its standard error. Arrays in, arrays out.

The rise of the loss when row i gets the value of row j, averaged over rows and donors, is a statistic of pairs (a
U-statistic): a row takes part as receiver and as donor. Its variance is that of the rows' sum of both roles, not that
of the receivers alone; the excess that a few shuffles leave in that sum is taken out (components of variance).

Refs: Breiman, Mach. Learn. 45 (2001) 5. Fisher et al., J. Mach. Learn. Res. 20 (2019) 177. Hoeffding, Ann. Math. Stat.
19 (1948) 293.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import intervals

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Importance:
    """The mean rise of the loss."""

    value: float
    error: float
    """Standard error; infinite with fewer than two rows or entities."""
    units: int
    """Independent rows, or entities."""


def shuffles(rows: int, repeats: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Donors (repeats, rows): the row whose value each row gets; no row is its own donor where there are two rows."""
    found = []
    for _ in range(repeats):
        order = rng.permutation(rows)
        donors = np.empty(rows, dtype=np.intp)
        donors[order] = np.roll(order, 1)
        found.append(donors)
    return np.array(found)


def importance(rises: Floats, donors: npt.NDArray[np.intp], entities: npt.NDArray[np.integer] | None) -> Importance:
    """Mean and standard error.

    Args:
        rises: (repeats, rows) loss of a row with the donor's value less its own loss.
        donors: (repeats, rows) see `shuffles`.
        entities: (rows,) or None.
    """
    repeats, rows = rises.shape
    value = float(rises.mean())
    given = np.empty_like(rises)
    np.put_along_axis(given, donors, rises, axis=1)
    roles = rises.mean(axis=0) + given.mean(axis=0) - 2 * value
    member = np.arange(rows) if entities is None else intervals.clusters(entities)
    sums = np.bincount(member, weights=roles)
    units = len(sums)
    if units < 2:
        return Importance(value, np.inf, units)
    variance = float(sums @ sums) * units / (units - 1) / rows**2
    spread_row, spread_donor = (float(r.var(axis=0, ddof=1).mean()) for r in (rises, given))
    mixed = max(0.0, spread_row + spread_donor - float(rises.var()))
    excess = (spread_row + spread_donor - mixed) / repeats / rows
    # Never below what the mean over the shuffles shows by itself.
    least = float(rises.mean(axis=0).var(ddof=1)) / rows if rows > 1 else 0.0
    return Importance(value, float(np.sqrt(max(variance - excess, least))), units)
