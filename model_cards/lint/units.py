"""Units of measurement that stand behind a number and in a key: do they agree, and if not, by what factor?"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

from model_cards.lint import words
from model_cards.lint.linking import Source
from model_cards.lint.mentions import Mention

_TABLE: dict[str, dict[str, float]] = {
    "frequency": {"hz": 1, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "length": {"mm": 1e-3, "cm": 1e-2, "km": 1e3, "nm": 1e-9},
    "mass": {"mg": 1e-6, "kg": 1.0, "tonne": 1e3},
    "energy": {"wh": 1.0, "kwh": 1e3, "gwh": 1e9},
    "pressure": {"pa": 1.0, "hpa": 1e2, "kpa": 1e3, "mbar": 1e2, "bar": 1e5},
    "power": {"kw": 1e3, "gw": 1e9},
}
"""Units to their size, by what they measure. Those that one letter or another case makes another thing are left out."""
_UNITS = {unit: (kind, size) for kind, units in _TABLE.items() for unit, size in units.items()}
_SYMBOL = re.compile(r"\s?([A-Za-z]+)(?![\w-])")
_PER = re.compile(r"[^.;,]{0,30}?(?<!\w)(?:per|in)\s+(\d[\d,]*|hundred|thousand|million)(?!\w|\.\d)", re.IGNORECASE)
_WHOLE = re.compile(r"\s+per\s+\d[\d,]*(?!\w|\.\d)", re.IGNORECASE)
_LETTERS = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_SAME = 1e-6


def fitting(text: str, mention: Mention, equals: Sequence[Source]) -> list[Source]:
    """Of the values that equal a number, those whose unit and whole are its own: `25.6 Hz` is not `khz: 25.6`."""
    return [s for s in equals if _unit_fits(text, mention, s) and _whole_fits(text, mention, s)]


def end(text: str, mention: Mention) -> int:
    """Where a number ends with the whole that it is told of: `0.6 per 100`."""
    whole = _WHOLE.match(text, mention.end)
    return whole.end() if whole else mention.end


def _unit_fits(text: str, mention: Mention, source: Source) -> bool:
    symbol = _SYMBOL.match(text, mention.end)
    said = _UNITS.get(words.stem(symbol[1].lower())) if symbol else None
    held = _held(source)
    if said is None or held is None or said[0] != held[0] or said[1] == held[1]:
        return True
    value, decimals = mention.readings[0]
    factor = said[1] / held[1]
    return abs(abs(value) * factor - abs(source.value)) <= 0.5 * 10.0**-decimals * factor * (1 + _SAME)


@functools.lru_cache(maxsize=1 << 14)
def _held(source: Source) -> tuple[str, float] | None:
    """The unit that ends the key of a value, or one above it."""
    rows = [words.words(step) for step in reversed(source.entry.steps)]
    return next((_UNITS[row[-1]] for row in rows if row and row[-1] in _UNITS), None)


def _whole_fits(text: str, mention: Mention, source: Source) -> bool:
    """`0.6 per 100 hours` is not `per_1000_hours: 0.6`."""
    said = _PER.match(text, mention.end)
    row = source.entry.words
    held = next((int(b) for a, b in itertools.pairwise(row) if a == "per" and b.isdigit()), None)
    if said is None or held is None:
        return True
    whole = said[1].lower().replace(",", "")
    return (_LETTERS[whole] if whole in _LETTERS else int(whole)) == held
