"""Bounds of an output of a graph for many rows at once."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.certified import branch, crown
from checks.certified.graph import Graph
from checks.certified.lowering import Lowering
from checks.certified.program import Floats, Program


def bounds(
    network: Graph, output: str, x: npt.NDArray[Any], low: Floats, high: Floats, deadline: float
) -> tuple[Floats, Floats]:
    """Smallest and largest value of an output with one element, for each row.

    Args:
        network: The graph.
        output: Name of the output.
        x: (N, n) the rows.
        low: (N, n) smallest inputs.
        high: (N, n) largest inputs.
        deadline: `time.monotonic()` after which no further row is looked at.

    Returns:
        Two arrays (N,), infinite where nothing is claimed.

    Raises:
        UnsupportedError: The output depends on an operator that the certifier does not know.
    """
    lowering = Lowering(network, x, low, high)
    program = lowering.program(lowering.moving(output))
    least, most = np.full(len(x), -np.inf), np.full(len(x), np.inf)
    work = max(crown.cost(program), 1.0)
    size = max(1, min(len(x), int(branch.WORK / work)))
    for at in range(0, len(x) if work <= branch.MOST_WORK else 0, size):
        if time.monotonic() > deadline:
            break
        rows = np.arange(at, min(at + size, len(x)))
        least[rows], most[rows] = _bounds(program.take(rows))
    return least, most


def _bounds(program: Program) -> tuple[Floats, Floats]:
    known, lines = crown.bound(program)
    row = np.arange(len(program.low))
    asked = np.ones((len(row), 1))
    least = crown.lower(program, known, lines, program.last, asked, row).value
    most = -crown.lower(program, known, lines, program.last, -asked, row).value
    lost = program.broken | known.overflow()
    return (
        np.where(lost, -np.inf, np.maximum(least, known.low[program.last][:, 0])),
        np.where(lost, np.inf, np.minimum(most, known.high[program.last][:, 0])),
    )


def outward(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The box of float32 numbers around a box; NaN stays NaN."""
    down, up = low.astype(np.float32), high.astype(np.float32)
    down = np.where(down > low, np.nextafter(down, np.float32(-np.inf)), down)
    up = np.where(up < high, np.nextafter(up, np.float32(np.inf)), up)
    return down.astype(np.float64), up.astype(np.float64)
