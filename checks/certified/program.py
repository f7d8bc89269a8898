"""What a graph does to its rows, as three kinds of steps on flat vectors: linear, ReLU, normalisation.

A variable is a vector per row, `(rows, width)`; variable 0 is the input, step i makes variable i + 1. What differs
between the rows (which cells are missing, embeddings of their categories) stands in arrays with one entry per row; what
does not, in arrays with one entry.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

UNIT = 2.0**-24
"""Largest relative rounding error of one operation in float32."""
SAFETY = 4.0
"""How many times the proven bound on the rounding error we take; the rest covers our own rounding in float64."""


@dataclasses.dataclass(frozen=True)
class Select:
    """The map y_i = scale_i x_index(i), or 0 where the index is −1."""

    index: npt.NDArray[np.intp]
    """(m,)"""
    scale: Floats
    """(R, m); 0 where the index is −1."""
    width: int
    """n, the width of x."""

    @property
    def height(self) -> int:
        """Width m of y."""
        return len(self.index)

    @property
    def entries(self) -> int:
        """Multiplications for one x."""
        return len(self.index)

    def forward(self, x: Floats) -> Floats:
        """(N, n) → (N, m)."""
        return x[:, self.index] * self.scale

    def absolute(self) -> Select:
        """The same with |scale|."""
        return dataclasses.replace(self, scale=np.abs(self.scale))

    def backward(self, a: Floats, row: Rows) -> Floats:
        """Coefficients (P, m) of y to coefficients (P, n) of x; `row` (P,) says whose they are."""
        scaled = a * _of(self.scale, row)
        used = self.index >= 0
        at = self.index[used]
        if len(np.unique(at)) == len(at):
            found = np.zeros((len(a), self.width))
            found[:, at] = scaled[:, used]
            return found
        spread = sparse.csr_array((np.ones(len(at)), (np.flatnonzero(used), at)), shape=(self.height, self.width))
        return np.asarray(scaled @ spread)

    def take(self, rows: Rows) -> Select:
        """The same for some rows."""
        return self if len(self.scale) == 1 else dataclasses.replace(self, scale=self.scale[rows])


@dataclasses.dataclass(frozen=True)
class Matrix:
    """The map y = W x, W (m, n) dense or sparse, the same in all rows."""

    weights: Any

    @property
    def height(self) -> int:
        """Width m of y."""
        return int(self.weights.shape[0])

    @property
    def width(self) -> int:
        """Width n of x."""
        return int(self.weights.shape[1])

    @property
    def entries(self) -> int:
        """Multiplications for one x."""
        return int(self.weights.nnz if sparse.issparse(self.weights) else self.weights.size)

    def forward(self, x: Floats) -> Floats:
        """(N, n) → (N, m)."""
        if sparse.issparse(self.weights):
            return np.asarray((self.weights @ x.T).T)
        return x @ self.weights.T

    def absolute(self) -> Matrix:
        """The same with |W|."""
        return Matrix(abs(self.weights))

    def backward(self, a: Floats, row: Rows) -> Floats:
        """Coefficients (P, m) of y to coefficients (P, n) of x."""
        return np.asarray(a @ self.weights)

    def take(self, rows: Rows) -> Matrix:
        """The same for some rows."""
        return self


Map = Select | Matrix


@dataclasses.dataclass(frozen=True)
class Linear:
    """The step y = Σ_k M_k x_k + b, with rounding errors at most `roundings` × (Σ_k |M|_k |x_k| + |b|)."""

    terms: tuple[tuple[int, Map, Map], ...]
    """(variable, M, |M|). Where two maps were joined, |M| is the product of the absolute ones."""
    bias: Floats
    """(R, m)"""
    size: Floats
    """(R, m) |b|, or what it was before maps were joined."""
    roundings: float

    @property
    def width(self) -> int:
        """Width m of y."""
        return int(self.bias.shape[1])

    def take(self, rows: Rows) -> Linear:
        """The same for some rows."""
        terms = tuple((v, m.take(rows), p.take(rows)) for v, m, p in self.terms)
        return dataclasses.replace(self, terms=terms, bias=_some(self.bias, rows), size=_some(self.size, rows))


@dataclasses.dataclass(frozen=True)
class Relu:
    """The step y = max(x, 0)."""

    source: int
    width: int

    def take(self, rows: Rows) -> Relu:
        """The same for some rows."""
        return self


@dataclasses.dataclass(frozen=True)
class Normalise:
    """The step y = c / √(mean(c²) + ε) in each group of neighbouring elements; c is centred already."""

    source: int
    """c"""
    uncentred: int
    """What was centred: the rounding error of the variance depends on its size."""
    width: int
    group: int
    """Elements in a group."""
    epsilon: float

    def take(self, rows: Rows) -> Normalise:
        """The same for some rows."""
        return self


Step = Linear | Relu | Normalise


@dataclasses.dataclass(frozen=True)
class Program:
    """The steps, and the inputs of each row."""

    steps: tuple[Step, ...]
    low: Floats
    """(N, n) smallest inputs."""
    high: Floats
    broken: npt.NDArray[np.bool_]
    """(N,): something that is no finite number enters the computation of this row."""

    def width(self, variable: int) -> int:
        """Width of a variable."""
        return int(self.low.shape[1]) if variable == 0 else self.steps[variable - 1].width

    def take(self, rows: Rows) -> Program:
        """The same for some rows; a row may be taken several times."""
        steps = tuple(step.take(rows) for step in self.steps)
        return Program(steps, self.low[rows], self.high[rows], self.broken[rows])

    def within(self, low: Floats, high: Floats) -> Program:
        """The same with other inputs."""
        return dataclasses.replace(self, low=low, high=high)

    def values(self, x: Floats) -> Floats:
        """The values (N, width) of the last variable at one input per row (N, n), in float64."""
        return self.trace(x)[-1]

    def trace(self, x: Floats) -> list[Floats]:
        """The values of all variables at one input per row."""
        found = [x]
        for step in self.steps:
            if isinstance(step, Linear):
                made = np.broadcast_to(step.bias, (len(x), step.width))
                for source, linear, _ in step.terms:
                    made = made + linear.forward(found[source])
            elif isinstance(step, Relu):
                made = np.maximum(found[step.source], 0.0)
            else:
                c = found[step.source].reshape(len(x), -1, step.group)
                made = (c / np.sqrt((c**2).mean(2, keepdims=True) + step.epsilon)).reshape(len(x), -1)
            found.append(made)
        return found

    def upto(self, variable: int) -> Program:
        """Only the steps that a variable needs; it is the last variable then."""
        wanted = {0, variable}
        for index in range(variable - 1, -1, -1):
            if index + 1 in wanted:
                wanted.update(sources(self.steps[index]))
        place = {old: new for new, old in enumerate(sorted(wanted))}
        steps = tuple(_renamed(self.steps[v - 1], place) for v in sorted(wanted) if v)
        return dataclasses.replace(self, steps=steps)

    @property
    def last(self) -> int:
        """The last variable."""
        return len(self.steps)


def sources(step: Step) -> tuple[int, ...]:
    """The variables that a step needs."""
    if isinstance(step, Linear):
        return tuple(source for source, _, _ in step.terms)
    if isinstance(step, Normalise):
        return (step.source, step.uncentred)
    return (step.source,)


def _renamed(step: Step, place: dict[int, int]) -> Step:
    if isinstance(step, Linear):
        return dataclasses.replace(step, terms=tuple((place[v], m, p) for v, m, p in step.terms))
    if isinstance(step, Normalise):
        return dataclasses.replace(step, source=place[step.source], uncentred=place[step.uncentred])
    return dataclasses.replace(step, source=place[step.source])


def rounding(terms: int) -> float:
    """Relative rounding error of a sum of so many products and a bias, with safety."""
    return SAFETY * (terms + 2) * UNIT


def _of(array: Floats, row: Rows) -> Floats:
    return array if len(array) == 1 else array[row]


def _some(array: Floats, rows: Rows) -> Floats:
    return array if len(array) == 1 else array[rows]
