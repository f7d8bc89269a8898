"""HTML as sentences, with the standard library's parser: no external entity, no script, nothing loaded."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from model_cards.lint.model import Document
from model_cards.lint.readers import text_files
from model_cards.lint.readers.builder import Builder, Cell

_SILENT = frozenset({"script", "style", "svg", "template", "noscript", "math", "canvas", "object", "head"})
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
        "caption",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "input",
        "ins",
        "kbd",
        "label",
        "mark",
        "meter",
        "output",
        "picture",
        "progress",
        "q",
        "ruby",
        "rp",
        "rt",
        "s",
        "samp",
        "select",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "textarea",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
        "iframe",
        "video",
        "audio",
        "button",
        "area",
        "base",
        "col",
        "colgroup",
        "embed",
        "link",
        "map",
        "meta",
        "param",
        "track",
        "frame",
        "frameset",
    ]
)
KNOWN = _SILENT | _BLOCKS | INLINE
"""Tags that HTML has. Anything else between angle brackets was meant as text, such as `<insert name>`."""


def read(content: bytes, file: str) -> Document:
    """Read an HTML file."""
    builder = Builder(file, "html")
    feed(text_files.decode(content, f"document {file}", declares=True), builder)
    return builder.document()


def feed(text: str, builder: Builder, first_line: int = 1) -> None:
    """Read HTML into a builder; also for the HTML blocks of Markdown."""
    parser = _Parser(builder, first_line)
    parser.feed(text)
    parser.close()
    parser.finish()


class _Parser(HTMLParser):
    def __init__(self, builder: Builder, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self._builder = builder
        self._first = first_line - 1
        self._text: list[str] = []
        self._line: int | None = None
        self._silent = 0
        self._heading: int | None = None
        self._code = 0
        self._rows: list[list[Cell]] = []
        self._caption = ""
        self._tables = 0
        self._cell: list[str] | None = None
        self._cell_header = False
        self._term = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent or tag in _SILENT:
            self._silent += tag in _SILENT and tag not in {"link", "meta"}
            if tag == "svg":
                self._flush_unless_cell()
            return
        if tag not in KNOWN and ":" not in tag and "-" not in tag:
            self.handle_data(self.get_starttag_text() or "")
            return
        if tag == "img":
            self.handle_data(" " + (dict(attrs).get("alt") or "") + " ")
        if tag == "br":
            self.handle_data("\n")
        elif tag in _BLOCKS:
            if tag in {"td", "th", "tr"} and self._tables == 1:
                self._end_cell()  # its end tag may be left out
            self._flush_unless_cell()
            self._open(tag)

    def _open(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "pre":
            self._code += 1
        elif tag == "table":
            self._tables += 1
            if self._tables == 1:
                self._rows, self._caption = [], ""
        elif tag == "tr" and self._tables == 1:
            self._rows.append([])
        elif tag in {"td", "th"} and self._tables == 1:
            self._end_cell()
            if not self._rows:
                self._rows.append([])
            self._cell, self._cell_header, self._line = [], tag == "th", self._here()

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
            return
        if self._silent or tag not in _BLOCKS:
            return
        if tag == "caption" and self._tables:
            self._caption = "".join(self._text)
            self._flush()
        elif tag == "table" and self._tables:
            self._end_table()
        elif tag in {"td", "th", "tr"} and self._tables == 1:
            self._end_cell()
        elif tag == "dt":
            self._term = " ".join("".join(self._text).split())
            self._flush()
        elif tag == "dd" and self._term:
            line = self._line or self._here()
            self._builder.table([[Cell(self._term, line), Cell("".join(self._text), line)]])
            self._text, self._line = [], None
        else:
            self._flush_unless_cell()
        if tag in _HEADINGS:
            self._heading = None
        if tag == "pre":
            self._code = max(0, self._code - 1)

    def _end_cell(self) -> None:
        if self._cell is not None:
            self._rows[-1].append(Cell("".join(self._cell).strip(" ;"), self._line, self._cell_header))
        self._cell, self._line = None, None

    def _end_table(self) -> None:
        self._tables -= 1
        if self._tables:
            return
        self._end_cell()
        self._builder.table(self._rows, self._caption)
        self._rows, self._caption = [], ""

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if self._cell is not None:
            self._cell.append(data)
            return
        if self._line is None and data.strip():
            self._line = self._here()
        self._text.append(data)

    def _here(self) -> int:
        return self.getpos()[0] + self._first

    def _flush_unless_cell(self) -> None:
        if self._cell is not None:
            self._cell.append(" ; " if self._cell and self._cell[-1].strip() not in {"", ";"} else " ")
        else:
            self._flush()

    def _flush(self) -> None:
        text = re.sub(r"[ \t\r\f]+", " ", "".join(self._text))
        self._builder.line = self._line
        if text.strip():
            if self._heading is not None:
                self._builder.heading(text, self._heading)
            else:
                self._builder.paragraph_of(text, "code" if self._code else "prose")
        self._text, self._line = [], None

    def finish(self) -> None:
        """What an unclosed file still holds."""
        if self._tables:
            self._tables = 1
            self._end_table()
        self._flush()
