"""Gradient attacks: projected gradient descent, and AutoPGD, which chooses its own step size.

The gradient comes from the source model; what it leads to counts only if the graph is fooled by it. A row of a
classifier is left alone once its label is wrong.

Refs: Madry et al., ICLR 2018 (projected gradient); Croce and Hein, ICML 2020 (AutoPGD).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks.attacks.losses import Codes, Loss
from checks.attacks.search import Found, Inputs, Rows
from checks.source import Gradient, LogitsVjp
from configs import errors

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST = 0.5
"""First step of the projected gradient, in budgets. A longer one saves steps and fools one row in a thousand less."""
ASKED = 4
"""The projected gradient asks the graph at every step of that many."""
MOMENTUM = 0.75
"""Share of the new step in AutoPGD's move; the rest is the move before."""
ENOUGH = 0.75
"""Share of the steps since the last checkpoint that must have raised the loss, or the step size is halved."""


def projected(found: Found, gradient: Gradient, steps: int, restarts: int, rng: np.random.Generator) -> None:
    """Projected gradient descent. The first start is the row itself, every further one is random.

    The step falls in equal parts from half of the budget, which comes as far as steps of one length with fewer rows on
    the way. A row that a step leaves where it is (in a corner, as a rule) would be left there by shorter ones too and
    takes no further one. The graph is asked at every fourth step and at the last, of the rows that rest as well.

    Args:
        found: What was found so far; improved in place.
        gradient: Of the loss of the source model.
        steps: Steps from each start.
        restarts: Starts.
        rng: For the random starts.
    """
    problem = found.problem
    reach = _reach(found).astype(np.float32)
    for restart in range(restarts):
        rows = found.left()
        start = problem.random(rows, rng).astype(np.float32) if restart else problem.x[rows]
        low, high = (ends[rows] for ends in problem.limits.single)
        way = _Way(rows, start, low, high, reach[rows], problem.y[rows])
        resting: tuple[list[Rows], list[Inputs]] = ([], [])
        for step in range(steps):
            if len(way.rows) == 0:
                break
            length = np.float32(FIRST * (1 - step / steps))
            ahead = way.at + length * way.reach * _signs(gradient(way.at, way.y), way.at.shape)
            ahead = np.clip(ahead, way.low, way.high, out=ahead)
            rests = ~((ahead != way.at) & (way.reach > 0)).any(axis=1)
            way.at = ahead
            if step % ASKED == 0 or step == steps - 1 or rests.all():
                found.offer(np.concatenate([way.rows, *resting[0]]), np.concatenate([way.at, *resting[1]]))
                resting = ([], [])
            elif rests.any():
                resting[0].append(way.rows[rests])
                resting[1].append(way.at[rests])
            way.keep(~rests & (found.damage[way.rows] < problem.enough))


@dataclasses.dataclass
class _Way:
    """Where the projected gradient stands with each row that is left, in single precision as the model computes."""

    rows: Rows
    at: Inputs
    low: Inputs
    """Ends of the box; both are the cell's own value where it is not free."""
    high: Inputs
    reach: Inputs
    """How far each cell can go; 0 where it is not free."""
    y: npt.NDArray[np.generic]

    def keep(self, rows: Bools) -> None:
        """Go on with some of the rows."""
        if rows.all():
            return
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


def _signs(slope: npt.NDArray[np.floating], shape: tuple[int, ...]) -> Inputs:
    """Which way raises the loss, 0 where nothing says so. See `checked`."""
    require_shape(slope, shape)
    signs = np.sign(slope, dtype=np.float32)
    return np.nan_to_num(signs, copy=False, nan=0.0) if np.isnan(signs).any() else signs


def automatic(
    found: Found, vjp: LogitsVjp, loss: Loss, target: Codes, steps: int, restarts: int, rng: np.random.Generator
) -> None:
    """AutoPGD from random starts: steps of two budgets, halved where they stop helping, going on from the best point.

    Args:
        found: What was found so far; improved in place.
        vjp: Outputs of the source model with their derivative.
        loss: What is raised.
        target: (n,) for losses that have one.
        steps: Steps from each start.
        restarts: Starts.
        rng: For the starts.
    """
    for _ in range(restarts):
        rows = found.left()
        if len(rows):
            _ascend(found, _Ascent(vjp, loss, target), found.problem.random(rows, rng), steps)


@dataclasses.dataclass(frozen=True)
class _Ascent:
    """A loss of the source model."""

    vjp: LogitsVjp
    loss: Loss
    target: Codes

    def __call__(self, found: Found, rows: Rows, at: Floats) -> tuple[Floats, Floats]:
        """Value (m,) and gradient (m, features) at inputs of some rows."""
        outputs, pullback = self.vjp(at.astype(np.float32))
        value, derivative = self.loss(outputs.astype(np.float64), found.problem.y[rows], self.target[rows])
        return np.nan_to_num(value, nan=-np.inf), checked(pullback(derivative), at.shape)


@dataclasses.dataclass
class _Path:
    """Where AutoPGD stands with each row that is left; all arrays have that many rows."""

    rows: Rows
    at: Floats
    before: Floats
    slope: Floats
    value: Floats
    best: Floats
    best_slope: Floats
    best_value: Floats
    size: Floats
    """(m,) step in budgets."""
    rises: Floats
    """(m,) steps since the checkpoint that raised the loss."""
    checked_value: Floats
    """(m,) best value at the checkpoint before."""
    halved: Bools
    """(m,) was the step size halved there?"""

    def keep(self, rows: Bools) -> None:
        """Go on with some of the rows."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name)[rows])


def _ascend(found: Found, ascent: _Ascent, start: Floats, steps: int) -> None:
    """One run of AutoPGD from `start`, one row for each that is left."""
    problem, rows = found.problem, found.left()
    found.offer(rows, start)
    value, slope = ascent(found, rows, start)
    path = _Path(
        rows, start, start, slope, value, start, slope, value,
        size=np.full(len(rows), 2.0), rises=np.zeros(len(rows)), checked_value=value, halved=np.ones(len(rows), bool),
    )  # fmt: skip
    window, since, reach = max(int(0.22 * steps), 1), 0, _reach(found)
    for step in range(steps):
        path.keep(found.damage[path.rows] < problem.enough)
        if len(path.rows) == 0:
            return
        _move(path, found, reach, MOMENTUM if step else 1.0)
        found.offer(path.rows, path.at)
        _look(path, *ascent(found, path.rows, path.at))
        since += 1
        if since == window:
            _checkpoint(path, window)
            window, since = max(window - max(int(0.03 * steps), 1), int(0.06 * steps), 1), 0


def _move(path: _Path, found: Found, reach: Floats, share: float) -> None:
    """A step along the sign of the gradient, with a part of the move before."""
    near, original = found.problem.limits.take(path.rows), found.problem.original[path.rows]
    ahead = near.project(path.at + path.size[:, None] * reach[path.rows] * np.sign(path.slope), original)
    mixed = path.at + share * (ahead - path.at) + (1 - share) * (path.at - path.before)
    path.before, path.at = path.at, near.project(mixed, original)


def _look(path: _Path, value: Floats, slope: Floats) -> None:
    """Take over value and gradient at the new point, and keep the best one."""
    path.rises = path.rises + (value > path.value)
    path.value, path.slope = value, slope
    better = value > path.best_value
    path.best = np.where(better[:, None], path.at, path.best)
    path.best_slope = np.where(better[:, None], slope, path.best_slope)
    path.best_value = np.where(better, value, path.best_value)


def _checkpoint(path: _Path, window: int) -> None:
    """Halve the step and go back to the best point where the loss rose too rarely, or has not improved at this size."""
    stuck = ~path.halved & (path.checked_value >= path.best_value)
    halve = (path.rises < ENOUGH * window) | stuck
    path.size = np.where(halve, path.size / 2, path.size)
    path.at = np.where(halve[:, None], path.best, path.at)
    path.before = np.where(halve[:, None], path.best, path.before)
    path.slope = np.where(halve[:, None], path.best_slope, path.slope)
    path.value = np.where(halve, path.best_value, path.value)
    path.rises, path.halved, path.checked_value = np.zeros(len(path.rows)), halve, path.best_value


def _reach(found: Found) -> Floats:
    """How far each cell can go: (n, features), 0 where it is not free."""
    limits, original = found.problem.limits, np.nan_to_num(found.problem.original)
    low, high = np.where(limits.free, limits.low, original), np.where(limits.free, limits.high, original)
    return np.maximum(high - original, original - low)


def checked(slope: npt.NDArray[np.floating], shape: tuple[int, ...]) -> Floats:
    """A gradient of the expected shape, without NaN.

    Raises:
        VerificationError: It has another shape.
    """
    require_shape(slope, shape)
    return np.nan_to_num(slope.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0)


def require_shape(slope: npt.NDArray[np.floating], shape: tuple[int, ...]) -> None:
    """See that a gradient has the shape of its inputs.

    Raises:
        VerificationError: It has another one.
    """
    if slope.shape != shape:
        raise errors.VerificationError(
            f"gradient of the source model: expected shape {shape}, got {slope.shape}. "
            "Check the module that `model.factory` builds."
        )
