"""Bounds of every value by interval propagation, step by step. Cheap, and the start of everything tighter.

All bounds include the rounding error of a float32 evaluation; see the package's docstring.
Refs: Gowal et al., "Scalable verified training for provably robust image classification" (ICCV 2019).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks.certified.program import UNIT, Floats, Linear, Normalise, Program, Relu, Step, rounding

SMALLEST = 1e-35
"""Above what underflow in float32 can lose in one step."""
LARGEST = 1e30
"""A value beyond this may overflow in float32: nothing is claimed of such a row."""


@dataclasses.dataclass
class Bounds:
    """What the variables of a program can be. Grows as more of them are bounded."""

    low: dict[int, Floats]
    """Variable to (N, width)."""
    high: dict[int, Floats]
    errors: dict[int, Floats]
    """Rounding errors of linear steps, (N, width)."""
    empty: npt.NDArray[np.bool_]
    """(N,): no input of the row leads here (after a ReLU was split)."""
    variances: dict[int, tuple[Floats, Floats]] = dataclasses.field(default_factory=dict)
    """Centred variable to bounds (N, groups) of the mean of its squares, where better ones are known."""

    @classmethod
    def of_inputs(cls, program: Program) -> Bounds:
        """The inputs alone."""
        return cls({0: program.low}, {0: program.high}, {}, np.zeros(len(program.low), np.bool_))

    def narrow(self, variable: int, low: Floats, high: Floats) -> None:
        """Intersect with other bounds of the same variable."""
        if variable in self.low:
            low, high = np.maximum(low, self.low[variable]), np.minimum(high, self.high[variable])
        # A little crossing is our own rounding; only more says that there is no such input.
        crossed = low - high > 1e-9 * (1.0 + np.abs(low))
        if crossed.any():
            self.empty |= crossed.any(axis=1)
        low, high = np.minimum(low, high), np.maximum(low, high)
        self.low[variable], self.high[variable] = low, high

    def sizes(self, variable: int) -> Floats:
        """Largest absolute values (N, width)."""
        return np.maximum(np.abs(self.low[variable]), np.abs(self.high[variable]))

    def overflow(self) -> npt.NDArray[np.bool_]:
        """(N,): some value may leave the range of float32, or has no bound."""
        found = np.zeros(len(self.empty), np.bool_)
        for variable in self.low:
            found |= ~(self.sizes(variable) < LARGEST).all(axis=1)
        return found


def propagate(program: Program) -> Bounds:
    """Bound every variable."""
    found = Bounds.of_inputs(program)
    for variable in range(1, program.last + 1):
        advance(program.steps, variable, found)
    return found


def advance(steps: Sequence[Step], variable: int, bounds: Bounds) -> None:
    """Bound one variable from those it is computed from."""
    step = steps[variable - 1]
    if isinstance(step, Linear):
        low, high, error = linear(step, bounds)
        bounds.errors[variable] = error
    elif isinstance(step, Relu):
        low, high = np.maximum(bounds.low[step.source], 0.0), np.maximum(bounds.high[step.source], 0.0)
    else:
        low, high = normalised(step, bounds)
    bounds.narrow(variable, low, high)


def linear(step: Linear, bounds: Bounds) -> tuple[Floats, Floats, Floats]:
    """Bounds (N, m) of a linear step, widened by its rounding error, and that error."""
    rows = len(bounds.empty)
    centre: Floats = np.broadcast_to(step.bias, (rows, step.width))
    radius: Floats = np.zeros((rows, step.width))
    size: Floats = np.broadcast_to(step.size, (rows, step.width))
    for source, linear_, absolute in step.terms:
        low, high = bounds.low[source], bounds.high[source]
        centre = centre + linear_.forward((low + high) / 2)
        radius = radius + linear_.absolute().forward((high - low) / 2)
        size = size + absolute.forward(bounds.sizes(source))
    error = step.roundings * size + (SMALLEST if step.roundings else 0.0)
    # Our own rounding, where the step itself has none.
    radius = radius + error + 2.0**-46 * size * (step.roundings == 0.0)
    return centre - radius, centre + radius, error


@dataclasses.dataclass(frozen=True)
class Spread:
    """What the normalisation of one layer can do: bounds of the factor s = 1 / √(mean(c²) + ε)."""

    low: Floats
    """(N, groups, group) bounds of c."""
    high: Floats
    variance_low: Floats
    """(N, groups)"""
    variance_high: Floats
    error: Floats
    """(N, groups) of the variance in float32."""
    factor_low: Floats
    factor_high: Floats


def spread(step: Normalise, bounds: Bounds) -> Spread:
    """Bounds of the variance and of the factor of each group.

    The variance may be computed as mean(x²) − mean(x)², so its rounding error is that of the uncentred values.
    """
    rows = len(bounds.empty)
    low, high, size = (
        array.reshape(rows, -1, step.group)
        for array in (bounds.low[step.source], bounds.high[step.source], bounds.sizes(step.uncentred))
    )
    most = np.maximum(low**2, high**2)
    least = np.where((low < 0) & (high > 0), 0.0, np.minimum(low**2, high**2))
    error = 4 * rounding(step.group) * (size**2).mean(2) + SMALLEST
    variance_low, variance_high = least.mean(2), most.mean(2)
    if step.source in bounds.variances:
        better_low, better_high = bounds.variances[step.source]
        variance_low, variance_high = np.maximum(variance_low, better_low), np.minimum(variance_high, better_high)
    variance_low, variance_high = variance_low - error, variance_high + error
    # Where rounding may make the root's argument negative the bound is so large that nothing is claimed of the row.
    factor_high = (1 + 2.0**-40) / np.sqrt(np.maximum(variance_low + step.epsilon * (1 - UNIT), 1e-70))
    factor_low = (1 - 2.0**-40) / np.sqrt(variance_high + step.epsilon * (1 + UNIT))
    return Spread(low, high, variance_low, variance_high, error, factor_low, factor_high)


def normalised(step: Normalise, bounds: Bounds) -> tuple[Floats, Floats]:
    """Bounds of c · s, at most √(group − 1) in size whatever the inputs."""
    known = spread(step, bounds)
    below, above = known.factor_low[..., None], known.factor_high[..., None]
    low = np.where(known.low < 0, known.low * above, known.low * below)
    high = np.where(known.high > 0, known.high * above, known.high * below)
    slack = rounding(8) * np.maximum(np.abs(low), np.abs(high)) + SMALLEST
    rows = len(bounds.empty)
    return (low - slack).reshape(rows, -1), (high + slack).reshape(rows, -1)
