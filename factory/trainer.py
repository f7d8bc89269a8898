"""The trainer: from encoded arrays to the weights of the best epoch, deterministic for a seed, resumable after a kill.

AdamW, a learning rate that falls by half a cosine over the planned epochs, early stopping on the validation loss.
Checkpoints follow the clock, also within an epoch (see `factory.snapshots`). Every batch starts from seeds made of the
plan's seed and the numbers of epoch and batch, so a checkpoint needs no generator state, and a training that was killed
and resumed gives, on a CPU with the same number of threads, the same weights bit by bit as one that was not. Reads the
training and validation parts only. Knows nothing of where it runs (see `factory.launchers`), and spreads over the ranks
that were started together (see `factory.parallel`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from torch import nn

from configs.modelling import Training
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder
from factory import (
    accounting,
    batches,
    checkpoints,
    deciding,
    epochs,
    hardware,
    meter,
    models,
    opening,
    ranks,
    snapshots,
    training_state,
)
from factory.determinism import reproducible
from factory.progress import ProgressCallback, StopCallback


def train(
    folder: RunFolder,
    plan: Plan,
    encoded: records.EncodedData,
    *,
    progress: ProgressCallback | None = None,
    weigh: opening.Weigh | None = None,
    place: str = checkpoints.PLACE,
    stop: StopCallback | None = None,
) -> records.TrainingRecord:
    """Train the plan's model, or take the training up where the checkpoint of this run folder stands.

    Args:
        folder: Run folder.
        plan: The plan. Its mitigation is not looked at; see `factory.fitting`.
        encoded: The encoded data. The test part is not opened.
        progress: Called after every epoch.
        weigh: Gives the rows of a part weights; by default all count the same.
        place: Folder in the run folder that receives the checkpoints and the final weights.
        stop: Asked now and then, within epochs too: shall the training save and end?

    Raises:
        DataError: One class only, or a target that is no finite number.
        PlanError: The loss is no finite number, or the user's own model cannot be used.
        MissingError: The plan asks for a device, a precision or a compiler that is not here, or a rank was lost.
        IntegrityError: All checkpoints are damaged, or belong to another training.
        StorageError: A checkpoint cannot be written.
        Stopped: It was asked to end, and is saved.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    precision = hardware.precision_of(training.precision, device)
    given = opening.opened(folder, encoded, training, device, weigh)
    target, validation = given.target, given.validation
    architecture = models.describe(plan.model, encoded, target.mean, target.std)
    kept = snapshots.Snapshots(
        folder,
        f"{place}/checkpoints",
        fingerprint=training_state.fingerprint(training, architecture, encoded, given.weights),
        keep=training.checkpoints,
    )
    with reproducible(training.seed, device):
        setting = training_state.Setting(
            training=training,
            device=device,
            precision=precision,
            loss_of=target.loss(training.class_weights, device),
            source=given.source,
            validation=given.held,
            phase="Train" if place == checkpoints.PLACE else f"Train {place.rpartition('/')[2]}",
            factory=plan.model.factory,
            meter=meter.of(device),
            kept=kept,
            class_weights=(
                target.class_weights(device) if training.class_weights == "balanced" and weigh is None else None
            ),
            stop=stop,
        )
        with kept:
            state = training_state.start(models.build(architecture, encoded.features).to(device), setting)
            epochs.Loop(state, setting, progress).run()
        network = models.build(architecture, encoded.features)
        network.load_state_dict(state.best)
        passes = (state.epoch * given.source.rows, state.epoch * validation.rows)
        with setting.guarded():
            sample = setting.source.sample(accounting.ROWS)
            flops = accounting.training_flops(network.to(device), setting.loss_of, *sample, passes)
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
        execution=_execution(state, training),
        calibration=decided.calibration,
        variants=decided.variants(checkpoint),
    )


def _execution(state: training_state.State, training: Training) -> records.Execution:
    compiler = state.spread.compiler
    return records.Execution(
        ranks=ranks.count(),
        parallel=state.spread.kind,
        why=state.spread.why,
        micro_batches=training.micro_batches,
        compiled_graphs=compiler.graphs if compiler else None,
        graph_breaks=compiler.breaks if compiler else None,
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
    stop: StopCallback | None = None,
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
        stop: Asked after every epoch: shall it end? What this training has reached is lost then.

    Raises:
        PlanError: The loss is no finite number, or the user's own model cannot be used.
        Stopped: It was asked to end.
    """
    training = plan.training
    device = hardware.device_of(training.device)
    with reproducible(training.seed, device):
        setting = training_state.Setting(
            training=training,
            device=device,
            precision=hardware.precision_of(training.precision, device),
            loss_of=nn.functional.cross_entropy,
            source=batches.InMemory(rows[0].on(device), training),
            validation=rows[1].on(device),
            phase=phase,
            factory=plan.model.factory,
            meter=meter.Meter((), "not asked", ""),
            stop=stop,
        )
        state = training_state.start(models.build(architecture, features).to(device), setting)
        epochs.Loop(state, setting, progress).run()
    return Fitted(state.best, tuple(state.curve), state.best_epoch)
