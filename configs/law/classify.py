"""What the answers of a person point to: the class of a system, with the path that led there and what would change it.

Deterministic and tri-state: a missing answer is unknown, never no, and leaves open whatever depends on it. Nothing is
inferred from data, and no derogation is granted: it can be claimed, and stays open until a named person signs the
assessment. Refs: AI Act Arts 2, 3, 5, 6, 43, 50; Annexes I and III.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from configs import errors
from configs.law import register as law
from configs.law.register import ApplicationDate, Item, NeededDocument, Register, Requirement
from configs.system import Classification

State = Literal["yes", "no", "open"]
BIOMETRIC = ("A3-1a", "A3-1b", "A3-1c")
"""Uses for which Art. 43(1) asks for a notified body while no harmonised standard is applied in full."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One answer on the path."""

    field: str
    """Field under `classification` in the plan."""
    place: str
    answer: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that the answers point to."""

    id: str
    title: str
    state: State
    path: tuple[Step, ...]
    items: tuple[Item, ...] = ()
    """Entries of the lists that were chosen."""
    changes: tuple[str, ...] = ()
    """What would change or settle it."""


@dataclasses.dataclass(frozen=True)
class Classified:
    """Everything that the answers point to. A person confirms it; the tool gives no class."""

    scope: Finding
    prohibited: Finding
    annex_i: Finding
    annex_iii: Finding
    derogation: Finding
    high_risk: Finding
    transparency: Finding
    route: tuple[Requirement, ...]
    """Rules of Art. 43 that the answers lead to; empty where the class or the procedure is open, or none applies."""
    dates: tuple[ApplicationDate, ...]
    documents: tuple[NeededDocument, ...]
    """Documents needed for what is `yes`, and for what is still open."""
    open_fields: tuple[str, ...]
    """Fields of the plan whose answer is missing."""

    @property
    def by_product_law(self) -> bool:
        """Does what is required come through the law on a product of Annex I Section B, not through Chapter III?"""
        return _only_section_b(self.annex_i, self.annex_iii)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the questionnaire."""
        return (
            self.scope, self.prohibited, self.annex_i, self.annex_iii, self.derogation, self.high_risk,
            self.transparency,
        )  # fmt: skip


def classify(answers: Classification, register: Register | None = None) -> Classified:
    """Read what the answers point to.

    Raises:
        PlanError: An answer names something that is not on its list, or contradicts another one.
    """
    register = register or law.load()
    reader = _Reader(answers, register)
    scope = _scope(reader)
    prohibited = reader.listed("prohibited", "Prohibited practice", "prohibited_practice")
    annex_i = reader.listed("annex_i", "Product under Annex I", "annex_i_product")
    annex_iii = reader.listed("annex_iii", "Use listed in Annex III", "annex_iii_use")
    derogation = _derogation(reader, annex_iii)
    high_risk = _high_risk(scope, annex_i, annex_iii, derogation)
    transparency = reader.listed("transparency", "Duty of transparency", "transparency_duty")
    return Classified(
        scope=scope,
        prohibited=prohibited,
        annex_i=annex_i,
        annex_iii=annex_iii,
        derogation=derogation,
        high_risk=high_risk,
        transparency=transparency,
        route=_route(register, high_risk, annex_i, annex_iii, derogation),
        dates=_dates(register, prohibited, annex_i, annex_iii, high_risk, transparency),
        documents=_documents(register, annex_i, annex_iii, derogation, high_risk, transparency),
        open_fields=tuple(q.id for q in register.questions if reader.answer(q.id) == "unknown"),
    )


class _Reader:
    """The answers beside the questions they belong to."""

    def __init__(self, answers: Classification, register: Register) -> None:
        self._answers, self._register = answers, register
        self._questions = {q.id: q for q in register.questions}

    def answer(self, field: str) -> str:
        return str(getattr(self._answers, field))

    def step(self, field: str) -> Step:
        return Step(field, self._questions[field].place, self.answer(field))

    def chosen(self, field: str) -> tuple[Item, ...]:
        """The entries that an answer names, by their identifier or their point in the annex."""
        question = self._questions[field]
        if question.choices is None or question.chosen is None:
            return ()
        given = getattr(self._answers, question.chosen)
        names = (given,) if isinstance(given, str) else tuple(given or ())
        known: tuple[Item, ...] = getattr(self._register, question.choices)
        found = []
        for name in names:
            match = [i for i in known if name in (i.id, point(i))]
            if not match:
                raise errors.PlanError(
                    f"plan classification.{question.chosen}: expected one of {', '.join(point(i) for i in known)}, "
                    f"got '{name}'. `proofline law {known[0].id}` shows the first; correct the value."
                )
            found.append(match[0])
        if found and self.answer(field) == "no":
            raise errors.PlanError(
                f"plan classification.{question.chosen}: expected nothing, because {field} is no, got "
                f"{', '.join(names)}. Correct one of the two."
            )
        return tuple(found)

    def listed(self, name: str, title: str, field: str) -> Finding:
        """A question with a list: the answer decides; a yes without its entry stays a yes and asks for it."""
        answer, items = self.answer(field), self.chosen(field)
        question = self._questions[field]
        state: State = "open" if answer == "unknown" else "yes" if answer == "yes" else "no"
        changes: tuple[str, ...] = ()
        if state == "open":
            changes = (f"An answer to classification.{field} in the plan ({question.place}).",)
        elif state == "yes" and not items:
            changes = (f"Name the entry in {question.chosen}: {_what_depends(field)}.",)
        else:
            changes = (OTHERWISE[field] if state == "yes" else OTHER_USE,)
        return Finding(name, title, state, (self.step(field),), items, changes)


def point(item: Item) -> str:
    """How an answer names an entry of a list.

    `5(b)` for `Annex III(5)(b)`, `11` for `Annex I, Section A, 11`, the identifier for others.
    """
    if item.place.startswith("Annex III("):
        number, _, letter = item.place.removeprefix("Annex III(").partition(")")
        return number + letter
    if item.place.startswith("Annex I,"):
        return item.place.rpartition(" ")[2]
    return item.id


def _what_depends(field: str) -> str:
    return {
        "annex_i_product": "Section A and B of Annex I have different procedures",
        "annex_iii_use": "the conformity route depends on the point",
        "prohibited_practice": "practices apply from different days",
        "transparency_duty": "each duty asks for something else",
    }[field]


OTHER_USE = "Another intended purpose, or another way of use, would be a new question."
OTHERWISE = {
    "prohibited_practice": "Only another purpose, or a system without that practice, leaves Art. 5.",
    "annex_i_product": (
        "It leaves this route where the product needs no third-party conformity assessment, or where the function only "
        "assists and its failure endangers neither health nor safety (Art. 6(1a), (1b))."
    ),
    "annex_iii_use": "A purpose that Annex III does not list leaves this route.",
    "transparency_duty": "A use that none of the duties of Art. 50 names would be a new question.",
}
"""What would change a settled yes, by its question."""


def _scope(reader: _Reader) -> Finding:
    path = (reader.step("ai_system"), reader.step("outside_scope"))
    system, outside = (s.answer for s in path)
    state: State = "open"
    changes: tuple[str, ...] = ()
    if system == "no" or outside == "yes":
        state = "no"
        changes = ("Placing on the market, putting into service, or a test in real-world conditions brings it in.",)
    elif system == "yes" and outside == "no":
        state = "yes"
        changes = ("Use for scientific research only, or never leaving development, takes it out (Art. 2(6) and (8)).",)
    else:
        changes = tuple(
            f"An answer to classification.{s.field} in the plan ({s.place})." for s in path if s.answer == "unknown"
        )
    return Finding("scope", "In the scope of the Act", state, path, (), changes)


def _derogation(reader: _Reader, annex_iii: Finding) -> Finding:
    path = (*annex_iii.path, reader.step("derogation_claimed"), reader.step("profiling"))
    conditions = reader.chosen("derogation_claimed")
    claimed, profiling = path[-2].answer, path[-1].answer
    state: State = "open"
    changes: tuple[str, ...] = ()
    if annex_iii.state == "no":
        state = "no"
        changes = ("It is a question only for a use that Annex III lists.",)
    elif claimed == "no" and profiling != "yes":
        state = "no"
        changes = ("It could be claimed if a condition of Art. 6(3) holds and persons are not profiled.",)
    elif profiling == "yes":
        state = "no"
        changes = ("Profiling of natural persons rules the derogation out (Art. 6(3)).",)
    elif claimed == "unknown":
        changes = ("An answer to classification.derogation_claimed in the plan (Art. 6(3)).",)
    else:
        wanted = [] if profiling == "no" else ["an answer to profiling"]
        wanted += [] if conditions else ["at least one condition in derogation_conditions"]
        wanted.append("the assessment of Art. 6(4), documented and signed by a named person")
        changes = (f"It is claimed, not granted. Needed: {'; '.join(wanted)}.",)
    return Finding("derogation", "Derogation of Art. 6(3)", state, path, conditions, changes)


def _high_risk(scope: Finding, annex_i: Finding, annex_iii: Finding, derogation: Finding) -> Finding:
    path = (*scope.path, *annex_i.path, *derogation.path)
    states = {annex_i.state, annex_iii.state}
    state: State = "open"
    changes: tuple[str, ...] = ()
    if scope.state == "no":
        state, changes = "no", scope.changes
    elif annex_i.state == "yes" or (annex_iii.state == "yes" and derogation.state == "no"):
        # True only if the Act applies at all: an unknown scope leaves the class open.
        state = "yes" if scope.state == "yes" else "open"
        if scope.state == "open":
            changes = scope.changes
        elif _only_section_b(annex_i, annex_iii):
            changes = (SECTION_B,)
        else:
            both = (annex_i, annex_iii, derogation) if annex_iii.state == "yes" else (annex_i,)
            changes = tuple(dict.fromkeys(c for f in both if f.state != "no" or f is derogation for c in f.changes))
    elif states == {"no"}:
        state = "no"
        changes = ("Another intended purpose, or use as a safety component, would be a new question.",)
    else:
        changes = tuple(c for f in (annex_i, annex_iii, derogation) if f.state == "open" for c in f.changes)
    return Finding("high_risk", "High-risk", state, path, (*annex_i.items, *annex_iii.items), changes)


def _only_section_b(annex_i: Finding, annex_iii: Finding) -> bool:
    """A product of Annex I Section B whose use is not listed in Annex III (Art. 2(2))."""
    sections = {item.section for item in annex_i.items}
    return annex_i.state == "yes" and sections == {"B"} and annex_iii.state == "no"


SECTION_B = (
    "Annex I, Section B: of the Act only Art. 6(1), Art. 60a and Arts 102 to 112 apply, and Arts 57 to 59 where its "
    "requirements have been taken into the law on the product. What is required comes through that law."
)


def _route(
    register: Register, high_risk: Finding, annex_i: Finding, annex_iii: Finding, derogation: Finding
) -> tuple[Requirement, ...]:
    if high_risk.state != "yes":
        return ()
    wanted = []
    sections = {item.section for item in annex_i.items}
    # A product of Section A takes its own procedure even where Annex III applies: while that is open, so is the route.
    if annex_i.state == "yes" and sections == {"A"}:
        wanted.append("HR-43.3")
    elif (annex_i.state == "no" or sections == {"B"}) and annex_iii.items and derogation.state == "no":
        biometric = any(item.id in BIOMETRIC for item in annex_iii.items)
        wanted.append("HR-43.1" if biometric else "HR-43.2")
    return tuple(r for r in register.requirements if r.id in wanted)


def _dates(
    register: Register,
    prohibited: Finding,
    annex_i: Finding,
    annex_iii: Finding,
    high_risk: Finding,
    transparency: Finding,
) -> tuple[ApplicationDate, ...]:
    wanted = set()
    if prohibited.state != "no":
        wanted |= {"prohibitions", "prohibitions-new"}
    if high_risk.state != "no":
        wanted |= {"high-risk-annex-i"} if annex_i.state != "no" else set()
        wanted |= {"high-risk-annex-iii"} if annex_iii.state != "no" else set()
        wanted |= set() if _only_section_b(annex_i, annex_iii) else {"conformity-registration-monitoring"}
    if transparency.state != "no":
        wanted |= {"general", "marking-grace-ends"}
    return tuple(d for d in register.dates if d.id in wanted)


def _documents(
    register: Register,
    annex_i: Finding,
    annex_iii: Finding,
    derogation: Finding,
    high_risk: Finding,
    transparency: Finding,
) -> tuple[NeededDocument, ...]:
    applies = {
        "high_risk": high_risk.state != "no" and not _only_section_b(annex_i, annex_iii),
        "annex_iii": high_risk.state != "no" and annex_iii.state != "no",
        "derogation": derogation.state != "no",
        "transparency": transparency.state != "no",
    }
    return tuple(d for d in register.documents if any(applies[reason] for reason in d.when))
