"""Which sequences each step sees: all in a seeded order, epoch after epoch. The number of the step is all its state."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from configs.language.modelling import LanguageTraining
from factory import seeds

Ids = npt.NDArray[np.int32]


class Batches:
    """The batches of a training."""

    def __init__(self, rows: Ids, batch: int, seed: int) -> None:
        """Nothing is copied.

        Args:
            rows: Packed sequences, int32 (rows, context + 1).
            batch: Sequences of a step.
            seed: Of the order.
        """
        self._rows, self._batch, self._seed = rows, batch, seed
        self._orders: dict[int, npt.NDArray[np.int64]] = {}

    def of_step(self, step: int, piece: slice) -> torch.Tensor:
        """Some sequences of a step's batch, int64 (sequences, context + 1).

        Args:
            step: From 1.
            piece: Which of its `batch` sequences.
        """
        places = np.arange(self._batch)[piece] + (step - 1) * self._batch
        epochs, inside = np.divmod(places, len(self._rows))
        chosen = [self._order(int(epoch))[place] for epoch, place in zip(epochs, inside, strict=True)]
        return torch.from_numpy(self._rows[chosen].astype(np.int64))

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        if epoch not in self._orders:
            self._orders = {e: order for e, order in self._orders.items() if e >= epoch - 1}
            generator = torch.Generator().manual_seed(seeds.seed_of(self._seed, epoch, "order"))
            self._orders[epoch] = torch.randperm(len(self._rows), generator=generator).numpy()
        return self._orders[epoch]


def steps(training: LanguageTraining, rows: int) -> int:
    """Steps of a training: those of the plan, or as many as its epochs take."""
    if training.steps is not None:
        return training.steps
    if training.epochs is None:
        raise TypeError("a training has steps or epochs")
    return max(1, math.ceil(training.epochs * rows / training.batch_sequences))


def learning_rate(training: LanguageTraining, step: int, planned: int) -> float:
    """The rate of a step: a straight line up to the plan's rate, then half a cosine down to the least.

    Args:
        training: The plan's section.
        step: From 1.
        planned: Steps in all.
    """
    warm = round(training.warmup * planned)
    if step <= warm:
        return training.learning_rate * step / warm
    done = (step - warm) / max(1, planned - warm)
    low = training.minimum_learning_rate
    return low + (training.learning_rate - low) * 0.5 * (1.0 + math.cos(math.pi * done))
