"""Records of one table that a sentence mixes up: the value of another row, the wrong one called the best, none of some.

The rows of a table have names. Where a sentence names a row and gives it a number that only another row has, it is of
that one; where it calls a row the lowest, another may be lower.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from model_cards.lint import concepts, lexicon, linking, mentions, words
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
_NOT_IT = re.compile(r"(?<!\w)(?:not|no|other than|without|except|than|outside)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_SAID_OF_IT = frozenset(words.words("was were is are has have had that which in of on with"))
_NONE_OF = re.compile(r"(?<!\w)(?:no|not a single|not one)\s+(?P<what>\w+(?: \w+){0,2})", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class _Group:
    """A table whose records have names."""

    names: tuple[tuple[str, ...], ...]
    """Of each record, in normal form."""
    rows: tuple[Mapping[str, Entry], ...]

    @functools.cached_property
    def by_word(self) -> dict[str, list[tuple[int, tuple[str, ...]]]]:
        """The first word of a name to the records that it begins, with their names."""
        found: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for n, name in enumerate(self.names):
            if name:
                found.setdefault(name[0], []).append((n, name))
        return found

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
            of_some = _of_group(sentence, group, named, sources) if named else iter(())
            finding = next(itertools.chain(of_some, _beyond(sentence, group), _state(sentence, group)), None)
            if finding is not None:
                yield finding
                break


def _of_group(
    sentence: Sentence, group: _Group, named: Sequence[_Named], sources: linking.Sources
) -> Iterator[Finding]:
    """What a sentence says of the records of one table that is so of others."""
    yield from _extreme(sentence, group, named)
    yield from _mixed_up(sentence, group, named, sources)
    yield from _none(sentence, group, named)
    yield from _every(sentence, group, named)


@functools.lru_cache(maxsize=4)
def _groups(evidence: Evidence) -> tuple[_Group, ...]:
    """Tables whose records have names of their own under one key."""
    found = []
    for records in aligned.records(evidence):
        if max(map(len, records.rows)) < FEWEST or not FEWEST <= len(records.rows) <= MOST:
            continue
        for key in dict.fromkeys(key for row in records.rows for key in row):
            names = [_folded(words.words(str(row[key].value))) if key in row else () for row in records.rows]
            texts = [isinstance(row[key].value, str) for row in records.rows if key in row]
            usable = all(0 < len(name) <= LONGEST_NAME for name in names) and all(texts)
            if usable and len(set(names)) == len(names):
                # `35-49` is no name that a text cannot have for something else
                names = [() if name[0].isdigit() else name for name in names]
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
    for at, word in enumerate(row):
        for n, name in group.by_word.get(word, ()):
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
        if _NOT_IT.search(sentence.text[: own.begin]):
            continue
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
    values = [float(e.value or 0) for n, e in group.column(key) if _of_one_kind(group, record, n)]
    own = float(group.rows[record][key].value or 0)
    sizes, size = [abs(v) for v in values], abs(own)
    high, low = own == max(values) or size == max(sizes), own == min(values) or size == min(sizes)
    if match["any"]:
        return high or low
    return high if match["high"] else low


_KINDS = frozenset(words.words("feature attribute dimension axis record type kind variable category sensitive"))
"""Words of columns that tell of what kind a record is."""


def _shared(group: _Group) -> frozenset[str]:
    """Keys under which several records have one value, and not all."""
    columns = {key: [str(row[key].value) for row in group.rows if key in row] for key in group.rows[0]}
    return frozenset(key for key, held in columns.items() if FEWEST <= len(set(held)) < len(held))


def _of_one_kind(group: _Group, record: int, other: int) -> bool:
    """Are two records of one kind, where a column has one text for several: `age` of its groups?"""
    own, its = group.rows[record], group.rows[other]
    kinds = [k for k, e in own.items() if isinstance(e.value, str) and _KINDS & set(words.words(k))]
    return all(key in its and its[key].value == own[key].value for key in kinds if key in _shared(group))


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


_EVERY = re.compile(r"(?<!\w)(?:all|every|each)\s+(?:of\s+)?(?:the\s+)?$", re.IGNORECASE)
_NO_MISS = re.compile(
    r"(?<!\w)(?:no|not a single|none of the)\s+(?P<what>\w+)\s+(?:was|were|is|are|has been|have been)\s+"
    r"(?:missed|overlooked|lost|left out|un\w+ed)(?!\w)",
    re.IGNORECASE,
)


def _every(sentence: Sentence, group: _Group, named: Sequence[_Named]) -> Iterator[Finding]:
    """`All gear tooth faults were detected`, `no fault was missed on WT-14`: is a part of the record less than all?"""
    missed = _NO_MISS.search(sentence.text)
    roots = [concepts.root(word) for word in tokens.of(sentence.text).row]
    for one in named:
        record = group.rows[one.record]
        counts = {k: e for k, e in record.items() if isinstance(e.value, int) and not isinstance(e.value, bool)}
        every = _EVERY.search(sentence.text[: one.begin])
        behind = next((n for n in named if missed and n.begin > missed.end()), None)
        if not every and one is not behind:
            continue
        for whole, part in itertools.permutations(counts, 2):
            less = int(counts[part].value or 0) < int(counts[whole].value or 0)
            if less and _key_in(whole, roots) and (_key_in(part, roots) or (missed and _is_part(part))):
                yield Finding(
                    RULES["claim-contradicted"],
                    sentence,
                    "medium",
                    f"This is said of all; of {counts[whole].value} {whole} the record of "
                    f"“{' '.join(group.names[one.record])}” has {counts[part].value} {part}.",
                    "Take the counts of the record that is named.",
                    (0, len(sentence.text)),
                    counts[part].proof,
                )
                return


def _is_part(key: str) -> bool:
    """Is a key of what was found of a whole: `detected`, `recognised`?"""
    row = words.words(key)
    return len(row) == 1 and row[0].endswith("ed")


def _key_in(key: str, roots: Sequence[str]) -> bool:
    """Do all words of a key stand in a row of roots?"""
    own = [concepts.root(word) for word in words.words(key)]
    return bool(own) and set(own) <= set(roots)


_BEYOND = re.compile(
    r"(?<!\w)(?P<part>\d{1,2}|[a-z]+) (?:out )?of (?:the |its |our )?(?P<whole>\d{1,2}|[a-z]+) (?P<things>\w+)\s"
    r".{0,60}?(?<!\w)(?P<side>above|over|below|under|more than|less than)\s+(?=\d)",
    re.IGNORECASE,
)
_ERROR = re.compile(r"(?<!\w)(?:has|have|had)\s+(?:an? )?errors?(?!\w)", re.IGNORECASE)
_ABOVE = frozenset({"above", "over", "more than"})


def _beyond(sentence: Sentence, group: _Group) -> Iterator[Finding]:
    """`One of the six regions has an error above 0.6`: how many have?"""
    match = _BEYOND.search(sentence.text)
    part, whole = (mentions.counting(match[name]) for name in ("part", "whole")) if match else (None, None)
    if match is None or part is None or whole != len(group.rows) or not _is_called(group, match["things"]):
        return
    bound = next((m for m in coverage.stated(sentence) if m.begin >= match.end()), None)
    said = concepts.fold(tokens.of(sentence.text).row)
    measures = {k for row in group.rows for k, e in row.items() if _number(e) and e.measures}
    named = {k for k in measures if group.column(k)[0][1].measures & said} or (
        measures if _ERROR.search(sentence.text) else set()
    )
    if bound is None or not named:
        return
    limit = bound.value / 100 if bound.unit == "%" else bound.value
    above = match["side"].lower() in _ABOVE
    held = {k: sum((float(e.value or 0) > limit) == above for _, e in group.column(k)) for k in named}
    if part not in held.values():
        key = min(named)
        yield Finding(
            RULES["count-differs"],
            sentence,
            "medium",
            f"{match['part']} of {whole} is said; under “{key}” there are {held[key]}.",
            "Count the records of the evidence.",
            match.span("part"),
            group.column(key)[0][1].proof,
        )


def _is_called(group: _Group, noun: str) -> bool:
    """Do the keys of a table, or what it stands under, call its records so: `region`, `turbines`?"""
    first = next(iter(group.rows[0].values()))
    above = [step for step in first.path[:-1] if isinstance(step, str)]
    return words.stem(noun.lower()) in {word for name in (*group.rows[0], *above) for word in words.words(str(name))}


_ALL_ARE = re.compile(
    r"(?<!\w)(?:(?P<all>all|every|each)|(?P<part>\d{1,2}|[a-z]+) (?:out )?of)(?: of)?(?: the| its| our| these| those)?"
    r"(?: (?P<whole>\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))? (?:\w+ )?(?P<things>\w+)\s+"
    r"(?:is|are|was|were|has been|have been)\s+(?P<state>\w+(?: \w+)?)",
    re.IGNORECASE,
)


def _state(sentence: Sentence, group: _Group) -> Iterator[Finding]:
    """`All four risks are mitigated`, `two of four risks are closed`: how many have that state?"""
    match = _ALL_ARE.search(sentence.text)
    if match is None:
        return
    noun, state = words.stem(match["things"].lower()), match["state"].lower()
    rows = [row for row in group.rows if any(words.words(str(e.value)) == [noun] for e in row.values())]
    if not rows and _is_called(group, match["things"]):
        rows = list(group.rows)
    for key in dict.fromkeys(k for row in rows for k in row):
        held = [str(row[key].value).lower() for row in rows if key in row and isinstance(row[key].value, str)]
        word = next((v for v in held if v in {state, state.split()[0]}), None)
        if word is None or len(held) != len(rows) or len(rows) < FEWEST:
            continue
        part = len(rows) if match["all"] else mentions.counting(match["part"])
        whole = mentions.counting(match["whole"]) if match["whole"] else len(rows)
        told = match["all"] is not None or match["whole"] is not None
        if told and part is not None and whole == len(rows) and held.count(word) != part:
            other = next((row[key] for row in rows if str(row[key].value).lower() != word), rows[0][key])
            yield Finding(
                RULES["claim-contradicted"],
                sentence,
                "high",
                f"Of these {len(rows)}, {held.count(word)} are “{word}” in the evidence.",
                "Count the records of the evidence.",
                (0, len(sentence.text)),
                other.proof,
            )
        return
