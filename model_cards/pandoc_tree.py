"""A document tree in the syntax tree of pandoc. Text stays a value: nothing is parsed as Markdown on the way.

Ref: pandoc-types 1.23, `Text.Pandoc.Definition`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model_cards import drawings, language, layout, lines, text, tree
from model_cards.refs import Fact, Gap
from model_cards.tree import (
    Block,
    Bullets,
    Document,
    Figure,
    Figures,
    Labels,
    Link,
    Pairs,
    Paragraph,
    Part,
    Parts,
    Section,
    Table,
    Tiles,
)

API = [1, 23, 1]
PAGE = 17.0
"""Width of the text in centimetres."""
STATUS = {"pass": "Pass", "fail": "Fail", "inconclusive": "Open"}
PARAGRAPHS = {"note": "Note", "lead": "Lead", "owner": "Owner"}
KEPT = {"text": "Kept", "note": "Note Kept", "lead": "Lead Kept", "owner": "Owner"}
"""Style of a paragraph that stays with what follows it."""
Json = Any


def of(document: Document, pictures: Sequence[str]) -> dict[str, Json]:
    """The whole document.

    Args:
        document: What is said.
        pictures: File of each drawing, in reading order.
    """
    within = _Within(iter(pictures), lines.led_to(document))
    blocks = [_styled("Draft", _para(document.draft)), *_contents(document)]
    for section in document.sections:
        blocks += _section(section, 1, within)
    title = {"t": "MetaInlines", "c": [_str(text.plain(tree.plain(document.title)))]}
    meta = {"title": title, "lang": {"t": "MetaString", "c": document.language}}
    return {"pandoc-api-version": API, "meta": meta, "blocks": blocks}


def _contents(document: Document) -> list[Json]:
    """The sections, each a link: page numbers would only be right for one program and one printer."""
    found = layout.contents(document)
    if not found:
        return []
    title = language.fixed("Contents", document.language)
    links = [_node("Link", [_NO_ATTRIBUTES, [_node("Str", words)], [f"#{anchor}", ""]]) for anchor, words in found]
    return [
        _styled("TOC Heading", _node("Para", [_str(title)])),
        *(_styled("toc 1", _node("Para", [k])) for k in links),
    ]


@dataclasses.dataclass(frozen=True)
class _Within:
    """What blocks need of the document that they stand in."""

    files: Iterator[str]
    """Of the drawings that are still to come."""
    named: Mapping[tuple[int, int], str]
    """Identity of a table and index of a row to the name of the line, where something in the document leads to it."""


def _section(section: Section, level: int, within: _Within) -> Iterator[Json]:
    yield _node("Header", [min(level, 6), [section.id, [], []], [_node("Str", section.title)]])
    for index, block in enumerate(section.blocks):
        leads = layout.leads(section.blocks, index, more=bool(section.sections))
        if isinstance(block, Paragraph) and leads:
            yield _styled(KEPT[block.kind], _para(block.content))
        else:
            yield from _block(block, within)
    for inner in section.sections:
        yield from _section(inner, level + 1, within)


def _block(block: Block, within: _Within) -> Iterator[Json]:
    match block:
        case Paragraph():
            words = _para(block.content)
            yield _styled(PARAGRAPHS[block.kind], words) if block.kind in PARAGRAPHS else words
        case Bullets():
            yield _node("BulletList", [[_node("Plain", inline(item))] for item in block.items])
        case Table():
            if block.rows:
                heads = [(column,) for column in block.columns]
                names = [within.named.get((id(block), index), "") for index in range(len(block.rows))]
                # Word does not tell which row tops a page, so each says in full what it repeats.
                said = [
                    tuple(tree.meant(block, index, column) for column in range(len(row)))
                    for index, row in enumerate(block.rows)
                ]
                shares = layout.shares(heads, said, whole_names=True)
                yield _table(block.caption, shares, heads, said, block.numeric, names)
        case Pairs():
            rows = [((name,), content) for name, content in block.rows]
            yield _table((block.caption,), layout.PAIRS, (), rows)
        case Labels():
            for index, (name, content) in enumerate(block.rows):
                style = "Label Kept" if index == 0 and len(block.rows) > 1 else "Label"
                yield _styled(style, _node("Para", [_node("Strong", [_str(f"{name}:")]), _str(" "), *inline(content)]))
        case Tiles():
            items = [_tile((tile.label, tile.value, *tile.notes)) for tile in block.tiles]
            yield from (_node("BulletList", items),) if items else ()
        case Figures():
            for figure in block.figures:
                yield from _figure(figure, next(within.files))


def _tile(lines: tuple[Parts, ...]) -> list[Json]:
    label, value, *notes = lines
    words = [*inline(label), _str(": "), _node("Strong", inline(value))]
    for note in notes:
        words += [_str("; "), *inline(note)]
    return [_node("Plain", words)]


def _figure(figure: Figure, file: str) -> Iterator[Json]:
    width = min(PAGE, drawings.width(figure) / 30)
    attributes = ["", [], [["width", f"{width:.2f}cm"]]]
    yield _styled("Owner", _para(figure.title))
    yield _styled(
        "Kept", _node("Para", [_node("Image", [attributes, [_str(text.plain(drawings.words(figure)))], [file, ""]])])
    )
    yield _styled("Note", _para(figure.alt))


def _table(
    caption: Parts,
    shares: Sequence[float],
    heads: Sequence[Parts],
    rows: Sequence[Sequence[Parts]],
    numeric: frozenset[int] = frozenset(),
    names: Sequence[str] = (),
) -> Json:
    style = "Table Text Small" if len(shares) > 6 else "Table Text"
    columns = [
        [{"t": "AlignRight" if index in numeric else "AlignLeft"}, _node("ColWidth", share)]
        for index, share in enumerate(shares)
    ]
    head = [_row([_node("Strong", inline(words)) for words in heads], style)] if heads else []
    named = zip(rows, names or [""] * len(rows), strict=True)
    body = [_row([[*_mark(name), *inline(row[0])], *map(inline, row[1:])], style) for row, name in named]
    return _node(
        "Table",
        [
            _NO_ATTRIBUTES,
            [None, [_node("Plain", inline(caption))]],
            columns,
            [_NO_ATTRIBUTES, head],
            [[_NO_ATTRIBUTES, 0, [], body]],
            [_NO_ATTRIBUTES, []],
        ],
    )


def _mark(name: str) -> list[Json]:
    """A bookmark, which links can lead to; none without a name."""
    return [_node("Span", [[name, [], []], []])] if name else []


def _row(cells: Sequence[Json], style: str) -> Json:
    made = []
    for cell in cells:
        words = cell if isinstance(cell, list) else [cell]
        made.append([_NO_ATTRIBUTES, {"t": "AlignDefault"}, 1, 1, [_styled(style, _node("Para", words))]])
    return [_NO_ATTRIBUTES, made]


def inline(content: Parts) -> list[Json]:
    """A run of text."""
    return [found for part in content for found in _part(part)]


def _part(part: Part) -> list[Json]:
    match part:
        case str():
            return [_str(part)]
        case Gap():
            return [
                _span(
                    "Gap",
                    [_node("Strong", [_str(language.fixed("Gap.", part.language))]), _str(f" {text.plain(part.text)}")],
                )
            ]
        case Link():
            words = [_str(text.plain(tree.plain((part.words,))))]
            return [_node("Link", [_NO_ATTRIBUTES, words, [part.address("docx"), ""]])]
        case Fact(form="name" | "digest"):
            return [_node("Code", [_NO_ATTRIBUTES, _breakable(part.shown)])]
        case Fact(form="status"):
            return [_span(STATUS.get(str(part.value), "Other"), [_str(part.shown)])]
        case _:
            return [_str(part.shown)]


def _breakable(name: str) -> str:
    """A name that no column has room for may be broken after its separators; any other is left as it is to copy."""
    return name if len(name) <= layout.LONGEST_NAME else _SEPARATOR.sub("\\g<0>\u200b", name)


_SEPARATOR = re.compile(r"[._/#](?=\w)")
_NO_ATTRIBUTES: Json = ["", [], []]


def _node(kind: str, content: Json) -> Json:
    return {"t": kind, "c": content}


def _str(words: str) -> Json:
    return _node("Str", layout.unbroken(words))


def _para(content: Parts) -> Json:
    return _node("Para", inline(content))


def _styled(style: str, *blocks: Json) -> Json:
    return _node("Div", [["", [], [["custom-style", style]]], list(blocks)])


def _span(style: str, words: list[Json]) -> Json:
    return _node("Span", [["", [], [["custom-style", style]]], words])
