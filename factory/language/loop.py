"""The training loop of a language model: by steps, resumable, the same on one rank and on several.

A step is a batch of packed sequences, cut over the ranks and into passes, their gradients summed up. At every
evaluation the loss on validation sequences is taken, the best weights are kept, and the model writes a sample. What a
snapshot holds (see `factory.snapshots`) is all that changes, so a training that was killed goes on as if it had not
been: on a CPU with the same number of threads bit by bit.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from configs import errors
from configs.language.modelling import LanguageTraining
from evidence import language_records
from factory import meter, parallel, ranks, snapshots
from factory.language import batches, tally
from factory.progress import StopCallback, Stopped

Tensors = dict[str, torch.Tensor]
SECONDS = 300.0
"""After so long without a snapshot one is taken, where the plan does not say how often: a kill loses no more."""


_NOTHING, _SAVE, _STOP = 0.0, 1.0, 2.0


class TokenLoss(nn.Module):
    """A decoder and its loss: mean cross-entropy of the next token, nats."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Of packed sequences, int64 (sequences, context + 1), one number."""
        logits = self.network(input_ids=rows[:, :-1], use_cache=False).logits
        return nn.functional.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a training stands."""

    step: int
    steps: int
    tokens_per_second: float
    """Since this process began; evaluations and checkpoints included."""
    seconds: float
    """Of all steps so far, those before an interruption included."""
    train_loss: float | None
    """Since the last evaluation; None before the first."""
    validation_loss: float | None
    eta_seconds: float


@dataclasses.dataclass(frozen=True)
class Setting:
    """What stays the same during a training."""

    training: LanguageTraining
    steps: int
    device: torch.device
    precision: str
    train: batches.Batches
    validation: torch.Tensor
    """int64 (sequences, context + 1)"""
    kept: snapshots.Snapshots
    done: tally.Tally
    meter: meter.Meter
    sample: Callable[[int], tuple[language_records.GenerationSample, ...]]
    """What the model writes after a step."""
    progress: Callable[[Progress], None] | None
    stop: StopCallback | None = None
    """Asked after every step: shall the training save and end?"""

    @property
    def evaluate_every(self) -> int:
        """Steps between two evaluations."""
        return self.training.evaluate_every or max(1, math.ceil(self.steps / 10))

    @property
    def step_tokens(self) -> int:
        """Targets of a step, over all ranks."""
        return self.training.batch_sequences * (self.validation.shape[1] - 1)

    @property
    def pass_sequences(self) -> int:
        """Sequences of a pass of one rank."""
        return max(1, self.training.batch_sequences // ranks.count() // self.training.micro_batches)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Mixed precision where it is on."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()


@dataclasses.dataclass
class Interval:
    """What has come together since the last evaluation."""

    loss: float = 0.0
    """Sum over steps."""
    steps: int = 0
    seconds: float = 0.0
    joules: float | None = 0.0


@dataclasses.dataclass
class State:
    """What changes, and is in a snapshot."""

    network: nn.Module
    """The decoder; its parameters may be in shards."""
    spread: parallel.Spread
    """Its `TokenLoss`, spread over the ranks."""
    optimizer: torch.optim.Optimizer
    step: int = 0
    interval: Interval = dataclasses.field(default_factory=Interval)
    curve: list[language_records.StepPoint] = dataclasses.field(default_factory=list)
    samples: list[language_records.GenerationSample] = dataclasses.field(default_factory=list)
    best: Tensors = dataclasses.field(default_factory=dict)
    best_step: int = 0
    best_loss: float = math.inf
    resumed: int = 0

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that change."""
        return {name: p for name, p in self.network.named_parameters() if p.requires_grad}


def run(state: State, setting: Setting) -> None:
    """Train to the end, from the newest snapshot where there is one; `state.best` then has the best weights.

    Raises:
        PlanError: The loss is no finite number.
        IntegrityError: The snapshots are damaged or belong to another training.
        StorageError: A snapshot cannot be written.
        MissingError: Another rank was lost.
        Stopped: It was asked to stop.
    """
    if found := setting.kept.newest():
        _restore(state, found)
    _Run(state, setting).all()


class _Run:
    """One process's way through the steps: its clocks and its counters."""

    def __init__(self, state: State, setting: Setting) -> None:
        self.state, self.setting = state, setting
        self.losses: list[torch.Tensor] = []
        self.began = self.mark = self.told = self.saved = time.perf_counter()
        self.first = state.step
        self.counted = setting.meter.start()

    def all(self) -> None:
        """The steps that are left."""
        state, setting = self.state, self.setting
        every = setting.training.checkpoint_every or setting.evaluate_every
        setting.done.begin(state.step)
        state.network.train()
        while state.step < setting.steps:
            with ranks.reachable():
                self.losses.append(_step(state, setting, state.step + 1))
                state.step += 1
                last = state.step == setting.steps
                if last or state.step % setting.evaluate_every == 0:
                    self.evaluate()
                wish = _NOTHING if last else ranks.agreed(self.wish(), setting.device)
                save = last or wish > _NOTHING or state.step % every == 0
                setting.done.reached(state.step, force=save)
                if save:
                    self.gather()
                    setting.kept.save(state.step, _tensors(state), _meta(state))
                    self.saved = time.perf_counter()
            self.tell()
            if wish == _STOP:
                setting.kept.wait()
                raise Stopped
        setting.kept.wait()

    def wish(self) -> float:
        """What this process would do after a step: nothing, save, or save and end. The first rank's wish counts."""
        if self.setting.stop is not None and self.setting.stop():
            return _STOP
        late = self.setting.training.checkpoint_every is None and time.perf_counter() - self.saved > SECONDS
        return _SAVE if late else _NOTHING

    def gather(self) -> None:
        """Move what the clocks and counters say into the interval."""
        interval, now = self.state.interval, time.perf_counter()
        if self.losses:
            interval.loss += ranks.total(float(torch.stack(self.losses).double().sum()), self.setting.device)
            interval.steps += len(self.losses)
            self.losses = []
        interval.seconds += now - self.mark
        self.mark = now
        used = self.setting.meter.everywhere(self.counted, self.setting.device)
        interval.joules = None if used is None or interval.joules is None else interval.joules + used
        self.counted = self.setting.meter.start()

    def evaluate(self) -> None:
        """Validation loss, best weights, sample."""
        state, setting = self.state, self.setting
        state.network.eval()
        loss = _validate(state, setting)
        state.samples += setting.sample(state.step)
        state.network.train()
        self.gather()
        train_loss = state.interval.loss / max(1, state.interval.steps)
        check_finite(state.step, train_loss, loss)
        state.curve.append(
            language_records.StepPoint(
                step=state.step,
                tokens=state.step * setting.step_tokens,
                train_loss=train_loss,
                validation_loss=loss,
                learning_rate=batches.learning_rate(setting.training, state.step, setting.steps),
                seconds=state.interval.seconds,
                joules=state.interval.joules,
            )
        )
        state.interval = Interval()
        if loss < state.best_loss:
            state.best_loss, state.best_step = loss, state.step
            state.best = parallel.gathered(state.trained)

    def tell(self) -> None:
        """Say where the training stands, at most once a second."""
        state, setting, now = self.state, self.setting, time.perf_counter()
        if setting.progress is None or (now - self.told < 1.0 and state.step < setting.steps):
            return
        self.told = now
        took, made = now - self.began, state.step - self.first
        point = state.curve[-1] if state.curve else None
        setting.progress(
            Progress(
                step=state.step,
                steps=setting.steps,
                tokens_per_second=made * setting.step_tokens / took,
                seconds=sum(p.seconds for p in state.curve) + state.interval.seconds + now - self.mark,
                train_loss=point and point.train_loss,
                validation_loss=point and point.validation_loss,
                eta_seconds=took / made * (setting.steps - state.step),
            )
        )


def _step(state: State, setting: Setting, step: int) -> torch.Tensor:
    """One optimiser step; this rank's part of the mean loss of its batch."""
    training = setting.training
    rate = batches.learning_rate(training, step, setting.steps)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.optimizer.zero_grad(set_to_none=True)
    found = []
    pieces = ranks.pieces(training.batch_sequences, training.micro_batches)
    for number, piece in enumerate(pieces):
        share = (piece.stop - piece.start) / training.batch_sequences
        rows = _moved(setting.train.of_step(step, piece if share else slice(0, 1)), setting.device)
        last = number == len(pieces) - 1
        with state.spread.guarded(), contextlib.nullcontext() if last else state.spread.unsynchronised():
            with setting.autocast():
                loss = state.spread.passes(rows) * share
            # Ranks are averaged, and the shares already add up to one.
            (loss * ranks.count()).backward()
        found.append(loss.detach())
    nn.utils.clip_grad_norm_(state.trained.values(), training.clip)
    state.optimizer.step()
    return found[0] if len(found) == 1 else torch.stack(found).sum()


def _moved(rows: torch.Tensor, device: torch.device) -> torch.Tensor:
    """On the device, without waiting for what it still computes."""
    return rows.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else rows.to(device)


def _validate(state: State, setting: Setting) -> float:
    """Mean loss of the validation sequences, nats per token; every rank takes its share, in as many passes."""
    found, size = setting.validation, setting.pass_sequences
    passes = -(-len(found) // (size * ranks.count()))
    total = 0.0
    with state.spread.guarded(), state.spread.evaluating(), setting.autocast():
        for number in range(passes):
            first = (number * ranks.count() + ranks.index()) * size
            rows = found[first : first + size].to(setting.device)
            # Where nothing is left, a pass that counts nothing: shards are collected by all ranks.
            loss = state.spread.network(rows if len(rows) else found[:1].to(setting.device))
            total += float(loss) * len(rows)
    return ranks.total(total, setting.device) / len(found)


def check_finite(step: int, train_loss: float, validation_loss: float) -> None:
    """Stop a training whose loss is no finite number.

    Raises:
        PlanError: It is not.
    """
    for name, loss in (("training", train_loss), ("validation", validation_loss)):
        if not math.isfinite(loss):
            raise errors.PlanError(
                f"{name} loss at step {step}: expected a finite number, got {loss}. Lower training.learning_rate, or "
                "raise training.warmup."
            )


def _tensors(state: State) -> Tensors:
    found: Tensors = {f"best/{name}": tensor for name, tensor in state.best.items()}
    for name, parameter in state.trained.items():
        found[f"weights/{name}"] = parameter
        found |= {f"optimizer/{name}/{key}": value for key, value in state.optimizer.state[parameter].items()}
    return found


def _meta(state: State) -> dict[str, Any]:
    return {
        "interval": dataclasses.asdict(state.interval),
        "curve": [point.model_dump() for point in state.curve],
        "samples": [sample.model_dump() for sample in state.samples],
        "best_step": state.best_step,
        "best_loss": state.best_loss if state.best else None,
        "resumed": state.resumed,
    }


def _restore(state: State, found: snapshots.Snapshot) -> None:
    tensors, meta = found.tensors, found.meta
    state.step = found.step
    with torch.no_grad():
        for name, parameter in state.trained.items():
            parameter.copy_(parallel.like(tensors[f"weights/{name}"], parameter))
            start = f"optimizer/{name}/"
            moments = {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
            state.optimizer.state[parameter] = {
                key: parallel.like(value, parameter).to(parameter.device) for key, value in moments.items()
            }
    state.best = {key.removeprefix("best/"): value for key, value in tensors.items() if key.startswith("best/")}
    state.interval = Interval(**meta["interval"])
    state.curve = [language_records.StepPoint.model_validate(point) for point in meta["curve"]]
    state.samples = [language_records.GenerationSample.model_validate(sample) for sample in meta["samples"]]
    state.best_step = meta["best_step"]
    state.best_loss = math.inf if meta["best_loss"] is None else meta["best_loss"]
    state.resumed = meta["resumed"] + 1
