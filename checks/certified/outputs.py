"""Bounds of an output of a graph for many rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from checks.certified import crown
from checks.certified.graph import Graph
from checks.certified.lowering import Lowering
from checks.certified.program import Floats


def bounds(network: Graph, output: str, x: npt.NDArray[Any], low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Smallest and largest value of an output with one element, for each row.

    Args:
        network: The graph.
        output: Name of the output.
        x: (N, n) the rows.
        low: (N, n) smallest inputs.
        high: (N, n) largest inputs.

    Returns:
        Two arrays (N,), infinite where nothing is claimed.

    Raises:
        UnsupportedError: The output depends on an operator that the certifier does not know.
    """
    lowering = Lowering(network, x, low, high)
    program = lowering.program(lowering.moving(output))
    known, lines = crown.bound(program)
    row = np.arange(len(x))
    if len(row) == 0:
        return np.zeros(0), np.zeros(0)
    asked = np.ones((len(x), 1))
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
