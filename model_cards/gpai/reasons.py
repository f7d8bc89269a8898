"""The path of reasons of a classification as a table."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards.refs import Fact, Node
from model_cards.tree import Table


def table(steps: Iterable[Node]) -> Table:
    """Question, answer, basis and what follows, step by step."""
    lines = tuple(((s["question"].fact(),), (_answer(s),), (s["basis"].fact(),), (s["follows"].fact(),)) for s in steps)
    return Table(("Step by step",), ("Question", "Answer", "Basis", "What follows"), lines, prose=True)


def _answer(step: Node) -> Fact:
    """What was answered; an answer that nobody gave, and a side that the figures do not tell, are named as such."""
    answer = step["answer"]
    if answer.value != "unknown":
        return answer.fact()
    of_figures = str(step.value["id"]).startswith(("compute", "modification"))
    return answer.derived("the figures do not tell" if of_figures else "not answered", "answer in words")
