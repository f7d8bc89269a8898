"""The register of the law: typed, dated, read from the YAML files beside this module.

Articles, points, dates and thresholds are data with a source and the day on which they were checked, never prose or
code. What the sources leave open is `unresolved`, and no date is asserted for it. Everything is paraphrase; nothing
here is legal advice.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import pydantic
from pydantic import Field, StringConstraints, model_validator

from configs import strict_yaml
from configs.base import Section, Text
from configs.errors import IntegrityError

R = TypeVar("R", bound=pydantic.BaseModel)
PLACE = Path(__file__).parent
FILES = ("register", "dates", "high_risk", "annexes", "lists", "standards", "attestations", "questionnaire")
"""The YAML files; their top-level keys are the fields of `Register`."""
STALE_AFTER_DAYS = 90
"""From this age on the register has to be checked again before anybody relies on it."""

Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Pointer = Annotated[
    str, StringConstraints(pattern=r"^(record|check|family|plan|document|attestation|signature):[A-Za-z0-9_.]+$")
]
"""What answers a requirement: `record:STAGE`, `check:ID`, `family:NAME` of checks, `plan:PATH`, `document:NAME`,
`attestation:ID`, `signature:DOCUMENT` for what only the signature under a document states."""
Supplier = Literal["pipeline", "draft", "person"]
"""Who supplies the answer: the pipeline measures or records it; it drafts and a named person judges; only a person."""


class Source(Section):
    """Where something was read."""

    what: Text
    weight: Text
    """How much it can carry."""


class Cited(Section):
    """An entry with an identifier of its own that names what it was read in."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9.-]*$")]
    sources: tuple[Text, ...] = Field(min_length=1)


class ApplicationDate(Cited):
    """From when something applies."""

    date: Date | None
    """None where the sources leave it open; then `unresolved` says why."""
    what: Text
    basis: Text
    """Where the law says so."""
    checked_on: Date
    """When it was last held against its sources."""
    unresolved: Text | None = None

    @model_validator(mode="after")
    def _dated_or_open(self) -> Self:
        if (self.date is None) == (self.unresolved is None):
            raise ValueError("expected either a date or `unresolved`")
        return self


class Requirement(Cited):
    """One duty, or one point that a document has to hold."""

    place: Text
    """Where it stands in the Act."""
    duty: Text
    """Short paraphrase."""
    supplier: Supplier
    evidence: tuple[Pointer, ...] = ()
    touched_by: tuple[Pointer, ...] = ()
    """What measures something near the duty and yet does not answer it: shown beside the answers, never one of them."""
    standards: tuple[Text, ...] = ()
    applies_to: tuple[Text, ...] = ()
    """Uses of Annex III to which alone it applies; empty is every high-risk system."""
    deleted: bool = False
    power: bool = False
    """Is it a power of an authority, or a relief, which asks nothing of a provider? Then no system has to answer it."""
    note: Text | None = None

    @model_validator(mode="after")
    def _answered_or_deleted(self) -> Self:
        if (self.deleted or self.power) == bool(self.evidence):
            raise ValueError("expected what answers it, unless it is deleted, a power of an authority or a relief")
        return self


class Item(Cited):
    """An entry of a list: a practice, a use, a product, a condition, a duty of transparency."""

    place: Text
    text: Text
    from_: Date | None = Field(default=None, alias="from")
    who: Literal["provider", "deployer"] | None = None
    section: Literal["A", "B"] | None = None
    note: Text | None = None


class Standard(Section):
    """A standard and how far it is."""

    id: Text
    subject: Text
    articles: tuple[Text, ...] = Field(min_length=1)
    stage: Text
    checked: Date
    harmonised: bool
    """Is it cited in the Official Journal, so that following it gives a presumption (Art. 40)?"""


ListName = Literal[
    "prohibited_practices", "annex_i_products", "annex_iii_uses", "derogation_conditions", "transparency_duties"
]


class ClassQuestion(Section):
    """One question on the class of a system, answered in the plan under `classification`."""

    id: Text
    """Field of the plan."""
    place: Text
    question: Text
    explains: Text | None = None
    choices: ListName | None = None
    """List of the register that a `yes` chooses from."""
    chosen: Text | None = None
    """Field of the plan that holds the choice."""


class NeededDocument(Section):
    """A document that a class of systems needs."""

    id: Text
    title: Text
    place: Text
    when: tuple[Literal["high_risk", "annex_iii", "derogation", "transparency"], ...]


class ExpectedGate(Section):
    """A family of checks on which a duty expects a required gate of the policy."""

    family: Text
    requirement: Text


class Question(Section):
    """What only a person can state."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]+$")]
    owner: Literal["engineer", "officer", "management"]
    """Who is likely to know."""
    question: Text
    earlier: tuple[Text, ...] = ()
    """Wordings of earlier versions that asked for no less: an answer to one of them answers the question still."""
    short: bool = False
    """Can the right answer be a name or a word: a state, an address, a person? Elsewhere a sentence is asked for."""
    optional: bool = False
    """Does the law ask for it only where there is one? Unanswered it is a gap, and stands against no declaration."""
    about: tuple[Pointer, ...]
    """Of what the answer speaks: when that changes, a carried-over answer must be confirmed again."""


class Register(Section):
    """Everything that the tool knows of the law."""

    version: Literal[1]
    celex: Text
    title: Text
    checked_on: Date
    newest_source: Date
    sources: dict[str, Source]
    dates: tuple[ApplicationDate, ...]
    requirements: tuple[Requirement, ...]
    annex_iv: tuple[Requirement, ...]
    annex_v: tuple[Requirement, ...]
    annex_viii: tuple[Requirement, ...]
    annex_ix: tuple[Requirement, ...]
    prohibited_practices: tuple[Item, ...]
    annex_iii_uses: tuple[Item, ...]
    annex_i_products: tuple[Item, ...]
    derogation_conditions: tuple[Item, ...]
    transparency_duties: tuple[Item, ...]
    value_chain: tuple[Item, ...]
    """Who becomes a provider (Art. 25(1)), and the duties of deployers (Arts 26 and 27): to look up, and no duty of the
    provider of the system."""
    standards: tuple[Standard, ...]
    attestations: tuple[Question, ...]
    questions: tuple[ClassQuestion, ...]
    documents: tuple[NeededDocument, ...]
    expected_gates: tuple[ExpectedGate, ...]

    @property
    def all_requirements(self) -> tuple[Requirement, ...]:
        """Duties first, then the annexes."""
        return (*self.requirements, *self.annex_iv, *self.annex_v, *self.annex_viii, *self.annex_ix)

    @property
    def all_items(self) -> tuple[Item, ...]:
        """The lists, in the order in which a classification goes through them."""
        return (
            *self.prohibited_practices,
            *self.annex_i_products,
            *self.annex_iii_uses,
            *self.derogation_conditions,
            *self.transparency_duties,
            *self.value_chain,
        )

    def age_in_days(self, today: dt.date) -> int:
        """Days since the register was checked."""
        return (today - dt.date.fromisoformat(self.checked_on)).days

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        cited: tuple[Cited, ...] = (*self.all_requirements, *self.all_items, *self.dates)
        names = [*(e.id for e in cited), *(s.id for s in self.standards), *(q.id for q in self.attestations)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the identifier {twice[0]} stands twice")
        for entry in cited:
            if unknown := set(entry.sources) - set(self.sources):
                raise ValueError(f"{entry.id} cites the unknown source {min(unknown)}")
        standards, questions = {s.id for s in self.standards}, {q.id for q in self.attestations}
        for requirement in self.all_requirements:
            if unknown := set(requirement.standards) - standards:
                raise ValueError(f"{requirement.id} names the unknown standard {min(unknown)}")
            asked = {p.partition(":")[2] for p in requirement.evidence if p.startswith("attestation:")}
            if unknown := asked - questions:
                raise ValueError(f"{requirement.id} names the unknown attestation {min(unknown)}")
        return self


@functools.cache
def load(place: Path = PLACE) -> Register:
    """Read the register.

    Raises:
        IntegrityError: A file is missing or is not what the types ask for.
    """
    return read(place, FILES, Register)


def read(place: Path, files: tuple[str, ...], kind: type[R]) -> R:
    """A register out of several files, each a mapping of named lists.

    Raises:
        IntegrityError: A file is missing or is not what the types ask for.
    """
    content: dict[str, object] = {}
    file_of: dict[str, str] = {}
    for name in files:
        path = place / f"{name}.yaml"
        try:
            found = strict_yaml.parse(path.read_text(encoding="utf-8"), f"law register {path.name}")
        except FileNotFoundError:
            raise IntegrityError(
                f"law register {path.name}: expected a file, got none. Install proofline again."
            ) from None
        except UnicodeDecodeError as error:
            raise IntegrityError(
                f"law register {path.name}: expected UTF-8 text, got byte 0x{error.object[error.start]:02x}. Install "
                "proofline again."
            ) from None
        if not isinstance(found, dict):
            raise IntegrityError(
                f"law register {path.name}: expected named lists, got {strict_yaml.kind_of(found)}. Install proofline "
                "again."
            )
        content |= found
        file_of |= dict.fromkeys(found, path.name)
    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        first: Mapping[str, Any] = dict(error.errors(include_url=False)[0])
        raise IntegrityError(f"law register {_place(first['loc'], content, file_of)}: {_wrong(first)}") from None


def _place(steps: Sequence[Any], content: Mapping[str, Any], file_of: Mapping[str, str]) -> str:
    """Where an entry stands as a person looks for it: `high_risk.yaml, HR-15.4, supplier`."""
    words = [file_of[steps[0]]] if steps and steps[0] in file_of else []
    here: Any = content
    for number, step in enumerate(steps):
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = {}
        named = here.get("id") if isinstance(here, dict) else None
        if isinstance(step, int):
            words.append(str(named or f"entry {step + 1}"))
        elif number or not isinstance(here, list):
            words.append(str(step))
    return ", ".join(words) or "as a whole"


def _wrong(problem: Mapping[str, Any]) -> str:
    """What pydantic found, as every message of ours reads."""
    if problem["type"] == "missing":
        return "expected a value, got none. Add it."
    if problem["type"] == "extra_forbidden":
        return "expected no such field, got it. Take it out."
    said = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"expected a register that holds together, got: {said}. Correct the file."
    shown = repr(problem["input"])
    expected = (said[0].lower() + said[1:]).removeprefix("input should be ")
    return f"expected {expected}, got {shown if len(shown) <= 60 else shown[:57] + '...'}. Correct the file."
