"""The gradient of one output with respect to raw inputs, for attributions. numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from evidence import records
from evidence.folder import RunFolder
from factory import checkpoints, user_module

OutputGradient = Callable[[npt.NDArray[np.float32], npt.NDArray[np.int64]], npt.NDArray[np.float32]]

ROWS = 4096
"""Rows per pass."""


def output_gradient(
    folder: RunFolder, training: records.TrainingRecord, encoded: records.EncodedData
) -> OutputGradient:
    """One output of each row, differentiated by its own raw inputs, on the CPU.

    The output is the logit of a class, or the prediction in the unit of the target.

    Args:
        folder: Run folder.
        training: The training record.
        encoded: The encoded data.

    Returns:
        A function of x float32 `(n, F)` and the output's index `(n,)` (0 for regression) to gradients float32 `(n, F)`.
        Categorical features and missing values have the gradient zero.

    Raises:
        IntegrityError: When the weights were altered.
    """
    network = checkpoints.restore(folder, training, encoded).requires_grad_(requires_grad=False)
    numeric = torch.tensor([feature.kind == "numeric" for feature in encoded.features])
    own = training.architecture.get("factory")

    def gradient(x: npt.NDArray[np.float32], index: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        if not numeric.any():
            return np.zeros_like(x)
        parts = [np.zeros_like(x[:0])]
        for first in range(0, len(x), ROWS):
            rows = torch.tensor(x[first : first + ROWS]).requires_grad_(True)  # noqa: FBT003 - torch's signature
            with user_module.guarded(own, "a network that takes a batch"):
                output = network(rows)
            asked = output.gather(1, torch.tensor(index[first : first + ROWS])[:, None]).sum()
            (found,) = torch.autograd.grad(asked, rows)
            moves = numeric & torch.isfinite(rows.detach())
            parts.append(torch.where(moves, found, torch.zeros_like(found)).numpy())
        return np.concatenate(parts)

    return gradient
