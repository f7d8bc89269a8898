"""Names that differ by one word from what the evidence has, strangers in a list, and none of what it counts."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import concepts, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, saying, tokens
from model_cards.lint.rules.catalogue import RULES

LONGEST = 60
"""Characters of a text that is a name."""
MOST_WORDS = 8
_SURE = 4
"""Words that two names share, from which a number may be the one that differs."""
_SMALL = frozenset(words.words("the a an of in on at by for to and or with from as per is are not no one only all"))
_BETWEEN = re.compile(r"\s*,\s+(?:and\s+|or\s+)?|\s+(?:and|or)\s+")
_LONGEST_ITEM = 4
"""Words of a member of a list."""
_FEWEST = 2
"""Members of a list that a sentence has to name."""
_NEVER = re.compile(r"(?<!\w)(?:none of|never|not one|not a single|nobody)(?!\w)", re.IGNORECASE)
_OFFICES = frozenset(words.words("role title position function job office"))
"""Keys of what somebody is."""
_COUNTING = frozenset(words.words("n count number total of the so far since"))


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every name that is the evidence's but for a word, every stranger in a list, every `none` of some."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        if sentence.kind != "prose":
            continue
        yield from _one_word_off(sentence, evidence)
        yield from _strangers(sentence, evidence)
        yield from _none_of_some(sentence, evidence)


@functools.lru_cache(maxsize=4)
def _vocabulary(evidence: Evidence) -> frozenset[str]:
    """All words of keys and texts of the evidence."""
    texts = {str(e.value)[:300] for e in evidence.texts} | {s for e in evidence.entries for s in e.steps}
    return frozenset(word for text in texts for word in (*words.words(text), *tokens.of(text).row))


@functools.lru_cache(maxsize=4)
def _names(evidence: Evidence) -> dict[str, list[tuple[tuple[str, ...], Entry]]]:
    """Each word of a name to the names of several words that have it."""
    found: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
    for e in evidence.texts:
        row = tokens.of(str(e.value)).row
        if not e.derived and len(str(e.value)) <= LONGEST and 1 < len(row) <= MOST_WORDS:
            for word in set(row) - _SMALL:
                found.setdefault(word, []).append((row, e))
    return found


def _one_word_off(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Joblattice AG` for `Joblattice GmbH`, `WT-14 lost 72 hours` for `WT-11 lost 72 hours`."""
    text = tokens.of(sentence.text)
    names = _names(evidence)
    tried: set[tuple[tuple[str, ...], int]] = set()
    for at, word in enumerate(text.row):
        for row, entry in names.get(word, ()):
            begin = at - row.index(word)
            if begin < 0 or begin + len(row) > len(text.row) or (row, begin) in tried:
                continue
            tried.add((row, begin))
            off = [n for n, one in enumerate(row) if text.row[begin + n] != one]
            if len(off) != 1 or not _telling(row, off[0], text.row[begin + off[0]], sentence, entry, evidence):
                continue
            if not _alike(sentence.text[slice(*text.at[begin + off[0]])], str(entry.value), row, off[0]):
                continue
            if re.search(r"[,;:.(](?=\s)", sentence.text[text.at[begin][0] : text.at[begin + len(row) - 1][1]]):
                continue  # two names side by side
            if set(row) <= set(text.row) or not saying.asserted(sentence, *text.at[begin + off[0]]):
                continue
            span = (text.at[begin][0], text.at[begin + len(row) - 1][1])
            yield _finding("model-differs", sentence, span, entry)
            return


def _telling(row: tuple[str, ...], off: int, said: str, sentence: Sentence, entry: Entry, evidence: Evidence) -> bool:
    """Is the word that differs one that names, and are those that agree enough to tell that the same is meant?"""
    held = row[off]
    same = [word for n, word in enumerate(row) if n != off and word not in _SMALL]
    if held in _SMALL or said in _SMALL or words.akin(held, said) or concepts.root(held) == concepts.root(said):
        return False
    if held.isdigit() or said.isdigit():
        return held.isdigit() and said.isdigit() and len(same) >= _SURE
    office = bool(_OFFICES & set(words.words(entry.key)))
    sure = len(same) > 1 or (len(same) == 1 and (office or _proper(same[0], sentence)))
    return said not in _vocabulary(evidence) and sure


def _alike(said: str, value: str, row: tuple[str, ...], off: int) -> bool:
    """Do the words that differ look alike: both proper names, both numbers, or both within their names?"""
    held = re.findall(r"[^\W_]+", value)
    if len(held) != len(row) or said.isdigit() != held[off].isdigit():
        return False
    if said[0].isupper() or held[off][0].isupper():
        return said[0].isupper() and held[off][0].isupper()
    return said.isdigit() or (off > 0 and (off < len(row) - 1 or row[off - 1] in {"of", "by"}))


def _proper(word: str, sentence: Sentence) -> bool:
    """Is a word a proper name, as it stands in a sentence?"""
    return any(
        words.stem(words.plain(m[0])) == word and m.start() > 0 and m[0][0].isupper()
        for m in re.finditer(r"[^\W_]+", sentence.text)
    )


@functools.lru_cache(maxsize=4)
def _lists(evidence: Evidence) -> tuple[dict[tuple[str, ...], Entry], ...]:
    """Lists of short texts, each by its members."""
    found: dict[tuple[str, tuple[str | int, ...]], dict[tuple[str, ...], Entry]] = {}
    for e in evidence.texts:
        row = tokens.of(str(e.value)).row
        if not e.derived and len(e.path) > 1 and isinstance(e.path[-1], int) and 0 < len(row) <= _LONGEST_ITEM:
            found.setdefault((e.file, e.path[:-1]), {})[row] = e
    return tuple(members for members in found.values() if len(members) >= _FEWEST)


def _strangers(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Logistics, retail and banking`, where the list has care instead."""
    cuts = list(_BETWEEN.finditer(sentence.text))
    if len(cuts) < _FEWEST:
        return
    ends = [0, *(c.end() for c in cuts)]
    starts = [*(c.start() for c in cuts), len(sentence.text.rstrip(" .;:!"))]
    parts = [(b, e, tokens.of(sentence.text[b:e]).row) for b, e in zip(ends, starts, strict=True)]
    for members in _lists(evidence):
        known = [_is_member(row, members, first=n == 0) for n, (_, _, row) in enumerate(parts)]
        if sum(known) < _FEWEST:
            continue
        first, last = known.index(True), len(known) - 1 - known[::-1].index(True)
        if known[first : last + 2].count(False) != 1:
            continue
        for n in range(first, min(last + 2, len(parts))):
            begin, end, row = parts[n]
            if known[n] or not 0 < len(row) <= _LONGEST_ITEM or set(row) & _vocabulary(evidence):
                continue
            if n > last and end != starts[-1]:
                continue
            if praise.asserted(sentence, (begin, end)):
                yield _finding("model-differs", sentence, (begin, end), next(iter(members.values())))
                return


def _is_member(row: tuple[str, ...], members: dict[tuple[str, ...], Entry], *, first: bool) -> bool:
    """Is a part of a sentence a member of a list; does the first one, which has more before it, end with one?"""
    return row in members or (first and any(row[-len(m) :] == m for m in members))


@functools.lru_cache(maxsize=4)
def _counts(evidence: Evidence) -> tuple[tuple[frozenset[str], Entry], ...]:
    """What the evidence counts at least once, by the roots of its key."""
    found = []
    for e in evidence.numbers:
        whole = isinstance(e.value, int) and e.value >= 1 and not e.derived
        if whole and not e.rows and not any(isinstance(step, int) for step in e.path):
            own = frozenset(concepts.root(word) for word in words.words(e.key) if word not in _COUNTING)
            if len(own) > 1:
                found.append((own, e))
    return tuple(found)


def _none_of_some(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`None of the farms withdrew their consent` beside `consent_withdrawals: 3`."""
    match = _NEVER.search(sentence.text)
    if match is None or not saying.unconditional(sentence) or re.search(r"\d", sentence.text):
        return
    behind: Sequence[str] = [concepts.root(word) for word in tokens.of(sentence.text).row]
    for own, entry in _counts(evidence):
        if own <= set(behind):
            yield _finding("claim-contradicted", sentence, (0, len(sentence.text)), entry)
            return


def _finding(rule: str, sentence: Sentence, span: tuple[int, int], entry: Entry) -> Finding:
    return Finding(
        RULES[rule],
        sentence,
        "medium",
        f"“{sentence.text[span[0] : span[1]]:.80}” is said of what the evidence has as “{entry.value!s:.60}”.",
        "Take what the evidence has, or add the evidence of this.",
        span,
        entry.proof,
    )
