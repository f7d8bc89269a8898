"""Recalibration: by how much the model's log probabilities, or predictions, must be stretched to fit what was observed.

For classes, P(y = k) ∝ exp(a_k) p_k^b is fitted by maximum likelihood (a of the first class is 0). Two classes give
Cox's slope and intercept, more give one slope for all classes, the inverse of a temperature. b below 1: the
probabilities are too far apart (overconfident); above 1: too close. For numbers, target = a + b prediction by least
squares. Standard errors are robust (sandwich), over entities where there are any.

Refs: Cox, Biometrika 45 (1958) 562. Van Hoorde et al., Stat. Med. 33 (2014) 2585. Huber 1967; White 1982.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import intervals

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

LEAST = 1e-7
"""Smallest probability that is told from 0: about what float32 resolves beside 1."""
STEPS = 50


@dataclasses.dataclass(frozen=True)
class Coefficient:
    """An estimate with its bounds."""

    value: float
    low: float
    high: float


def slope(probabilities: Floats, y: Codes, entities: Codes | None, level: float) -> Coefficient | None:
    """The slope b for classes; None where no finite one exists (every label right, or probabilities that never vary).

    Args:
        probabilities: (rows, classes)
        y: (rows,) true classes; each class must have rows.
        entities: (rows,) or None.
        level: Of the bounds.
    """
    logs = _logs(probabilities)
    if float(np.ptp(logs - logs[:, :1], axis=0).max()) < 1e-9:
        return None
    classes = logs.shape[1]
    design = np.zeros((len(y), classes, classes))
    design[:, :, 0] = logs
    design[:, np.arange(1, classes), np.arange(1, classes)] = 1.0
    start = np.zeros(classes)
    start[0] = 1.0
    return _fitted(design, np.zeros_like(logs), y, start, entities, level)


def intercept(probabilities: Floats, y: Codes, entities: Codes | None, level: float) -> Coefficient | None:
    """The intercept for two classes with the slope held at 1: calibration in the large, in log odds."""
    logs = _logs(probabilities)
    design = np.zeros((len(y), 2, 1))
    design[:, 1, 0] = 1.0
    return _fitted(design, logs, y, np.zeros(1), entities, level)


def linear_slope(predictions: Floats, y: Floats, entities: Codes | None, level: float) -> Coefficient | None:
    """The slope of the target on the predictions; None where the predictions do not vary."""
    centred = predictions - predictions.mean()
    spread = float(centred @ centred)
    if spread <= 1e-12 * max(1.0, float(predictions @ predictions)) or len(y) < 3:
        return None
    value = float(centred @ y) / spread
    scores = (centred * (y - y.mean() - value * centred))[:, None]
    return _bounded(value, np.array([[1 / spread]]), scores, entities, level)


def _logs(probabilities: Floats) -> Floats:
    held = np.clip(probabilities, LEAST, 1.0)
    logs: Floats = np.log(held / held.sum(axis=1, keepdims=True))
    return logs


def _fitted(
    design: Floats, offset: Floats, y: Codes, start: Floats, entities: Codes | None, level: float
) -> Coefficient | None:
    """Newton's method on the concave likelihood; the first coefficient with its bounds.

    `design` is (rows, classes, coefficients), `offset` (rows, classes).
    """
    beta, rows = start, np.arange(len(y))

    def likelihood(at: Floats) -> float:
        eta = design @ at + offset
        return float(np.sum(eta[rows, y] - special.logsumexp(eta, axis=1)))

    value = likelihood(beta)
    for _ in range(STEPS):
        scores, information = _derivatives(design, offset, y, beta)
        try:
            step = np.linalg.solve(information, scores.sum(axis=0))
        except np.linalg.LinAlgError:
            return None
        size = 1.0
        while not (found := likelihood(beta + size * step)) >= value and size > 1e-6:
            size /= 2
        beta, value = beta + size * step, found
        if np.abs(step).max() < 1e-8:
            break
        if np.abs(beta).max() > 1e3:
            return None
    else:
        return None
    scores, information = _derivatives(design, offset, y, beta)
    if not np.isfinite(np.linalg.cond(information)) or np.linalg.cond(information) > 1e12:
        return None
    return _bounded(float(beta[0]), np.linalg.inv(information), scores, entities, level)


def _derivatives(design: Floats, offset: Floats, y: Codes, beta: Floats) -> tuple[Floats, Floats]:
    """Score of each row (rows, coefficients), and the information (coefficients, coefficients)."""
    shares = special.softmax(design @ beta + offset, axis=1)
    mean = np.einsum("nk,nkd->nd", shares, design)
    second = np.einsum("nk,nkd,nke->de", shares, design, design, optimize=True)
    return design[np.arange(len(y)), y] - mean, second - mean.T @ mean


def _bounded(value: float, inverse: Floats, scores: Floats, entities: Codes | None, level: float) -> Coefficient:
    """Bounds by the sandwich of the inverse information around the scores of rows, or of whole entities."""
    if entities is not None:
        member = intervals.clusters(entities)
        scores = np.stack([np.bincount(member, weights=column) for column in scores.T], axis=1)
    units = len(scores)
    variance = inverse @ (scores.T @ scores) @ inverse * (units / max(units - len(inverse), 1))
    reach = float(special.stdtrit(max(units - len(inverse), 1), 0.5 + level / 2) * np.sqrt(variance[0, 0]))
    return Coefficient(value, value - reach, value + reach)
