"""A document as a tree of frozen sections and blocks. Knows nothing about formats.

Fixed text is `str`; it makes no claim with a number. Everything that comes from a record is a `Fact` or a `Gap`.
"""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Iterable, Iterator

from model_cards import language
from model_cards.refs import Fact, Gap


@dataclasses.dataclass(frozen=True)
class Link:
    """Words that lead to a line of this or another document of the run."""

    words: str | Fact
    anchor: str
    """Identifier of a section or a line; empty for the whole document."""
    document: str = ""
    """File of the other document without its ending, for example `annex_iv`; empty for this one."""

    def address(self, suffix: str) -> str:
        """Where it leads, seen from a document of a format. The report exists as a page only."""
        file = self.document and f"{self.document}.{'html' if self.document == 'report' else suffix}"
        return f"{file}#{self.anchor}" if self.anchor else file


Part = str | Fact | Gap | Link
Parts = tuple[Part, ...]
"""A run of text: fixed words, facts, gaps and links in reading order."""
AGAIN = "″"
"""Alone in a cell of a table: what the cell above says."""


def parts(*items: Part | Parts) -> Parts:
    """One flat run of text."""
    flat: list[Part] = []
    for item in items:
        flat.extend(item if isinstance(item, tuple) else (item,))
    return tuple(flat)


def joined(items: Iterable[Part | Parts], between: str = ", ") -> Parts:
    """Runs of text one after the other, with words between them; nothing for none."""
    return parts(*(part for item in items for part in (between, item)))[1:]


def say(sentence: str, **values: Part | Parts) -> Parts:
    """A sentence of fixed words with places for facts: `say("Run {run} began.", run=fact)`."""
    found: list[Part | Parts] = []
    words, piece = language.sentence(sentence)
    for fixed, name, _, _ in string.Formatter().parse(words):
        found += [piece(fixed)] if fixed else []
        found += [values[name]] if name else []
    return parts(*found)


@dataclasses.dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    content: Parts
    kind: str = "text"
    """`text`, `note` (smaller, how to read something) or `lead`."""


@dataclasses.dataclass(frozen=True)
class Bullets:
    """An unordered list."""

    items: tuple[Parts, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table. The first column names the row."""

    caption: Parts
    columns: tuple[Part, ...]
    rows: tuple[tuple[Parts, ...], ...]
    numeric: frozenset[int] = frozenset()
    """Columns that hold numbers: set to the right."""
    prose: bool = dataclasses.field(default=False, kw_only=True)
    """Does a column hold sentences? On a narrow screen its rows then become paragraphs."""
    fold: bool = dataclasses.field(default=False, kw_only=True)
    """Is it long or a detail, and folded behind its caption?"""


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Names and what is known under them, as a table of two columns."""

    caption: str
    rows: tuple[tuple[str, Parts], ...]


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labelled lines, each `Name: what is known`, in the form that programs read out of technical documentation."""

    rows: tuple[tuple[str, Parts], ...]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A drawing with the words that stand for it where it cannot be seen."""

    title: Parts
    svg: str
    """Inline SVG without text that a person wrote unescaped; drawn by `figures`."""
    alt: Parts
    """What the figure shows, in a sentence or two."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """Figures side by side where there is room."""

    figures: tuple[Figure, ...]


@dataclasses.dataclass(frozen=True)
class Tile:
    """One headline value with its name."""

    label: Parts
    value: Parts
    notes: tuple[Parts, ...] = ()
    """Short lines beneath."""
    status: str | None = None


@dataclasses.dataclass(frozen=True)
class Tiles:
    """Headline values in a row."""

    caption: str
    tiles: tuple[Tile, ...]


Block = Paragraph | Bullets | Table | Pairs | Labels | Figures | Tiles


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    id: str
    """Anchor, unique in the document."""
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    short: str | None = None
    """Title in the table of contents, where the whole one is long."""


@dataclasses.dataclass(frozen=True)
class Document:
    """A whole document."""

    title: Parts
    draft: Parts
    """The sentence that says that this is a draft, of which run."""
    sections: tuple[Section, ...]
    running: Parts = ()
    """Words at the foot of every page."""
    language: str = "en"
    """Of the fixed words. Texts of records stay in the language in which they were written."""


def walk(document: Document) -> Iterator[Part]:
    """Every part of a document, in reading order."""
    yield from document.title
    yield from document.draft
    yield from document.running
    for section in document.sections:
        yield from walk_section(section)


def walk_section(section: Section) -> Iterator[Part]:
    """Every part of a section and of those within it."""
    yield section.title
    for block in section.blocks:
        yield from walk_block(block)
    for inner in section.sections:
        yield from walk_section(inner)


def walk_block(block: Block) -> Iterator[Part]:
    """Every part of a block."""
    match block:
        case Paragraph():
            yield from block.content
        case Bullets():
            for item in block.items:
                yield from item
        case Table():
            yield from (*block.caption, *block.columns)
            for row in block.rows:
                for cell in row:
                    yield from cell
        case Pairs() | Labels():
            yield from (block.caption,) if isinstance(block, Pairs) else ()
            for name, content in block.rows:
                yield name
                yield from content
        case Figures():
            for figure in block.figures:
                yield from (*figure.title, *figure.alt)
        case Tiles():
            yield block.caption
            for tile in block.tiles:
                yield from (*tile.label, *tile.value, *(part for note in tile.notes for part in note))


def meant(table: Table, row: int, column: int) -> Parts:
    """What a cell says: of a cell that repeats the one above it, what stands there."""
    while row > 0 and table.rows[row][column] == (AGAIN,):
        row -= 1
    return table.rows[row][column]


def walk_tables(document: Document) -> Iterator[Table]:
    """Every table of a document, in reading order."""
    waiting = list(document.sections)
    while waiting:
        section = waiting.pop(0)
        yield from (block for block in section.blocks if isinstance(block, Table))
        waiting = [*section.sections, *waiting]


def plain(content: Parts) -> str:
    """A run of text as it is read, without markup."""
    return "".join(_plain(part) for part in content)


def _plain(part: Part) -> str:
    match part:
        case str():
            return part
        case Gap():
            return part.text
        case Link():
            return _plain(part.words)
        case Fact():
            return part.shown


def gaps(document: Document) -> tuple[str, ...]:
    """The texts of the gaps of a document, in order, each once."""
    return tuple(dict.fromkeys(part.text for part in walk(document) if isinstance(part, Gap)))


def evidence_of(section: Section) -> tuple[str, ...]:
    """The record files that a section draws on, in order of use."""
    facts = [part for part in walk_section(section) if isinstance(part, Fact)]
    facts += [p.reason for p in walk_section(section) if isinstance(p, Gap) and p.reason]
    return tuple(dict.fromkeys(fact.evidence.partition("#")[0] for fact in facts))
