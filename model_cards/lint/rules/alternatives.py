"""Another member of a closed class than the evidence has under the same name: part, size, level, place, version."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, lexicon, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import praise, tokens
from model_cards.lint.rules.catalogue import RULES

_PART = re.compile(
    r"(?<!\w)(?P<part>test|validation|training|hold-?out|development|calibration)[ -](?:set|part|data|rows|split|"
    r"sample|images)(?!\w)",
    re.IGNORECASE,
)
_PARTS = {
    "training": "train",
    "holdout": "test",
    "hold-out": "test",
    "development": "validation",
    "calibration": "validation",
}
_LEVELS = (
    "negligible",
    "very low",
    "low",
    "minor",
    "medium",
    "moderate",
    "high",
    "very high",
    "major",
    "severe",
    "critical",
)
_LEVEL = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(_LEVELS, key=len, reverse=True))})(?!\w)", re.IGNORECASE)
_LEVEL_KEYS = frozenset(
    words.words("risk severity level priority likelihood probability criticality impact confidence grade")
)
_SIZES = ("tiny", "nano", "mini", "small", "base", "medium", "large", "xl", "xxl", "huge", "giant", "pico")
_SIZED = re.compile(rf"([A-Za-z][\w.-]*?)[-_ ]({'|'.join(_SIZES)})(?![A-Za-z])", re.IGNORECASE)
_VERSIONED = re.compile(r"([A-Z][\w-]{2,}(?: [A-Z][\w-]+)?)[ -]v?(\d+(?:\.\d+)+)(?![\w.]*\d)")
_CODE_KEYS = frozenset(words.words("class level revision grade category sil asil tier stage type"))
_CODE = re.compile(r"[A-Za-z]|[IVX]{1,4}[ab]?|\d{1,2}[a-z]?|[A-Z]\d?")
_LABEL = re.compile(
    r"(?<![\w-])(line|hall|ward|site|building|machine|station|plant|room|gate|dock|unit|zone|camera|lane|track) "
    r"(\d{1,3})(?![\w.,]*\d)",
    re.I,
)
_ITEM = re.compile(r"[A-ZÄÖÜ][\w-]+(?: [A-ZÄÖÜ][\w-]+)?")
_BETWEEN = r"(?:,\s+(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|\s+und\s+|\s+et\s+)"
_EMPTY = concepts.fold(
    tuple(words.words("on of in the a at by for to is set part data name type value kind version used model system")),
    "wider",
)
"""Concepts of keys that say nothing of what they are of."""
_SMALL = concepts.fold(
    tuple(words.words("not no represented and with under after low high medium unauthorised")), "wider"
)
"""Concepts of texts that tell no risk from another."""
LONGEST = 80
"""Characters of a text that names something."""
_LONGEST_PART = 3
"""Words of a text that names a part of the data."""
_LONG_STEM = 4
"""Letters beyond which a name of a model may have more before it: `xlm-roberta`."""
_FEWEST_NAMES = 3
"""Names of a sentence that may be members of a list."""


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every name of a closed class that the evidence has otherwise."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        if sentence.kind not in {"prose", "cell", "heading"}:
            continue
        found = itertools.chain(
            _parts(sentence, evidence),
            _levels(sentence, evidence),
            _codes(sentence, evidence),
            _sizes(sentence, evidence),
            _versions(sentence, evidence),
            _labels(sentence, evidence),
            _lists(sentence, evidence),
        )
        yield from itertools.islice(found, 1)


def _said(sentence: Sentence) -> frozenset[str]:
    """The concepts of a sentence, or of a cell with its row and column."""
    return concepts.fold(tokens.of(f"{sentence.row} {sentence.column} {sentence.text}").row, "wider")


@functools.lru_cache(maxsize=8192)
def _own(entry: Entry) -> frozenset[str]:
    """Concepts of the key of an entry that say what it is of."""
    return concepts.fold(tuple(words.words(entry.key)), "wider") - _EMPTY


@functools.lru_cache(maxsize=8)
def _texts(evidence: Evidence) -> tuple[Entry, ...]:
    """Texts short enough to be names."""
    return tuple(e for e in evidence.texts if not e.derived and len(str(e.value)) <= LONGEST)


def _parts(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Early stopping was done on the test set`, where the evidence has the validation set."""
    matches = list(_PART.finditer(sentence.text))
    if len(matches) != 1:
        return
    part = _PARTS.get(matches[0]["part"].lower(), matches[0]["part"].lower())
    said = _said(sentence)
    for entry in _texts(evidence):
        row = words.words(str(entry.value))
        held = {lexicon.parts()[w] for w in row if w in lexicon.parts()}
        if len(row) > _LONGEST_PART or len(held) != 1 or part in held or not _own(entry) or not _own(entry) <= said:
            continue
        if praise.asserted(sentence, matches[0].span()):
            yield _finding(sentence, matches[0].span(), entry)
            return


def _levels(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`The remaining risk for children is low`, where the evidence has it as high."""
    matches = list(_LEVEL.finditer(sentence.text))
    if len(matches) != 1 or sentence.kind == "cell":
        return
    said = _said(sentence)
    for entry in _texts(evidence):
        text = str(entry.value).strip().lower()
        if text not in _LEVELS or text == matches[0][0].lower() or not _LEVEL_KEYS & set(words.words(entry.key)):
            continue
        beside = [_row(e) for e in _siblings(evidence, entry) if e is not entry]
        rows = [row for row in beside if len(row & said) * 2 >= len(row) > 0 and row & said]
        last = concepts.fold(tuple(words.words(entry.key)[-1:]), "wider")
        if (
            last <= said
            and (rows or (not beside and _own(entry) <= said))
            and praise.asserted(sentence, matches[0].span())
        ):
            yield _finding(sentence, matches[0].span(), entry)
            return


def _row(entry: Entry) -> frozenset[str]:
    """The concepts of a text that tell what its row is of."""
    return concepts.fold(tuple(words.words(str(entry.value))), "wider") - _EMPTY - _SMALL


def _siblings(evidence: Evidence, entry: Entry) -> list[Entry]:
    """The short texts beside an entry, itself among them."""
    return _by_place(evidence).get((entry.file, entry.path[:-1]), [])


@functools.lru_cache(maxsize=8)
def _by_place(evidence: Evidence) -> dict[tuple[str, tuple[str | int, ...]], list[Entry]]:
    found: dict[tuple[str, tuple[str | int, ...]], list[Entry]] = {}
    for e in _texts(evidence):
        if e.path:
            found.setdefault((e.file, e.path[:-1]), []).append(e)
    return found


def _codes(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`Class IIa`, `performance level e`, `SIL 2`, where the evidence has another code under that name."""
    for entry in evidence.entries:
        key = words.words(entry.key)
        text = str(entry.value).strip()
        if (
            entry.derived
            or not key
            or key[-1] not in _CODE_KEYS
            or not _CODE.fullmatch(text)
            or isinstance(entry.value, bool)
        ):
            continue
        name = re.escape(key[-1])
        for match in re.finditer(
            rf"(?<!\w){name}\s+(?:of\s+)?(?P<code>{_CODE.pattern})(?!\w|[.,]\d)", sentence.text, re.IGNORECASE
        ):
            code = match["code"]
            if code.lower() in _codes_of(evidence, key[-1]) or (
                code.islower() and len(code) == 1 and code in "aio" and len(key) < 2
            ):
                continue
            told = len(key) == 1 or bool((_own(entry) - concepts.fold((key[-1],), "wider")) & _said(sentence))
            if told and praise.asserted(sentence, match.span()):
                yield _finding(sentence, match.span("code"), entry)
                return


@functools.lru_cache(maxsize=256)
def _codes_of(evidence: Evidence, name: str) -> frozenset[str]:
    """All codes that stand under keys of one name."""
    held = (e for e in evidence.entries if not e.derived and words.words(e.key)[-1:] == [name])
    return frozenset(str(e.value).strip().lower() for e in held)


def _sizes(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`XLM-RoBERTa base`, where the evidence has `xlm-roberta-large`."""
    held = _held_sizes(evidence)
    for match in _SIZED.finditer(sentence.text) if held else ():
        stem, size = _plain(match[1]), match[2].lower()
        for other, (sizes, entry) in held.items():
            if (stem == other or (len(other) > _LONG_STEM and stem.endswith(other))) and size not in sizes:
                yield _finding(sentence, match.span(), entry)
                return


@functools.lru_cache(maxsize=8)
def _held_sizes(evidence: Evidence) -> dict[str, tuple[frozenset[str], Entry]]:
    """Name of a model without its size to the sizes in which the evidence has it, and where."""
    found: dict[str, tuple[frozenset[str], Entry]] = {}
    for entry in _texts(evidence):
        for match in _SIZED.finditer(str(entry.value).rpartition("/")[2].replace("_", "-")):
            stem = _plain(match[1])
            if len(stem) > 2:
                sizes = found.get(stem, (frozenset(), entry))[0]
                found[stem] = (sizes | {match[2].lower()}, entry)
    return found


def _plain(text: str) -> str:
    """A name of a model without its publisher, blanks and hyphens."""
    return re.sub(r"[\W_]", "", text.rpartition("/")[2].lower())


def _versions(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`BirdNET 2.2`, where the evidence knows the name with another version only."""
    held: dict[str, tuple[set[str], Entry]] = {}
    for entry in _texts(evidence):
        for match in _VERSIONED.finditer(str(entry.value)):
            held.setdefault(match[1].lower(), (set(), entry))[0].add(match[2])
    for match in _VERSIONED.finditer(sentence.text) if held else ():
        name = match[1].lower()
        if name in held and not any(_agree(match[2], v) for v in held[name][0]):
            yield _finding(sentence, match.span(2), held[name][1])
            return


def _agree(one: str, other: str) -> bool:
    """`2.4` and `2.4.1` are one version, told less and more exactly."""
    a, b = one.split("."), other.split(".")
    return a[: min(len(a), len(b))] == b[: min(len(a), len(b))]


def _labels(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`On line 2`, where the evidence speaks of line 4 alone."""
    matches = list(_LABEL.finditer(sentence.text))
    if not matches:
        return
    held: dict[str, tuple[set[str], Entry]] = {}
    for entry in _texts(evidence):
        for match in _LABEL.finditer(str(entry.value)):
            held.setdefault(match[1].lower(), (set(), entry))[0].add(match[2])
    for match in matches:
        known = held.get(match[1].lower())
        if known and match[2] not in known[0] and praise.asserted(sentence, match.span()):
            yield _finding(sentence, match.span(), known[1])
            return


def _lists(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`In English, Finnish and Estonian`, where the list of the evidence has other members beside the first two."""
    names = list(_ITEM.finditer(sentence.text))
    if len(names) < _FEWEST_NAMES:
        return
    low = sentence.text.lower()
    for members in _members(evidence):
        if sum(m[0].lower() in members for m in names) < 2:
            continue
        for one, other in itertools.permutations(names, 2):
            joined = sentence.text[one.end() : other.start()] if one.end() <= other.start() else ""
            if not re.fullmatch(_BETWEEN, joined):
                continue
            known, new = (one, other) if one[0].lower() in members else (other, one)
            stranger = new[0].lower() not in members and not _held(new[0], evidence)
            once = low.count(new[0].lower()) == 1 and praise.asserted(sentence, new.span())
            if known[0].lower() in members and stranger and once:
                yield _finding(sentence, new.span(), members[known[0].lower()])
                return


@functools.lru_cache(maxsize=8)
def _members(evidence: Evidence) -> tuple[dict[str, Entry], ...]:
    """Lists of texts, each by its members."""
    found: dict[tuple[str, tuple[str | int, ...]], dict[str, Entry]] = {}
    for e in _texts(evidence):
        if len(e.path) > 1 and isinstance(e.path[-1], int):
            found.setdefault((e.file, e.path[:-1]), {})[str(e.value).lower()] = e
    return tuple(members for members in found.values() if len(members) > 1)


@functools.lru_cache(maxsize=4096)
def _held(name: str, evidence: Evidence) -> bool:
    """Does the evidence have a name anywhere, in a text or a key?"""
    low = name.lower()
    return any(low in str(e.value).lower() for e in evidence.texts) or any(
        low in str(step).lower() for e in evidence.entries for step in e.path if isinstance(step, str)
    )


def _finding(sentence: Sentence, span: tuple[int, int], entry: Entry) -> Finding:
    return Finding(
        RULES["model-differs"],
        sentence,
        "medium",
        f"“{sentence.text[span[0] : span[1]]}” is said of what the evidence has as “{entry.value!s:.60}”.",
        "Take what the evidence has, or add the evidence of this.",
        span,
        entry.proof,
    )
