"""Every measure that two versions have in common: the difference with its interval."""

from __future__ import annotations

import math

import numpy as np

from checks import basis, catalogue, intervals, scoring
from checks.changes import combined, matching, paired
from checks.changes.side import Side
from evidence import arrays, diff_records, records

Key = tuple[str, str, str, str, str]
"""Check, title where the check has several results, name, slice, split."""
NO_INTERVAL = "no interval: one of the two has none"
UNITS = "no difference: the units differ"
UNDEFINED = "no difference: undefined in one of the two"
EXACT = "exact: a count of the rows or the graph at hand"
ALIKE = "both answer every test row alike"
EQUAL = "value and interval are the same in both records, on the same rows"
MIRRORS = ("fairness.false_negative_rate", "fairness.true_negative_rate")
"""One less the true positive and the false positive rate: no news beside them."""
_NOISE = 1e-14
"""Rounding of the last bits is no difference."""
_SLACK = 1e-4
"""Stored probabilities are float32: their difference may stray so far from that of the records."""


def compare(before: Side, after: Side, level: float) -> tuple[diff_records.MeasureDifference, ...]:
    """The differences of all common measures, the largest first, measured by their intervals."""
    first, second = _measures(before), _measures(after)
    rows = same_rows(before, after, level)
    equal_rows = before.dataset.rows_sha256 == after.dataset.rows_sha256 and before.split.digest == after.split.digest
    found = [
        _difference(key, first[key], second[key], level, rows, equal_rows=equal_rows) for key in first if key in second
    ]
    return tuple(sorted(found, key=_rank))


def missing(side: Side, other: Side) -> tuple[str, ...]:
    """Measures with a value that only one of the two has, as `check@slice`."""
    first, second = _measures(side), _measures(other)
    return tuple(dict.fromkeys(f"{key[2]}@{key[3]}" for key, m in first.items() if key not in second and _known(m)))


def same_rows(before: Side, after: Side, level: float) -> paired.SameRows | None:
    """The answers of both versions to their test rows, where these are the same rows with the same outcome.

    Raises:
        IntegrityError: An array was altered.
    """
    parts = before.part("test"), after.part("test")
    if parts[0] is None or parts[1] is None or before.encoded is None or after.encoded is None:
        return None
    if before.encoded.classes != after.encoded.classes:
        return None
    matched = matching.match(before, after, (parts[0], parts[1]))
    scores = before.scores(), after.scores()
    if matched is None or scores[0] is None or scores[1] is None:
        return None
    first, second = matched.before, matched.after
    policy = before.plan.policy
    groups = {
        name: arrays.Groups(found.codes[first], found.names)
        for name, found in parts[0].groups.items()
        if name in parts[1].groups
        and parts[1].groups[name].names == found.names
        and np.array_equal(parts[1].groups[name].codes[second], found.codes[first])
    }
    entities = parts[0].entities
    return paired.SameRows(
        y=parts[0].y[first],
        before=_taken(scores[0], first),
        after=_taken(scores[1], second),
        classes=len(before.encoded.classes),
        groups=groups,
        sampling=intervals.Sampling(
            level, policy.replicates, policy.seed, None if entities is None else entities[first]
        ),
    )


def _taken(scores: scoring.Scores, order: matching.Order) -> scoring.Scores:
    """The scores of the rows in an order."""
    arrays_ = (scores.labels, scores.probabilities, scores.predictions)
    return scoring.Scores(*(None if array is None else array[order] for array in arrays_))


def _measures(side: Side) -> dict[Key, records.Measure]:
    """Every measure once. Left out: those of gates with their own settings, and groups that other checks list."""
    several = [r.check_id for r in side.results]
    found: dict[Key, records.Measure] = {}
    for result in side.results:
        title = result.title if several.count(result.check_id) > 1 else ""
        for measure in result.measures:
            last = measure.name.rpartition(".")[2]
            repeated = measure.name != result.check_id and "=" in measure.slice
            if not repeated and not last.startswith(("confidence_", "groups_of_")):
                key = (result.check_id, title, measure.name, measure.slice, measure.split or "")
                found.setdefault(key, measure)
    return found


def _known(measure: records.Measure) -> bool:
    return measure.value is not None


def _difference(
    key: Key,
    before: records.Measure,
    after: records.Measure,
    level: float,
    rows: paired.SameRows | None,
    *,
    equal_rows: bool,
) -> diff_records.MeasureDifference:
    check, title, name, part, _ = key
    metric = catalogue.METRICS.get(check)
    headline = name == check and "=" not in part
    if equal_rows and before.value is not None and before == after:
        made: Made = 0.0, (0.0, 0.0), EQUAL, False
    else:
        made = _made(check if name == check else "", before, after, level, rows)
    value, interval, method, is_paired = made
    better = metric.better if metric is not None and name == check else "none"
    return diff_records.MeasureDifference(
        check=check,
        title=title or (metric.title if metric is not None else check),
        name=name,
        slice=part,
        split=after.split,
        unit=after.unit,
        better=better,
        headline=headline,
        before=before.value,
        after=after.value,
        value=value,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        level=None if interval is None or method in (EXACT, ALIKE, EQUAL) else level,
        method=method,
        paired=is_paired,
        judged=(
            headline
            and better != "none"
            and interval is not None
            and method not in (EXACT, ALIKE, EQUAL)
            and check not in MIRRORS
        ),
        shown=_shown(value, interval, better),
        n_before=before.n,
        n_after=after.n,
    )


Made = tuple[float | None, tuple[float, float] | None, str, bool]
"""Difference, bounds, method, and whether it is paired."""


def _made(
    check: str, before: records.Measure, after: records.Measure, level: float, rows: paired.SameRows | None
) -> Made:
    if before.value is None or after.value is None:
        return None, None, UNDEFINED, False
    if before.unit != after.unit:
        return None, None, UNITS, False
    value = after.value - before.value
    if abs(value) <= _NOISE * max(1.0, abs(after.value)):
        value = 0.0
    if rows is not None and check:
        if rows.alike and value == 0 and check.startswith(("performance.", "fairness.")):
            return value, (value, value), ALIKE, True
        found = paired.change(rows, check, after.slice)
        if found is not None and _agrees(found[0].value, value) and math.isfinite(found[0].low + found[0].high):
            moved = found[0]
            ends = _within(check, value, value - (moved.value - moved.low), value + (moved.high - moved.value))
            return value, ends, found[1], True
    if check.partition(".")[0] in basis.EXACT and before.interval is None and after.interval is None:
        return value, (value, value), EXACT, False
    interval = combined.interval(before, after, level)
    if interval is None:
        return value, None, NO_INTERVAL, False
    return value, _within(check, value, interval.low, interval.high), interval.method, False


def _agrees(found: float, recorded: float) -> bool:
    return abs(found - recorded) <= _SLACK * max(1.0, abs(recorded))


def _within(check: str, value: float, low: float, high: float) -> tuple[float, float]:
    """The bounds, no further than two values of the metric can lie apart."""
    metric = catalogue.METRICS.get(check)
    widest = math.inf if metric is None else metric.high - metric.low
    return max(min(low, value), -widest), min(max(high, value), widest)


def _shown(value: float | None, interval: tuple[float, float] | None, better: str) -> diff_records.Shown:
    if value is None or interval is None:
        return "unknown" if value != 0 else "equal"
    if value == 0 and interval == (0.0, 0.0):
        return "equal"
    if interval[0] <= 0 <= interval[1]:
        return "no_difference"
    if better == "none":
        return "moved"
    return "better" if (value > 0) == (better == "higher") else "worse"


_ORDER: tuple[diff_records.Shown, ...] = ("worse", "better", "moved", "no_difference", "unknown", "equal")


def _rank(found: diff_records.MeasureDifference) -> tuple[int, float, str, str, str, str]:
    """Shown differences first; within them by the distance from 0 in half-widths of the interval."""
    ratio = 0.0
    if found.value is not None and found.low is not None and found.high is not None:
        half = (found.high - found.low) / 2
        ratio = abs(found.value) / half if half > 0 else math.inf if found.value else 0.0
    known = (1 if found.level is None else 0) if found.shown in _ORDER[:3] else _ORDER.index(found.shown)
    return known, -ratio, found.check, found.name, found.slice, found.title


def holds_among(found: diff_records.MeasureDifference, count: int, level: float) -> bool:
    """Does the difference stay apart from 0 at the level at which `count` intervals hold together (Bonferroni)?

    The distances to the bounds are stretched as of a normal distribution.
    """
    if found.value is None or found.low is None or found.high is None:
        return False
    factor = combined.stretch(level, 1 - (1 - level) / max(count, 1))
    low, high = (found.value + factor * (end - found.value) for end in (found.low, found.high))
    return not low <= 0 <= high
