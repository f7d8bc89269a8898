"""Measured numbers as people read them: the same digits in reasons of checks and in every table of the documents."""

from __future__ import annotations

import math

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, apart_from: float | None = None) -> str:
    """A measured number with three decimals or four digits, whichever says more.

    Args:
        value: Finite number.
        apart_from: A threshold. Digits are added until the two no longer look equal, so that 0.7996 against
            "at least 0.8" is not shown as 0.800.
    """
    shown = _rounded(value, 0)
    if apart_from is None or value == apart_from:
        return shown
    extra = 0
    while _rounded(apart_from, extra) == shown and extra < 12:
        extra += 1
        shown = _rounded(value, extra)
    return shown


def scientific(shown: str) -> str:
    """A number in the form of a program as one with a power of ten: `2.3e+25` is `2.3 × 10²⁵`."""
    mantissa, _, exponent = shown.partition("e")
    return f"{mantissa}\u00a0×\u00a010{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", "−")


def _rounded(value: float, extra: int) -> str:
    magnitude = abs(value)
    if magnitude == 0:
        return "0"
    if magnitude < 0.001 or magnitude >= 1e9:
        return scientific(f"{value:.{2 + extra}e}")
    decimals = 3 if magnitude < 10 else max(0, 3 - math.floor(math.log10(magnitude)))
    return f"{value:,.{decimals + extra}f}".replace("-", "−")
