"""The plots of the report: curves, intervals per group, matrices, bars. Each returns inline SVG.

All are drawn for a width at which their labels can be read on a telephone. Series differ by dash and marker as well as
by colour.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from model_cards import svg, text

WIDTH = 400.0
SQUARE = (58.0, 30.0, 386.0, 268.0)
"""Plotting area of the curves: left, top, right, bottom."""
MOST_POINTS = 300


@dataclasses.dataclass(frozen=True)
class Series:
    """A named line."""

    name: str
    points: Sequence[svg.Point]
    evidence: str
    band: Sequence[tuple[float, float]] = ()
    """Interval (low, high) at each point, or empty."""
    marks: bool = False
    whiskers: bool = False
    """Draw the intervals as whiskers instead of a band."""


@dataclasses.dataclass(frozen=True)
class Interval:
    """A value with its interval, for one group."""

    name: str
    value: float
    low: float | None
    high: float | None
    evidence: str
    n: int | None = None
    small: bool = False
    """Too small a group to be judged: drawn hollow."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """A number as a length."""

    name: str
    value: float
    shown: str
    evidence: str


def curves(
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    reference: tuple[svg.Point, svg.Point] | None = None,
    upright: tuple[float, str] | None = None,
) -> str:
    """Lines over a common axis.

    Args:
        series: The lines; the first is drawn last, on top.
        x_label: Axis title with unit.
        y_label: Axis title with unit.
        x_range: Ends of the axis; by default around the points.
        y_range: The same.
        reference: A thin line between two points, such as chance level.
        upright: An x at which to draw a vertical line, and its words.
    """
    drawing = svg.Drawing(WIDTH, 312)
    xs = [p[0] for s in series for p in s.points]
    ys = [p[1] for s in series for p in s.points] + [end for s in series for pair in s.band for end in pair]
    axes = svg.Axes.within(SQUARE, x_range or svg.around(xs), y_range or svg.around(ys))
    axes.draw(drawing, x_label, y_label)
    if reference:
        start, end = axes.at(reference)
        drawing.line(start, end, "reference")
    if upright:
        x = axes.x(upright[0])
        drawing.line((x, axes.y.start), (x, axes.y.stop), "reference")
        left = x > (axes.x.start + axes.x.stop) / 2
        at = (x - 5 if left else x + 5, axes.y.stop + 10)
        drawing.text(at, upright[1], "tick", anchor="end" if left else "start")
    for index in reversed(range(len(series))):
        _line(drawing, axes, series[index], index)
    _legend(drawing, [s.name for s in series])
    return drawing.markup()


def calibration(series: Series, counts: Sequence[float], x_label: str, y_label: str) -> str:
    """A reliability curve against the diagonal, with the number of rows in each bin as bars beneath.

    Args:
        series: (mean predicted probability, observed share) for each bin that holds rows.
        counts: Rows in each of those bins.
        x_label: Axis title.
        y_label: Axis title.
    """
    drawing = svg.Drawing(WIDTH, 312)
    left, top, right, bottom = SQUARE
    axes = svg.Axes.within((left, top, right, bottom), (0, 1), (0, 1))
    axes.draw(drawing, x_label, y_label)
    start, end = axes.at(((0, 0), (1, 1)))
    drawing.line(start, end, "reference")
    most = max(counts, default=1) or 1
    for (x, _), rows in zip(series.points, counts, strict=True):
        height = 44 * rows / most
        with drawing.item(series.evidence, f"{text.count(rows)} rows in this bin"):
            drawing.rect((axes.x(x) - 5, bottom - height), 10, height, "count")
    _line(drawing, axes, series, 0)
    _legend(drawing, [series.name])
    return drawing.markup()


def intervals(
    blocks: Sequence[tuple[str, Sequence[Interval]]],
    x_label: str,
    *,
    unit_range: bool = True,
) -> str:
    """Values with intervals, one row for each group, in blocks with a heading.

    Args:
        blocks: (heading, groups) for each attribute.
        x_label: Axis title with unit.
        unit_range: The values are shares: the axis ends are held within 0 and 1.
    """
    rows = sum(1 + len(groups) for _, groups in blocks)
    left, right, top, step = 168.0, WIDTH - 14, 8.0, 23.0
    bottom = top + rows * step + 4
    drawing = svg.Drawing(WIDTH, bottom + 44)
    ends = [e for _, groups in blocks for g in groups for e in (g.value, g.low, g.high) if e is not None]
    low, high = svg.around(ends)
    if unit_range and min(ends) >= 0 and max(ends) <= 1:
        low, high = max(low, 0.0), min(high, 1.0)
    scale = svg.Scale(low, high, left, right)
    _floor(drawing, scale, top, bottom, x_label)
    y = top
    for heading, groups in blocks:
        y += step
        drawing.text((4, y - 7), svg.fit(heading, left - 8), "heading")
        for group in groups:
            y += step
            _whisker(drawing, scale, group, y - step / 2)
    return drawing.markup()


def matrix(labels: Sequence[str], counts: Sequence[Sequence[float]], evidence: str) -> str:
    """A confusion matrix: rows are the true classes, columns the predicted ones; shade is the share of the row."""
    size = len(labels)
    left, top = 118.0, 96.0 if size > 2 else 56.0
    cell = min(92.0, (WIDTH - left - 12) / size)
    drawing = svg.Drawing(WIDTH, top + size * cell + 12)
    drawing.text((left + size * cell / 2, 14), "Predicted class", "label", anchor="middle")
    drawing.text((12, top + size * cell / 2), "True class", "label", anchor="middle", turn=-90)
    for i, row in enumerate(counts):
        y = top + i * cell
        drawing.text((left - 8, y + cell / 2 + 4), svg.fit(labels[i], left - 32), "tick", anchor="end")
        _column_name(drawing, (left + i * cell, top), cell, labels[i], upright=size > 2)
        total = sum(row) or 1
        for j, value in enumerate(row):
            x = left + j * cell
            title = f"true {labels[i]}, predicted {labels[j]}: {text.count(value)} rows"
            with drawing.item(f"{evidence}/{i}/{j}", title):
                drawing.rect((x, y), cell, cell, "cell")
                drawing.rect((x, y), cell, cell, "shade", opacity=0.6 * value / total)
                css = "cellcount strong" if i == j else "cellcount"
                drawing.text((x + cell / 2, y + cell / 2 + 4), text.count(value), css, anchor="middle")
    return drawing.markup()


def bars(rows: Sequence[Bar], x_label: str) -> str:
    """Horizontal bars from zero with the value written at their end."""
    left, right, top, step = 142.0, WIDTH - 92, 6.0, 25.0
    bottom = top + len(rows) * step + 2
    drawing = svg.Drawing(WIDTH, bottom + 44)
    scale = svg.Scale(0, max((r.value for r in rows), default=1) or 1, left, right)
    _floor(drawing, scale, top, bottom, x_label)
    for index, row in enumerate(rows):
        y = top + index * step
        with drawing.item(row.evidence, f"{row.name}: {row.shown}"):
            drawing.text((left - 8, y + step / 2 + 4), svg.fit(row.name, left - 12), "tick", anchor="end")
            drawing.rect((left, y + 5), scale(row.value) - left, step - 10, "bar")
            drawing.text((scale(row.value) + 6, y + step / 2 + 4), row.shown, "tick")
    return drawing.markup()


def _line(drawing: svg.Drawing, axes: svg.Axes, series: Series, index: int) -> None:
    css = f"s{index % 4}"
    points = axes.at(thinned(series.points))
    with drawing.item(series.evidence, series.name):
        if series.band and not series.whiskers:
            uppers = [(axes.x(p[0]), axes.y(b[1])) for p, b in zip(series.points, series.band, strict=True)]
            lowers = [(axes.x(p[0]), axes.y(b[0])) for p, b in zip(series.points, series.band, strict=True)]
            drawing.path([*uppers, *reversed(lowers)], f"band {css}", closed=True)
        if series.whiskers:
            for (x, _), (low, high) in zip(series.points, series.band, strict=True):
                drawing.line((axes.x(x), axes.y(low)), (axes.x(x), axes.y(high)), f"whisker {css}")
        drawing.path(points, f"line {css}")
        if series.marks:
            for point in points:
                drawing.mark(point, f"mark {css}", index=index)


def _legend(drawing: svg.Drawing, names: Sequence[str]) -> None:
    x = SQUARE[0]
    for index, name in enumerate(names):
        label = svg.fit(name, (WIDTH - SQUARE[0]) / len(names) - 40)
        drawing.line((x, 14), (x + 22, 14), f"line s{index % 4}")
        drawing.text((x + 28, 18), label, "tick")
        x += 46 + svg.CHARACTER * len(label)


def _floor(drawing: svg.Drawing, scale: svg.Scale, top: float, bottom: float, label: str) -> None:
    for tick in scale.ticks(4):
        x = scale(tick)
        drawing.line((x, top), (x, bottom), "grid")
        drawing.text((x, bottom + 16), svg.text_of_tick(tick), "tick", anchor="middle")
    drawing.line((scale.start, bottom), (scale.stop, bottom), "axis")
    drawing.text(((scale.start + scale.stop) / 2, bottom + 36), svg.fit(label, WIDTH - 40), "label", anchor="middle")


def _whisker(drawing: svg.Drawing, scale: svg.Scale, group: Interval, y: float) -> None:
    rows = "" if group.n is None else f" (n = {text.count(group.n)})"
    shown = text.number(group.value)
    if group.low is not None and group.high is not None:
        shown += f" [{text.number(group.low)}, {text.number(group.high)}]"
    with drawing.item(group.evidence, f"{group.name}{rows}: {shown}"):
        room = scale.start - 24 - svg.CHARACTER * len(rows)
        drawing.text((scale.start - 12, y + 4), svg.fit(group.name, room) + rows, "tick", anchor="end")
        if group.low is not None and group.high is not None:
            low, high = scale(group.low), scale(group.high)
            drawing.line((low, y), (high, y), "whisker s0")
            for end in (low, high):
                drawing.line((end, y - 4), (end, y + 4), "whisker s0")
        drawing.mark((scale(group.value), y), "mark s0", hollow=group.small)


def _column_name(drawing: svg.Drawing, at: svg.Point, cell: float, name: str, *, upright: bool) -> None:
    x, y = at[0] + cell / 2, at[1] - 8
    if upright:
        drawing.text((x + 4, y), svg.fit(name, 76), "tick", turn=-60)
    else:
        drawing.text((x, y), svg.fit(name, cell + 10), "tick", anchor="middle")


def thinned(points: Sequence[svg.Point]) -> Sequence[svg.Point]:
    """At most `MOST_POINTS` of the points, first and last always among them."""
    if len(points) <= MOST_POINTS:
        return points
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(i * step)] for i in range(MOST_POINTS)]
