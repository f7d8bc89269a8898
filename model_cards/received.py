"""What test facilities have answered about bundles of a run (AI Act Annex IV(2)(g): reports of tests by others)."""

from __future__ import annotations

from model_cards import tree
from model_cards.refs import Book, Node
from model_cards.tree import Block, Bullets, Paragraph, Parts


def listing(book: Book) -> list[Block]:
    """One line for each answer, with the digest of the signed file; nothing where there is none."""
    if not book.received:
        return []
    return [
        Paragraph(("Test facilities have answered about a bundle of this run, each with a file that they signed:",)),
        Bullets(tuple(_line(one) for one in book.received)),
    ]


def _line(one: Node) -> Parts:
    said = tree.say(
        "{facility} ({person}, {role}), signed {at}: {verdict} Bundle {bundle}; signed file {file}, sha256 {digest}, "
        "key {key}.",
        facility=one["facility"].fact(),
        person=one["person"].fact(),
        role=one["role"].fact(),
        at=one["at"].fact("time"),
        verdict=one["verdict_in_words"].fact(),
        bundle=one["bundle_id"].fact("name"),
        file=one["report"]["path"].fact("name"),
        digest=one["report"]["sha256"].fact("digest"),
        key=one["key_fingerprint"].fact("digest"),
    )
    shown: list[tree.Part | Parts] = [said]
    if one["rows"].value is not None:
        shown.append(
            tree.say(
                " On {rows} rows of the {whose}: {good} measures reproduced, {bad} differ, {open} cannot be told.",
                rows=one["rows"].fact("count"),
                whose=one["rows_of"].fact(),
                good=one["reproduced"].fact("count"),
                bad=one["differs"].fact("count"),
                open=one["cannot_tell"].fact("count"),
            )
        )
    if one["missed"].value:
        named = tree.joined(tree.parts(missed.fact("name")) for missed in one["missed"])
        shown += [" Thresholds that fail on these rows: ", *named, "."]
    if one["bundle_is_demonstration"].value:
        shown.append(" The bundle was a demonstration, which approves nothing.")
    for finding in one["findings"]:
        shown += [" Finding: ", finding.fact()]
    return tree.parts(*shown)
