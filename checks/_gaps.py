"""Gaps between what was predicted and what was observed, in bins: their size without the upward bias of noise.

The mean of squared gaps is too large by the noise of each gap, so that a perfectly calibrated model never shows 0. The
expected noise is subtracted (Kumar et al. 2019; Broecker 2012 for the Brier score's decomposition), and the interval is
found by asking, for each possible error, how often gaps as large as the measured ones would be seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _moments, _proportions, intervals

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BINS = 15
"""Most bins of equal count."""
FEWEST = 20
"""Independent rows that a bin of equal count shall hold."""
DRAWS = 4000
"""Smallest number of draws behind an interval of `root_mean_square`."""


@dataclasses.dataclass(frozen=True)
class Gaps:
    """Mean prediction less mean observation in each bin."""

    predicted: Floats
    """(bins,)."""
    observed: Floats
    """(bins,)."""
    rows: Floats
    """(bins,)."""
    covariance: Floats
    """(bins, bins) of the gaps, as the residuals show it; over entities where there are any."""
    cautious: Floats
    """The same, no variance below what the predicted shares claim: few rare outcomes show none of their own."""
    own: Floats
    """(bins,) independent rows, or entities, in each bin."""
    units: int
    """Independent rows, or entities."""

    @property
    def gaps(self) -> Floats:
        """(bins,)."""
        return self.predicted - self.observed

    @property
    def weights(self) -> Floats:
        """(bins,) shares of the rows."""
        return self.rows / self.rows.sum()


def equal_count(predicted: Floats, units: int, most: int = BINS) -> Codes:
    """Bins 0…B−1 (rows,) of about equal count; equal predictions share a bin, every bin holds rows."""
    wanted = max(1, min(most, units // FEWEST))
    edges = np.unique(np.quantile(predicted, np.arange(1, wanted) / wanted, method="higher"))
    return np.unique(np.searchsorted(edges, predicted, side="left"), return_inverse=True)[1].astype(np.int64)


def gaps(predicted: Floats, observed: Floats, codes: Codes, entities: Codes | None, *, shares: bool) -> Gaps:
    """Gaps with their covariance.

    Args:
        predicted: (rows,) shares or numbers.
        observed: (rows,) outcomes: 0 or 1, or numbers.
        codes: (rows,) bin of each row, 0…B−1, none empty.
        entities: (rows,) who the row belongs to, or None.
        shares: Are the predictions shares, so that they claim a variance themselves?
    """
    rows = np.bincount(codes).astype(np.float64)
    means = [np.bincount(codes, weights=v) / rows for v in (predicted, observed)]
    residuals = predicted - observed - (means[0] - means[1])[codes]
    if entities is None:
        units = len(codes)
        squares = np.bincount(codes, weights=residuals**2)
        own = rows
        covariance = np.diag(squares / np.maximum(rows - 1, 1) / rows)
    else:
        member = intervals.clusters(entities)
        units = int(member.max()) + 1
        cells = np.bincount(member * len(rows) + codes, weights=residuals, minlength=units * len(rows))
        sums = cells.reshape(units, len(rows)) / rows
        pairs = np.unique(member * len(rows) + codes)
        own = np.bincount(pairs % len(rows), minlength=len(rows)).astype(np.float64)
        few = np.sqrt(own / np.maximum(own - 1, 1))
        covariance = sums.T @ sums * np.outer(few, few)
    claimed = np.bincount(codes, weights=predicted * (1 - predicted)) / rows**2 if shares else np.zeros_like(rows)
    lacking = np.maximum(claimed - np.diag(covariance), 0.0)
    return Gaps(*means, rows, covariance, covariance + np.diag(lacking), own, units)


def root_mean_square(found: Gaps) -> float:
    """Root of the mean squared gap less its expected noise; 0 where the noise explains it all."""
    noise = float(found.weights @ np.diag(found.covariance))
    return float(np.sqrt(max(0.0, float(found.weights @ found.gaps**2) - noise)))


def interval_of(found: Gaps, sampling: intervals.Sampling, label: str) -> tuple[float, float]:
    """Ends of the interval of `root_mean_square`, 0 or more.

    An error is inside where gaps as large as the measured ones are neither too rare nor too frequent under it: gaps of
    that size in the measured shape, with noise as Student's t has it for the rows or entities of a bin. Where the
    measured gaps are smaller than mere noise would give, the upper end is that of gaps as large as noise gives in the
    middle: an interval of no width claims too much.
    """
    weights, gap = found.weights, found.gaps
    measured = float(weights @ gap**2)
    shape = gap / np.sqrt(measured) if measured > 0 else np.ones_like(gap)
    values, vectors = np.linalg.eigh(found.cautious)
    rng, draws = sampling.rng(label), max(DRAWS, sampling.replicates)
    freedom = np.maximum(found.own - 1, 1.0)
    spread = np.sqrt(freedom / rng.chisquare(freedom, (draws, len(gap))))
    noise = spread * (rng.standard_normal((draws, len(gap))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T)
    crossed, squared = noise @ (weights * shape), noise**2 @ weights
    tail = (1 - sampling.level) / 2

    def quantile(error: float, share: float) -> float:
        return _quantile(error**2 + 2 * error * crossed + squared, share)

    far = np.sqrt(measured) + 2 * float(np.sqrt(squared.max())) + 1e-12
    low = _crossing(lambda e: quantile(e, 1 - tail) >= measured, far)
    top = max(measured, float(np.median(squared)))
    high = _crossing(lambda e: quantile(e, tail) > top, far)
    return low, high


def _quantile(values: Floats, share: float) -> float:
    """`numpy.quantile`, bit by bit, for a share below 1: a tenth of its cost, and it is asked eighty times an interval.

    `values` are put into another order.
    """
    place = (len(values) - 1) * share
    rank = int(place)
    values.partition((rank, rank + 1))
    part, low, high = place - rank, values[rank], values[rank + 1]
    return float(low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part))


def _crossing(reached: Callable[[float], bool], far: float) -> float:
    """The smallest value in 0…far at which a condition that stays true becomes true."""
    if reached(0.0):
        return 0.0
    low, high = 0.0, far
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def mean_interval(found: Gaps, level: float) -> tuple[float, float]:
    """Student's t bounds of the gap of a single bin; infinite with a single row or entity."""
    if found.units < 2:
        return -np.inf, np.inf
    reach = float(special.stdtrit(found.units - 1, 0.5 + level / 2)) * float(np.sqrt(found.cautious[0, 0]))
    return float(found.gaps[0]) - reach, float(found.gaps[0]) + reach


def share_bounds(
    observed: Floats, codes: Codes, bins: int, sampling: intervals.Sampling
) -> tuple[Floats, Floats, Floats]:
    """Observed share of each bin (bins,) with its bounds, for the effective rows where rows belong to entities."""
    rows = np.bincount(codes, minlength=bins).astype(np.float64)
    hits = np.bincount(codes, weights=observed, minlength=bins)
    shares = np.divide(hits, rows, out=np.full(bins, np.nan), where=rows > 0)
    effective = rows
    if sampling.entities is not None:
        member = intervals.clusters(sampling.entities)
        pairs, pair = np.unique(member * bins + codes, return_inverse=True)
        found = np.bincount(pair, weights=observed)[None]
        owned = np.bincount(pair).astype(np.float64)[None]
        effective = _moments.of_entities(found, owned, pairs % bins, bins).effective_rows()[0]
    low, high = _proportions.bounds(shares, effective, sampling.level)
    return shares, low, high
