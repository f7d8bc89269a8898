"""Records of one table that a sentence mixes up: the value of another row, the wrong one called the best, none of some.

The rows of a table have names. Where a sentence names a row and gives it a number that only another row has, it is of
that one; where it calls a row the lowest, another may be lower.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from model_cards.lint import concepts, lexicon, linking, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import aligned, coverage, saying, tokens
from model_cards.lint.rules.catalogue import RULES

FEWEST, MOST = 2, 60
"""Records of a table that sentences speak of by name."""
LONGEST_NAME = 5
"""Words of the name of a record."""
_BEHIND = 4
"""Words behind `the lowest` that say what is so low."""
_COUNTS = frozenset(words.words("n count number support total size applications images rows records"))
_MOST = re.compile(
    r"(?<!\w)(?P<high>highest|largest|longest|greatest|biggest)|(?P<low>lowest|smallest|shortest|fewest)|"
    r"(?P<any>best|worst|weakest|strongest)(?!\w)",
    re.IGNORECASE,
)
_AMONG = re.compile(
    r"(?<!\w)(?:second|third|next|among|one of|of the (?:two|three|others)|except|apart from)(?!\w)", re.I
)
_PIECE = re.compile(r"[,;:](?=\s)|\s(?:and|while|whereas|but)\s")
_SAID_OF_IT = frozenset(words.words("was were is are has have had that which in of on with"))
_NONE_OF = re.compile(r"(?<!\w)(?:no|not a single|not one)\s+(?P<what>\w+(?: \w+){0,2})", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class _Group:
    """A table whose records have names."""

    names: tuple[tuple[str, ...], ...]
    """Of each record, in normal form."""
    rows: tuple[Mapping[str, Entry], ...]

    def column(self, key: str) -> list[tuple[int, Entry]]:
        """The numbers under a key, each with its record."""
        return [(n, row[key]) for n, row in enumerate(self.rows) if key in row and _number(row[key])]


@dataclasses.dataclass(frozen=True)
class _Named:
    """A record that a sentence names: which one, and where."""

    record: int
    begin: int
    end: int


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every sentence that gives a record what only another one has."""
    if evidence.rich:
        return
    sources = linking.of(evidence)
    for sentence in document.sentences:
        if sentence.kind != "prose" or not saying.unconditional(sentence):
            continue
        for group in _groups(evidence):
            named = list(_named(sentence, group))
            finding = next(_of_group(sentence, group, named, sources), None) if named else None
            if finding is not None:
                yield finding
                break


def _of_group(
    sentence: Sentence, group: _Group, named: Sequence[_Named], sources: linking.Sources
) -> Iterator[Finding]:
    """What a sentence says of the records of one table that is so of others."""
    yield from _mixed_up(sentence, group, named, sources)
    yield from _extreme(sentence, group, named)
    yield from _none(sentence, group, named)


@functools.lru_cache(maxsize=4)
def _groups(evidence: Evidence) -> tuple[_Group, ...]:
    """Tables with numbers, whose records have names of their own under one key."""
    found = []
    for records in aligned.records(evidence):
        if (
            max(map(len, records.rows)) < 2
            or not FEWEST <= len(records.rows) <= MOST
            or not any(_number(e) for row in records.rows for e in row.values())
        ):
            continue
        for key in dict.fromkeys(key for row in records.rows for key in row):
            names = [_folded(words.words(str(row[key].value))) if key in row else () for row in records.rows]
            texts = [isinstance(row[key].value, str) for row in records.rows if key in row]
            usable = all(0 < len(name) <= LONGEST_NAME for name in names) and all(texts)
            if usable and len(set(names)) == len(names) and not any(name[0].isdigit() for name in names):
                found.append(_Group(tuple(names), records.rows))
                break
    return tuple(found)


def _folded(row: Sequence[str]) -> tuple[str, ...]:
    """Words with the parts of the data under one name."""
    parts = lexicon.parts()
    return tuple(parts.get(word, word) for word in row)


def _number(entry: Entry) -> bool:
    return isinstance(entry.value, int | float) and not isinstance(entry.value, bool)


def _named(sentence: Sentence, group: _Group) -> Iterator[_Named]:
    """The records that a sentence names, by all words of their name, in reading order."""
    text = tokens.of(sentence.text)
    row = _folded(text.row)
    for at in range(len(row)):
        for n, name in enumerate(group.names):
            if row[at : at + len(name)] == name:
                yield _Named(n, text.at[at][0], text.at[at + len(name) - 1][1])
                break


def _mixed_up(
    sentence: Sentence, group: _Group, named: Sequence[_Named], sources: linking.Sources
) -> Iterator[Finding]:
    """A number behind the name of a record that is of another record, under a key that the sentence names."""
    found = [
        m
        for m in coverage.stated(sentence)
        if m.hedge == "exact" and not any(n.begin <= m.begin < n.end for n in named)
    ]
    if not found or len({n.record for n in named if n.begin < found[0].begin}) != 1:
        return  # `from grade 8 to grade 11 it rises from`: which number is of which is not told by their order
    said = concepts.fold(tokens.of(sentence.text).row)
    swapped = len({n.record for n in named}) > 1
    for mention in found:
        own = [n for n in named if n.end <= mention.begin][-1]
        record = group.rows[own.record]
        if any(_number(e) and _stands(mention, e) for e in record.values()) or mention.value in {0, 1}:
            continue
        for key, entry in record.items():
            if not _number(entry) or not concepts.fold(tuple(words.words(key))) & said - linking.EMPTY:
                continue
            of = [n for n, e in group.column(key) if n != own.record and _stands(mention, e)]
            if len(of) != 1 or not (of[0] in {n.record for n in named} if swapped else mention.readings[0][1]):
                continue
            name = frozenset(concepts.fold(group.names[own.record]))
            if any(name <= s.names for s in linking.equal(mention, sources, percent=False) if not s.follows):
                continue
            yield Finding(
                RULES["number-of-another"],
                sentence,
                "medium",
                f"{sentence.text[mention.begin : mention.end]} is of “{' '.join(group.names[of[0]])}”; what is named "
                f"here has {entry.value}.",
                "Take the value of the record that is named.",
                (mention.begin, mention.end),
                entry.proof,
            )
            return
        if pair := _pair(mention, group, own.record):
            yield Finding(
                RULES["count-differs"],
                sentence,
                "medium",
                f"{sentence.text[mention.begin : mention.end]} of {mention.ratio_of:g} is of another record; what is "
                f"named here has {pair.value}.",
                "Take the counts of the record that is named.",
                (mention.begin, mention.end),
                pair.proof,
            )
            return


def _stands(mention: Mention, entry: Entry) -> bool:
    return linking.stands_for(mention, linking.source_of(entry))


def _pair(mention: Mention, group: _Group, record: int) -> Entry | None:
    """`9 of 10`: the part that the record has instead, where another record has these two under the same keys."""
    if mention.ratio_of is None:
        return None
    keys = [key for key, e in group.rows[record].items() if _number(e)]
    for part in keys:
        for whole in keys:
            held = [(n, e.value, group.rows[n][whole].value) for n, e in group.column(part) if whole in group.rows[n]]
            like = [n for n, a, b in held if a == mention.value and b == mention.ratio_of]
            if part != whole and like and record not in like:
                return group.rows[record][part]
    return None


def _extreme(sentence: Sentence, group: _Group, named: Sequence[_Named]) -> Iterator[Finding]:
    """`Saxony is the strongest`: is another record higher or lower under the key that is named?"""
    if _AMONG.search(sentence.text):
        return
    cuts = [0, *(m.end() for m in _PIECE.finditer(sentence.text)), len(sentence.text)]
    for match in _MOST.finditer(sentence.text):
        low = max(c for c in cuts if c <= match.start())
        high = min(c for c in cuts if c >= match.end())
        inside = {n.record for n in named if low <= n.begin < high}
        inside = inside or ({n.record for n in named} if len(cuts) == 2 else set())
        if len(inside) != 1:
            continue
        record = next(iter(inside))
        keys = [k for k, e in group.rows[record].items() if _number(e) and len(group.column(k)) == len(group.rows)]
        said = concepts.fold(tuple(tokens.of(sentence.text).after(match.end(), _BEHIND)))
        named_keys = [k for k in keys if concepts.fold(tuple(words.words(k))) & said - linking.EMPTY]
        if match["any"] is None and not named_keys:
            continue
        keys = named_keys or [k for k in keys if group.rows[record][k].measures and not _COUNTS & set(words.words(k))]
        wrong = [k for k in keys if not _is_end(group, k, record, match)]
        if keys and len(group.rows) > FEWEST - bool(named_keys) and len(wrong) == len(keys):
            entry = group.rows[record][wrong[0]]
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "medium",
                f"“{' '.join(group.names[record])}” is called the {match[0].lower()}; others lie beyond its "
                f"{entry.value} on both sides or on that one.",
                "Name the record that it is true of.",
                (0, len(sentence.text)),
                entry.proof,
            )
            return


def _is_end(group: _Group, key: str, record: int, match: re.Match[str]) -> bool:
    """Is the record at that end of a column; at either, where `best` and `worst` do not say at which?"""
    values = [float(e.value or 0) for _, e in group.column(key)]
    own = float(group.rows[record][key].value or 0)
    sizes, size = [abs(v) for v in values], abs(own)
    high, low = own == max(values) or size == max(sizes), own == min(values) or size == min(sizes)
    if match["any"]:
        return high or low
    return high if match["high"] else low


def _none(sentence: Sentence, group: _Group, named: Sequence[_Named]) -> Iterator[Finding]:
    """`WT-03 had no false alarm`, where its record counts one."""
    if len({n.record for n in named}) != 1:
        return
    record = group.rows[named[0].record]
    for match in _NONE_OF.finditer(sentence.text):
        what = tuple(words.words(match["what"]))
        for key, entry in record.items():
            own = tuple(words.words(key))
            spoken = _SAID_OF_IT & set(what[len(own) :])  # `no leak was missed` counts no leaks
            if _number(entry) and float(entry.value or 0) >= 1 and what[: len(own)] == own and not spoken:
                yield Finding(
                    RULES["claim-contradicted"],
                    sentence,
                    "medium",
                    f"“{match[0]}” is said of a record that has {entry.value}.",
                    "Take the count of the record that is named.",
                    (0, len(sentence.text)),
                    entry.proof,
                )
                return
