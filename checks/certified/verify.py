"""Does a property hold of a network? Holds, violated with a confirmed input, or unknown with the reason.

The outputs `Y_j` of a property are those of the file as a receiver runs it: its only output of floating type, in
order. For a classifier under our model contract these are the **probabilities**. The inputs `X_i` are those of the file
in order and in their own units. The network computes in float32, so the box of a property is rounded outwards to
float32 for `holds`; a counterexample is a float32 input inside it (or the nearest, where a limit is no float32 number
and the box has none).
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from checks.certified import _threads, branch, graph, head, outputs, soft_goal, vnnlib
from checks.certified.branch import Goal, Outcome
from checks.certified.graph import Graph, UnsupportedError
from checks.certified.lowering import Lowering
from checks.certified.program import Floats, Program
from configs import errors

Status = Literal["holds", "violated", "unknown"]

SAMPLES = 4096
"""Random inputs that are tried first."""
ROUNDS = 40
"""Rounds of local search from the best of them."""
TRIALS = 64
"""Random points, corners and nearest points at which the file is asked before `holds` is said."""
DENIED = "confirmed by ONNX Runtime against a proof: a defect of the certifier, please report it"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What is known of a property."""

    status: Status
    reason: str
    """Why it is unknown, or how it was decided."""
    seconds: float
    boxes: int = 0
    """Boxes looked at."""
    inputs: tuple[float, ...] = ()
    """The counterexample, as float32 fed to the file."""
    outputs: tuple[float, ...] = ()
    """What ONNX Runtime makes of it."""


def verify(path: Path, wanted: vnnlib.Property, seconds: float = 60.0) -> Answer:
    """Answer a property of an ONNX file.

    Args:
        path: The file.
        wanted: The property.
        seconds: Time after which the answer is `unknown`.

    Raises:
        MissingError: There is no such file.
        DataError: It is no ONNX graph, or the property has other inputs or outputs than it.
    """
    with _threads.one():
        return _verify(path, wanted, seconds)


def _verify(path: Path, wanted: vnnlib.Property, seconds: float) -> Answer:
    begun = time.monotonic()
    network = graph.read(path)
    output = _output(network, wanted)
    if network.input.size != wanted.inputs:
        raise errors.DataError(
            f"property {wanted.name}: expected the {network.input.size} inputs of {path.name}, got {wanted.inputs}. "
            "Declare one X_i for each input."
        )
    runtime = Runtime(path, network, output)
    boxes = 0
    if not wanted.cases:
        return Answer("unknown", "no input meets its own conditions, so that it says nothing", 0.0, 0)
    for case in wanted.cases:
        left = begun + seconds - time.monotonic()
        if left <= 0:
            return Answer("unknown", f"the time of {seconds:g} s is used up", time.monotonic() - begun, boxes)
        try:
            found = _case(network, output, case, runtime, begun + seconds)
        except UnsupportedError as error:
            return Answer("unknown", str(error), time.monotonic() - begun, boxes)
        boxes += found.boxes
        if found.status != "holds":
            return dataclasses.replace(found, seconds=time.monotonic() - begun, boxes=boxes)
    return Answer("holds", "proven in every case", time.monotonic() - begun, boxes)


class Runtime:
    """The file under ONNX Runtime, which alone can confirm a counterexample."""

    def __init__(self, path: Path, network: Graph, output: str) -> None:
        import onnxruntime  # noqa: PLC0415 - reading a property needs none

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise errors.DataError(
                f"model {path.name}: expected a graph that ONNX Runtime opens, got: {_line(error)}. "
                "Export the model again."
            ) from None
        self._input, self._output = network.input, output

    def __call__(self, x: npt.NDArray[np.float32]) -> Floats:
        """The outputs (m,) for one input (n,). Empty where the runtime fails."""
        try:
            (found,) = self._session.run([self._output], {self._input.name: x.reshape(self._input.shape)})
        except Exception:  # What the runtime cannot compute confirms nothing.
            return np.zeros(0)
        made: Floats = np.asarray(found, dtype=np.float64).ravel()
        return made


def _output(network: Graph, wanted: vnnlib.Property) -> str:
    floating = [o for o in network.outputs if o.floating]
    if len(floating) != 1:
        raise errors.DataError(
            f"property {wanted.name}: expected a network with one floating output, got {len(floating)}. "
            "Certify a network with one such output."
        )
    return floating[0].name


def _case(network: Graph, output: str, case: vnnlib.Case, runtime: Runtime, deadline: float) -> Answer:
    low, high = outputs.outward(case.low, case.high)
    middle = _inside((low + high) / 2, case.low, case.high)
    lowering = Lowering(network, middle[None], low[None], high[None])
    scores = head.scores(lowering, output)
    variable = lowering.moving(scores.name)
    program = lowering.program(variable)
    goal = goal_of(scores, case, program)

    def confirm(x: Floats, _: int) -> bool:
        fed = _inside(x, case.low, case.high)
        return happens(case, fed, runtime(fed))

    return _answer(program, goal, case, confirm, runtime, deadline)


def _answer(
    program: Program, goal: Goal, case: vnnlib.Case, confirm: branch.Confirm, runtime: Runtime, deadline: float
) -> Answer:
    if program.broken.any():
        return Answer("unknown", "a value that is no finite number enters the computation", 0.0)
    guess = _attack(program, goal, confirm)
    if guess is None:
        found: Outcome = branch.search(program, goal, boxes=1 << 40, deadline=deadline, confirm=confirm)
        boxes = int(found.boxes.sum())
        if found.proven[0]:
            denied = _denied(program, goal, case, runtime)
            if denied is None:
                return Answer("holds", "proven", 0.0, boxes)
            return _violated(denied, case, runtime, DENIED)
        guess = found.found.get(0)
        if guess is None:
            why = "the time is used up" if found.exhausted else "it could not be split any further"
            return Answer("unknown", why, 0.0, boxes)
    return _violated(guess, case, runtime, "confirmed by ONNX Runtime")


def _violated(guess: Floats, case: vnnlib.Case, runtime: Runtime, reason: str) -> Answer:
    fed = _inside(guess, case.low, case.high)
    made = runtime(fed)
    return Answer("violated", reason, 0.0, 0, tuple(map(float, fed)), tuple(map(float, made)))


def _denied(program: Program, goal: Goal, case: vnnlib.Case, runtime: Runtime) -> Floats | None:
    """An input of a proven box at which the file itself does what was proven impossible.

    There is none unless the certifier has a defect. It is looked for because a defect there must not become a false
    `holds`: among random points and corners, and where the bounds come nearest to a violation.
    """
    rng = np.random.default_rng(1)
    low, high = program.low[0], program.high[0]
    inner = low + rng.random((SAMPLES, len(low))) * (high - low)
    corners = np.where(rng.random((SAMPLES // 4, len(low))) < 0.5, low, high)
    nearest = np.argsort(_away(program, goal, inner), kind="stable")[:TRIALS]
    tried = np.concatenate([inner[:TRIALS], corners[:TRIALS], inner[nearest]])
    for x in tried:
        fed = _inside(x, case.low, case.high)
        if happens(case, fed, runtime(fed)):
            return np.asarray(x)
    return None


def goal_of(scores: head.Scores, case: vnnlib.Case, program: Program) -> Goal:
    """What has to be refuted in a case: each of its constraints is one way to do it.

    Raises:
        DataError: A constraint names an output that the network does not have.
        UnsupportedError: Probabilities and inputs in one constraint.
    """
    width, inputs = program.width(program.last), program.width(0)
    named = [index for c in case.constraints for index, _ in c.outputs]
    if named and max(named) >= width:
        raise errors.DataError(
            f"property: expected outputs up to Y_{width - 1}, got Y_{max(named)}. Correct the property."
        )
    if scores.kind == "softmax" and width > 1:
        if any(c.inputs for c in case.constraints):
            raise UnsupportedError("Softmax", "a constraint on probabilities and inputs together")
        return soft_goal.soft_goal([case.constraints], width)
    if scores.kind != "plain":
        raise UnsupportedError("Sigmoid", "properties of it are not translated")
    count = max(len(case.constraints), 1)
    coefficients, given, offset = np.zeros((1, count, width)), np.zeros((1, count, inputs)), np.zeros((1, count))
    for number, constraint in enumerate(case.constraints):
        for index, factor in constraint.outputs:
            coefficients[0, number, index] += factor
        for index, factor in constraint.inputs:
            given[0, number, index] += factor
        offset[0, number] = constraint.shift
    return Goal(coefficients, offset, np.zeros(count, np.intp), given if given.any() else None)


def happens(case: vnnlib.Case, x: npt.NDArray[np.float32], y: Floats) -> bool:
    """Do all constraints of a case hold at an input and its outputs?"""
    if len(y) == 0 or not np.isfinite(y).all():
        return False
    for constraint in case.constraints:
        total = constraint.shift + sum(f * float(x[i]) for i, f in constraint.inputs)
        total += sum(f * float(y[j]) for j, f in constraint.outputs)
        if total > 0 or (constraint.strict and total == 0):
            return False
    return True


def _attack(program: Program, goal: Goal, confirm: branch.Confirm) -> Floats | None:
    """Random inputs, then a local search from the best: most violations need no more."""
    rng = np.random.default_rng(0)
    low, high = program.low[0], program.high[0]
    x = low + rng.random((SAMPLES, len(low))) * (high - low)
    away = _away(program, goal, x)
    reach = (high - low) / 2
    for _ in range(ROUNDS):
        best = np.argsort(away, kind="stable")[: SAMPLES // 32]
        for at in best[: branch.CANDIDATES]:
            if away[at] <= 0 and confirm(x[at], 0):
                return np.asarray(x[at])
        reach = reach * 0.8
        near = np.repeat(x[best], 16, axis=0)
        moved = np.clip(near + rng.normal(size=near.shape) * reach, low, high)
        x = np.concatenate([x[best], moved])
        away = np.concatenate([away[best], _away(program, goal, moved)])
    return None


def _away(program: Program, goal: Goal, x: Floats) -> Floats:
    rows = np.zeros(len(x), np.intp)
    return goal.at(x, program.take(rows).values(x), rows)


def _inside(x: Floats, low: Floats, high: Floats) -> npt.NDArray[np.float32]:
    """The float32 input nearest to x inside the box; the nearest at all where a side holds no float32 number."""
    least, most = low.astype(np.float32), high.astype(np.float32)
    least = np.where(least < low, np.nextafter(least, np.float32(np.inf)), least)
    most = np.where(most > high, np.nextafter(most, np.float32(-np.inf)), most)
    empty = least > most
    fed = np.clip(x.astype(np.float32), np.minimum(least, most), np.maximum(least, most))
    return np.where(empty, low.astype(np.float32), fed)


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
