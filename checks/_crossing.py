"""At which severity a curve falls below what the policy asks, with an interval from the curve's own band.

Between measured severities the curve and its band are straight lines. The severities at which the band holds the
threshold are those that the data do not rule out as the point of crossing: as each interval holds the true value at its
level, the severity at which the true (piecewise linear) curve meets the threshold lies among them at that level. The
first such severity is where the lower edge of the band meets the threshold, the last where the upper edge does.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

Points = Sequence[tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Crossing:
    """Where a curve falls below a threshold. None: not within the measured severities."""

    threshold: float
    at: float | None
    """Severity at which the curve itself does; 0 where it lies below from the start."""
    low: float | None
    """Severity at which the lower edge of the band does: before it, the data say that the threshold holds."""
    high: float | None
    """Severity at which the upper edge does: beyond it, the data say that the threshold is missed."""
    most: float
    """Largest measured severity."""
    banded: bool = True
    """Has every point an interval?"""

    @property
    def words(self) -> str:
        """One clause for reasons: `falls below 0.8 at severity 0.27, by its interval between severity 0.2 and 0.34`."""
        asked, largest = f"{self.threshold:g}", f"{self.most:g}, the largest measured"
        if self.at is None:
            stays = f"stays above {asked} up to severity {largest}"
            return stays if self.low is None else f"{stays}, though its interval reaches below from {self.low:.2g} on"
        if self.at == 0:
            below = f"below {asked} already on unchanged inputs"
            if not self.banded or self.high == 0:
                return below
            end = largest if self.high is None else f"{self.high:.2g} only"
            return f"{below}, though its interval reaches {asked} up to severity {end}"
        falls = f"falls below {asked} at severity {self.at:.2g}"
        if not self.banded:
            return falls
        start = f"{self.low or 0:.2g}"
        if self.high is None:
            return f"{falls}, by its interval at {start} or later, perhaps beyond {largest}"
        return f"{falls}, by its interval between severity {start} and {self.high:.2g}"

    def detail(self) -> dict[str, object]:
        """For `details`."""
        return {
            "threshold": self.threshold,
            "at": self.at,
            "low": self.low,
            "high": self.high,
            "words": self.words,
        }


def of(curve: Sequence[dict[str, float | None]], threshold: float) -> Crossing | None:
    """The crossing of a curve that begins at severity 0.

    Args:
        curve: Points with `severity`, `value`, `low`, `high`, ascending in severity.
        threshold: What the policy asks at least.

    Returns:
        None where a value is undefined, or where there are fewer than two points.
    """
    if len(curve) < 2 or any(p["value"] is None for p in curve):
        return None
    banded = all(p["low"] is not None and p["high"] is not None for p in curve)
    value, low, high = (
        first_below([(p["severity"], p[key]) for p in curve], threshold) if key == "value" or banded else None
        for key in ("value", "low", "high")
    )
    return Crossing(threshold, value, low, high, float(curve[-1]["severity"] or 0), banded)


def first_below(points: Points, threshold: float) -> float | None:
    """The first x at which straight lines between the points (x, y) fall below the threshold, or None."""
    if points[0][1] < threshold:
        return float(points[0][0])
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if y1 < threshold:
            return float(x0 + (x1 - x0) * (y0 - threshold) / (y0 - y1))
    return None
