"""The answers file of a system: what only persons can state, and the register of risks."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from configs import placeholders, wording
from configs.base import Section, Slug, Text
from configs.law import applies
from configs.law.register import Question

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z)?$"


def _real(text: str) -> str:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a day that is in the calendar, got {text}") from None
    return text


def _past(text: str) -> str:
    found = dt.datetime.fromisoformat(_real(text))
    if found.tzinfo is None:
        late = found.date() > dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)  # a day begins earlier elsewhere
    else:
        late = found > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)  # clocks differ a little
    if late:
        raise ValueError(f"expected a day that has come, got {text}, which is in the future")
    return text


def _seen(text: str) -> str:
    if not wording.visible(text):
        raise ValueError(
            f"expected words of {wording.FEWEST_LETTERS} letters or digits at least, got {text!r}; a reader has to "
            "know who or what is meant"
        )
    return _filled(text)


def _filled(text: str) -> str:
    if blank := placeholders.in_words(text):
        raise ValueError(
            f"expected words that say who or what is meant, got {blank!r}, a placeholder; put them in, or leave the "
            "whole entry out until they are known: what is open stands as a gap"
        )
    return text


def _sentence(text: str) -> str:
    return _answer(text, short=False)


def _answer(text: str, *, short: bool) -> str:
    if blank := placeholders.in_sentence(text):
        raise ValueError(
            f"expected a statement, got {blank!r}, a placeholder; leave it open: it then stands as a gap. Or let "
            "a reason stand beside it: “Not applicable: the system has no …” and “Unknown, because …” are statements"
        )
    if not wording.answers(text, short=short):
        raise ValueError(
            f"expected a sentence that you would repeat in front of an authority, got {text!r}; say it in "
            f"{wording.FEWEST_WORDS} words or more"
        )
    return text


Day = Annotated[str, StringConstraints(pattern=_DAY), AfterValidator(_real)]
"""A day: 2027-03-31."""
Moment = Annotated[str, StringConstraints(pattern=_MOMENT), AfterValidator(_past)]
"""A day, or a time in UTC, that has come: 2026-11-29 or 2026-11-29T10:00:00Z."""
Name = Annotated[Text, AfterValidator(_seen)]
Words = Annotated[Text, AfterValidator(_filled)]
"""Words of a risk: one may do, and none stands for words to come."""
Sentence = Annotated[Text, AfterValidator(_sentence)]
ImpactArea = Literal["health", "safety", "fundamental_rights"]
"""What a risk can harm (AI Act Art. 9(2)(a))."""
Likelihood = Literal["rare", "unlikely", "possible", "likely", "frequent"]
Severity = Literal["negligible", "minor", "serious", "critical", "catastrophic"]


def question_sha256(question: Question) -> str:
    """Digest of a question: an answer to another version of it is no answer to this one."""
    return _sha256(question.id, question.question)


def _sha256(question_id: str, words: str) -> str:
    return hashlib.sha256(f"{question_id}\n{words}".encode()).hexdigest()


class By(Section):
    """Who answers, and when, where an answer does not say so itself."""

    person: Name
    """Name of the person."""
    role: Name
    """Role of the person, for example `compliance officer`."""
    at: Moment
    """The day of the answers."""


class Answer(Section):
    """What a person states on one question. Without text it is open."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]+$")]
    """Identifier of the question, as `proofline law ID` shows it."""
    question: Text | None = None
    """The question as it was asked. Leave it out, or leave it as it is."""
    text: Text | None = None
    """The answer, in as many lines as it needs; a name or a word only where the question asks for one."""
    person: Name | None = None
    """Who states it; absent, `by.person`."""
    role: Name | None = None
    """In which role; absent, `by.role`."""
    at: Moment | None = None
    """When; absent, `by.at`."""
    run: Text | None = None
    """The run in which it was stated or confirmed last. Written by proofline."""
    about_sha256: Sha256 | None = None
    """Digest of what the answer speaks of in that run. Written by proofline; leave it out after a change by hand."""
    question_sha256: Sha256 | None = None
    """Digest of the question. Written by proofline."""
    stated_sha256: Sha256 | None = None
    """Digest of text, person, role and day as they were stated together. Written by proofline."""

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str | None, info: ValidationInfo) -> str | None:
        short = any(question.id == info.data.get("id") and question.short for question in applies.every_attestation())
        return None if text is None else _answer(text, short=short)


class Acceptance(Section):
    """A person's judgement that what remains of a risk is acceptable (AI Act Art. 9(5))."""

    reason: Sentence
    """Why it is acceptable."""
    person: Name | None = None
    """Who accepts it; absent, `by.person`."""
    role: Name | None = None
    """In which role; absent, `by.role`."""
    at: Moment | None = None
    """When; absent, `by.at`."""
    run: Text | None = None
    """The run in which it was accepted or confirmed last. Written by proofline."""
    about_sha256: Sha256 | None = None
    """Digest of the risk and of the checks that show its control. Written by proofline."""
    stated_sha256: Sha256 | None = None
    """Digest of reason, person, role and day as they were stated together. Written by proofline."""


class Risk(Section):
    """One risk to health, safety or fundamental rights (AI Act Art. 9(2))."""

    id: Slug
    """Identifier that stays the same over versions, for example `missed-return`."""
    title: Words
    """The risk in a few words."""
    source: Words
    """What it comes from."""
    consequence: Words
    """What happens to whom."""
    affected: tuple[Words, ...] = Field(min_length=1)
    """The persons affected."""
    impact_areas: tuple[ImpactArea, ...] = Field(min_length=1)
    """What it can harm."""
    likelihood: Likelihood
    """How likely, with the control in place."""
    severity: Severity
    """How severe, with the control in place."""
    in_misuse: bool = False
    """Does it arise in reasonably foreseeable misuse (Art. 9(2)(b))?"""
    control: Words
    """The measure against it (Art. 9(2)(d))."""
    shown_by: tuple[Text, ...] = ()
    """Checks whose results show the control: `performance.ece`, or for an attribute or one group with its slice,
    `fairness.equal_opportunity_difference@sex`."""
    acceptance: Acceptance | None = None
    """Who accepts what remains. Absent: nobody has."""
    review_on: Day | None = None
    """When it is looked at again (Art. 9(2))."""


def check_and_slice(name: str) -> tuple[str, str | None]:
    """An entry of `Risk.shown_by` as check and slice: `check@slice`; None where it names no slice."""
    check, at, where = name.partition("@")
    return check, where if at else None


def stated_sha256(text: str, person: str, role: str, at: str) -> str:
    """Digest of words with who stated them, in which role and when; how the lines of a text are broken is no change."""
    return hashlib.sha256("\n".join((" ".join(text.split()), person, role, at)).encode()).hexdigest()


def altered(entry: Answer | Acceptance) -> bool:
    """Was an entry changed after it was stated, so that words and name no longer belong together?"""
    text = entry.text if isinstance(entry, Answer) else entry.reason
    if entry.stated_sha256 is None or text is None:
        return False
    return entry.stated_sha256 != stated_sha256(text, entry.person or "", entry.role or "", entry.at or "")


EntryT = TypeVar("EntryT", Answer, Risk)
"""An entry of the file that has an identifier of its own."""


def of_another_version(answer: Answer, question: Question) -> bool:
    """Was something answered, and to other words than those of the question, now or where it asked for no less?"""
    asked = (question.question, *question.earlier)
    digests = {_sha256(question.id, words) for words in asked}
    other = answer.question not in (None, *asked) or answer.question_sha256 not in (None, *digests)
    return answer.text is not None and other


class AnswersFile(Section):
    """Everything that persons have stated about one system."""

    version: Literal[1]
    """Version of this format."""
    system: Slug
    """`system.id` of the plan."""
    by: By | None = None
    """Who answers where an answer names nobody."""
    answers: tuple[Answer, ...] = ()
    """One for each question."""
    risks: tuple[Risk, ...] = ()
    """The register of risks."""
