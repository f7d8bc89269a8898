"""Intervals of what changes between two graphs on the same rows: pairs are compared, never two separate intervals.

A share (accuracy) changes by the rows that are gained less those that are lost. Both are shares of the same rows with
bounds of their own, and the change takes the distances to these bounds square and add, with the correlation that two
cells of one multinomial have (Zou and Donner 2008; Tang et al. 2010 for paired shares). It holds where nothing changes.

A gap between groups is a maximum over pairs of groups, and a bootstrap of its change is wrong where groups are nearly
equal after or before: replicates of a maximum are too large there, and percentiles then cover far too seldom (in
simulations 61 to 87 %). The change is therefore bounded through contrasts, each of which a bootstrap knows well:
gap after − gap before = max over p, min over q, of D_after(p) − D_before(q), where p and q are ordered pairs of groups.
All contrasts get bounds that hold together (maximum of their studentised deviations over replicates of the joint count
table), and the same maximum and minimum of the bounds hold the change.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt

from checks import _group_rates, _proportions, intervals
from evidence import records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Hits = npt.NDArray[np.bool_]

SHARE = f"square and add of {_proportions.METHOD} bounds of the rows gained and lost"
GAP = "max-t bounds of all contrasts of pairs of groups, joint table"


@dataclasses.dataclass(frozen=True)
class Change:
    """A difference, after less before, with its bounds."""

    value: float
    low: float
    high: float

    def interval(self, sampling: intervals.Sampling, method: str) -> records.Interval:
        """The same as an interval of a record."""
        return records.Interval(
            low=min(self.low, self.value), high=max(self.high, self.value), level=sampling.level, method=method
        )


def share(before: Hits, after: Hits, sampling: intervals.Sampling) -> Change:
    """The change of a share of rows.

    Args:
        before: (rows,) is the row a hit?
        after: (rows,) the same with the other graph.
        sampling: Level and entities.
    """
    gained, lost = _bounded(after & ~before, sampling), _bounded(before & ~after, sampling)
    odds = gained[0] * lost[0] / ((1 - gained[0]) * (1 - lost[0])) if max(gained[0], lost[0]) < 1 else 0.0
    reach = [
        _add(gained[0] - gained[1], lost[2] - lost[0], np.sqrt(odds)),
        _add(gained[2] - gained[0], lost[0] - lost[1], np.sqrt(odds)),
    ]
    value = gained[0] - lost[0]
    return Change(value, max(-1.0, value - reach[0]), min(1.0, value + reach[1]))


def mean_of_shares(parts: list[Change]) -> Change:
    """The mean of changes on different rows: their distances to the bounds square and add."""
    count = len(parts)
    value = sum(p.value for p in parts) / count
    low = float(np.hypot.reduce([p.value - p.low for p in parts])) / count
    high = float(np.hypot.reduce([p.high - p.value for p in parts])) / count
    return Change(value, value - low, value + high)


def gap(
    kinds: tuple[str, ...], groups: Codes, y: Codes, labels: tuple[Codes, Codes], count: int,
    sampling: intervals.Sampling,
) -> Change | None:  # fmt: skip
    """The change of the largest difference between two groups in any of some rates.

    Args:
        kinds: Of `_group_rates.RATES`.
        groups: (rows,) group of each row, negative where it has none.
        y: (rows,) true labels, 0 or 1.
        labels: (rows,) labels before and after.
        count: Number of groups.
        sampling: Replicates, seed, level, entities.

    Returns:
        None where no two groups have rows to compare.
    """
    known = groups >= 0
    codes = ((groups * 2 + y) * 2 + labels[0]) * 2 + labels[1]
    drawn = intervals.tables(codes[known], 8 * count, sampling.take(known), "mitigation.gap")
    found = np.bincount(codes[known], minlength=8 * count)[None].astype(np.float64)
    measured = [_rates(found, count, kinds, after=after) for after in (False, True)]
    replicated = [_rates(drawn, count, kinds, after=after) for after in (False, True)]
    before, after = (_pairs(np.where(np.isfinite(r), r, m)) for r, m in zip(replicated, measured, strict=True))
    centre_before, centre_after = (_pairs(m)[0] for m in measured)
    compared = np.isfinite(centre_before)
    if not compared.any():
        return None
    return _max_min(
        centre_after[compared], centre_before[compared], after[:, compared], before[:, compared], sampling.level
    )


def _bounded(hits: Hits, sampling: intervals.Sampling) -> tuple[float, float, float]:
    """Share with its bounds."""
    found = _proportions.of_rows(hits, sampling)
    value = float(np.mean(hits))
    return (value, found.low, found.high) if found is not None else (value, 0.0, 1.0)


def _add(first: float, second: float, correlation: float) -> float:
    """Distance of a difference to its bound; the two shares are negatively correlated, which widens it."""
    return float(np.sqrt(first**2 + second**2 + 2 * correlation * first * second))


def _rates(tables: Floats, count: int, kinds: tuple[str, ...], *, after: bool) -> Floats:
    """Rates (…, kinds, groups) from joint tables (…, groups × label × before × after); NaN without rows."""
    joint = tables.reshape(len(tables), count, 2, 2, 2).sum(axis=3 if after else 4)
    found = []
    for kind in kinds:
        numerator, denominator = _group_rates.rates_of(kind, joint)
        found.append(np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0))
    return np.concatenate(found, axis=1)


def _pairs(rates: Floats) -> Floats:
    """Differences (replicates, kinds × ordered pairs) of rates (replicates, kinds, groups)."""
    first, second = np.array(list(itertools.permutations(range(rates.shape[2]), 2))).reshape(-1, 2).T
    return (rates[:, :, first] - rates[:, :, second]).reshape(len(rates), -1)


def _max_min(after: Floats, before: Floats, drawn_after: Floats, drawn_before: Floats, level: float) -> Change:
    """Bounds of max over p, min over q, of after(p) − before(q), from bounds that hold for all (p, q) together.

    Args:
        after: (pairs,) measured differences of rates after.
        before: (pairs,) before.
        drawn_after: (replicates, pairs)
        drawn_before: (replicates, pairs), of the same replicates.
        level: Confidence level.
    """
    largest = np.zeros(len(drawn_after))
    spread = np.zeros((len(after), len(before)))
    for p in range(len(after)):
        contrasts = drawn_after[:, p, None] - drawn_before
        centred = contrasts - contrasts.mean(axis=0)
        spread[p] = np.maximum(centred.std(axis=0), 1e-12)
        largest = np.maximum(largest, (np.abs(centred) / spread[p]).max(axis=1))
    reach = float(np.quantile(largest, level)) * spread
    contrast = after[:, None] - before[None, :]
    low, high = (float((contrast + sign * reach).min(axis=1).max()) for sign in (-1, 1))
    return Change(float(after.max() - before.max()), max(low, -1.0), min(high, 1.0))
