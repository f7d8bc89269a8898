"""What a training holds: what stays, what changes, and how the latter goes into a snapshot and comes out of it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from configs.modelling import Training
from evidence import canonical, records
from factory import batches, meter, objective, parallel, progress, ranks, snapshots, user_module

HOW = {"checkpoints", "checkpoint_every", "checkpoint_seconds", "parallel"}
"""Parts of the plan's section that a training may be taken up with other values of: it learns the same."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What stays the same during a training."""

    training: Training
    device: torch.device
    precision: str
    loss_of: objective.Loss
    source: batches.Source
    validation: batches.Held
    phase: str
    factory: str | None
    """The user's own model, `package.module:function`."""
    meter: meter.Meter
    kept: snapshots.Snapshots | None = None
    """Where checkpoints go; None keeps nothing but the best weights, in memory."""
    class_weights: torch.Tensor | None = None
    """Weights by which the loss of a batch is divided; None where it is divided by the number of rows."""
    stop: progress.StopCallback | None = None

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        """Around calls of the network: what the user's own code raises is the plan's fault, in one sentence."""
        return user_module.guarded(self.factory, "a module that can be trained on batches of any size")

    def loss(self, output: torch.Tensor, y: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        """The loss of a batch."""
        if weights is None:
            return self.loss_of(output, y)
        return objective.weighted_cross_entropy(output, y, weights)

    def weight(self, batch: batches.Batch) -> float:
        """What the loss of a whole batch is divided by: its rows, or their class weights, over all ranks."""
        if self.class_weights is None:
            return float(batch.whole)
        if batch.complete:
            return float(self.class_weights[batch.y].sum())
        own = sum(float(self.class_weights[batch.y[piece]].sum()) for piece in batch.pieces)
        return ranks.total(own, self.device)

    def share(self, y: torch.Tensor, weight: float) -> float:
        """How much of the loss of a batch is that of the rows with the targets `y`."""
        return (len(y) if self.class_weights is None else float(self.class_weights[y].sum())) / weight

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision where it is on."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()


@dataclasses.dataclass
class Begun:
    """An epoch that has begun and not ended."""

    losses: list[torch.Tensor] = dataclasses.field(default_factory=list)
    """Of each batch: this rank's part of its mean loss."""
    sizes: list[int] = dataclasses.field(default_factory=list)
    """Rows of each batch, over all ranks."""
    seconds: float = 0.0
    """Before this process took the epoch up."""
    joules: float | None = 0.0


@dataclasses.dataclass
class State:
    """What changes, and is in a snapshot."""

    spread: parallel.Spread
    optimizer: torch.optim.AdamW
    curve: list[records.EpochPoint] = dataclasses.field(default_factory=list)
    best: parallel.Tensors = dataclasses.field(default_factory=dict)
    """Whole, on the CPU of every rank."""
    best_epoch: int = 0
    best_loss: float = math.inf
    resumed: int = 0
    seconds: float = 0.0
    """Of all epochs in the curve."""
    passed: int = 0
    """Batches trained on and epochs validated: where the training stands."""
    begun: Begun = dataclasses.field(default_factory=Begun)
    saved: int = -1
    """Where it stood when the last snapshot was taken."""

    @property
    def epoch(self) -> int:
        """Epochs run."""
        return len(self.curve)

    @property
    def network(self) -> nn.Module:
        """Has the parameters."""
        return self.spread.network

    def finished(self, training: Training) -> bool:
        """Are all epochs run, or has the validation loss stalled?"""
        stalled = self.epoch - self.best_epoch >= training.patience
        return self.epoch >= training.epochs or (self.epoch > 0 and stalled)


def start(network: nn.Module, setting: Setting) -> State:
    """Epoch zero, or the state of the newest snapshot."""
    training = setting.training
    spread = parallel.spread(
        network,
        training.parallel,
        setting.device,
        unused=setting.factory is not None,
        compiled=training.compile,
    )
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    state = State(spread, optimizer)
    if setting.kept and (found := setting.kept.newest()):
        _resume(state, setting, found)
    return state


def save(state: State, setting: Setting) -> None:
    """Take a snapshot, unless there is one of this moment. Every rank calls this."""
    if setting.kept is None or state.saved == state.passed:
        return
    tensors = parallel.state_of(state.network, state.optimizer) | {f"best/{n}": t for n, t in state.best.items()}
    begun = state.begun
    if begun.losses:
        tensors["epoch/losses"] = _over_ranks(torch.stack(begun.losses))
        tensors["epoch/sizes"] = torch.tensor(begun.sizes)
    meta = {
        "curve": [point.model_dump() for point in state.curve],
        "best_epoch": state.best_epoch,
        "best_loss": state.best_loss if state.best else None,
        "resumed": state.resumed,
        "sampler": setting.source.state(),
        "epoch": {"seconds": begun.seconds, "joules": begun.joules},
    }
    setting.kept.save(state.passed, tensors, meta)
    state.saved = state.passed


def _over_ranks(losses: torch.Tensor) -> torch.Tensor:
    """The whole losses of batches, of which each rank has a part."""
    if ranks.count() > 1:
        torch.distributed.all_reduce(losses)
    return losses


def _resume(state: State, setting: Setting, found: snapshots.Snapshot) -> None:
    meta, tensors = found.meta, found.tensors
    parallel.take_up(state.network, state.optimizer, tensors)
    state.best = {name.removeprefix("best/"): t for name, t in tensors.items() if name.startswith("best/")}
    state.curve = [records.EpochPoint.model_validate(point) for point in meta["curve"]]
    state.seconds = sum(point.seconds for point in state.curve)
    state.best_epoch = meta["best_epoch"]
    state.best_loss = math.inf if meta["best_loss"] is None else meta["best_loss"]
    state.resumed = meta["resumed"] + 1
    state.passed = state.saved = found.step
    setting.source.restore(meta["sampler"])
    state.begun = Begun(**meta["epoch"])
    if "epoch/losses" in tensors:
        losses = tensors["epoch/losses"].to(setting.device)
        # The first rank takes the part that all had together.
        state.begun.losses = list(losses if ranks.first() else torch.zeros_like(losses))
        state.begun.sizes = tensors["epoch/sizes"].tolist()


def fingerprint(
    training: Training,
    architecture: dict[str, Any],
    encoded: records.EncodedData,
    weights: Sequence[npt.NDArray[np.float32] | None],
) -> str:
    """What a snapshot must share with the training that takes it up."""
    parts = [encoded.parts[role] for role in ("train", "validation")]
    return canonical.sha256(
        {
            "training": training.model_dump(mode="json", exclude=HOW),
            "architecture": architecture,
            "features": [feature.model_dump(mode="json") for feature in encoded.features],
            "arrays": [[part.x.sha256, part.y.sha256] for part in parts],
            "weights": [None if w is None else canonical.sha256_bytes(w.tobytes()) for w in weights],
        }
    )
