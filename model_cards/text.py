"""Values as people read them: sensible precision, no control characters. Knows nothing about records or pages."""

from __future__ import annotations

import math
import re

from configs.shown import SUPERSCRIPT, number, scientific

__all__ = ["count", "exact", "figures", "is_url", "level", "magnitude", "number", "percent", "plain", "size", "time"]

_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~:/?#@!$&*+,;=%-]*)?")


def plain(value: object) -> str:
    """One line of text that shows what it holds.

    Line breaks and runs of blanks become one blank. Control characters and marks that turn or hide text (a name could
    otherwise read differently on the page than in the record) become `�`.
    """
    return _HIDDEN.sub("�", " ".join(str(value).replace("\t", " ").split()))


def is_url(value: str) -> bool:
    """Is it a web address that can be linked without surprise: http or https, visible ASCII, no quotes or brackets?"""
    return _URL.fullmatch(value) is not None


def count(value: float) -> str:
    """A whole number with separators of thousands: `101,766`."""
    return f"{int(value):,}"


def figures(value: float) -> str:
    """A number with two significant figures, as the forms for general-purpose models ask: `2.3 × 10²⁵`, `0.42`."""
    if value == 0:
        return "0"
    shown = f"{value:.1e}"
    power = int(shown.partition("e")[2])
    if -2 <= power < 2:
        return f"{float(shown):.{1 - power}f}".replace("-", "−")
    return scientific(shown)


def magnitude(value: float) -> str:
    """A power of ten: `10¹⁵`. The value is rounded down to one by whoever asks for it."""
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPT)


def exact(value: float) -> str:
    """A number as it was declared: `0.8`, `20`, `0.0001`."""
    shown = f"{value:.12g}"
    return scientific(shown) if "e" in shown else shown


def percent(value: float) -> str:
    """A share between 0 and 1 in percent, one decimal: `12.5 %`. No-break space before the sign."""
    return f"{100 * value:.1f}\u00a0%"


def level(value: float) -> str:
    """A level of confidence in percent, as it was declared: `95 %`."""
    return f"{exact(100 * value)}\u00a0%"


def size(value: float) -> str:
    """Bytes in a unit that keeps the number short."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f}\u00a0{unit}" if unit == "B" else f"{value:.1f}\u00a0{unit}"


def time(value: str) -> str:
    """A UTC time of a record, to the second: `2026-11-22 10:15:03 UTC`."""
    return f"{value[:10]} {value[11:19]} UTC"
