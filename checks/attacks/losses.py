"""The losses that gradient attacks raise, as functions of the source model's outputs, with their derivatives.

All depend on the outputs of one row only and are larger where the row is nearer to being wrong. Derivatives are scaled
row by row to a largest entry of one: an attack that follows signs needs only the direction, and a confident model's
cross entropy would vanish in single precision, which looks like robustness and is none.

Refs: Croce and Hein, ICML 2020 (difference-of-logits ratio); Carlini et al., arXiv 1902.06705 (vanishing gradients).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Loss = Callable[[Floats, npt.NDArray[np.generic], Codes], tuple[Floats, Floats]]
"""Outputs (n, K), what is true (n,), target (n,) → loss (n,), derivative by the outputs (n, K)."""

TINY = 1e-12


def cross_entropy(logits: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """Cross entropy of the true class."""
    del target
    y, rows = truth.astype(np.int64), np.arange(len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1)
    shares = np.exp(shifted) / total[:, None]
    slope = shares.copy()
    # 1 − p of the true class as the sum of the others: exact where p rounds to one.
    slope[rows, y] = 0.0
    slope[rows, y] = -slope.sum(axis=1)
    return np.log(total) - shifted[rows, y], _scaled(slope)


def logit_ratio(logits: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """Difference-of-logits ratio: −(z_y − max of the others) / (z_π1 − z_π3).

    Two classes have no third logit; the plain difference is taken, whose direction is that of the cross entropy.
    """
    del target
    y, rows = truth.astype(np.int64), np.arange(len(logits))
    others = logits.copy()
    others[rows, y] = -np.inf
    nearest = others.argmax(axis=1)
    return _ratio(logits, y, nearest, _third(logits))


def targeted_logit_ratio(logits: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """The same towards one other class: −(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2); three classes lack the fourth."""
    below = _third(logits)
    if logits.shape[1] > 3:
        order = np.argsort(-logits, axis=1)
        below = np.zeros_like(logits)
        np.put_along_axis(below, order[:, 2:4], 0.5, axis=1)
    return _ratio(logits, truth.astype(np.int64), target, below)


def squared_error(outputs: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """Squared error of a prediction (n, 1)."""
    del target
    error = outputs[:, 0] - truth.astype(np.float64)
    return error**2, np.where(error >= 0, 1.0, -1.0)[:, None]


def directed(outputs: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """A prediction (n, 1) driven up (target 1) or down (target −1)."""
    del truth
    way = target.astype(np.float64)
    return way * outputs[:, 0], way[:, None]


def _third(logits: Floats) -> Floats | None:
    """Weights (n, K) that pick the third largest logit; None for two classes."""
    if logits.shape[1] < 3:
        return None
    found = np.zeros_like(logits)
    np.put_along_axis(found, np.argsort(-logits, axis=1)[:, 2:3], 1.0, axis=1)
    return found


def _ratio(logits: Floats, y: Codes, other: Codes, below: Floats | None) -> tuple[Floats, Floats]:
    """(z_other − z_y) / (z_π1 − below · z) and its derivative."""
    rows, slope = np.arange(len(logits)), np.zeros_like(logits)
    difference = logits[rows, other] - logits[rows, y]
    slope[rows, other] += 1.0
    slope[rows, y] -= 1.0
    if below is None:
        return difference, slope
    spread = logits.max(axis=1) - (below * logits).sum(axis=1) + TINY
    widens = -below
    widens[rows, logits.argmax(axis=1)] += 1.0
    return difference / spread, _scaled(slope - (difference / spread)[:, None] * widens)


def _scaled(slope: Floats) -> Floats:
    largest = np.abs(slope).max(axis=1, keepdims=True, initial=0.0)
    return np.divide(slope, largest, out=np.zeros_like(slope), where=largest > 0)
