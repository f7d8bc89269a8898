"""Numbers of the evidence that may be meant, sorted, so that a mention finds its number among thousands at once."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Sequence

from model_cards.lint import lexicon
from model_cards.lint.evidence import Entry

MOST_PAIRED = 150
"""Numbers of one measure of which differences and quotients are formed: beyond it a match would say nothing."""
_BOUNDS = frozenset({"low", "high", "lower", "upper", "n", "level", "threshold", "count"})


class Pool:
    """Some numbers of the evidence. Built once for a set of entries, then only read."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        self._sorted = sorted(entries, key=size)
        self._keys = [size(entry) for entry in self._sorted]
        self._narrowed: dict[frozenset[str], Pool] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def between(self, low: float, high: float) -> Iterator[Entry]:
        """Numbers whose size lies between two bounds, smallest first."""
        begin = bisect.bisect_left(self._keys, low)
        end = bisect.bisect_right(self._keys, high)
        return iter(self._sorted[begin:end])

    def nearest(self, value: float) -> Entry:
        """The number whose size is nearest to a value."""
        at = bisect.bisect_left(self._keys, value)
        near = self._sorted[max(0, at - 1) : at + 1] or self._sorted[-1:]
        return min(near, key=lambda entry: abs(size(entry) - value))

    @property
    def largest(self) -> float:
        """The largest size."""
        return self._keys[-1] if self._keys else 0.0

    @functools.cached_property
    def differences(self) -> list[float]:
        """Differences of any two of its numbers, sorted; bounds of intervals and counts take no part."""
        values = self._values
        return sorted({high - low for position, low in enumerate(values) for high in values[position + 1 :]})

    @functools.cached_property
    def quotients(self) -> list[float]:
        """Quotients of any two of its numbers, sorted."""
        values = [value for value in self._values if value]
        return sorted({q for p, low in enumerate(values) for high in values[p + 1 :] for q in (low / high, high / low)})

    @functools.cached_property
    def _values(self) -> list[float]:
        values = sorted({size(entry) for entry in self.entries if entry.key not in _BOUNDS})
        return values if len(values) <= MOST_PAIRED else []

    @functools.cached_property
    def _marks(self) -> dict[str, list[Entry]]:
        """Words that tell some of its entries from the others, with these entries."""
        names = lexicon.canonical()
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            for word in {_called(names.get(word, word)) for word in entry.identity}:
                found.setdefault(word, []).append(entry)
        return {word: entries for word, entries in found.items() if len(entries) < len(self.entries)}

    def narrowed(self, context: frozenset[str], without: frozenset[str]) -> Pool:
        """The numbers of the group, class or part that some words name; all where they name none."""
        telling = frozenset(self._marks.keys() & context) - without
        if not telling:
            return self
        if telling not in self._narrowed:
            kept = {id(entry): entry for word in telling for entry in self._marks[word]}
            self._narrowed[telling] = Pool(tuple(kept.values()))
        return self._narrowed[telling]


def _called(word: str) -> str:
    """Codes of languages and short names of parts as texts call them: `fr`, `val`."""
    return lexicon.CODES.get(word) or lexicon.parts().get(word, word)


def size(entry: Entry) -> float:
    """The number without its sign: a loss of 0.02 and a change of -0.02 are the same to a reader."""
    return abs(float(entry.value or 0))


def holds(values: Sequence[float], low: float, high: float) -> bool:
    """Is one of the sorted values between two bounds?"""
    at = bisect.bisect_left(values, low)
    return at < len(values) and values[at] <= high
