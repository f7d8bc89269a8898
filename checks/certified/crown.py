"""Tighter bounds by linear relaxation: each nonlinear step is held between two lines, from the outputs backwards.

A bound of a linear function of a variable is carried back to the inputs, and taken over the box there. Everything is
batched over questions: a question is a row of coefficients and the row of the program it is about.

ReLU: the upper line goes through both ends; the lower one has the slope 0 or 1 that leaves out less area. Layer
normalisation: c_i s is held by its first-order expansion at the middle of the box, and the factor s between a tangent
and a chord of its variance, so that the error is of second order in the size of the box.
Refs: Zhang et al., "Efficient neural network robustness certification" (CROWN, NeurIPS 2018). Singh et al., "An
abstract domain for certifying neural networks" (DeepPoly, POPL 2019). Shi et al., "Robustness verification for
transformers" (ICLR 2020).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from checks.certified import interval
from checks.certified.interval import Bounds
from checks.certified.program import Floats, Linear, Normalise, Program, Relu, Rows, rounding

CELLS = 1 << 17
"""Coefficients carried at once: 1 MiB, what a core's cache holds."""


@dataclasses.dataclass(frozen=True)
class Lines:
    """A ReLU between two lines: lower x ≤ relu(x) ≤ (lower + rise) x + shift; arrays (N, width)."""

    lower: Floats
    rise: Floats
    shift: Floats


@dataclasses.dataclass(frozen=True)
class Expansion:
    """A normalised layer: y = c₀ s + s₀ c − c₀ s₀ ± gap, and s between two linear functions of c."""

    middle: Floats
    """(N, groups, group) c₀."""
    factor: Floats
    """(N, groups) s₀."""
    gap: Floats
    """(N, groups, group)"""
    under: Floats
    """(N, groups, group) coefficients of the lower bound of s."""
    under_shift: Floats
    over: Floats
    over_shift: Floats


Relaxations = dict[int, Lines | Expansion]


def bound(program: Program, known: Mapping[int, tuple[Floats, Floats]] | None = None) -> tuple[Bounds, Relaxations]:
    """Bound every variable: intervals everywhere, and CROWN before each nonlinear step.

    Args:
        program: The program.
        known: Bounds of variables that hold already (of the box from which this one was split, or from splitting a
            ReLU): variable to (low, high), each (N, width).

    Returns:
        The bounds, and the lines that hold each nonlinear step.
    """
    bounds, lines = Bounds.of_inputs(program), Relaxations()
    curved = {step.source: getattr(step, "group", 0) for step in program.steps if not isinstance(step, Linear)}
    for variable, step in enumerate(program.steps, 1):
        if known is not None and variable in known:
            bounds.narrow(variable, *known[variable])
        interval.advance(program.steps, variable, bounds)
        if variable in curved:
            _tighten(program, variable, bounds, lines, whole=curved[variable] > 0)
            if curved[variable]:
                bounds.variances[variable] = _variance(program, variable, bounds, lines, curved[variable])
        if isinstance(step, Relu):
            lines[variable] = relu_lines(bounds.low[step.source], bounds.high[step.source])
        elif isinstance(step, Normalise):
            lines[variable] = _expansion(step, bounds)
    return bounds, lines


def cost(program: Program) -> float:
    """Multiplications for the bounds of one row, at most: two questions for each element before a nonlinear step."""
    curved = {step.source for step in program.steps if not isinstance(step, Linear)}
    behind = total = 0.0
    for variable, step in enumerate(program.steps, 1):
        if isinstance(step, Linear):
            behind += sum(linear.entries for _, linear, _ in step.terms)
        if variable in curved:
            total += 2 * program.width(variable) * behind
    return total + behind


def _tighten(program: Program, variable: int, bounds: Bounds, lines: Relaxations, *, whole: bool) -> None:
    """CROWN bounds of all elements, or of those whose sign interval bounds leave open."""
    step = program.steps[variable - 1]
    if isinstance(step, Linear) and [source for source, _, _ in step.terms] in ([], [0]):
        return  # Intervals are exact here.
    low, high = bounds.low[variable], bounds.high[variable]
    open_ = np.ones(low.shape, np.bool_) if whole else (low < 0) & (high > 0)
    row, column = np.nonzero(open_)
    if len(row) == 0:
        return
    coefficients = np.zeros((2 * len(row), low.shape[1]))
    coefficients[np.arange(len(row)), column] = 1.0
    coefficients[len(row) + np.arange(len(row)), column] = -1.0
    found = lower(program, bounds, lines, variable, coefficients, np.concatenate([row, row])).value
    below, above = low.copy(), high.copy()
    below[row, column] = np.maximum(below[row, column], found[: len(row)])
    above[row, column] = np.minimum(above[row, column], -found[len(row) :])
    bounds.narrow(variable, below, above)


def _variance(program: Program, variable: int, bounds: Bounds, lines: Relaxations, group: int) -> tuple[Floats, Floats]:
    """Bounds (N, groups) of mean(c²): each square lies between its tangent at the middle and its chord."""
    low, high = bounds.low[variable], bounds.high[variable]
    rows, width = low.shape
    groups = width // group
    own = np.kron(np.eye(groups), np.ones(group))  # (groups, width): which elements are in which group
    tangent, chord = (low + high)[:, None] * own / group, -(low + high)[:, None] * own / group
    asked = np.stack([tangent, chord], axis=1).reshape(rows * 2 * groups, width)
    found = lower(program, bounds, lines, variable, asked, np.repeat(np.arange(rows), 2 * groups)).value
    below, above = found.reshape(rows, 2, groups).swapaxes(0, 1)
    middle = (((low + high) / 2) ** 2).reshape(rows, groups, group).mean(2)
    ends = (low * high).reshape(rows, groups, group).mean(2)
    slack = 2.0**-40 * (middle + np.abs(ends) + np.maximum(low**2, high**2).reshape(rows, groups, group).mean(2))
    return below - middle - slack, -above - ends + slack


@dataclasses.dataclass(frozen=True)
class Lower:
    """Lower bounds of P linear functions."""

    value: Floats
    """(P,)"""
    slope: Floats
    """(P, n) coefficients of the inputs with which the bound was taken."""
    split: Rows
    """(P, 2): variable and element of the ReLU whose lines cost the bound most; −1 where none does."""


def lower(
    program: Program,
    bounds: Bounds,
    lines: Relaxations,
    variable: int,
    coefficients: Floats,
    row: Rows,
    inputs: Floats | None = None,
    *,
    costs: bool = False,
) -> Lower:
    """Lower bounds of linear functions of a variable over the boxes of their rows.

    Args:
        program: The program.
        bounds: Of all that the variable depends on.
        lines: Likewise.
        variable: The variable.
        coefficients: (P, width) one question each.
        row: (P,) the row of the program that each is about.
        inputs: (P, n) coefficients of the inputs in the same functions, if any.
        costs: Also find the ReLU to split.
    """
    widest = max(program.width(v) for v in range(variable + 1))
    size = max(1, CELLS // widest)
    parts = []
    for at in range(0, max(len(row), 1), size):
        piece = slice(at, at + size)
        given = {variable: coefficients[piece]}
        if inputs is not None:
            given[0] = inputs[piece] + given[0] if variable == 0 else inputs[piece]
        parts.append(_lower(program, bounds, lines, given, row[piece], costs=costs))
    return Lower(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(Lower)))


def _lower(
    program: Program, bounds: Bounds, lines: Relaxations, carried: dict[int, Floats], row: Rows, *, costs: bool
) -> Lower:
    total, dearest = np.zeros(len(row)), np.zeros(len(row))
    split = np.full((len(row), 2), -1, np.intp)
    for at in range(max(carried), 0, -1):
        a = carried.pop(at, None)
        if a is None:
            continue
        step = program.steps[at - 1]
        if isinstance(step, Linear):
            if step.bias.any():
                total += a @ step.bias[0] if len(step.bias) == 1 else np.einsum("pm,pm->p", a, step.bias[row])
            if step.roundings:
                total -= np.einsum("pm,pm->p", np.abs(a), bounds.errors[at][row])
            for source, linear, _ in step.terms:
                _carry(carried, source, linear.backward(a, row))
        elif isinstance(step, Relu):
            held = lines[at]
            assert isinstance(held, Lines)  # noqa: S101 - for the type checker
            falling = np.minimum(a, 0.0)
            if costs:
                loss = falling * held.shift[row]
                total += loss.sum(1)
                _dearest(loss, at, dearest, split)
            else:
                total += np.einsum("pm,pm->p", falling, held.shift[row])
            falling *= held.rise[row]
            back = a * held.lower[row]
            back += falling
            _carry(carried, step.source, back)
        else:
            shift, back = _through(lines[at], a, row, step)
            total += shift
            _carry(carried, step.source, back)
    a = carried.get(0)
    if a is None:
        return Lower(total, np.zeros((len(row), program.width(0))), split)
    middle, reach = (program.low + program.high) / 2, (program.high - program.low) / 2
    total += np.einsum("pm,pm->p", a, middle[row])
    total -= np.einsum("pm,pm->p", np.abs(a), reach[row])
    return Lower(total, a, split)


def _dearest(loss: Floats, at: int, dearest: Floats, split: Rows) -> None:
    """Remember the ReLU with the largest loss so far of each question."""
    column = loss.argmin(1)
    value = loss[np.arange(len(loss)), column]
    more = value < dearest
    dearest[more] = value[more]
    split[more, 0], split[more, 1] = at, column[more]


def _carry(carried: dict[int, Floats], source: int, a: Floats) -> None:
    carried[source] = carried[source] + a if source in carried else a


def relu_lines(low: Floats, high: Floats) -> Lines:
    """The lines around max(x, 0) for x in [low, high]."""
    open_ = (low < 0) & (high > 0)
    width = np.where(open_, high - low, 1.0)
    upper = np.where(open_, high / width, (low >= 0).astype(np.float64))
    shift = np.where(open_, -upper * low * (1 + 2.0**-40), 0.0)
    below = np.where(open_, (high > -low).astype(np.float64), upper)
    return Lines(below, upper - below, shift)


def _expansion(step: Normalise, bounds: Bounds) -> Expansion:
    known = interval.spread(step, bounds)
    middle, reach = (known.low + known.high) / 2, (known.high - known.low) / 2
    below, above = known.factor_low, known.factor_high
    factor = (below + above) / 2
    gap = reach * ((above - below) / 2)[..., None]
    size = np.maximum(np.abs(known.low), np.abs(known.high)) * above[..., None]
    gap = gap * (1 + 2.0**-40) + rounding(8) * size + interval.SMALLEST
    # s falls and is convex in the variance v: the tangent at v₀ is below it, the chord above. And v is convex in c:
    # below the chord of each square, above its tangent.
    variance = (middle**2).mean(2)
    value = 1.0 / np.sqrt(variance + step.epsilon)
    slope = -0.5 * value**3
    under = slope[..., None] * (known.low + known.high) / step.group
    chords = -(known.low * known.high).mean(2)
    under_shift = value + slope * (chords + known.error - variance) - 2.0**-40 * value
    width = known.variance_high - known.variance_low
    chord = np.where(width > 0, (below - above) / np.where(width > 0, width, 1.0), 0.0)
    over = chord[..., None] * 2 * middle / step.group
    over_shift = above + chord * (-variance - known.error - known.variance_low) + 2.0**-40 * above
    return Expansion(middle, factor, gap, under, under_shift, over, over_shift)


def _through(held: Lines | Expansion, a: Floats, row: Rows, step: Normalise) -> tuple[Floats, Floats]:
    """Carry coefficients back through a normalised layer: what is added, and the coefficients of c."""
    assert isinstance(held, Expansion)  # noqa: S101 - for the type checker
    grouped = a.reshape(len(a), -1, step.group)
    middle, factor = held.middle[row], held.factor[row]
    of_factor = (grouped * middle).sum(2)
    total = -(of_factor * factor).sum(1) - (np.abs(grouped) * held.gap[row]).sum((1, 2))
    rising, falling = np.maximum(of_factor, 0.0), np.minimum(of_factor, 0.0)
    total += (rising * held.under_shift[row] + falling * held.over_shift[row]).sum(1)
    back = grouped * factor[..., None]
    back += rising[..., None] * held.under[row] + falling[..., None] * held.over[row]
    return total, back.reshape(len(a), -1)
