"""The plots of the report: curves, intervals per group, matrices, bars. Each returns inline SVG.

All are drawn for a width at which their labels can be read on a telephone. Series differ by dash and marker as well as
by colour.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from model_cards import svg, text

WIDTH = 400.0
SQUARE = (58.0, 30.0, 386.0, 268.0)
"""Plotting area of the curves: left, top, right, bottom."""
MOST_POINTS = 300
HEADING = 23.0
"""Height of a heading between groups."""
LINE = 16.0
"""Height of a line of a label, with air."""
FOOT = 58.0
"""Room beneath an axis for its ticks and a title of two lines."""


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
    limit: float | None = None
    """A limit of its own: a tick on its row."""


@dataclasses.dataclass(frozen=True)
class Bar:
    """A number as a length."""

    name: str
    value: float
    shown: str
    evidence: str


@dataclasses.dataclass(frozen=True)
class Stack:
    """Counts one after the other as one bar."""

    name: str
    counts: tuple[int, ...]
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
    level: tuple[float, str] | None = None,
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
        level: A y at which to draw a horizontal line, and its words.
    """
    drawing, box = _canvas(legend=len(series) > 1)
    xs = [p[0] for s in series for p in s.points]
    ys = [p[1] for s in series for p in s.points] + [end for s in series for pair in s.band for end in pair]
    ys += [level[0]] if level else []
    axes = svg.Axes.within(box, x_range or svg.around(xs), y_range or svg.around(ys))
    axes.draw(drawing, x_label, y_label)
    if reference:
        start, end = axes.at(reference)
        drawing.line(start, end, "reference")
    if level:
        y = axes.y(level[0])
        drawing.line((axes.x.start, y), (axes.x.stop, y), "limit")
        above = series[0].points[-1][1] < level[0]
        drawing.text((axes.x.stop - 4, y - 5 if above else y + 14), level[1], "tick", anchor="end")
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


def logarithmic(
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    *,
    lowest: float,
    upright: tuple[float, str] | None = None,
) -> str:
    """Curves of shares over shares, both axes logarithmic up to one, with the diagonal.

    Args:
        series: The lines; the first is drawn last, on top.
        x_label: Axis title.
        y_label: Axis title.
        lowest: Where the axes begin; the power of ten below it is taken.
        upright: An x at which to draw a vertical line, and its words.
    """
    drawing, box = _canvas(legend=len(series) > 1)
    left, top, right, bottom = box
    start = 10.0 ** math.floor(math.log10(lowest) + 1e-9)
    axes = svg.Axes(svg.LogScale(start, 1.0, left, right), svg.LogScale(start, 1.0, bottom, top))
    axes.draw(drawing, x_label, y_label)
    drawing.line((left, bottom), (right, top), "reference")
    if upright:
        x = axes.x(upright[0])
        drawing.line((x, bottom), (x, top), "reference")
        drawing.text((x + 5, top + 10), upright[1], "tick")
    for index in reversed(range(len(series))):
        _line(drawing, axes, series[index], index)
    _legend(drawing, [s.name for s in series])
    return drawing.markup()


def calibration(series: Series, counts: Sequence[float], x_label: str, y_label: str, *, fewest: float = 0) -> str:
    """A reliability curve against the diagonal, with the number of rows in each bin as bars beneath.

    Args:
        series: (mean predicted probability, observed share) for each bin that holds rows.
        counts: Rows in each of those bins.
        x_label: Axis title.
        y_label: Axis title.
        fewest: Bins with fewer rows are drawn hollow.
    """
    drawing, box = _canvas(legend=False)
    axes = svg.Axes.within(box, (0, 1), (0, 1))
    axes.draw(drawing, x_label, y_label)
    start, end = axes.at(((0, 0), (1, 1)))
    drawing.line(start, end, "reference")
    most = max(counts, default=1) or 1
    for (x, _), rows in zip(series.points, counts, strict=True):
        height = 44 * rows / most
        with drawing.item(series.evidence, f"{text.count(rows)} rows in this bin"):
            drawing.rect((axes.x(x) - 5, axes.y.start - height), 10, height, "count")
    _line(drawing, axes, series, 0, hollow=[rows < fewest for rows in counts])
    return drawing.markup()


def intervals(
    blocks: Sequence[tuple[str, Sequence[Interval]]],
    x_label: str,
    *,
    unit_range: bool = True,
    lines: int = 2,
    upright: tuple[float, str] | None = None,
) -> str:
    """Values with intervals, one row for each group, in blocks with a heading.

    Args:
        blocks: (heading, groups) for each attribute.
        x_label: Axis title with unit.
        unit_range: The values are shares: the axis ends are held within 0 and 1.
        lines: Most lines of a group's name.
        upright: An x at which to draw a vertical line, and its words; the axis reaches it.
    """
    named = [(g.name, _rows(g)) for _, groups in blocks for g in groups]
    labels = [*(name + n for name, n in named), *(heading for heading, _ in blocks)]
    left, right, top = _margin(labels, 24), WIDTH - 14, 8.0
    steps = [[9.0 + 14 * len(_label(g.name, _rows(g), left - 24, lines)) for g in groups] for _, groups in blocks]
    bottom = top + HEADING * len(blocks) + sum(map(sum, steps)) + 4
    drawing = svg.Drawing(WIDTH, bottom + FOOT)
    ends = [e for _, groups in blocks for g in groups for e in (g.value, g.low, g.high, g.limit) if e is not None]
    ends += [upright[0]] if upright else []
    low, high = svg.around(ends)
    if unit_range and min(ends) >= 0 and max(ends) <= 1:
        low, high = max(low, 0.0), min(high, 1.0)
    scale = svg.Scale(low, high, left, right)
    _floor(drawing, scale, top, bottom, x_label)
    if upright:
        x = scale(upright[0])
        drawing.line((x, top), (x, bottom), "limit" if upright[1] else "reference")
        if upright[1]:
            before = x > (left + right) / 2
            drawing.text(
                (x - 5 if before else x + 5, top + 10), upright[1], "tick", anchor="end" if before else "start"
            )
    y = top
    for (heading, groups), own in zip(blocks, steps, strict=True):
        y += HEADING
        drawing.text((4, y - 7), svg.fit(heading, left - 8), "heading")
        for group, step in zip(groups, own, strict=True):
            y += step
            _whisker(drawing, scale, group, y - step / 2, lines)
    return drawing.markup()


def matrix(labels: Sequence[str], counts: Sequence[Sequence[float]], evidence: str) -> str:
    """A confusion matrix: rows are the true classes, columns the predicted ones; shade is the share of the row."""
    size = len(labels)
    left, room = 122.0, 270.0
    turned = size > 2 and any(svg.width(text.plain(label)) > room / size for label in labels)
    width = min(130.0, (room - 34 if turned else room) / size)
    top = 116.0 if turned else 60.0
    tight = " tight" if width < 40 else ""
    height = min(84.0, max(width, 34.0))
    drawing = svg.Drawing(WIDTH, top + size * height + 8)
    drawing.text((left + size * width / 2, 14), "Predicted class", "label", anchor="middle")
    drawing.text((14, top + size * height / 2), "True class", "label", anchor="middle", turn=-90)
    for i, row in enumerate(counts):
        y = top + i * height
        _row_name(drawing, (left - 8, y + height / 2), labels[i], max(2, int(height // LINE)))
        _column_name(drawing, (left + i * width, top), width, labels[i], turned=turned)
        for j, value in enumerate(row):
            corner = (left + j * width, y)
            title = f"true {labels[i]}, predicted {labels[j]}: {text.count(value)} rows"
            with drawing.item(f"{evidence}/{i}/{j}", title):
                drawing.rect(corner, width, height, "cell")
                drawing.rect(corner, width, height, "shade", opacity=0.6 * value / (sum(row) or 1))
                centre = (corner[0] + width / 2, y + height / 2 + 4)
                drawing.text(
                    centre, text.count(value), ("cellcount strong" if i == j else "cellcount") + tight, anchor="middle"
                )
    return drawing.markup()


def bars(rows: Sequence[Bar], x_label: str) -> str:
    """Horizontal bars from zero with the value written at their end."""
    left = _margin([r.name for r in rows], 12)
    right, top = WIDTH - 12 - max(svg.width(r.shown) for r in rows), 6.0
    step = 11.0 + 14 * max(len(_label(r.name, "", left - 12)) for r in rows)
    bottom = top + len(rows) * step + 2
    drawing = svg.Drawing(WIDTH, bottom + FOOT)
    scale = svg.Scale(0, max((r.value for r in rows), default=1) or 1, left, right)
    _floor(drawing, scale, top, bottom, x_label)
    for index, row in enumerate(rows):
        y = top + index * step
        with drawing.item(row.evidence, f"{row.name}: {row.shown}"):
            _stacked(drawing, (left - 8, y + step / 2), _label(row.name, "", left - 12))
            drawing.rect((left, y + step / 2 - 7.5), scale(row.value) - left, 15, "bar")
            drawing.text((scale(row.value) + 6, y + step / 2 + 4), row.shown, "tick")
    return drawing.markup()


def stacks(rows: Sequence[Stack], names: Sequence[str], x_label: str) -> str:
    """Horizontal bars made of counts; each part differs by shade, outline and the number in it.

    Args:
        rows: The bars; all have as many counts as there are names.
        names: What each part of a bar is, at most five.
        x_label: Axis title.
    """
    left, right, step = _margin([r.name for r in rows], 12), WIDTH - 14, 19.0
    spots = _spots(names)
    top = spots[-1][1] + 34
    drawing = svg.Drawing(WIDTH, top + len(rows) * step + FOOT)
    for index, (name, (x, y)) in enumerate(zip(names, spots, strict=True)):
        drawing.rect((x, y + 7), 13, 13, f"stack k{index}")
        drawing.text((x + 18, y + 18), name, "tick")
    scale = svg.Scale(0, max((sum(r.counts) for r in rows), default=1) or 1, left, right)
    _floor(drawing, scale, top, top + len(rows) * step, x_label)
    for index, row in enumerate(rows):
        y, before = top + index * step, 0
        shown = ", ".join(f"{count} {name}" for count, name in zip(row.counts, names, strict=True))
        with drawing.item(row.evidence, f"{row.name}: {shown}"):
            _stacked(drawing, (left - 8, y + step / 2), [svg.fit(row.name, left - 12)])
            for part, count in enumerate(row.counts):
                start, stop = scale(before), scale(before + count)
                if count:
                    drawing.rect((start, y + 2), stop - start, step - 4, f"stack k{part}")
                if stop - start > svg.width(str(count)) + 3:
                    drawing.text(((start + stop) / 2, y + step / 2 + 4), str(count), f"tick on{part}", anchor="middle")
                before += count
    return drawing.markup()


def _spots(names: Sequence[str]) -> list[svg.Point]:
    """Where the names of parts begin, on as many lines as their width needs."""
    spots: list[svg.Point] = []
    x, y = 8.0, 0.0
    for name in names:
        if spots and x + 18 + svg.width(name) > WIDTH:
            x, y = 8.0, y + 19
        spots.append((x, y))
        x += 34 + svg.width(name)
    return spots


def _canvas(*, legend: bool) -> tuple[svg.Drawing, tuple[float, float, float, float]]:
    """A drawing for curves and its plotting area; the names of several series stand above it."""
    left, top, right, bottom = SQUARE
    rise = 0.0 if legend else top - 10
    return svg.Drawing(WIDTH, bottom + FOOT - rise), (left, top - rise, right, bottom - rise)


def _line(drawing: svg.Drawing, axes: svg.Axes, series: Series, index: int, *, hollow: Sequence[bool] = ()) -> None:
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
            for number, point in enumerate(points):
                drawing.mark(point, f"mark {css}", index=index, hollow=bool(hollow) and hollow[number])


def _legend(drawing: svg.Drawing, names: Sequence[str]) -> None:
    if len(names) < 2:
        return
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
    drawing.axis_title(scale.start, scale.stop, bottom + 36, label)


def _margin(labels: Sequence[str], air: float) -> float:
    """Room for labels at the left, at most so much that the plot stays readable."""
    return min(200.0, air + max(svg.width(text.plain(label)) for label in labels))


def _label(name: str, rows: str, room: float, most: int = 2) -> list[str]:
    """A group's name and its rows on one line where there is room, else the name on up to `most` and the rows below."""
    if svg.width(text.plain(name) + rows) <= room:
        return [name + rows]
    return [*svg.wrapped(name, room, most), *([rows.strip(" ()")] if rows else [])]


def _stacked(drawing: svg.Drawing, at: svg.Point, lines: Sequence[str]) -> None:
    """Lines of a label to the left of a point, centred on it."""
    for index, line in enumerate(lines):
        drawing.text((at[0], at[1] + 4 + 14 * (index - (len(lines) - 1) / 2)), line, "tick", anchor="end")


def _rows(group: Interval) -> str:
    return "" if group.n is None else f" (n = {text.count(group.n)})"


def _whisker(drawing: svg.Drawing, scale: svg.Scale, group: Interval, y: float, lines: int) -> None:
    rows = _rows(group)
    shown = text.number(group.value)
    if group.low is not None and group.high is not None:
        shown += f" [{text.number(group.low)}, {text.number(group.high)}]"
    with drawing.item(group.evidence, f"{group.name}{rows}: {shown}"):
        _stacked(drawing, (scale.start - 12, y), _label(group.name, rows, scale.start - 24, lines))
        if group.low is not None and group.high is not None:
            low, high = scale(group.low), scale(group.high)
            drawing.line((low, y), (high, y), "whisker s0")
            for end in (low, high):
                drawing.line((end, y - 4), (end, y + 4), "whisker s0")
        if group.limit is not None:
            drawing.line((scale(group.limit), y - 9), (scale(group.limit), y + 9), "bound")
        drawing.mark((scale(group.value), y), "mark s0", hollow=group.small)


def _row_name(drawing: svg.Drawing, at: svg.Point, name: str, most: int) -> None:
    _stacked(drawing, at, svg.wrapped(name, at[0] - 24, most))


def _column_name(drawing: svg.Drawing, at: svg.Point, width: float, name: str, *, turned: bool) -> None:
    x, y = at[0] + width / 2, at[1] - 8
    if turned:
        drawing.text((x + 4, y), svg.fit(name, 96), "tick", turn=-60)
        return
    lines = svg.wrapped(name, width)
    for index, line in enumerate(lines):
        drawing.text((x, y - 14 * (len(lines) - 1 - index)), line, "tick", anchor="middle")


def thinned(points: Sequence[svg.Point]) -> Sequence[svg.Point]:
    """At most `MOST_POINTS` of the points, first and last always among them."""
    if len(points) <= MOST_POINTS:
        return points
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(i * step)] for i in range(MOST_POINTS)]
