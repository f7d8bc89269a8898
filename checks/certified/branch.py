"""Splitting until a question is answered: boxes in halves, or ReLUs at zero, worst first, many at once.

A goal asks whether anything bad can happen in the box of a row. Bad is a disjunction; each disjunct is refuted by one
of several linear functions of the outputs that is proven positive. A box in which every disjunct is refuted is done;
any other is split. Few moving inputs, or layers that normalise: the input is halved along which the bound changes most.
Otherwise the ReLU whose lines cost the bound most is split at zero.
Refs: Wang et al., "Formal security analysis of neural networks using symbolic intervals" (USENIX Security 2018). Bunel
et al., "Branch and bound for piecewise linear neural network verification" (JMLR 2020).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks.certified import crown
from checks.certified.program import Floats, Normalise, Program, Relu, Rows

Bools = npt.NDArray[np.bool_]

FEW_INPUTS = 8
"""Up to so many moving inputs it is the inputs that are split."""
CELLS = 1 << 20
"""Boxes at once times width of the program."""
WORK = 1e10
"""Multiplications of one batch, between which the time is looked at: some seconds."""
MOST_WORK = 3e11
"""Multiplications for a single box beyond which none is looked at: minutes."""
MOST_WAITING = 400_000
"""Boxes that wait; more would not be finished."""
CANDIDATES = 8
"""Inputs of a batch that are tried as counterexamples by the runtime."""


@dataclasses.dataclass(frozen=True)
class Goal:
    """What is asked of each row."""

    coefficients: Floats
    """(R, Q, m) linear functions of the last variable."""
    offset: Floats
    """(R, Q) added to them."""
    clause: Rows
    """(Q,) the disjunct, 0…D−1, that each function refutes where it is positive."""
    inputs: Floats | None = None
    """(R, Q, n) coefficients of the inputs in the same functions."""

    @property
    def clauses(self) -> int:
        """Number D of disjuncts."""
        return int(self.clause.max()) + 1

    def judge(self, values: Floats) -> Floats:
        """(B, Q) values or lower bounds to (B, D): positive where a disjunct is refuted."""
        found = np.full((len(values), self.clauses), -np.inf)
        np.maximum.at(found, (slice(None), self.clause), values)
        return found

    def critical(self, values: Floats, nearest: Rows) -> Rows:
        """(B,) the function that came nearest to refuting the disjunct `nearest` (B,) of each box."""
        return np.where(self.clause[None] == nearest[:, None], values, -np.inf).argmax(1)

    def at(self, x: Floats, y: Floats, rows: Rows) -> Floats:
        """How far from bad each input (B, n) with output (B, m) is, (B,): not positive where it may be bad."""
        rows = rows if len(self.offset) > 1 else np.zeros(len(rows), np.intp)
        values = np.einsum("bqm,bm->bq", self.coefficients[rows], y) + self.offset[rows]
        if self.inputs is not None:
            values = values + np.einsum("bqn,bn->bq", self.inputs[rows], x)
        return self.judge(values).min(axis=1)


Confirm = Callable[[Floats, int], bool]
"""Does the runtime say that this input (n,) of this row is bad?"""


@dataclasses.dataclass
class Outcome:
    """What was found for each row."""

    proven: Bools
    """(N,)"""
    found: dict[int, Floats]
    """Row to a confirmed counterexample (n,)."""
    margin: Floats
    """(N,) the proven distance from bad after the first pass; positive is proven."""
    boxes: npt.NDArray[np.int64]
    """(N,) boxes looked at."""
    exhausted: bool = False
    """Did the time end before the boxes did?"""


@dataclasses.dataclass
class _Waiting:
    """Boxes that wait."""

    row: Rows
    low: Floats
    high: Floats
    score: Floats
    phases: npt.NDArray[np.int8]
    """(D, ReLUs) 1 where a ReLU is known to pass, −1 where it blocks, 0 where it may do either: found in the box from
    which this one was split, or laid down by splitting. It saves asking again."""

    def take(self, at: Rows | Bools) -> _Waiting:
        return _Waiting(*(getattr(self, field.name)[at] for field in dataclasses.fields(self)))

    def with_(self, other: _Waiting) -> _Waiting:
        both = ([getattr(one, field.name) for one in (self, other)] for field in dataclasses.fields(self))
        return _Waiting(*(np.concatenate(arrays) for arrays in both))


def search(
    program: Program,
    goal: Goal,
    *,
    boxes: int,
    deadline: float,
    confirm: Confirm | None = None,
    done: Bools | None = None,
) -> Outcome:
    """Answer a goal for every row of a program.

    Args:
        program: The program; its last variable is what the goal is about.
        goal: The goal.
        boxes: Most boxes looked at for each row.
        deadline: `time.monotonic()` at which to stop.
        confirm: Asked of candidates for counterexamples; None looks for none.
        done: (N,) rows that need no answer.
    """
    rows = len(program.low)
    out = Outcome(np.zeros(rows, np.bool_), {}, np.full(rows, -np.inf), np.zeros(rows, np.int64))
    begin = np.flatnonzero(~program.broken & (True if done is None else ~done))
    # The first pass looks at every row before any is split.
    first = np.full(len(begin), -np.inf)
    phases = np.zeros((len(begin), sum(step.width for step in program.steps if isinstance(step, Relu))), np.int8)
    waiting = _Waiting(begin, program.low[begin], program.high[begin], first, phases)
    open_ = np.zeros(rows, np.int64)
    open_[begin] = 1
    by_inputs = _split_inputs(program)
    size = max(1, CELLS // max(64, *(program.width(v) for v in range(program.last + 1))) // goal.offset.shape[1])
    work = crown.cost(program)
    size = max(1, min(size, int(WORK / max(work, 1.0))))
    if work > MOST_WORK:
        out.exhausted = True
        return out
    while len(waiting.row):
        if time.monotonic() > deadline or len(waiting.row) > MOST_WAITING:
            out.exhausted = True
            break
        order = np.argsort(waiting.score, kind="stable")
        batch = waiting.take(order[:size])
        waiting = waiting.take(order[size:])
        looked = _look(program, goal, batch, costs=not by_inputs)
        out.boxes += np.bincount(batch.row, minlength=rows)
        np.subtract.at(open_, batch.row[looked.safe], 1)
        fresh = np.isinf(batch.score)
        out.margin[batch.row[fresh]] = looked.margin[fresh]
        rest = ~looked.safe
        if confirm is not None and rest.any():
            _try(program, goal, batch, looked, confirm, out)
        over = out.boxes >= boxes
        for row in out.found:
            over[row] = True
        keep = rest & ~over[batch.row]
        halves = _halves(program, batch.take(keep), looked, np.flatnonzero(keep), by_inputs=by_inputs)
        if rows > 1:
            halves.score = -halves.score  # With many rows, first those that are nearest to being proven.
        # What is not split stays open, so that its row is not proven.
        open_ += np.bincount(halves.row, minlength=rows) // 2
        waiting = waiting.with_(halves)
        if over.any():
            waiting = waiting.take(~over[waiting.row])
    out.proven = (open_ == 0) & ~program.broken
    out.proven[list(out.found)] = False
    if done is not None:
        out.proven &= ~done
    return out


@dataclasses.dataclass(frozen=True)
class _Looked:
    """One batch of boxes after bounding."""

    safe: Bools
    finite: Bools
    margin: Floats
    """(B,) of the disjunct nearest to happening."""
    slope: Floats
    """(B, n) of the function that came nearest to refuting it."""
    split: Rows
    """(B,) the ReLU whose lines cost most, −1 for none."""
    phases: npt.NDArray[np.int8]
    """(B, ReLUs)"""


def _look(program: Program, goal: Goal, batch: _Waiting, *, costs: bool) -> _Looked:
    count, questions = len(batch.row), goal.offset.shape[1]
    part = program.take(batch.row).within(batch.low, batch.high)
    bounds, lines = crown.bound(part, _known(program, batch.phases))
    row = np.repeat(np.arange(count), questions)
    of = batch.row if len(goal.offset) > 1 else np.zeros(count, np.intp)
    asked = goal.coefficients[of].reshape(count * questions, -1)
    given = None if goal.inputs is None else goal.inputs[of].reshape(count * questions, -1)
    found = crown.lower(part, bounds, lines, part.last, asked, row, given, costs=costs)
    values = found.value.reshape(count, questions) + goal.offset[of]
    finite = ~bounds.overflow() & np.isfinite(values).all(1)
    refuted = goal.judge(values)
    nearest = refuted.argmin(1)
    margin = refuted[np.arange(count), nearest]
    best = np.arange(count) * questions + goal.critical(values, nearest)
    safe = ((margin > 0) & finite) | bounds.empty
    split, at, phases = np.full(count, -1, np.intp), 0, batch.phases.copy()
    for variable, step in _relus(program):
        here = slice(at, at + step.width)
        phases[:, here] = (bounds.low[step.source] >= 0).astype(np.int8) - (bounds.high[step.source] <= 0)
        mine = found.split[best, 0] == variable
        split[mine] = at + found.split[best[mine], 1]
        at += step.width
    return _Looked(safe, finite, margin, found.slope[best], split, phases)


def _relus(program: Program) -> list[tuple[int, Relu]]:
    return [(variable, step) for variable, step in enumerate(program.steps, 1) if isinstance(step, Relu)]


def _known(program: Program, phases: npt.NDArray[np.int8]) -> dict[int, tuple[Floats, Floats]]:
    """What is known of the values before each ReLU."""
    known, at = dict[int, tuple[Floats, Floats]](), 0
    for _, step in _relus(program):
        mine = phases[:, at : at + step.width]
        if mine.any():
            known[step.source] = np.where(mine > 0, 0.0, -np.inf), np.where(mine < 0, 0.0, np.inf)
        at += step.width
    return known


def _try(program: Program, goal: Goal, batch: _Waiting, looked: _Looked, confirm: Confirm, out: Outcome) -> None:
    """The input that minimises the bound of each box, and its middle, tried as counterexamples."""
    left = np.flatnonzero(~looked.safe & ~np.isin(batch.row, list(out.found)))
    if len(left) == 0:
        return
    part = batch.take(left)
    ends = np.where(looked.slope[left] > 0, part.low, part.high)
    for x in (ends, (part.low + part.high) / 2):
        away = goal.at(x, program.take(part.row).values(x), part.row)
        tried = 0
        for at in np.argsort(away, kind="stable"):
            row = int(part.row[at])
            if away[at] > 0 or tried >= CANDIDATES:
                break
            if row in out.found:
                continue
            tried += 1
            if confirm(x[at], row):
                out.found[row] = x[at]


def _halves(program: Program, part: _Waiting, looked: _Looked, at: Rows, *, by_inputs: bool) -> _Waiting:
    """Two boxes for each that can be split."""
    width = part.high - part.low
    slope, split, margin = looked.slope[at], looked.split[at], np.nan_to_num(looked.margin[at], nan=-1e300)
    phases = looked.phases[at]
    middle = (part.low + part.high) / 2
    divisible = (middle > part.low) & (middle < part.high)
    relu = np.zeros(len(at), np.bool_) if by_inputs else split >= 0
    whole = (program.high - program.low)[part.row]
    share = width / np.where(whole > 0, whole, 1.0)
    change = np.where(looked.finite[at, None], np.abs(slope) * width, 0.0)
    gain = np.where(divisible, change + 1e-9 * share, -1.0)
    axis = gain.argmax(1) if gain.shape[1] else np.zeros(len(at), np.intp)
    possible = relu | (divisible.any(1) if gain.shape[1] else False)
    halves = []
    for sign in (1, -1):
        low, high = part.low.copy(), part.high.copy()
        cut = np.flatnonzero(possible & ~relu)
        side = low if sign > 0 else high
        side[cut, axis[cut]] = middle[cut, axis[cut]]
        laid = phases.copy()
        laid[np.flatnonzero(relu), split[relu]] = sign
        halves.append(_Waiting(part.row, low, high, margin, laid).take(possible))
    return halves[0].with_(halves[1])


def _split_inputs(program: Program) -> bool:
    moving = int((program.low < program.high).any(axis=0).sum())
    return moving <= FEW_INPUTS or any(isinstance(s, Normalise) for s in program.steps)
