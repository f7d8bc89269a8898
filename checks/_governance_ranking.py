"""How well a score tells a group from the rest: area under the ROC curve with an interval over entities.

Refs: DeLong et al., Biometrics 44 (1988) 837. Obuchowski, Biometrics 53 (1997) 567 (clustered rows).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks._governance_statistics import Estimate, Floats, Ints, Levels, wilson


@dataclasses.dataclass(frozen=True)
class Curve:
    """Area under a ROC curve with what its variance is made of."""

    value: float
    influence: Floats
    """(rows,): how much each row moves the area; sums to 0."""
    positives: int
    negatives: int

    @property
    def pairs(self) -> float:
        """Number of positive and negative rows that were compared."""
        return float(self.positives) * self.negatives


def roc_auc(levels: Ints, positive: npt.NDArray[np.bool_]) -> Curve:
    """Area under the ROC curve of an ordered score, ties counted half.

    Args:
        levels: Shape (rows,): rank of the score, 0 for the lowest; equal scores share a rank.
        positive: Shape (rows,). Both classes must occur.
    """
    size = int(levels.max()) + 1
    above = np.bincount(levels[positive], minlength=size).astype(float)
    all_rows = np.bincount(levels, minlength=size).astype(float)
    below = all_rows - above
    m, n = above.sum(), below.sum()
    # Share of the other class that a row of this level ranks above (positives) or below (negatives).
    v_positive = (np.cumsum(below) - 0.5 * below) / n
    v_negative = 1.0 - (np.cumsum(above) - 0.5 * above) / m
    value = float(np.sum(above * v_positive) / m)
    influence = np.where(positive, (v_positive[levels] - value) / m, (v_negative[levels] - value) / n)
    return Curve(value, influence, int(m), int(n))


def auc_estimate(curve: Curve, clusters: Ints | None, at: Levels) -> Estimate:
    """Interval of an area under the ROC curve: Wilson with the effective size of its (clustered) variance.

    A perfect separation has no observed variance; its effective size is the size of the smaller class.
    """
    moves = curve.influence if clusters is None else np.bincount(clusters, curve.influence)
    independent = max(np.count_nonzero(moves), 2)
    variance = float(np.sum(moves**2)) * independent / (independent - 1)
    smaller = float(min(curve.positives, curve.negatives))
    spread = curve.value * (1.0 - curve.value)
    size = spread / variance if variance > 1e-12 and spread > 0 else smaller
    family = wilson(curve.value, size, at.family)
    return Estimate(curve.value, *wilson(curve.value, size, at.each), len(curve.influence), family)
