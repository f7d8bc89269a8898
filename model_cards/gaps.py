"""What is missing: gaps by the person who can fill them, and what no check of a run can show."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import statements, tree
from model_cards.refs import Book, Fact, Gap, Node
from model_cards.tree import Bullets, Paragraph, Parts, Section, parts

RIGHTS = "an assessment of the impact on fundamental rights"
RIGHTS_ASKED = (
    "an assessment of the impact on fundamental rights (Art. 27(1), asked of those that it names as deployers; not "
    "made in this run)"
)
DUTIES = {RIGHTS: ("DP-27.1", RIGHTS_ASKED)}
"""Subject to the duty of the register that asks for it, and how the subject is named where the duty applies."""

NOT_COVERED = (
    (
        "measures of human oversight, and whether persons can and do overrule the output",
        "provider and deployer",
        "oversight",
    ),
    ("monitoring after the release", "provider", "monitoring_plan"),
    ("how and by whom the data were labelled", "provider", "labelling"),
    (
        "legal basis for special categories of personal data and for personal data at all",
        "data protection officer",
        "data_protection",
    ),
    ("an assessment of the impact on data protection", "deployer", "data_protection"),
    (RIGHTS, "deployer", "rights_assessment"),
    ("explanations of single outputs to the persons affected", "provider", None),
    ("cybersecurity beyond the attacks that were tested", "provider", "cybersecurity"),
)
"""What persons must settle, who can, and the question that asks for it where the class of the system leads to it."""

PLACE = "a statement of a person, outside this report"


def not_covered(book: Book) -> tuple[Gap, ...]:
    """What is missing in the report because no question that applies to the system and no check covers it."""
    asked = statements.applying(book)
    left = ((what, who) for what, who, question in NOT_COVERED if question not in asked)
    return tuple(Gap(_named(book, what), who, PLACE, "Not covered") for what, who in left)


def _named(book: Book, what: str) -> str:
    """A subject with the duty that asks for it, where the class of the system leads to one."""
    name, words = DUTIES.get(what, ("", what))
    return what if book.law["read"]["deployer"].first(id=name) is None else words


def duty(book: Book, gap: Gap) -> Node | None:
    """The duty of a deployer that asks for what is not covered; None where the register has none that applies."""
    name = next((name for name, words in DUTIES.values() if words == gap.what), "")
    return book.law["read"]["deployer"].first(id=name)


def of(sections: Iterable[Section], book: Book) -> tuple[Gap, ...]:
    """The gaps of some sections, each once, the questions that nobody has answered, and what nothing covers."""
    found = (part for s in sections for part in tree.walk_section(s) if isinstance(part, Gap))
    return each_once((*found, *statements.open_statements(book), *not_covered(book)))


def each_once(found: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps without those that say the same thing again, to be filled by the same person in the same place."""
    kept: dict[tuple[str, str, str], Gap] = {}
    for gap in found:
        kept.setdefault(gap.key, gap)
    return tuple(kept.values())


def missing(found: tuple[Gap, ...], asking: str = "this report asks for") -> Paragraph:
    """How much is missing and what, in one paragraph.

    Args:
        found: The gaps.
        asking: Who asks for what is missing, with its verb.
    """
    asked = _asked(found)
    rest = number_of(sum(g.kind == "Not covered" for g in found))
    last = (
        tree.say(" Beyond that, {rest} subjects are not covered by this report at all.", rest=rest)
        if rest.value
        else ()
    )
    if unanswered := sum(g.kind == "Not answered" for g in found):
        sentence = " {number} questions that only persons can answer are open."
        last = parts(tree.say(sentence, number=number_of(unanswered)), last)
    if not asked:
        return Paragraph(parts(f"Nothing that {asking} is missing.", last))
    names: Parts = ()
    for gap in asked:
        names += ("; ", gap.what) if names else (gap.what,)
    word = f"thing that {asking} has" if len(asked) == 1 else f"things that {asking} have"
    return Paragraph(
        tree.say(
            "Missing: {number} {word} not been stated or measured: {names}.{last}",
            number=number_of(len(asked)),
            word=word,
            names=names,
            last=last,
        )
    )


OF_RUN = "the documents of this run ask for"


def of_run(found: tuple[Gap, ...]) -> Paragraph:
    """How much is missing in the whole run, in one paragraph: the total, and what it is made of."""
    total = tree.say("Gaps of this run over all its documents: {number}. ", number=number_of(len(found)))
    return Paragraph(parts(total, missing(found, OF_RUN).content))


def section(found: tuple[Gap, ...]) -> Section:
    """Everything that nobody has stated or measured, by the person who can fill it."""
    asked = _asked(found)
    lead = "Nobody has stated or measured the following. Nothing was filled in for it."
    shown: list[tree.Block] = [Paragraph((lead if asked else "Nothing that this report asks for is missing.",))]
    for who in dict.fromkeys(g.who for g in asked):
        shown.append(Paragraph(("To be filled by: ", who), "owner"))
        shown.append(Bullets(tuple((g,) for g in asked if g.who == who)))
    beyond = tuple((g,) for g in found if g.kind == "Not covered")
    inner = Section(
        "not-covered",
        "Not covered by this report",
        (Paragraph(("No check of a run can show these; they remain the work of persons.",)), Bullets(beyond)),
    )
    sections = (*_unanswered([g for g in found if g.kind == "Not answered"]), *((inner,) if beyond else ()))
    return Section("gaps", "What is missing, and who can fill it", tuple(shown), sections, short="Missing")


def _asked(found: tuple[Gap, ...]) -> list[Gap]:
    """What the report itself asks for."""
    return [g for g in found if g.kind in ("Not stated", "Not measured")]


def _unanswered(found: list[Gap]) -> tuple[Section, ...]:
    """The open questions, by the person who is likely to know."""
    if not found:
        return ()
    lead = "Only a person can answer these; what follows from the class of the system decides which are asked."
    shown: list[tree.Block] = [Paragraph((lead,))]
    for who in dict.fromkeys(g.who for g in found):
        shown.append(Paragraph(("To be filled by: ", who), "owner"))
        shown.append(Bullets(tuple((g,) for g in found if g.who == who)))
    return (Section("unanswered", "Questions that nobody has answered", tuple(shown)),)


def of_plan(found: Iterable[Gap]) -> int:
    """How many gaps of the plan and the data there are."""
    return sum(gap.kind in ("Not stated", "Not measured") for gap in found)


def number_of(count: int) -> Fact:
    """How many gaps of a kind there are, as the record of the documents lists them."""
    return Fact(count, "documents/record.json#/gaps", "count", "number of gaps of this kind")
