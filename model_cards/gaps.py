"""What is missing: gaps by the person who can fill them, and what no check of a run can show."""

from __future__ import annotations

from collections.abc import Iterable

from model_cards import tree
from model_cards.refs import Fact, Gap
from model_cards.tree import Bullets, Paragraph, Parts, Section, parts

NOT_COVERED = (
    ("measures of human oversight, and whether persons can and do overrule the output", "provider and deployer"),
    ("monitoring after the release", "provider"),
    ("how and by whom the data were labelled", "provider"),
    ("legal basis for special categories of personal data and for personal data at all", "data protection officer"),
    ("assessments of the impact on data protection and on fundamental rights", "deployer"),
    ("explanations of single outputs to the persons affected", "provider"),
    ("cybersecurity beyond the attacks that were tested", "provider"),
)
"""What persons must settle and this report says nothing about, with who can."""

PLACE = "a statement of a person, outside this report"


def not_covered() -> tuple[Gap, ...]:
    """What is missing in every report, because no question of the plan and no check asks for it."""
    return tuple(Gap(what, who, PLACE, "Not covered") for what, who in NOT_COVERED)


def of(sections: Iterable[Section]) -> tuple[Gap, ...]:
    """The gaps of some sections, each once, and what the report does not cover."""
    found = {part.text: part for s in sections for part in tree.walk_section(s) if isinstance(part, Gap)}
    return (*found.values(), *not_covered())


def missing(found: tuple[Gap, ...]) -> Paragraph:
    """How much is missing and what, in one paragraph."""
    asked = [g for g in found if g.kind != "Not covered"]
    rest = number_of(len(found) - len(asked))
    last = tree.say(" Beyond that, {rest} subjects are not covered by this report at all.", rest=rest)
    if not asked:
        return Paragraph(parts("Nothing that this report asks for is missing.", last))
    names: Parts = ()
    for gap in asked:
        names += ("; ", gap.what) if names else (gap.what,)
    word = "thing that this report asks for has" if len(asked) == 1 else "things that this report asks for have"
    return Paragraph(
        tree.say(
            "Missing: {number} {word} not been stated or measured: {names}.{last}",
            number=number_of(len(asked)),
            word=word,
            names=names,
            last=last,
        )
    )


def section(found: tuple[Gap, ...]) -> Section:
    """Everything that nobody has stated or measured, by the person who can fill it."""
    asked = [g for g in found if g.kind != "Not covered"]
    lead = "Nobody has stated or measured the following. Nothing was filled in for it."
    shown: list[tree.Block] = [Paragraph((lead if asked else "Nothing that this report asks for is missing.",))]
    for who in dict.fromkeys(g.who for g in asked):
        shown.append(Paragraph((f"To be filled by: {who}",), "owner"))
        shown.append(Bullets(tuple((g,) for g in asked if g.who == who)))
    beyond = tuple((g,) for g in found if g.kind == "Not covered")
    inner = Section(
        "not-covered",
        "Not covered by this report",
        (Paragraph(("No check of a run can show these; they remain the work of persons.",)), Bullets(beyond)),
    )
    return Section("gaps", "What is missing, and who can fill it", tuple(shown), (inner,), short="Missing")


def number_of(count: int) -> Fact:
    """How many gaps of a kind there are, as the record of the documents lists them."""
    return Fact(count, "documents/record.json#/gaps", "count", "number of gaps of this kind")
