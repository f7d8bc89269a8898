"""Numbers with units against values of the evidence, and the values that follow from those that stand there."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from model_cards.lint import lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.mentions import Mention

ABOUT = 0.05
"""Relative tolerance of `about`, on top of rounding."""
ROUGHLY = 0.085
"""The same of a share in letters: `one in four` is 23 to 28 %."""
COARSEST = 0.25
"""Relative rounding beyond which a number is another one."""
SECONDS = {
    "ms": 1e-3,
    "millisecond": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
    "week": 604800.0,
    "month": 2629800.0,
    "year": 31557600.0,
}
"""Last words of keys that tell a unit of time."""
SMALL = 10
"""Whole numbers below it are meant as they stand."""
LONG = 300
"""Seconds that a key without a unit holds."""
MOST_PARTS = 12
MOST_OF_LIST = 400
"""Entries of a list or column of which sums are formed."""

Accepts = Callable[[Any], bool]


def readings(mention: Mention, *, percent: bool) -> Iterator[tuple[float, float, Accepts]]:
    """Values for which a mention may stand, each with half its last digit, and which values of the evidence fit it."""
    for value, decimals in mention.readings:
        half = 0.5 * 10.0**-decimals
        if mention.unit in {"%", "points"}:
            scale = mention.factor / 100
            yield value * scale, half * scale, lambda s: abs(s.value) <= 1.5 or not s.whole
            if mention.unit == "points":
                yield value, half, _in_points
            else:
                yield value, half, lambda s: s.percent or (abs(s.value) > 1.5 and (not s.whole or s.entry.measures))
        elif mention.unit == "time":
            seconds, step = value * mention.factor, half * mention.factor
            for unit in sorted(set(SECONDS.values())):
                length = seconds / unit
                near = min(step / unit, ABOUT * length if unit != mention.factor or value < SMALL else step / unit)
                yield length, near, _in_unit(unit)
            yield value, min(half, 0.02 * value), lambda s: s.seconds is None
            if seconds >= LONG:
                yield seconds, 0.02 * seconds, lambda s: s.seconds is None and s.value >= LONG
        elif mention.unit == "size":
            yield value, half, _anything
            yield value * mention.factor, half * mention.factor, _anything
            power = 3 if mention.factor >= 1e9 else 2 if mention.factor >= 1e6 else 1
            yield value * mention.factor * 1.024**power, half * mention.factor, _anything
        else:
            if decimals == 0 and abs(value) < SMALL:
                yield value, 0.02 * abs(value), _anything  # nobody calls 1.8 of them two
            else:
                yield value, half, _anything
            if percent:
                yield value / 100, half / 100, lambda s: abs(s.value) <= 1
            if 0 < value < 1:
                yield value * 100, half * 100, lambda s: s.percent


_ERRORS = frozenset({"mae", "rmse", "mse"})
"""Measures in the unit of what is predicted, which may be the points of a score."""


def _in_points(source: Any) -> bool:
    of_score = "point" in source.names or bool(source.entry.measures & _ERRORS)
    return source.percent or of_score or source.entry.derived == "in its name"


def _in_unit(seconds: float) -> Accepts:
    return lambda source: source.seconds == seconds


def _anything(_: Any) -> bool:
    return True


def derived(evidence: Evidence) -> list[Entry]:
    """Values that follow: rows of tables, names in a column, sums of what stands together, times between two ends."""
    return [
        *_shares(evidence),
        *_of_columns(evidence),
        *_of_groups(evidence),
        *_of_lists(evidence),
        *_sums_together(evidence),
        *_of_parts(evidence),
        *_spans(evidence),
        *_outcomes(evidence),
    ]


def _shares(evidence: Evidence) -> Iterator[Entry]:
    """Shares of a column of counts, and of counts of one name that stand beside each other: failures of all windows."""
    columns: dict[tuple[Any, ...], list[Entry]] = collections.defaultdict(list)
    for e in evidence.numbers:
        if isinstance(e.value, int) and not e.derived and e.value > 0 and len(e.path) > 1:
            if isinstance(e.path[-2], int):
                columns[e.file, "column", e.path[:-2], e.path[-1]].append(e)
            else:
                columns[e.file, "beside", e.path[:-2], e.path[-1]].append(e)
    for (_, how, *_), entries in columns.items():
        if not 1 < len(entries) <= MOST_PARTS:
            continue
        wholes = [sum(int(e.value or 0) for e in entries)] if how == "column" else [int(e.value or 0) for e in entries]
        for e, whole in itertools.product(entries, wholes):
            if int(e.value or 0) < whole:
                yield Entry(
                    e.file, e.path, int(e.value or 0) / whole, e.words, frozenset(), derived="share", named=e.named
                )


def _of_columns(evidence: Evidence) -> Iterator[Entry]:
    columns: dict[tuple[str, tuple[Any, ...], str], list[Entry]] = collections.defaultdict(list)
    for entry in evidence.entries:
        if not entry.derived and len(entry.path) > 1 and isinstance(entry.path[-2], int):
            columns[entry.file, entry.path[:-2], str(entry.path[-1])].append(entry)
    for entries in columns.values():
        first = entries[0]
        row = tuple(w for step in first.path if isinstance(step, str) for w in words.words(step))

        def made(value: float, how: str, first: Entry = first, row: tuple[str, ...] = row) -> Entry:
            return Entry(first.file, first.path, value, row, frozenset(), rows=first.rows, derived=how)

        texts = [e.value for e in entries if isinstance(e.value, str)]
        for value, times in collections.Counter(texts).items():
            if len(set(texts)) > 1 and times > 0:
                yield made(times, f"rows with {value}")
        yield made(len({str(e.value) for e in entries}), "different values")
        yield made(len(entries), "rows")
        numbers = [e for e in entries if isinstance(e.value, int | float) and not isinstance(e.value, bool)]
        if 1 < len(numbers) <= MOST_OF_LIST:
            total = sum(float(e.value or 0) for e in numbers)
            whole = all(isinstance(e.value, int) for e in numbers)
            yield made(int(total) if whole else total, "sum of the column")
        flags = [e.value for e in entries if isinstance(e.value, bool)]
        if flags:
            yield made(sum(flags), "rows that are true")
            yield made(len(flags) - sum(flags), "rows that are false")


def _of_groups(evidence: Evidence) -> Iterator[Entry]:
    """Sums of a column of counts over the rows that have one text in common: all regions of one country."""
    rows: dict[tuple[str, tuple[Any, ...]], dict[Any, list[Entry]]] = collections.defaultdict(dict)
    for entry in evidence.entries:
        if not entry.derived and len(entry.path) > 1 and isinstance(entry.path[-2], int):
            rows[entry.file, entry.path[:-2]].setdefault(entry.path[-2], []).append(entry)
    for held in rows.values():
        if not 2 < len(held) <= MOST_OF_LIST:
            continue
        by_text: dict[tuple[str, str], list[Entry]] = collections.defaultdict(list)
        for row in held.values():
            texts = [e for e in row if isinstance(e.value, str) and len(e.value) <= LONGEST_NAME]
            counts = [e for e in row if isinstance(e.value, int) and not isinstance(e.value, bool)]
            for text, count in itertools.product(texts, counts):
                by_text[f"{text.key} {text.value}", count.key].append(count)
        for (group, _), members in by_text.items():
            if 1 < len(members) < len(held):
                first, total = members[0], sum(int(e.value or 0) for e in members)
                own = (*words.words(group), *words.words(first.key))
                yield Entry(first.file, first.path, total, own, frozenset(), derived=f"sum for {group}", named=own)


LONGEST_NAME = 60
"""Characters of a text that names a group."""


def _of_lists(evidence: Evidence) -> Iterator[Entry]:
    """Sums of lists of whole numbers, and of a matrix by row, by column and in all."""
    rows: dict[tuple[Any, ...], list[Entry]] = collections.defaultdict(list)
    for e in evidence.numbers:
        if isinstance(e.value, int) and not e.derived and e.path and isinstance(e.path[-1], int):
            rows[e.file, "row", *e.path[:-1]].append(e)
            if len(e.path) > 1 and isinstance(e.path[-2], int):
                rows[e.file, "column", *e.path[:-2], e.path[-1]].append(e)
                rows[e.file, "all", *e.path[:-2]].append(e)
    for entries in rows.values():
        if 1 < len(entries) <= MOST_OF_LIST:
            first, total = entries[0], sum(int(e.value or 0) for e in entries)
            yield Entry(
                first.file, first.path, total, first.words, frozenset(), derived="sum of a list", named=first.named
            )


_SETTINGS = frozenset(
    words.words("seed config hyperparameters params parameters settings args learner rate depth epoch")
)
"""Words of settings, of which nobody forms sums."""


def _sums_together(evidence: Evidence) -> Iterator[Entry]:
    groups: dict[tuple[str, tuple[Any, ...]], list[Entry]] = collections.defaultdict(list)
    for e in evidence.numbers:
        if isinstance(e.value, int) and not e.derived and not e.rows and e.path and not _SETTINGS & e.word_set:
            groups[e.file, e.path[:-1]].append(e)
    for entries in groups.values():
        values = [int(e.value or 0) for e in entries]
        # Without their own total.
        parts = [e for e, value in zip(entries, values, strict=True) if 2 * value != sum(values)]
        if not 1 < len(parts) <= MOST_PARTS:
            continue
        for size in {2, len(parts)}:
            for part in itertools.combinations(parts, size):
                total = sum(int(e.value or 0) for e in part)
                row = tuple(w for e in part for w in e.words)
                yield Entry(part[0].file, part[0].path, total, row, frozenset(), derived="sum of what stands together")


def _of_parts(evidence: Evidence) -> Iterator[Entry]:
    """All parts of the data taken together, wherever their counts stand in a file."""
    known = lexicon.parts()
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Entry]] = collections.defaultdict(dict)
    for e in evidence.numbers:
        parts = {known[w] for w in e.word_set if w in known}
        if isinstance(e.value, int) and not e.derived and len(parts) == 1:
            noun = tuple(words.words(e.key)[-1:])
            groups[e.file, () if set(noun) & known.keys() else noun].setdefault(next(iter(parts)), e)
    for entries in groups.values():
        if len(entries) > 2:
            first = next(iter(entries.values()))
            total = sum(int(e.value or 0) for e in entries.values())
            row = tuple(w for e in entries.values() for w in e.words)
            yield Entry(first.file, first.path, total, row, frozenset(), derived="all parts together")


def _outcomes(evidence: Evidence) -> Iterator[Entry]:
    """How often each outcome stands under one place: three passed, one failed."""
    groups: dict[tuple[str, tuple[Any, ...]], list[Entry]] = collections.defaultdict(list)
    for e in evidence.entries:
        if not e.derived and e.path and isinstance(e.value, str | bool):
            groups[e.file, e.path[:-1]].append(e)
    for entries in groups.values():
        if len(entries) > 1:
            for value, times in collections.Counter(str(e.value) for e in entries).items():
                yield Entry(
                    entries[0].file, entries[0].path, times, entries[0].words[:-1], frozenset(), derived=f"are {value}"
                )


def _spans(evidence: Evidence) -> Iterator[Entry]:
    """Days, hours and the like between dates that stand under one place."""
    groups: dict[tuple[str, tuple[Any, ...]], list[tuple[dt.datetime, Entry]]] = collections.defaultdict(list)
    for entry in evidence.texts:
        if not entry.derived and entry.path and (moment := _moment(str(entry.value))):
            groups[entry.file, entry.path[:-1]].append((moment, entry))
    for moments in groups.values():
        for (one, first), (other, second) in itertools.combinations(moments[:6], 2):
            seconds = abs((other - one).total_seconds())
            for unit in ("minute", "hour", "day", "week", "month", "year"):
                if (length := seconds / SECONDS[unit]) >= 0.9:
                    row = (*first.words, *second.words)
                    path = (*first.path, unit)
                    yield Entry(first.file, path, length, row, frozenset(), derived="time between two dates")
                    if unit == "day":
                        yield Entry(first.file, path, length + 1, row, frozenset(), derived="both days counted")


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=None)
