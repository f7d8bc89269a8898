"""What stands under each field of Annexes V, VIII and IX: facts, statements of persons, or gaps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from model_cards import about, tree
from model_cards.legal import parts as pieces
from model_cards.legal import signature
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.statements import said
from model_cards.tree import Parts, Table, parts

Filled = Literal["filled", "by signature", "in part", "missing"]
"""`by signature`: nothing is missing but what only the signature under the declaration states."""


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a form."""

    requirement: Node
    """In the register of the law."""
    content: Parts
    """What there is before any signature: facts, statements, gaps."""

    @property
    def signed(self) -> bool:
        """Does it ask for what only the signature under the declaration states?"""
        return any(signature.named(str(pointer.value)) for pointer in self.requirement["evidence"])

    @property
    def shown(self) -> Parts:
        """The content, and what only a signature states, where it asks for that."""
        said = self.signed and str(self.requirement.value["id"]) not in _BESIDE
        return tree.joined((*((self.content,) if self.content else ()), *((signature.answer(),) if said else ())), "; ")

    @property
    def state(self) -> Filled:
        """Is anything missing?"""
        missing = any(isinstance(p, Gap) for p in self.content)
        if not missing:
            return "by signature" if self.signed else "filled"
        return "in part" if any(isinstance(p, Fact) for p in self.content) else "missing"


def fields(book: Book, prefix: str) -> list[Field]:
    """The fields of an annex that apply to the system, or may apply, in its order.

    Args:
        book: The records of the run.
        prefix: How their identifiers begin, for example `AVIII-A`.
    """
    return [Field(r, _content(book, r)) for r in pieces.points(book, prefix)]


def table(found: list[Field], caption: str) -> Table:
    """The fields with what stands under each."""
    lines = tuple(((f.requirement["id"].fact("name"),), (f.requirement["duty"].fact(),), f.shown) for f in found)
    return Table((caption,), ("Field", "What it asks for", "What there is"), lines, prose=True)


def plain(found: list[Field]) -> list[dict[str, Any]]:
    """The same for programs: identifier, place, what is asked, text, where each value comes from, what is missing."""
    return [
        {
            "id": f.requirement.value["id"],
            "place": f.requirement.value["place"],
            "asks": f.requirement.value["duty"],
            "supplier": f.requirement.value["supplier"],
            "state": f.state,
            "text": "".join(_shown(p) for p in f.shown if not isinstance(p, Gap)).strip(" ;"),
            "evidence": list(dict.fromkeys(p.evidence for p in f.content if isinstance(p, Fact))),
            "missing": [{"what": _what(g), "who": g.who, "where": g.where} for g in f.content if isinstance(g, Gap)],
        }
        for f in found
    ]


def _what(gap: Gap) -> str:
    return gap.what if isinstance(gap.what, str) else gap.what.shown


def _shown(part: tree.Part) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, tree.Link):
        return _shown(part.words)
    return part.shown if isinstance(part, Fact) else ""


def _content(book: Book, requirement: Node) -> Parts:
    if requirement.value["id"] in _OF_A_BODY and (said := _no_body(book)):
        return said
    named = [str(pointer.value) for pointer in requirement["evidence"]]
    pointers = [pointer for pointer in named if not signature.named(pointer)]
    found = [_named(value(book, p)) if p == _REPRESENTATIVE and len(pointers) > 1 else value(book, p) for p in pointers]
    if beside := _BESIDE.get(str(requirement.value["id"])):
        found.insert(0, beside(book))
    return tree.joined(found, "; ")


_REPRESENTATIVE = "attestation:representative"


def _named(words: Parts) -> Parts:
    """The statement on the representative behind the provider: alone it reads as one on the provider."""
    return tree.say("Authorised representative: {words}", words=words)


_OF_A_BODY = ("AVIII-A8", "AVIII-A9")
"""Fields on the certificate of a notified body."""


def _no_body(book: Book) -> Parts:
    """That no notified body takes part, where the class leads to internal control alone; nothing elsewhere."""
    route = list(book.law["read"]["route"])
    if [rule.value["id"] for rule in route] != ["HR-43.2"]:
        return ()
    words = "Not applicable: internal control (Annex VI), by {place}, involves no notified body."
    return tree.say(words, place=route[0]["place"].fact())


def _signed_copy(book: Book) -> Parts:
    where = pieces.other(book, "declaration", "not among the documents of this run")
    return tree.say("a copy is added once it is signed; how it stands: {where}", where=where)


def _electronic(book: Book) -> Parts:
    where = pieces.other(book, "instructions", "not among the documents of this run")
    return tree.say("a document of this run: {where}", where=where)


_BESIDE: dict[str, Callable[[Book], Parts]] = {"AVIII-A11": _signed_copy, "AVIII-A12": _electronic}
"""Fields that ask for a document: which one it is, before what persons stated about it."""


def value(book: Book, pointer: str) -> Parts:
    """What a pointer of the register leads to, in words.

    Raises:
        KeyError: These annexes know no such pointer.
    """
    kind, _, name = pointer.partition(":")
    if kind == "attestation":
        return said(book, name)
    if signature.named(pointer):
        return signature.answer()
    return _KNOWN[pointer](book)


def _provider(book: Book) -> Parts:
    provider = book.plan["system"]["provider"]
    return parts(
        provider["name"].fact(), ", ",
        provider["address"].fact_or_gap("postal address of the provider"), ", ",
        provider["contact"].fact_or_gap("contact of the provider"),
    )  # fmt: skip


def _system(name: str) -> Callable[[Book], Parts]:
    return lambda book: (book.plan["system"][name].fact(),)


def _type(book: Book) -> Parts:
    return (book.plan["system"]["type"].fact_or_gap("type of the system"),)


def _information(book: Book) -> Parts:
    """Inputs and output, concisely."""
    names = tree.joined(f["name"].fact("name") for f in book["encode"]["features"])
    return tree.say(
        "{task}, from {count} inputs ({names}) to {target}",
        task=about.task_words(book),
        count=book["encode"]["features"].size("inputs"),
        names=names or ("none",),
        target=parts(book["encode"]["target"].fact("name"), *about.target_words(book)),
    )


def _derogation(book: Book) -> Parts:
    node = book.plan["classification"]["derogation_conditions"]
    if not node:
        return (Gap("condition of Art. 6(3)", "compliance officer", "plan: classification.derogation_conditions"),)
    return tree.joined((item.fact() for item in node), "; ")


_KNOWN: dict[str, Callable[[Book], Parts]] = {
    "plan:system.name": _system("name"),
    "plan:system.id": _system("id"),
    "plan:system.type": _type,
    "plan:system.version": _system("version"),
    "plan:system.intended_purpose": _system("intended_purpose"),
    "plan:system.provider": _provider,
    "plan:classification.derogation_claimed": _derogation,
    "record:encode": _information,
}
"""What a pointer of these annexes leads to; a test holds the table against the register."""
