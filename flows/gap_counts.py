"""Gaps of a run by who can fill them, from the words in which the record of the documents keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WHO = re.compile(r"To be filled by: (.+?) \(")
NOBODY = "nobody named"


def by_person(gaps: Iterable[str]) -> dict[str, list[str]]:
    """Who can fill gaps, to the gaps, each without its naming of that person; who has the most first."""
    found: dict[str, list[str]] = {}
    for gap in gaps:
        named = _WHO.search(gap)
        found.setdefault(named[1] if named else NOBODY, []).append(_WHO.sub("(", gap))
    return dict(sorted(found.items(), key=lambda one: -len(one[1])))


def lines(gaps: Iterable[str], run: str) -> list[str]:
    """How many gaps there are and whose they are, and the command that lists them."""
    found = by_person(gaps)
    if not found:
        return ["Gaps in the documents: 0"]
    whose = ", ".join(f"{len(theirs)} {who}" for who, theirs in found.items())
    number = sum(len(theirs) for theirs in found.values())
    return [
        f"Gaps in the documents: {number}, to be filled by: {whose}",
        f"  Each of them: proofline show {run} --gaps",
    ]
