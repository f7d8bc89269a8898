"""What the linter speaks of: documents as sentences with places, rules, findings. Knows no format and no rule."""

from __future__ import annotations

import dataclasses
from typing import Literal

Confidence = Literal["high", "medium", "low"]
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")
"""Most certain first. `high`: the evidence or the text of the law says otherwise. `medium`: nothing carries it, where
something should. `low`: it may well be harmless."""
Kind = Literal["prose", "heading", "cell", "code", "meta"]
"""`meta` is what a document says of itself outside its text: front matter, properties."""
Group = Literal[
    "number", "placeholder", "count", "model", "version", "date", "claim", "article", "declaration", "document"
]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a sentence stands in a document. Lines, pages, paragraphs, rows and columns count from 1."""

    file: str
    line: int | None = None
    page: int | None = None
    paragraph: int | None = None
    """Number of the paragraph, in formats without lines and pages."""
    heading: tuple[str, ...] = ()
    """Headings above it, outermost first."""
    cell: tuple[int, int] | None = None
    """Row and column in its table."""

    @property
    def short(self) -> str:
        """The place in few words: `line 12, row 3, column 2`."""
        parts = [("page", self.page), ("line", self.line), ("paragraph", self.paragraph)]
        said = [f"{name} {value}" for name, value in parts if value is not None]
        if self.cell:
            said.append(f"row {self.cell[0]}, column {self.cell[1]}")
        return ", ".join(said) or "anywhere"


@dataclasses.dataclass(frozen=True)
class Sentence:
    """One sentence, heading or table cell."""

    text: str
    place: Place
    kind: Kind = "prose"
    row: str = ""
    """Cell: what the row is called (its first cell)."""
    column: str = ""
    """Cell: what the column is called (its header)."""
    caption: str = ""
    """Cell: the caption of its table, where it has one."""

    @property
    def context(self) -> str:
        """Names that a cell inherits from its table."""
        return " ".join(part for part in (self.row, self.column, self.caption) if part)


@dataclasses.dataclass(frozen=True)
class Document:
    """A document, read."""

    file: str
    format: str
    sentences: tuple[Sentence, ...]
    pages: int | None = None
    sha256: str = ""
    """Of the file's bytes, in hex; empty where it was made from no file."""


@dataclasses.dataclass(frozen=True)
class Proof:
    """What the evidence says, and where."""

    file: str
    pointer: str
    """JSON Pointer (RFC 6901); for CSV `row N, column NAME`."""
    value: str

    @property
    def shown(self) -> str:
        """`metrics.json#/test/accuracy = 0.8437`."""
        return f"{self.file}#{self.pointer} = {self.value}"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One kind of defect."""

    id: str
    title: str
    group: Group
    explains: str
    """What it means and when it fires, for who reads the report."""
    confidence: Confidence
    """The highest that it reports."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One defect of one sentence."""

    rule: Rule
    sentence: Sentence
    confidence: Confidence
    message: str
    """What is wrong, in one sentence."""
    advice: str
    """What to do about it."""
    span: tuple[int, int] = (0, 0)
    """Characters of the sentence that it is about: from, to (exclusive). Empty for the whole sentence."""
    proof: Proof | None = None
    other: Place | None = None
    """Where else the document, or another one, says something different."""

    @property
    def quoted(self) -> str:
        """The words that it is about."""
        begin, end = self.span
        return self.sentence.text[begin:end] if end > begin else self.sentence.text


def at_least(confidence: Confidence, least: Confidence) -> bool:
    """Is a confidence as high as the one asked for?"""
    return CONFIDENCES.index(confidence) <= CONFIDENCES.index(least)
