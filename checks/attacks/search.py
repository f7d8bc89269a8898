"""The search for damaging inputs: what is attacked, what was found, and the graph's word on every candidate."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks import scoring
from checks.attacks.budget import Budget
from configs import errors

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Score = Callable[[Inputs], scoring.Scores]

MISLABELLED = 2.0
"""Damage of a wrong label; from here on a row of a classifier needs no further step."""
UNSOUND = -1
"""Label of a row for which the graph gave no sound output."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """Rows under attack."""

    score: Score
    """The graph."""
    x: Inputs
    """(n, features) as they are."""
    y: npt.NDArray[np.generic]
    """(n,) what is true."""
    limits: Budget
    classes: int
    """Number of classes; 0 for regression."""

    @functools.cached_property
    def original(self) -> Floats:
        """The rows in double precision."""
        return self.x.astype(np.float64)

    @property
    def enough(self) -> float:
        """Damage from which on a row is left alone: a wrong label, or an output that is no number."""
        return MISLABELLED if self.classes else np.inf

    def random(self, rows: Rows, rng: np.random.Generator) -> Floats:
        """Admissible inputs (len(rows), features), uniform in the box."""
        near = self.limits.take(rows)
        drawn = near.low + rng.random(near.low.shape) * near.width
        return near.project(drawn, self.original[rows])


class Found:
    """The most damaging admissible inputs so far; every one of them was confirmed on the graph."""

    def __init__(self, problem: Problem) -> None:
        """Begin with the rows as they are."""
        self.problem = problem
        self.x = problem.x.copy()
        """(n, features)"""
        self.damage = damage(confirm(problem.score, problem.x, problem.classes), problem.y)
        """(n,)"""

    def left(self) -> Rows:
        """Rows that are still to be attacked, ascending."""
        return np.flatnonzero(self.damage < self.problem.enough)

    def offer(self, rows: Rows, candidates: npt.NDArray[np.floating]) -> scoring.Scores:
        """Feed candidates for some rows to the graph, keep what is worse than before.

        Args:
            rows: (m,) which rows they belong to.
            candidates: (m, features)

        Returns:
            What the graph says of the candidates.
        """
        problem = self.problem
        fed = problem.limits.finish(candidates, rows)
        scores = confirm(problem.score, fed, problem.classes)
        self.keep(rows, fed, damage(scores, problem.y[rows]))
        return scores

    def keep(self, rows: Rows, fed: Inputs, found: Floats) -> None:
        """Take over inputs whose damage (confirmed on the graph) is larger than what was found before."""
        better = found > self.damage[rows]
        self.x[rows[better]], self.damage[rows[better]] = fed[better], found[better]

    def copy(self) -> Found:
        """A state of its own."""
        other = object.__new__(Found)
        other.problem, other.x, other.damage = self.problem, self.x.copy(), self.damage.copy()
        return other


def confirm(score: Score, x: Inputs, classes: int) -> scoring.Scores:
    """What the graph says of any inputs, also of those that break it.

    A row for which the graph fails or breaks its contract gets the label −1 and no probabilities (NaN), or the
    prediction infinity. Such rows are found by halving.

    Args:
        score: The graph.
        x: (n, features)
        classes: Number of classes; 0 for regression.
    """
    try:
        return score(x)
    except errors.VerificationError:
        if len(x) == 0:
            raise
    if len(x) == 1:
        return _unsound(classes)
    half = len(x) // 2
    return _joined(confirm(score, x[:half], classes), confirm(score, x[half:], classes))


def damage(scores: scoring.Scores, y: npt.NDArray[np.generic]) -> Floats:
    """How wrong each row is (n,): 2 for a wrong label plus the lost probability, or the absolute error.

    A row without a sound output counts as wrong: 3, or infinity.
    """
    if scores.labels is None or scores.probabilities is None:
        if scores.predictions is None:
            raise TypeError("scores hold labels or predictions")
        return np.abs(scores.predictions - y.astype(np.float64))
    truth = y.astype(np.int64)
    sure = np.nan_to_num(scores.probabilities[np.arange(len(truth)), truth], nan=0.0)
    return MISLABELLED * (scores.labels != truth) + 1.0 - sure


def _unsound(classes: int) -> scoring.Scores:
    if classes == 0:
        return scoring.Scores(predictions=np.array([np.inf]))
    return scoring.Scores(labels=np.array([UNSOUND], dtype=np.int64), probabilities=np.full((1, classes), np.nan))


def _joined(first: scoring.Scores, second: scoring.Scores) -> scoring.Scores:
    def both(name: str) -> npt.NDArray[np.generic] | None:
        one, other = getattr(first, name), getattr(second, name)
        return None if one is None else np.concatenate([one, other])

    return scoring.Scores(**{field.name: both(field.name) for field in dataclasses.fields(scoring.Scores)})
