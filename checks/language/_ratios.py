"""Sums over documents divided by their size (bits per byte, nats per token), with intervals that hold document-wise.

Tokens of a document are not independent, so documents are what counts. A ratio of sums gets the standard error of its
linear form over documents and Student's t on the logarithmic scale. Its degrees of freedom are those of the effective
number of documents (Kish 1965), because one long document among short ones knows its error badly; and its reaches are
at least those of a studentised bootstrap of the same documents (`checks._long_tails.stretches`, without a tail: what a
byte can cost has an end). So bounds exist at any level, which extremes over languages need. They hold within a few
points of 95 % with five documents or more, of lengths that vary by a factor of ten (tests/checks/language/
test_coverage.py); Student's t alone covers 83 %. Differences between two scorings of the same documents can be
negative: they get the same on the scale of the values. So do those of groups, where the wider of the two reaches
counts on both sides.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _group_rates, _long_tails, _moments, intervals
from checks._group_rates import GroupRates
from evidence import records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

POSITIVE = "Student's t over {} documents on the logarithmic scale, at least as wide as a studentised bootstrap"
PAIRED = "Student's t over {} documents, paired, at least as wide as a studentised bootstrap"
LONGEST = 4.0
"""A bootstrap of a handful of documents may be that many times as wide, and no wider: its replicates repeat a few."""
FEWEST = 2.0
"""Effective documents at least: a single degree of freedom is the least that Student's t has."""


def of_groups(
    total: Floats, size: Floats, member: Codes, groups: int, sampling: intervals.Sampling, label: str
) -> GroupRates:
    """Ratios of positive sums, one for each group of documents.

    Args:
        total: (documents,) summed values, 0 or more.
        size: (documents,) bytes or tokens.
        member: (documents,) group 0…G−1, negative for none.
        groups: Number of groups G.
        sampling: For the bootstrap.
        label: Name of the random stream.
    """
    known = (member >= 0) & (size > 0)
    moments = _moments.of_entities(total[known][None], size[known][None], member[known], groups)
    rates = _group_rates.means(moments, lowest=0.0)
    effective = np.maximum(_effective(moments), FEWEST)
    stretch = np.ones((2, 1, groups))
    for group in range(groups):
        chosen = known & (member == group)
        if 1 < chosen.sum() <= _long_tails.MOST:
            stretch[:, 0, group] = _long_tails.stretches(
                total[chosen], size[chosen], sampling, f"{label}.{group}", bounded=True
            )
    share = 0.5 + sampling.level / 2
    units = np.maximum(moments.units, 2.0)
    already = special.stdtrit(effective - 1, share) / special.stdtrit(units - 1, share)
    rows = moments.units.astype(np.int64)
    return dataclasses.replace(
        rates, rows=rows, effective=effective, skew=np.clip(stretch / already, 1.0, LONGEST), rest=None
    )


def interval(
    rates: GroupRates, group: int, sampling: intervals.Sampling, how: str = POSITIVE
) -> records.Interval | None:
    """The interval of one group; None with fewer than two documents, or where nothing varies."""
    units = int(rates.rows[0, group])
    if units < 2:
        return None
    low, high = (float(ends[0, group]) for ends in rates.bounds(sampling.level))
    if not (np.isfinite(low) and np.isfinite(high)) or high - low <= 1e-12 * max(1.0, abs(high)):
        return None
    method = f"{how.format(f'{units:,}')}, {sampling.replicates:,} replicates, seed {sampling.seed}"
    return records.Interval(low=low, high=high, level=sampling.level, method=method)


def paired(
    change: Floats, size: Floats, sampling: intervals.Sampling, label: str
) -> tuple[float, records.Interval | None]:
    """The summed change of documents over their size, with its interval; the change may be negative.

    Args:
        change: (documents,) difference between two scorings of a document.
        size: (documents,) bytes; those of 0 are left out. At least one has more.
        sampling: For the bootstrap.
        label: Name of the random stream.
    """
    change, size = change[size > 0], size[size > 0]
    found = _paired(change, size, sampling, label)
    if found.error is None:
        return found.value, None
    method = f"{PAIRED.format(f'{len(size):,}')}, {sampling.replicates:,} replicates, seed {sampling.seed}"
    low, high = found.value - found.below * found.error, found.value + found.above * found.error
    return found.value, records.Interval(low=low, high=high, level=sampling.level, method=method)


def paired_groups(
    change: Floats, size: Floats, member: Codes, groups: int, sampling: intervals.Sampling, label: str
) -> GroupRates:
    """The same for each group of documents, as rates whose bounds exist at any level.

    Args:
        change: (documents,) difference between two scorings of a document.
        size: (documents,) bytes; those of 0 are left out.
        member: (documents,) group 0…G−1.
        groups: Number of groups G; one without documents has no rate.
        sampling: For the bootstrap.
        label: Name of the random stream.
    """
    rates, errors, effective = np.full(groups, np.nan), np.full(groups, np.inf), np.full(groups, FEWEST)
    rows = np.zeros(groups, np.int64)
    for group in range(groups):
        chosen = (member == group) & (size > 0)
        rows[group] = chosen.sum()
        if not rows[group]:
            continue
        found = _paired(change[chosen], size[chosen], sampling, f"{label}.{group}")
        rates[group], effective[group] = found.value, found.effective
        if found.error is not None:
            errors[group] = found.error * max(found.below, found.above) / found.reach
        elif rows[group] > 1:
            errors[group] = 0.0  # nothing varies
    return GroupRates(rates[None], rows[None], effective[None], errors[None], lowest=-np.inf)


@dataclasses.dataclass(frozen=True)
class _Paired:
    """A summed change over a summed size, and how well it is known."""

    value: float
    effective: float
    """Documents of one length that would weigh as evenly."""
    error: float | None = None
    """Standard error; None with fewer than two documents, or where nothing varies."""
    reach: float = 1.0
    """Student's t, in standard errors."""
    below: float = 1.0
    above: float = 1.0
    """How far the interval reaches, in standard errors."""


def _paired(change: Floats, size: Floats, sampling: intervals.Sampling, label: str) -> _Paired:
    units = len(size)
    value = float(change.sum() / size.sum())
    effective = max(float(size.sum() ** 2 / (size**2).sum()), FEWEST)
    sums = np.stack([size, change, size**2, size * change, change**2], axis=1)
    error = float(_errors(sums.sum(axis=0)[None], units)[0])
    if units < 2 or error <= 1e-12 * max(1.0, abs(value)):
        return _Paired(value, effective)
    reach = float(special.stdtrit(effective - 1, 0.5 + sampling.level / 2))
    below = above = reach
    if units <= _long_tails.MOST:
        drawn = np.concatenate([w @ sums for w in intervals.weights(units, sampling, label)])
        with np.errstate(divide="ignore", invalid="ignore"):
            pivots = (drawn[:, 1] / drawn[:, 0] - value) / _errors(drawn, units)
        pivots = pivots[np.isfinite(pivots)]
        if len(pivots):
            tail = (1 - sampling.level) / 2
            least, most = np.quantile(pivots, [tail, 1 - tail])
            below, above = (
                max(reach, min(float(most), LONGEST * reach)),
                max(reach, min(-float(least), LONGEST * reach)),
            )
    return _Paired(value, effective, error, reach, below, above)


def _errors(sums: Floats, units: int) -> Floats:
    """Standard errors (b,) of ratios, from sums (b, 5) over units."""
    size, change, squares, crossed, change_squares = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = change / size
        spread = np.maximum(change_squares - 2 * ratio * crossed + ratio**2 * squares, 0.0)
        found: Floats = np.sqrt(spread * units / max(units - 1, 1)) / size
    return found


def _effective(moments: _moments.Moments) -> Floats:
    """Documents of one length that would weigh as evenly (Kish); (1, groups)."""
    return np.divide(moments.count**2, moments.squares, out=np.zeros_like(moments.count), where=moments.squares > 0)
