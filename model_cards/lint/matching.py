"""Does a number in a text stand for a number of the evidence? Rounding, percent, units, differences, shares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model_cards.lint.evidence import Entry
from model_cards.lint.mentions import Mention
from model_cards.lint.pool import Pool, holds, size

SLACK = 1e-6
ABOUT = 0.05
"""Relative tolerance of `about`, on top of rounding."""
COARSEST = 0.25
"""Relative rounding beyond which a number is another one."""
SCALE = 100
_CHANGES = re.compile(
    r"(?<!\w)(?:differ|gap|drop|fall|fell|lower|rais|rise|rose|reduc|increas|decreas|gain|lose|"
    r"lost|loss|cost|worse|better|improv|"
    r"change|more|less|by|points?|higher|smaller|larger|unterschied|differenz)",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(
    (
        r"(?<!\w)(?:miss|wrong|false|fals|error|fail|not|no|remain|rest|incorrect|lost|reject|never|"
        r"without|too|verfehl|übersehen|fehler)"
    ),
    re.IGNORECASE,
)
_SHARES = re.compile(
    r"(?<!\w)(?:ratio|quotient|times|twice|half as|fold|relative|verhältnis|-fach|rapport|impact)", re.IGNORECASE
)


def readings(mention: Mention) -> Iterator[tuple[float, float]]:
    """Values for which the mention may stand, in the scale of the evidence, each with half its last digit."""
    for value, decimals in mention.readings:
        half = 0.5 * 10.0**-decimals
        if mention.unit in {"%", "points"}:
            scale = mention.factor / 100
            yield value * scale, half * scale
            yield value, half
            continue
        yield value, half
        if mention.unit == "size":
            yield value * mention.factor, half * mention.factor
            yield (
                value * mention.factor * 1.024 ** (3 if mention.factor >= 1e9 else 2 if mention.factor >= 1e6 else 1),
                half * mention.factor,
            )
        elif mention.unit == "time":
            seconds = value * mention.factor
            for unit in (1e-3, 1.0, 60.0, 3600.0, 86400.0, 2629800.0, 31557600.0):
                yield seconds / unit, half * mention.factor / unit
        elif decimals > 0 or not float(value).is_integer() or value <= 100:
            # `accuracy 84.4` in a column headed by %, or 0.844 where the evidence holds 84.4.
            if 1 < value <= 100:
                yield value / 100, half / 100
            elif 0 < value < 1:
                yield value * 100, half * 100


def windows(mention: Mention) -> Iterator[tuple[float, float]]:
    """For each reading the sizes of numbers for which the mention, as rounded, may stand: from, to."""
    for signed, half in readings(mention):
        value = abs(signed)
        tolerance = half * (1 + SLACK) + 1e-12 * value
        if mention.hedge == "about":
            tolerance = max(2 * tolerance, ABOUT * value)
        # 0.05 rounds to 0.1, but nobody means it so.
        tolerance = min(tolerance, max(COARSEST * value, 1e-12))
        yield value - tolerance, value + tolerance


def equal(mention: Mention, number: float) -> bool:
    """Does the mention, as rounded, stand for this number?"""
    return any(low <= abs(number) <= high for low, high in windows(mention))


def first(mention: Mention, pool: Pool) -> Entry | None:
    """The first number of a pool for which the mention stands."""
    return next((entry for low, high in windows(mention) for entry in pool.between(low, high)), None)


def every(mention: Mention, pool: Pool) -> list[Entry]:
    """All numbers of a pool for which the mention stands, each once."""
    found = {id(entry): entry for low, high in windows(mention) for entry in pool.between(low, high)}
    return list(found.values())


def true_of(mention: Mention, pool: Pool) -> bool:
    """Does the mention stand for a number of the pool; where it says `less than` or `more than`, is that so of one?"""
    if first(mention, pool) is not None:
        return True
    if mention.hedge not in {"less", "more"}:
        return False
    for value, _ in readings(mention):
        low, high = (0.0, value) if mention.hedge == "less" else (value, 50 * value)
        if value <= 1:
            high = min(high, 1.0)
        else:
            low = max(low, value / 50, 1.0)
        if next(pool.between(low, high), None) is not None:
            return True
    return False


def opposite_of(mention: Mention, text: str) -> bool:
    """May it be the rest to one of a share, in a sentence about what is missed, wrong or left?"""
    return mention.value <= SCALE and bool(_OPPOSITE.search(text))


def opposite(mention: Mention, pool: Pool, text: str) -> bool:
    """Does it stand for one minus a share of the pool, in a sentence about what is missed, wrong or left?"""
    if not _OPPOSITE.search(text):
        return False
    return any(
        next(pool.between(max(0.0, 1 - high), 1 - low), None) is not None
        for low, high in windows(mention)
        if low >= 0 and high <= 1
    )


def difference(mention: Mention, pool: Pool, text: str) -> bool:
    """Does it stand for the difference of two numbers of one measure, in a sentence about a change?"""
    if mention.unit != "points" and not speaks_of_change(text):
        return False
    return any(holds(pool.differences, low, high) for low, high in windows(mention))


def quotient(mention: Mention, pool: Pool, text: str) -> bool:
    """Does it stand for the quotient of two numbers of one measure, in a sentence about a ratio?"""
    return bool(_SHARES.search(text)) and any(holds(pool.quotients, low, high) for low, high in windows(mention))


def speaks_of_change(text: str) -> bool:
    """Does a text speak of something that rises, falls or differs?"""
    return bool(_CHANGES.search(text))


def nearest(mention: Mention, pool: Pool) -> Entry:
    """The entry whose number is nearest to what the mention says."""
    scaled = [abs(value) for value, _ in readings(mention)]
    close = [(value, pool.nearest(value)) for value in scaled]
    return min(close, key=lambda pair: abs(size(pair[1]) - pair[0]) / max(pair[0], 1e-9))[1]
