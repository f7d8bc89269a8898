"""Intervals for extremes over groups: the gap between the largest and the smallest rate, their ratio, the worst rate.

Everything is made from the bounds of the single rates, so a gap can never be known better than the rates it lies
between. A difference of two independent rates takes the distances to their bounds square and add (Newcombe 1998), a
ratio does the same on its own scale (Donner and Zou 2012); both hold at 0 and 1, where a standard error would be 0.

The largest of several noisy differences is positive even where all true rates are equal. Its lower end is therefore
simultaneous: the bounds are taken at the level at which all pairs hold together (Tukey's range for the groups of one
family of rates, Bonferroni over families). Then no pair that is not distinguishable lifts the gap off 0. The upper end
needs no correction: the largest upper bound is at least that of the pair whose true gap is the largest. A large group
is not blurred at the lower end by a small one, and a small group widens the upper end as far as it is unknown.

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
    """Interval of the smallest (or largest) of the groups' rates, (1, groups).

    The end on the far side of the other groups is simultaneous (Bonferroni): the smallest of several is luck, too.
    """
    low, high = bounds(level)
    far_low, far_high = bounds(1 - (1 - level) / max(1, int(np.isfinite(rates).sum())))
    if smallest:
        return float(np.nanmin(low)), float(np.nanmin(far_high))
    return float(np.nanmax(far_low)), float(np.nanmax(high))


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

    def spread(values: Floats, ends: Floats) -> Floats:
        return ends * (2 * values - ends)

    product = rates[:, :, None] * rates[:, None, :]
    least = spread(rates, low)
    most = spread(rates, high)
    below = product + np.sqrt(np.maximum(product**2 - least[:, :, None] * most[:, None, :], 0.0))
    above = product + np.sqrt(np.maximum(product**2 - most[:, :, None] * least[:, None, :], 0.0))
    lower = np.divide(least[:, :, None], below, out=np.zeros_like(below), where=below > 0)
    upper = np.divide(above, least[:, None, :], out=np.full_like(above, np.inf), where=least[:, None, :] > 0)
    outside = np.eye(rates.shape[1], dtype=bool) | ~np.isfinite(product)
    return np.where(outside, np.nan, lower), np.where(outside, np.nan, upper)


@functools.cache
def _range_quantile(groups: int, level: float) -> float:
    """Quantile of the range of `groups` independent standard normal variables."""
    points = np.linspace(-9.0, 9.0, 2001)
    density = np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)

    def missed(width: float) -> float:
        inside = special.ndtr(points) - special.ndtr(points - width)
        return float(groups * np.sum(density * inside ** (groups - 1)) * (points[1] - points[0])) - level

    return float(optimize.brentq(missed, 0.0, 18.0))
