"""The label of each row under every admissible change of its inputs: proven to stay, shown to change, or unknown."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from checks.certified import branch, exact, head
from checks.certified.graph import Graph
from checks.certified.lowering import Lowering
from checks.certified.program import Floats, Normalise, Program

Bools = npt.NDArray[np.bool_]
Inputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Box:
    """The admissible inputs of each row, (N, features), at one epsilon."""

    epsilon: float
    low: Floats
    high: Floats

    def feed(self, given: Floats, x: Inputs, rows: npt.NDArray[np.intp]) -> Inputs:
        """Inputs (P, features) of some rows as they are fed: what does not move is that of the row, NaN included."""
        moves = self.low[rows] < self.high[rows]
        return np.where(moves, given, x[rows].astype(np.float64)).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Proofs:
    """What was found for each row at one epsilon; each array is (N,)."""

    epsilon: float
    proven: Bools
    falsified: Bools
    """An admissible input has another label on the graph itself."""
    exhausted: bool
    """Did the time end first?"""
    solved: Bools
    """Proven by the exact solver, within its tolerance, where the bounds left it open."""

    def joined(self, more: Proofs) -> Proofs:
        """Both together, at the same epsilon."""
        return dataclasses.replace(
            self,
            proven=self.proven | more.proven,
            falsified=self.falsified | more.falsified,
            exhausted=self.exhausted or more.exhausted,
            solved=self.solved | more.solved,
        )


@dataclasses.dataclass(frozen=True)
class Question:
    """The rows of a classifier, and how to ask its graph."""

    network: Graph
    x: Inputs
    labels: Labels
    """(N,) the labels of the unchanged rows."""
    relabel: Callable[[Inputs], Labels]
    """The graph under ONNX Runtime: (P, features) to labels (P,)."""

    def confirms(self, box: Box) -> branch.Confirm:
        """Does the graph give an input of a row another label?"""

        def confirm(given: Floats, row: int) -> bool:
            fed = box.feed(given[None], self.x, np.array([row]))
            return bool(self.relabel(fed)[0] != self.labels[row])

        return confirm


def prove(question: Question, box: Box, done: Bools, boxes: int, deadline: float) -> Proofs:
    """Prove what can be proven of the rows that are not done.

    With one box the rows are only bounded. With more they are split, and networks of linear layers and ReLU that stay
    open are given to the exact solver, nearest first.

    Raises:
        UnsupportedError: The label depends on an operator that the certifier does not know.
    """
    lowering = Lowering(question.network, question.x, box.low, box.high)
    made = head.label(lowering, "label")
    program = lowering.program(lowering.moving(made.scores.name))
    goal = head.keeps_label(made, program.width(program.last), question.labels)
    confirm = question.confirms(box) if boxes > 1 else None
    found = branch.search(program, goal, boxes=boxes, deadline=deadline, done=done, confirm=confirm)
    falsified = np.zeros(len(question.x), np.bool_)
    falsified[list(found.found)] = True
    proofs = Proofs(box.epsilon, found.proven, falsified, found.exhausted, np.zeros(len(question.x), np.bool_))
    if confirm is None or any(isinstance(step, Normalise) for step in program.steps):
        return proofs
    left = np.flatnonzero(~done & ~proofs.proven & ~falsified & ~program.broken)
    order = left[np.argsort(-found.margin[left], kind="stable")]
    return _exactly(program, goal, order, proofs, confirm, deadline)


def _exactly(
    program: Program,
    goal: branch.Goal,
    rows: npt.NDArray[np.intp],
    proofs: Proofs,
    confirm: branch.Confirm,
    deadline: float,
) -> Proofs:
    solved, falsified, exhausted = proofs.solved.copy(), proofs.falsified.copy(), proofs.exhausted
    for row in rows.tolist():
        if time.monotonic() > deadline:
            exhausted = True
            break
        one = program.take(np.array([row]))
        if exact.open_relus(one) > exact.MOST_OPEN:
            continue
        safe = True
        for coefficients, offset in zip(goal.coefficients[row], goal.offset[row], strict=True):
            found = exact.minimum(one, coefficients, deadline - time.monotonic())
            safe = safe and found.bound + offset > 0
            if found.value + offset <= 0 and confirm(found.inputs, row):
                falsified[row] = True
            if not safe:
                break
        solved[row] = safe
    return Proofs(proofs.epsilon, proofs.proven | solved, falsified, exhausted, solved)


def nested(proofs: Sequence[Proofs]) -> list[Proofs]:
    """What is proven for an epsilon holds for smaller ones; what is falsified for it is so for larger ones."""
    return [
        dataclasses.replace(
            one,
            proven=np.any([p.proven for p in proofs[i:]], axis=0),
            falsified=np.any([p.falsified for p in proofs[: i + 1]], axis=0),
            solved=np.any([p.solved for p in proofs[i:]], axis=0),
        )
        for i, one in enumerate(proofs)
    ]


def contradicted(
    question: Question, box: Box, proofs: Proofs, slope: Floats | None, rng: np.random.Generator, trials: int
) -> bool:
    """Does the graph itself deny a proof: at random corners and points of the proven boxes, or where a gradient points?

    Args:
        question: The rows.
        box: Their boxes.
        proofs: What was proven.
        slope: (N, features) gradient of the loss, if there is one.
        rng: For the corners and points.
        trials: Corners of each box, and as many points within it.
    """
    if (proofs.proven & proofs.falsified).any():
        return True
    at = np.flatnonzero(proofs.proven)
    if len(at) == 0:
        return False
    low, high = box.low[at], box.high[at]
    corners = [np.where(rng.random(low.shape) < 0.5, low, high) for _ in range(trials)]
    corners += [low + rng.random(low.shape) * (high - low) for _ in range(trials)]
    if slope is not None:
        corners.append(np.where(slope[at] > 0, high, low))
    return any((question.relabel(box.feed(c, question.x, at)) != question.labels[at]).any() for c in corners)
