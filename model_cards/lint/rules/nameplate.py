"""Sizes of a machine, as they stand on its nameplate, of which measurements say nothing."""

from __future__ import annotations

import functools
import re

from model_cards.lint import words
from model_cards.lint.evidence import Evidence
from model_cards.lint.mentions import Mention

_PHYSICAL = re.compile(r"\s?(mm|cm|m|km|kg|g|V|A|bar|°C|dB|lux|rpm|nm|N|Nm)(?![\w/-])")
_EMITTED = re.compile(r"(?<!\w)(?:co2|carbon|emi(?:ts?|tted|ssions?))", re.IGNORECASE)
_QUANTITIES = {
    "v": ("volt", "voltage", "v"),
    "a": ("ampere", "current", "a"),
    "kg": ("kg", "weight", "mass"),
    "g": ("g", "weight", "mass"),
    "°c": ("c", "celsius", "temperature"),
}


def of(text: str, mention: Mention, evidence: Evidence) -> bool:
    """`400 V`, `1,250 kg`: sizes of a machine, where the evidence holds no such quantity at all."""
    unit = _PHYSICAL.match(text, mention.end)
    if unit is None or mention.unit or _EMITTED.search(text):
        return False
    names = _QUANTITIES.get(unit[1].lower(), (unit[1].lower(),))
    return not any(name in words_ for name in names for words_ in _key_words(evidence))


@functools.lru_cache(maxsize=4)
def _key_words(evidence: Evidence) -> tuple[frozenset[str], ...]:
    return tuple({frozenset(words.words(e.key)) for e in evidence.numbers})
