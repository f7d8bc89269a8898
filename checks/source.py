"""What only the source model can give, handed over by the flow: `checks` does not know the framework it was trained in.

Each piece may be absent (a graph without its source); a check that needs it is then `not_measured` and says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evidence import records

Inputs = npt.NDArray[np.float32]
Gradient = Callable[[Inputs, npt.NDArray[np.generic]], npt.NDArray[np.floating]]
"""Gradient of the loss with respect to the inputs: x (n, features), y (n,) → (n, features), in the features' units."""
Pullback = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.floating]]
"""Cotangent of the outputs (n, outputs) → gradient with respect to the inputs (n, features), in the features' units."""
LogitsVjp = Callable[[Inputs], tuple[npt.NDArray[np.floating], Pullback]]
"""Vector-Jacobian product: x (n, features) → the logits (n, classes) or predictions (n, 1), and their pullback.

With it any function of the logits can be differentiated: the cotangent is its derivative by the logits."""
Predict = Callable[[Inputs], npt.NDArray[np.float64]]
"""Probabilities (n, classes), or predictions (n, 1), of rows (n, features)."""


class Retrain(Protocol):
    """Trains the plan's model anew, in memory, on other rows: for checks that ask what the training data do to it."""

    def __call__(self, x: Inputs, y: npt.NDArray[np.generic], *, seed: int) -> Predict:
        """Train on x (n, features) and y (n,) with the plan's settings and this seed."""


@dataclasses.dataclass(frozen=True)
class Source:
    """The source model, as far as it can be asked."""

    gradient: Gradient | None = None
    logits_vjp: LogitsVjp | None = None
    retrain: Retrain | None = None
    base: Path | None = None
    """The folder in which files that the plan names are found."""
    training: records.TrainingRecord | None = None
    """How the weights came to be."""
