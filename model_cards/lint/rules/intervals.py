"""A value and the interval that is given for it, in one sentence or one row. Needs no evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from model_cards.lint import mentions
from model_cards.lint.evidence import Evidence
from model_cards.lint.mentions import Mention
from model_cards.lint.model import Document, Finding, Sentence
from model_cards.lint.rules import rows, tokens
from model_cards.lint.rules.catalogue import RULES

_INTERVAL = re.compile(
    r"[\[(]\s*(-?\d*[.,]?\d+)\s*(?:%\s*)?(?:,\s|;|to|–|—|-|\.\.|bis|and)\s*(-?\d*[.,]?\d+)\s*%?\s*[\])]"
    r"|interval\s+(?:of |from |is |was )*(-?\d*\.?\d+)\s*%?\s*(?:to|–|—|-|and)\s*(-?\d*\.?\d+)",
    re.IGNORECASE,
)
_SPEAKS_OF_INTERVAL = re.compile(r"confidence|interval|(?<!\w)CI(?!\w)|credible", re.IGNORECASE)
_COLUMN = re.compile(r"interval|(?<!\w)CI(?!\w)|confidence|intervall|intervalle", re.IGNORECASE)
_CELL = re.compile(r"^[\s\[(]*([-−]?\d*[.,]?\d+)\s*%?\s*(?:,|;|to|–|—|bis|à)\s*([-−]?\d*[.,]?\d+)\s*%?[\s\])]*$", re.I)


def check(document: Document, _: Evidence) -> Iterator[Finding]:
    """Every value that lies outside the interval right behind it, or in the cell beside it."""
    for sentence in document.sentences:
        if sentence.kind == "prose":
            yield from _sentence(sentence)
    for row in rows.of(document):
        yield from _row(row)


def _sentence(sentence: Sentence) -> Iterator[Finding]:
    """The one value that a sentence gives to one measure before its one interval."""
    match = _INTERVAL.search(sentence.text)
    if match is None or len(_INTERVAL.findall(sentence.text)) > 1:
        return
    if match[1] and not _SPEAKS_OF_INTERVAL.search(sentence.text[: match.start()]):
        return
    before = [m for m in mentions.find(sentence) if m.end <= match.start()]
    if len(before) != 1 or len(tokens.of(sentence.text[: match.start()]).measures) != 1 or before[0].whole:
        return
    if _outside(before[0], [end for end in match.groups() if end]):
        message = f"{sentence.text[before[0].begin : before[0].end]} lies outside the interval that stands beside it."
        yield _finding(sentence, message, match.span())


def _row(row: Sequence[Sentence]) -> Iterator[Finding]:
    """The value of a row whose interval stands under a head of its own."""
    value, interval = rows.cell(row, rows.MEASURED), rows.cell(row, _COLUMN)
    match = _CELL.match(interval.text) if interval is not None else None
    said = mentions.find(value) if value is not None else []
    if value is None or match is None or len(said) != 1 or said[0].hedge != "exact":
        return
    if _outside(said[0], match.groups()):
        message = f"{value.text} lies outside the interval in its row, {match[0].strip()}."
        yield _finding(value, message, (said[0].begin, said[0].end))


def _outside(said: Mention, ends: Sequence[str]) -> bool:
    """Does a value lie outside two ends, with half of its last digit to spare? Percent may stand beside fractions."""
    if said.unit not in {"", "%"}:
        return False
    low, high = sorted(float(end.replace(",", ".").replace("−", "-")) for end in ends)
    scales = (1, 100) if said.unit == "%" else (1,)
    return not any(
        low - step <= value <= high + step
        for number, decimals in said.readings
        for value, step in ((number / scale, 0.5 * 10.0**-decimals / scale) for scale in scales)
    )


def _finding(sentence: Sentence, message: str, span: tuple[int, int]) -> Finding:
    advice = "Take the value and the interval of one measurement."
    return Finding(RULES["point-outside"], sentence, "high", message, advice, span)
