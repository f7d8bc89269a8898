"""Reading a rendered page the way a machine does: elements with their attributes and text."""

from __future__ import annotations

import dataclasses
import functools
import html.parser

VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}


@dataclasses.dataclass
class Element:
    """One element; `text` is all text within it."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""


class Page(html.parser.HTMLParser):
    """All elements of a page in order; elements that do not nest are an error."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        if self._open:
            raise ValueError(f"{self._open[-1].tag}: never closed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        element = Element(tag, {k: v or "" for k, v in attrs}, tuple(e.tag for e in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.elements.append(Element(tag, {k: v or "" for k, v in attrs}, tuple(e.tag for e in self._open)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element."""
        closed = self._open.pop()
        if closed.tag != tag:
            raise ValueError(f"{closed.tag}: closed by {tag}")

    def handle_data(self, data: str) -> None:
        """Text belongs to every open element."""
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """Every element of a kind."""
        return [e for e in self.elements if e.tag == tag]


@functools.lru_cache(maxsize=8)
def read(source: str) -> Page:
    """The page, read once for all tests that ask: they look and change nothing."""
    return Page(source)
