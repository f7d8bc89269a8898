"""What the training minimises: weighted cross entropy, or the squared error in units of the target's variance."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from configs import errors
from evidence import records

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Floats = npt.NDArray[np.float64]


def weighted_cross_entropy(output: torch.Tensor, y: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean over a batch of each row's cross entropy times its weight.

    Not divided by the batch's sum of weights: where the weights have mean 1 over all rows, every batch then estimates
    the same weighted risk.
    """
    return (functional.cross_entropy(output.float(), y, reduction="none") * weight).mean()


@dataclasses.dataclass(frozen=True)
class Target:
    """What the loss needs to know of the training target."""

    task: str
    counts: tuple[int, ...] = ()
    """Training rows of each class."""
    mean: float = 0.0
    """Mean of the training target (regression)."""
    std: float = 1.0
    """Standard deviation of the training target (regression)."""

    @classmethod
    def of(
        cls,
        encoded: records.EncodedData,
        train: npt.NDArray[np.int64] | npt.NDArray[np.float32],
        validation: npt.NDArray[np.int64] | npt.NDArray[np.float32],
    ) -> Target:
        """Look at the targets of the two parts.

        Raises:
            DataError: No rows, one class only, or a target that is no finite number or does not vary.
        """
        for name, y in (("training", train), ("validation", validation)):
            _require_finite(encoded, name, y)
        if encoded.task == "regression":
            return cls._numbers(encoded, *moments(train))
        counts = np.bincount(train.astype(np.int64), minlength=len(encoded.classes))
        return cls._classes(encoded, tuple(int(c) for c in counts))

    @classmethod
    def known(
        cls,
        encoded: records.EncodedData,
        shards: records.Shards,
        validation: npt.NDArray[np.int64] | npt.NDArray[np.float32],
    ) -> Target:
        """What the record says of the training target; only the validation targets are looked at.

        Raises:
            DataError: As in `of`.
        """
        _require_finite(encoded, "validation", validation)
        if encoded.task != "regression":
            return cls._classes(encoded, shards.class_counts)
        return cls._numbers(encoded, shards.target_mean, shards.target_std)

    @classmethod
    def _classes(cls, encoded: records.EncodedData, counts: tuple[int, ...]) -> Target:
        if np.count_nonzero(counts) < 2:
            raise errors.DataError(
                f"target {encoded.target} in the training split: expected at least two classes, got one. "
                "Check the target's definition in the plan."
            )
        return cls(encoded.task, counts=counts)

    @classmethod
    def _numbers(cls, encoded: records.EncodedData, mean: float, std: float) -> Target:
        if std == 0.0:
            raise errors.DataError(
                f"target {encoded.target} in the training split: expected values that vary, got one value. "
                "Check the column."
            )
        return cls(encoded.task, mean=mean, std=std)

    def loss(self, class_weights: Literal["none", "balanced"], device: torch.device) -> Loss:
        """The mean loss of a batch, a function of outputs and targets."""
        if self.task == "regression":
            variance = self.std**2

            def squared_error(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
                return functional.mse_loss(output[:, 0].float(), y) / variance

            return squared_error
        weight = self.class_weights(device) if class_weights == "balanced" else None

        def cross_entropy(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return functional.cross_entropy(output.float(), y, weight=weight)

        return cross_entropy

    def row_weights(
        self, class_weights: Literal["none", "balanced"], weights: Floats, y: npt.NDArray[np.generic]
    ) -> npt.NDArray[np.float32]:
        """Weights of rows (rows,) together with those of their classes, with mean 1 (classification)."""
        if class_weights == "balanced":
            weights = weights * self.class_weights(torch.device("cpu")).numpy()[y.astype(np.int64)]
        return (weights / weights.mean()).astype(np.float32)

    def class_weights(self, device: torch.device) -> torch.Tensor:
        """Rows / (classes × rows of the class), and 0 for a class without training rows."""
        present = sum(count > 0 for count in self.counts)
        weights = [sum(self.counts) / (present * count) if count else 0.0 for count in self.counts]
        return torch.tensor(weights, dtype=torch.float32, device=device)


def moments(y: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Mean and standard deviation of numeric targets."""
    return float(np.mean(y, dtype=np.float64)), float(np.std(y, dtype=np.float64))


def _require_finite(encoded: records.EncodedData, name: str, y: npt.NDArray[np.generic]) -> None:
    if len(y) == 0:
        raise errors.DataError(f"{name} split: expected rows, got none. Enlarge its share in the plan.")
    if not np.isfinite(y).all():
        count = int((~np.isfinite(y)).sum())
        raise errors.DataError(
            f"target {encoded.target} in the {name} split: expected finite numbers, got {count} others. "
            "Remove or correct these rows."
        )
