"""Two PDFs of one document word by word: another row moves lines and pages, and sentences are then read otherwise."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Sequence

from model_cards.lint import alignment
from model_cards.lint.alignment import Unit
from model_cards.lint.model import Document, Sentence

LONG = 3
"""Words from which a run that stands in the other text, too, was only moved by another break of pages."""


@dataclasses.dataclass(frozen=True)
class Word:
    """One word in its sentence."""

    text: str
    sentence: Sentence
    begin: int

    @property
    def key(self) -> str:
        """Its letters, digits and signs."""
        return alignment.key(self.text)


@dataclasses.dataclass(frozen=True)
class Run:
    """Words of the given text that stand where the recorded one has others; either side may be empty."""

    given: tuple[Word, ...]
    recorded: tuple[Word, ...]
    before: Word | None
    """The word of the given text right before it."""


def differing(document: Document, recorded: Document) -> Iterator[Run]:
    """Runs of words that differ, without those that another break of lines and pages only moved or repeated."""
    given, wrote = alignment.units(document), alignment.units(recorded)
    found = [
        run
        for here, there in alignment.stretches(given, wrote)
        for run in _runs(_words(here, document.pages), _words(there, recorded.pages))
    ]
    gone = {_bag(run.recorded) for run in found if not run.given}
    come = {_bag(run.given) for run in found if not run.recorded}
    here, there = alignment.joined(given), alignment.joined(wrote)
    for run in found:
        if run.given and run.recorded:
            same = _bag(run.given) == _bag(run.recorded) or _keys(run.given) == _keys(run.recorded)
        elif run.given:
            same = _bag(run.given) in gone or _stands_in(there, run.given)
        else:
            same = _bag(run.recorded) in come or _stands_in(here, run.recorded)
        if not same:
            yield run


def _words(units: Sequence[Unit], pages: int | None) -> list[Word]:
    """The words of some units without the numbers of pages."""
    each = re.compile(rf"(?<!\S)(?P<page>\d{{1,4}}\s?/\s?{pages}(?!\S))|\S+")
    found = [
        Word(match[0], sentence, match.start())
        for unit in units
        for sentence in unit.sentences
        for match in each.finditer(sentence.text)
        if not match["page"]
    ]
    return [word for word in found if word.key]


def _runs(given: Sequence[Word], recorded: Sequence[Word]) -> Iterator[Run]:
    matcher = difflib.SequenceMatcher(None, [w.key for w in given], [w.key for w in recorded], autojunk=False)
    for what, low, high, begin, end in matcher.get_opcodes():
        if what != "equal":
            yield Run(tuple(given[low:high]), tuple(recorded[begin:end]), given[low - 1] if low else None)


def _bag(some: Sequence[Word]) -> str:
    """Words whatever their order: cells of several lines may be read in another one."""
    return " ".join(sorted(word.key for word in some))


def _keys(some: Sequence[Word]) -> str:
    return "".join(word.key for word in some)


def _stands_in(text: str, run: Sequence[Word]) -> bool:
    """Does a text hold a run, or each of the stretches that it is put together from, such as a foot and a header?"""
    begin = 0
    while begin < len(run):
        ends = range(begin + LONG, len(run) + 1)
        end = max((end for end in ends if _keys(run[begin:end]) in text), default=0)
        if not end:
            return False
        begin = end
    return True
