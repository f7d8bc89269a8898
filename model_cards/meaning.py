"""What the measures mean: definition, range, direction, best value and reference, from the catalogue of checks."""

from __future__ import annotations

from model_cards import blocks, tree
from model_cards.refs import Book, Node
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
            line: tuple[Parts, ...] = (
                (result["title"].fact(),),
                (known["definition"].fact(),),
                _range(known),
                (direction,),
                best,
                (known["reference"].fact(),),
            )
            if line not in lines:
                lines.append(line)
    if not lines:
        return []
    heads = ("Measure", "Meaning", "Range", "Direction", "Best value", "Reference")
    return [Table(("What these measures mean",), heads, tuple(lines), frozenset({4}), prose=True)]


def _range(known: Node) -> Parts:
    """The values that a measure can take, in words."""
    low, high = known["low"], known["high"]
    if low.value is None:
        return ("any number",) if high.value is None else tree.say("at most {high}", high=high.fact("exact"))
    if high.value is None:
        return tree.say("{low} or more", low=low.fact("exact"))
    return tree.say("{low} to {high}", low=low.fact("exact"), high=high.fact("exact"))
