"""The gaps of a run: one list over every document, from which each of them takes its totals."""

from __future__ import annotations

import dataclasses

from model_cards import card, gaps, report, tree
from model_cards.legal import names, registry
from model_cards.refs import Book, Gap


def gathered(book: Book) -> Book:
    """The same records with the gaps of the run: those of the report first, each counted once."""
    bare = dataclasses.replace(book, gaps=())
    documents = (card.tree_of(bare), *(registry.BUILDERS[entry.id](bare) for entry in names.needed(bare)))
    others = (part for document in documents for part in tree.walk(document) if isinstance(part, Gap))
    return dataclasses.replace(book, gaps=gaps.each_once((*report.own_gaps(bare), *others)))
