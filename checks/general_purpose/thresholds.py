"""The training compute against the thresholds of law and guidelines: below, within 30 % of, above.

Within, a person decides. Ref: guidelines C(2025) 5045, annex (accuracy of estimates) and paragraphs 17, 62 to 64.
"""

from __future__ import annotations

import math
from typing import Literal

from checks.general_purpose.compute import Range
from configs.law import general_purpose
from configs.law.general_purpose import ComputeThreshold
from evidence.language_records import BaseModelRef, ComputeComparison

Verdict = Literal["below", "within", "above", "unknown"]


def comparisons(total: Range, base: BaseModelRef | None, *, complete: bool) -> tuple[ComputeComparison, ...]:
    """The compute against every threshold; a third of the original's only where that is known.

    Args:
        total: Lowest and highest estimate of what counts, FLOP.
        base: The model that training started from.
        complete: Is everything that counts known? More can only make it larger.
    """
    flops = ((t, _flop(t, base)) for t in general_purpose.load().thresholds)
    return tuple(
        ComputeComparison(
            threshold=threshold.id,
            flop=flop,
            basis=threshold.place,
            verdict=verdict(total, flop, complete=complete),
            ratio_low=None if total.low is None else total.low / flop,
            ratio_high=None if total.high is None else total.high / flop,
        )
        for threshold, flop in flops
        if flop is not None
    )


def _flop(threshold: ComputeThreshold, base: BaseModelRef | None) -> float | None:
    register = general_purpose.load()
    if threshold.third_of != "base":
        return register.flop(threshold.id)
    if base is None or base.compute_flop is None:
        return None
    return base.compute_flop / register.modifier_share


def verdict(total: Range, flop: float, *, complete: bool = True) -> Verdict:
    """On which side of a threshold an estimate stands.

    `above`: the lowest estimate exceeds it by more than the band. `below`: the highest one falls short of it by more
    than the band, and nothing that counts is unknown. `within`: neither. `unknown`: what is known does not say.

    Args:
        total: Lowest and highest estimate, FLOP.
        flop: The threshold, FLOP.
        complete: Is everything that counts known?
    """
    band = general_purpose.load().band
    if total.low is not None and _more(total.low / flop, 1 + band):
        return "above"
    if not complete or total.low is None or total.high is None:
        return "unknown"
    return "below" if _more(1 - band, total.high / flop) else "within"


def _more(a: float, b: float) -> bool:
    """Is a greater than b by more than the rounding of the division?"""
    return a > b and not math.isclose(a, b, rel_tol=1e-9)
