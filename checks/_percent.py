"""A share as documents print it."""

from __future__ import annotations


def percent(share: float) -> str:
    """One decimal as in the documents; two digits of what that would round away."""
    value = 100 * share
    return f"{value:.2g} %" if 0 < value < 0.05 else f"{value:.1f} %"
