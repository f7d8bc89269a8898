"""How far two samples lie apart: the population stability index, what chance adds to it, and its interval.

Refs: Yurdakul and Naranjo, J. Risk Model Validation 14 (2020) 89 (distribution of the index). Rao and Scott, JASA 76
(1981) 221 (clustered counts).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import optimize, special

from checks._governance_statistics import Estimate, Ints, Levels


def stability_index(first: Ints, second: Ints) -> float:
    """Population stability index of two count tables over the same cells, half a row added to each cell.

    0 is equality; above about 0.2 is commonly called a shift. Half a row keeps an empty cell finite.
    """
    p = (first + 0.5) / (first.sum() + 0.5 * len(first))
    q = (second + 0.5) / (second.sum() + 0.5 * len(second))
    return float(np.sum((p - q) * np.log(p / q)))


def design_effect(cells: Ints, clusters: Ints | None, size: int) -> float:
    """Mean factor by which the variance of the cells' shares exceeds that of independent rows (Rao and Scott).

    Args:
        cells: Cell of each row, 0…size−1.
        clusters: Entity of each row, or None.
        size: Number of cells.
    """
    n = len(cells)
    if clusters is None or n == 0 or size < 2:
        return 1.0
    shares = np.bincount(cells, minlength=size) / n
    _, entities = np.unique(clusters, return_inverse=True)
    pairs, counts = np.unique(entities.astype(np.int64) * size + cells, return_counts=True)
    squares = np.bincount(pairs % size, weights=counts.astype(float) ** 2, minlength=size)
    held = shares > 0
    spread = float(np.sum(squares[held] / shares[held])) - float(np.sum(np.bincount(entities).astype(float) ** 2))
    freedom = int(held.sum()) - 1
    return max(spread / (n * freedom), 1.0) if freedom else 1.0


@dataclasses.dataclass(frozen=True)
class Shift:
    """How far two samples lie apart."""

    estimate: Estimate
    """Index of the populations: the plain index less what chance is expected to add, not below 0."""
    index: float
    """Plain index of the two samples."""
    by_chance: float
    """Index that two samples of one population are expected to have."""
    cells: int


def shift(first: Ints, second: Ints, effects: tuple[float, float], at: Levels) -> Shift:
    """Stability index corrected for chance, with its interval.

    Two samples of the same population have an index of about (cells − 1)(1/n + 1/m), never 0. The index divided by
    (1/n + 1/m) is close to a non-central chi-square variable with cells − 1 degrees of freedom; the interval inverts
    it. In small samples it is wide, and so it should be.

    Args:
        first: Rows in each cell, train.
        second: Rows in each cell, the other part.
        effects: Design effect of either sample.
        at: Levels of the interval.
    """
    n, freedom = int(first.sum() + second.sum()), len(first) - 1
    if freedom < 1:
        return Shift(Estimate(0.0, 0.0, 0.0, n, (0.0, 0.0)), 0.0, 0.0, len(first))
    unit = float(effects[0] / first.sum() + effects[1] / second.sum())
    index = stability_index(first, second)
    value = max(index - freedom * unit, 0.0)
    bounds = []
    for level in at:
        low, high = (unit * _noncentrality(index / unit, freedom, p) for p in (0.5 + level / 2, 0.5 - level / 2))
        bounds.append((min(low, value), max(high, value)))
    return Shift(Estimate(value, *bounds[0], n, bounds[1]), index, freedom * unit, len(first))


def _noncentrality(statistic: float, freedom: int, probability: float) -> float:
    """Non-centrality at which a non-central chi-square variable stays below `statistic` with `probability`."""
    if special.chndtr(statistic, freedom, 0.0) <= probability:
        return 0.0

    def excess(root: float) -> float:
        return float(_distribution(statistic, freedom, root**2)) - probability

    top = np.sqrt(statistic) + 12.0
    return float(optimize.brentq(excess, 0.0, top)) ** 2


def _distribution(statistic: float, freedom: int, noncentrality: float) -> float:
    """Non-central chi-square distribution; beyond 10,000 its normal limit, where the series is slow."""
    if statistic < 1e4:
        return float(special.chndtr(statistic, freedom, noncentrality))
    spread = np.sqrt(2.0 * freedom + 4.0 * noncentrality)
    return float(special.ndtr((statistic - freedom - noncentrality) / spread))
