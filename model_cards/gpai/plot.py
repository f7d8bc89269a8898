"""Numbers of very different size on one logarithmic line, each on a row of its own, as inline SVG."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from model_cards import svg, text

WIDTH, LEFT, RIGHT, STEP, TOP, FOOT = 400.0, 150.0, 384.0, 26.0, 10.0, 52.0


@dataclasses.dataclass(frozen=True)
class Mark:
    """A positive number with its name."""

    name: str
    value: float
    evidence: str
    low: float | None = None
    """Lower end of what is known of it; a line leads from there."""
    own: bool = False
    """Is it the number that the others are there for?"""


def powers(rows: Sequence[Mark], x_label: str) -> str:
    """One row for each number over powers of ten; the number that the others are there for is filled.

    Args:
        rows: The numbers.
        x_label: Axis title with unit.
    """
    ends = [end for row in rows for end in (row.value, row.low) if end]
    low, high = math.floor(math.log10(min(ends)) - 0.2), math.ceil(math.log10(max(ends)) + 0.2)
    scale = svg.LogScale(10.0**low, 10.0**high, LEFT, RIGHT)
    bottom = TOP + STEP * len(rows)
    drawing = svg.Drawing(WIDTH, bottom + FOOT)
    between = max(1, math.ceil((high - low) / 6))
    for power in range(low, high + 1, between):
        x = scale(10.0**power)
        drawing.line((x, TOP), (x, bottom), "grid")
        drawing.text((x, bottom + 16), text.magnitude(10.0**power), "tick", anchor="middle")
    drawing.line((LEFT, bottom), (RIGHT, bottom), "axis")
    drawing.axis_title(LEFT, RIGHT, bottom + 36, x_label)
    for index, row in enumerate(rows):
        y = TOP + STEP * (index + 0.5)
        with drawing.item(row.evidence, f"{row.name}: {text.figures(row.value)}"):
            drawing.text((LEFT - 10, y + 4), svg.fit(row.name, LEFT - 16), "tick", anchor="end")
            if row.low:
                drawing.line((scale(row.low), y), (scale(row.value), y), "whisker s0")
            drawing.mark((scale(row.value), y), "mark s0", hollow=not row.own)
            before = scale(row.value) > (LEFT + RIGHT) / 2
            at = scale(row.value) + (-9 if before else 9)
            drawing.text((at, y + 4), text.figures(row.value), "tick", anchor="end" if before else "start")
    return drawing.markup()
