"""How well scores tell members from others: area under the ROC curve, and members found at few false positives.

Members and others are independent samples. The area has DeLong's variance, with the components summed over entities
where rows belong to some (Obuchowski); its interval is made on the logit scale (Pepe). The rate of members found at a
false-positive rate has an interval that holds nothing fixed: that of the threshold by order statistics of the others,
that of the share of members beyond it by Clopper and Pearson, each at half the error (Bonferroni).

Refs: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837. Obuchowski, Biometrics 53 (1997) 567. Pepe, The
statistical evaluation of medical tests, Oxford 2003, 5.2.4.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _area, _moments, _proportions, intervals
from checks._ranking import Ranking
from checks._subject import floats
from evidence import records

Floats = npt.NDArray[np.float64]

CURVE_POINTS = 120


@dataclasses.dataclass(frozen=True)
class Scored:
    """Scores of rows, higher meaning more likely a member; entities where rows belong to some."""

    members: Floats
    """(m,)"""
    others: Floats
    """(n,)"""
    member_entities: npt.NDArray[np.int64] | None = None
    other_entities: npt.NDArray[np.int64] | None = None


@dataclasses.dataclass(frozen=True)
class Found:
    """Members found at a false-positive rate."""

    rate: float
    """The false-positive rate allowed."""
    value: float
    """Share of members beyond the threshold."""
    interval: records.Interval


def area(scored: Scored, level: float) -> tuple[float, records.Interval]:
    """Area under the ROC curve with its interval; 0.5 is chance."""
    scores = np.concatenate([scored.members, scored.others])
    found = _area.of(scores, np.arange(len(scores)) < len(scored.members))
    entities = None
    if scored.member_entities is not None and scored.other_entities is not None:
        # Members and others share no entity: the codes of the others begin where those of the members end.
        own = intervals.clusters(scored.member_entities)
        entities = np.concatenate([own, intervals.clusters(scored.other_entities) + own.max() + 1])
    low, high = _area.interval([found], entities, level)
    method = _area.METHOD + (", summed over entities" if entities is not None else "")
    return found.value, records.Interval(low=low, high=high, level=level, method=method)


def smallest_rate(scored: Scored) -> float:
    """The smallest false-positive rate that the others can show: one of them."""
    return 1.0 / len(scored.others)


def found_at(scored: Scored, rate: float, level: float) -> Found:
    """Share of members beyond the threshold that a share `rate` of the others is beyond, with its interval."""
    others = -np.sort(-scored.others)
    allowed = math.floor(rate * len(others) + 1e-9)
    threshold = _nth(others, allowed)
    half = (1 + level) / 2
    fewest, most = _others_beyond(scored, threshold, rate, half)
    members = intervals.Sampling(half, entities=scored.member_entities)
    low = 0.0
    if fewest > 0:
        sure = _proportions.of_rows(scored.members >= _nth(others, fewest - 1), members)
        low = sure.low if sure else 0.0
    possible = _proportions.of_rows(scored.members > _nth(others, most), members)
    value = float(np.mean(scored.members > threshold))
    return Found(
        rate=rate,
        value=value,
        interval=records.Interval(
            low=min(low, value),
            high=max(possible.high if possible else 1.0, value),
            level=level,
            method=f"order statistics of the non-members for the threshold and {_proportions.METHOD} for the members "
            f"beyond it, each at level {half:.4g} (Bonferroni)",
        ),
    )


def curve(scored: Scored) -> dict[str, list[float]]:
    """Points of the ROC curve, close together at the low end, which is what an attack is judged by."""
    scores = np.concatenate([scored.members, scored.others])
    member = np.arange(len(scores)) < len(scored.members)
    true, false = Ranking(scores, member).counts(np.ones((1, len(scores))))
    tpr, fpr = true[0] / len(scored.members), false[0] / len(scored.others)
    wanted = np.geomspace(1.0 / len(scored.others), 1.0, CURVE_POINTS)
    kept = np.unique(np.append(np.searchsorted(fpr, wanted, side="right") - 1, len(fpr) - 1).clip(0))
    return {"fpr": floats(fpr[kept]), "tpr": floats(tpr[kept])}


def _share_below(scores: Floats, against: Floats) -> Floats:
    """Share of `against` below each score, ties by half."""
    ordered = np.sort(against)
    below, up_to = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return (below + up_to) / (2.0 * len(ordered))


def _variance(components: Floats, entities: npt.NDArray[np.int64] | None) -> float:
    """Variance of the mean of one sample's components."""
    centred = components - components.mean()
    if entities is not None:
        centred = np.bincount(intervals.clusters(entities), weights=centred)
    units = len(centred)
    return float(np.sum(centred**2)) / len(components) ** 2 * units / max(units - 1, 1)


def _nth(falling: Floats, index: int) -> float:
    """The value at an index of falling scores; below all of them past their end."""
    return float(falling[index]) if index < len(falling) else -math.inf


def _others_beyond(scored: Scored, threshold: float, rate: float, level: float) -> tuple[int, int]:
    """How few and how many of the others may lie beyond the true threshold."""
    count = len(scored.others)
    effective = float(count)
    if scored.other_entities is not None:
        member = intervals.clusters(scored.other_entities)
        hits = np.bincount(member, weights=scored.others > threshold)[None]
        owned = np.bincount(member).astype(np.float64)[None]
        effective = _moments.of_entities(hits, owned, np.zeros(hits.shape[1], np.intp), 1).effective_rows().item()
    trials = max(1, math.floor(effective))
    below = special.bdtr(np.arange(trials + 1.0), trials, rate)
    tail = (1 - level) / 2
    fewest, most = int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))
    return math.floor(fewest * count / trials), min(count, math.ceil(most * count / trials))
