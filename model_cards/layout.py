"""How a table is set on paper: the widths of its columns, from the words in them, and what stays on one page."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from model_cards import tree
from model_cards.refs import Fact
from model_cards.tree import Block, Bullets, Document, Paragraph, Parts

WIDEST = 40
"""Characters from which on a column wraps, and grows with the root of what is left alone."""
PAGE = 105.0
"""Characters that stand side by side on a page in a table of few columns; smaller type holds more of them."""
WHOLE = 14
"""Lines up to which a table stays on one page: a fifth of it, so that little is left empty where it moves."""
MANY = 7
"""Sections beyond which a document has a list of contents."""
LONGEST_WORD = WIDEST // 2
"""Characters of the longest word that a column gets room for."""
A_FEW_WORDS = 26
"""Characters of a usual line that is kept whole where the page has room: `niemand hat es angegeben`."""
SENTENCE = 30.0
"""Characters that a column of sentences keeps beside columns of a few words: fewer make a tall stack of it."""
LONGEST_NAME = 28
"""The same where a name cannot be broken after its underscores."""
EDGES, EDGES_IN_WORD = 2.0, 3.5
"""Characters that the room at both sides of a cell takes, in a PDF and in Word."""
PAIRS = (0.3, 0.7)
"""Shares of the two columns of a list of pairs."""
_PLACE = re.compile(r"\b(Art\.|Arts|Annexe?|Anhang) (?=[0-9IVX])")
"""Where a place in the law must not be broken: `Art. 9(2)` is one word."""
_INTERVAL = re.compile(r"(\[[^\s\[\]]+[,;]) (?=[^\s\[\]]+\])")
"""Where an interval must not: `[0.645, 0.660]` is one word, and `[0,645; 0,660]`."""


def lines(shares: Sequence[float], rows: Sequence[Sequence[Parts]]) -> int:
    """About how many lines the rows of a table take."""
    page = _page(len(shares)) * 1.1  # a sentence packs closer than the words that a width is made for
    return sum(
        max(
            math.ceil(len(tree.plain(cell)) / max(share * page, 1.0)) or 1
            for share, cell in zip(shares, row, strict=True)
        )
        for row in rows
    )


def whole(shares: Sequence[float], rows: Sequence[Sequence[Parts]]) -> bool:
    """Is a table low enough to stay on one page?"""
    return lines(shares, rows) <= WHOLE


def low(bullets: Bullets) -> bool:
    """Is a list short enough to stay on one page, so that none of its items stands alone on the next?"""
    return sum(math.ceil(len(tree.plain(item)) / PAGE) or 1 for item in bullets.items) <= WHOLE


def leads(blocks: Sequence[Block], index: int, *, more: bool) -> bool:
    """Must a block stay with what follows it, so that neither is left alone at the end of a page?

    Args:
        blocks: The blocks of a section.
        index: Which of them.
        more: Does something follow the last of them?
    """
    block = blocks[index]
    if not isinstance(block, Paragraph) or not (more or index + 1 < len(blocks)):
        return False
    return index < 2 or tree.plain(block.content).rstrip().endswith(":")


def _page(columns: int) -> float:
    return PAGE * (1.25 if columns > 7 else 1.1 if columns > 4 else 1.0)


def contents(document: Document) -> list[tuple[str, str]]:
    """Anchor and title of each section, for the list of contents; empty where a document has few sections."""
    found = [(section.id, section.short or section.title) for section in document.sections]
    return found if len(found) > MANY else []


def shares(columns: Sequence[Parts], rows: Sequence[Sequence[Parts]], *, whole_names: bool = False) -> list[float]:
    """Share of the width for each column; they add up to one.

    A column gets room for its longest word and for its usual line, so that numbers do not break and sentences get
    what is left. Where the page is too narrow for the lines, all keep the room for their words.

    Args:
        columns: The heads.
        rows: The cells.
        whole_names: Are names such as `age_group` broken nowhere? Word breaks none at its underscores, but anywhere
            where it does not fit.
    """
    longest, edges = (LONGEST_NAME, EDGES_IN_WORD) if whole_names else (LONGEST_WORD, EDGES)
    least, wanted, short = [], [], []
    for index, head in enumerate(columns):
        cells = [tree.plain(row[index]) for row in rows]
        words = (word for text in (tree.plain(head), *cells) for word in _words(text, whole_names=whole_names))
        outcomes = (len(tree.plain(row[index])) * 5 // 6 for row in rows if _is_outcome(row[index]))
        word = max((*map(len, words), *outcomes))
        line = sorted(len(text) for text in cells)[int(len(cells) * 0.9)] if cells else 1
        least.append(max(min(word, longest) * 1.2, 3.0) + edges)
        room = min(line, WIDEST) + 3.5 * math.sqrt(max(line - WIDEST, 0))
        wanted.append(max(least[-1], room + edges))
        short.append(wanted[-1] if line <= A_FEW_WORDS else max(least[-1], min(wanted[-1], SENTENCE)))
    page = _page(len(columns))
    if sum(short) <= page:
        least = short  # a few words are not broken for the sake of a sentence beside them
    more = sum(wanted) - sum(least)
    if sum(wanted) > page and more > 0:
        part = max(page - sum(least), 0.0) / more
        wanted = [low + part * (width - low) for low, width in zip(least, wanted, strict=True)]
    return [round(width / sum(wanted), 4) for width in wanted]


def _is_outcome(cell: Parts) -> bool:
    """Is a cell the outcome of a check alone, such as `not measured`? Broken, it makes every row of a table higher."""
    return len(cell) == 1 and isinstance(cell[0], Fact) and cell[0].form == "status"


def unbroken(text: str) -> str:
    """Text in which a place in the law is one word."""
    return _PLACE.sub("\\1\u00a0", text)


def _words(text: str, *, whole_names: bool) -> list[str]:
    """What is not broken inside: a name may be after its underscores, a place in the law and an interval nowhere."""
    joined = _INTERVAL.sub("\\1\u00a0", unbroken(text))
    return (joined if whole_names else joined.replace("_", "_ ")).split(" ")
