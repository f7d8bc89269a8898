"""A document tree as Markdown (GitHub and Hugging Face flavour). Figures stay in the HTML report.

Whatever comes from a record is escaped, so that a name cannot become a heading, a link, a table cell or HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from model_cards import language, text
from model_cards.refs import Fact, Gap
from model_cards.tree import (
    Block,
    Bullets,
    Document,
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
    plain,
)

_SPECIAL = re.compile(r"[\\`*_{}\[\]#!|~$^]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_LIST = re.compile(r"^(?:[-+]|\d+[.)])(?=\s|$)|^-(?=-)")


def escape(words: str) -> str:
    """Text of a record as Markdown that shows it as it is: no emphasis, link, cell, heading, list or HTML."""
    words = text.plain(words)
    opens_list = _LIST.match(words)
    escaped = "".join(_ENTITIES.get(c) or (f"\\{c}" if _SPECIAL.match(c) else c) for c in words)
    if opens_list:
        at = opens_list.end() - 1
        escaped = f"{escaped[:at]}\\{escaped[at:]}"
    return escaped.replace("://", "&#58;//").replace("www.", "www&#46;")


def render(document: Document, *, anchors: bool = False) -> str:
    """The whole document, without front matter.

    Args:
        document: What is said.
        anchors: Put the name of each section before its heading, so that other documents can link to it?
    """
    lines = [f"# {_inline(document.title)}", "", f"> {_inline(document.draft)}", ""]
    with language.using(document.language):
        for section in document.sections:
            lines += _section(section, 2, anchors=anchors)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, level: int, *, anchors: bool) -> Iterator[str]:
    if anchors:
        yield from (f'<a id="{html.escape(section.id)}"></a>', "")
    yield from (f"{'#' * level} {section.title}", "")
    for block in section.blocks:
        yield from _block(block)
    for inner in section.sections:
        yield from _section(inner, level + 1, anchors=anchors)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield from (_inline(block.content), "")
        case Bullets():
            yield from (*(f"- {_inline(item)}" for item in block.items), "")
        case Pairs():
            yield from _rows(("", ""), [((name,), content) for name, content in block.rows])
        case Labels():
            for name, content in block.rows:
                yield from (f"{name}: {_inline(content)}", "")
        case Table(fold=True):
            yield from ("<details>", f"<summary>{html.escape(plain(block.caption))}</summary>", "")
            yield from (*_rows(block.columns, block.rows, block.numeric), "</details>", "")
        case Table():
            yield from (f"*{_inline(block.caption)}*", "")
            yield from _rows(block.columns, block.rows, block.numeric)
        case Tiles():
            yield from (*(f"- {_inline(t.label)}: {_inline(t.value)}" for t in block.tiles), "")
        case Figures():
            drawn = language.here("drawn in the report")
            yield from (*(f"- {_inline(f.title)}, {drawn}. {_inline(f.alt)}" for f in block.figures), "")


def _rows(
    heads: tuple[Part, ...], rows: Sequence[tuple[Parts, ...]], numeric: frozenset[int] = frozenset()
) -> Iterator[str]:
    yield "| " + " | ".join(_inline((head,)) for head in heads) + " |"
    yield "|" + "|".join(" ---: " if index in numeric else " --- " for index in range(len(heads))) + "|"
    for row in rows:
        yield "| " + " | ".join(_inline(cell) for cell in row) + " |"
    yield ""


def _inline(content: Parts) -> str:
    return "".join(_part(part) for part in content)


def _part(part: Part) -> str:
    match part:
        case str():
            return part
        case Gap():
            return f"**{language.fixed('Gap.', part.language)}** {escape(part.text)}"
        case Link():
            return f"[{_part(part.words)}]({part.address('md')})"
        case Fact(form="name" | "digest"):
            return f"`{part.shown.replace('`', 'ˋ').replace('|', '¦')}`"
        case Fact(form="url") if text.is_url(part.shown):
            return f"<{part.shown}>"
        case Fact(form="status"):
            return f"**{part.shown}**"
        case _:
            return escape(part.shown)
