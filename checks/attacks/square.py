"""The query-only attack: random search at the corners of the box, judged by the graph's answers alone.

Square attack for tables. Where images have windows, a table has random subsets of its features: each question moves a
subset to one or the other end of what is admissible, and keeps the move where the margin shrinks. The share of the
features that move falls from 0.8 in the steps of the paper's schedule. Where the box has no more corners than there
are questions, each is tried instead. It needs neither gradient nor source model.

Refs: Andriushchenko et al., ECCV 2020.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks import scoring
from checks.attacks.search import Found, Rows

Floats = npt.NDArray[np.float64]

SHARE = 0.8
"""Share of the features that the first questions move."""
HALVINGS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Parts of the questions after which that share is halved."""
LEAST = 1e-12
"""Probabilities below count as this, so that a logarithm exists."""


def search(found: Found, queries: int, rng: np.random.Generator) -> None:
    """Random search with a number of questions per row; a row that is wrong is asked no more.

    Args:
        found: What was found so far; improved in place.
        queries: Questions per row.
        rng: For the moves.
    """
    problem, rows = found.problem, found.left()
    if len(rows) == 0:
        return
    if 2 ** int(problem.limits.free[rows].sum(axis=1).max()) <= queries:
        _every_corner(found)
        return
    every = np.ones((len(rows), problem.x.shape[1]), dtype=bool)
    at = problem.original.copy()
    at[rows] = _corner(found, rows, every, at[rows], rng)
    best = np.full(len(problem.x), -np.inf)
    best[rows] = margin(found.offer(rows, at[rows]), problem.y[rows])
    for query in range(1, queries):
        rows = found.left()
        if len(rows) == 0:
            return
        moved = _corner(found, rows, _subset(found, rows, share(query, queries), rng), at[rows], rng)
        value = margin(found.offer(rows, moved), problem.y[rows])
        better = value >= best[rows]
        at[rows[better]], best[rows[better]] = moved[better], value[better]


def _every_corner(found: Found) -> None:
    """Where the box has no more corners than there are questions, each is tried."""
    limits = found.problem.limits
    place = np.cumsum(limits.free, axis=1) - 1
    for code in range(2 ** int(limits.free.sum(axis=1).max())):
        rows = found.left()
        if len(rows) == 0:
            return
        near = limits.take(rows)
        found.offer(rows, np.where((code >> place[rows]) % 2 == 1, near.high, near.low))


def share(query: int, queries: int) -> float:
    """Share of the features that a question moves."""
    return float(SHARE / 2 ** sum(query > part * queries for part in HALVINGS))


def margin(scores: scoring.Scores, y: npt.NDArray[np.generic]) -> Floats:
    """How near each row is to being wrong (n,), larger is nearer: log odds of the best other class, or the error."""
    if scores.labels is None or scores.probabilities is None:
        if scores.predictions is None:
            raise TypeError("scores hold labels or predictions")
        return np.abs(scores.predictions - y.astype(np.float64))
    rows, truth = np.arange(len(y)), y.astype(np.int64)
    logs = np.log(np.maximum(np.nan_to_num(scores.probabilities, nan=1.0), LEAST))
    own = logs[rows, truth]
    logs[rows, truth] = -np.inf
    return logs.max(axis=1) - own


def _corner(found: Found, rows: Rows, moving: npt.NDArray[np.bool_], at: Floats, rng: np.random.Generator) -> Floats:
    """The inputs with the moving cells at a random end of the box."""
    near = found.problem.limits.take(rows)
    ends = np.where(rng.random(at.shape) < 0.5, near.low, near.high)
    return np.where(moving & near.free, ends, at)


def _subset(found: Found, rows: Rows, part: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """A random subset of the free cells of each row (m, features): that share of them, one at least."""
    free = found.problem.limits.free[rows]
    order = np.argsort(np.argsort(np.where(free, rng.random(free.shape), 2.0), axis=1), axis=1)
    wanted = np.maximum(np.round(part * free.sum(axis=1)), 1)
    return free & (order < wanted[:, None])
