"""What a training opens of a run folder: the rows to learn from, and those to stop by."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from configs import errors
from configs.modelling import Training
from evidence import arrays, records
from evidence.folder import RunFolder
from factory import batches, hardware, objective, ranks

Weigh = Callable[[arrays.Part], npt.NDArray[np.float64]]
"""Weights (rows,) of the rows of a part."""
COPIES = 3
"""How often the inputs stand in memory while an epoch runs: as read, on the device, and in the order of the epoch."""


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows that a training reads of a part."""

    x: npt.NDArray[np.float32]
    """(rows, features)"""
    y: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    """(rows,)"""
    weights: npt.NDArray[np.float32] | None = None
    """(rows,), mean 1 over the training rows; None where all rows count the same."""

    def on(self, device: torch.device) -> batches.Held:
        """The same as tensors."""
        weights = None if self.weights is None else torch.from_numpy(self.weights).to(device)
        return torch.from_numpy(self.x).to(device), torch.from_numpy(self.y).to(device), weights


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a training reads."""

    source: batches.Source
    target: objective.Target
    validation: arrays.Part
    held: batches.Held
    """The validation rows as tensors; on the device where they are not streamed."""
    weights: tuple[npt.NDArray[np.float32] | None, ...]
    """Of the rows to learn from and of those to stop by."""
    digests_sha256: str
    """Of the rows to learn from."""

    def use(self, step: str) -> records.DataUse:
        """The entry of the leakage audit for a step that reads the rows to learn from."""
        return records.DataUse(step=step, role="train", rows=self.source.rows, digests_sha256=self.digests_sha256)


def opened(
    folder: RunFolder, encoded: records.EncodedData, training: Training, device: torch.device, weigh: Weigh | None
) -> Opened:
    """Open the training and validation parts, as the plan's loader does.

    Raises:
        DataError: One class only, or a target that is no finite number.
        IntegrityError: An array or a shard was altered.
        MissingError: The rows do not fit into memory.
    """
    if training.loader == "stream":
        return _streamed(folder, encoded, training, device)
    _require_memory(folder, encoded)
    fit, validation = (arrays.load(folder, encoded, role) for role in ("train", "validation"))
    target = objective.Target.of(encoded, fit.y, validation.y)
    rows = [_rows(part, target, training, weigh) for part in (fit, validation)]
    return Opened(
        source=batches.InMemory(rows[0].on(device), training),
        target=target,
        validation=validation,
        held=rows[1].on(device),
        weights=tuple(r.weights for r in rows),
        digests_sha256=fit.digests_sha256,
    )


def _streamed(folder: RunFolder, encoded: records.EncodedData, training: Training, device: torch.device) -> Opened:
    """The training rows out of shards; the inputs of the validation rows mapped from their file, read as they go by."""
    source = batches.streamed(folder, encoded, training, device)
    about = encoded.parts["train"].shards
    if about is None:
        raise TypeError("the training part was encoded without shards")
    validation = arrays.load(folder, encoded, "validation", mapped=True)
    target = objective.Target.known(encoded, about, validation.y)
    y = torch.from_numpy(validation.y).to(device)
    held = (torch.from_numpy(validation.x), y, None)
    return Opened(source, target, validation, held, (None, None), about.digests_sha256)


def _rows(part: arrays.Part, target: objective.Target, training: Training, weigh: Weigh | None) -> Rows:
    if weigh is None:
        return Rows(part.x, part.y)
    return Rows(part.x, part.y, target.row_weights(training.class_weights, weigh(part), part.y))


def _require_memory(folder: RunFolder, encoded: records.EncodedData) -> None:
    """Refuse before anything is read what this machine's memory cannot hold.

    Raises:
        MissingError: The training part is too large.
    """
    needed = COPIES * encoded.parts["train"].x.size * ranks.of_this_node()
    free = hardware.free_memory()
    if free is not None and needed > free:
        raise errors.MissingError(
            f"training part of run {folder.run_id}: expected about {needed / 2**30:.1f} GiB of free memory for the "
            f"ranks of this machine, got {free / 2**30:.1f} GiB. Set training.loader: stream, and start a new run."
        )
