"""The path of reasons of a classification as a table."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards.refs import Node
from model_cards.tree import Table


def table(steps: Iterable[Node]) -> Table:
    """Question, answer, basis and what follows, step by step."""
    lines = tuple(
        ((s["question"].fact(),), (s["answer"].fact(),), (s["basis"].fact(),), (s["follows"].fact(),)) for s in steps
    )
    return Table(("Step by step",), ("Question", "Answer", "Basis", "What follows"), lines, prose=True)
