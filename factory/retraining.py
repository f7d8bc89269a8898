"""Training the plan's model anew in memory, on other rows: for checks and reductions that ask what the rows do to it.

The objective, the network, the optimiser and the schedule are those of the trainer, run for as many epochs as gave the
shipped weights; there is no validation part to stop early on. With fewer rows the batches shrink with the square root
of their share: the same batch would leave too few steps, as many steps as on all rows would overfit. On a CPU one
thread does the work: many small steps are no faster on more, and the result does not depend on how many cores there
are. On the rows and the seed of the plan itself it is the shipped model, bit by bit where that was trained on one
thread too. Nothing is written.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from configs.modelling import Training
from configs.plan import Plan
from evidence import records
from factory import batches, hardware, models, objective, seeds, user_module
from factory.determinism import reproducible, reseed
from factory.epochs import VALIDATION_BATCH, check_finite, learning_rate

SMALLEST_BATCH = 16
"""Rows; a batch is not made smaller than this unless the plan's is."""

Inputs = npt.NDArray[np.float32]
Predict = Callable[[Inputs], npt.NDArray[np.float64]]
"""Probabilities (n, classes), or predictions (n, 1) in the target's unit, of rows (n, features)."""
RowLoss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Retrain(Protocol):
    """Trains anew. See `retrainer`."""

    def __call__(
        self, x: Inputs, y: npt.NDArray[np.generic], *, seed: int, weights: npt.NDArray[np.floating] | None = None
    ) -> Predict:
        """Train on x (n, features) and y (n,), each row's loss times its weight (n,), at least 0; default 1."""


def retrainer(plan: Plan, encoded: records.EncodedData, training: records.TrainingRecord) -> Retrain:
    """How to train the plan's model on other rows of the same columns.

    Args:
        plan: The plan.
        encoded: The encoded data; only its features and sizes are used, its arrays are not opened.
        training: The training that gave the shipped weights; it says for how many epochs.

    Returns:
        A function of rows, targets and a seed to a function that predicts. It raises DataError for targets that cannot
        be learnt (one class only, a constant), PlanError where the loss is no finite number or the user's own model
        fails, and MissingError where the plan's device is not here.
    """

    def retrain(
        x: Inputs, y: npt.NDArray[np.generic], *, seed: int, weights: npt.NDArray[np.floating] | None = None
    ) -> Predict:
        device = hardware.device_of(plan.training.device)
        target = objective.Target.of(encoded, y, y)  # type: ignore[arg-type]
        batch = _batch(plan.training.batch_size, len(x), encoded.parts["train"].rows)
        setting = _Setting(
            training=plan.training.model_copy(update={"seed": seed, "batch_size": batch}),
            device=device,
            precision=hardware.precision_of(plan.training.precision, device),
            factory=plan.model.factory,
        )
        plain = target.loss(plan.training.class_weights, device)
        loss_of = (lambda output, y, _: plain(output, y)) if weights is None else _loss(target, plan.training, device)
        shares = np.ones(len(x)) if weights is None else weights
        rows = tuple(torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in (x, y, shares.astype(np.float32)))
        with _one_thread(), reproducible(seed, device):
            architecture = models.describe(plan.model, encoded, target.mean, target.std)
            network = models.build(architecture, encoded.features).to(device)
            _fit(network, setting, loss_of, rows, training.best_epoch)
        return _predictor(network, encoded.task, setting)

    return retrain


@dataclasses.dataclass(frozen=True)
class _Setting:
    training: Training
    device: torch.device
    precision: str
    factory: str | None

    def calling(self) -> contextlib.ExitStack:
        """Around calls of the network: mixed precision where it is on, and the user's own errors in one sentence."""
        stack = contextlib.ExitStack()
        stack.enter_context(user_module.guarded(self.factory, "a module that can be trained on batches of any size"))
        if self.precision == "bf16":
            stack.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16))
        return stack


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batch(planned: int, rows: int, fitted: int) -> int:
    """The plan's batch, smaller by the square root of the share of rows."""
    return min(planned, max(SMALLEST_BATCH, round(planned * math.sqrt(rows / max(fitted, 1)))))


def _loss(target: objective.Target, training: Training, device: torch.device) -> RowLoss:
    """The trainer's loss of a batch, with a weight for each row."""
    weight = (
        target.class_weights(device) if training.class_weights == "balanced" and target.task != "regression" else None
    )

    def weighted(output: torch.Tensor, y: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        if target.task == "regression":
            losses, norm = functional.mse_loss(output[:, 0].float(), y, reduction="none") / target.std**2, shares
        else:
            losses = functional.cross_entropy(output.float(), y, weight=weight, reduction="none")
            norm = shares if weight is None else shares * weight[y]
        return (shares * losses).sum() / norm.sum().clamp_min(torch.finfo(torch.float32).tiny)

    return weighted


def _fit(network: nn.Module, setting: _Setting, loss_of: RowLoss, rows: tuple[torch.Tensor, ...], epochs: int) -> None:
    """The trainer's epochs without validation and checkpoints. `rows` are inputs, targets and weights."""
    training = setting.training
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    sizes = batches.batch_sizes(len(rows[0]), training.batch_size)
    network.train()
    for epoch in range(1, epochs + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(training, epoch - 1)
        seed = seeds.seed_of(training.seed, epoch, "network")
        generator = torch.Generator().manual_seed(seeds.seed_of(training.seed, epoch, "order"))
        order = torch.randperm(len(rows[0]), generator=generator).to(setting.device)
        total = torch.zeros((), device=setting.device)
        with setting.calling():
            for number, batch in enumerate(zip(*(a[order].split(sizes) for a in rows), strict=True)):
                reseed(seed + number, setting.device)
                loss = loss_of(network(batch[0]), batch[1], batch[2])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                total += loss.detach()
        check_finite(epoch, float(total), float(total))


def _predictor(network: nn.Module, task: str, setting: _Setting) -> Predict:
    model = models.ShippedModel(network, task).eval()

    def predict(x: Inputs) -> npt.NDArray[np.float64]:
        parts = torch.from_numpy(np.ascontiguousarray(x)).to(setting.device).split(VALIDATION_BATCH)
        with torch.inference_mode(), setting.calling():
            outputs = [model(part) for part in parts]
        found = [o if task == "regression" else o[1] for o in outputs]
        return torch.cat(found).cpu().numpy().astype(np.float64)

    return predict
