"""Training anew for a check, within its limits: what stops it becomes the reason why the check was not measured."""

from __future__ import annotations

import time
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from checks._subject import Subject
from checks.source import Inputs, Predict
from configs import errors

Rows = npt.NDArray[np.intp]

LEAST_ROWS = 40
"""Fewer rows than this are not trained on: what came out would describe chance."""


class StoppedError(Exception):
    """A check cannot go on; the message is its reason."""


class Trainings:
    """Trains the plan's model anew for one check; the clock is looked at between two trainings."""

    def __init__(self, subject: Subject) -> None:
        """Begin.

        Raises:
            StoppedError: The source model cannot be trained anew.
        """
        if subject.source.retrain is None:
            raise StoppedError("the source model cannot be trained anew here")
        self._retrain = subject.source.retrain
        self._seconds = subject.plan.policy.security.seconds
        self._own = subject.plan.model.factory
        self._ends = time.monotonic() + self._seconds

    def __call__(self, x: Inputs, y: npt.NDArray[Any], seed: int) -> Predict:
        """Train on x (n, features) and y (n,).

        Raises:
            StoppedError: The time is up, the rows cannot be trained on, or the user's own model fails.
        """
        if time.monotonic() > self._ends:
            raise StoppedError(
                f"training anew took longer than the {self._seconds:g} seconds of policy.security.seconds; raise it, "
                "or lower rows, shadows, repeats or folds"
            )
        try:
            predict = self._retrain(x, y, seed=seed)
        except errors.ProoflineError as error:
            raise StoppedError(self._failed(error)) from error

        def checked(inputs: Inputs) -> npt.NDArray[np.float64]:
            try:
                found = predict(inputs)
            except errors.ProoflineError as error:
                raise StoppedError(self._failed(error)) from error
            if not np.isfinite(found).all():
                raise StoppedError("a model that was trained anew gave outputs that are no finite numbers")
            return found

        return checked

    def _failed(self, error: errors.ProoflineError) -> str:
        if self._own is not None:
            # What the user's code says of itself may name places or values: it stays out of the record.
            return f"the user's own model {self._own} failed when it was trained anew ({type(error).__name__})"
        return f"training anew failed: {error}"


def require_rows(rows: int, what: str) -> None:
    """Stop where there are too few rows to say anything.

    Raises:
        StoppedError: Naming how many there are.
    """
    if rows < LEAST_ROWS:
        raise StoppedError(f"{rows} {what}, fewer than the {LEAST_ROWS} that are needed")


def seeds(subject: Subject, label: str, count: int) -> list[int]:
    """Seeds of trainings, their own for each label."""
    return [int(s) for s in subject.sampling.rng(label).integers(0, 2**31, size=count)]


def drawn(digests: npt.NDArray[np.bytes_], most: int, seed: int, label: str, without: Rows | None = None) -> Rows:
    """Indices of at most so many of the rows with these digests, ascending: the same rows in whatever order.

    Args:
        digests: Of all rows.
        most: How many rows may be drawn.
        seed: Of the plan.
        label: Gives each drawing its own rows.
        without: Rows that are not drawn from.
    """
    free = np.ones(len(digests), dtype=bool)
    if without is not None:
        free[without] = False
    count = int(free.sum())
    if count <= most:
        return np.flatnonzero(free)
    # Encoded rows stand in the order of their digests.
    ordered = bool((digests[:-1] <= digests[1:]).all())
    order = np.arange(len(digests)) if ordered else np.argsort(digests, kind="stable")
    rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
    return np.sort(order[free[order]][rng.permutation(count)[:most]])
