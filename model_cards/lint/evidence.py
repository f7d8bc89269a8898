"""Evidence as an index: every number, name and date with its pointer and the words that say what it is."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from model_cards.lint import dates, evidence_files, lexicon, words, written
from model_cards.lint.model import Proof

IDENTITY = (
    "name",
    "id",
    "check_id",
    "metric",
    "measure",
    "title",
    "label",
    "criterion",
    "slice",
    "group",
    "subgroup",
    "segment",
    "cohort",
    "value_or_threshold",
    "attribute",
    "class",
    "split",
    "part",
    "field",
    "role",
    "feature",
    "column",
    "key",
    "dataset",
    "check",
    "site",
    "hospital",
    "region",
    "country",
    "language",
    "building",
    "sector",
    "depot",
    "station",
    "plant",
    "store",
    "device",
    "scenario",
    "condition",
    "location",
    "place",
    "department",
    "branch",
    "season",
    "quarter",
    "variant",
    "category",
)
"""Fields that say what their neighbours speak of."""
_BARE_VALUES = frozenset({"value", "measured", "estimate", "score", "val", "figure", "amount", "mean"})
"""Keys that say nothing of what their value is of."""
_NAMING = ("metric", "measure", "indicator", "key", "parameter", "field", "variable", "item", "name", "id")
"""Fields that say it, the surest first."""
_FLAT = re.compile(r"[A-Za-z_][\w-]*(?:[./][\w-]+)+")
_LIMIT = re.compile(
    r"_(?:least|most|above|below|over|under|min|max|than|to|ge|le|gt|lt)_(\d{1,6})(?:[._](\d{1,4}))?(?![0-9])",
    re.IGNORECASE,
)
_INNER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d{1,3})?(?![\w]|\.\d)")
_SIZED = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)([BMK])(?!\w)")
"""`24B` of the name of a language model."""
_BIG = {"B": 9, "M": 6, "K": 3}
_MOST_INNER = 40
"""Numbers within one text that are looked at."""
LONGEST_TEXT = 2_000
LENGTH = "number of entries"
RICH = 2_000
"""Numbers of the evidence, beyond which rules that go by one value or one word of a key keep still."""
VERSION_WORDS = frozenset({"tag", "version", "release", "software", "firmware", "build"})
_VERSIONED = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+){1,3}(?:[-+.]?(?:a|b|rc|dev|post)\d*)?)(?![\w.]*\d)")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One value of the evidence."""

    file: str
    path: tuple[str | int, ...]
    value: float | str | bool | None
    words: tuple[str, ...]
    """Words of its keys and of what its neighbours say that it is, in order."""
    identity: frozenset[str]
    """Of these, the words that tell it from its siblings: names of groups, classes, parts, and the key above it."""
    rows: bool = False
    """From a table with columns (CSV)?"""
    of_table: bool = False
    """The number of entries of named fields, which nobody counts."""
    derived: str | None = None
    """How it follows from what stands at its place, where it is not the value itself."""
    named: tuple[str, ...] = ()
    """Words of its keys and of the names that these stand under; in a row of a table, of all its short texts."""
    called: str = ""
    """What its neighbours call it, where its own key says only `value`: `auc` in `{metric: auc, value: 0.83}`."""

    @functools.cached_property
    def key(self) -> str:
        """The last key that is a name; of a flat key such as `metrics.test.auc` its last part."""
        return self.steps[-1] if self.steps else ""

    @functools.cached_property
    def steps(self) -> tuple[str, ...]:
        """The names on the way to it, flat keys taken apart."""
        names = [part for step in self.path if isinstance(step, str) for part in flat(step)]
        return (*names[:-1], self.called) if self.called else tuple(names)

    @property
    def pointer(self) -> str:
        """Where it stands in its file."""
        if self.rows and len(self.path) == 2:
            return f"row {int(self.path[0]) + 2}, column {self.path[1]}"
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)

    @property
    def proof(self) -> Proof:
        """For a finding."""
        shown = f"{self.value:g}" if isinstance(self.value, float) and self.derived else str(self.value)
        if self.value is None:
            shown = "null"
        shown = shown if len(shown) <= 120 else shown[:117] + "…"
        return Proof(self.file, self.pointer, f"{shown} ({self.derived})" if self.derived else shown)

    @functools.cached_property
    def word_set(self) -> frozenset[str]:
        """All its words."""
        return frozenset(self.words)

    @functools.cached_property
    def measures(self) -> frozenset[str]:
        """The measures that its words name."""
        short = lexicon.load().abbreviations.get(self.called or self.key)
        return frozenset(
            (*(named.concept for named in lexicon.measures().find(self.words)), *([short] if short else []))
        )


class Evidence:
    """All evidence files together. Built once, then only read."""

    def __init__(
        self, entries: Iterable[Entry], files: Iterable[str] = (), runs: Iterable[written.Written] = ()
    ) -> None:
        self.entries = tuple(entries)
        self.files = tuple(files)
        self.runs = tuple(runs)
        self.numbers = tuple(e for e in self.entries if _is_number(e.value))

    @functools.cached_property
    def of_a_run(self) -> bool:
        """Is it a run of ours? What its records leave empty are gaps that its documents print, and no denials."""
        names = {file.replace("\\", "/").rpartition("/")[2] for file in self.files}
        return "commitment.json" in names or {"plan.json", "run.json"} <= names

    @functools.cached_property
    def rich(self) -> bool:
        """Are there so many numbers, as in the records of a run, that values and words of keys are met by chance?"""
        return len(self.numbers) > RICH or self.of_a_run

    @functools.cached_property
    def by_measure(self) -> dict[str, tuple[Entry, ...]]:
        """Measure to the numbers that are said to be of it."""
        found: dict[str, list[Entry]] = {}
        for entry in self.numbers:
            if entry.derived == LENGTH:
                continue
            for concept in entry.measures:
                found.setdefault(concept, []).append(entry)
        return {concept: tuple(entries) for concept, entries in found.items()}

    @functools.cached_property
    def by_key_word(self) -> dict[str, tuple[Entry, ...]]:
        """What a key counts (`trees`, `n_trees`) to the whole numbers there; lists count their entries."""
        found: dict[str, list[Entry]] = {}
        for entry in self.numbers:
            value = float(entry.value or 0)
            row = words.words(entry.key)
            if value != int(value) or value < 0 or not 0 < len(row) <= 3 or not isinstance(entry.path[-1], str):
                continue
            if entry.derived not in {None, LENGTH} or (entry.derived == LENGTH and (len(row) > 1 or entry.of_table)):
                continue
            per = row[:1] if "per" in row[1:2] else []  # `inputs_per_hour` counts inputs
            for word in {row[-1], *row[1:2], *per}:
                found.setdefault(word, []).append(entry)
        return {word: tuple(entries) for word, entries in found.items()}

    @functools.cached_property
    def counts(self) -> tuple[Entry, ...]:
        """Whole numbers that count rows, with the part of the data where their keys say it."""
        marks = lexicon.row_nouns() | {"n", "count", "size", "number", "total"} | set(lexicon.parts())
        return tuple(
            e
            for e in self.numbers
            if isinstance(e.value, int)
            and e.value > 0
            and marks & {w for step in (*e.steps[-2:], *map(str, e.path[-2:-1])) for w in words.words(step)}
        )

    @functools.cached_property
    def texts(self) -> tuple[Entry, ...]:
        """Values that are texts."""
        return tuple(e for e in self.entries if isinstance(e.value, str) and e.value)

    @functools.cached_property
    def plain_lists(self) -> frozenset[tuple[str, tuple[str | int, ...]]]:
        """Places of lists of texts, whose length counts what their key names."""
        return frozenset(
            (e.file, e.path[:-1]) for e in self.texts if not e.derived and e.path and isinstance(e.path[-1], int)
        )

    @functools.cached_property
    def quotes(self) -> str:
        """All longer texts in normal form, to recognise what a document quotes."""
        return "\n".join(" ".join(words.words(str(e.value))) for e in self.texts if len(str(e.value)) > 20)

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """What things are called, in lower case: in a name, a number is no claim."""
        return frozenset(str(e.value).lower() for e in self.texts if e.key in {"name", "title"})

    @functools.cached_property
    def values(self) -> frozenset[str]:
        """Every short text of the evidence, in lower case: a key that is one of them is a label, no name of a field."""
        return frozenset(str(e.value).lower() for e in self.texts if len(str(e.value)) < 80)

    @functools.cached_property
    def dates(self) -> tuple[tuple[dates.Date, Entry], ...]:
        """Dates in texts."""
        return tuple((date, e) for e in self.texts for date in dates.find(str(e.value)[:LONGEST_TEXT]))

    @functools.cached_property
    def versions(self) -> tuple[tuple[str, Entry], ...]:
        """Values that are versions, with what they are versions of in their words."""
        found = []
        for e in self.entries:
            if isinstance(e.value, str) and VERSION_WORDS & e.word_set and _VERSIONED.fullmatch(e.value.strip()):
                found.append((e.value.strip().removeprefix("v"), e))
            elif (
                isinstance(e.value, float | int)
                and not isinstance(e.value, bool)
                and words.words(e.key)[-1:] == ["version"]
            ):
                found.append((str(e.value), e))
        return tuple(found)

    @functools.cached_property
    def share_of_scale(self) -> dict[int, float]:
        """Decimals shown to the share of values in [0, 1] that some number would match by chance."""
        inside = [float(e.value or 0) for e in self.numbers if 0 <= float(e.value or 0) <= 1]
        return {d: len({round(v, d) for v in inside}) / (10**d + 1) for d in range(7)}


FEWEST = 10
"""Of fewer nobody gives shares."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def load(paths: tuple[Path, ...]) -> Evidence:
    """Read evidence files and folders.

    Raises:
        UnreadableError: One of them cannot be read.
    """
    entries: list[Entry] = []
    files = evidence_files.expand(paths)
    for path in files:
        content = evidence_files.read(path)
        entries += entries_of(str(path), content, table=str(path).lower().endswith((".csv", ".tsv")))
    return Evidence([*entries, *_shares(entries)], [str(path) for path in files], written.find(files))


def entries_of(file: str, content: Any, *, table: bool = False) -> list[Entry]:
    """All values of the content of a file; `table` where it came as rows and columns."""
    found: list[Entry] = []
    said: dict[tuple[str | int, ...], tuple[str, ...]] = {}
    told: dict[tuple[str | int, ...], frozenset[str]] = {}
    calls: dict[tuple[str | int, ...], str] = {}
    named: dict[tuple[str | int, ...], tuple[str, ...]] = {}
    for path, value in evidence_files.leaves(content, f"evidence {file}"):
        above = path[:-1]
        own = tuple(words.words(str(path[-1]))) if path and isinstance(path[-1], str) else ()
        around, telling = said.get(above, ()), told.get(above, frozenset())
        if path and isinstance(path[-1], str):
            telling |= frozenset(word for part in flat(path[-1])[:-1] for word in words.words(part))
        if isinstance(value, dict | list | tuple):
            # What a whole file calls itself says nothing of a value within it.
            nested = not path and isinstance(value, dict) and any(isinstance(v, dict | list) for v in value.values())
            names = _names(value, table=table) if isinstance(value, dict) and not nested else []
            if isinstance(value, dict) and above[-1:] != ("measures",) and (called := _called(value)):
                calls[path] = called
            said[path] = (*around, *own, *(word for _, row in names for word in row))
            in_list = bool(path) and isinstance(path[-1], int)
            days = _days(value) if isinstance(value, dict) and in_list else []
            beside = [word for telling_it, row in names if telling_it or in_list for word in row]
            beside += _index(value) if isinstance(value, dict) and in_list else []
            named[path] = (*named.get(above, ()), *own, *beside, *days)
            told[path] = frozenset((*telling, *own, *(word for telling_it, row in names if telling_it for word in row)))
            if path:
                length = Entry(
                    file,
                    path,
                    len(value),
                    (*around, *own),
                    telling,
                    of_table=isinstance(value, dict),
                    derived=LENGTH,
                    named=(*named.get(above, ()), *own),
                )
                found.append(length)
            continue
        called = calls.get(above, "") if path and str(path[-1]).lower() in _BARE_VALUES else ""
        row = (*named.get(above, ()), *own)
        found.append(Entry(file, path, _plain(value), (*around, *own), telling, rows=table, called=called, named=row))
        inner: list[Entry] = []
        if path and isinstance(path[-1], str):
            inner += _in_key(file, path, (*around, *own), telling)
        if isinstance(value, str):
            inner += _inner(file, path, value, (*around, *own), telling)
        found += [dataclasses.replace(e, named=row) for e in inner]
    return found


def flat(key: str) -> list[str]:
    """A key such as `metrics.test.auc` or `test/auc` as its parts; any other key as it is."""
    return re.split(r"/|\.(?!\d)|(?<!\d)\.", key) if _FLAT.fullmatch(key) else [key]


def _called(value: dict[str, Any]) -> str:
    """What a table calls its bare value: `auc` in `{metric: auc, value: 0.83}`; empty where it says nothing of it."""
    names = {str(key).lower(): item for key, item in value.items()}
    if not _BARE_VALUES & names.keys():
        return ""
    said = (names.get(field) for field in _NAMING)
    return next((text for text in said if isinstance(text, str) and 0 < len(text) <= 60), "")


_SIZE_IN_NAME = re.compile(r"(?<=_)(\d{1,4})(?:m|mm|cm|km|h|d|w|s|px|nm|kg)?(?=_|$)")


def _in_key(file: str, path: tuple[str | int, ...], row: tuple[str, ...], telling: frozenset[str]) -> Iterator[Entry]:
    """Limits that stand in a name: `recall_at_least_0_85`, `latency_below_50_ms`."""
    for match in _LIMIT.finditer(str(path[-1])):
        value = float(f"{match[1]}.{match[2]}") if match[2] else int(match[1])
        yield Entry(file, path, value, row, telling, derived="in its name")
    for step in path:
        for match in _SIZE_IN_NAME.finditer(str(step)):
            yield Entry(file, path, int(match[1]), row, telling, derived="in its name")


def _plain(value: Any) -> float | str | bool | None:
    return value if value is None or isinstance(value, int | float | str | bool) else str(value)


def _names(value: dict[str, Any], *, table: bool) -> list[tuple[bool, tuple[str, ...]]]:
    """What a table says that it is: its short texts, and whether each names it or only describes it."""
    found = []
    for key, item in value.items():
        if isinstance(item, str) and 0 < len(item) <= 120 and not dates.find(item):
            naming = table or str(key).lower() in IDENTITY
            if naming or len(item) <= 40:
                found.append((naming, tuple(words.words(item))))
    return found[:8]


_INDEX = frozenset({"epoch", "step", "fold", "round", "week", "year", "quarter", "month", "run"})


def _index(value: dict[str, Any]) -> list[str]:
    """What tells a row by its number: `epoch 20`."""
    return [
        word
        for key, item in value.items()
        if str(key).lower() in _INDEX and isinstance(item, int) and not isinstance(item, bool)
        for word in (str(key).lower(), str(item))
    ]


def _days(value: dict[str, Any]) -> list[str]:
    """Months of a row, as texts call them: `september 2025`."""
    found = []
    for item in value.values():
        if isinstance(item, str) and len(item) <= 30:
            for date in dates.find(item):
                found += [dates.month_name(date.month), *([str(date.year)] if date.year else [])]
                found += [str(date.day)] if date.day else []
    return found[:6]


def _inner(
    file: str, path: tuple[str | int, ...], value: str, row: tuple[str, ...], telling: frozenset[str]
) -> list[Entry]:
    """Numbers within a text."""
    text = value[:LONGEST_TEXT].replace(",", "") if re.search(r"\d,\d{3}\b", value) else value[:LONGEST_TEXT]
    for date in dates.find(text):
        text = text[: date.begin] + " " * (date.end - date.begin) + text[date.end :]
    text = re.sub(r"(?<=[A-Za-z])_(?=\d)|(?<=\d)_(?=[A-Za-z])", " ", text)  # `sample_5_percent`
    matches = [*_INNER.findall(text), *(f"{m[1]}e{_BIG[m[2]]}" for m in _SIZED.finditer(text))][:_MOST_INNER]
    if not matches:
        return []
    whole = (*row, *words.words(text[:200]))
    return [
        Entry(file, path, float(m) if "." in m or "e" in m else int(m), whole, telling, derived="in its text")
        for m in matches
        if len(m) < 25
    ]


def _shares(entries: list[Entry]) -> list[Entry]:
    """Shares of counts of rows: what people write as `70 % for training`. Only where two counts stand side by side."""
    groups: dict[tuple[str, tuple[str | int, ...]], list[Entry]] = {}
    for entry in entries:
        if (
            isinstance(entry.value, int)
            and not isinstance(entry.value, bool)
            and entry.value > 0
            and not entry.derived
            and not entry.rows
        ):
            groups.setdefault((entry.file, entry.path[:-1]), []).append(entry)
    sizes = {
        e.value: e
        for group in groups.values()
        for e in group
        if {"row", "record", "n", "total"} & set(words.words(e.key))
    }
    whole_sets = list(sizes.values())[:20]
    found = []
    for group in groups.values():
        if len(group) > 12:
            continue
        wholes = {int(w.value or 0): w for w in [*group, *whole_sets]}
        for part in group:
            for whole, other in wholes.items():
                if int(part.value or 0) < whole >= FEWEST:
                    share = int(part.value or 0) / whole
                    found.append(
                        Entry(
                            part.file,
                            part.path,
                            share,
                            (*part.words, "share"),
                            part.identity,
                            derived=f"of {other.key} {whole}",
                            named=part.named,
                        )
                    )
    return found[:5000]
