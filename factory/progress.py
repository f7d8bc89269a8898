"""What a training says of itself while it goes on, and how it is asked to end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypedDict


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
StopCallback = Callable[[], bool]
"""Asked now and then, by every rank at the same step: shall the training save and end?"""


class Calls(TypedDict):
    """Both, handed on to every training of several."""

    progress: ProgressCallback | None
    stop: StopCallback | None


class Stopped(Exception):  # noqa: N818 - no error: the training was asked to end
    """The training was asked to end; what it had reached is saved, and is taken up when it is started again."""
