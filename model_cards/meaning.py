"""What the measures mean: definition, direction and best value, from the catalogue of checks."""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.refs import Book
from model_cards.tree import Parts, Table

DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "none": "descriptive"}


def table(book: Book, family: str) -> list[tree.Block]:
    """One sentence for each measure of a family that gave a number."""
    lines: list[tuple[Parts, ...]] = []
    for result in book.family(family):
        known = book.catalogue[str(result.value["check_id"])]
        if known and any(m.value["value"] is not None for m in result["measures"]):
            best = (known["best"].fact("exact"),) if known["best"].value is not None else blocks.NOTHING
            direction = known["better"].derived(DIRECTIONS[known.value["better"]], "direction in words")
            line: tuple[Parts, ...] = ((result["title"].fact(),), (known["definition"].fact(),), (direction,), best)
            if line not in lines:
                lines.append(line)
    if not lines:
        return []
    heads = ("Measure", "Meaning", "Direction", "Best value")
    return [Table(("What these measures mean",), heads, tuple(lines), frozenset({3}), prose=True)]
