"""Required criteria that did not pass and that a named person accepted: a draft beside them hides nothing."""

from __future__ import annotations

import collections
import functools

from model_cards.lint.evidence import Evidence

Value = float | str | bool | None


@functools.lru_cache(maxsize=8)
def all_accepted(evidence: Evidence) -> bool:
    """Does the evidence name the required criteria, and an approval that waives each of them that did not pass?

    False where nothing is required, or nothing is recorded of that: what is not told may have failed.
    """
    records: dict[tuple[object, ...], dict[str, Value]] = collections.defaultdict(dict)
    for entry in evidence.entries:
        if not entry.derived and entry.path:
            records[entry.file, *entry.path[:-1]][str(entry.path[-1])] = entry.value
    listed = {place: fields for place, fields in records.items() if "check_id" in fields}
    of_gate = [fields for fields in listed.values() if fields.get("required") is True]
    unmet = {_named(fields) for fields in of_gate if fields.get("status") != "pass"}
    waived = {_named(fields) for place, fields in listed.items() if len(place) > 2 and place[-2] == "waivers"}
    approved = any(fields.get("decision") == "approved" for fields in records.values())
    return bool(of_gate) and approved and unmet <= waived


def _named(fields: dict[str, Value]) -> tuple[Value, Value]:
    return fields["check_id"], fields.get("slice")
