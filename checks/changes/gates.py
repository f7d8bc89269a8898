"""The gates of both plans side by side: what was asked, what the answer was, and which measure moved beneath them."""

from __future__ import annotations

from checks import catalogue
from checks.changes.side import Side
from configs.policy import Gate
from evidence import records
from evidence.diff_records import GateCompared, MeasureDifference

Key = tuple[str, str]


def compare(before: Side, after: Side, measures: tuple[MeasureDifference, ...]) -> tuple[GateCompared, ...]:
    """Every gate of either plan, those of the later one first.

    Args:
        before: The earlier version.
        after: The later one.
        measures: The differences, to point at.
    """
    gates = [_gates(side) for side in (before, after)]
    answers = [_answers(side) for side in (before, after)]
    place = {(m.name, m.slice): index for index, m in enumerate(measures)}
    return tuple(
        GateCompared(
            check=key[0],
            title=catalogue.METRICS[key[0]].title if key[0] in catalogue.METRICS else key[0],
            slice=key[1],
            before=answers[0].get(key) if key in gates[0] else None,
            after=answers[1].get(key) if key in gates[1] else None,
            asked_before=_asked(gates[0].get(key)),
            asked_after=_asked(gates[1].get(key)),
            measure=place.get(key),
        )
        for key in dict.fromkeys([*gates[1], *gates[0]])
    )


def _gates(side: Side) -> dict[Key, Gate]:
    return {(gate.check, gate.slice): gate for gate in side.plan.policy.gates}


def _answers(side: Side) -> dict[Key, records.Status]:
    """The answer of each gate; where a check on the data has several, the one of the plan's gate comes first."""
    found: dict[Key, records.Status] = {}
    for reason in side.gate.reasons:
        found.setdefault((reason.check_id, reason.slice), reason.status)
    return found


def _asked(gate: Gate | None) -> str | None:
    if gate is None:
        return None
    words = f"at least {gate.at_least:g}" if gate.at_least is not None else f"at most {gate.at_most:g}"
    return words if gate.required else f"{words}, reported only"
