"""The headline of a slice out of the rates of its groups: value, interval, and what the interval is corrected for."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from checks import _proportions, _simultaneous, intervals
from checks._fairness_specs import How
from checks._group_rates import GroupRates, skewed_method
from evidence import records

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Headline:
    """A number made of the rates of several groups."""

    value: float | None
    """None where there is nothing to compare."""
    interval: records.Interval | None
    """None where a mean rests on a single row or entity, so that it has no bound."""
    correction: str
    """What the interval holds for at once, and by which correction."""


def of(
    rates: GroupRates, how: How, sampling: intervals.Sampling, *, name: str, single: str, top: float = 1.0
) -> Headline:
    """The headline of the rates that are defined.

    Args:
        rates: Of the groups of a slice.
        how: What is made of them.
        sampling: The level.
        name: Of the slice, for the text of the method.
        single: How the bounds of one rate are made, for the same.
        top: Largest value there can be.
    """
    found = values(rates.rates, how)
    correction = correction_of(rates.rates, how)
    if not np.isfinite(found).any():
        return Headline(None, None, correction)
    value = worst(found, how)
    low, high = ends(rates, how, sampling.level)
    if not math.isfinite(high) or not math.isfinite(low):
        return Headline(value, None, correction)
    form = {"gap": "Newcombe square and add of ", "ratio": "Donner-Zou ratio of "}.get(how, "")
    first, comma, rest = single.partition(", ")
    far = "upper" if how in ("smallest", "ratio") else "lower"
    over = f"{correction} of {name}" if correction.startswith("1 ") else f"{far} end simultaneous over {correction}"
    over = over if correction.startswith("1 ") else over.replace(" (", f" of {name} (", 1)
    interval = records.Interval(
        low=float(min(max(low, 0.0), value)),
        high=float(max(min(high, top), value)),
        level=sampling.level,
        method=f"{form}{first} bounds{comma}{rest}, {over}",
    )
    return Headline(value, interval, correction)


def values(rates: Floats, how: How) -> Floats:
    """What each family contributes (families,), from rates (families, groups); NaN where nothing can be compared."""
    defined = np.isfinite(rates)
    smallest = np.where(defined, rates, np.inf).min(axis=1)
    largest = np.where(defined, rates, -np.inf).max(axis=1)
    enough = defined.sum(axis=1) >= (2 if how in ("gap", "ratio") else 1)
    smallest, largest = np.where(enough, smallest, np.nan), np.where(enough, largest, np.nan)
    if how == "ratio":
        # Nobody selected in any group: the rates are equal, and Fairlearn's 0 / 0 would be undefined.
        ratio = np.divide(smallest, largest, out=np.ones_like(smallest), where=largest > 0)
        return np.where(enough, ratio, np.nan)
    return {"smallest": smallest, "largest": largest, "gap": largest - smallest}[how]


def worst(found: Floats, how: How) -> float:
    """The headline of several families."""
    return float(np.nanmin(found) if how in ("smallest", "ratio") else np.nanmax(found))


def deciding_family(rates: Floats, how: How) -> int:
    """The family (class or rate) that gives the headline; the first where nothing can be compared."""
    found = values(rates, how)
    if not np.isfinite(found).any():
        return 0
    return int(np.nanargmin(found) if how in ("smallest", "ratio") else np.nanargmax(found))


def ends(rates: GroupRates, how: How, level: float) -> tuple[float, float]:
    """Both ends of the interval, before they are held within the range."""
    if how == "gap":
        return _simultaneous.gap(rates.rates, rates.bounds, level)
    if how == "ratio":
        return _simultaneous.ratio(rates.rates, rates.bounds, level)
    return _simultaneous.extreme(rates.rates, rates.bounds, level, smallest=how == "smallest")


def correction_of(rates: Floats, how: How) -> str:
    """`6 pairs of rates (Tukey)`, `4 groups (Bonferroni)`, `1 pair of rates`."""
    defined = np.isfinite(rates).sum(axis=1)
    pairs = how in ("gap", "ratio")
    compared = int((defined * (defined - 1) // 2).sum()) if pairs else int(defined.sum())
    what = "pair{} of rates" if pairs else "group{}" if len(rates) == 1 else "rate{}"
    said = f"{compared} {what.format('' if compared == 1 else 's')}"
    if compared < 2:
        return said
    families = int((defined > 1).sum())
    by = "Bonferroni" if not pairs or defined.max() == 2 else "Tukey"
    return f"{said} ({by}{', Bonferroni over rates' if by == 'Tukey' and families > 1 else ''})"


def single_method(kind: str, sampling: intervals.Sampling) -> str:
    """How the rate of one group gets its bounds."""
    if kind == "calibration_error":
        return sampling.method("Gaussian multiplier bootstrap of bin sums" + over_entities(sampling))
    if kind == "error":
        return skewed_method(sampling)
    if kind == "bias":
        return "Student's t" + over_entities(sampling)
    if kind == "calibration_gap":
        return "Student's t with two pseudo-rows" + over_entities(sampling)
    return _proportions.method(sampling)


def over_entities(sampling: intervals.Sampling) -> str:
    """The words for intervals over entities."""
    return "" if sampling.entities is None else ", over entities"
