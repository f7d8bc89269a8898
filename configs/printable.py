"""Text of a stranger for a terminal: what would steer it, or turn its reading order, is shown as an escape."""

from __future__ import annotations

import re

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""The text with control and direction characters written as `\x1b` or `\u202e`; tab and line feed stay."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)
