"""The lexicon: by which names documents and evidence call the same measure, group, part of the data or model."""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import Path

from configs import strict_yaml
from configs.base import Section
from model_cards.lint import words

CODES = {
    "de": "german",
    "fr": "french",
    "en": "english",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "sv": "swedish",
    "da": "danish",
    "fi": "finnish",
    "cs": "czech",
    "hu": "hungarian",
    "tr": "turkish",
    "ar": "arabic",
    "ro": "romanian",
    "el": "greek",
    "uk": "ukrainian",
}
"""Codes of languages in keys, and how texts call them."""
COUNTRIES = {
    "de": "germany",
    "at": "austria",
    "ch": "switzerland",
    "fr": "france",
    "it": "italy",
    "es": "spain",
    "pt": "portugal",
    "nl": "netherlands",
    "be": "belgium",
    "pl": "poland",
    "cz": "czechia",
    "dk": "denmark",
    "se": "sweden",
    "fi": "finland",
    "no": "norway",
    "ie": "ireland",
    "gb": "britain",
    "us": "america",
    "hu": "hungary",
    "ro": "romania",
    "gr": "greece",
}
"""Codes of countries, likewise."""
PLACE = Path(__file__).with_name("lexicon.yaml")


class Family(Section):
    """A family of models."""

    names: tuple[str, ...]
    parent: str
    """Families with the same parent are told apart only where both are named exactly."""
    of: str | None = None
    """A wider family whose name is right for it, too."""


class Lexicon(Section):
    """The file as it stands."""

    version: int
    measures: dict[str, tuple[str, ...]]
    abbreviations: dict[str, str]
    """Keys in capitals by which tools call measures, too short to be looked for in a text."""
    groups: dict[str, tuple[str, ...]]
    rows: tuple[str, ...]
    totals: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]
    families: dict[str, Family]
    settings: dict[str, tuple[str, ...]]
    software: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Named:
    """A name that was found in words: of what, and which words (from, to)."""

    concept: str
    begin: int
    end: int


class Phrases:
    """Finds phrases in a row of words; the longest one wins, and its words are used up."""

    def __init__(self, names: dict[str, tuple[str, ...]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for concept, phrases in names.items():
            for phrase in phrases:
                parts = tuple(words.words(phrase))
                self._by_first.setdefault(parts[0], []).append((parts, concept))
        for found in self._by_first.values():
            found.sort(key=lambda pair: -len(pair[0]))

    def find(self, row: tuple[str, ...] | list[str]) -> list[Named]:
        """All names in a row of words, in reading order."""
        found, position = [], 0
        while position < len(row):
            for parts, concept in self._by_first.get(row[position], ()):
                if tuple(row[position : position + len(parts)]) == parts:
                    found.append(Named(concept, position, position + len(parts)))
                    position += len(parts)
                    break
            else:
                position += 1
        return found


@functools.cache
def load() -> Lexicon:
    """Read the lexicon that ships with proofline."""
    return Lexicon.model_validate(strict_yaml.parse(PLACE.read_text(encoding="utf-8"), "lexicon of the linter"))


@functools.cache
def measures() -> Phrases:
    """Names of measures."""
    return Phrases(load().measures)


@functools.cache
def families() -> Phrases:
    """Names of model families."""
    return Phrases({name: family.names for name, family in load().families.items()})


@functools.cache
def settings() -> Phrases:
    """Settings, each under its kind and its name: `optimiser: adam`."""
    return Phrases({f"{kind}: {name}": (name,) for kind, names in load().settings.items() for name in names})


@functools.cache
def canonical() -> dict[str, str]:
    """A word for a group of persons to the word that stands for all of them."""
    return {words.stem(words.plain(name)): first for first, names in load().groups.items() for name in names}


@functools.cache
def row_nouns() -> frozenset[str]:
    """Stems of nouns that count rows."""
    return frozenset(word for name in load().rows for word in words.words(name))


@functools.cache
def parts() -> dict[str, str]:
    """A word for a part of the data to the name of the part."""
    return {word: part for part, names in load().parts.items() for name in names for word in words.words(name)}


@functools.cache
def software() -> re.Pattern[str]:
    """Software with a version behind it."""
    names = sorted(load().software, key=len, reverse=True)
    return re.compile(
        rf"(?<![\w-])({'|'.join(re.escape(name) for name in names)})"
        r"(?:\s+|[ =:]+v?\.?\s*|\s+version\s+)v?(\d+(?:\.\d+)*(?:[.+-]\w+)*)",
        re.IGNORECASE,
    )
