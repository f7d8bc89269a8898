"""Collects what a reader finds, as sentences with their headings and table cells. The one place that splits text."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from configs import errors
from model_cards.lint import words
from model_cards.lint.model import Document, Kind, Place, Sentence

MOST_SENTENCES = 200_000
MOST_CHARACTERS = 30_000_000
LONGEST_SENTENCE = 4_000
"""Characters. What is longer is cut into pieces: no rule looks further than a sentence."""
_VALUE = re.compile(r"^\W*\d[\d.,\s%]*[a-zµ°/]{0,3}\W*$|\d\s*(?:to|-|–|/)\s*\d")
"""A cell that holds a value; `95 % CI` and `mAP50` name a column."""
_NUMBER = re.compile(r"\d")


@dataclasses.dataclass(frozen=True)
class Cell:
    """A table cell with the place of its text."""

    text: str
    line: int | None = None
    header: bool = False


class Builder:
    """Takes headings, paragraphs and tables in reading order."""

    def __init__(self, file: str, kind: str) -> None:
        self.file = file
        self.format = kind
        self.page: int | None = None
        self.line: int | None = None
        self.paragraph: int | None = None
        self._headings: list[tuple[int, str]] = []
        self._found: list[Sentence] = []
        self._characters = 0

    def heading(self, text: str, level: int) -> None:
        """A heading; those of its level and below end."""
        text = words.tidy(text)
        if not text:
            return
        self._headings = [(depth, title) for depth, title in self._headings if depth < level]
        self._add(text, "heading")
        self._headings.append((level, text[:200]))

    def paragraph_of(self, text: str, kind: Kind = "prose") -> None:
        """A paragraph, list item or caption, split into sentences."""
        pieces = words.sentences(text) if kind != "code" else [words.tidy(text)]
        for piece in pieces:
            self._add(piece, kind)

    def table(self, rows: Sequence[Sequence[Cell]], caption: str = "") -> None:
        """A table. Its first row is the header where it is marked so, or holds no number and is not the only one."""
        rows = [row for row in rows if any(cell.text.strip() for cell in row)]
        if not rows:
            return
        caption = words.tidy(caption)
        first = rows[0]
        marked = all(cell.header for cell in first)
        guessed = len(rows) > 1 and len(first) > 1 and not any(_VALUE.search(cell.text) for cell in first[1:])
        wide = len(first) > 2 or sum(bool(_NUMBER.search(row[-1].text)) for row in rows[1:]) > len(rows[1:]) / 2
        header = [words.tidy(cell.text) for cell in first] if marked or (guessed and wide) else []
        for number, row in enumerate(rows, start=1):
            name = words.tidy(row[0].text) if row else ""
            for position, cell in enumerate(row, start=1):
                is_header = bool(header) and number == 1
                self.line = cell.line if cell.line is not None else self.line
                self._cell(
                    cell,
                    (number, position),
                    row="" if is_header or position == 1 else name[:300],
                    column="" if is_header or position > len(header) else header[position - 1][:300],
                    caption=caption[:300],
                )

    def _cell(self, cell: Cell, at: tuple[int, int], row: str, column: str, caption: str) -> None:
        for piece in words.sentences(cell.text):
            self._add(piece, "cell", at, row, column, caption)

    def _add(
        self,
        text: str,
        kind: Kind,
        cell: tuple[int, int] | None = None,
        row: str = "",
        column: str = "",
        caption: str = "",
    ) -> None:
        if not text:
            return
        self._characters += len(text)
        if len(self._found) >= MOST_SENTENCES or self._characters > MOST_CHARACTERS:
            raise errors.UnreadableError(
                f"document {self.file}: expected at most {MOST_SENTENCES:,} sentences and {MOST_CHARACTERS:,} "
                "characters, got more. Split it."
            )
        path = tuple(title for _, title in self._headings)
        place = Place(self.file, self.line, self.page, self.paragraph, path, cell)
        for begin in range(0, len(text), LONGEST_SENTENCE):
            piece = text[begin : begin + LONGEST_SENTENCE]
            self._found.append(Sentence(piece, place, kind, row, column, caption))

    def document(self, pages: int | None = None) -> Document:
        """What was found."""
        return Document(self.file, self.format, tuple(self._found), pages)
