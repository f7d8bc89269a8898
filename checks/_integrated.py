"""Integrated gradients along the line from a baseline, and the output that they are held against. Arrays in and out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import scoring
from checks.source import LogitsVjp
from configs import errors

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]

LEAST = 1e-30
"""Smallest probability whose logarithm is taken: near the end of float32."""
BLOCK = 8192
"""Rows given to the gradient at once."""


def integrated(
    outputs_vjp: LogitsVjp, x: Inputs, baseline: Inputs, plus: Codes, minus: Codes | None, steps: int
) -> Floats:
    """Integrated gradients (rows, features) of output `plus` less output `minus`, by the midpoint rule.

    Args:
        outputs_vjp: The outputs with their pullback.
        x: (rows, features); a missing cell is missing in the baseline, too.
        baseline: (rows, features)
        plus: (rows,) index of the output.
        minus: (rows,) index of the output that is taken off, or None.
        steps: Points on the line.

    Raises:
        VerificationError: The gradient has another shape than x.
    """
    way = np.where(np.isfinite(x), x.astype(np.float64) - baseline.astype(np.float64), 0.0)
    total, each = np.zeros(x.shape), max(1, BLOCK // max(len(x), 1))
    for start in range(0, steps, each):
        shares = (np.arange(start, min(start + each, steps)) + 0.5)[:, None, None] / steps
        at = np.where(np.isfinite(x), baseline + shares * way, x).astype(np.float32).reshape(-1, x.shape[1])
        found, pullback = outputs_vjp(at)
        cotangent, rows = np.zeros(found.shape), np.arange(len(at))
        cotangent[rows, np.tile(plus, len(shares))] = 1.0
        if minus is not None:
            cotangent[rows, np.tile(minus, len(shares))] = -1.0
        slope = _checked(pullback(cotangent), at.shape)
        total += slope.reshape(len(shares), *x.shape).sum(axis=0)
    return total * way / steps


def outputs(scores: scoring.Scores, rows: int) -> tuple[Codes, Codes | None]:
    """Which output of each row is explained, and which is taken off."""
    if scores.probabilities is None:
        return np.zeros(rows, dtype=np.int64), None
    if scores.probabilities.shape[1] == 2:
        return np.ones(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    order = np.argsort(-scores.probabilities, axis=1, kind="stable").astype(np.int64)
    return order[:, 0], order[:, 1]


def value(scores: scoring.Scores, plus: Codes, minus: Codes | None) -> Floats:
    """The explained output (rows,): a difference of log probabilities, or the prediction."""
    if scores.probabilities is None or minus is None:
        if scores.predictions is None:
            raise TypeError("scores hold probabilities or predictions")
        return scores.predictions
    logs: Floats = np.log(np.maximum(scores.probabilities, LEAST))
    rows = np.arange(len(logs))
    difference: Floats = logs[rows, plus] - logs[rows, minus]
    return difference


def _checked(slope: npt.NDArray[np.floating], shape: tuple[int, ...]) -> Floats:
    if slope.shape != shape:
        raise errors.VerificationError(
            f"gradient of the source model: expected shape {shape}, got {slope.shape}. "
            "Check the module that `model.factory` builds."
        )
    return slope.astype(np.float64)
