"""Sections on what changed, and on what was determined beforehand."""

from __future__ import annotations

from model_cards import tree
from model_cards.modification import places
from model_cards.modification.places import Places
from model_cards.refs import Fact, Gap, Node
from model_cards.tree import Block, Paragraph, Parts, Section, Table, parts

LONG = 14
ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")
OTHERWISE = (
    "What the system is for, for whom, or what the answers on its class point to, is not the same in both versions."
)
HEADS = ("What", "Before", "After", "Verdict", "Why")


def purpose(book: Places) -> Section:
    """What concerns the intended purpose and the class: always there, and first."""
    found = book.changes("purpose", "classification")
    blocks: list[Block] = []
    if found:
        blocks.append(Paragraph((OTHERWISE, " No declaration made beforehand covers that: read it first."), "lead"))
        caption = "Changes of the intended purpose, its users, the persons affected, and the class"
        blocks.append(table(found, caption, whole=True))
    else:
        blocks.append(
            Paragraph(
                ("Intended purpose, intended users, affected persons, misuse and class are stated alike in both.",)
            )
        )
    return Section("purpose", "Intended purpose and class", tuple(blocks))


def changes(book: Places) -> Section:
    """Everything else that changed, by subject."""
    tables = [
        table(found, title)
        for subject, title in places.SUBJECTS.items()
        if subject not in ("purpose", "classification") and (found := book.changes(subject))
    ]
    return Section("changes", "What changed", tuple(tables) or (Paragraph(("Nothing else differs.",)),))


def table(found: list[Node], caption: str, *, whole: bool = False) -> Table:
    """Changes with both values, verdict and reason; `whole`: long texts in full, then what only one of them has."""
    return Table(
        (caption,),
        HEADS,
        tuple(
            (
                (named(change),),
                _side(change, "before", "removed", whole=whole),
                _side(change, "after", "added", whole=whole),
                (change["verdict"].fact("status"),),
                _why(change),
            )
            for change in found
        ),
        prose=True,
        fold=len(found) > LONG,
    )


MOST = 12
"""Entries of a list that a cell names; a list of files would fill pages."""


def named(change: Node) -> Fact:
    """What changed: a place of the plan as it is written there, anything else in words."""
    return change["title"].fact("name" if str(change.value["place"]).startswith("plan: ") else "text")


def _side(change: Node, side: str, words: str, *, whole: bool) -> Parts:
    """One value; of longer texts and lists what this side has and the other lacks."""
    if not change["removed"] and not change["added"]:
        return places.text_of(change[side])
    entries = list(change[words])
    named = tree.joined((node.fact() for node in entries[:MOST]), "; ")
    if len(entries) > MOST:
        rest = change[words].derived(len(entries) - MOST, "entries not named here", "count")
        named = parts(*named, tree.say("; and {rest} more, in modification.json", rest=rest))
    only = parts("only here: ", named) if named else ("nothing that the other lacks",)
    return parts(*places.text_of(change[side]), " – ", *only) if whole else parts("… ", *only)


def _why(change: Node) -> Parts:
    clause = parts(" [", change["clause"].fact(), "]") if change["clause"] else ()
    return parts(change["reason"].fact(), clause)


def declared(book: Places) -> Section:
    """The declared changes with their limits, or the gap that their absence is."""
    stated = list(book.record["declared"])
    if not stated:
        gap = Gap(
            "changes determined beforehand, with their limits (Annex IV(2)(f))",
            "provider",
            "plan of the earlier version: predetermined_changes",
        )
        said = ("The earlier version declares none, so that nothing that changed can lie within a declaration.",)
        return Section("declared", "Changes determined beforehand", (Paragraph((gap,)), Paragraph(said)))
    note = Paragraph(
        (
            "As the plan of the earlier version states them. Whether they were part of the conformity assessment of "
            "that version, and of its technical documentation, is not known here.",
        ),
        "note",
    )
    inner = tuple(_declaration(one, index) for index, one in enumerate(stated))
    return Section("declared", "Changes determined beforehand", (note,), inner)


def _declaration(one: Node, index: int) -> Section:
    covers = tree.joined(item.fact() for item in one["covers"])
    rows: tuple[tuple[str, Parts], ...] = (
        ("Declared as", (one["id"].fact("name"),)),
        ("What", (one["title"].fact(),)),
        ("Covers", covers),
        ("Rationale", (one["rationale"].fact(),)),
        ("Clause", (one["clause"].fact(),)),
        ("Something that changed falls under it", (one["used"].fact(),)),
    )
    limits = Table(
        ("Its limits",),
        ("Limit", "What was found", "Answer"),
        tuple(
            (
                (limit["limit"].fact(),),
                (limit["found"].fact(),),
                (limit["answer"].fact("status"),),
            )
            for limit in one["limits"]
        ),
        prose=True,
    )
    blocks: tuple[Block, ...] = (
        tree.Pairs("As the plan of the earlier version states it", rows),
        *((limits,) if limits.rows else ()),
    )
    ordinal = ORDINALS[index] if index < len(ORDINALS) else "Further"
    return Section(f"declared-{index}", f"{ordinal} declaration", blocks)
