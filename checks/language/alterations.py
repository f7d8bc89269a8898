"""Changes of a text as people and attackers make them: typing errors, turned case, characters that look alike.

Which characters change follows from one random number each, so that a stronger change holds every weaker one. All are
deterministic for a seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

_KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    (";ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ"),
)
"""Rows of letters of Latin (QWERTY), Cyrillic and Greek keyboards."""
_ALIKE = (
    ("ABCEHIJKMOPSTXYaceijopsxy", "АВСЕНІЈКМОРЅТХУасеіјорѕху"),
    ("ABEZHIKMNOPTYXov", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧον"),
)
"""Latin letters and letters of Cyrillic and Greek that look like them (Unicode Technical Standard 39)."""


def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for rows in _KEYBOARDS:
        for r, row in enumerate(rows):
            for k, letter in enumerate(row):
                near = [row[i] for i in (k - 1, k + 1) if 0 <= i < len(row)]
                near += [rows[s][i] for s in (r - 1, r + 1) if 0 <= s < 3 for i in (k, k + 1 - 2 * (s > r))
                         if 0 <= i < len(rows[s])]  # fmt: skip
                found[letter] = "".join(n for n in near if n.isalpha())
    return found


def _confusables() -> dict[str, str]:
    found: dict[str, str] = {}
    for latin, other in _ALIKE:
        for a, b in zip(latin, other, strict=True):
            found.setdefault(a, b)
            found.setdefault(b, a)
    return found


NEIGHBOURS, CONFUSABLES = _neighbours(), _confusables()
Change = Callable[[str, float, np.random.Generator], tuple[str, int]]
"""From a text, a strength and random numbers to the changed text and how many characters were changed."""


def typing(text: str, strength: float, rng: np.random.Generator) -> tuple[str, int]:
    """That share of the letters is hit: a neighbour on the keyboard instead, swapped with the next one, or left out."""
    hit, kind, which = rng.random((3, len(text)))
    found, changed, place = [], 0, 0
    while place < len(text):
        letter = text[place]
        if not letter.isalpha() or hit[place] >= strength:
            found.append(letter)
        else:
            changed += 1
            near = NEIGHBOURS.get(letter.lower(), "")
            if kind[place] < 1 / 3 and near:
                other = near[int(which[place] * len(near))]
                found.append(other.upper() if letter.isupper() else other)
            elif kind[place] < 2 / 3 and place + 1 < len(text):
                found += [text[place + 1], letter]
                place += 1
        place += 1
    return "".join(found), changed


def case(text: str, strength: float, rng: np.random.Generator) -> tuple[str, int]:
    """That share of the letters that have two cases is written in the other one."""
    return _each(text, strength, rng, {c: c.swapcase() for c in set(text) if _turns(c)})


def confusables(text: str, strength: float, rng: np.random.Generator) -> tuple[str, int]:
    """That share of the letters for which another script has one that looks alike is exchanged for it."""
    return _each(text, strength, rng, CONFUSABLES)


CHANGES: dict[str, Change] = {"typing": typing, "case": case, "confusables": confusables}


def stream(seed: int, change: str, document: str) -> np.random.Generator:
    """Random numbers of one document under one change, whatever the order and the strength."""
    return np.random.default_rng([seed, zlib.crc32(change.encode()), zlib.crc32(document.encode())])


def _turns(letter: str) -> bool:
    turned = letter.swapcase()
    return turned != letter and len(turned) == 1


def _each(text: str, strength: float, rng: np.random.Generator, to: dict[str, str]) -> tuple[str, int]:
    hit = rng.random(len(text)) < strength
    found = [to.get(c, c) if h else c for c, h in zip(text, hit, strict=True)]
    return "".join(found), sum(a != b for a, b in zip(text, found, strict=True))
