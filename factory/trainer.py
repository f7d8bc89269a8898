"""The trainer: from encoded arrays to the weights of the best epoch, deterministic for a seed, resumable after a kill.

AdamW, a learning rate that falls by half a cosine over the planned epochs, early stopping on the validation loss.
A checkpoint follows every epoch. Every epoch starts from seeds made of the plan's seed and the epoch's number, so a
checkpoint needs no generator state, and a training that was killed and resumed gives, on a CPU with the same number of
threads, the same weights bit by bit as one that was not. Reads the training and validation parts only. Knows nothing
of where it runs (see `factory.launchers`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from configs import errors
from configs.modelling import Training
from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder
from factory import accounting, checkpoints, hardware, models, objective, threshold, user_module

VALIDATION_BATCH = 8192
"""Rows per forward pass where no gradient is needed."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a training stands after an epoch."""

    epoch: int
    """Epochs run, resumed ones included."""
    epochs: int
    """Epochs planned; early stopping may end sooner."""
    rows_per_second: float
    """Training rows per second in this epoch, validation included."""
    seconds: float
    """Seconds of all epochs so far."""
    train_loss: float
    validation_loss: float
    best_epoch: int
    eta_seconds: float
    """Seconds left if every planned epoch runs."""


ProgressCallback = Callable[[Progress], None]


@dataclasses.dataclass(frozen=True)
class _Setting:
    """What stays the same during a training."""

    folder: RunFolder
    training: Training
    device: torch.device
    precision: str
    loss_of: objective.Loss
    train: tuple[torch.Tensor, torch.Tensor]
    validation: tuple[torch.Tensor, torch.Tensor]
    fingerprint: str
    factory: str | None
    """The user's own model, `package.module:function`."""
    shapes: dict[str, torch.Size]
    """Of the state before training."""

    def guarded(self) -> contextlib.AbstractContextManager[None]:
        """Around calls of the network: what the user's own code raises is the plan's fault, in one sentence."""
        return user_module.guarded(self.factory, "a module that can be trained on batches of any size")

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision where it is on."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()


@dataclasses.dataclass
class _State:
    """What changes with every epoch, and is in the checkpoint."""

    network: nn.Module
    optimizer: torch.optim.AdamW
    curve: list[records.EpochPoint] = dataclasses.field(default_factory=list)
    best: checkpoints.Tensors = dataclasses.field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = math.inf
    resumed: int = 0

    @property
    def epoch(self) -> int:
        """Epochs run."""
        return len(self.curve)


def train(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    *,
    progress: ProgressCallback | None = None,
) -> records.TrainingRecord:
    """Train the plan's model, or take the training up where the checkpoint of this run folder stands.

    Args:
        folder: Run folder; `training/` in it receives the checkpoint and the final weights.
        plan: The plan.
        encoded: The encoded data. The test part is not opened.
        progress: Called after every epoch.

    Raises:
        DataError: One class only, or a target that is no finite number.
        PlanError: The loss is no finite number, or the user's own model cannot be used.
        MissingError: The plan asks for a device or a precision that is not here.
        IntegrityError: The checkpoint is damaged or belongs to another training.
        StorageError: A checkpoint cannot be written.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    precision = hardware.precision_of(training.precision, device)
    fit, validation = (arrays.load(folder, encoded, role) for role in ("train", "validation"))
    target = objective.Target.of(encoded, fit.y, validation.y)
    architecture = models.describe(plan.model, encoded, target.mean, target.std)
    with reproducible(training.seed, device):
        network = models.build(architecture, encoded.features).to(device)
        setting = _Setting(
            folder=folder,
            training=training,
            device=device,
            precision=precision,
            loss_of=target.loss(training.class_weights, device),
            train=_tensors(fit, device),
            validation=_tensors(validation, device),
            fingerprint=_fingerprint(training, architecture, encoded),
            factory=plan.model.factory,
            shapes=user_module.shapes(network),
        )
        state = _start(network, setting)
        while not _finished(state, training):
            _run_epoch(state, setting)
            if progress:
                progress(_progress(state, setting))
        network.load_state_dict(state.best)
        passes = (state.epoch * fit.rows, state.epoch * validation.rows)
        with setting.guarded():
            flops = accounting.training_flops(network, setting.loss_of, *setting.train, passes)
            decision = _threshold(network.cpu(), plan, encoded, validation)
    seconds = sum(point.seconds for point in state.curve)
    uses = [fit.use("fit"), validation.use("early stopping")]
    if decision and decision.chosen_on:
        uses.append(validation.use("threshold"))
    return records.TrainingRecord(
        checkpoint=checkpoints.save_weights(folder, state.best),
        architecture=architecture,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        seed=training.seed,
        device=device.type,
        precision=precision,
        hardware=hardware.name_of(device),
        software=hardware.software(),
        rows_per_second=state.epoch * fit.rows / seconds,
        seconds=seconds,
        flops=flops,
        energy=accounting.energy(device),
        curve=tuple(state.curve),
        threshold=decision,
        uses=tuple(uses),
        resumed=state.resumed,
    )


def _start(network: nn.Module, setting: _Setting) -> _State:
    """Epoch zero, or the state of the checkpoint."""
    training = setting.training
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    state = _State(network, optimizer)
    found = checkpoints.load_state(setting.folder)
    if found:
        _resume(state, setting, *found)
    return state


def _resume(state: _State, setting: _Setting, tensors: checkpoints.Tensors, saved: dict[str, Any]) -> None:
    if saved.get("fingerprint") != setting.fingerprint:
        raise errors.IntegrityError(
            f"checkpoint {checkpoints.STATE}: expected one of this plan and these data, got one of others. "
            "Start a new run, or delete it to train from the start."
        )
    parts: dict[str, checkpoints.Tensors] = {"weights": {}, "best": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        parts[part][rest] = tensor
    state.network.load_state_dict(parts["weights"])
    moments: dict[int, checkpoints.Tensors] = {}
    for name, tensor in parts["optimizer"].items():
        index, _, key = name.partition("/")
        moments.setdefault(int(index), {})[key] = tensor
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": moments, "param_groups": groups})
    state.best = parts["best"]
    state.curve = [records.EpochPoint.model_validate(point) for point in saved["curve"]]
    state.best_epoch, state.best_loss = saved["best_epoch"], saved["best_loss"]
    state.resumed = saved["resumed"] + 1


def _save(state: _State, setting: _Setting) -> None:
    """Write the checkpoint."""
    tensors = {f"weights/{n}": t for n, t in checkpoints.snapshot(state.network.state_dict()).items()}
    tensors |= {f"best/{n}": t for n, t in state.best.items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{n}": t for n, t in checkpoints.snapshot(moments).items()}
    saved = {
        "fingerprint": setting.fingerprint,
        "curve": [point.model_dump() for point in state.curve],
        "best_epoch": state.best_epoch,
        "best_loss": state.best_loss,
        "resumed": state.resumed,
    }
    checkpoints.save_state(setting.folder, tensors, saved)


def _run_epoch(state: _State, setting: _Setting) -> None:
    """One epoch: fit, validate, keep the best, write the checkpoint."""
    began = time.perf_counter()
    epoch = state.epoch + 1
    rate = learning_rate(setting.training, state.epoch)
    with setting.guarded():
        train_loss = _fit(state, setting, epoch, rate)
        validation_loss = _validate(state.network, setting)
    user_module.require_state(setting.factory, setting.shapes, state.network)
    check_finite(epoch, train_loss, validation_loss)
    state.curve.append(
        records.EpochPoint(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=validation_loss,
            learning_rate=rate,
            seconds=time.perf_counter() - began,
        )
    )
    if validation_loss < state.best_loss:
        state.best_loss, state.best_epoch = validation_loss, epoch
        state.best = checkpoints.snapshot(state.network.state_dict())
    _save(state, setting)


def _fit(state: _State, setting: _Setting, epoch: int, rate: float) -> float:
    """Pass over all training rows once, shuffled, in batches; the mean loss over the rows."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    x, y = setting.train
    reseed(seed_of(setting.training.seed, epoch, "network"), setting.device)
    generator = torch.Generator().manual_seed(seed_of(setting.training.seed, epoch, "order"))
    order = torch.randperm(len(x), generator=generator).to(setting.device)
    sizes = batch_sizes(len(x), setting.training.batch_size)
    losses = []
    state.network.train()
    # One gather for the epoch; the batches are views.
    for xb, yb in zip(x[order].split(sizes), y[order].split(sizes), strict=True):
        with setting.autocast():
            loss = setting.loss_of(state.network(xb), yb)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        losses.append(loss.detach())
    return float(np.average(torch.stack(losses).cpu().numpy(), weights=sizes))


def batch_sizes(rows: int, batch: int) -> list[int]:
    """Whole batches and a last smaller one; a single row joins the batch before it (batch normalisation needs two)."""
    sizes = [batch] * (rows // batch)
    rest = rows % batch
    if rest == 1 and sizes:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes


def _validate(network: nn.Module, setting: _Setting) -> float:
    x, y = setting.validation
    network.eval()
    with torch.inference_mode(), setting.autocast():
        output = torch.cat([network(part) for part in x.split(VALIDATION_BATCH)])
        return float(setting.loss_of(output, y))


def learning_rate(training: Training, epochs_run: int) -> float:
    """Half a cosine from the plan's rate towards zero over the planned epochs."""
    return training.learning_rate * 0.5 * (1.0 + math.cos(math.pi * epochs_run / training.epochs))


def _finished(state: _State, training: Training) -> bool:
    stalled = state.epoch - state.best_epoch >= training.patience
    return state.epoch >= training.epochs or (state.epoch > 0 and stalled)


def check_finite(epoch: int, train_loss: float, validation_loss: float) -> None:
    """Stop a training whose loss is no finite number.

    Raises:
        PlanError: It is not.
    """
    for name, loss in (("training", train_loss), ("validation", validation_loss)):
        if not math.isfinite(loss):
            raise errors.PlanError(
                f"{name} loss in epoch {epoch}: expected a finite number, got {loss}. Lower "
                "training.learning_rate, or look for extreme values in the numeric columns and the target."
            )


def _threshold(
    network: nn.Module, plan: Plan, encoded: records.EncodedData, validation: arrays.Part
) -> records.DecisionThreshold | None:
    if encoded.task != "binary":
        return None
    model = models.ShippedModel(network, encoded.task).eval()
    with torch.inference_mode():
        parts = torch.from_numpy(validation.x).split(VALIDATION_BATCH)
        scores = torch.cat([model(part)[1][:, 1] for part in parts]).numpy()
    return threshold.choose(plan.training.threshold, scores, validation.y)


def _progress(state: _State, setting: _Setting) -> Progress:
    point, planned = state.curve[-1], setting.training.epochs
    seconds = sum(p.seconds for p in state.curve)
    return Progress(
        epoch=state.epoch,
        epochs=planned,
        rows_per_second=len(setting.train[0]) / point.seconds,
        seconds=seconds,
        train_loss=point.train_loss,
        validation_loss=point.validation_loss,
        best_epoch=state.best_epoch,
        eta_seconds=0.0 if _finished(state, setting.training) else seconds / state.epoch * (planned - state.epoch),
    )


def _tensors(part: arrays.Part, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(part.x).to(device), torch.from_numpy(part.y).to(device)


def _fingerprint(training: Training, architecture: dict[str, Any], encoded: records.EncodedData) -> str:
    """What a checkpoint must share with the training that takes it up."""
    parts = [encoded.parts[role] for role in ("train", "validation")]
    return canonical.sha256(
        {
            "training": training.model_dump(mode="json"),
            "architecture": architecture,
            "features": [feature.model_dump(mode="json") for feature in encoded.features],
            "arrays": [[part.x.sha256, part.y.sha256] for part in parts],
        }
    )


def reseed(seed: int, device: torch.device) -> None:
    """As `torch.manual_seed`, for this device only; that one walks the stack for every other kind of device."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def seed_of(seed: int, epoch: int, purpose: str) -> int:
    """63 independent bits for each purpose of each epoch."""
    digest = hashlib.sha256(f"{seed}:{epoch}:{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextlib.contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seeded generators and deterministic operators inside; the caller's own afterwards."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    if devices:
        # cuBLAS reads this when it starts; without it its sums may differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    with torch.random.fork_rng(devices=devices):
        reseed(seed_of(seed, 0, "weights"), device)
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(mode=before[0], warn_only=before[1])
            torch.utils.deterministic.fill_uninitialized_memory = fill
