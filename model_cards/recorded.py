"""Sentences that the program itself wrote into records, in the language of a document.

A check writes its reason in English, with its numbers and names in it, and the record keeps it so. The catalogues
(`locale/<language>.po`, context `recorded`) hold these sentences as templates with named places, each with what may
stand there: `measured {value:number} {interval:interval}`. A recorded text is taken apart at `; ` and, within a clause,
at `, `, as the checks join their sentences; every part must be a template, whole, or the clause stays as it was
written. Numbers get the separators of the language, names stay as they are, and no digit is ever changed.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import string
from collections.abc import Callable, Iterator

from model_cards import language

NUMBER = r"[−-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e[+-]?\d+|[ \u00a0]×[ \u00a0]10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
_PARTS = "train|validation|test"
_QUOTED = rf"“[^“”]*”(?: {NUMBER})?"
PLACES = {
    "": r".+?",  # a name: it stays as it was written
    "number": NUMBER,
    "interval": rf"\[{NUMBER}, {NUMBER}\]",
    "date": r"\d{4}-\d\d-\d\d",
    "names": r".+?",  # `a, b` or `a, b and 3 more`
    "columns": rf".+? in (?:{_PARTS})(?:, .+? in (?:{_PARTS}))*(?: and \d+ more)?",
    "slice": r".+?",  # conditions: `sex = male and age >= 60`
    "quoted": rf"{_QUOTED}(?:(?:, | and |; ){_QUOTED})*",  # `“a”, “b” and “c”`; `“a” 120; “b” 80`
    "unit": r"[^\s,;()\[\]]+(?: [^\s,;()\[\]]+){0,3}?",  # as a catalogue has it, or as a person wrote it
    "said": r".+?",  # what is itself a recorded sentence
    "words": r".+?",  # fixed words that the catalogue has
}
"""What may stand in a place of a template, by the word after its colon."""
_QUOTE, _AND, _MORE, _IN, _MISSING = "“{name}”", "and", "{names} and {n:number} more", " in {part}", " missing"
"""Messages for the inside of a place; no sentence."""
_REACH = 8
"""Pieces that are put together again at most, where a name holds what parts clauses."""


@dataclasses.dataclass(frozen=True)
class Told:
    """A recorded text in a language."""

    text: str
    left: tuple[str, ...]
    """Clauses that no template knows: they stand there as they were written."""


@dataclasses.dataclass(frozen=True)
class _Said:
    """A clause, or what stands in a place, in a language, and how many of its characters are of templates."""

    text: str
    known: int


@dataclasses.dataclass(frozen=True)
class _Template:
    """A sentence of the catalogue, ready to be compared with recorded ones."""

    start: str
    fixed: int
    """Characters outside of its places."""
    pattern: re.Pattern[str]
    kinds: dict[str, str]
    """Place to what may stand there."""
    words: str
    """In the language, with the same places."""


@functools.lru_cache(maxsize=10_000)
def tell(text: str, name: str) -> Told:
    """A recorded text in a language, clause by clause.

    Args:
        text: As the record has it, in English, on one line.
        name: One of `language.LANGUAGES` other than English.
    """
    pieces = list(_parted(text, "; "))
    told, left, at = "", [], 0
    while at < len(pieces):
        steps = range(at + 1, min(len(pieces), at + _REACH) + 1)
        found = ((end, _clause("; ".join(pieces[at:end]), name)) for end in steps)
        end, said = next(((e, s) for e, s in found if s is not None), (at + 1, None))
        if said is None:
            left.append(pieces[at])
        # Before what stays as it was the sign stays, too: it may be part of a name.
        sign = "; " if said is None else language.spaced("; ", name)
        told += (sign if at else "") + (pieces[at] if said is None else said.text)
        at = end
    return Told(told, tuple(left))


@functools.lru_cache(maxsize=20_000)
def _clause(text: str, name: str) -> _Said | None:
    """A clause in a language, by the templates that say most of it; None where it, or a part of it, is none."""
    pieces = list(_parted(text, ", "))
    best: list[_Said | None] = [None] * len(pieces) + [_Said("", 0)]
    for at in reversed(range(len(pieces))):
        for end in range(at + 1, len(pieces) + 1):
            after = best[end]
            said = _sentence(", ".join(pieces[at:end]), name) if after is not None else None
            if said is None or after is None:
                continue
            whole = _Said(f"{said.text}, {after.text}" if after.text else said.text, said.known + after.known)
            if (held := best[at]) is None or whole.known > held.known:
                best[at] = whole
    return best[0]


@functools.lru_cache(maxsize=20_000)
def _sentence(text: str, name: str) -> _Said | None:
    """What is a template as a whole, in a language; of several, the one that knows most of it."""
    best: _Said | None = None
    for template in _templates(name):
        if text.startswith(template.start) and (found := template.pattern.fullmatch(text)):
            filled = {place: _PUT[kind](found[place], name) for place, kind in template.kinds.items()}
            known = template.fixed + sum(said.known for said in filled.values() if said is not None)
            if None not in filled.values() and (best is None or known > best.known):
                texts = {place: said.text for place, said in filled.items() if said is not None}
                best = _Said(template.words.format(**texts), known)
    return best


@functools.cache
def _templates(name: str) -> tuple[_Template, ...]:
    inner = (_QUOTE, _AND, _MORE, _IN, _MISSING)
    return tuple(
        _compiled(english, words) for english, words in language.recorded(name).items() if english not in inner
    )


def _compiled(english: str, words: str) -> _Template:
    parts = list(string.Formatter().parse(english))
    pattern, kinds = "", {}
    for before, place, kind, _ in parts:
        pattern += re.escape(before)
        if place is not None:
            pattern += f"(?P<{place}>{PLACES[kind or '']})"
            kinds[place] = kind or ""
    return _Template(parts[0][0], sum(len(part[0]) for part in parts), re.compile(pattern), kinds, words)


def _parted(text: str, sign: str) -> Iterator[str]:
    """A text at each sign that stands outside of brackets; at each at all where brackets do not close."""
    whole = all(text.count(a) == text.count(b) for a, b in ("()", "[]"))
    begin = depth = 0
    for at, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if (depth == 0 or not whole) and text.startswith(sign, at):
            yield text[begin:at]
            begin = at + len(sign)
    yield text[begin:]


def _interval(shown: str, name: str) -> str:
    low, high = shown[1:-1].split(", ")
    return f"[{language.number(low, name)}; {language.number(high, name)}]"  # a comma is the decimal sign


def _names(shown: str, name: str) -> str:
    found = re.fullmatch(rf"(.+) and ({NUMBER}) more", shown)
    if found is None:
        return shown
    return language.recorded(name)[_MORE].format(names=found[1], n=language.number(found[2], name))


def _columns(shown: str, name: str) -> str:
    """`age in validation, age in test and 3 more`: the parts of the split have names in every language."""
    words = language.recorded(name)[_IN]
    parts = rf" in ({_PARTS})(?=,| and |$)"
    return _names(re.sub(parts, lambda m: words.format(part=language.fixed(m[1], name)), shown), name)


def _slice(shown: str, name: str) -> str:
    """`sex = male and 3 <= age < 9 and income missing`: names and values stay."""
    words = language.recorded(name)
    conditions = re.split(r" and (?=\S+ (?:=|<|<=|>=) |\S+ missing(?: and |$))", shown)
    told = [re.sub(r" missing$", words[_MISSING], condition) for condition in conditions]
    return f" {words[_AND]} ".join(told)


def _date(shown: str, name: str) -> str:
    return language.moment(shown, "date", name)


def _quoted(shown: str, name: str) -> str:
    words = language.recorded(name)
    made = []
    for part in re.split(rf"({_QUOTED})", shown):
        if part.startswith("“"):
            inner, _, number = part[1:].rpartition("”")
            made.append(words[_QUOTE].format(name=inner) + language.number(number, name))
        else:
            made.append(f" {words[_AND]} " if part == " and " else language.spaced(part, name))
    return "".join(made)


def _words(shown: str, name: str) -> _Said | None:
    found = language.find(shown, name)
    return None if found is None else _Said(found, len(shown))


def _put(tell_place: Callable[[str, str], str]) -> Callable[[str, str], _Said]:
    """What stands in a place is no words of a template."""
    return lambda shown, name: _Said(tell_place(shown, name), 0)


_PUT: dict[str, Callable[[str, str], _Said | None]] = {
    "": _put(lambda shown, _: shown),
    "number": _put(language.number),
    "interval": _put(_interval),
    "date": _put(_date),
    "names": _put(_names),
    "columns": _put(_columns),
    "slice": _put(_slice),
    "quoted": _put(_quoted),
    "unit": _put(language.fixed),
    "said": _clause,
    "words": _words,
}
