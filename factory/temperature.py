"""Temperature scaling: one number that makes probabilities neither too sure nor too unsure (Guo et al., ICML 2017)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from evidence.mitigation_records import CalibrationRecord

Floats = npt.NDArray[np.float64]

WIDEST = 5.0
"""The logarithm of the temperature is searched between ± this."""


def fit(logits: Floats, y: npt.NDArray[np.int64]) -> CalibrationRecord:
    """The temperature T for which softmax(logits / T) has the least log loss on these rows.

    The loss is convex in 1 / T, so that there is one minimum. Order and argmax of a row's classes stay as they are.

    Args:
        logits: (rows, classes), validation split.
        y: True class of each row (rows,).

    Returns:
        The temperature, exactly representable in float32, with the loss before and after. 1 where no other is better.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        own = scaled[np.arange(len(y)), y]
        return float(np.mean(special.logsumexp(scaled, axis=1) - own))

    found = optimize.minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    temperature = float(np.float32(np.exp(found.x)))
    before, after = loss(0.0), loss(float(np.log(temperature)))
    if not after < before:
        temperature, after = 1.0, before
    return CalibrationRecord(temperature=temperature, rows=len(y), log_loss_before=before, log_loss_after=after)
