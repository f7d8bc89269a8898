"""What persons have stated, as parts of a document: the text with its name, role and day, or the gap that it is."""

from __future__ import annotations

from model_cards import language, tree
from model_cards.refs import Book, Gap, Node
from model_cards.tree import Parts, parts

OWNERS = {"engineer": "engineer", "officer": "compliance officer", "management": "management"}
"""Who is likely to know, in words."""
WHERE = "proofline answer"
BLOCKING = ("open", "outdated")
"""Standings that stand against a signature and a declaration. What is carried over waits to be confirmed, no more."""
RISKS = f"{WHERE} --risks"
"""Where the register of risks is filled."""
NO_RISKS = "register of risks, each with source, consequence, control"
"""What is missing where the register holds no risk: one gap, whichever document prints it."""
TALLY = {
    "stated": "stated",
    "carried": "carried over and not yet confirmed",
    "outdated": "outdated, as what they speak of has changed",
    "open": "open",
}


def statement(book: Book, question: str) -> Node | None:
    """Where the answer to a question stands in the record; None where the run has no such record.

    Raises:
        KeyError: The register has no such question.
    """
    _question(book, question)
    return book["answers"]["statements"].first(id=question) if book["answers"] else None


def said(book: Book, question: str) -> Parts:
    """What a person stated, with who, in which role and when; what is carried over or outdated says so; else a gap.

    Args:
        book: The records of the run.
        question: Identifier of the attestation in the register.

    Raises:
        KeyError: The register has no such question.
    """
    found = statement(book, question)
    if found is None or found.value["status"] == "open":
        return (gap(book, question),)
    return parts(found["text"].fact(), *signed(found), *standing(found))


def paragraphs(book: Book, question: str) -> tuple[tree.Paragraph, ...]:
    """As `said`, in the paragraphs in which the person wrote it; who stated it stands at the end of the last.

    Raises:
        KeyError: The register has no such question.
    """
    found = statement(book, question)
    if found is None or found.value["status"] == "open":
        return (tree.Paragraph((gap(book, question),)),)
    pieces = [piece for piece in str(found.value["text"]).split("\n\n") if piece.strip()]
    if len(pieces) == 1:
        return (tree.Paragraph(said(book, question)),)
    shown = [parts(found["text"].derived(piece, f"paragraph {n} of it")) for n, piece in enumerate(pieces, start=1)]
    return (*map(tree.Paragraph, shown[:-1]), tree.Paragraph(parts(shown[-1], *signed(found), *standing(found))))


def signed(node: Node) -> Parts:
    """` (Name, role, date)` of a statement or of an acceptance."""
    return tree.say(
        " ({person}, {role}, {at})", person=node["person"].fact(), role=node["role"].fact(), at=node["at"].fact("date")
    )


def gap(book: Book, question: str) -> Gap:
    """The gap that an unanswered question is."""
    asked = _question(book, question)
    return Gap(
        asked["question"].fact(), OWNERS[str(asked.value["owner"])], f"{WHERE} --only {question}", "Not answered"
    )


def risk_gap(risk: Node, what: str, who: str) -> Gap:
    """What is missing for a risk of the register, with its title: two risks are never one gap.

    Args:
        risk: The risk.
        what: What is missing, up to the name of the risk, for example `acceptance of what remains of the risk`.
        who: Who can fill it.
    """
    quoted = language.here("“{title}”").format(title=risk.value["title"])
    named = risk["title"].derived(f"{language.here(what)} {quoted}", "from its title")
    return Gap(named, who, f"{RISKS}, {risk.value['id']}")


def is_settled(book: Book, question: str) -> bool:
    """Was it stated, or confirmed, in this very run?"""
    found = statement(book, question)
    return found is not None and found.value["status"] == "stated"


def applying(book: Book) -> frozenset[str]:
    """The questions that a duty asks for which applies, or may apply, to the system."""
    if not book["answers"]:
        return frozenset()
    return frozenset(str(s.value["id"]) for s in book["answers"]["statements"].where(applies=True))


def tally(book: Book) -> Parts:
    """`3 stated, 2 carried over and not yet confirmed, 52 open (57 questions apply)`; nothing where none applies."""
    if not applying(book):
        return ()
    node = book["answers"]["statements"]
    found: Parts = ()
    for status, words in TALLY.items():
        count = len(list(node.where(applies=True, status=status)))
        if count or status == "stated":
            number = node.derived(count, f"statements that apply and are {status}", "count")
            found = parts(found, ", " if found else "", number, f" {words}")
    return tree.say(
        "{found} ({all} questions apply)",
        all=node.derived(len(applying(book)), "statements that apply", "count"),
        found=found,
    )


def order(book: Book) -> tuple[str, ...]:
    """Every question, those of duties that apply first, in the order of the duties that ask."""
    asked = [str(pointer.value) for duty in book.law["read"]["requirements"] for pointer in duty["evidence"]]
    first = [pointer.removeprefix("attestation:") for pointer in asked if pointer.startswith("attestation:")]
    return tuple(dict.fromkeys((*first, *(str(q.value["id"]) for q in book.law["register"]["attestations"]))))


def open_statements(book: Book) -> tuple[Gap, ...]:
    """The questions that apply to the system and that nobody has answered, in the order of the duties that ask."""
    if not book["answers"]:
        return ()
    waiting = {str(s.value["id"]) for s in book["answers"]["statements"].where(applies=True, status="open")}
    return tuple(gap(book, question) for question in order(book) if question in waiting)


def newest(book: Book) -> Node | None:
    """The newest statement or acceptance of a person in the record; None where nobody has stated anything."""
    if not book["answers"]:
        return None
    given = [s for s in book["answers"]["statements"] if s["at"]]
    given += [r["acceptance"] for r in book["answers"]["risks"] if r["acceptance"]]
    return max(given, key=lambda node: str(node["at"].value)[:10], default=None)


def waiting(book: Book, standing_: str) -> dict[str, list[Node]]:
    """The statements that apply and have a standing, such as `outdated`, by who is likely to know, in words."""
    found = _that_are(book, standing_)
    owners = ((words, [s for s in found if s.value["owner"] == owner]) for owner, words in OWNERS.items())
    return {words: mine for words, mine in owners if mine}


def blocking(book: Book) -> tuple[Node, ...]:
    """The statements that apply and stand against a signature and a declaration: open or outdated, none optional."""
    found = _that_are(book, *BLOCKING)
    return tuple(s for s in found if not _question(book, str(s.value["id"])).value["optional"])


def to_confirm(book: Book) -> tuple[Node, ...]:
    """The statements that apply and were carried over: to be confirmed. They stand against nothing."""
    return _that_are(book, "carried")


def outdated_words(book: Book) -> Parts:
    """How many statements are outdated; nothing where none is."""
    found = _that_are(book, "outdated")
    if not found:
        return ()
    number = book["answers"]["statements"].derived(len(found), "statements that apply and are outdated", "count")
    return tree.say("Outdated statements, waiting for confirmation or another answer: {n}.", n=number)


def carried_words(book: Book) -> Parts:
    """How many statements and acceptances are carried over and still to be confirmed; nothing where none is."""
    said: list[Parts] = []
    if found := to_confirm(book):
        node = book["answers"]["statements"]
        said.append(
            tree.say(
                "Statements carried over from an earlier run, not yet confirmed: {n}; these do not stand against a "
                "signature.",
                n=node.derived(len(found), "statements that apply and are carried over", "count"),
            )
        )
    risks = list(book["answers"]["risks"]) if book["answers"] else []
    if waiting := sum(bool(r["acceptance"]) and r["acceptance"].value["status"] == "carried" for r in risks):
        said.append(
            tree.say(
                "Acceptances of residual risks carried over from an earlier run, not yet confirmed: {n}; these do not "
                "stand against a signature.",
                n=book["answers"]["risks"].derived(waiting, "acceptances that are carried over", "count"),
            )
        )
    return tree.joined(said, " ")


def _that_are(book: Book, *standings: str) -> tuple[Node, ...]:
    if not book["answers"]:
        return ()
    return tuple(s for s in book["answers"]["statements"].where(applies=True) if s.value["status"] in standings)


def standing(found: Node) -> Parts:
    """What is to be known beside a statement or acceptance: carried over from where, outdated; nothing otherwise."""
    status = found.value["status"]
    if status == "stated":
        return ()
    since = parts(" from run ", found["carried_from"].fact("name")) if found["carried_from"] else ()
    if status == "carried":
        return tree.say(" – carried over{since}, not yet confirmed", since=since)
    return tree.say(" – outdated: what it speaks of has changed; carried over{since}, not yet confirmed", since=since)


def _question(book: Book, question: str) -> Node:
    found = book.law["register"]["attestations"].first(id=question)
    if found is None:
        raise KeyError(f"attestation {question}: expected a question of the register, got none of that name.")
    return found
