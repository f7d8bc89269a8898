"""Whole numbers that count something: rows of the data by their many names, or whatever a key of the evidence names."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import lexicon, matching, mentions, words
from model_cards.lint.evidence import LENGTH, Entry, Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Confidence, Finding, Proof, Sentence
from model_cards.lint.pool import Pool, holds
from model_cards.lint.rules import saying, tokens
from model_cards.lint.rules.catalogue import RULES
from model_cards.lint.rules.tokens import Tokens

SMALL = 100
LEAST_PART = 0.05
"""Share of the other, below which a count is no part of a sum: 9 hospitals are not taken from 400 patients."""
_RUN = re.compile(r"(?:[\s-]+[^\W_]+){0,4}")
_NEEDED = re.compile(
    r"(?<!\w)(?:at least|needed|necessary|minimum|fewest|window|would settle|"
    r"mindestens|nötig|au moins|fenster|fenêtre)(?!\w)",
    re.IGNORECASE,
)
_NOT_COUNTED = frozenset(
    words.words(
        "test set point level page time day week hour minute second month year value score id "
        "number size n total percent "
        "line section step the of a and are is in to part split name seed code low high key version width rank count "
        "most more less least"
    )
)
"""Words of keys that name no thing that is counted."""


class _Unknown:
    """It counts nothing that is known here; other rules look at the number."""


UNKNOWN = _Unknown()


@functools.lru_cache(maxsize=4)
def everything(evidence: Evidence) -> Pool:
    """All numbers of the evidence."""
    return Pool(evidence.numbers)


def check(sentence: Sentence, text: Tokens, mention: Mention, evidence: Evidence) -> Finding | _Unknown | None:
    """A finding where the evidence counts otherwise, None where it agrees, UNKNOWN where this is no count."""
    nouns = counted(sentence, text, mention, evidence)
    if nouns is None:
        return UNKNOWN
    noun, is_rows = nouns
    if is_rows and _NEEDED.search(f"{sentence.column} {sentence.row}" if sentence.kind == "cell" else sentence.text):
        return None  # so many are asked for; nobody says that there are as many
    own = [e for e in evidence.by_key_word.get(noun, ()) if float(e.value or 0) >= 0]
    part = part_of(sentence, text, mention)
    if is_rows:
        return _rows(sentence, mention, noun, part, own, evidence)
    if not own:
        return UNKNOWN
    if matching.true_of(mention, Pool(own)):
        return None
    few = len({e.value for e in own}) <= 6
    if any(noun in e.word_set for e in matching.every(mention, everything(evidence))):
        return None  # a text of the evidence counts it so
    if all(e.derived for e in own) and matching.first(mention, everything(evidence)) is not None:
        return None
    exact = [e for e in own if not (evidence.rich or e.derived) and words.words(e.key) == [noun]]
    if mention.value < SMALL and not exact and (matching.first(mention, everything(evidence)) is not None or not few):
        return None
    if mention.value < SMALL and len(exact) > 1 and matching.first(mention, everything(evidence)) is not None:
        return None
    close = matching.nearest(mention, Pool(own))
    if mention.hedge in {"less", "more"}:
        return None
    return _differs(
        sentence, mention, f"{noun}", close, "high" if few and not all(e.derived for e in own) else "medium"
    )


def counted(sentence: Sentence, text: Tokens, mention: Mention, evidence: Evidence) -> tuple[str, bool] | None:
    """What is counted, and is it rows of data."""
    rows = lexicon.row_nouns()
    following = text.after(mention.end, 4)
    touching = _touching(text.text[mention.end :])
    for position, word in enumerate(following[:touching]):
        if position and following[position - 1] in {
            "of",
            "the",
            "and",
            "in",
            "on",
            "for",
            "with",
            "to",
            "were",
            "was",
            "is",
        }:
            break
        if word in rows:
            return word, True
        if word in evidence.by_key_word and word not in _NOT_COUNTED and not word.isdigit():
            return word, False
    if text.before(mention.begin, 1) == ["n"]:
        return "n", True
    if sentence.kind == "cell" and len(text.row) <= 6:
        for name in (sentence.column, sentence.row):
            said = tokens.of(name).row
            if said and (said[-1] in rows or said[0] in rows or said in {("n",), ("count",), ("support",)}):
                return next((w for w in reversed(said) if w in rows), "n"), True
    return None


SPELLED = {word: number for word, number in mentions.SPELLED.items() if number > 1}
"""Numbers in letters that are no article."""
_WRITTEN = re.compile(
    rf"(?<![\w-])({'|'.join(SPELLED)})(?!\s+(?:of|out|and|or|to|times|in|on|for|from|by|with|at)(?!\w))(?=\s)",
    re.IGNORECASE,
)


def spelled(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`at four sites` where the evidence counts two: small numbers in letters right before what a key counts."""
    if sentence.kind != "prose":
        return
    for match in _WRITTEN.finditer(sentence.text):
        value = SPELLED[match[1].lower()]
        following = words.words(sentence.text[match.end() :][: _touching_end(sentence.text, match.end())])[:2]
        for word in following:
            own = [
                e
                for e in evidence.by_key_word.get(word, ())
                if (e.derived is None or (e.derived == LENGTH and (e.file, e.path) in evidence.plain_lists))
                and float(e.value or 0) < SMALL
                and not _is_label(e, word, evidence)
            ]
            if not own or word in _NOT_COUNTED or word in lexicon.row_nouns():
                continue
            if re.search(
                r"(?<!\w)(?:other|another|further|more|these|those|first|last)\s*$", sentence.text[: match.start()]
            ):
                break
            if _in_name(sentence, match, evidence):
                break
            if all(float(e.value or 0) != value for e in own) and _asserts(sentence, match):
                yield Finding(
                    RULES["count-differs"],
                    sentence,
                    "medium",
                    f"{match[1]} is given as a number of {word}; the evidence has {own[0].value}.",
                    "Take the count of the evidence, or name the evidence of this one.",
                    match.span(1),
                    own[0].proof,
                )
            break


def _is_label(entry: Entry, word: str, evidence: Evidence) -> bool:
    """Is a key that holds the word the name of something else? `bad risk: 60` counts the rows of a class, no risks."""
    key = entry.key.lower()
    return key != word and key in evidence.values


def _in_name(sentence: Sentence, match: re.Match[str], evidence: Evidence) -> bool:
    """`Genesis in Six Languages`: does the evidence call something so?"""
    text, at = sentence.text.lower(), match.start()
    begins = ((text.find(name, max(0, at - len(name))), len(name)) for name in evidence.names)
    return any(0 <= begin <= at < begin + length for begin, length in begins)


def _asserts(sentence: Sentence, match: re.Match[str]) -> bool:
    return not _NEEDED.search(sentence.text) and saying.asserted(sentence, *match.span())


def _touching_end(text: str, begin: int) -> int:
    """How many characters follow without a mark between the words."""
    return len(_RUN.match(text[begin:])[0])  # type: ignore[index]


def _touching(rest: str) -> int:
    """How many words follow without a mark between them."""
    return len(_RUN.match(rest)[0].split())  # type: ignore[index]


def part_of(sentence: Sentence, text: Tokens, mention: Mention) -> str | None:
    """Of which part of the data a count is said: train, validation, test, total. None where it is not clear."""
    parts = lexicon.parts()
    if sentence.kind == "cell":
        found = {parts[w] for name in (sentence.row, sentence.column) for w in tokens.of(name).row if w in parts}
        if not found and _totals() & set(tokens.of(sentence.row).row):
            return "total"
        return next(iter(found)) if len(found) == 1 else None
    low, high = text.clause(mention.begin, mention.end)
    said = tokens.of(text.text[low:high]).row
    found = {parts[w] for w in said if w in parts}
    if len(found) == 1:
        return next(iter(found))
    return "total" if not found and _totals() & set(said) else None


@functools.cache
def _totals() -> frozenset[str]:
    return frozenset(word for name in lexicon.load().totals for word in words.words(name))


def _rows(
    sentence: Sentence, mention: Mention, noun: str, part: str | None, own: Sequence[Entry], evidence: Evidence
) -> Finding | None:
    if noun not in {"n", "row", "record", "case", "entry", "example", "sample"} and own and part is None:
        # The evidence counts exactly this: patients, not rows.
        if matching.true_of(mention, Pool(own)):
            return None
        specific = [e for e in own if not {"row", "n"} & set(words.words(e.key))]
        if (
            specific
            and mention.value >= SMALL
            and matching.first(mention, _counts(evidence)) is None
            and not together(mention, evidence)
        ):
            return _differs(sentence, mention, noun, matching.nearest(mention, Pool(specific)), "high")
    if mention.hedge in {"less", "more"}:
        return None
    equal = matching.every(mention, _counts(evidence))
    of_part = _of_part(evidence, part) if part else ()
    if equal:
        wrong = part in {"train", "validation", "test"} and of_part and not any(part in _parts_of(e) for e in equal)
        if wrong and all(_parts_of(e) for e in equal):
            return _differs(
                sentence, mention, f"rows of the {part} part", matching.nearest(mention, Pool(of_part)), "medium"
            )
        return None
    if matching.first(mention, everything(evidence)) is not None or (mention.value < SMALL and not own):
        return None
    if _sum_or_difference(mention, evidence):
        return None
    if of_part:
        return _differs(sentence, mention, f"rows of the {part} part", matching.nearest(mention, Pool(of_part)), "high")
    if mention.value < SMALL:
        return None
    big = [e for e in evidence.counts if not e.derived]
    if part == "total" and big:
        return _differs(sentence, mention, "rows", matching.nearest(mention, Pool(big)), "high")
    close = matching.nearest(mention, Pool(big)) if big else None
    return _differs(sentence, mention, f"{noun} (rows)", close, "medium")


@functools.lru_cache(maxsize=4)
def _counts(evidence: Evidence) -> Pool:
    return Pool(evidence.counts)


@functools.lru_cache(maxsize=32)
def _of_part(evidence: Evidence, part: str) -> tuple[Entry, ...]:
    return tuple(e for e in evidence.counts if part in _parts_of(e) and not e.derived)


def _parts_of(entry: Entry) -> set[str]:
    parts = lexicon.parts()
    return {parts[word] for word in entry.word_set if word in parts}


@functools.lru_cache(maxsize=4)
def _sums(evidence: Evidence) -> list[float]:
    """Two parts taken together, and the rest of one without the other: sorted."""
    values = sorted({int(e.value or 0) for e in evidence.counts if float(e.value or 0) >= 2}, reverse=True)[:40]
    pairs = set(_of_lists(evidence)) | {
        float(n) for p, a in enumerate(values) for b in values[p + 1 :] if b >= LEAST_PART * a for n in (a + b, a - b)
    }
    return sorted(pairs | set(_wholes(evidence)))


@functools.lru_cache(maxsize=4)
def _of_lists(evidence: Evidence) -> frozenset[float]:
    """Sums of short lists of whole numbers, of columns of tables, and of a confusion matrix by row and column."""
    rows: dict[tuple[object, ...], list[float]] = {}
    for e in evidence.numbers:
        if isinstance(e.value, int) and not e.derived and e.path and isinstance(e.path[-1], int):
            rows.setdefault((e.file, "row", *e.path[:-1]), []).append(float(e.value))
        if isinstance(e.value, int) and not e.derived and e.rows and len(e.path) == 2:
            rows.setdefault((e.file, "table", e.path[1]), []).append(float(e.value))
        in_matrix = len(e.path) > 1 and isinstance(e.path[-1], int) and isinstance(e.path[-2], int)
        if isinstance(e.value, int) and not e.derived and in_matrix:
            rows.setdefault((e.file, "column", *e.path[:-2], e.path[-1]), []).append(float(e.value))
            rows.setdefault((e.file, "all", *e.path[:-2]), []).append(float(e.value))
    return frozenset(sum(values) for values in rows.values() if 1 < len(values) <= 144)


@functools.lru_cache(maxsize=4)
def _wholes(evidence: Evidence) -> tuple[float, ...]:
    """All rows of the parts of the data that stand beside each other: training, validation and test taken together."""
    groups: dict[tuple[object, ...], dict[str, float]] = {}
    for e in evidence.counts:
        for part in _parts_of(e) if not e.derived else ():
            noun = words.words(e.key)[-1:]
            groups.setdefault((e.file, *noun), {}).setdefault(part, float(e.value or 0))
    return tuple(sum(parts.values()) for parts in groups.values() if len(parts) > 2)


def together(mention: Mention, evidence: Evidence) -> bool:
    """Is it all rows of the parts that stand beside each other, or of a list of counts?"""
    wholes = sorted({*_wholes(evidence), *_of_lists(evidence)})
    return mention.whole and any(holds(wholes, low, high) for low, high in matching.windows(mention))


def _sum_or_difference(mention: Mention, evidence: Evidence) -> bool:
    return any(holds(_sums(evidence), low, high) for low, high in matching.windows(mention))


def _differs(sentence: Sentence, mention: Mention, what: str, close: Entry | None, confidence: Confidence) -> Finding:
    shown = sentence.text[mention.begin : mention.end]
    proof: Proof | None = close.proof if close else None
    has = f"the evidence has {float(close.value or 0):,.10g}" if close else "no evidence carries it"
    return Finding(
        RULES["count-differs"],
        sentence,
        confidence,
        f"{shown} is given as a number of {what}; {has}.",
        "Take the count of the evidence, or name the evidence of this one.",
        (mention.begin, mention.end),
        proof,
    )
