"""A document tree as an accessible PDF (PDF/UA-1), set by Typst from the same content as the JSON.

The template `document.typ` reads the content as data: no text of a record is ever evaluated. The fonts ship inside the
typesetter and the only time written is the run's own, so that the same tree gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import functools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configs import errors
from model_cards import drawings, language, layout, lines, memory, render_json, text, tree
from model_cards.render_html import TEMPLATES
from model_cards.tree import Block, Bullets, Document, Pairs, Paragraph, Section, Table

TEMPLATE = "document.typ"
BLANKS = 9
"""Blank documents that are set after each one: the typesetter keeps what it has laid out in its last ten documents,
some ten MiB each, and nothing of one document serves the next. A blank one takes less than a millisecond."""
LONGEST_KEPT = 700
"""Characters of the longest cell of a row that is kept on one page; what a person wrote may be longer than a page."""
POINTS_PER_CENT = 5.0
"""Units of a drawing that take one per cent of the width of a page: a drawing of 400 units takes 80 %."""


def render(document: Document, document_id: str, at: dt.datetime) -> bytes:
    """The PDF.

    Args:
        document: What is said.
        document_id: Identifier of the document.
        at: The time that the file carries: one of the run's records.

    Raises:
        MissingError: The typesetter is not installed.
        RuntimeError: It refuses the document.
    """
    typst = _typst()
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place), document, document_id, at)
        options = {"format": "pdf", "pdf_standards": ["ua-1"], "timestamp": int(at.timestamp())}
        return bytes(_compile(typst, Path(place), document_id, **options))


def prepare(root: Path, document: Document, document_id: str, at: dt.datetime) -> Path:
    """Put the template and its data into an empty folder; gives the place of the template."""
    content = _content(document, document_id, at)
    (root / "document.json").write_text(render_json.dumps(content), encoding="utf-8")
    return Path(shutil.copyfile(TEMPLATES / TEMPLATE, root / TEMPLATE))


def pictures(document: Document) -> list[bytes]:
    """Every drawing of a document as a PNG, in reading order, for formats that cannot hold a drawing."""
    figures = drawings.of(document)
    if not figures:
        return []
    typst = _typst()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        pages = ["#set page(width: 400pt, height: auto, margin: 2pt, fill: white)"]
        for index, figure in enumerate(figures):
            (root / f"{index}.svg").write_text(drawings.alone(figure), encoding="utf-8")
            pages.append(f'#page(width: {drawings.width(figure)}pt, image("{index}.svg"))')
        (root / TEMPLATE).write_text("\n".join(pages), encoding="utf-8")
        found = _compile(typst, root, "pictures", format="png", ppi=144.0)
        return list(found) if isinstance(found, list) else [found]


def _typst() -> Any:
    try:
        import typst  # noqa: PLC0415 - only who writes documents needs it
    except ImportError:
        raise errors.MissingError(
            "PDF documents: expected the package typst, got none. Install proofline with [pipeline]."
        ) from None
    return typst


def _compile(typst: Any, root: Path, what: str, **options: Any) -> Any:
    """Set the template.

    The fonts inside the typesetter hold Latin, Greek and Cyrillic. Only for text beyond them are those of the machine
    asked, and only where these lack it too is the claim to PDF/UA given up.
    """
    attempts = [{**options, "font_paths": _fonts()}, {**options, "ignore_system_fonts": False}]
    attempts.append({name: value for name, value in attempts[1].items() if name != "pdf_standards"})
    for attempt in attempts:
        try:
            made = typst.compile(root / TEMPLATE, root=root, **attempt)
        except typst.TypstError as error:
            refused = error
        else:
            for _ in range(BLANKS):
                typst.compile(b"", font_paths=_fonts())
            memory.give_back()
            return made
    raise RuntimeError(f"document {what}: the typesetter refuses it: {refused}") from refused


@functools.cache
def _fonts() -> Any:
    """The fonts that ship inside the typesetter, read once."""
    return _typst().Fonts(include_system_fonts=False)


def _content(document: Document, document_id: str, at: dt.datetime) -> dict[str, Any]:
    content = render_json.content(document, document_id)
    named = lines.led_to(document)
    content |= {
        "plain_title": text.plain(tree.plain(document.title)),
        "day": [at.year, at.month, at.day],
        "contents": layout.contents(document),
        "anchors": sorted({*_anchors(document.sections), *named.values()}),
        "words": {
            "gap": language.fixed("Gap.", document.language),
            "contents": language.fixed("Contents", document.language),
        },
    }
    tables = enumerate(tree.walk_tables(document))
    figures = iter(drawings.of(document))
    pairs = (block for block in _of(document.sections) if isinstance(block, Pairs))
    lists = (block for block in _of(document.sections) if isinstance(block, Bullets))
    _mark_leading(content["sections"], document.sections)
    for block in _blocks(content["sections"]):
        if block["type"] == "table":
            number, table = next(tables)
            block["shares"] = layout.shares([(column,) for column in table.columns], table.rows)
            block["whole"] = layout.whole(block["shares"], table.rows)
            block["names"] = [named.get((id(table), index), "") for index in range(len(table.rows))]
            block["number"] = number
            for row, column in _repeating(table):
                block["rows"][row][column] = [{"again": render_json.inline(tree.meant(table, row, column))}]
            block["kept"] = [all(len(tree.plain(cell)) <= LONGEST_KEPT for cell in row) for row in table.rows]
        if block["type"] == "pairs":
            rows = [((name,), content) for name, content in next(pairs).rows]
            block["whole"] = layout.whole(layout.PAIRS, rows)
        if block["type"] == "bullets":
            block["whole"] = layout.low(next(lists))
        if block["type"] == "figure":
            figure = next(figures)
            block["svg"], block["plain"] = drawings.alone(figure), text.plain(drawings.words(figure))
            block["width"] = min(100.0, drawings.width(figure) / POINTS_PER_CENT)
    return content


def _repeating(table: Table) -> list[tuple[int, int]]:
    """The cells that repeat the one above them; which of them tops a page only the setting tells."""
    rows = enumerate(table.rows)
    return [(index, column) for index, row in rows for column, cell in enumerate(row) if cell == (tree.AGAIN,)]


def _of(sections: tuple[Section, ...]) -> Iterator[Block]:
    """The blocks of a document in reading order."""
    for section in sections:
        yield from section.blocks
        yield from _of(section.sections)


def _mark_leading(made: list[dict[str, Any]], sections: tuple[Section, ...]) -> None:
    """Which paragraphs stay with what follows them."""
    for content, section in zip(made, sections, strict=True):
        flags = (
            layout.leads(section.blocks, index, more=bool(section.sections))
            for index, block in enumerate(section.blocks)
            if isinstance(block, Paragraph)
        )
        for block in content["blocks"]:
            if block["type"] == "paragraph":
                block["leads"] = next(flags)
        _mark_leading(content["sections"], section.sections)


def _anchors(sections: tuple[Section, ...]) -> set[str]:
    return {name for s in sections for name in (s.id, *_anchors(s.sections))}


def _blocks(sections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [b for s in sections for b in (*s["blocks"], *_blocks(s["sections"]))]
