"""The interval of a difference from two intervals alone: the distances to their bounds square and add.

The method asks for nothing but a valid interval of either number (MOVER: Zou and Donner 2008; for shares Newcombe
1998), so that it works where only records are left. It takes the two numbers as independent. Where the same rows were
measured twice they rise and fall together, and the interval then errs to the wide side.

Refs: Zou and Donner, Statist. Med. 27 (2008) 1693. Newcombe, Statist. Med. 17 (1998) 873.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from evidence import records

Floats = npt.NDArray[np.float64]
METHOD = "square and add of the two intervals, as of independent numbers (MOVER)"


def bounds(before: tuple[Floats, Floats, Floats], after: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Bounds of after less before, each given as (value, low, high) of any equal shape."""
    value = after[0] - before[0]
    low = value - np.hypot(after[0] - after[1], before[2] - before[0])
    high = value + np.hypot(after[2] - after[0], before[0] - before[1])
    return low, high


def stretch(level: float, wanted: float) -> float:
    """How much longer the distances to the bounds are at another level, as of a normal distribution."""
    quantiles = [float(special.ndtri(0.5 + at / 2)) for at in (level, wanted)]
    return quantiles[1] / quantiles[0]


def interval(before: records.Measure, after: records.Measure, level: float) -> records.Interval | None:
    """The interval of after less before at a level; None where either number has no interval or no value.

    An interval at another level is stretched to the wanted one.
    """
    sides = []
    for measure in (before, after):
        if measure.value is None or measure.interval is None:
            return None
        factor = stretch(measure.interval.level, level)
        reach = (measure.value - measure.interval.low) * factor, (measure.interval.high - measure.value) * factor
        sides.append((measure.value, measure.value - reach[0], measure.value + reach[1]))
    low, high = bounds(*(tuple(np.float64(end) for end in side) for side in sides))  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    levels = sorted({m.interval.level for m in (before, after) if m.interval is not None} - {level})
    other = f", stretched from {' and '.join(f'{100 * found:g} %' for found in levels)}" if levels else ""
    return records.Interval(low=float(low), high=float(high), level=level, method=METHOD + other)
