"""The decision of the gate as a run records it: gates of the plan, further checks, and what a person waived."""

from __future__ import annotations

import collections
import dataclasses
import functools

from model_cards.lint.evidence import Entry, Evidence

Value = float | str | bool | None
Fields = dict[str, Entry]
Named = tuple[Value, Value]
"""Identifier of a check, and its slice."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of the decision."""

    named: Named
    required: bool
    status: str
    entry: Entry
    """Where its status stands."""


@dataclasses.dataclass(frozen=True)
class Decision:
    """The lines of one run, and what a named person accepted of them."""

    lines: tuple[Line, ...]
    gates: frozenset[Named]
    """Those that the plan asks for; the others are checks that count in every run."""
    waived: frozenset[Named]
    approved: bool

    @property
    def of_plan(self) -> tuple[Line, ...]:
        """The gates of the plan."""
        return tuple(line for line in self.lines if line.named in self.gates)

    @property
    def all_accepted(self) -> bool:
        """Does an approval waive every required line that did not pass? Not where nothing is required."""
        required = [line for line in self.lines if line.required]
        unmet = {line.named for line in required if line.status != "pass"}
        return bool(required) and self.approved and unmet <= self.waived


@functools.lru_cache(maxsize=8)
def of(evidence: Evidence) -> Decision | None:
    """The decision that the evidence records; None where it records none, or those of several runs."""
    places: dict[tuple[object, ...], Fields] = collections.defaultdict(dict)
    for entry in evidence.entries:
        if not entry.derived and entry.path:
            places[entry.file, *entry.path[:-1]][str(entry.path[-1])] = entry
    lines, gates, waived = [], set(), set()
    for place, fields in places.items():
        within = place[-2] if len(place) > 2 else None
        if within == "reasons" and {"check_id", "required", "status"} <= fields.keys():
            required = fields["required"].value is True
            lines.append(Line(_named(fields), required, str(fields["status"].value), fields["status"]))
        elif within == "waivers" and "check_id" in fields:
            waived.add(_named(fields))
        elif within == "gates" and "check" in fields:
            gates.add(_named(fields, "check"))
    if not lines or len({line.named for line in lines}) < len({(line.entry.file, line.named) for line in lines}):
        return None
    approved = any(f["decision"].value == "approved" for f in places.values() if "decision" in f)
    return Decision(tuple(lines), frozenset(gates), frozenset(waived), approved)


def _named(fields: Fields, check: str = "check_id") -> Named:
    return fields[check].value, fields["slice"].value if "slice" in fields else "overall"
