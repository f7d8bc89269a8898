"""The result of a check that makes inputs worse step by step: headline, clean value, curve, where it crosses."""

from __future__ import annotations

import math
from collections.abc import Sequence

from checks import _crossing, _degradation
from checks._degradation import Answers, Level
from checks._subject import Subject, measured
from evidence import records

Point = tuple[float, Answers]
"""A severity, and what the graph says of the test rows at it."""


def result(
    subject: Subject, check_id: str, axis: str, points: Sequence[Point], note: str, compared: int = 1
) -> records.CheckResult:
    """The result from what the graph says at each severity.

    Args:
        subject: The model under test.
        check_id: Of the catalogue.
        axis: What a severity is, with its unit.
        points: Ascending; the last one gives the headline.
        note: How the last one was made.
        compared: Of how many faults each point is the worst.
    """
    severities, answers = zip(*points, strict=True)
    unaltered, altered = _degradation.levels(subject, answers, check_id, compared)
    levels = list(zip(severities, altered, strict=True))
    rows, last = subject.part.rows, levels[-1][1]
    details: dict[str, object] = {
        "x": axis,
        "metric": _degradation.names(subject.task)[0],
        "curve": [level.point(at) for at, level in levels],
        "clean": unaltered.value if math.isfinite(unaltered.value) else None,
        "clean_interval": None
        if unaltered.interval is None
        else {"low": unaltered.interval.low, "high": unaltered.interval.high},
        "crossing": [c.detail() for c in crossings(subject, check_id, unaltered, levels)],
        "invalid_rows": last.invalid,
    }
    found = _degradation.measures(subject, check_id, last, rows, note + _broken(last))
    clean = _degradation.clean(subject, check_id, unaltered, rows)
    return measured(check_id, (*found, clean), details, subject.artifacts)


def crossings(
    subject: Subject, check_id: str, clean: Level, levels: Sequence[tuple[float, Level]]
) -> list[_crossing.Crossing]:
    """Where the curve falls below each threshold that the policy sets on the check."""
    curve = [clean.point(0.0), *(level.point(at) for at, level in levels)]
    asked = {g.at_least for g in subject.plan.policy.gates if g.check == check_id and g.at_least is not None}
    return [found for t in sorted(asked) if (found := _crossing.of(curve, t))]


def _broken(level: Level) -> str:
    """A clause for the note, where the graph has no answer."""
    if not level.invalid:
        return ""
    return f"; the graph gives no valid output for {level.invalid:,} rows, which count as wrong"
