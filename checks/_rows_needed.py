"""How many more test rows would settle a comparison of groups that the gate leaves open.

Rates are held as measured, and the groups with the fewest rows are filled up to a common number, the smallest at which
the interval clears the threshold and no group is too small any more. That is the cheapest way to collect: a group that
is known well enough gets no rows. It is an estimate, because new rows will move the rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from checks import basis
from checks._group_rates import GroupRates
from configs.policy import Gate
from evidence import records

Settles = Callable[[GroupRates], records.Status]
"""The answer of the gate if the groups had these rows; `inconclusive` where they would not settle it."""

MOST = 1e8
"""Rows of one group beyond which nobody collects: the measured value is then as good as the threshold."""
PRECISION = 1.02


def estimate(
    rates: GroupRates, groups: Sequence[str], sizes: npt.NDArray[np.int64], minimum: int, settles: Settles
) -> dict[str, object]:
    """What is written into a result's details for one gate.

    Args:
        rates: Measured, (families, groups); undefined ones are left out.
        groups: Names of all groups as the gate has them, `attribute=group`.
        sizes: (groups,) test rows.
        minimum: Fewest rows that a rate may rest on.
        settles: See `Settles`.

    Returns:
        `status` (the answer they would give, or None), `groups` (group to additional test rows) and `total`.
    """
    used = np.where(rates.rows > 0, rates.rows, np.iinfo(np.int64).max).min(axis=0).astype(np.float64)
    present = (rates.rows > 0).any(axis=0)

    def factor(target: float) -> npt.NDArray[np.float64]:
        return np.where(present, np.maximum(1.0, target / used), 1.0)

    target = _smallest(lambda t: settles(rates.times(factor(t))) != "inconclusive", float(minimum))
    if target is None:
        return {"status": None, "groups": {}, "total": None}
    more = np.where(present, np.ceil((factor(target) - 1) * sizes - 1e-6), target)
    needed = {groups[g]: _rounded(more[g]) for g in np.flatnonzero(more > 0)}
    status = settles(rates.times(factor(target)))
    return {"status": status, "groups": needed, "total": sum(needed.values())}


def sentence(result: records.CheckResult, gate: Gate) -> str:
    """The estimate in words, as a tail to the reason of a gate; empty where there is none."""
    found = next((e for e in result.details.get("rows_needed", ()) if _is_for(e, gate)), None)
    if found is None:
        return ""
    if found["status"] is None:
        return "; more test rows would not settle it: the measured value is too near to the threshold"
    if not found["groups"]:
        return ""
    each = "; ".join(f"“{basis.group_name(group, gate.slice)}” {rows:,}" for group, rows in found["groups"].items())
    # The answer is a forecast, and the word for it must not read as one that was given.
    way = {"pass": "in its favour", "fail": "against it"}[found["status"]]
    return f"; about {found['total']:,} more test rows would settle it, {way} if the rates stay as measured ({each})"


def _is_for(entry: dict[str, object], gate: Gate) -> bool:
    return all(entry[key] == getattr(gate, key) for key in ("slice", "at_least", "at_most"))


def _smallest(settled: Callable[[float], bool], least: float) -> float | None:
    """The smallest number from `least` on that settles it, to two per cent; None beyond `MOST`."""
    if settled(least):
        return least
    high = max(least, 1.0)
    while not settled(high):
        high *= 2
        if high > MOST:
            return None
    low = high / 2
    while high / low > PRECISION:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high


def _rounded(rows: float) -> int:
    """Upwards to two digits: an estimate claims no more."""
    step = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return int(math.ceil(rows / step) * step)
