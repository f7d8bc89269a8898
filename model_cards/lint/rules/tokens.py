"""A sentence as words with their places in the text, and the names that the lexicon knows among them."""

from __future__ import annotations

import dataclasses
import functools
import re

from model_cards.lint import lexicon, words

_WORD = re.compile(r"[^\W_]+")
_CLAUSE = re.compile(r";|:(?=\s)|(?<!\w)(?:but|while|whereas|although|however|aber|während|mais|tandis)(?!\w)")


_UNSEEN = re.compile(
    r"(?<!\w)(?:(?:never|not) (?:been )?(?:seen|used|shown|known) (?:(?:in|for|during|before|by) )?(?:the "
    r")?(?:training|fitting|model)|"
    r"(?:that|which) (?:the )?(?:training|fitting|model) (?:has |had )?never (?:saw|seen|met|used)|"
    r"unseen|held[- ]out|kept aside|set aside for testing|withheld)(?!\w)",
    re.IGNORECASE,
)
"""How texts call the test part without its name, or with the name of the other."""


@dataclasses.dataclass(frozen=True)
class Span:
    """A name in a text: of what, from character, to character."""

    concept: str
    begin: int
    end: int


@dataclasses.dataclass(frozen=True)
class Tokens:
    """The words of a text."""

    text: str
    row: tuple[str, ...]
    """Normal forms."""
    at: tuple[tuple[int, int], ...]
    """Where each stands."""

    @functools.cached_property
    def measures(self) -> tuple[Span, ...]:
        """Measures that it names."""
        return self.spans(lexicon.measures())

    def spans(self, phrases: lexicon.Phrases) -> tuple[Span, ...]:
        """Names that a set of phrases finds."""
        return tuple(
            Span(named.concept, self.at[named.begin][0], self.at[named.end - 1][1]) for named in phrases.find(self.row)
        )

    @functools.cached_property
    def canonical(self) -> frozenset[str]:
        """Its words, groups of persons under one name."""
        names = lexicon.canonical()
        return frozenset(names.get(word, word) for word in self.row)

    def after(self, position: int, count: int) -> list[str]:
        """The next words after a character."""
        return [word for word, (begin, _) in zip(self.row, self.at, strict=True) if begin >= position][:count]

    def before(self, position: int, count: int) -> list[str]:
        """The last words before a character."""
        return [word for word, (_, end) in zip(self.row, self.at, strict=True) if end <= position][-count:]

    def clause(self, begin: int, end: int) -> tuple[int, int]:
        """The bounds of the clause around some characters."""
        breaks = [0, *(m.start() for m in _CLAUSE.finditer(self.text)), len(self.text)]
        low = max(b for b in breaks if b <= begin)
        high = min((b for b in breaks if b >= end), default=len(self.text))
        return low, high


@functools.lru_cache(maxsize=4096)
def of(text: str) -> Tokens:
    """Take a text apart."""
    row, at = [], []
    for match in _WORD.finditer(_UNSEEN.sub(lambda m: "test".ljust(len(m[0])), text)):
        row.append(words.stem(words.plain(match[0])))
        at.append(match.span())
    return Tokens(text, tuple(row), tuple(at))
