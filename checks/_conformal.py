"""Split conformal prediction: scores, thresholds and sets. Arrays in, arrays out.

A score says how badly a class (or a number) fits a row. The threshold is the k-th smallest score of m calibration
rows, k = ⌈(m + 1) level⌉; the set of a new row holds every class whose score is at most the threshold. If the new row
and the calibration rows are exchangeable, the set holds the truth with a probability of at least the level, whatever
the model; the coverage of one such threshold is itself random, Beta(k, m + 1 − k) where scores do not tie.

Refs: Vovk et al. 2005; Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094 (numbers). Sadinle et al., J. Am. Stat. Assoc.
114 (2019) 223 (least ambiguous sets). Romano et al., NeurIPS 2020 (adaptive sets). Vovk, ACML 2012 (Beta).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

DRAWS = 10_000


@dataclasses.dataclass(frozen=True)
class Threshold:
    """A threshold and the rows it rests on."""

    value: float
    """Infinite where there are too few rows for the level: then nothing is excluded."""
    rank: int
    """k; above `rows` where there are too few."""
    rows: int
    """m."""


def least_rows(level: float) -> int:
    """Calibration rows without which no threshold of that level exists."""
    return math.ceil(round(level / (1 - level), 9))


def threshold(scores: Floats, level: float) -> Threshold:
    """The threshold from calibration scores (m,)."""
    # Rounded first: (m + 1) level is 9.000000000000002 where it should be 9.
    rank, rows = math.ceil(round((len(scores) + 1) * level, 9)), len(scores)
    value = float(np.partition(scores, rank - 1)[rank - 1]) if rank <= rows else math.inf
    return Threshold(value, rank, rows)


def class_scores(probabilities: Floats, method: str) -> Floats:
    """Score of each class in each row, (rows, classes), 0 to 1.

    Args:
        probabilities: (rows, classes)
        method: `lac`: 1 less the probability of the class. `aps`: the summed probability of the classes that are more
            probable; not randomised, so that the same row always gets the same set, and the most probable class is in
            every set.
    """
    if method == "lac":
        return 1.0 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    for column in range(1, ordered.shape[1]):
        # Equal probabilities have the same sum before them, so that the order of the classes has no say.
        tied = ordered[:, column] == ordered[:, column - 1]
        before[:, column] = np.where(tied, before[:, column - 1], before[:, column])
    found = np.empty_like(before)
    np.put_along_axis(found, order, before, axis=1)
    return found


def expected(
    thresholds: Sequence[Threshold], rows: Sequence[int], level: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Central range of the share of test rows that are covered, if all calibration and test rows are exchangeable.

    Args:
        thresholds: One, or one for each class.
        rows: Test rows of each.
        level: Probability of the range.
        rng: For the draws: Beta for the coverage of each threshold, binomial for the rows.
    """
    covered = np.zeros(DRAWS)
    for one, count in zip(thresholds, rows, strict=True):
        finite = math.isfinite(one.value)
        coverage = rng.beta(one.rank, one.rows + 1 - one.rank, DRAWS) if finite else np.ones(DRAWS)
        covered += rng.binomial(count, coverage)
    tail = (1 - level) / 2
    low, high = np.quantile(covered / sum(rows), [tail, 1 - tail])
    return float(low), float(high)


def threshold_interval(scores: Floats, share: float, level: float) -> tuple[float, float] | None:
    """Bounds of the quantile of the scores' distribution, from their ranks; None where there are too few scores.

    The true quantile lies between the scores of rank r and s with at least that level, where a binomial count of so
    many scores and this share is below r, or at least s, with at most half the rest each.
    """
    tail = (1 - level) / 2
    first, last = (_binomial_quantile(at, len(scores), share) for at in (tail, 1 - tail))
    if first < 1 or last >= len(scores):
        return None
    ordered = np.sort(scores)
    return float(ordered[first - 1]), float(ordered[last])


def _binomial_quantile(at: float, trials: int, share: float) -> int:
    """Smallest count whose distribution function reaches `at`."""
    count = math.ceil(float(special.bdtrik(at, trials, share)))
    return count - 1 if count > 0 and float(special.bdtr(count - 1, trials, share)) >= at else count
