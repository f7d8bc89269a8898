"""Vector drawing: escaped elements, linear scales, axes. Knows nothing about models or evidence.

Colours, fonts and dashes come from the classes of the page's style sheet, so that a drawing follows light, dark and
print. The same calls give the same bytes everywhere, which a plotting library does not promise between its versions;
an approval is bound to those bytes.
"""

from __future__ import annotations

import dataclasses
import html
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from model_cards import text

Point = tuple[float, float]

CHARACTER = 7.1
"""Mean width of a character at the size of labels, in units of the drawing. Errs on the wide side."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """A linear map from values to positions."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Position of a value; values outside are held at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values within the scale, about as many as wanted, fewer where there is no room for their labels."""
        wanted = max(1, min(wanted, int(abs(self.stop - self.start) / 42)))
        rough = (self.high - self.low) / wanted
        power: float = 10.0 ** math.floor(math.log10(rough))
        steps = sorted((power * factor for factor in (0.5, 1, 2, 5, 10)), key=lambda step: abs(step - rough))
        found = [self._multiples(step) for step in steps]
        return next(ticks for ticks in found if len(ticks) > 1)

    def _multiples(self, step: float) -> list[float]:
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]


@dataclasses.dataclass(frozen=True)
class LogScale(Scale):
    """A logarithmic map; both ends are positive."""

    def __call__(self, value: float) -> float:
        """Position of a value; zero and values outside are held at the edge."""
        inside = min(max(value, self.low), self.high)
        share = math.log(inside / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Powers of ten within the scale."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return [float(f"1e{power}") for power in range(first, last + 1)]


def around(values: Sequence[float], *, low: float | None = None, high: float | None = None) -> tuple[float, float]:
    """A range that holds the values with some air; a fixed end has none. Never empty."""
    bottom, top = min(values), max(values)
    air = (top - bottom) * 0.06 or abs(top) * 0.1 or 1.0
    return (bottom - air if low is None else low, top + air if high is None else high)


_NARROW, _WIDE, _WIDEST = frozenset("iljtfrI.,:;'|()[]! "), frozenset("<>=×+w%&@~"), frozenset("mMW")


def width(label: str) -> float:
    """Width of a label at the size of ticks, in units of the drawing. Errs on the wide side."""
    found = 0.0
    for c in label:
        if c in _NARROW:
            found += 4.7
        elif c in _WIDEST:
            found += 11.4
        elif c in _WIDE or c.isupper() or ord(c) > 0x2000:
            found += 9.7 if c in _WIDE else 8.6
        else:
            found += 7.4 if c.isdigit() else CHARACTER
    return found


def fit(label: str, room: float) -> str:
    """A label shortened to a width, with an ellipsis where something is left out; three characters at least."""
    label = text.plain(label)
    if width(label) <= room + 0.01:
        return label
    kept = label[:-1]
    while len(kept) > 2 and width(kept) + CHARACTER > room + 0.01:
        kept = kept[:-1]
    return f"{kept}…" if len(label) > 3 else label


def wrapped(label: str, room: float, most: int = 2) -> list[str]:
    """A label in at most so many lines of a width, broken between words, the last one shortened."""
    lines: list[str] = []
    for word in text.plain(label).split():
        if lines and width(f"{lines[-1]} {word}") <= room + 0.01:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    kept = [*lines[: most - 1], " ".join(lines[most - 1 :])] if len(lines) > most else lines
    return [fit(line, room) for line in kept]


class Drawing:
    """Collects elements, top left is (0, 0)."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._items: list[str] = []

    def line(self, start: Point, end: Point, css: str) -> None:
        """A straight line."""
        self._items.append(
            f'<line x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}" class="{css}"/>'
        )

    def path(self, points: Sequence[Point], css: str, *, closed: bool = False) -> None:
        """A line through points, or a closed area."""
        steps = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self._items.append(f'<path d="M{steps}{"Z" if closed else ""}" class="{css}"/>')

    def rect(self, corner: Point, width: float, height: float, css: str, *, opacity: float | None = None) -> None:
        """A rectangle from its top left corner."""
        shade = "" if opacity is None else f' fill-opacity="{_n(opacity)}"'
        self._items.append(
            f'<rect x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
            f'class="{css}"{shade}/>'
        )

    def mark(self, centre: Point, css: str, *, hollow: bool = False, index: int = 0) -> None:
        """A marker: circle, square or diamond by index, so that series differ without colour."""
        x, y = centre
        css = f"{css} hollow" if hollow else css
        if index % 3 == 0:
            self._items.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3.6" class="{css}"/>')
        else:
            turn = f' transform="rotate(45 {_n(x)} {_n(y)})"' if index % 3 == 2 else ""
            self._items.append(
                f'<rect x="{_n(x - 3.2)}" y="{_n(y - 3.2)}" width="6.4" height="6.4" class="{css}"{turn}/>'
            )

    def text(self, at: Point, words: str, css: str = "", *, anchor: str = "start", turn: float = 0) -> None:
        """Words at a baseline point."""
        rotation = f' transform="rotate({_n(turn)} {_n(at[0])} {_n(at[1])})"' if turn else ""
        look = f' class="{css}"' if css else ""
        side = f' text-anchor="{anchor}"' if anchor != "start" else ""
        self._items.append(
            f'<text x="{_n(at[0])}" y="{_n(at[1])}"{look}{side}{rotation}>{html.escape(text.plain(words))}</text>'
        )

    def axis_title(self, start: float, stop: float, y: float, words: str) -> None:
        """Words beneath a horizontal axis: no wider than it, on two lines where one is too short."""
        for index, line in enumerate(wrapped(words, stop - start)):
            self.text(((start + stop) / 2, y + 14 * index), line, "label", anchor="middle")

    @contextmanager
    def item(self, evidence: str, title: str) -> Iterator[None]:
        """Elements that show one piece of evidence; the title appears on pointing at them."""
        words = html.escape(text.plain(title))
        self._items.append(f'<g data-evidence="{html.escape(evidence)}"><title>{words}</title>')
        yield
        self._items.append("</g>")

    def markup(self) -> str:
        """The inline SVG. Its words for those who cannot see it stand in the page, beside it."""
        return (
            f'<svg class="plot" viewBox="0 0 {_n(self.width)} {_n(self.height)}" aria-hidden="true" focusable="false">'
            + "".join(self._items)
            + "</svg>"
        )


@dataclasses.dataclass(frozen=True)
class Axes:
    """A plotting area with its two scales."""

    x: Scale
    y: Scale

    @classmethod
    def within(cls, box: tuple[float, float, float, float], x: tuple[float, float], y: tuple[float, float]) -> Axes:
        """Axes in the box (left, top, right, bottom) for these ranges."""
        left, top, right, bottom = box
        return cls(Scale(*x, left, right), Scale(*y, bottom, top))

    def draw(self, drawing: Drawing, x_label: str, y_label: str) -> None:
        """Grid, tick labels and axis titles."""
        left, right, bottom, top = self.x.start, self.x.stop, self.y.start, self.y.stop
        for tick in self.y.ticks():
            y = self.y(tick)
            drawing.line((left, y), (right, y), "grid")
            drawing.text((left - 6, y + 4), text_of_tick(tick), "tick", anchor="end")
        for tick in self.x.ticks():
            x = self.x(tick)
            drawing.line((x, bottom), (x, bottom + 4), "axis")
            drawing.text((x, bottom + 17), text_of_tick(tick), "tick", anchor="middle")
        drawing.line((left, bottom), (right, bottom), "axis")
        drawing.axis_title(left, right, bottom + 35, x_label)
        side = (left - 44, (top + bottom) / 2)
        drawing.text(side, fit(y_label, bottom - top + 20), "label", anchor="middle", turn=-90)

    def at(self, points: Sequence[Point]) -> list[Point]:
        """Positions of points."""
        return [(self.x(x), self.y(y)) for x, y in points]


def text_of_tick(value: float) -> str:
    """A tick's number without digits that say nothing."""
    if abs(value) >= 10_000:
        return f"{value / 1000:,.12g}k".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def _n(value: float) -> str:
    """A coordinate with two decimals at most."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
