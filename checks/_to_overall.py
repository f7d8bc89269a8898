"""Each group against the overall rate: differences and ratios with intervals, and the largest of them.

A group is part of the whole, so its rate and the overall one are no independent rates. But with the share w of the
rows that are the group's, and the rate q of all others, overall = w p + (1 − w) q: the difference to overall is
(1 − w)(p − q) and the ratio is 1 / (w + (1 − w) q / p), and p and q share no row. The distances by which each moves
with p against q (Newcombe; Donner and Zou) and with w alone square and add, as for differences of independent rates.

The headline of a slice is Fairlearn's `MetricFrame.difference(method="to_overall")`, the largest absolute difference,
or `ratio(method="to_overall")`, the smallest ratio after those above 1 are turned over. The end towards equality is
simultaneous over the groups (Bonferroni; two groups are one comparison, since one difference follows from the other).
The other end is not, for the reason given in `checks._simultaneous`.

Refs: Newcombe, Statist. Med. 17 (1998) 873. Donner and Zou, Stat. Methods Med. Res. 21 (2012) 347. Zou and Donner,
Statist. Med. 27 (2008) 1693 (square and add for functions of several parameters).
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from checks import _proportions, _simultaneous
from checks._group_rates import GroupRates

Floats = npt.NDArray[np.float64]
How = Literal["difference", "ratio"]


@dataclasses.dataclass(frozen=True)
class Compared:
    """Each group's rate less, or over, the overall one; each (families, groups), NaN where undefined."""

    value: Floats
    low: Floats
    high: Floats


@dataclasses.dataclass(frozen=True)
class Furthest:
    """The group that is furthest from overall, in the family of rates with the largest distance."""

    value: float
    low: float
    high: float
    family: int
    group: int
    compared: int
    """Comparisons that the simultaneous end holds for."""


def each(rates: GroupRates, level: float, how: How) -> Compared:
    """Every group against overall, each at `level` by itself.

    Raises:
        ValueError: The rates come without those of the other groups.
    """
    if rates.rest is None or rates.membership is None:
        raise ValueError("a comparison with overall needs the rates of all other groups")
    total = rates.rows.sum(axis=1, keepdims=True)
    known = np.isfinite(rates.rates) & np.isfinite(rates.rest.rates) & (total > 0)
    share = np.where(known, rates.rows / np.maximum(total, 1), np.nan)
    ends = _proportions.bounds(share, np.broadcast_to(rates.membership, share.shape), level)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (_difference if how == "difference" else _ratio)(rates, rates.rest, share, ends, level)
    return Compared(*(np.where(known, v, np.nan) for v in (found.value, found.low, found.high)))


def furthest(rates: GroupRates, level: float, how: How) -> Furthest | None:
    """The headline with its interval; None where nothing can be compared."""
    near = each(rates, level, how)
    if not np.isfinite(near.value).any():
        return None
    groups = np.isfinite(near.value).sum(axis=1)
    compared = int(np.where(groups == 2, 1, groups).sum())
    far = each(rates, 1 - (1 - level) / compared, how)
    if how == "difference":
        distance = np.abs(near.value)
        at = int(np.nanargmax(distance))
        low = float(np.nanmax(np.maximum(np.maximum(far.low, -far.high), 0.0)))
        high = float(np.nanmax(np.maximum(np.abs(near.low), np.abs(near.high))))
    else:
        distance = _turned(near.value)
        at = int(np.nanargmin(distance))
        low = float(np.nanmin(np.minimum(near.low, _turned(np.maximum(near.high, 1.0)))))
        high = float(np.nanmin(np.where((far.low <= 1) & (far.high >= 1), 1.0, _nearer(far))))
    value = float(distance.flat[at])
    family, group = divmod(at, distance.shape[1])
    return Furthest(value, min(low, value), max(high, value), family, group, compared)


def _difference(
    rates: GroupRates, rest: GroupRates, share: Floats, ends: tuple[Floats, Floats], level: float
) -> Compared:
    (low, high), (rest_low, rest_high) = rates.bounds(level), rest.bounds(level)
    apart = rates.rates - rest.rates
    value = (1 - share) * apart
    below = (1 - share) * np.hypot(rates.rates - low, rest_high - rest.rates)
    above = (1 - share) * np.hypot(high - rates.rates, rest.rates - rest_low)
    moved = [(1 - end) * apart for end in ends]
    return _squared_and_added(value, (value - below, value + above), moved)


def _ratio(rates: GroupRates, rest: GroupRates, share: Floats, ends: tuple[Floats, Floats], level: float) -> Compared:
    apart = np.where(rest.rates > 0, rates.rates / rest.rates, np.where(rates.rates > 0, np.inf, 1.0))
    low, high = _simultaneous.ratio_bounds(rates.rates, *rates.bounds(level), rest.rates, *rest.bounds(level))

    def of(ratio: Floats, at: Floats) -> Floats:
        return np.where(ratio > 0, 1 / (at + (1 - at) / ratio), 0.0)

    return _squared_and_added(of(apart, share), (of(low, share), of(high, share)), [of(apart, end) for end in ends])


def _squared_and_added(value: Floats, ends: tuple[Floats, Floats], moved: list[Floats]) -> Compared:
    """Ends from two independent sources: `ends` by the rates alone, `moved` by the group's share of the rows alone."""
    below = np.hypot(value - ends[0], value - np.minimum(*moved))
    above = np.hypot(ends[1] - value, np.maximum(*moved) - value)
    return Compared(value, value - below, value + above)


def _turned(ratio: Floats) -> Floats:
    """Ratios above 1 turned over; 0 stays 0."""
    return np.where(ratio > 1, 1 / np.where(ratio > 1, ratio, 1.0), ratio)


def _nearer(found: Compared) -> Floats:
    """The end of each interval that lies nearer to 1, as a ratio of at most 1."""
    return np.where(found.high < 1, found.high, _turned(found.low))
