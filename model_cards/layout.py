"""Widths of the columns of a table that is set on paper, from the words in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from model_cards import tree
from model_cards.tree import Parts

WIDEST = 40
"""Characters from which on a column wraps, and grows with the root of what is left alone."""
PAGE = 105.0
"""Characters that stand side by side on a page in a table of few columns; smaller type holds more of them."""


def shares(columns: Sequence[Parts], rows: Sequence[Sequence[Parts]]) -> list[float]:
    """Share of the width for each column; they add up to one.

    A column gets room for its longest word and for its usual line, so that numbers do not break and sentences get
    what is left. Where the page is too narrow for the lines, all keep the room for their words.
    """
    least, wanted = [], []
    for index, head in enumerate(columns):
        cells = [tree.plain(row[index]) for row in rows]
        words = (word for text in (tree.plain(head), *cells) for word in text.replace("_", "_ ").split(" "))
        word = max(map(len, words))
        line = sorted(len(text) for text in cells)[int(len(cells) * 0.9)] if cells else 1
        least.append(max(min(word, WIDEST // 2) * 1.3, 3.0) + 2.0)
        room = min(line, WIDEST) + 3.5 * math.sqrt(max(line - WIDEST, 0))
        wanted.append(max(least[-1], room + 2.0))
    more = sum(wanted) - sum(least)
    page = PAGE * (1.25 if len(columns) > 7 else 1.1 if len(columns) > 4 else 1.0)
    if sum(wanted) > page and more > 0:
        part = max(page - sum(least), 0.0) / more
        wanted = [low + part * (width - low) for low, width in zip(least, wanted, strict=True)]
    return [round(width / sum(wanted), 4) for width in wanted]
