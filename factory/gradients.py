"""Gradients with respect to raw inputs, for gradient attacks: of the loss, and of any function of the outputs.

numpy in, numpy out. Categorical features and missing values have the gradient zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from evidence import records
from evidence.folder import RunFolder
from factory import checkpoints, user_module

Floats = npt.NDArray[np.float32]
Gradient = Callable[[Floats, npt.NDArray[np.generic]], Floats]
Pullback = Callable[[npt.NDArray[np.floating]], Floats]
LogitsVjp = Callable[[Floats], tuple[Floats, Pullback]]

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
        A function of x float32 `(n, F)` and y `(n,)` to gradients float32 `(n, F)`.

    Raises:
        IntegrityError: When the weights were altered.
    """
    source = _Source.of(folder, training, encoded)
    variance = training.architecture.get("target_std", 1.0) ** 2

    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        output = source.outputs(x)
        if encoded.task == "regression":
            return functional.mse_loss(output[:, 0], y.float(), reduction="sum") / variance
        return functional.cross_entropy(output, y.long(), reduction="sum")

    def gradient(x: Floats, y: npt.NDArray[np.generic]) -> Floats:
        if not source.numeric.any():
            return np.zeros_like(x)
        parts = [np.zeros_like(x[:0])]
        for first in range(0, len(x), ROWS):
            rows = _leaf(x[first : first + ROWS])
            (found,) = torch.autograd.grad(loss(rows, torch.tensor(y[first : first + ROWS])), rows)
            parts.append(source.moving(rows, found))
        return np.concatenate(parts)

    return gradient


def logits_vjp(folder: RunFolder, training: records.TrainingRecord, encoded: records.EncodedData) -> LogitsVjp:
    """The outputs of each row with their vector-Jacobian product, on the CPU.

    Args:
        folder: Run folder.
        training: The training record.
        encoded: The encoded data.

    Returns:
        A function of x float32 `(n, F)` to the outputs float32 `(n, K)` (logits, or predictions `(n, 1)` in the unit of
        the target) and to a function of a cotangent `(n, K)` to gradients float32 `(n, F)`, which can be called once.

    Raises:
        IntegrityError: When the weights were altered.
    """
    source = _Source.of(folder, training, encoded)

    def vjp(x: Floats) -> tuple[Floats, Pullback]:
        leaves = [_leaf(x[first : first + ROWS]) for first in range(0, max(len(x), 1), ROWS)]
        outputs = [source.outputs(rows) for rows in leaves]

        def pullback(cotangent: npt.NDArray[np.floating]) -> Floats:
            parts, first = [], 0
            for rows, output in zip(leaves, outputs, strict=True):
                given = torch.as_tensor(cotangent[first : first + len(rows)], dtype=output.dtype)
                first += len(rows)
                if output.requires_grad:
                    (found,) = torch.autograd.grad(output, rows, given)
                else:  # no number reaches the outputs
                    found = torch.zeros_like(rows)
                parts.append(source.moving(rows, found))
            return np.concatenate(parts)

        return np.concatenate([output.detach().numpy() for output in outputs]), pullback

    return vjp


@dataclasses.dataclass(frozen=True)
class _Source:
    """The trained network on the CPU, with fixed weights."""

    network: nn.Module
    numeric: torch.Tensor
    """(F,) which inputs are numbers."""
    own: str | None
    """The user's factory, where the network is theirs."""

    @classmethod
    def of(cls, folder: RunFolder, training: records.TrainingRecord, encoded: records.EncodedData) -> _Source:
        network = checkpoints.restore(folder, training, encoded).requires_grad_(requires_grad=False)
        numeric = torch.tensor([feature.kind == "numeric" for feature in encoded.features])
        return cls(network, numeric, training.architecture.get("factory"))

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Logits or predictions (n, K)."""
        with user_module.guarded(self.own, "a network that takes a batch"):
            found: torch.Tensor = self.network(x)
        return found

    def moving(self, x: torch.Tensor, gradient: torch.Tensor) -> Floats:
        """The gradient with zeros where an input is no number."""
        moves = self.numeric & torch.isfinite(x.detach())
        if bool(moves.all()):
            return gradient.numpy()
        return torch.where(moves, gradient, torch.zeros_like(gradient)).numpy()


def _leaf(x: Floats) -> torch.Tensor:
    return torch.tensor(x).requires_grad_(True)  # noqa: FBT003 - torch's signature
