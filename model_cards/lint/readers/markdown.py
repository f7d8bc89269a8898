"""Markdown (CommonMark with tables and front matter) as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from model_cards.lint import words
from model_cards.lint.model import Document
from model_cards.lint.readers import html, text_files
from model_cards.lint.readers.builder import Builder, Cell

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)(?:\s[^<>]*)?/?>|<!--.*?-->", re.DOTALL)


def read(content: bytes, file: str) -> Document:
    """Read a Markdown file, or plain text."""
    text = text_files.decode(content, f"document {file}")
    builder = Builder(file, "markdown")
    front = _FRONT.match(text)
    offset = 0
    if front:
        for number, line in enumerate(front[1].splitlines(), start=2):
            builder.line = number
            if not line.lstrip().startswith("#"):
                builder.paragraph_of(line.strip().removeprefix("- "), "meta")
        offset = front[0].count("\n")
        text = text[front.end() :]
    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable(["table", "strikethrough"])
    _walk(parser.parse(text), builder, offset)
    return builder.document()


def _walk(tokens: Sequence[Token], builder: Builder, offset: int) -> None:
    rows: list[list[Cell]] = []
    heading, header, in_table = 0, False, False
    for token in tokens:
        if token.map:
            builder.line = token.map[0] + 1 + offset
        match token.type:
            case "heading_open":
                heading = int(token.tag[1])
            case "heading_close":
                heading = 0
            case "table_open":
                rows, in_table = [], True
            case "table_close":
                builder.table(rows)
                in_table = False
            case "tr_open":
                rows.append([])
            case "th_open" | "td_open":
                header = token.type == "th_open"
            case "fence" | "code_block":
                for number, line in enumerate(token.content.splitlines()):
                    builder.line = (token.map[0] + 2 + offset + number) if token.map else None
                    builder.paragraph_of(line, "code")
            case "html_block":
                html.feed(token.content, builder, builder.line or 1)
            case "inline":
                text = _inline(token)
                if in_table:
                    rows[-1].append(Cell(text, builder.line, header))
                elif heading:
                    builder.heading(text, heading)
                else:
                    _lines(text, builder)
            case _:
                pass


def _lines(text: str, builder: Builder) -> None:
    """A paragraph. A hard line break ends a line for a reader; the sentences say on which line they begin."""
    first = builder.line or 1
    for part in text.split("\v"):
        begin = 0
        flat = part.replace("\n", " ")
        builder.line = first + text[: text.find(part)].count("\n")
        start = builder.line
        for piece in words.sentences(flat):
            at = _find(flat, piece, begin)
            builder.line = start + part[:at].count("\n")
            builder.paragraph_of(piece)
            begin = at


def _find(text: str, piece: str, begin: int) -> int:
    at = text.find(piece[:20], begin)
    return at if at >= 0 else begin


def _inline(token: Token) -> str:
    parts: list[str] = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline" | "text_special":
                parts.append(child.content)
            case "softbreak":
                parts.append("\n")
            case "hardbreak":
                parts.append("\v\n")
            case "image":
                parts.append(f" {child.content} ")
            case "html_inline":
                parts.append(_without_tags(child.content))
            case _:
                pass
    return "".join(parts)


def _without_tags(text: str) -> str:
    """What is no tag of HTML was meant as text: `<insert name>`."""
    return _TAG.sub(lambda tag: tag[0] if tag[1] and tag[1].lower() not in html.KNOWN else " ", text)
