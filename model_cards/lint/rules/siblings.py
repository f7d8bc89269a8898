"""Numbers that the evidence holds for a neighbour of what is named: the men's rate said of the women.

Without a name of a measure nothing else tells that `in men 11.0 %` is the value of the women, or of another row.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import lexicon, matching, mentions, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.pool import Pool
from model_cards.lint.rules import saying, tokens
from model_cards.lint.rules.catalogue import RULES

MOST_SIBLINGS = 40
_ALIKE = {"p50": frozenset({"half", "median"}), "p95": frozenset({"95"}), "p99": frozenset({"99"})}
"""Words by which documents call a quantile."""
_UNITS = frozenset(
    words.words("mm cm m km g kg t s ms min h w kw kwh wh mb gb kb eur euro usd percent pct l ml bar v hz")
)
_STOP = _UNITS | frozenset(
    words.words("the a an of in on at to is are was and or for by with not all any per as it from than")
)
_EMPTY = _STOP | frozenset(
    words.words(
        "value n count low high lower upper ci level until name id unit share rate number total set data test train "
        "validation training case cases model system well score overall"
    )
)
"""Words that name nothing by themselves."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Numbers that stand in the evidence only beside what the sentence names, under another name."""
    if evidence.rich:
        return
    pool = _pool(evidence)
    for sentence in document.sentences:
        if sentence.kind not in {"prose", "cell"}:
            continue
        found = mentions.find(sentence)
        for mention in found:
            if _ASKED.search(sentence.text[: mention.begin]):
                continue  # a limit, not what was found
            two = sentence.kind == "cell" and mention.whole and mention.value >= 10
            if (two or _telling(mention) or _keyed(sentence, mention, evidence)) and (
                finding := _one(sentence, mention, found, pool, evidence)
            ):
                yield finding


def _telling(mention: Mention) -> bool:
    """Has it digits enough that a match is no chance?"""
    value, decimals = mention.readings[0]
    if mention.ratio_of or mention.unit == "points" or (mention.hedge in {"less", "more"} and decimals < 1):
        return False
    return (
        len(f"{abs(value):.{max(decimals, 0)}f}".replace(".", "").strip("0")) >= 3
        or decimals >= 2
        or bool(mention.unit and decimals >= 1)
    )


def _keyed(sentence: Sentence, mention: Mention, evidence: Evidence) -> bool:
    """Has it a decimal, and is the whole key of a table said, such as `false alarms per week`?"""
    _, decimals = mention.readings[0]
    if sentence.kind != "prose" or decimals != 1 or mention.hedge != "exact":
        return False
    said = frozenset(tokens.of(sentence.text).row)
    return any(
        e.rows and len(row := frozenset(words.words(e.key)) - _STOP) > 1 and row <= said
        for e in matching.every(mention, _pool(evidence))
    )


@functools.lru_cache(maxsize=4)
def _pool(evidence: Evidence) -> Pool:
    return Pool([e for e in evidence.numbers if not e.derived and e.path])


@functools.lru_cache(maxsize=4)
def _families(evidence: Evidence) -> dict[tuple[object, ...], tuple[Entry, ...]]:
    """Entries with the same neighbours: values under one parent, and one column of a list of rows."""
    found: dict[tuple[object, ...], list[Entry]] = {}
    for entry in _pool(evidence).entries:
        found.setdefault((entry.file, "under", entry.path[:-1], entry.steps[:-1]), []).append(entry)
        if isinstance(entry.path[-1], str):
            rows = tuple("*" if isinstance(step, int) else step for step in entry.path)
            if "*" in rows:
                found.setdefault((entry.file, "column", rows), []).append(entry)
            elif len(entry.path) > 1:
                found.setdefault((entry.file, "key", entry.path[:-2], entry.path[-1]), []).append(entry)
    return {key: tuple(entries) for key, entries in found.items() if 1 < len(entries) <= MOST_SIBLINGS}


@functools.lru_cache(maxsize=4096)
def _labels(entry: Entry, kind: str) -> frozenset[str]:
    """Words that may tell an entry from its neighbours of a kind."""
    names = lexicon.canonical()
    if kind == "under":
        row = words.words(entry.key)
    elif kind == "key":
        row = words.words(entry.steps[-2])
    else:
        row = list(entry.identity | set(words.words(entry.called)))
    return frozenset(names.get(word, lexicon.CODES.get(word, word)) for word in row)


def _siblings(entry: Entry, evidence: Evidence) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    table = _families(evidence)
    under = table.get((entry.file, "under", entry.path[:-1], entry.steps[:-1]))
    if under:
        yield "under", under
    rows = tuple("*" if isinstance(step, int) else step for step in entry.path)
    if column := table.get((entry.file, "column", rows)):
        yield "column", column
    if key := table.get((entry.file, "key", entry.path[:-2], entry.path[-1])):
        yield "key", key


def _one(
    sentence: Sentence, mention: Mention, said: Sequence[Mention], pool: Pool, evidence: Evidence
) -> Finding | None:
    matches = matching.every(mention, pool)
    if not matches or len(matches) > 4:
        return None
    text = tokens.of(sentence.text)
    whole = text.canonical | tokens.of(sentence.row).canonical | tokens.of(sentence.column).canonical
    low, high = saying.clause(sentence.text, mention.begin, mention.end)
    near = tokens.of(sentence.text[low:high]).canonical
    if sentence.kind == "cell":
        near = tokens.of(sentence.row).canonical
    parts = frozenset(p for w in near if (p := lexicon.parts().get(w)))
    measured = {span.concept for span in text.measures}
    found: Entry | None = None
    for match in matches:
        for kind, siblings in _siblings(match, evidence):
            own = _labels(match, kind)
            others = [(s, _labels(s, kind) - own) for s in siblings if s is not match and _alike(match, s)]
            mine = own - frozenset().union(*(_labels(s, kind) for s, _ in others))
            said_here = _right_behind(sentence, mention)
            if said_here and kind != "under" and not any(_said(word, said_here) for word in (mine or own) - _STOP):
                beside = [o for o, labels in others if _names(labels - _EMPTY, said_here, half=False)]
                if beside and not matching.equal(mention, float(beside[0].value or 0)):
                    found = found or beside[0]
                    continue
            if any(_said(word, whole) for word in (mine or own) - _STOP):
                if match.rows and (kind == "under" or sentence.kind == "prose"):
                    continue  # its column is right, or its row; the other is to be looked at, too
                return None  # it is named, too
            if kind == "under" and (part := _of_other_part(match, siblings, parts, said)):
                found = found or part
                continue
            if kind == "under" and measured & _own_measures(match):
                return None
            if kind == "under" and any(lexicon.measures().find(words.words(e.key)) for e in siblings):
                continue  # names of measures are for the rules that know them
            for other, labels in others:
                if not _names(labels - _EMPTY, near, half=kind == "under"):
                    continue
                if any(matching.equal(m, float(other.value or 0)) for m in said):
                    continue  # the named one has its own number here
                found = found or other
    if found is None:
        return None
    shown = sentence.text[mention.begin : mention.end]
    return Finding(
        RULES["number-of-another"],
        sentence,
        "medium",
        f"{shown} stands in the evidence for something else than what is named here.",
        f"Take the value of the evidence, {found.value}, or name what {shown} is.",
        (mention.begin, mention.end),
        found.proof,
    )


_ASKED = re.compile(
    r"(?<!\w)(?:minimum|maximum|limit|target|threshold|goal|at least|at most|requirement|required)(?: value)?(?: "
    r"of| is| was|:)?\s*$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s?(?:%|points?)?\s+(?:for|in|among|with|of) ((?:[^\W\d_]+ ?){1,4}?)(?=\s?(?:[,.;(]|and\b|$))", re.IGNORECASE
)


def _right_behind(sentence: Sentence, mention: Mention) -> frozenset[str]:
    """The words of `for women` in `13.9 % for women and 14.9 % for men`; none where nothing such follows."""
    if sentence.kind != "prose":
        return frozenset()
    match = _BEHIND.match(sentence.text, mention.end)
    return tokens.of(match[1]).canonical if match else frozenset()


@functools.lru_cache(maxsize=4096)
def _own_measures(entry: Entry) -> frozenset[str]:
    """Measures that the key itself names, not what stands above it."""
    return frozenset(named.concept for named in lexicon.measures().find(words.words(entry.called or entry.key)))


def _of_other_part(
    match: Entry, siblings: Sequence[Entry], said: frozenset[str], numbers: Sequence[Mention]
) -> Entry | None:
    """`On the validation part it is 0.9438`, where that is the value of the test part: the sibling of the part said."""
    known = lexicon.parts()
    row = words.words(match.key)
    own = {known[w] for w in row if w in known}
    if len(own) != 1 or len(said) != 1 or own == said:
        return None
    rest = [w for w in row if w not in known]
    for other in siblings:
        theirs = words.words(other.key)
        if {known[w] for w in theirs if w in known} == said and [w for w in theirs if w not in known] == rest:
            return None if any(matching.equal(m, float(other.value or 0)) for m in numbers) else other
    return None


def _alike(one: Entry, other: Entry) -> bool:
    """Are they values of one kind: both whole or both not, and of a like size?"""
    a, b = abs(float(one.value or 0)), abs(float(other.value or 0))
    return a.is_integer() == b.is_integer() and 0 < max(a, b) <= 1000 * min(a, b)


def _names(labels: frozenset[str], said: frozenset[str], *, half: bool) -> bool:
    """Are the words of a name said, or half of those of a key? Single letters name nothing by themselves."""
    telling = {word for word in labels if len(word) > 1}
    if half and 2 * sum(len(word) > 4 and _said(word, said) for word in telling) >= len(telling) > 0:
        return True
    return bool(telling) and all(_said(word, said) or word in _EMPTY for word in telling)


def _said(word: str, said: frozenset[str]) -> bool:
    parts = lexicon.parts()
    if word in parts and any(parts.get(other) == parts[word] for other in said):
        return True
    return word in said or bool(_ALIKE.get(word, frozenset()) & said)
