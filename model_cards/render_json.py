"""A document tree as JSON: facts with value, how it is shown and where it stands; gaps with who can fill them.

The form is `documents.schema.json` beside this module. The other written formats (DOCX, PDF) are set from the same
content, so that they cannot say anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from model_cards import text, tree
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

VERSION = 1
Json = dict[str, Any]


def render(document: Document, document_id: str) -> str:
    """The document as readable JSON, keys in a fixed order."""
    return dumps(content(document, document_id))


def dumps(values: Json) -> str:
    """JSON values as text."""
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def content(document: Document, document_id: str) -> Json:
    """The document as JSON values."""
    gaps = {part.text: part for part in tree.walk(document) if isinstance(part, Gap)}
    return {
        "version": VERSION,
        "id": document_id,
        "language": document.language,
        "title": inline(document.title),
        "draft": inline(document.draft),
        "running": inline(document.running),
        "gaps": [_gap(gap) for gap in gaps.values()],
        "sections": [_section(section) for section in document.sections],
    }


def _section(section: Section) -> Json:
    return {
        "id": section.id,
        "title": section.title,
        "blocks": [found for block in section.blocks for found in _block(block)],
        "sections": [_section(inner) for inner in section.sections],
    }


def _block(block: Block) -> Iterator[Json]:
    match block:
        case Paragraph():
            yield {"type": "paragraph", "kind": block.kind, "content": inline(block.content)}
        case Bullets():
            yield {"type": "bullets", "items": [inline(item) for item in block.items]}
        case Table():
            yield {
                "type": "table",
                "caption": inline(block.caption),
                "columns": [inline((column,)) for column in block.columns],
                "numeric": sorted(block.numeric),
                "rows": [[inline(cell) for cell in row] for row in block.rows],
            }
        case Pairs():
            yield {"type": "pairs", "caption": block.caption, "rows": _named(block.rows)}
        case Labels():
            yield {"type": "labels", "rows": _named(block.rows)}
        case Figures():
            yield from (_figure(figure) for figure in block.figures)
        case Tiles():
            yield {
                "type": "tiles",
                "caption": block.caption,
                "tiles": [
                    {
                        "label": inline(tile.label),
                        "value": inline(tile.value),
                        "notes": [inline(note) for note in tile.notes],
                    }
                    for tile in block.tiles
                ],
            }


def _named(rows: tuple[tuple[str, Parts], ...]) -> list[Json]:
    return [{"name": name, "content": inline(words)} for name, words in rows]


def _figure(figure: Figure) -> Json:
    return {"type": "figure", "title": inline(figure.title), "alt": inline(figure.alt)}


def inline(words: Parts) -> list[Json]:
    """A run of text."""
    return [_part(part) for part in words]


def _part(part: Part) -> Json:
    match part:
        case str():
            return {"text": part}
        case Gap():
            return _gap(part)
        case Link():
            return {"link": tree.plain((part.words,)), "document": part.document, "anchor": part.anchor}
        case Fact():
            return _fact(part)


def _fact(fact: Fact) -> Json:
    derived = {} if fact.derivation is None else {"derivation": fact.derivation}
    return {"fact": fact.value, "shown": fact.shown, "form": fact.form, "evidence": fact.evidence, **derived}


def _gap(gap: Gap) -> Json:
    what = gap.what if isinstance(gap.what, str) else gap.what.shown
    reason = {} if gap.reason is None else {"reason": _fact(gap.reason)}
    shown = text.plain(gap.text)
    return {"gap": shown, "kind": gap.kind, "what": text.plain(what), "who": gap.who, "where": gap.where, **reason}
