"""Tables of a document beside the table of the evidence that they were copied from: which row is which, which column.

A table says more than its names: where most cells of a column are those of one key, row by row, the column is that
key, whatever its head calls it. A cell that differs from its record is then wrong, and one that agrees is carried.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from model_cards.lint import concepts, dates, linking, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import tokens
from model_cards.lint.rules.catalogue import RULES

FEWEST = 2
"""Rows that have to be recognised, and cells of a column that have to agree."""
RECOGNISED = 0.6
"""Share of the rows of a table that have to be."""
MOST_RECORDS = 400
"""Records of a table of the evidence, beyond which names meet by chance."""
MOST_WORDS = 6
"""Words of a text that is a name or an outcome, and no sentence."""
_SHARE = "share of "
"""Before the key of a column of counts: what each of them is of their sum."""
_NOTHING = re.compile(r"\s*(?:|[-–—/.]+|n/?a|none)\s*", re.IGNORECASE)
_OUTCOMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"pass(?:ed)?|met|fulfilled|ok|yes|true|satisfied|reached|achieved|✓|✔",
        r"fail(?:ed)?|not (?:met|passed|fulfilled|satisfied|reached|achieved)|missed|violated|no|false|✗|✘",
        r"not (?:tested|run|done|measured|carried out|performed)|untested|open|pending|unknown|outstanding",
        r"closed|mitigated|done|solved|resolved|completed|fixed",
    )
)
"""Outcomes that are one: of these, two of different rows are different."""


_THOUSANDS = re.compile(r"(?<=\d)[ ,'’](?=\d{3}(?!\d))")


@dataclasses.dataclass(frozen=True)
class _Table:
    """The rows of a table of a document, each with its cells by their column (from 1)."""

    rows: tuple[Mapping[int, Sentence], ...]


@dataclasses.dataclass(frozen=True)
class Records:
    """A table of the evidence: each record with its values by their keys, its own name under the empty key."""

    rows: tuple[Mapping[str, Entry], ...]
    totals: Mapping[str, int]
    """Sums of the columns of counts."""


@dataclasses.dataclass(frozen=True)
class _Column:
    """A column of a document that is a key of the evidence: its cells with their values, and whether they agree."""

    key: str
    pairs: tuple[tuple[Sentence, Entry, bool], ...]

    @property
    def agreeing(self) -> int:
        """How many of its cells agree."""
        return sum(same for _, _, same in self.pairs)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every cell that differs from the record of its row, in a column that agrees with one key elsewhere."""
    carried = agreeing(document, evidence)
    for column in _columns(document, evidence):
        for sentence, entry, same in column.pairs:
            if not same and id(sentence) not in carried and (kind := _differs(sentence, entry, column.key)):
                yield _finding(kind, sentence, entry, column.key)


@functools.lru_cache(maxsize=8)
def agreeing(document: Document, evidence: Evidence) -> frozenset[int]:
    """Cells (their `id`) that are carried by the record of their row, and those that name it."""
    return frozenset(
        id(sentence) for column in _columns(document, evidence) for sentence, _, same in column.pairs if same
    )


@functools.lru_cache(maxsize=8)
def _columns(document: Document, evidence: Evidence) -> tuple[_Column, ...]:
    if evidence.rich:
        return ()
    return tuple(
        column for table in _tables(document) for held in records(evidence) for column in _aligned(table, held)
    )


def _tables(document: Document) -> Iterator[_Table]:
    """Tables with a head, without the cells of that."""
    rows: dict[int, dict[int, Sentence]] = {}
    last = 0
    for sentence in (*document.sentences, None):
        at = sentence.place.cell if sentence is not None and sentence.kind == "cell" else None
        if at is None or at[0] < last:
            if len(rows) > FEWEST:
                yield _Table(tuple(cells for number, cells in rows.items() if number > min(rows) and len(cells) > 1))
            rows, last = {}, 0
        if at is not None and sentence is not None:
            last = at[0]
            rows.setdefault(at[0], {}).setdefault(at[1], sentence)


@functools.lru_cache(maxsize=4)
def records(evidence: Evidence) -> tuple[Records, ...]:
    """Lists of records, records under names, and plain values under names."""
    listed: dict[tuple[object, ...], dict[object, dict[str, Entry]]] = collections.defaultdict(dict)
    for e in evidence.entries:
        if e.derived or not e.path:
            continue
        key = e.path[-1]
        if isinstance(key, str) and len(e.path) > 1:
            above = e.path[-2]
            listed[e.file, "list" if isinstance(above, int) else "names", e.path[:-2]].setdefault(above, {})[key] = e
        if isinstance(key, str):
            listed[e.file, "values", e.path[:-1]][key] = {"value": e}
    found = []
    for (_, kind, _), held in listed.items():
        if not FEWEST <= len(held) <= MOST_RECORDS:
            continue
        rows = [dict(row) if kind == "list" else {**row, "": _name(str(name), row)} for name, row in held.items()]
        shared = collections.Counter(key for row in rows for key in row)
        if kind == "names" and max((n for key, n in shared.items() if key), default=0) < FEWEST:
            continue
        found.append(Records(tuple(rows), _totals(rows)))
    return tuple(found)


def _name(name: str, row: Mapping[str, Entry]) -> Entry:
    """The name of a record as a value of it."""
    first = next(iter(row.values()))
    return Entry(first.file, first.path, name.replace("_", " "), (), frozenset())


def _totals(rows: Sequence[Mapping[str, Entry]]) -> dict[str, int]:
    columns: dict[str, list[int]] = collections.defaultdict(list)
    for row in rows:
        for key, e in row.items():
            if isinstance(e.value, int) and not isinstance(e.value, bool):
                columns[key].append(e.value)
    return {key: sum(held) for key, held in columns.items() if len(held) == len(rows) and min(held) >= 0 < sum(held)}


def _aligned(table: _Table, records: Records) -> Iterator[_Column]:
    """The columns of a table that are keys of these records; the one that names the rows first."""
    matched = [(key, _matched(table, records, key)) for key in _names_of(records)]
    named, rows = max(matched, key=lambda pair: len(pair[1]), default=("", []))
    if len(rows) < FEWEST or len(rows) < RECOGNISED * len(table.rows):
        return
    columns = list(_best(table, records, rows, named))
    if columns:
        yield _Column(named, tuple((cells[1], record[named], True) for cells, record in rows))
        yield from columns


def _names_of(records: Records) -> list[str]:
    """Keys whose values may name rows."""
    return list(dict.fromkeys(key for row in records.rows for key in row if not isinstance(row[key].value, bool)))


def _matched(table: _Table, records: Records, key: str) -> list[tuple[Mapping[int, Sentence], Mapping[str, Entry]]]:
    """Rows whose first cell is the value of one record; of several such records, the one with most other values."""
    found = []
    for cells in table.rows:
        first = cells.get(1)
        like = [row for row in records.rows if key in row and first is not None and _is_name(first, row[key])]
        if len(like) > 1:
            scored = [
                (sum(any(_same(c, e, k) for c in cells.values()) for k, e in row.items() if k != key), n)
                for n, row in enumerate(like)
            ]
            most = max(scored)[0]
            like = [like[n] for score, n in scored if score == most > 0]
        if len(like) == 1:
            found.append((cells, like[0]))
    taken = collections.Counter(id(record) for _, record in found)
    return [pair for pair in found if taken[id(pair[1])] == 1]


def _best(
    table: _Table,
    records: Records,
    rows: Sequence[tuple[Mapping[int, Sentence], Mapping[str, Entry]]],
    named: str,
) -> Iterator[_Column]:
    """For each further column the one key whose values it has in most rows."""
    keys = dict.fromkeys(key for _, record in rows for key in record if key != named)
    for number in sorted({n for cells in table.rows for n in cells if n > 1}):
        head = next((cells[number].column for cells in table.rows if number in cells), "")
        choices = []
        for key in (*keys, *(_SHARE + key for key in records.totals)):
            of = key.removeprefix(_SHARE)
            pairs = tuple(
                (cells[number], entry, _same(cells[number], entry, key))
                for cells, record in rows
                if number in cells and of in record and (entry := _of(record[of], key, records)).value is not None
            )
            column = _Column(key, pairs)
            if column.agreeing >= FEWEST and 2 * column.agreeing > len(pairs):
                choices.append((column.agreeing, _alike(head, key), column))
        choices.sort(key=lambda choice: choice[:2], reverse=True)
        if choices and (len(choices) == 1 or choices[0][:2] > choices[1][:2]):
            yield choices[0][2]
        elif choices:  # two keys have the same values: what agrees with one of them is carried
            yield _Column(choices[0][2].key, tuple(pair for pair in choices[0][2].pairs if pair[2]))


def _of(entry: Entry, key: str, records: Records) -> Entry:
    """A value, or its share of the sum of its column."""
    if not key.startswith(_SHARE):
        return entry
    whole = records.totals[key.removeprefix(_SHARE)]
    return dataclasses.replace(entry, value=float(entry.value or 0) / whole, derived="share")


def _alike(head: str, key: str) -> int:
    """How many concepts a head shares with a key."""
    return len(concepts.fold(tokens.of(head).row) & concepts.fold(tuple(words.words(key))))


@functools.lru_cache(maxsize=1 << 15)
def _plain(text: str) -> tuple[str, ...]:
    row = [re.sub(r"^(\d+)(?:pct|percent)$", r"\1", word) for word in words.words(text)]
    return tuple(sorted(word for word in row if word not in {"the", "of", "and", "a", "in"}))


def _is_name(sentence: Sentence, entry: Entry) -> bool:
    """Does a cell call a row as a value does?"""
    if isinstance(entry.value, str):
        text, value = sentence.text, entry.value
        alike = _plain(text) == _plain(value) or (len(value.split()) <= MOST_WORDS and _folded(text) == _folded(value))
        return alike and _plain(text) != ()
    return any(c.isdigit() for c in sentence.text) and entry.value is not None and _same(sentence, entry, "")


def _same(sentence: Sentence, entry: Entry, key: str) -> bool:
    """Does a cell say a value?"""
    text, value = sentence.text, entry.value
    if value is None or value == "":
        return _NOTHING.fullmatch(text) is not None
    if isinstance(value, bool):
        return bool(_OUTCOMES[0 if value else 1].fullmatch(text))
    if isinstance(value, int | float):
        found = mentions.find(dataclasses.replace(sentence, row="", column=""))
        if len(found) != 1 or bool(key.startswith(_SHARE)) != (entry.derived == "share"):
            return text.strip() == str(value)
        percent = "%" in f"{sentence.column} {sentence.row}" or "share" in words.words(key)
        return linking.stands_for(found[0], linking.source_of(entry), percent=percent) and _sign(text) == (value < 0)
    if _plain(text) == _plain(value) != ():
        return True
    said, held = dates.find(text), dates.find(value)
    if said and held:
        return len(said) == len(held) and all(a.agrees(b) for a, b in zip(said, held, strict=True))
    own = _outcome(text)
    if own is not None and own == _outcome(value):
        return True
    return len(value.split()) <= MOST_WORDS and _folded(text) == _folded(value) != frozenset()


def _sign(text: str) -> bool:
    return bool(re.match(r"\s*[-−–](?=[\d.])", text))


@functools.lru_cache(maxsize=1 << 14)
def _folded(text: str) -> frozenset[str]:
    return concepts.fold(tuple(words.words(text)))


def _outcome(text: str) -> int | None:
    clean = text.strip(" *_.").replace("_", " ")
    return next((n for n, pattern in enumerate(_OUTCOMES) if pattern.fullmatch(clean)), None)


def _differs(sentence: Sentence, entry: Entry, key: str) -> str:
    """The rule that a cell with another value than its record breaks; empty where it may only say it otherwise."""
    text, value = sentence.text, entry.value
    if _NOTHING.fullmatch(text) or value in {None, ""}:
        return ""
    if isinstance(value, bool):
        return "claim-contradicted" if _outcome(text) is not None else ""
    if isinstance(value, int | float):
        return "number-differs" if len(mentions.find(sentence)) == 1 else ""
    if dates.find(text) and dates.find(value):
        return "date-differs"
    if _outcome(text) is not None and _outcome(value) is not None:
        return "claim-contradicted"
    if max(len(text.split()), len(value.split())) > MOST_WORDS:
        return ""
    numbers = [re.findall(r"\d+(?:[.,]\d+)*", _THOUSANDS.sub("", t)) for t in (text, value)]
    if numbers[0] and numbers[1]:
        return "number-differs" if numbers[0] != numbers[1] else ""
    return "" if _folded(text) & _folded(value) else "model-differs"


def _finding(rule: str, sentence: Sentence, entry: Entry, key: str) -> Finding:
    shown = f"{entry.value:.4g}" if entry.derived == "share" else f"{entry.value!s:.60}"
    return Finding(
        RULES[rule],
        sentence,
        "high",
        f"{sentence.text} is given for “{sentence.row}”, “{sentence.column or key}”; its record has {shown}.",
        "Take the value of the record, or add the evidence of this one.",
        (0, len(sentence.text)),
        entry.proof,
    )
