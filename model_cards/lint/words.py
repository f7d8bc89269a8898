"""Text as words and sentences: normal forms, stems, splitting. English first; German and French where it is cheap."""

from __future__ import annotations

import functools
import re
import unicodedata

_SPACES = re.compile(r"[\s\u00a0\u2007\u202f\u2009]+")
_DASHES = str.maketrans(
    {"‐": "-", "‑": "-", "‒": "-", "–": "–", "—": "—", "−": "-", "\u00ad": "", "\u200b": "", "\ufeff": ""}
)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z0-9][a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRITISH = re.compile(r"(?<=[a-z]{3})is(?=ations?$)")
"""`regularisation` in a text is `regularization` in a key."""
ABBREVIATIONS = frozenset(
    [
        "art",
        "arts",
        "abs",
        "nr",
        "no",
        "nos",
        "fig",
        "figs",
        "tab",
        "sec",
        "sect",
        "ch",
        "chap",
        "vol",
        "vs",
        "cf",
        "e.g",
        "i.e",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "ca",
        "approx",
        "resp",
        "incl",
        "excl",
        "dr",
        "prof",
        "mr",
        "mrs",
        "ms",
        "st",
        "inc",
        "ltd",
        "corp",
        "co",
        "s.l",
        "s.a",
        "z.t",
        "usw",
        "etc",
        "al",
        "para",
        "paras",
        "p",
        "pp",
        "ed",
        "eds",
        "rev",
        "est",
        "str",
        "bspw",
        "evtl",
        "ggf",
        "max",
        "min",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "janv",
        "févr",
        "avr",
        "juil",
        "déc",
        "mio",
        "mrd",
        "n.b",
        "a.m",
        "p.m",
        "u.s",
        "e.u",
        "ref",
        "refs",
        "eq",
        "doc",
        "n.n",
    ]
)
_END = re.compile(r"([.!?…]+[\"'”’»)\]]*)(\s+)(?=[\"'“„«(\[*]*[^\s])")


def tidy(text: str) -> str:
    """One line with single spaces; hyphens of all kinds as `-`; soft hyphens and invisible marks dropped."""
    return _SPACES.sub(" ", text.translate(_DASHES)).strip()


def plain(text: str) -> str:
    """Lower case without accents."""
    low = text.lower()
    if low.isascii():
        return low
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c))


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without the endings that matter least: plural, `-ing`, `-ed`. Crude on purpose, and stable."""
    word = _BRITISH.sub("iz", word)
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def words(text: str) -> list[str]:
    """The words of a text in normal form; `snake_case` and `camelCase` are taken apart."""
    return list(_words(text)) if len(text) < 200 else _take_apart(text)


@functools.lru_cache(maxsize=65536)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_take_apart(text))


def _take_apart(text: str) -> list[str]:
    return [stem(word) for word in _WORD.findall(plain(_CAMEL.sub(" ", text)))]


@functools.lru_cache(maxsize=65536)
def akin(one: str, other: str) -> bool:
    """Are two words forms of one: `train` and `retraining`, `lock` and `locked`, `secure` and `security`?"""
    if one == other:
        return True
    one, other = one.removeprefix("re"), other.removeprefix("re")
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and len(long) - len(short) <= 4 and long.startswith(short[: max(4, len(short) - 2)])


def sentences(text: str) -> list[str]:
    """Split a paragraph into sentences; what stands in decimals, abbreviations and initials is no end."""
    text = tidy(text)
    found, begin = [], 0
    for match in _END.finditer(text):
        if not _is_end(text, match):
            continue
        found.append(text[begin : match.end(1)].strip())
        begin = match.end()
    found.append(text[begin:].strip())
    return [part for part in found if part]


def _is_end(text: str, match: re.Match[str]) -> bool:
    following = text[match.end() :].lstrip("\"'“„«([*")[:1]
    if match.group(1)[0] in "!?…":
        return not following.islower()
    if following.islower():
        return False
    before = text[: match.start()].rsplit(" ", 1)[-1].lstrip("(\"'“„«[")
    if before.lower().strip(".") in ABBREVIATIONS or before.lower() in ABBREVIATIONS:
        # `St. Marien`, `Art. 15`: an abbreviation ends a sentence only at the end of a text.
        return before.lower() in {"etc", "usw", "al"} and following.isupper()
    if re.fullmatch(r"[A-Z]", before) or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]?", before):
        return False
    if re.fullmatch(r"\d{1,3}", before) and following.isdigit():
        return True
    # `1. First`, `am 19. Februar`: an ordinal, not an end, where nothing but a number stands before.
    return not (re.fullmatch(r"\d{1,2}", before) and _month_or_start(text, match))


def _month_or_start(text: str, match: re.Match[str]) -> bool:
    following = plain(text[match.end() : match.end() + 4])
    if following[:3] in {"jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"}:
        return True
    return not text[: match.start()].strip(" \"'“„«(").rsplit(" ", 1)[0].strip("0123456789 ")
