"""What a draft of the declaration lays before whoever signs it: waivers, what is open, what nobody has confirmed.

A draft is made once nothing stands against it; that is not to say that nothing is missing. What the requirements still
ask for, and what was taken over from an earlier run, is named in it, so that nobody signs without having seen it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from model_cards import blocks, gaps, stated, statements, tree
from model_cards.legal import answered, signature, traceability
from model_cards.legal.parts import question_of
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Block, Paragraph, Parts, Section, Table, parts


@dataclasses.dataclass(frozen=True)
class Open:
    """Something that nobody has stated or measured when the draft is made."""

    what: Parts
    asked_by: tuple[Node, ...]
    """The requirements of the register that ask for it, or the duty of a deployer; empty where the matrix has none."""
    covered: bool = True
    """Does a question or a check of the run ask for it?"""


def sections(book: Book, waivers: Node) -> tuple[Section, Section]:
    """The end of a draft: what was waived, then what is open or not confirmed.

    Args:
        book: The records, with the gaps of the run gathered.
        waivers: The waivers of the approval, as a place.
    """
    waived = Section("accepted", "What did not pass, and who accepts it", tuple(_waived(book, waivers)))
    return waived, Section("open", OPEN, tuple(_open(book)))


UNTIL = (
    "A waiver counts until the day in its last column, and no longer. After it this draft must not be signed without a "
    "new decision."
)
OPEN = "Open when this draft was made, accepted by whoever signs"


def approved(approval: Node) -> tuple[Paragraph, Paragraph]:
    """Who signed the approval that made the draft possible, and the whole reason: it may allow less than a declaration.

    Args:
        approval: The approval, as a place.
    """
    words = tree.say(
        "Made beside the approval of {at} by {person}, {role}. Whoever signs the declaration accepts more than the "
        "approval did: read its reason.",
        at=approval["at"].fact("time"),
        person=approval["person"].fact(),
        role=approval["role"].fact(),
    )
    return Paragraph(words), Paragraph(tree.say("Reason of the approval: {reason}", reason=approval["reason"].fact()))


def shortly(book: Book) -> Parts:
    """How much is open and not confirmed, for the head of a draft."""
    node = book.law["read"]["requirements"]
    return tree.say(
        "Open when this draft was made: {open}; acceptances and statements that were not made or confirmed for this "
        "run: {earlier}. What did not pass and all of this stands at its end; whoever signs accepts it.",
        open=node.derived(len(still_open(book)), "things that are open when the draft is made", "count"),
        earlier=node.derived(
            len(not_confirmed(book)), "acceptances and statements that are older than the run", "count"
        ),
    )


def still_open(book: Book) -> list[Open]:
    """What the requirements that apply ask for and nothing answers, as the matrix finds it; then the other gaps."""
    asking: dict[str, list[Node]] = {}
    words: dict[str, Parts] = {}
    for article in traceability.articles(book, answered.Places(frozenset())):
        for row in article.rows:
            for piece in (p for answer in row.answers if _is_open(answer) for p in _pieces(answer.words)):
                key = tree.plain(piece)
                words.setdefault(key, piece)
                asking.setdefault(key, []).append(row.requirement)
    beyond: set[str] = set()
    for gap in book.gaps or ():
        words.setdefault(gap.text, (gap,))
        if gap.kind == "Not covered":
            beyond.add(gap.text)
        if (of_deployer := gaps.duty(book, gap)) is not None:
            asking.setdefault(gap.text, []).append(of_deployer)
    return [Open(piece, tuple(asking.get(key, ())), key not in beyond) for key, piece in words.items()]


def _is_open(answer: answered.Answer) -> bool:
    """Is it a gap that a signature under the draft does not fill?"""
    return answer.state == "gap" and not signature.named(answer.pointer)


def _pieces(words: Parts) -> list[Parts]:
    """The gaps that an answer consists of, each by itself; an answer that is none by its own words, whole."""
    return [(part,) for part in words if isinstance(part, Gap)] or [words]


@dataclasses.dataclass(frozen=True)
class Earlier:
    """An acceptance or a statement that was not made or confirmed for this run."""

    what: Parts
    node: Node
    """Where it stands in the record, with person, role and day."""
    text: Fact
    """What was stated, or why the risk was accepted, in the words of the person."""
    reservation: Parts


def not_confirmed(book: Book) -> list[Earlier]:
    """The acceptances of residual risks that stand with a reservation, then the statements that were carried over."""
    accepted = [r for r in (book["answers"]["risks"] if book["answers"] else ()) if r["acceptance"]]
    found = [
        Earlier(
            tree.say("acceptance of the residual risk of “{title}”", title=risk["title"].fact()),
            risk["acceptance"],
            risk["acceptance"]["reason"].fact(),
            _reservation(risk["acceptance"]),
        )
        for risk in accepted
        if stated.reservation(risk["acceptance"], book)
    ]
    carried = statements.to_confirm(book)
    return found + [
        Earlier((question_of(book, str(s.value["id"])),), s, s["text"].fact(), _reservation(s)) for s in carried
    ]


def _reservation(node: Node) -> Parts:
    if node.value["status"] != "carried":
        return ("given before this run",)
    if not node["carried_from"]:
        return ("carried over",)
    return tree.say("carried over from run {run}", run=node["carried_from"].fact("name"))


def plain(book: Book) -> dict[str, Any]:
    """The same for programs."""
    return {
        "open": [
            {"what": tree.plain(o.what), "asked_by": [str(r.value["id"]) for r in o.asked_by]} for o in still_open(book)
        ],
        "not_confirmed": [
            {
                "what": tree.plain(earlier.what),
                "text": earlier.text.value,
                "reservation": tree.plain(earlier.reservation),
                "person": earlier.node.value["person"],
                "at": earlier.node.value["at"],
                "evidence": earlier.node.evidence,
            }
            for earlier in not_confirmed(book)
        ],
    }


def _open(book: Book) -> list[Block]:
    found, waiting = still_open(book), not_confirmed(book)
    if not found and not waiting:
        return [Paragraph(("Nothing was open when this draft was made, and nothing waits to be confirmed.",))]
    lead = (
        "Nobody has stated or measured the following, or confirmed it for this run. Nothing was filled in for it: "
        "whoever signs accepts it as it stands."
    )
    shown: list[Block] = [Paragraph((lead,))]
    if found:
        rows = tuple((o.what, asked_by(o)) for o in found)
        heads = ("What is open, and who can fill it", "Requirement that asks for it")
        shown.append(Table(("Open when this draft was made",), heads, rows, prose=True))
    if waiting:
        lines = tuple(
            (e.what, (e.text,), (e.node["person"].fact(),), (e.node["at"].fact("date"),), e.reservation)
            for e in waiting
        )
        caption = ("Acceptances of residual risks and statements that were not made or confirmed for this run",)
        columns = ("Acceptance or statement", "In the words of the person", "By", "On", "Reservation")
        shown.append(Table(caption, columns, lines, prose=True))
    return shown


def asked_by(found: Open) -> Parts:
    """The duties that ask for something open, each with its place; other words where none does."""
    each = [parts(r["place"].fact(), ": ", (r["duty"] or r["text"]).fact()) for r in found.asked_by]
    none = "no row of the traceability matrix" if found.covered else "covered by no question and no check of this run"
    return tree.joined(each, "; ") or (none,)


def _waived(book: Book, waivers: Node) -> list[Block]:
    """What did not pass, what was found, and who accepts it, why and until when."""
    if not waivers:
        return [Paragraph(("Every required gate and check of the run passed; nothing was waived.",))]
    known = {(v.reason.value["check_id"], v.reason.value["slice"]): v for v in blocks.verdicts(book)}
    lines = tuple(_waiver(known[w.value["check_id"], w.value["slice"]], w) for w in waivers)
    caption = ("Required gates and checks that did not pass and that a named person accepts",)
    heads = ("Gate", "Outcome", "What was found", "Accepted, because", "By", "Until")
    return [Table(caption, heads, lines, prose=True), Paragraph((UNTIL,))]


def _waiver(verdict: blocks.Verdict, waiver: Node) -> tuple[Parts, ...]:
    return (
        named(verdict),
        blocks.status(verdict.reason),
        blocks.measured(verdict),
        (waiver["reason"].fact(),),
        (waiver["person"].fact(),),
        (waiver["expires"].fact("date"),),
    )


def named(verdict: blocks.Verdict) -> Parts:
    """What a line of the gate is about, with its slice where the title does not say it."""
    where: Parts = parts(" (", *blocks.slice_words(verdict.reason), ")") if blocks.adds_slice(verdict) else ()
    return parts(verdict.title, *where)
