"""The EU declaration of conformity (Art. 47, Annex V): what stands against a draft, and the draft once nothing does.

Nothing here declares anything. While something stands against it, the document is the list of that, each with who can
change it. Waivers are given with the approval, after the documents of a run: so the draft is made beside the approval
(`draft`), by the same rules, with the waivers of the person who approves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from model_cards import blocks, given, statements, tree
from model_cards.language import Words
from model_cards.legal import accepted, annexes, expectations, frame, risks, signature
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Document, Paragraph, Parts, Section, Table, parts

Waived = Collection[tuple[str, str]]
"""(check, slice) of the required lines of the gate that a named person has accepted."""


@dataclasses.dataclass(frozen=True)
class Objection:
    """One thing that stands against a draft of the declaration."""

    what: Parts
    why: Parts
    who: str
    where: Parts


TITLE_NONE = "EU declaration of conformity, not rendered: status before any approval"
TITLE_STATUS = "EU declaration of conformity: status before any approval"


def build(book: Book) -> Document:
    """What stands against a draft as the run stands, before anybody has approved it."""
    found = against(book)
    first = Section(
        "against", "What stands against a declaration", (_before(), *_against(book, found), *_waiting(book))
    )
    fields = annexes.fields(book, "AV-")
    ready = Section(
        "fields",
        "What is there for its fields – Annex V",
        (
            Paragraph(("Nothing below is declared. It is what a draft would be made from.",), "note"),
            annexes.table(fields, "Fields of Annex V"),
        ),
    )
    return frame.document(book, TITLE_NONE if found else TITLE_STATUS, (first, ready))


def data(book: Book) -> dict[str, Any]:
    """The same for programs."""
    found = against(book)
    return {
        "format": "proofline declaration status",
        "version": 1,
        "status": "DRAFT - not a declaration",
        "rendered": False,
        "as_of": "the run before any approval; a draft, once nothing stands against it, is under approvals/",
        "run": book.run_id.shown,
        "law": book.law["register"]["celex"].value,
        "against": [_plain(o) for o in found],
        "fields": annexes.plain(annexes.fields(book, "AV-")),
    }


def against(book: Book, waived: Waived = ()) -> list[Objection]:
    """Everything that stands against a draft: a prohibited practice first; gates, statements, risks, the class.

    Args:
        book: The records of the run.
        waived: Lines of the gate that a named person accepts.
    """
    found = [*_class(book), *expected(book), *gates(book, waived), *_stated(book), *_risks(book), *of_plan(book)]
    return [*prohibited(book), *of_model(book), *found]


def prohibited(book: Book) -> list[Objection]:
    """Answers that point to a practice of Art. 5: no system with one can be declared, whatever else is in order."""
    finding = book.law["read"]["findings"].first(id="prohibited")
    if finding is None or finding.value["state"] != "yes":
        return []
    items = tree.joined(((item["place"].fact(), ", ", item["text"].fact()) for item in finding["items"]), "; ")
    what: Parts = ("a prohibited practice (Art. 5)",)
    state = finding["state"].derived("the answers point to it", "state in words")
    why = tree.parts(state, ": ", *items) if items else (state,)
    return [Objection(what, why, "compliance officer", (Words("plan: classification"),))]


def of_model(book: Book) -> list[Objection]:
    """A declaration is made for a system with its model."""
    if given.has_model(book):
        return []
    what = ("a model: the run evaluated predictions that were given",)
    return [Objection(what, (given.NO_MODEL,), "engineer", ("a run of a plan with the model",))]


def draft(book: Book, approval: Node) -> Document:
    """The draft. Whoever calls it has asked `against`, and nothing stood against it.

    Args:
        book: The records of the run, with its gaps gathered.
        approval: The approval beside which it is made, as a place.

    Raises:
        ValueError: Something stands against it.
    """
    waivers = approval["waivers"]
    waived = {(str(w.value["check_id"]), str(w.value["slice"])) for w in waivers}
    if found := against(book, waived):
        raise ValueError(f"declaration: expected nothing that stands against it, got {len(found)} objections.")
    fields = {str(f.requirement.value["id"]): f for f in annexes.fields(book, "AV-")}
    inner = [Section(f"field-{name.lower()}", _heading(field), _field(book, field)) for name, field in fields.items()]
    lead = (Paragraph((UNSIGNED,), "lead"), *accepted.approved(approval), Paragraph(accepted.shortly(book)))
    first = Section("draft", "Draft for signature", lead)
    last = accepted.sections(book, waivers)
    return frame.document(book, "EU declaration of conformity, draft for signature", (first, *inner, *last))


def draft_data(book: Book, approval: Node) -> dict[str, Any]:
    """The draft for programs (Art. 47(1): machine readable)."""
    return {
        "format": "proofline declaration draft",
        "version": 1,
        "status": "DRAFT - not a declaration",
        "signed": False,
        "run": book.run_id.shown,
        "law": book.law["register"]["celex"].value,
        "fields": [
            field | {"stated_by_signing": signature.sentence(book, str(field["id"]))}
            for field in annexes.plain(annexes.fields(book, "AV-"))
        ],
        "beside_approval": {name: approval.value[name] for name in ("person", "role", "at", "reason")},
        "accepted_by_waiver": [dict(w.value) for w in approval["waivers"]],
        "accepted_by_signature": accepted.plain(book),
    }


UNSIGNED = (
    "This is a draft. It becomes a declaration only when the person named in its field Annex V(8) signs it, under the "
    "sole responsibility of the provider. The tool that wrote it declares nothing."
)
LEFT_OPEN = "Place, date and signature are left open in this draft."


SHORT = {
    "AV-1": "System",
    "AV-2": "Provider",
    "AV-3": "Sole responsibility",
    "AV-4": "Conformity",
    "AV-5": "Personal data",
    "AV-6": "Standards",
    "AV-7": "Notified body",
    "AV-8": "Signature",
}


def _heading(field: annexes.Field) -> str:
    return f"{field.requirement.value['place']} – {SHORT[str(field.requirement.value['id'])]}"


def _field(book: Book, field: annexes.Field) -> tuple[tree.Block, ...]:
    name = str(field.requirement.value["id"])
    sentence = LEFT_OPEN if name == "AV-8" else signature.sentence(book, name)
    said = (Paragraph((sentence,), "note"),) if sentence else ()
    content = (Paragraph(field.content),) if field.content else ()
    named = _signatory(book) if name == "AV-8" else ()
    return (Paragraph((field.requirement["duty"].fact(),)), *said, *content, *named)


def _signatory(book: Book) -> tuple[Paragraph, ...]:
    """Who stated who will sign. Whether a free text holds a name and a function is for a person to see."""
    found = statements.statement(book, "declaration")
    if found is None or found.value["status"] == "open":
        return ()
    words = tree.say(
        "Stated by {person}, {role}. Name and function of the signatory must be completed before the signature, unless "
        "the statement above gives both.",
        person=found["person"].fact(),
        role=found["role"].fact(),
    )
    return (Paragraph(words, "note"),)


def _against(book: Book, found: list[Objection]) -> tuple[tree.Block, ...]:
    if not found:
        words = (
            "Nothing that this run knows stands against a draft. It is written beside the approval, when a named "
            "person approves the run, and still has to be signed."
        )
        return (Paragraph((words,), "lead"),)
    lead = tree.say(
        "No declaration was rendered, not even as a draft: {number} {words} against it.{gates} Required gates and "
        "checks that did not pass can be waived by the person who approves the run, each with a reason; whatever "
        "else stands here has to be answered first.",
        number=number(book, found),
        words="thing stands" if len(found) == 1 else "things stand",
        gates=tree.say(" Required and not passed: {counted}.", counted=made_of(book)) if gates(book) else (),
    )
    shown: list[tree.Block] = [Paragraph(lead, "lead")]
    shown += [_of(who, [o for o in found if o.who == who]) for who in dict.fromkeys(o.who for o in found)]
    return tuple(shown)


def made_of(book: Book) -> Parts:
    """How many required lines did not pass; how many of them are gates of the plan, how many further checks."""
    node, open_ = book["gate"]["reasons"], _not_passed(book)
    gates_ = sum(v.of_policy for v in open_)
    return tree.say(
        "{all}, of which gates of the plan: {gates}, further checks on data, export and declared properties, which "
        "count by their own limits: {others}",
        all=node.derived(len(open_), "required lines that did not pass", "count"),
        gates=node.derived(gates_, "gates of the plan among them", "count"),
        others=node.derived(len(open_) - gates_, "further checks among them", "count"),
    )


def number(book: Book, found: list[Objection]) -> Fact:
    """How many things stand against a draft."""
    how = "number of things that stand against it, in the gate, the answers and the plan"
    return book["gate"]["reasons"].derived(len(found), how, "count")


def _before() -> Paragraph:
    """Of which moment the document of a run speaks: it is never written again, whatever is decided later."""
    words = tree.say(
        "This document is the status before any approval, and no draft. A draft of the declaration, once nothing "
        "stands against it, is not here: it stands in {place}, in a folder beside the signed approval.",
        place=(Words("approvals/"),),
    )
    return Paragraph(words, "lead")


def _waiting(book: Book) -> list[tree.Block]:
    """How many statements are outdated, and how many only wait to be confirmed."""
    return [Paragraph(words) for words in (statements.outdated_words(book), statements.carried_words(book)) if words]


def _of(who: str, found: list[Objection]) -> Table:
    """What one person can change; where, once for all if it is the same place."""
    first = found[0].where
    if all(objection.where == first for objection in found):
        lines: tuple[tuple[Parts, ...], ...] = tuple((o.what, o.why) for o in found)
        caption = parts("To be changed by:", " ", who, " (", *first, ")")
        return Table(caption, ("What stands against it", "What was found"), lines, prose=True)
    lines = tuple((o.what, o.why, o.where) for o in found)
    heads = ("What stands against it", "What was found", "Where to change it")
    return Table(parts("To be changed by:", " ", who), heads, lines, prose=True)


def _class(book: Book) -> list[Objection]:
    """A class that is not high-risk, or open, and every other question on the class that is open."""
    return [*_high_risk(book), *_open_class(book)]


def _open_class(book: Book) -> list[Objection]:
    return [
        Objection(
            parts("open on the class of the system", ": ", finding["title"].fact()),
            (finding["state"].derived("the answers leave it open", "state in words"),),
            "compliance officer",
            (Words("plan: classification"),),
        )
        for finding in book.law["read"]["findings"].where(state="open")
        if finding.value["id"] != "high_risk"
    ]


def expected(book: Book) -> list[Objection]:
    """Gates that a duty of the system expects and that the plan lacks: nothing was decided on what they would judge."""
    return [
        Objection(
            (expectations.named(lacking),),
            tree.say("{place} applies, and the plan has none", place=lacking["requirement"]["place"].fact()),
            expectations.WHO,
            (Words(expectations.WHERE),),
        )
        for lacking in expectations.lacking(book)
    ]


def _high_risk(book: Book) -> list[Objection]:
    finding = book.law["read"]["findings"].first(id="high_risk")
    if finding is None or finding.value["state"] == "yes":
        return []
    state = finding["state"].derived(
        "the answers do not make it high-risk" if finding.value["state"] == "no" else "the answers leave it open",
        "state in words",
    )
    what = ("the class of the system: a declaration is made for a high-risk system",)
    return [Objection(what, (state,), "compliance officer", (Words("plan: classification"),))]


def gates(book: Book, waived: Waived = ()) -> list[Objection]:
    """Required lines of the gate that did not pass and that nobody has accepted."""
    found = []
    for verdict in _not_passed(book, waived):
        kind = "gate of the plan: " if verdict.of_policy else "further required check: "
        what = parts(kind, *accepted.named(verdict), ": ", *blocks.status(verdict.reason))
        change = ("improve the system, or waive it with a reason: proofline approve --waive",)
        found.append(Objection(what, blocks.measured(verdict), "engineer, or whoever approves", change))
    return found


def _not_passed(book: Book, waived: Waived = ()) -> list[blocks.Verdict]:
    """The required lines that did not pass and that nobody has accepted: gates of the plan and further checks."""
    return [
        verdict
        for verdict in blocks.verdicts(book)
        if verdict.reason.value["required"]
        and verdict.status != "pass"
        and (verdict.reason.value["check_id"], verdict.reason.value["slice"]) not in waived
    ]


def _stated(book: Book) -> list[Objection]:
    """Statements that apply and are missing or outdated."""
    if not book["answers"]:
        gap = Gap("statements of persons", "compliance officer", "proofline answer")
        return [
            Objection(
                (gap,), ("The run holds no record of answers.",), "compliance officer", (Words("proofline answer"),)
            )
        ]
    found = []
    for statement in statements.blocking(book):
        gap = statements.gap(book, str(statement.value["id"]))
        what = gap.what if isinstance(gap.what, Fact) else statement["id"].fact("name")
        why: Parts = ("nobody has stated it",)
        if statement.value["status"] == "outdated":
            why = tree.say("stated on {at}; what it speaks of has changed since", at=statement["at"].fact("date"))
        found.append(Objection((what,), why, gap.who, (Words(gap.where),)))
    return found


def _risks(book: Book) -> list[Objection]:
    """No register, a residual risk that nobody accepts, or a review that is overdue (Art. 9)."""
    if not risks.entries(book):
        gap = "the register of risks"
        return [Objection((gap,), ("it holds no risk",), "compliance officer", (Words(risks.WHERE),))]
    found = [
        Objection(
            tree.say("residual risk of “{title}”", title=risk["title"].fact()),
            ("nobody has accepted it",) if isinstance(why, Gap) else (why,),
            "management",
            _place(risk),
        )
        for risk, why in risks.not_accepted(book)
    ]
    if (stated := risks.unsettled_statement(book)) is not None:
        said = "statement on the residual risk of each hazard, beside a register in which one is not accepted"
        why = tree.say(
            "stated by {person} on {at}; it and the register have to agree",
            person=stated["person"].fact(),
            at=stated["at"].fact("date"),
        )
        where = (Words(f"{statements.WHERE} --only residual_risk"),)
        found.append(Objection((said,), why, "management", where))
    for risk in risks.entries(book):
        if risks.overdue(book, risk):
            what = tree.say("review of “{title}”", title=risk["title"].fact())
            why = parts("it was due on ", risk["review_on"].fact("date"))
            found.append(Objection(what, why, "compliance officer", _place(risk)))
    return found


def _place(risk: Node) -> Parts:
    return parts(Words(f"{statements.RISKS}, "), risk["id"].fact("name"))


def of_plan(book: Book) -> list[Objection]:
    """What Annex V asks for and the plan leaves open."""
    found = []
    if not book.plan["system"]["provider"]["address"]:
        what = ("address of the provider (Annex V(2))",)
        found.append(Objection(what, ("not stated",), "provider", (Words("plan: system.provider.address"),)))
    if book.plan["data"]["provenance"]["personal_data"].value == "unknown":
        what = ("whether the data are personal (Annex V(5))",)
        found.append(Objection(what, ("not stated",), "provider", (Words("plan: data.provenance.personal_data"),)))
    return found


def _plain(objection: Objection) -> dict[str, Any]:
    held = [p.evidence for p in (*objection.what, *objection.why) if isinstance(p, Fact)]
    return {
        "what": tree.plain(objection.what),
        "why": tree.plain(objection.why),
        "who": objection.who,
        "where": tree.plain(objection.where),
        "evidence": list(dict.fromkeys(held)),
    }
