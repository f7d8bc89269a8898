"""The gradient of the loss with respect to raw inputs, for gradient attacks. numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from evidence import records
from evidence.folder import RunFolder
from factory import checkpoints, user_module

Gradient = Callable[[npt.NDArray[np.float32], npt.NDArray[np.generic]], npt.NDArray[np.float32]]

ROWS = 4096
"""Rows per pass."""


def loss_gradient(folder: RunFolder, training: records.TrainingRecord, encoded: records.EncodedData) -> Gradient:
    """The loss of each row, differentiated by its own raw inputs, on the CPU.

    The loss is the cross entropy of the true class (without class weights), or the squared error in units of the
    training target's variance.

    Args:
        folder: Run folder.
        training: The training record.
        encoded: The encoded data.

    Returns:
        A function of x float32 `(n, F)` and y `(n,)` to gradients float32 `(n, F)`. Categorical features and missing
        values have the gradient zero.

    Raises:
        IntegrityError: When the weights were altered.
    """
    network = checkpoints.restore(folder, training, encoded).requires_grad_(requires_grad=False)
    numeric = torch.tensor([feature.kind == "numeric" for feature in encoded.features])
    variance = training.architecture.get("target_std", 1.0) ** 2

    own = training.architecture.get("factory")

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with user_module.guarded(own, "a network that takes a batch"):
            output = network(x)
        if encoded.task == "regression":
            return functional.mse_loss(output[:, 0], y.float(), reduction="sum") / variance
        return functional.cross_entropy(output, y.long(), reduction="sum")

    def gradient(x: npt.NDArray[np.float32], y: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        if not numeric.any():
            return np.zeros_like(x)
        parts = [np.zeros_like(x[:0])]
        for first in range(0, len(x), ROWS):
            rows = torch.tensor(x[first : first + ROWS]).requires_grad_(True)  # noqa: FBT003 - torch's signature
            (found,) = torch.autograd.grad(loss(rows, torch.tensor(y[first : first + ROWS])), rows)
            moves = numeric & torch.isfinite(rows.detach())
            parts.append(torch.where(moves, found, torch.zeros_like(found)).numpy())
        return np.concatenate(parts)

    return gradient
