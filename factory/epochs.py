"""Epoch after epoch: fit, validate, keep the best; saved when it is time, also within an epoch, and taken up there."""

from __future__ import annotations

import contextlib
import math
import time

import numpy as np
import torch

from configs import errors
from configs.modelling import Training
from evidence import records
from factory import batches, deciding, parallel, ranks, snapshots, training_state, user_module
from factory.determinism import reseed
from factory.progress import Progress, ProgressCallback, Stopped
from factory.seeds import seed_of
from factory.training_state import Begun, Setting, State

VALIDATION_BATCH = deciding.BATCH
STRIDE = 16
"""Several ranks agree once in so many batches whether to save or to end; one rank looks after each."""
GLANCE = 1.0
"""Seconds between two looks of one rank at the clock and whether it shall end: that may ask a file system far away."""


class Loop:
    """One process's way through the epochs of a training."""

    def __init__(self, state: State, setting: Setting, told: ProgressCallback | None) -> None:
        """Nothing runs yet.

        Args:
            state: Of epoch zero, or of a snapshot.
            setting: Of the training.
            told: Called after every epoch.
        """
        self._state, self._setting, self._told = state, setting, told
        self._shapes = user_module.shapes(state.network)
        self._schedule = snapshots.Schedule(seconds=setting.training.checkpoint_seconds)
        self._pause = min(GLANCE, setting.training.checkpoint_seconds)
        self._looked = time.monotonic()
        self._mark, self._counted = 0.0, setting.meter.start()

    def run(self) -> None:
        """Train to the end.

        Raises:
            PlanError: The loss is no finite number, or the user's own model failed.
            MissingError: Another rank was lost, or the network cannot be compiled.
            StorageError: A snapshot could not be written.
            Stopped: The training was asked to end, and is saved.
        """
        state, setting = self._state, self._setting
        while not state.finished(setting.training):
            self._epoch()
            try:
                if self._told:
                    self._told(_progress(state, setting))
            except BaseException:
                # Whatever ends it here, this epoch is not lost.
                training_state.save(state, setting)
                raise
            self._after_epoch()

    def _epoch(self) -> None:
        """One epoch, or what is left of it."""
        state, setting = self._state, self._setting
        self._mark, self._counted = time.perf_counter(), setting.meter.start()
        epoch = state.epoch + 1
        rate = learning_rate(setting.training, state.epoch)
        with setting.guarded(), ranks.reachable(), state.spread.guarded():
            train_loss = self._fit(epoch, rate)
            validation_loss = ranks.agreed(self._validate(), setting.device)
        if setting.factory is not None:
            user_module.require_state(setting.factory, self._shapes, state.network)
        check_finite(epoch, train_loss, validation_loss)
        self._gather()
        state.curve.append(
            records.EpochPoint(
                epoch=epoch,
                train_loss=train_loss,
                validation_loss=validation_loss,
                learning_rate=rate,
                seconds=state.begun.seconds,
                joules=state.begun.joules,
            )
        )
        state.seconds += state.begun.seconds
        state.begun = Begun()
        state.passed += 1
        if validation_loss < state.best_loss:
            state.best_loss, state.best_epoch = validation_loss, epoch
            state.best = parallel.gathered(state.network.state_dict(), into=state.best)

    def _fit(self, epoch: int, rate: float) -> float:
        """Pass over the training rows that are left of the epoch, in batches; the mean loss over all its rows."""
        state, setting, begun = self._state, self._setting, self._state.begun
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        # Each batch has seeds of its own, so that a snapshot needs no generator state.
        seed = seed_of(setting.training.seed, epoch, "network" if ranks.first() else f"network {ranks.index()}")
        keeps, alone = setting.kept is not None, ranks.count() == 1
        state.network.train()
        for number, batch in enumerate(setting.source.epoch(epoch), start=len(begun.sizes)):
            reseed(seed + number, setting.device)
            state.optimizer.zero_grad(set_to_none=True)
            begun.losses.append(self._backward(batch))
            begun.sizes.append(batch.whole)
            state.optimizer.step()
            state.passed += 1
            if keeps and (self._pauses() if alone else (number + 1) % STRIDE == 0):
                self._look()
        losses, sizes = torch.stack(begun.losses).cpu().numpy().astype(np.float64), np.asarray(begun.sizes)
        mean = float((losses * sizes).sum() / sizes.sum())
        return ranks.total(mean, setting.device)

    def _backward(self, batch: batches.Batch) -> torch.Tensor:
        """Gradients of one batch, or of this rank's share of it in micro-batches; this rank's part of its loss."""
        setting, spread = self._setting, self._state.spread
        x, y, weights = batch.x, batch.y, batch.weights
        if batch.undivided:
            with setting.autocast():
                loss = setting.loss(spread.passes(x), y, weights)
            loss.backward()
            return loss.detach()
        found, whole = [], setting.weight(batch)
        pieces = batch.pieces
        if spread.kind == "fsdp":
            # Every rank makes as many passes, with or without rows.
            pieces = pieces + [slice(0, 0)] * (setting.training.micro_batches - len(pieces))
        for number, piece in enumerate(pieces):
            share = setting.share(y[piece], whole)
            taken = piece if share else slice(0, 1)
            last = number == len(pieces) - 1
            with setting.autocast(), contextlib.nullcontext() if last else spread.unsynchronised():
                weighed = None if weights is None else weights[taken]
                loss = setting.loss(spread.passes(x[taken]), y[taken], weighed) * share
                # Ranks are averaged, and the shares already add up to one.
                (loss * ranks.count()).backward()
            found.append(loss.detach())
        return torch.stack(found).sum()

    def _validate(self) -> float:
        setting, network = self._setting, self._state.network
        x, y, weights = setting.validation
        network.eval()
        with self._state.spread.evaluating(), setting.autocast():
            output = torch.cat([network(part.to(setting.device)) for part in x.split(VALIDATION_BATCH)])
            return float(setting.loss(output, y, weights))

    def _after_epoch(self) -> None:
        """Save where it is time; the end of a training always."""
        state, training = self._state, self._setting.training
        ends = state.finished(training)
        every = training.checkpoint_every
        with ranks.reachable():
            self._look(due=ends or bool(every and state.epoch % every == 0), ends=ends)

    def _look(self, *, due: bool = False, ends: bool = False) -> None:
        """Save where it is time, or where the training shall end. The same answer on every rank."""
        state, setting = self._state, self._setting
        stopped = not ends and self._asked_to_end()
        if not (due or stopped or self._schedule.due(state.passed)):
            return
        if state.begun.sizes:
            self._gather()
        training_state.save(state, setting)
        self._schedule.taken(state.passed)
        if stopped:
            if setting.kept is not None:
                setting.kept.wait()
            raise Stopped

    def _pauses(self) -> bool:
        """Is it time for this process to look?"""
        now = time.monotonic()
        if now - self._looked < self._pause:
            return False
        self._looked = now
        return True

    def _asked_to_end(self) -> bool:
        stop = self._setting.stop
        return stop is not None and ranks.agreed_that(ranks.first() and stop())

    def _gather(self) -> None:
        """Move what clock and counters say into the epoch that has begun."""
        begun, setting = self._state.begun, self._setting
        now = time.perf_counter()
        begun.seconds += now - self._mark
        self._mark = now
        used = setting.meter.everywhere(self._counted, setting.device)
        begun.joules = None if used is None or begun.joules is None else begun.joules + used
        self._counted = setting.meter.start()


def learning_rate(training: Training, epochs_run: int) -> float:
    """Half a cosine from the plan's rate towards zero over the planned epochs."""
    return training.learning_rate * 0.5 * (1.0 + math.cos(math.pi * epochs_run / training.epochs))


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


def _progress(state: State, setting: Setting) -> Progress:
    point, planned = state.curve[-1], setting.training.epochs
    left = 0.0 if state.finished(setting.training) else state.seconds / state.epoch * (planned - state.epoch)
    return Progress(
        epoch=state.epoch,
        epochs=planned,
        rows_per_second=setting.source.rows / point.seconds,
        seconds=state.seconds,
        train_loss=point.train_loss,
        validation_loss=point.validation_loss,
        best_epoch=state.best_epoch,
        eta_seconds=left,
        phase=setting.phase,
    )
