"""Intervals of means whose rows have a long right tail: errors, squared errors, losses.

A percentile bootstrap of the mean of strongly skewed values ends too low, because a sample rarely holds the few rows
that make the mean large: of squared lognormal errors it covers 52 % instead of 95 % with 30 rows, 83 % with 1,000. Two
things are done about it. The bootstrap is studentised on the logarithmic scale, so that a replicate without large rows
counts with its small standard error. And the largest units (rows, or entities) are not drawn again as they are: drawn
is what lies in the same part of a lognormal tail that is fitted to them, beyond the largest unit seen as well. A unit
that is drawn from the tail keeps its shape; its errors are stretched.

What the tail is worth is a guess that the rows support, and no more: with an infinite variance, or a few dozen rows of
a very long tail, no interval of a mean can hold at its level (Bahadur and Savage 1956). `docs/metrics.md` says how far
these do.

Refs: Hall, Ann. Stat. 16 (1988) 927 (percentile-t). Davidson and Flachaire, J. Econometrics 141 (2007) 141
(semi-parametric tail).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import intervals
from evidence import records

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

SHARE = 3.0
"""The tail is fitted to that many times the square root of the number of units."""
FEWEST = 5
"""Units in the tail at least; with fewer positive ones there is none."""
STEEPEST = 3.0
"""Largest standard deviation of the logarithm in a tail. The mean of a longer one is known to nobody."""


@dataclasses.dataclass(frozen=True)
class Tail:
    """The largest units, in rising order, and the lognormal tail that is fitted to them."""

    units: Places
    """(k,) which they are."""
    sizes: Floats
    """(k,) how large they are."""
    total: int
    """Number of all units."""
    anchor: float
    slope: float
    """A tail unit of probability p has the size exp(anchor + slope times the normal quantile of p)."""

    def drawn(self, rng: np.random.Generator, which: Places) -> Floats:
        """How far each drawn tail unit (m,), given by its place in `units`, is stretched: anew, in its part."""
        share = (self.total - len(self.units) + which + rng.random(len(which))) / self.total
        quantile = special.ndtri(np.minimum(share, 1 - 1e-12))
        found: Floats = np.exp(self.anchor + self.slope * quantile - np.log(self.sizes[which]))
        return found

    def expected(self) -> tuple[Floats, Floats]:
        """Mean and mean square of each tail unit's stretch, each (k,): those of its part of the lognormal."""
        edges = special.ndtri(np.arange(self.total - len(self.units), self.total + 1) / self.total)
        first, second = (
            np.exp(power * (self.anchor - np.log(self.sizes)) + (power * self.slope) ** 2 / 2)
            * (-self.total * np.diff(special.ndtr(power * self.slope - edges)))
            for power in (1, 2)
        )
        return first, second


def tail(sizes: Floats) -> Tail | None:
    """Fit the tail to sizes (units,) of 0 or more; None where too few are positive.

    The slope is that of the logarithms against normal scores, raised by its own relative error: too light a tail ends
    too low, too heavy a one costs width only.
    """
    total = len(sizes)
    most = min(total // 2, max(FEWEST, round(SHARE * np.sqrt(total))), int((sizes > 0).sum()))
    if most < FEWEST:
        return None
    units = np.argsort(sizes, kind="stable")[total - most :]
    scores = special.ndtri((np.arange(total - most, total) + 0.625) / (total + 0.25))
    logs, centred = np.log(sizes[units]), scores - scores.mean()
    slope = float(centred @ logs / (centred @ centred)) * (1 + 1 / np.sqrt(most))
    slope = min(max(slope, 0.0), STEEPEST)
    return Tail(units, sizes[units], total, float(logs[0] - slope * scores[0]), slope)


MOST = 5_000
"""Units beyond which Student's t is near enough for the mean of a group."""


class System(Protocol):
    """Some means of the same units, as functions of sums over the units."""

    tail: Tail | None
    plain: Floats
    """(units, columns) what each unit adds to the sums."""

    def stretched(self, which: Places, by: Floats) -> Floats:
        """What tail units (m,), by their places in the tail, add when their errors are stretched: (m, columns)."""

    def expected(self) -> Floats:
        """The sums (columns,) of the distribution that is drawn from, as far as `logs` reads them."""

    def logs(self, sums: Floats) -> Floats:
        """Logarithms (b, metrics) of the means, from sums (b, columns); NaN where undefined, −inf where 0."""

    def errors(self, sums: Floats) -> Floats:
        """Standard errors (b, metrics) of the logarithms."""


def ends(systems: Sequence[System], sampling: intervals.Sampling, label: str) -> list[list[tuple[float, float]]]:
    """Ends of each mean of each system, all on the same draws of the units: drawing is what costs time.

    Args:
        systems: Of the same units: rows, or entities in the order of `intervals.clusters`.
        sampling: Level, replicates and seed.
        label: Name of the random stream.

    Returns:
        Low (0 or more) and high for each metric. High is infinite where the replicates do not bound it: too many of
        them hold no error at all. Both are NaN where the mean is undefined or 0, or nothing varies.
    """
    streams = [sampling.rng(f"{label}.tail.{i}") for i in range(len(systems))]
    drawn: list[list[Floats]] = [[] for _ in systems]
    units = len(systems[0].plain)
    for weights in intervals.weights(units, dataclasses.replace(sampling, entities=None), label):
        for kept, system, rng in zip(drawn, systems, streams, strict=True):
            kept.append(_sums(weights, system, rng))
    return [_ends(system, np.concatenate(kept), sampling.level) for system, kept in zip(systems, drawn, strict=True)]


def stretches(
    values: Floats, rows: Floats, sampling: intervals.Sampling, label: str, *, bounded: bool = False
) -> tuple[float, float]:
    """How much longer than Student's t the two reaches of a mean are on the logarithmic scale, low and high, 1 or more.

    Args:
        values: (units,) summed values of each unit, 0 or more; at least two units.
        rows: (units,) its rows.
        sampling: Level, replicates and seed.
        label: Name of the random stream.
        bounded: Have the values of a row an end of their own, so that no tail lies beyond those seen?
    """
    system = Means(values, rows, bounded=bounded)
    own = system.plain.sum(axis=0)[None]
    units = len(values)
    reach = float(system.errors(own)[0, 0] * special.stdtrit(units - 1, 0.5 + sampling.level / 2))
    reach *= float(np.sqrt(units / (units - 1)))
    low, high = ends([system], sampling, label)[0][0]
    if not (reach > 0 and low >= 0):
        return 1.0, 1.0
    value = float(system.logs(own)[0, 0])
    with np.errstate(divide="ignore"):
        below, above = (value - np.log(low)) / reach, (np.log(high) - value) / reach
    return max(1.0, float(below)), max(1.0, float(above))


def method(sampling: intervals.Sampling) -> str:
    """How `ends` makes intervals, for `Interval.method`."""
    over = (
        "" if sampling.entities is None else f" over {int(intervals.clusters(sampling.entities).max()) + 1:,} entities"
    )
    return sampling.method(f"studentised bootstrap{over} on the logarithmic scale, lognormal tail")


def interval(low: float, high: float, sampling: intervals.Sampling) -> records.Interval | None:
    """The interval, or None where an end is unknown."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    return records.Interval(low=low, high=high, level=sampling.level, method=method(sampling))


def by_unit(columns: Floats, sampling: intervals.Sampling) -> Floats:
    """Sums (units, columns) of the rows' columns (rows, columns) over each entity; the rows where there are none."""
    if sampling.entities is None:
        return columns
    member = intervals.clusters(sampling.entities)
    return np.stack([np.bincount(member, weights=column) for column in columns.T], axis=1)


class Means:
    """Means over the rows of one non-negative value."""

    def __init__(self, values: Floats, rows: Floats, *, bounded: bool = False) -> None:
        """Sum up.

        Args:
            values: (units,) summed values of each unit, 0 or more.
            rows: (units,) its rows.
            bounded: Do the values have an end of their own, so that no tail lies beyond?
        """
        self._rows, self._values = rows, values
        self.tail = None if bounded else tail(values)
        self.plain = self._columns(rows, values)

    @classmethod
    def of_rows(cls, values: Floats, sampling: intervals.Sampling, *, bounded: bool = False) -> Means:
        """Of values (rows,), by entity where there are entities."""
        summed = by_unit(np.stack([values, np.ones(len(values))], axis=1), sampling)
        return cls(summed[:, 0], summed[:, 1], bounded=bounded)

    @staticmethod
    def _columns(rows: Floats, values: Floats) -> Floats:
        return np.stack([rows, values, rows**2, rows * values, values**2], axis=1)

    def stretched(self, which: Places, by: Floats) -> Floats:
        """See `System`."""
        units = self.tail.units[which] if self.tail else which
        return self._columns(self._rows[units], self._values[units] * by)

    def expected(self) -> Floats:
        """See `System`."""
        values = self._values.copy()
        if self.tail:
            values[self.tail.units] *= self.tail.expected()[0]
        return self._columns(self._rows, values).sum(axis=0)

    def logs(self, sums: Floats) -> Floats:
        """See `System`."""
        with np.errstate(divide="ignore"):
            found: Floats = np.log(sums[:, 1:2] / sums[:, :1])
        return found

    def errors(self, sums: Floats) -> Floats:
        """See `System`."""
        return ratio_errors(*sums.T)[:, None]


def ratio_errors(rows: Floats, total: Floats, squares: Floats, crossed: Floats, total_squares: Floats) -> Floats:
    """Standard error of the logarithm of total over rows, from sums over units; NaN where the total is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / rows
        spread = total_squares - 2 * mean * crossed + mean**2 * squares
        found: Floats = np.sqrt(np.maximum(spread, 0.0)) / total
    return found


def _sums(weights: Floats, system: System, rng: np.random.Generator) -> Floats:
    """Weighted sums (b, columns) over the units, those of the tail drawn anew."""
    found = system.tail
    if found is None:
        return weights @ system.plain
    counts = weights[:, found.units].astype(np.intp)
    owner = np.repeat(np.arange(len(weights)), counts.sum(axis=1))
    which = np.repeat(np.tile(np.arange(len(found.units)), len(weights)), counts.ravel())
    added = system.stretched(which, found.drawn(rng, which))
    body = np.ones((len(system.plain), 1))
    body[found.units] = 0.0
    fresh = np.stack([np.bincount(owner, weights=column, minlength=len(weights)) for column in added.T], axis=1)
    return weights @ (system.plain * body) + fresh


def _ends(system: System, drawn: Floats, level: float) -> list[tuple[float, float]]:
    own = system.plain.sum(axis=0)[None]
    units = len(system.plain)
    scale = np.sqrt(units / max(units - 1, 1))
    values, errors = system.logs(own)[0], system.errors(own)[0] * scale
    replicates, spreads, centre = system.logs(drawn), system.errors(drawn), system.logs(system.expected()[None])[0]
    with np.errstate(invalid="ignore"):
        distances = replicates - centre
    return [
        _one(values[i], errors[i], distances[:, i], spreads[:, i] * scale, (1 - level) / 2) for i in range(len(values))
    ]


def _one(value: float, error: float, distance: Floats, spread: Floats, share: float) -> tuple[float, float]:
    kept = ~np.isnan(distance)
    if not (np.isfinite(value) and error > 1e-12 and kept.any()):
        return np.nan, np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        # A replicate without an error is infinitely far, on the side on which it lies.
        ratio = distance[kept] / np.where(np.isnan(spread[kept]), 0.0, spread[kept])
    ratio = np.sort(np.where(np.isnan(ratio), 0.0, ratio))
    last = len(ratio) - 1
    least, most = ratio[int(np.floor(share * last))], ratio[int(np.ceil((1 - share) * last))]
    with np.errstate(over="ignore"):
        low, high = np.exp(value - max(most, 0.0) * error), np.exp(value - min(least, 0.0) * error)
    return float(low), float(high)
