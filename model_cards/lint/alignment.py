"""Two texts side by side: which sentences and table rows of one stand in the other, whatever sets them apart in form.

A unit is a sentence, a heading, or a whole table row, whose cells are of one measurement. Units are compared by their
letters, digits and signs alone, so that another font, another break of lines or another kind of dash changes nothing.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

from model_cards.lint.model import Document, Sentence

_FORM = re.compile(r"[\s\u200b\ufeff\u00ad*_`\\“”„«»‹›\"'’‘‚;•▪●◦]+|:(?!\d)|(?<!\d):")
"""What only sets a text: blanks, quotation marks, emphasis, bullets, what parts a name from its value, and the
paragraphs of a cell."""
_DASHES = re.compile(r"[‐‑‒–—―−]")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
"""Between letters it may come from the end of a line."""
ALIKE = 0.55
"""Share of words in the same order, from which one unit is another in other words."""
_MOST_PAIRS = 2_500
"""Pairs of units within one stretch that are compared word by word; beyond, they are taken in their order."""


@functools.lru_cache(maxsize=65536)
def key(text: str) -> str:
    """A text without what only sets it."""
    folded = _FORM.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _HYPHEN.sub("", _DASHES.sub("-", folded))


@dataclasses.dataclass(frozen=True)
class Unit:
    """A sentence, a heading, or a table row."""

    sentences: tuple[Sentence, ...]

    @functools.cached_property
    def key(self) -> str:
        """Its letters, digits and signs, with bars between the cells of a row."""
        return "|".join(map(key, self.cells.values())) if self.is_row else self.bare

    @functools.cached_property
    def bare(self) -> str:
        """Its letters, digits and signs, wherever its cells end: another form may part them otherwise."""
        return "".join(key(sentence.text) for sentence in self.sentences)

    @property
    def text(self) -> str:
        """What it says; the cells of a row are parted by bars."""
        return " | ".join(self.cells.values()) if self.is_row else self.sentences[0].text

    @property
    def is_row(self) -> bool:
        """Is it a table row?"""
        return self.sentences[0].place.cell is not None

    @functools.cached_property
    def cells(self) -> dict[int, str]:
        """Number of the column to the text of its cell; empty where it is no row."""
        found: dict[int, str] = {}
        for sentence in self.sentences:
            if sentence.place.cell:
                column = sentence.place.cell[1]
                found[column] = f"{found[column]} {sentence.text}" if column in found else sentence.text
        return found

    def in_cell(self, column: int) -> Sentence:
        """The first sentence of a cell."""
        return next(s for s in self.sentences if s.place.cell and s.place.cell[1] == column)

    def likeness(self, other: Unit) -> float:
        """How far the other one is this in other words or values: 0 not at all, above 1 for a row of the same name."""
        if self.is_row != other.is_row:
            return 0.0
        words = difflib.SequenceMatcher(None, self.text.split(), other.text.split(), autojunk=False).ratio()
        if self.is_row and len(self.cells) > 1 and self.cells.keys() == other.cells.keys():
            first = min(self.cells)
            if key(self.cells[first]) == key(other.cells[first]):
                return 1 + words
        return words if words >= ALIKE else 0.0


def units(document: Document) -> list[Unit]:
    """The units of a document, in its order. What it says of itself outside its text is none."""
    found: list[list[Sentence]] = []
    row = (0, 0)
    for sentence in document.sentences:
        at = sentence.place.cell
        if sentence.kind == "meta" or not key(sentence.text) or _is_page_number(document, sentence):
            continue
        if at and found and at[0] == row[0] and at[1] >= row[1]:
            found[-1].append(sentence)
        else:
            found.append([sentence])
        row = at or (0, 0)
    return [Unit(tuple(sentences)) for sentences in found]


def _is_page_number(document: Document, sentence: Sentence) -> bool:
    """A word processor counts the pages anew when it saves a document."""
    return document.format == "docx" and sentence.kind == "prose" and sentence.text.strip().isdecimal()


@dataclasses.dataclass(frozen=True)
class Difference:
    """One unit that differs: altered (both are there), added (only `given`), or removed (only `recorded`)."""

    given: Unit | None
    recorded: Unit | None
    before: Unit | None = None
    """Removed: the unit of the given text that it stood behind; None at its beginning."""


def shared(given: Sequence[Unit], recorded: Sequence[Unit]) -> float:
    """Share of the units of the longer text that stand in the other one, in [0, 1]."""
    common = {unit.key for unit in given} & {unit.key for unit in recorded}
    of = [sum(unit.key in common for unit in one) / len(one) if one else 0.0 for one in (given, recorded)]
    return min(of)


def contained(some: Sequence[Unit], given: Sequence[Unit]) -> float:
    """Share of some units that stand in a text, however it parts them, in [0, 1]."""
    here = joined(given)
    return sum(unit.bare in here for unit in some) / len(some) if some else 0.0


def differences(given: Sequence[Unit], recorded: Sequence[Unit]) -> Iterator[Difference]:
    """What differs between two texts in the same form, in the order of the given one."""
    for low, high, begin, end in _apart(given, recorded):
        yield from _within(given[low:high], recorded[begin:end], given[low - 1] if low else None)


def stretches(given: Sequence[Unit], recorded: Sequence[Unit]) -> Iterator[tuple[Sequence[Unit], Sequence[Unit]]]:
    """The stretches of two texts that differ, each with the unit before it where both have one."""
    for low, high, begin, end in _apart(given, recorded):
        before = 1 if low and begin else 0
        yield given[low - before : high], recorded[begin - before : end]


def _apart(given: Sequence[Unit], recorded: Sequence[Unit]) -> Iterator[tuple[int, int, int, int]]:
    """From where to where the units of both differ. Where they are only parted otherwise, they do not."""
    matcher = difflib.SequenceMatcher(None, [u.key for u in given], [u.key for u in recorded], autojunk=False)
    for what, low, high, begin, end in matcher.get_opcodes():
        one, other = ("".join(unit.key for unit in some) for some in (given[low:high], recorded[begin:end]))
        if what != "equal" and one != other:
            yield low, high, begin, end


def across_forms(
    given: Sequence[Unit], recorded: Sequence[Unit], *, of_pages: bool, plainer: bool
) -> Iterator[Difference]:
    """What a text lacks of one in another form, which may set it with more around it, or part it otherwise.

    Only what was altered or removed can be told; the other form adds words of its own.

    Args:
        given: The units of a document.
        recorded: The units of the other form.
        plainer: Is the given form the plainer one, Markdown? Then what it lacks may be what the other form adds, and
            only what was altered is told.
        of_pages: Is it a PDF, whose pages cut sentences and rows? Then only single words or values that stand for
            others are told: whatever else is missing may have been read otherwise.
    """
    there, here = joined(recorded), joined(given)
    missing = [unit for unit in recorded if unit.bare not in here]
    strange = [unit for unit in given if unit.bare not in there]
    for unit in missing:
        alike = [(unit.likeness(one), one) for one in strange if unit.cells.keys() == one.cells.keys()]
        likeness, other = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if other is not None and likeness and not (of_pages and not _one_place(other, unit, likeness)):
            strange.remove(other)
            yield Difference(other, unit)
        elif not of_pages and not plainer:
            yield Difference(None, unit, _above(unit, given, recorded))


def ends(one: str, other: str) -> tuple[int, int]:
    """Numbers of characters that two texts share at their beginning and, of what is left, at their end."""
    most = min(len(one), len(other))
    begin = next((n for n in range(most) if one[n] != other[n]), most)
    end = next((n for n in range(most - begin) if one[-1 - n] != other[-1 - n]), most - begin)
    return begin, end


def _one_place(one: Unit, other: Unit, likeness: float) -> bool:
    """Do two sentences, or two rows of one name, differ in one word or value, which both of them have?"""
    begin, end = ends(one.bare, other.bare)
    apart = [text[begin : len(text) - end] for text in (one.bare, other.bare)]
    same = likeness > 1 or not one.is_row
    return same and begin + end > 2 * max(map(len, apart)) and all(part.isalnum() for part in apart)


def _above(unit: Unit, given: Sequence[Unit], recorded: Sequence[Unit]) -> Unit | None:
    """The last unit before a missing one that the given text has."""
    have = {one.key: one for one in given}
    position = next(number for number, one in enumerate(recorded) if one is unit)
    return next((have[one.key] for one in reversed(recorded[:position]) if one.key in have), None)


def joined(some: Sequence[Unit]) -> str:
    """All letters, digits and signs of some units."""
    return "".join(unit.bare for unit in some)


def _within(given: Sequence[Unit], recorded: Sequence[Unit], before: Unit | None) -> Iterator[Difference]:
    """The differences of one stretch, in the order of the given text."""
    pairs = _pairs(given, recorded)
    position = 0
    for number, unit in enumerate(given):
        same = pairs.get(number)
        if same is None:
            yield Difference(unit, None)
        else:
            for gone in recorded[position:same]:
                yield Difference(None, gone, before)
            yield Difference(unit, recorded[same])
            position = same + 1
        before = unit
    for gone in recorded[position:]:
        yield Difference(None, gone, before)


def _pairs(given: Sequence[Unit], recorded: Sequence[Unit]) -> dict[int, int]:
    """Numbers of the units that resemble each other, the most alike first, none of them crossing."""
    if len(given) * len(recorded) > _MOST_PAIRS:
        scored = [(one.likeness(other), n, n) for n, (one, other) in enumerate(zip(given, recorded, strict=False))]
    else:
        scored = [(a.likeness(b), n, m) for n, a in enumerate(given) for m, b in enumerate(recorded)]
    found: dict[int, int] = {}
    for likeness, n, m in sorted(scored, key=lambda pair: (-pair[0], abs(pair[1] - pair[2]), pair[1])):
        if likeness and n not in found and all((n < a) == (m < b) and m != b for a, b in found.items()):
            found[n] = m
    return found
