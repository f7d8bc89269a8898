"""The exact minimum of a linear function of a small ReLU network over a box, by mixed-integer programming (HiGHS).

Each ReLU whose sign is open gets a binary variable; the sound bounds of `crown` are its big M. Linear steps hold within
their float32 rounding error, so the minimum covers every float32 evaluation. HiGHS is a floating-point solver: its
bounds hold within its tolerances, not by proof. A minimum is therefore believed only with `tolerance` taken off, a
thousand times what the solver admits for a constraint, over the largest value in the network.
Refs: Tjeng, Xiao, Tedrake, "Evaluating robustness of neural networks with mixed integer programming" (ICLR 2019).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import optimize, sparse

from checks.certified.crown import bound
from checks.certified.graph import UnsupportedError
from checks.certified.interval import Bounds
from checks.certified.program import Floats, Linear, Normalise, Program, Relu, Select

TOLERANCE = 1e-4
"""Of the largest value in the network."""
MOST_OPEN = 150
"""ReLUs of open sign beyond which it is not tried."""


@dataclasses.dataclass(frozen=True)
class Minimum:
    """The smallest value of a function over a box."""

    value: float
    """At `inputs`, as the solver sees it; infinite where no input was found."""
    bound: float
    """Below every value, the solver's tolerance taken off; −∞ where it was stopped too early."""
    inputs: Floats
    """(n,)"""


def open_relus(program: Program) -> int:
    """ReLUs whose sign the bounds of the first row leave open; a count of what the solver has to decide."""
    bounds, _ = bound(program)
    return sum(
        int(((bounds.low[s.source] < 0) & (bounds.high[s.source] > 0)).sum())
        for s in program.steps
        if isinstance(s, Relu)
    )


def minimum(program: Program, coefficients: Floats, seconds: float) -> Minimum:
    """Minimise a linear function of the last variable over the box of a program with one row.

    Args:
        program: Linear and ReLU steps; one row.
        coefficients: (m,) of the last variable.
        seconds: Time after which the solver is stopped; what it has proven by then is returned.

    Raises:
        UnsupportedError: The program normalises.
    """
    if any(isinstance(step, Normalise) for step in program.steps):
        raise UnsupportedError("LayerNormalization", "it cannot be written with linear constraints")
    bounds, _ = bound(program)
    model = _Model(program, bounds)
    found = optimize.milp(
        model.objective(coefficients),
        constraints=model.constraints(),
        bounds=optimize.Bounds(model.low, model.high),
        integrality=model.integrality,
        options={"time_limit": max(seconds, 0.01), "mip_rel_gap": 1e-9},
    )
    slack = TOLERANCE * max(1.0, *(float(bounds.sizes(v).max(initial=0.0)) for v in range(program.last + 1)))
    proven = getattr(found, "mip_dual_bound", None)
    if proven is None and found.status == 0:
        proven = found.fun
    below = float(proven) - slack * float(np.abs(coefficients).sum()) if proven is not None else -np.inf
    width = program.width(0)
    inputs = np.clip(found.x[:width], program.low[0], program.high[0]) if found.x is not None else program.low[0]
    return Minimum(float(found.fun) if found.x is not None else np.inf, below, inputs)


class _Model:
    """The constraints: columns are all variables in order, then one binary for each open ReLU."""

    def __init__(self, program: Program, bounds: Bounds) -> None:
        self._program, self._bounds = program, bounds
        widths = [program.width(v) for v in range(program.last + 1)]
        self._start = np.concatenate([[0], np.cumsum(widths)])
        self.low = np.concatenate([bounds.low[v][0] for v in range(program.last + 1)])
        self.high = np.concatenate([bounds.high[v][0] for v in range(program.last + 1)])
        self._rows: list[sparse.csr_array] = []
        self._least: list[Floats] = []
        self._most: list[Floats] = []
        self._binaries = 0
        relus = [(v, s) for v, s in enumerate(program.steps, 1) if isinstance(s, Relu)]
        opened = {v: self._open(s) for v, s in relus}
        self._columns = int(self._start[-1]) + sum(len(o) for o in opened.values())
        for variable, step in enumerate(program.steps, 1):
            if isinstance(step, Linear):
                self._linear(variable, step)
            elif isinstance(step, Relu):
                self._relu(variable, step, opened[variable])
        self.low = np.concatenate([self.low, np.zeros(self._binaries)])
        self.high = np.concatenate([self.high, np.ones(self._binaries)])
        self.integrality = np.concatenate([np.zeros(int(self._start[-1])), np.ones(self._binaries)])

    def objective(self, coefficients: Floats) -> Floats:
        found = np.zeros(self._columns)
        found[self._start[-2] : self._start[-1]] = coefficients
        return found

    def constraints(self) -> optimize.LinearConstraint:
        return optimize.LinearConstraint(
            sparse.vstack(self._rows, format="csr"), np.concatenate(self._least), np.concatenate(self._most)
        )

    def _open(self, step: Relu) -> Floats:
        low, high = self._bounds.low[step.source][0], self._bounds.high[step.source][0]
        return np.flatnonzero((low < 0) & (high > 0))

    def _linear(self, variable: int, step: Linear) -> None:
        matrix = self._at(variable, np.arange(step.width), 1.0)
        for source, linear, _ in step.terms:
            if isinstance(linear, Select):
                used = np.flatnonzero(linear.index >= 0)
                entries = (linear.scale[0, used], (used, linear.index[used]))
                weights = sparse.csr_array(entries, shape=(linear.height, linear.width))
            else:
                weights = sparse.csr_array(linear.weights)
            matrix = matrix - self._padded(weights, int(self._start[source]))
        error = self._bounds.errors[variable][0]
        self._add(matrix, step.bias[0] - error, step.bias[0] + error)

    def _relu(self, variable: int, step: Relu, opened: Floats) -> None:
        low, high = self._bounds.low[step.source][0], self._bounds.high[step.source][0]
        stable = np.flatnonzero(low >= 0)
        equal = self._at(variable, stable, 1.0) - self._at(step.source, stable, 1.0)
        self._add(equal, np.zeros(len(stable)), np.zeros(len(stable)))
        if len(opened) == 0:
            return
        one, infinite = np.arange(len(opened)), np.full(len(opened), np.inf)
        column = int(self._start[-1]) + self._binaries
        self._binaries += len(opened)
        y, x = self._at(variable, opened, 1.0), self._at(step.source, opened, 1.0)
        shape = (len(opened), self._columns)
        on = sparse.csr_array((high[opened], (one, column + one)), shape=shape)
        off = sparse.csr_array((-low[opened], (one, column + one)), shape=shape)
        self._add(y - x, np.zeros(len(opened)), infinite)
        self._add(y - on, -infinite, np.zeros(len(opened)))
        self._add(y - x + off, -infinite, -low[opened])

    def _at(self, variable: int, elements: Floats, factor: float) -> sparse.csr_array:
        """Rows that pick elements of a variable."""
        count = len(elements)
        entries = (np.full(count, factor), (np.arange(count), self._start[variable] + elements))
        return sparse.csr_array(entries, shape=(count, self._columns))

    def _padded(self, weights: sparse.csr_array, start: int) -> sparse.csr_array:
        found = weights.tocoo()
        entries = (found.data, (found.row, found.col + start))
        return sparse.csr_array(entries, shape=(weights.shape[0], self._columns))

    def _add(self, matrix: sparse.csr_array, least: Floats, most: Floats) -> None:
        if matrix.shape[0]:
            self._rows.append(matrix)
            self._least.append(least)
            self._most.append(most)
