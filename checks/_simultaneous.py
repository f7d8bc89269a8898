"""Intervals for extremes over groups: the gap between the largest and the smallest rate, their ratio, the worst rate.

Everything is made from the bounds of the single rates, so a gap can never be known better than the rates it lies
between. A difference of two independent rates takes the distances to their bounds square and add (Newcombe 1998), a
ratio does the same on its own scale (Donner and Zou 2012); both hold at 0 and 1, where a standard error would be 0.

The largest of several noisy differences is positive even where all true rates are equal. Its lower end is therefore
simultaneous: the bounds are taken at the level at which all pairs hold together (Tukey's range for the groups of one
family of rates, Bonferroni over families). Then no pair that is not distinguishable lifts the gap off 0. The upper end
needs no correction: the largest upper bound is at least that of the pair whose true gap is the largest. A large group
is not blurred at the lower end by a small one, and a small group widens the upper end as far as it is unknown.

How often such an interval misses: with level 1 − α, the near end (the upper one of a gap, the lower one of a smallest
rate) misses in at most α/2 of test sets, as with any single rate: a gate is not passed more easily because more groups
are compared. The far end may miss in α, but does so only where groups are tied, and there the near end does not: it
would have to miss for all tied groups at once. Coverage is 1 − α for tied groups and for two groups that differ. It is
more, up to 1 − α/2, where one of many groups stands apart or where a true gap is small beside its noise, because a gap
has no negative side: that cannot be held to 97 % from above with any interval whose near end keeps α/2.

Refs: Newcombe, Statist. Med. 17 (1998) 873. Donner and Zou, Stat. Methods Med. Res. 21 (2012) 347. Tukey 1953; Hayter,
Ann. Stat. 12 (1984) 61 (unequal groups).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

Floats = npt.NDArray[np.float64]
Bounds = Callable[[float], tuple[Floats, Floats]]
"""Bounds (families, groups) of the single rates at a two-sided level; NaN where a rate is undefined."""


def gap(rates: Floats, bounds: Bounds, level: float) -> tuple[float, float]:
    """Interval of the largest difference between two groups in any family of rates.

    Args:
        rates: (families, groups) measured rates; NaN where undefined, such groups are left out of that family.
        bounds: Of the same rates.
        level: Confidence level.

    Returns:
        Low (0 or more) and high.
    """
    low, high = bounds(level)
    upper = _differences(rates, low, high)[1]
    low, high = bounds(pairs_level(rates, level))
    lower = _differences(rates, low, high)[0]
    return max(0.0, float(np.nanmax(lower))), float(np.nanmax(upper))


def ratio(rates: Floats, bounds: Bounds, level: float) -> tuple[float, float]:
    """Interval of the smallest ratio of a group's rate to another's, in any family of rates; within 0 and 1."""
    low, high = bounds(level)
    lower = _ratios(rates, low, high)[0]
    low, high = bounds(pairs_level(rates, level))
    upper = _ratios(rates, low, high)[1]
    return max(0.0, float(np.nanmin(lower))), min(1.0, float(np.nanmin(upper)))


def extreme(rates: Floats, bounds: Bounds, level: float, *, smallest: bool) -> tuple[float, float]:
    """Interval of the smallest (or largest) of the groups' rates, (families, groups).

    The end on the far side of the other groups is simultaneous (Bonferroni): the smallest of several is luck, too.
    """
    low, high = bounds(level)
    far_low, far_high = bounds(far_level(int(np.isfinite(rates).sum()), level))
    if smallest:
        return float(np.nanmin(low)), float(np.nanmin(far_high))
    return float(np.nanmax(far_low)), float(np.nanmax(high))


def far_level(compared: int, level: float) -> float:
    """Two-sided level of each of several bounds at which their far ends together miss in at most 1 − `level`.

    Each far end gets a tail of (1 − level) / `compared`, but never more than that of a single two-sided interval.
    """
    return 1 - 2 * (1 - level) / max(2, compared)


def pairs_level(rates: Floats, level: float) -> float:
    """Level of a single pair's interval at which those of all pairs of defined rates hold together."""
    groups = np.isfinite(rates).sum(axis=1)
    families = int((groups > 1).sum())
    most = int(groups.max(initial=0))
    if families == 0:
        return level
    within = 1 - (1 - level) / families
    return within if most == 2 else float(2 * special.ndtr(_range_quantile(most, within) / np.sqrt(2.0)) - 1)


def _differences(rates: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Bounds (families, groups, groups) of each rate less each other; NaN on the diagonal and where undefined."""
    first, second = rates[:, :, None], rates[:, None, :]
    difference = np.where(np.eye(rates.shape[1], dtype=bool), np.nan, first - second)
    below = np.hypot(first - low[:, :, None], high[:, None, :] - second)
    above = np.hypot(high[:, :, None] - first, second - low[:, None, :])
    return difference - below, difference + above


def _ratios(rates: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Bounds (families, groups, groups) of each rate over each other; without an upper end where 0 may be below."""
    first, second = ((v[:, :, None] for v in (rates, low, high)), (v[:, None, :] for v in (rates, low, high)))
    lower, upper = ratio_bounds(*first, *second)
    outside = np.eye(rates.shape[1], dtype=bool) | ~np.isfinite(lower)
    return np.where(outside, np.nan, lower), np.where(outside, np.nan, upper)


def ratio_bounds(
    first: Floats, first_low: Floats, first_high: Floats, second: Floats, second_low: Floats, second_high: Floats
) -> tuple[Floats, Floats]:
    """Bounds of the ratio of independent rates (Donner and Zou), by their own bounds; NaN where one is undefined."""

    def spread(values: Floats, ends: Floats) -> Floats:
        return ends * (2 * values - ends)

    product = first * second
    defined = np.isfinite(product)
    least, most = spread(first, first_low), spread(first, first_high)
    second_least, second_most = spread(second, second_low), spread(second, second_high)
    below = product + np.sqrt(np.maximum(product**2 - least * second_most, 0.0))
    above = product + np.sqrt(np.maximum(product**2 - most * second_least, 0.0))
    lower = np.divide(least, below, out=np.zeros_like(below), where=below > 0)
    upper = np.divide(above, second_least, out=np.full_like(above, np.inf), where=second_least > 0)
    return np.where(defined, lower, np.nan), np.where(defined, upper, np.nan)


@functools.cache
def _range_quantile(groups: int, level: float) -> float:
    """Quantile of the range of `groups` independent standard normal variables."""
    points = np.linspace(-9.0, 9.0, 2001)
    density = np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)

    def missed(width: float) -> float:
        inside = special.ndtr(points) - special.ndtr(points - width)
        return float(groups * np.sum(density * inside ** (groups - 1)) * (points[1] - points[0])) - level

    return float(optimize.brentq(missed, 0.0, 18.0))
