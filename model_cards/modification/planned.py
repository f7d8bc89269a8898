"""What the plan of a run determines beforehand, for its technical documentation (AI Act Annex IV(2)(f))."""

from __future__ import annotations

from model_cards import tree
from model_cards.refs import Book, Node
from model_cards.tree import Block, Paragraph, Parts, Table, parts

WORDS = {
    "features_unchanged": "features unchanged",
    "rows_grow_by_at_most": "rows grow by at most",
    "rows_shrink_by_at_most": "rows shrink by at most",
    "group_shares_move_by_at_most": "shares of groups move by at most",
    "drift_at_most": "drift of a feature at most",
}
BOUNDS = {"at_least": "at least", "at_most": "at most", "worse_by_at_most": "worse by at most"}


def blocks(book: Book) -> list[Block]:
    """Each declared change with what it covers, its limits, the reason and the clause."""
    stated = list(book.plan["predetermined_changes"])
    if not stated:
        return [Paragraph(("The plan declares no change beforehand.",))]
    rows = tuple(
        (
            (change["title"].fact(),),
            _covers(change["may_change"]),
            _limits(change["limits"]),
            (change["rationale"].fact(),),
            (change["clause"].fact(),),
        )
        for change in stated
    )
    heads = ("Change", "Covers", "Limits", "Rationale", "Clause")
    note = (
        "A later version is laid on these by proofline diff, at the intervals of what was measured. Stated by the "
        "provider; nothing here tests whether the requirements stay fulfilled within the limits.",
    )
    return [Table(("Changes determined beforehand",), heads, rows, prose=True), Paragraph(note, "note")]


def _covers(may: Node) -> Parts:
    found: list[Parts] = [(node.fact("name"),) for node in may["plan"]]
    words = {"data": "other rows", "retraining": "retraining", "software": "software"}
    found += [(may[key].derived(word, "what may change"),) for key, word in words.items() if may[key].value]
    return tree.joined(found, "; ")


def _limits(limits: Node) -> Parts:
    found: list[Parts] = []
    for key, words in WORDS.items():
        node = limits[key]
        if node.value is True:
            found.append((node.derived(words, "limit in words"),))
        elif isinstance(node.value, float | int) and node.value is not False:
            found.append(parts(f"{words} ", node.fact("exact" if key == "drift_at_most" else "percent")))
    for metric in limits["metrics"]:
        for key, words in BOUNDS.items():
            if metric[key].value is not None:
                found.append(parts(_metric(metric), f" {words} ", metric[key].fact("exact")))
    return tree.joined(found, "; ")


def _metric(metric: Node) -> Parts:
    where = () if metric.value["slice"] == "overall" else (" (", metric["slice"].fact(), ")")
    return parts(metric["check"].fact("name"), *where)
