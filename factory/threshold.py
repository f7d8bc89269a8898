"""The decision threshold of a binary classifier: the plan's number, or chosen on the validation split."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors
from evidence import records


def choose(wanted: float | str, scores: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> records.DecisionThreshold:
    """The threshold t of `label = score >= t`.

    Args:
        wanted: A number, or `balanced_accuracy` or `f1`, which is then largest on these rows.
        scores: Probability of the positive class, shape (rows,), validation split.
        y: True class, 0 or 1, shape (rows,).

    Returns:
        The threshold, exactly representable in float32. Candidates lie halfway between neighbouring scores, so that
        a rounding difference moves no row across; of equal candidates the one nearest to 0.5 is taken.

    Raises:
        DataError: When the rows do not hold both classes.
    """
    if not isinstance(wanted, str):
        return records.DecisionThreshold(value=float(np.float32(wanted)), criterion="stated in the plan")
    positives = int(y.sum())
    if positives in (0, len(y)):
        raise errors.DataError(
            f"validation split: expected rows of both classes to choose the threshold by {wanted}, got "
            f"{positives} positive of {len(y)}. State training.threshold as a number, or enlarge the split."
        )
    cuts, true_positive, false_positive = candidates(scores, y)
    value = _CRITERIA[wanted](true_positive, false_positive, positives, len(y) - positives)
    best = np.flatnonzero(value >= value.max() - 1e-12)
    cut = cuts[best[np.argmin(np.abs(cuts[best] - 0.5))]]
    return records.DecisionThreshold(value=float(cut), criterion=wanted, chosen_on="validation")


def candidates(
    scores: npt.NDArray[np.float32], y: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Candidate cuts, ascending, with the positives and negatives at or above each."""
    order = np.argsort(scores, kind="stable")
    ordered, labels = scores[order].astype(np.float64), y[order]
    edges = np.concatenate([[0.0], ordered, [1.0]])
    cuts = ((edges[:-1] + edges[1:]) / 2).astype(np.float32)
    positives_below = np.concatenate([[0], np.cumsum(labels)])
    negatives_below = np.arange(len(y) + 1) - positives_below
    parts = np.diff(edges) > 0
    # A cut that rounds onto a score would count that row on the other side of it than was counted here.
    parts[1:] &= cuts[1:] > edges[1:-1]
    parts[:-1] &= cuts[:-1] <= edges[1:-1]
    parts &= (cuts > 0) & (cuts < 1)
    true_positive = positives_below[-1] - positives_below
    false_positive = negatives_below[-1] - negatives_below
    return cuts[parts], true_positive[parts], false_positive[parts]


def _balanced_accuracy(
    true_positive: npt.NDArray[np.int64], false_positive: npt.NDArray[np.int64], positives: int, negatives: int
) -> npt.NDArray[np.float64]:
    return (true_positive / positives + 1 - false_positive / negatives) / 2


def _f1(
    true_positive: npt.NDArray[np.int64], false_positive: npt.NDArray[np.int64], positives: int, negatives: int
) -> npt.NDArray[np.float64]:
    del negatives
    return 2 * true_positive / (true_positive + false_positive + positives)


_CRITERIA = {"balanced_accuracy": _balanced_accuracy, "f1": _f1}
