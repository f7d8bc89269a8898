"""The gaps of a language model's run: one list over card and documents, from which each of them takes its totals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from model_cards import gaps, tree
from model_cards.gpai import card
from model_cards.refs import Book, Gap
from model_cards.tree import Document


def gathered(book: Book, builders: Mapping[str, Callable[[Book], Document]]) -> Book:
    """The same records with the gaps of the run: those of the card first, each counted once.

    Args:
        book: The records.
        builders: What builds each document, by its identifier.
    """
    bare = dataclasses.replace(book, gaps=None)
    printed = (part for build in builders.values() for part in tree.walk(build(bare)) if isinstance(part, Gap))
    return dataclasses.replace(book, gaps=gaps.each_once((*card.all_gaps(bare), *printed)))
