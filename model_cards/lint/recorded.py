"""What checks of the evidence recorded: values by measure and slice, outcomes, sizes of the parts of the data."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator

from model_cards.lint import lexicon, words
from model_cards.lint.evidence import Entry, Evidence

Key = tuple[str, tuple[str | int, ...]]
MOST = 20
"""Values under one key of others' evidence, beyond which the key alone does not say which is meant."""


@dataclasses.dataclass
class Record:
    """One check, or what a gate says of it."""

    name: str
    title: str = ""
    status: Entry | None = None
    slice: str = ""
    """Of what a gate says it; empty where it is said of the whole check."""
    values: dict[int, dict[str, Entry]] = dataclasses.field(default_factory=dict)
    """Number of the measure to its fields: `name`, `slice`, `value`."""

    @functools.cached_property
    def measure(self) -> str | None:
        """What the lexicon calls it; None where the check is more than a measure (`accuracy under attack`)."""
        if self.name.partition(".")[0] not in {"performance", "fairness"}:
            return None
        row = words.words(self.name.rpartition(".")[2])
        found = lexicon.measures().find(row)
        return found[0].concept if len(found) == 1 and found[0].end - found[0].begin == len(row) else None

    def own(self) -> Iterator[tuple[str, dict[str, Entry]]]:
        """Slices with the fields of the check's own measure, not of what it measured beside it."""
        for fields in self.values.values():
            if "value" in fields and "name" in fields and fields["name"].value == self.name:
                yield str(fields["slice"].value) if "slice" in fields else "overall", fields


@functools.lru_cache(maxsize=4)
def checks(evidence: Evidence) -> tuple[Record, ...]:
    """All records of checks, those of a gate included."""
    found: dict[Key, Record] = {
        (e.file, e.path[:-1]): Record(str(e.value))
        for e in evidence.entries
        if e.key == "check_id" and isinstance(e.value, str) and not e.derived
    }
    lengths = {len(path) for _, path in found}
    for entry in evidence.entries:
        if entry.derived:
            continue
        for length in lengths:
            record = found.get((entry.file, entry.path[:length]))
            if record is not None:
                _take(record, entry, entry.path[length:])
    return tuple(found.values())


def _take(record: Record, entry: Entry, rest: tuple[str | int, ...]) -> None:
    if rest == ("status",):
        record.status = entry
    elif rest == ("title",):
        record.title = str(entry.value)
    elif rest == ("slice",):
        record.slice = str(entry.value)
    elif (
        rest[:1] == ("measures",)
        and len(rest) == 3
        and isinstance(rest[1], int)
        and (rest[-1] in {"name", "slice"} or (rest[-1] == "value" and _number(entry)))
    ):
        record.values.setdefault(rest[1], {})[str(rest[-1])] = entry


def _number(entry: Entry) -> bool:
    return isinstance(entry.value, int | float) and not isinstance(entry.value, bool)


@functools.lru_cache(maxsize=4)
def by_key(evidence: Evidence) -> dict[str, tuple[Entry, ...]]:
    """Measure to the few numbers whose key is its very name: `{"auc": 0.83}`, a column `recall`."""
    found: dict[str, list[Entry]] = {}
    for entry in evidence.numbers:
        row = words.words(entry.key)
        if entry.derived or not isinstance(entry.path[-1], str) or "details" in entry.path:
            continue
        named = lexicon.measures().find(row)
        rest = {*row[: named[0].begin], *row[named[0].end :]} if len(named) == 1 else {"?"}
        if rest <= lexicon.parts().keys() | {"overall", "score"}:
            found.setdefault(named[0].concept, []).append(entry)
    return {name: tuple(entries) for name, entries in found.items() if len(entries) <= MOST}


@functools.lru_cache(maxsize=32)
def of_part(evidence: Evidence, part: str) -> tuple[Entry, ...]:
    """Numbers of rows of a part of the data, where the record of the split says so: `parts/train/rows`, `n_train`."""
    known, nouns = lexicon.parts(), lexicon.row_nouns() | {"n", "count", "size", "number", "num", "set"}
    found = []
    for e in evidence.numbers:
        row = words.words(e.key)
        if e.derived or (e.rows and not e.called) or not isinstance(e.value, int) or e.value < 1 or not row:
            continue
        if not isinstance(e.path[-1], str):
            continue
        above = words.words(e.steps[-2]) if len(e.steps) > 1 else []
        named = {known.get(w) for w in row} == {part, None} and set(row) <= nouns | set(known)
        if named or (set(row) <= nouns and len(above) == 1 and known.get(above[0]) == part):
            found.append(e)
    return tuple(found)
