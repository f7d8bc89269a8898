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
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from configs import errors
from configs.modelling import Training
from configs.plan import Plan
from evidence import canonical, records
from evidence.folder import RunFolder
from factory import (
    accounting,
    batches,
    checkpoints,
    deciding,
    hardware,
    meter,
    models,
    objective,
    opening,
    ranks,
    user_module,
)
from factory.seeds import seed_of

VALIDATION_BATCH = deciding.BATCH


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
    phase: str = "Train"
    """Which training of several it is."""


ProgressCallback = Callable[[Progress], None]


@dataclasses.dataclass(frozen=True)
class _Setting:
    """What stays the same during a training."""

    training: Training
    device: torch.device
    precision: str
    loss_of: objective.Loss
    source: batches.Source
    validation: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]
    phase: str
    folder: RunFolder | None
    """Where checkpoints go; None keeps them in memory."""
    place: str
    fingerprint: str
    factory: str | None
    """The user's own model, `package.module:function`."""
    shapes: dict[str, torch.Size]
    """Of the state before training."""
    meter: meter.Meter
    class_weights: torch.Tensor | None = None
    """Weights by which the loss of a batch is divided; None where it is divided by the number of rows."""

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
class _State:
    """What changes with every epoch, and is in the checkpoint."""

    network: nn.Module
    optimizer: torch.optim.AdamW
    parallel: nn.Module
    """The network through which training passes go: itself, or the one that averages gradients over ranks."""
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
    weigh: opening.Weigh | None = None,
    place: str = checkpoints.PLACE,
) -> records.TrainingRecord:
    """Train the plan's model, or take the training up where the checkpoint of this run folder stands.

    Args:
        folder: Run folder.
        plan: The plan. Its mitigation is not looked at; see `factory.fitting`.
        encoded: The encoded data. The test part is not opened.
        progress: Called after every epoch.
        weigh: Gives the rows of a part weights; by default all count the same.
        place: Folder in the run folder that receives the checkpoint and the final weights.

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
    given = opening.opened(folder, encoded, training, device, weigh)
    target, validation = given.target, given.validation
    architecture = models.describe(plan.model, encoded, target.mean, target.std)
    with reproducible(training.seed, device):
        network = models.build(architecture, encoded.features).to(device)
        setting = _Setting(
            training=training,
            device=device,
            precision=precision,
            loss_of=target.loss(training.class_weights, device),
            source=given.source,
            validation=given.held,
            phase="Train" if place == checkpoints.PLACE else f"Train {place.rpartition('/')[2]}",
            folder=folder,
            place=place,
            fingerprint=_fingerprint(training, architecture, encoded, given.weights),
            factory=plan.model.factory,
            shapes=user_module.shapes(network),
            meter=meter.of(device),
            class_weights=(
                target.class_weights(device) if training.class_weights == "balanced" and weigh is None else None
            ),
        )
        state = _run(network, setting, progress)
        passes = (state.epoch * given.source.rows, state.epoch * validation.rows)
        with setting.guarded():
            flops = accounting.training_flops(network, setting.loss_of, *setting.source.sample(accounting.ROWS), passes)
            decided = deciding.decide(network.cpu(), architecture, plan, encoded, validation)
    seconds = sum(point.seconds for point in state.curve)
    checkpoint = checkpoints.save_weights(folder, state.best, place)
    return records.TrainingRecord(
        checkpoint=checkpoint,
        architecture=decided.architecture,
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        seed=training.seed,
        device=device.type,
        precision=precision,
        hardware=hardware.name_of(device),
        software=hardware.software(),
        rows_per_second=state.epoch * given.source.rows / seconds,
        seconds=seconds,
        flops=flops,
        flops_otherwise=accounting.other_flops(network, passes, seconds, device, precision),
        energy=meter.quantity(tuple(state.curve), setting.meter),
        curve=tuple(state.curve),
        threshold=decided.threshold,
        uses=(given.use("fit"), validation.use("early stopping"), *decided.uses),
        resumed=state.resumed,
        calibration=decided.calibration,
        variants=decided.variants(checkpoint),
    )


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A network that was trained in memory."""

    weights: checkpoints.Tensors
    """Of the best epoch."""
    curve: tuple[records.EpochPoint, ...]
    best_epoch: int


def fit_in_memory(
    plan: Plan,
    architecture: dict[str, Any],
    features: Sequence[records.FeatureSpec],
    rows: tuple[opening.Rows, opening.Rows],
    *,
    phase: str,
    progress: ProgressCallback | None = None,
) -> Fitted:
    """Train a classifier with the plan's settings on other rows, labels or weights; writes nothing.

    The same rows and plan give the same weights, and the first weights are those of `train`.

    Args:
        plan: The plan.
        architecture: Of the network.
        features: Its inputs in order.
        rows: To fit, and to stop early; with weights.
        phase: What to call this training while it goes on.
        progress: Called after every epoch.

    Raises:
        PlanError: The loss is no finite number, or the user's own model cannot be used.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    with reproducible(training.seed, device):
        network = models.build(architecture, features).to(device)
        setting = _Setting(
            training=training,
            device=device,
            precision=hardware.precision_of(training.precision, device),
            loss_of=nn.functional.cross_entropy,
            source=batches.InMemory(rows[0].on(device), training),
            validation=rows[1].on(device),
            phase=phase,
            folder=None,
            place="",
            fingerprint="",
            factory=plan.model.factory,
            shapes=user_module.shapes(network),
            meter=meter.Meter((), "not asked", ""),
        )
        state = _run(network, setting, progress)
    return Fitted(state.best, tuple(state.curve), state.best_epoch)


def _run(network: nn.Module, setting: _Setting, progress: ProgressCallback | None) -> _State:
    """Train to the end; the network then has the weights of the best epoch."""
    state = _start(network, setting)
    while not _finished(state, setting.training):
        _run_epoch(state, setting)
        if progress:
            progress(_progress(state, setting))
    network.load_state_dict(state.best)
    return state


def _start(network: nn.Module, setting: _Setting) -> _State:
    """Epoch zero, or the state of the checkpoint."""
    training = setting.training
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    state = _State(network, optimizer, ranks.parallel(network, unused=setting.factory is not None))
    found = checkpoints.load_state(setting.folder, checkpoints.state_path(setting.place)) if setting.folder else None
    if found:
        _resume(state, setting, *found)
    return state


def _resume(state: _State, setting: _Setting, tensors: checkpoints.Tensors, saved: dict[str, Any]) -> None:
    if saved.get("fingerprint") != setting.fingerprint:
        raise errors.IntegrityError(
            f"checkpoint {checkpoints.state_path(setting.place)}: expected one of this plan and these data, got one of "
            "others. Start a new run, or delete it to train from the start."
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
    setting.source.restore(saved.get("source"))


def _save(state: _State, setting: _Setting) -> None:
    """Write the checkpoint."""
    if setting.folder is None or not ranks.first():
        return
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
        "source": setting.source.state(),
    }
    checkpoints.save_state(setting.folder, tensors, saved, checkpoints.state_path(setting.place))


def _run_epoch(state: _State, setting: _Setting) -> None:
    """One epoch: fit, validate, keep the best, write the checkpoint."""
    began = time.perf_counter()
    counted = setting.meter.start()
    epoch = state.epoch + 1
    rate = learning_rate(setting.training, state.epoch)
    with setting.guarded(), ranks.reachable():
        train_loss = _fit(state, setting, epoch, rate)
        validation_loss = ranks.agreed(_validate(state.network, setting), setting.device)
    user_module.require_state(setting.factory, setting.shapes, state.network)
    check_finite(epoch, train_loss, validation_loss)
    state.curve.append(
        records.EpochPoint(
            epoch=epoch,
            train_loss=train_loss,
            validation_loss=validation_loss,
            learning_rate=rate,
            seconds=time.perf_counter() - began,
            joules=_joules(setting, counted),
        )
    )
    if validation_loss < state.best_loss:
        state.best_loss, state.best_epoch = validation_loss, epoch
        state.best = checkpoints.snapshot(state.network.state_dict())
    _save(state, setting)


def _joules(setting: _Setting, counted: tuple[float, ...]) -> float | None:
    """Energy of an epoch over all nodes; None where a node could not measure it."""
    used = setting.meter.since(counted)
    silent = ranks.first_of_node() and used is None
    nowhere_silent = ranks.total(float(silent), setting.device) == 0
    return ranks.total(used or 0.0, setting.device) if nowhere_silent else None


def _fit(state: _State, setting: _Setting, epoch: int, rate: float) -> float:
    """Pass over all training rows once, shuffled, in batches; the mean loss over the rows."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    reseed(seed_of(setting.training.seed, epoch, "network"), setting.device)
    losses, sizes = [], []
    state.network.train()
    for batch in setting.source.epoch(epoch):
        state.optimizer.zero_grad(set_to_none=True)
        losses.append(_backward(state, setting, batch))
        sizes.append(batch.whole)
        state.optimizer.step()
    mean = float(np.average(torch.stack(losses).cpu().numpy(), weights=sizes))
    return ranks.total(mean, setting.device)


def _backward(state: _State, setting: _Setting, batch: batches.Batch) -> torch.Tensor:
    """Gradients of one batch, or of this rank's share of it in micro-batches; this rank's part of its loss."""
    x, y, weights = batch.x, batch.y, batch.weights
    if batch.undivided:
        with setting.autocast():
            loss = setting.loss(state.parallel(x), y, weights)
        loss.backward()
        return loss.detach()
    found, whole = [], setting.weight(batch)
    for number, piece in enumerate(batch.pieces):
        share = setting.share(y[piece], whole)
        taken = piece if share else slice(0, 1)
        last = number == len(batch.pieces) - 1
        with setting.autocast(), contextlib.nullcontext() if last else ranks.unsynchronised(state.parallel):
            loss = setting.loss(state.parallel(x[taken]), y[taken], None if weights is None else weights[taken]) * share
            # Ranks are averaged, and the shares already add up to one.
            (loss * ranks.count()).backward()
        found.append(loss.detach())
    return torch.stack(found).sum()


def _validate(network: nn.Module, setting: _Setting) -> float:
    x, y, weights = setting.validation
    network.eval()
    with torch.inference_mode(), setting.autocast():
        output = torch.cat([network(part.to(setting.device)) for part in x.split(VALIDATION_BATCH)])
        return float(setting.loss(output, y, weights))


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


def _progress(state: _State, setting: _Setting) -> Progress:
    point, planned = state.curve[-1], setting.training.epochs
    seconds = sum(p.seconds for p in state.curve)
    return Progress(
        epoch=state.epoch,
        epochs=planned,
        rows_per_second=setting.source.rows / point.seconds,
        seconds=seconds,
        train_loss=point.train_loss,
        validation_loss=point.validation_loss,
        best_epoch=state.best_epoch,
        eta_seconds=0.0 if _finished(state, setting.training) else seconds / state.epoch * (planned - state.epoch),
        phase=setting.phase,
    )


def _fingerprint(
    training: Training,
    architecture: dict[str, Any],
    encoded: records.EncodedData,
    weights: Sequence[npt.NDArray[np.float32] | None],
) -> str:
    """What a checkpoint must share with the training that takes it up."""
    parts = [encoded.parts[role] for role in ("train", "validation")]
    return canonical.sha256(
        {
            "training": training.model_dump(mode="json"),
            "architecture": architecture,
            "features": [feature.model_dump(mode="json") for feature in encoded.features],
            "arrays": [[part.x.sha256, part.y.sha256] for part in parts],
            "weights": [None if w is None else canonical.sha256_bytes(w.tobytes()) for w in weights],
        }
    )


def reseed(seed: int, device: torch.device) -> None:
    """As `torch.manual_seed`, for this device only; that one walks the stack for every other kind of device."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


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
