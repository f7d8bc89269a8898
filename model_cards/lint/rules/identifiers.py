"""Names and identifiers that are nearly those of the evidence, and settings in words under the very name of a key."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from model_cards.lint import concepts, dates, words
from model_cards.lint.evidence import Entry, Evidence
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import tokens
from model_cards.lint.rules.catalogue import RULES

_CODE = re.compile(r"(?<![\w./@-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{5,40}(?![\w/@-]|\.\w)")
_DASHED = re.compile(r"(?<![\w./-])\d{2,}(?:[-/]\d{2,})+(?![\w/-])")
_WORDS = re.compile(r"[A-Za-z0-9][\w-]{5,40}")
MOST_CHANGED = 2
"""Characters by which a code may differ from that of the evidence and still be meant to be it."""
_VALUE = re.compile(r"[A-Za-z][\w.+-]*(?: [A-Za-z0-9][\w.+-]*){0,2}")
_NO_VALUE = frozenset(
    {
        "yes",
        "no",
        "true",
        "false",
        "none",
        "passed",
        "failed",
        "pass",
        "fail",
        "met",
        "done",
        "open",
        "pending",
        "given",
    }
)


def check(document: Document, evidence: Evidence) -> Iterator[Finding]:
    """Every code that the evidence has with a character or two otherwise, and every cell with another setting."""
    if evidence.rich:
        return
    for sentence in document.sentences:
        if sentence.kind not in {"prose", "cell"}:
            continue
        yield from _codes(sentence, evidence)
        if sentence.kind == "cell":
            yield from _setting(sentence, evidence)


def _codes(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    known = _held_codes(evidence)
    text = sentence.text
    inside = dates.find(text)
    for match in (*_CODE.finditer(text), *_DASHED.finditer(text)):
        code = re.sub(r"[-_]", "", match[0].lower())
        if code in known or any(code in other or other in code for other in known):
            continue
        if any(d.begin < match.end() and match.start() < d.end for d in inside):
            continue
        near = next((e for other, e in known.items() if _nearly(code, other)), None)
        if near is not None:
            yield Finding(
                RULES["version-differs"],
                sentence,
                "medium",
                f"{match[0]} is nearly what the evidence has, and not the same: {near.value!s:.60}.",
                "Take the name or number of the evidence.",
                match.span(),
                near.proof,
            )


@functools.lru_cache(maxsize=4)
def _held_codes(evidence: Evidence) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in evidence.texts:
        for match in _WORDS.finditer(str(entry.value)[:2_000]):
            if re.search(r"\d", match[0]) and re.search(r"[A-Za-z-]", match[0]):
                found.setdefault(re.sub(r"[-_]", "", match[0].lower()), entry)
    return found


def _nearly(one: str, other: str) -> bool:
    """The same length, and a character or two changed or swapped."""
    return len(one) == len(other) and 0 < sum(a != b for a, b in zip(one, other, strict=True)) <= MOST_CHANGED


def _setting(sentence: Sentence, evidence: Evidence) -> Iterator[Finding]:
    """`| Optimiser | SGD |` where the evidence holds `optimizer: AdamW`."""
    text = sentence.text.strip("`*_ ")
    if not sentence.row or sentence.place.cell is None or sentence.place.cell[1] != 2 or not _VALUE.fullmatch(text):
        return
    row = concepts.fold(tokens.of(sentence.row).row)
    own = set(words.words(text))
    head = sentence.place.cell[0] == 1 and not (sentence.column and sentence.column != sentence.text)
    if not row or head or text.lower() in _NO_VALUE or own & _NO_VALUE:
        return
    held = [
        e
        for e in evidence.texts
        if not e.derived
        and not e.rows
        and concepts.fold(tuple(words.words(e.key))) == row
        and _VALUE.fullmatch(str(e.value))
    ]
    if held and not any(own & set(words.words(str(e.value))) or _spoken(text, str(e.value)) for e in held):
        yield Finding(
            RULES["model-differs"],
            sentence,
            "medium",
            f"“{text}” is given as {sentence.row}; the evidence has “{held[0].value}”.",
            "Take the setting of the evidence.",
            (0, len(sentence.text)),
            held[0].proof,
        )


def _spoken(one: str, other: str) -> bool:
    """Is one written within the other, without blanks: `random forest` in `RandomForestClassifier`?"""
    a, b = ("".join(re.findall(r"\w", text.lower())) for text in (one, other))
    return a in b or b in a
