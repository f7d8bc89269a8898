"""Personal data that patterns can find: e-mail addresses, telephone numbers, IBANs. Counts and masks, keeps nothing.

Telephone numbers are judged by the numbering plans of phonenumbers; national forms by those of the countries in which
the language is official. IBANs count when the check digits are right (ISO 13616, modulo 97). What patterns cannot find
(names, addresses, records of a person) is not looked for here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import phonenumbers

from configs.language.cleaning import PersonalKind

_LATIN = "A-Za-z0-9\u00c0-\u024f"
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9.%+-])[{_LATIN}][{_LATIN}_.%+-]{{0,63}}@"
    rf"(?:[{_LATIN}](?:[{_LATIN}-]{{0,61}}[{_LATIN}])?\.)+[A-Za-z]{{2,24}}(?![A-Za-z0-9])"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ \u00a0]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_DIGITS = re.compile(r"(?:\d[^\w\n]{0,4}){6}\d")
"""What a telephone number needs at least; most texts have nothing like it, which saves the search."""
REGIONS: dict[str, tuple[str, ...]] = {
    "bg": ("BG",), "cs": ("CZ",), "da": ("DK",), "de": ("DE", "AT", "CH"), "el": ("GR", "CY"),
    "en": ("GB", "IE", "US"), "es": ("ES",), "et": ("EE",),
    "fi": ("FI",), "fr": ("FR", "BE", "CH"), "ga": ("IE",), "hr": ("HR",), "hu": ("HU",),
    "it": ("IT", "CH"), "lt": ("LT",), "lv": ("LV",), "mt": ("MT",), "nl": ("NL", "BE"), "pl": ("PL",),
    "pt": ("PT", "BR"), "ro": ("RO",), "sk": ("SK",), "sl": ("SI",), "sv": ("SE", "FI"),
}  # fmt: skip
"""Language to the countries whose national forms of numbers are looked for."""
_NUMBER = re.compile(r"\d+[.,]\d+")
_GAP = re.compile(r"\s{2}")
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""Characters by country, in the single euro payments area; of others 15 to 34 are taken."""


def spans(text: str, kinds: Iterable[PersonalKind], language: str) -> list[tuple[int, int, PersonalKind]]:
    """Where personal data stand: begin, end, kind; in order, without overlap.

    Args:
        text: The document.
        kinds: What is looked for.
        language: ISO 639 code, which decides about national forms of telephone numbers.
    """
    found: list[tuple[int, int, PersonalKind]] = []
    wanted = set(kinds)
    if "email" in wanted and "@" in text:
        found += [(m.start(), m.end(), "email") for m in _EMAIL.finditer(text)]
    if "iban" in wanted:
        found += [(m.start(), m.start() + length, "iban") for m in _IBAN.finditer(text) if (length := _iban(m.group()))]
    if "phone" in wanted and _DIGITS.search(text):
        found += [(begin, end, "phone") for begin, end in _phones(text, language)]
    chosen: list[tuple[int, int, PersonalKind]] = []
    for begin, end, kind in sorted(found, key=lambda span: (span[0], -span[1])):
        if not chosen or begin >= chosen[-1][1]:
            chosen.append((begin, end, kind))
    return chosen


def mask(text: str, found: list[tuple[int, int, PersonalKind]]) -> str:
    """The text with `[email]`, `[phone]` or `[iban]` in the places found."""
    parts, at = [], 0
    for begin, end, kind in found:
        parts += [text[at:begin], f"[{kind}]"]
        at = end
    return "".join([*parts, text[at:]])


def count(found: Iterable[tuple[int, int, PersonalKind]]) -> Counter[str]:
    """How often each kind stands there."""
    return Counter(kind for _, _, kind in found)


def valid_iban(candidate: str) -> bool:
    """Whether the check digits are right: the number, its first four characters moved to the end, is 1 modulo 97."""
    compact = candidate.replace(" ", "").replace("\u00a0", "").upper()
    if not compact.isalnum() or not compact.isascii():
        return False
    length = _IBAN_LENGTHS.get(compact[:2])
    if len(compact) != length if length else not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _iban(candidate: str) -> int:
    """Length of the IBAN that the candidate begins with: words in capitals may follow it. 0 where it is none."""
    ends = [m.start() for m in re.finditer(r"[ \u00a0]", candidate)] + [len(candidate)]
    return next((end for end in reversed(ends) if valid_iban(candidate[:end])), 0)


def _phones(text: str, language: str) -> Iterable[tuple[int, int]]:
    for region in REGIONS.get(language, (None,)):
        # By default it gives up after some thousand figures that are no number.
        for match in phonenumbers.PhoneNumberMatcher(text, region, max_tries=len(text)):
            found = match.raw_string
            if _written_as_phone(found):
                opened = found.startswith("(") and found.count("(") > found.count(")")
                yield match.start + opened, match.end


def _written_as_phone(found: str) -> bool:
    """Numbering plans alone take integers, decimal fractions and columns of figures for telephone numbers."""
    if _GAP.search(found) or _NUMBER.fullmatch(found):
        return False
    return not found.isdigit() or found.startswith("0")
