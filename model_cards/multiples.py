"""Many small plots on common axes: how a score falls under each test, side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from model_cards import figures, svg, text

COLUMNS = 2
LEFT, GAP, RIGHT = 36.0, 20.0, 8.0
HEAD, PLOT, FOOT = 34.0, 84.0, 60.0
"""Heights of a panel: its title, its plotting area, its axis with three lines of title."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """One curve of growing severity."""

    title: str
    x_label: str
    points: Sequence[svg.Point]
    evidence: str
    band: Sequence[svg.Point] = ()
    """Interval (low, high) at each point, or empty."""
    threshold: float | None = None
    crossing: tuple[float, float, float] | None = None
    """Where the curve falls below the threshold: severity, and the ends of its interval."""
    clean: float | None = None
    """Score on unchanged inputs: a thin line."""


def draw(panels: Sequence[Panel], y_label: str, y_range: tuple[float, float]) -> str:
    """The panels in rows, all with the same vertical axis.

    Args:
        panels: In reading order.
        y_label: Title of the common vertical axis.
        y_range: Its ends; what lies outside is drawn at the edge.
    """
    rows = -(-len(panels) // COLUMNS)
    tall = HEAD + PLOT + FOOT
    drawing = svg.Drawing(figures.WIDTH, 18 + rows * tall)
    drawing.text((2, 12), y_label, "label")
    wide = (figures.WIDTH - LEFT - RIGHT - (COLUMNS - 1) * (GAP + LEFT)) / COLUMNS
    for index, panel in enumerate(panels):
        left = LEFT + (index % COLUMNS) * (wide + GAP + LEFT)
        top = 18 + (index // COLUMNS) * tall + HEAD
        _panel(drawing, panel, (left, top, left + wide, top + PLOT), y_range)
    return drawing.markup()


def _panel(
    drawing: svg.Drawing, panel: Panel, box: tuple[float, float, float, float], y_range: tuple[float, float]
) -> None:
    left, top, right, bottom = box
    axes = svg.Axes.within(box, (0, max(p[0] for p in panel.points)), y_range)
    lines = svg.wrapped(panel.title, right - left + LEFT)
    for index, line in enumerate(lines):
        drawing.text((left - LEFT + 6, top - 8 - 14 * (len(lines) - 1 - index)), line, "heading")
    for tick in axes.y.ticks(3):
        drawing.line((left, axes.y(tick)), (right, axes.y(tick)), "grid")
        drawing.text((left - 5, axes.y(tick) + 4), svg.text_of_tick(tick), "tick", anchor="end")
    for tick in axes.x.ticks(3):
        drawing.line((axes.x(tick), bottom), (axes.x(tick), bottom + 3), "axis")
        drawing.text((axes.x(tick), bottom + 15), svg.text_of_tick(tick), "tick", anchor="middle")
    drawing.line((left, bottom), (right, bottom), "axis")
    for index, line in enumerate(svg.wrapped(panel.x_label, right - left + 30, 3)):
        drawing.text(((left + right) / 2, bottom + 29 + 13 * index), line, "tick", anchor="middle")
    if panel.clean is not None:
        drawing.line((left, axes.y(panel.clean)), (right, axes.y(panel.clean)), "reference")
    if panel.threshold is not None:
        drawing.line((left, axes.y(panel.threshold)), (right, axes.y(panel.threshold)), "limit")
    if panel.crossing:
        at, low, high = (axes.x(x) for x in panel.crossing)
        drawing.rect((low, top), high - low, bottom - top, "count")
        drawing.line((at, top), (at, bottom), "limit")
    _curve(drawing, axes, panel)


def _curve(drawing: svg.Drawing, axes: svg.Axes, panel: Panel) -> None:
    last = panel.points[-1]
    shown = f"{panel.title}: {text.number(last[1])} at {text.exact(last[0])}"
    with drawing.item(panel.evidence, shown):
        if panel.band:
            uppers = [(axes.x(p[0]), axes.y(b[1])) for p, b in zip(panel.points, panel.band, strict=True)]
            lowers = [(axes.x(p[0]), axes.y(b[0])) for p, b in zip(panel.points, panel.band, strict=True)]
            drawing.path([*uppers, *reversed(lowers)], "band s0", closed=True)
        drawing.path(axes.at(panel.points), "line s0")
        for point in axes.at(panel.points):
            drawing.mark(point, "mark s0")
