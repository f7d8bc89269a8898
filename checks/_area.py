"""Intervals of areas under the ROC and the precision-recall curve that hold with few positives and near 1.

A bootstrap of ten positives that all score high draws nothing else, and its percentiles lie wholly above the true area
in one case of five. The ROC area therefore takes the wider of two intervals. DeLong's variance on the logit scale with
Student's t knows how the scores of this model vary, but not what ten positives have not shown. Newcombe's method 5
solves for the areas that would make the measured one likely, with the variance that Hanley and McNeil give for
exponential scores: it knows that, but not the model. Together they cover 92 to 100 % of 95 % in simulation, from five
positives on. The average precision takes the wider of the bootstrap's interval and the binomial one on the logit scale
for as many trials as there are positives.

Rows of one entity are not independent: DeLong's components are summed over entities, and the numbers of rows of the
other intervals are divided by the effect that this has on the variance.

Refs: DeLong et al., Biometrics 44 (1988) 837. Newcombe, Statist. Med. 25 (2006) 559. Hanley and McNeil, Radiology 143
(1982) 29. Boyd, Eng and Page, ECML PKDD 2013 (average precision).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from checks import intervals

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ends = tuple[float, float]

METHOD = "wider of DeLong on the logit scale (Student's t) and Newcombe's method 5"
PRECISION = "or wider, binomial on the logit scale by positives"
_NEAR = 1e-12


@dataclasses.dataclass(frozen=True)
class Area:
    """One ROC area with what its interval is made of."""

    value: float
    influence: Floats
    """(rows,): what each row adds to the area's deviation; their sum is 0."""
    positives: int
    negatives: int


def of(scores: Floats, positive: Bools) -> Area:
    """The area for scores (rows,), ties counting half; both classes must have rows."""
    beyond, below = scores[positive], scores[~positive]
    of_positives, of_negatives = _share_below(beyond, below), 1.0 - _share_below(below, beyond)
    value = float(of_positives.mean())
    influence = np.empty(len(scores))
    influence[positive] = (of_positives - value) / len(beyond)
    influence[~positive] = (of_negatives - value) / len(below)
    return Area(value, influence, len(beyond), len(below))


def interval(areas: list[Area], entities: npt.NDArray[np.integer] | None, level: float) -> Ends:
    """Ends for the mean of areas of the same rows, one per class against the rest."""
    value = float(np.mean([a.value for a in areas]))
    influence = np.mean([a.influence for a in areas], axis=0)
    alone, units = float(np.sum(influence**2)), min(min(a.positives, a.negatives) for a in areas)
    variance = alone
    if entities is not None:
        summed = np.bincount(intervals.clusters(entities), weights=influence)
        variance, units = float(np.sum(summed**2)), min(units, len(summed))
    variance *= units / max(units - 1, 1)
    fewer = min(1.0, alone / variance) if variance > 0 else 1.0
    ends = [_newcombe(a.value, a.positives * fewer, a.negatives * fewer, level) for a in areas]
    low, high = (float(np.mean(side)) for side in zip(*ends, strict=True))
    if value in (0.0, 1.0):
        # One order throughout: what could be otherwise is bounded by the smaller sample alone.
        least = math.pow((1 - level) / 2, 1 / (min(min(a.positives, a.negatives) for a in areas) * fewer))
        low, high = (min(low, least), high) if value else (low, max(high, 1 - least))
    if variance > 0 and 0 < value < 1:
        reach = float(special.stdtrit(max(units - 1, 1), 0.5 + level / 2)) * math.sqrt(variance) / (value * (1 - value))
        low = min(low, float(special.expit(special.logit(value) - reach)))
        high = max(high, float(special.expit(special.logit(value) + reach)))
    return min(low, value), max(high, value)


def precision_ends(value: float, positives: float, level: float) -> Ends:
    """Ends for an average precision: as of a share of so many trials, on the logit scale."""
    if not 0 < value < 1:
        return (0.0, value) if value >= 1 else (value, 1.0)
    reach = float(special.ndtri(0.5 + level / 2)) / math.sqrt(max(positives, 1.0) * value * (1 - value))
    return tuple(float(special.expit(special.logit(value) + side * reach)) for side in (-1, 1))  # type: ignore[return-value]


def _share_below(scores: Floats, against: Floats) -> Floats:
    ordered = np.sort(against)
    below, up_to = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return (below + up_to) / (2.0 * len(ordered))


def _newcombe(value: float, positives: float, negatives: float, level: float) -> Ends:
    """The areas whose own standard error, times the normal quantile, just reaches the measured one."""
    quantile = float(special.ndtri(0.5 + level / 2))
    size = max((positives + negatives) / 2 - 1, 0.0)

    def apart(area: float) -> float:
        spread = 1 + size * (1 - area) / (2 - area) + size * area / (1 + area)
        return (area - value) ** 2 - quantile**2 * area * (1 - area) * spread / (positives * negatives)

    low = optimize.brentq(apart, _NEAR, value) if value > _NEAR and apart(_NEAR) > 0 else 0.0
    high = optimize.brentq(apart, value, 1 - _NEAR) if value < 1 - _NEAR and apart(1 - _NEAR) > 0 else 1.0
    return float(low), float(high)
