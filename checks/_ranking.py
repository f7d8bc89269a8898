"""Areas under the ROC and the precision-recall curve for many weightings of the same rows: sorted once."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Ranking:
    """Rows sorted by falling score, with the ends of runs of equal score."""

    def __init__(self, scores: Floats, positive: npt.NDArray[np.bool_]) -> None:
        """Sort.

        Args:
            scores: (rows,) higher means more positive.
            positive: (rows,) the true class.
        """
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._positive = positive[self._order].astype(np.float64)
        self._ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True))

    @property
    def average_precision(self) -> float:
        """Of the rows as they are."""
        return float(self.areas(np.ones((1, len(self._order))))[0, 1])

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """True and false positives (b, thresholds) at every distinct score, for weights (b, rows)."""
        sorted_weights = weights[:, self._order]
        positives = sorted_weights * self._positive
        true = np.cumsum(positives, axis=1)[:, self._ends]
        false = np.cumsum(sorted_weights - positives, axis=1)[:, self._ends]
        return true, false

    def areas(self, weights: Floats) -> Floats:
        """ROC AUC and average precision, (b, 2); NaN where a class has no weight."""
        true, false = self.counts(weights)
        total_true, total_false = true[:, -1], false[:, -1]
        steps_true = np.diff(true, axis=1, prepend=0.0)
        steps_false = np.diff(false, axis=1, prepend=0.0)
        flagged = true + false
        with np.errstate(divide="ignore", invalid="ignore"):
            roc = np.einsum("bt,bt->b", steps_false, true - steps_true / 2) / (total_true * total_false)
            precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
            average_precision = np.einsum("bt,bt->b", steps_true, precision) / total_true
        roc[~np.isfinite(roc)] = np.nan
        average_precision[(total_true == 0) | (total_false == 0)] = np.nan
        return np.stack([roc, average_precision], axis=1)


def separated(positives: float, negatives: float, tail: float) -> tuple[float, float]:
    """Exact lower bounds of the ROC AUC and the average precision of classes that are separated without an error.

    With all P positives above a score and all N negatives below it, the shares of positives above and of negatives
    below it are each at least tail^(1 / P) and tail^(1 / N) (Clopper and Pearson 1934, no failure). Such a point bounds
    both areas from below.
    """
    above, below = math.pow(tail, 1 / positives), math.pow(tail, 1 / negatives)
    true, false = above * positives, (1 - below) * negatives
    return above * below, above * true / (true + false)


def thinned(count: int, most: int) -> npt.NDArray[np.int64]:
    """Indices of at most `most` of `count` points, evenly spread, both ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
