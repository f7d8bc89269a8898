"""Intervals for extremes over groups: the gap between the largest and the smallest rate, the smallest rate.

The largest less the smallest of several noisy rates is positive even where all true rates are equal, and its bootstrap
replicates are larger still: a percentile interval of the gap sits too high and never reaches 0. What is drawn here
instead is a simultaneous band: the bootstrap gives the standard error of each rate (or each pair's difference) and the
factor c by which all of them at once stay within c standard errors in the share `level` of the replicates. Whenever the
band holds for all pairs, the true gap lies between the largest lower and the largest upper end. So the interval covers
at least at the level whatever the number of groups, it reaches 0 where no pair is distinguishable, and a large group
is not blurred by a small one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 1 << 21
"""Differences held at once: 16 MB."""


def gap(rates: Floats, deviations: Floats, level: float) -> tuple[float, float]:
    """Interval of the largest difference between two groups in any family of rates.

    Args:
        rates: (families, groups) measured rates; NaN where undefined, such groups are left out of that family.
        deviations: (replicates, families, groups) bootstrap deviations of the rates from their expectation.
        level: Confidence level.

    Returns:
        Low (0 or more) and high.
    """
    first, second = np.triu_indices(rates.shape[1], 1)
    difference = np.abs(rates[:, first] - rates[:, second])
    compared = np.isfinite(difference)
    difference = np.where(compared, difference, 0.0)
    error = np.stack([_pair_errors(deviations[:, f], first, second) for f in range(rates.shape[0])])
    error = np.where(compared, error, 0.0)
    block = max(1, _BLOCK // max(1, difference.size))
    largest = np.concatenate(
        [
            _largest_ratio(part[..., first] - part[..., second], error)
            for part in (deviations[start : start + block] for start in range(0, len(deviations), block))
        ]
    )
    reach = np.quantile(largest, level) * error
    return float(np.max(np.maximum(difference - reach, 0.0))), float(np.max(difference + reach))


def extreme(rates: Floats, deviations: Floats, level: float, *, smallest: bool) -> tuple[float, float]:
    """Interval of the smallest (or largest) of the groups' rates.

    Args:
        rates: (groups,) measured rates.
        deviations: (replicates, groups).
        level: Confidence level.
        smallest: Otherwise the largest.
    """
    error = deviations.std(axis=0)
    reach = np.quantile(_largest_ratio(deviations[:, None, :], error[None]), level) * error
    pick = np.min if smallest else np.max
    return float(pick(rates - reach)), float(pick(rates + reach))


def _pair_errors(deviations: Floats, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Floats:
    covariance = np.atleast_2d(np.cov(deviations, rowvar=False, bias=True))
    variance = np.diag(covariance)
    return np.sqrt(np.maximum(variance[first] + variance[second] - 2 * covariance[first, second], 0.0))


def _largest_ratio(differences: Floats, error: Floats) -> Floats:
    ratio = np.divide(np.abs(differences), error, out=np.zeros_like(differences), where=error > 1e-12)
    return ratio.reshape(len(differences), -1).max(axis=1)
