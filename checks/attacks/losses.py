"""The losses that gradient attacks raise, as functions of the source model's outputs, with their derivatives.

All depend on the outputs of one row only and are larger where the row is nearer to being wrong. Derivatives are scaled
row by row to a largest entry of one: an attack that follows signs needs only the direction, and the cross entropy of a
confident model would vanish in single precision, which looks like robustness and is none.

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
    """The log odds against the true class, which rise and fall with its cross entropy and do not round to zero.

    The cross entropy is log(1 + exp(value)).
    """
    del target
    y, rows = truth.astype(np.int64), np.arange(len(logits))
    others = logits.copy()
    others[rows, y] = -np.inf
    largest = others.max(axis=1)
    shares = np.exp(others - largest[:, None])
    total = shares.sum(axis=1)
    slope = shares / total[:, None]
    slope[rows, y] = -1.0
    return largest + np.log(total) - logits[rows, y], slope


def logit_ratio(logits: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """Difference-of-logits ratio: −(z_y − max of the others) / (z_π1 − z_π3).

    Two classes have no third logit; the plain difference is taken, whose direction is that of the cross entropy.
    """
    del target
    y, rows = truth.astype(np.int64), np.arange(len(logits))
    others = logits.copy()
    others[rows, y] = -np.inf
    return _ratio(logits, y, others.argmax(axis=1), _ranked(logits, 2, 3))


def targeted_logit_ratio(logits: Floats, truth: npt.NDArray[np.generic], target: Codes) -> tuple[Floats, Floats]:
    """The same towards one other class: −(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2).

    Three classes have no fourth logit; the plain difference is taken, since a ratio to the third would not change with
    that class.
    """
    return _ratio(logits, truth.astype(np.int64), target, _ranked(logits, 2, 4))


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


def _ranked(logits: Floats, first: int, last: int) -> Floats | None:
    """Weights (n, K) that average the logits of these ranks, from 0; None where there are too few classes."""
    if logits.shape[1] < last:
        return None
    found = np.zeros_like(logits)
    order = np.argsort(-logits, axis=1, kind="stable")
    np.put_along_axis(found, order[:, first:last], 1.0 / (last - first), axis=1)
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
