"""What a gate is laid on: the measures of its check at the gate's own level and group size.

Light on purpose: whoever only reads a decision pays for no numerical library.
"""

from __future__ import annotations

from collections.abc import Sequence

from configs.policy import Gate, Settings
from evidence import records

EXACT = ("data", "export")
"""Families that describe the very data or graph at hand: a value without an interval is exact there."""
VARIANTS = "variants"
"""Key of `details` under which a result holds what differs for gates with their own settings."""


def seen_by(gate: Gate, policy: Settings, result: records.CheckResult) -> records.CheckResult:
    """The result as a gate sees it: where the gate has its own level or group size, the measures made for it."""
    own = policy.variant(gate)
    if not own:
        return result
    measures = tuple(
        m.model_copy(update={"name": m.name.removesuffix(own)}) for m in result.measures if m.name.endswith(own)
    )
    details = {**result.details, **result.details.get(VARIANTS, {}).get(own, {})}
    return result.model_copy(update={"measures": measures, "details": details})


def find(result: records.CheckResult, name: str, part: str) -> records.Measure | None:
    """The measure of that name and slice; of a check on data or export, its headline for `overall`."""
    found = next((m for m in result.measures if m.name == name and m.slice == part), None)
    if found is None and part == "overall" and result.check_id.split(".")[0] in EXACT and result.measures:
        return result.measures[0]
    return found


def group_name(group: str, part: str) -> str:
    """`Asian` for the group `race=Asian` where the slice `race` is spoken of, `race: Asian` elsewhere.

    The name of a group may hold such a sign itself: `age_group=>= 25` is the group `>= 25`.
    """
    attribute, sign, name = group.partition("=")
    if not sign or not name or attribute.endswith(("<", ">", " ")):
        return group
    return name if attribute == part else f"{attribute}: {name}"


def measure_of(gate: Gate, policy: Settings, results: Sequence[records.CheckResult]) -> records.Measure | None:
    """The measure that a gate is laid on; None where nothing was measured for it."""
    seen = (seen_by(gate, policy, result) for result in results if result.check_id == gate.check)
    return next((found for result in seen if (found := find(result, gate.check, gate.slice))), None)
