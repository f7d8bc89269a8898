"""Intervals of the data-governance checks: shares, means, their differences, and the extreme of several.

Rows of one entity (a patient's stays) are not independent. Where entities are known, the variance is taken over
entities and every interval uses the effective number of rows that follows from it. Knows nothing about plans.

Refs: Wilson, JASA 22 (1927) 209. Newcombe, Statist. Med. 17 (1998) 873. Korn and Graubard, Surv. Methodol. 24 (1998)
193 (effective size).
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Levels(NamedTuple):
    """Two-sided confidence levels of an estimate that is one of several."""

    each: float
    """Of its own interval."""
    family: float
    """At which the intervals of all of them hold together (Bonferroni)."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number with its interval."""

    value: float
    low: float
    high: float
    n: int
    """Rows it rests on."""
    family: tuple[float, float]
    """Its interval when all estimates of the family are to hold together."""


def levels(confidence: float, comparisons: int) -> Levels:
    """Levels of the estimates of a family of `comparisons`."""
    return Levels(confidence, 1.0 - (1.0 - confidence) / max(comparisons, 1))


def quantile(level: float) -> float:
    """Standard normal quantile of a two-sided interval."""
    return float(special.ndtri(0.5 + level / 2.0))


def wilson(share: float, size: float, level: float) -> tuple[float, float]:
    """Wilson score interval of a share.

    Args:
        share: Observed share, 0 to 1.
        size: Rows, or effective rows; may be fractional.
        level: Two-sided confidence level.

    Returns:
        Lower and upper bound, within 0 and 1. All of it when there are no rows.
    """
    if size <= 0:
        return 0.0, 1.0
    z2 = quantile(level) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    # At 0 and 1 the exact bound is the share itself; rounding must not move it inside.
    low = 0.0 if share <= 0 else float(max(centre - half, 0.0))
    high = 1.0 if share >= 1 else float(min(centre + half, 1.0))
    return low, high


def effective_size(member: npt.NDArray[np.bool_], clusters: Ints | None) -> float:
    """Number of independent rows that would know the share of `member` as well as these rows do.

    Args:
        member: Shape (rows,).
        clusters: Entity code of each row, or None when every row stands for itself.

    Returns:
        At most the number of rows, at least the number of entities or 1, whichever is smaller.
    """
    n = len(member)
    if clusters is None or n == 0:
        return float(n)
    share = member.mean()
    _, codes = np.unique(clusters, return_inverse=True)
    entities = int(codes.max()) + 1
    if share in (0.0, 1.0) or entities < 2:
        return float(entities)
    residuals = np.bincount(codes, weights=member - share)
    variance = float(np.sum(residuals**2)) * entities / (entities - 1) / n**2
    return float(min(n, share * (1 - share) / variance)) if variance > 0 else float(entities)


def share(member: npt.NDArray[np.bool_], clusters: Ints | None, at: Levels) -> Estimate:
    """Share of rows in `member`, with its Wilson interval."""
    n = len(member)
    value = float(member.mean()) if n else 0.0
    size = effective_size(member, clusters)
    return Estimate(value, *wilson(value, size, at.each), n, wilson(value, size, at.family))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """Difference a − b of two independent estimates from their intervals (Newcombe's hybrid, square and add)."""
    value = a.value - b.value
    each = _squared(value, (a.value - a.low, a.high - a.value), (b.value - b.low, b.high - b.value))
    family = _squared(
        value,
        (a.value - a.family[0], a.family[1] - a.value),
        (b.value - b.family[0], b.family[1] - b.value),
    )
    return Estimate(value, *each, a.n + b.n, family)


def _squared(value: float, a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return value - float(np.hypot(a[0], b[1])), value + float(np.hypot(a[1], b[0]))


def less(estimate: Estimate, constant: float) -> Estimate:
    """The estimate less a known number."""
    family = (estimate.family[0] - constant, estimate.family[1] - constant)
    return Estimate(estimate.value - constant, estimate.low - constant, estimate.high - constant, estimate.n, family)


def complement(estimate: Estimate) -> Estimate:
    """One less the estimate."""
    family = (1.0 - estimate.family[1], 1.0 - estimate.family[0])
    return Estimate(1.0 - estimate.value, 1.0 - estimate.high, 1.0 - estimate.low, estimate.n, family)


def magnitude(estimate: Estimate) -> Estimate:
    """Absolute value of an estimate, its intervals folded at 0."""
    each, family = _folded(estimate.low, estimate.high), _folded(*estimate.family)
    return Estimate(abs(estimate.value), *each, estimate.n, family)


def _folded(low: float, high: float) -> tuple[float, float]:
    ends = abs(low), abs(high)
    return (0.0 if low <= 0.0 <= high else min(ends)), max(ends)


def mean(values: Floats, clusters: Ints | None, at: Levels) -> Estimate:
    """Mean of real values, with the interval of Student's t over entities (rows where there are none)."""
    n = len(values)
    codes = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    entities = int(codes.max()) + 1 if n else 0
    value = float(values.mean()) if n else 0.0
    if entities < 2:
        return Estimate(value, -np.inf, np.inf, n, (-np.inf, np.inf))
    residuals = np.bincount(codes, weights=values - value)
    error = float(np.sqrt(np.sum(residuals**2) * entities / (entities - 1))) / n
    each, family = (float(special.stdtrit(entities - 1, 0.5 + level / 2.0)) * error for level in at)
    return Estimate(value, value - each, value + each, n, (value - family, value + family))


def verdict(low: float, high: float, *, at_most: float | None = None, at_least: float | None = None) -> str:
    """`pass`, `fail`, or `inconclusive` when the interval holds the limit inside."""
    if at_most is not None:
        return "pass" if high <= at_most else "fail" if low > at_most else "inconclusive"
    if at_least is None:
        raise ValueError("expected a limit")
    return "pass" if low >= at_least else "fail" if high < at_least else "inconclusive"


def largest(estimates: list[Estimate]) -> Estimate:
    """The largest of several numbers.

    Its interval holds with the level of each: the upper end needs no correction, because the largest upper bound is
    at least that of the truly largest; the lower end is simultaneous, because picking the largest picks luck, too.
    """
    top = max(estimates, key=lambda e: e.value)
    low, high = max(e.family[0] for e in estimates), max(e.high for e in estimates)
    return Estimate(top.value, low, high, top.n, (low, high))


def smallest(estimates: list[Estimate]) -> Estimate:
    """The smallest of several numbers, in the same way."""
    top = min(estimates, key=lambda e: e.value)
    low, high = min(e.low for e in estimates), min(e.family[1] for e in estimates)
    return Estimate(top.value, low, high, top.n, (low, high))


def rounded(value: float, digits: int = 6) -> float | None:
    """A number for a table: rounded, None where it is not finite."""
    return round(float(value), digits) if np.isfinite(value) else None


def rows_of(estimate: Estimate) -> dict[str, Any]:
    """An estimate as cells of a table."""
    return {
        "value": rounded(estimate.value),
        "low": rounded(estimate.low),
        "high": rounded(estimate.high),
        "n": estimate.n,
    }
