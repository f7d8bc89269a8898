"""The whole report as a tree: outcome, purpose first, what changed, what was declared, measures, the two versions."""

from __future__ import annotations

from evidence.diff_records import DiffRecord
from model_cards import tree
from model_cards.modification import listed, measured, places
from model_cards.modification.places import Places
from model_cards.refs import Gap, Node
from model_cards.tree import Block, Bullets, Document, Pairs, Paragraph, Parts, Section, Tile, Tiles, parts

_TILES = (
    ("outside", "Outside what was declared", "fail"),
    ("none_declared", "Nothing declared", "fail"),
    ("cannot_tell", "Cannot tell", "inconclusive"),
    ("within", "Within what was declared", "pass"),
    ("follows", "Follows from other changes", None),
)
_LEADS = {
    "identical": "Nothing differs: plan, rows, model, measures, gates and software are the same in both versions.",
    "within": "Everything that changed lies within what the earlier version declared beforehand.",
    "outside": "Something changed that the earlier version did not declare, or that breaks a declared limit.",
    "cannot_tell": "What changed was declared, but whether its limits are kept cannot be told for all of it.",
}


def tree_of(record: DiffRecord) -> Document:
    """The report on one comparison."""
    book = places.of(record)
    return Document(
        title=parts(book.record["after"]["system_name"].fact(), ": what changed between two versions"),
        draft=_draft(book),
        sections=(
            _summary(book),
            listed.purpose(book),
            listed.changes(book),
            listed.declared(book),
            measured.section(book),
            measured.rows(book),
            _versions(book),
            _reading(),
        ),
        running=_running(book),
    )


def _draft(book: Places) -> Parts:
    before, after = book.record["before"], book.record["after"]
    return tree.say(
        "Draft, not a declaration. Run {after} (sha256 {digest}) against run {before}. Text of the law: CELEX {law}, "
        "checked on {day}.",
        after=after["run_id"].fact("name"),
        digest=after["run_sha256"].fact("digest"),
        before=before["run_id"].fact("name"),
        law=book.law["register"]["celex"].fact("name"),
        day=book.law["register"]["checked_on"].fact("date"),
    )


def _running(book: Places) -> Parts:
    """The foot of every page."""
    return tree.say(
        "Draft, not a declaration. Run {after} against run {before}. Law: CELEX {law}, checked {day}.",
        after=book.record["after"]["run_id"].fact("name"),
        before=book.record["before"]["run_id"].fact("name"),
        law=book.law["register"]["celex"].fact("name"),
        day=book.law["register"]["checked_on"].fact("date"),
    )


def _summary(book: Places) -> Section:
    outcome = str(book.record["outcome"].value)
    before, after = book.record["before"], book.record["after"]
    blocks: list[Block] = [
        Paragraph(
            tree.say(
                "Version {old} (run {first}) against version {new} (run {second}).",
                old=before["system_version"].fact(),
                first=before["run_id"].fact("name"),
                new=after["system_version"].fact(),
                second=after["run_id"].fact("name"),
            )
        ),
        Paragraph((book.record["outcome"].derived(_LEADS[outcome], "outcome in words"),), "lead"),
    ]
    if book.changes("purpose", "classification"):
        blocks.append(Paragraph((listed.OTHERWISE,), "lead"))
    if outcome != "identical":
        blocks.append(_counts(book))
        blocks += _gravest(book)
        blocks += measured.gates(book)
    blocks += [
        Paragraph(
            (
                "Whether this is a substantial modification in the sense of Art. 3(23) is decided by a named person, "
                "not here: this report says what changed, what of it was declared beforehand, and what was not.",
            )
        ),
        Paragraph(
            (
                Gap(
                    "decision on whether the changes are a substantial modification, with reasons",
                    "a named person of the provider",
                    "technical documentation, change log",
                ),
            )
        ),
        Bullets(
            (
                *(parts(d["place"].fact(), ": ", d["duty"].fact(), ".") for d in book.law["duties"]),
                (
                    "For systems that go on learning after placing on the market, and for no others, Art. 43(4) counts "
                    "no change as substantial that the provider determined beforehand, in the initial assessment and "
                    "in the technical documentation.",
                ),
                (
                    "Whoever substantially modifies a high-risk system becomes its provider (Art. 25(1)(b); written "
                    "from general knowledge and confirmed by no source: to be read in the text of the Act).",
                ),
                (
                    "A system that was on the market before the rules for high-risk systems applied falls under them "
                    "after a significant change of its design (Art. 111(2)).",
                ),
            )
        ),
    ]
    blocks += [Paragraph((note.fact(),), "note") for note in book.record["notes"]]
    return Section("summary", "Summary", tuple(blocks))


def _counts(book: Places) -> Tiles:
    counted = book.record["verdicts"]
    tiles = [
        Tile(label=(words,), value=(counted[verdict].fact("count"),), status=status)
        for verdict, words, status in _TILES
        if counted[verdict].value is not None
    ]
    return Tiles("Changes by verdict", tuple(tiles))


def _gravest(book: Places) -> list[Block]:
    """What is outside, undeclared or undecided, one line each: the purpose first."""
    found = [c for c in book.record["changes"] if c.value["verdict"] in ("outside", "none_declared", "cannot_tell")]
    if not found:
        return []
    alike: dict[tuple[str, str], list[Node]] = {}
    for change in found:
        alike.setdefault((str(change.value["verdict"]), str(change.value["reason"])), []).append(change)
    items = tuple(
        tree.say(
            "{titles}: {verdict}; {reason}.",
            titles=tree.joined((_named(change) for change in changes), "; "),
            verdict=changes[0]["verdict"].fact("status"),
            reason=changes[0]["reason"].fact(),
        )
        for changes in alike.values()
    )
    return [Paragraph(("To be looked at, what concerns the intended purpose first:",)), Bullets(items)]


def _named(change: Node) -> Parts:
    before, after = change.value["before"], change.value["after"]
    if change["removed"] or change["added"] or max(len(str(before)), len(str(after))) > listed.LONG * 3:
        return (listed.named(change),)
    return parts(
        listed.named(change), " (", *places.text_of(change["before"]), " → ", *places.text_of(change["after"]), ")"
    )


def _versions(book: Places) -> Section:
    inner = []
    for side, title in (("before", "Earlier version"), ("after", "Later version")):
        node = book.record[side]
        rows: list[tuple[str, Parts]] = [
            ("Read from", (node["kind"].fact(),)),
            ("Run", (node["run_id"].fact("name"),)),
            ("System", (node["system_name"].fact(),)),
            ("Version", (node["system_version"].fact(),)),
            ("Begun", (node["started_at"].fact("time"),)),
            ("Outcome of its gate", (node["outcome"].fact("status"),)),
            ("Test rows", (node["test_rows"].fact("count"),)),
            ("Plan sha256", (node["plan_sha256"].fact("digest"),)),
            ("Run sha256", (node["run_sha256"].fact("digest"),)),
        ]
        if node["key_fingerprint"]:
            rows.append(("Signed by the key", (node["key_fingerprint"].fact("digest"),)))
        inner.append(Section(f"version-{side}", title, (Pairs(title, tuple(rows)),)))
    return Section("versions", "The two versions", (), tuple(inner))


def _reading() -> Section:
    return Section(
        "reading",
        "How to read this report",
        (
            Bullets(
                (
                    (
                        "within: the earlier version declared the change, and the whole interval of everything it "
                        "limits lies on the good side.",
                    ),
                    ("outside: no declaration covers it, or a limit is broken by the whole interval.",),
                    ("cannot tell: it is declared, but an interval straddles a limit or something needed is missing.",),
                    ("nothing declared: the earlier version declares no change at all.",),
                    ("follows: a label or a consequence of other changes, which are judged by themselves.",),
                    (
                        "Paired intervals compare both versions row by row on the same test rows. The others are made "
                        "of the two intervals as if the numbers were independent; where the versions share rows that "
                        "is wider than it need be.",
                    ),
                    ("Point at a number to see all its digits and the record it comes from.",),
                )
            ),
        ),
    )
