"""What persons have stated about the system of a run, settled against what the run has found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import StringConstraints

from configs import answers, errors
from configs.answers import AnswersFile, ImpactArea, Likelihood, Severity
from configs.language.load import AnyPlan
from configs.law import applies
from configs.law.register import Question
from evidence import about, canonical
from evidence.language_records import AccountRecord
from evidence.record_base import Record
from evidence.records import ArtifactRef

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
GIVEN = "documents/answers.given.json"
"""Where a run keeps what the answers file said."""
Standing = Literal["stated", "carried", "outdated", "open"]
"""`stated` in this run; `carried` over from another one, or written before this run measured what it speaks of, to be
confirmed; `outdated`: carried over, and what it speaks of has changed; `open`: nobody has stated it."""


class Statement(Record):
    """Where the answer to one question of the register stands."""

    id: str
    """Identifier of the question."""
    owner: Literal["engineer", "officer", "management"]
    """Who is likely to know."""
    applies: bool
    """Does a duty that applies to the system, or may apply, ask for it?"""
    status: Standing
    text: str | None = None
    person: str | None = None
    role: str | None = None
    at: str | None = None
    """Day, or time in UTC, on which the person stated or last confirmed it."""
    about_sha256: Sha256
    """Digest of what it speaks of in this run."""
    question_sha256: Sha256
    """Digest of the question as this version asks it."""
    carried_from: str | None = None
    """The run in which it was stated or last confirmed, where that is another one."""


class RiskAcceptance(Record):
    """A person's judgement that what remains of a risk is acceptable (AI Act Art. 9(5))."""

    status: Literal["stated", "carried", "outdated"]
    """As for statements; it speaks of the risk itself and of the checks that show its control."""
    reason: str
    person: str
    role: str
    at: str
    carried_from: str | None = None


class RiskEntry(Record):
    """A risk to health, safety or fundamental rights (AI Act Art. 9(2)), as the provider states it."""

    id: str
    title: str
    source: str
    consequence: str
    affected: tuple[str, ...]
    impact_areas: tuple[ImpactArea, ...]
    likelihood: Likelihood
    severity: Severity
    in_misuse: bool
    control: str
    shown_by: tuple[str, ...]
    """Checks of this run whose results show the control."""
    acceptance: RiskAcceptance | None
    """None: nobody has accepted what remains."""
    review_on: str | None
    """Day on which it is looked at again."""
    about_sha256: Sha256
    """Digest of the risk and of the results that show its control."""


class AnswersRecord(Record):
    """What persons have stated, one statement for each question of the register, and the register of risks."""

    version: Literal[1] = 1
    system: str
    answers_sha256: Sha256
    """Digest of what the answers file says; comments and layout do not count."""
    given: ArtifactRef | None = None
    """What the answers file said, kept in the run folder, so that a copy of the run has it too. It never leaves."""
    statements: tuple[Statement, ...]
    risks: tuple[RiskEntry, ...] = ()

    def statement(self, question: str) -> Statement:
        """The statement on a question.

        Raises:
            KeyError: The register has no such question.
        """
        return {s.id: s for s in self.statements}[question]


def settle(
    run_id: str, plan: AnyPlan, said: AnswersFile, found: Mapping[str, pydantic.BaseModel | None]
) -> AnswersRecord:
    """Lay the answers of a system beside what a run has found.

    Args:
        run_id: The run.
        plan: Its plan.
        said: The answers file; one without answers where there is none.
        found: Stage to its record, for what the answers speak of.

    Raises:
        PlanError: An answer names no person, role or day, or a risk names a check that no run has.
    """
    asked = {question.id for question in applies.questions(plan, classes=classes_of(found))}
    given = {answer.id: answer for answer in said.answers}
    return AnswersRecord(
        system=plan.system.id,
        answers_sha256=canonical.sha256(said),
        statements=tuple(
            _confirmed(
                _statement(
                    run_id, question, given.get(question.id), said.by, about.digest(question.about, plan, found)
                ),
                measured(question.about) and foretold(given.get(question.id), said.by, found),
            ).model_copy(update={"applies": question.id in asked})
            for question in applies.attestations(plan)
        ),
        risks=tuple(_risk(run_id, risk, said.by, found, about.of_risk(risk, plan, found)) for risk in said.risks),
    )


MEASURED = ("record:validate", "record:govern", "record:evaluate", "record:gate", "check:")
"""Beginnings of pointers to what a run measures or decides."""


def measured(pointers: Iterable[str]) -> bool:
    """Does a question ask of what a run measures? Then nobody can answer it before the run."""
    return any(pointer.startswith(MEASURED) for pointer in pointers)


def foretold(
    entry: answers.Answer | answers.Acceptance | None,
    by: answers.By | None,
    found: Mapping[str, pydantic.BaseModel | None],
) -> bool:
    """Was an entry written by hand, for no run, and dated before this run began to measure?

    Such an entry on what is measured waits to be confirmed, as one that was carried over does.

    Args:
        entry: The answer or acceptance.
        by: Who and when, for the whole file.
        found: Stage to its record.
    """
    begun = getattr(found.get("evaluate"), "started_at", None)
    if entry is None or entry.run is not None or begun is None:
        return False
    at = entry.at or (by.at if by else None)
    return at is not None and at[:_SECOND] < str(begun)[:_SECOND][: len(at)]


_SECOND = len("2026-11-22T10:15:04")
"""Characters of a time up to its seconds; a day is compared as a day."""


def _confirmed(statement: Statement, early: bool) -> Statement:  # noqa: FBT001 - the condition of the rule
    """The statement; where it was written too early, one that waits to be confirmed."""
    return statement.model_copy(update={"status": "carried"}) if early and statement.status == "stated" else statement


def classes_of(found: Mapping[str, pydantic.BaseModel | None]) -> Mapping[str, str] | None:
    """What the account of a language model says of its class; None where none was made."""
    account = found.get("account")
    return account.classes if isinstance(account, AccountRecord) else None


def status_of(run_id: str, run: str | None, then: str | None, now: str) -> Literal["stated", "carried", "outdated"]:
    """Where an answer stands that was stated in `run` about what had the digest `then`.

    An answer without run or digest is new: it was written by hand for whatever run reads it first.
    """
    if then is not None and then != now:
        return "outdated"
    return "stated" if run in (None, run_id) or then is None else "carried"


def _statement(
    run_id: str, question: Question, answer: answers.Answer | None, by: answers.By | None, now: str
) -> Statement:
    empty = Statement(
        id=question.id,
        owner=question.owner,
        applies=False,
        status="open",
        about_sha256=now,
        question_sha256=answers.question_sha256(question),
    )
    if answer is None or answer.text is None:
        return empty
    status: Standing = status_of(run_id, answer.run, answer.about_sha256, now)
    if answers.of_another_version(answer, question):
        status = "outdated"
    person, role, at = signed(answer, by, f"answer {answer.id}")
    from_another = answer.run if status != "stated" and answer.run != run_id else None
    more = {"status": status, "text": answer.text, "person": person, "role": role, "at": at}
    return empty.model_copy(update={**more, "carried_from": from_another})


def _risk(
    run_id: str,
    risk: answers.Risk,
    by: answers.By | None,
    found: Mapping[str, pydantic.BaseModel | None],
    now: str,
) -> RiskEntry:
    accepted, acceptance = risk.acceptance, None
    if accepted is not None:
        person, role, at = signed(accepted, by, f"acceptance of risk {risk.id}")
        status = status_of(run_id, accepted.run, accepted.about_sha256, now)
        if status == "stated" and foretold(accepted, by, found):
            status = "carried"
        acceptance = RiskAcceptance(
            status=status,
            reason=accepted.reason,
            person=person,
            role=role,
            at=at,
            carried_from=accepted.run if status != "stated" and accepted.run != run_id else None,
        )
    content = risk.model_dump(exclude={"acceptance"})
    return RiskEntry(**content, acceptance=acceptance, about_sha256=now)


def require_unaltered(entry: answers.Answer | answers.Acceptance, thing: str) -> None:
    """Refuse words that were changed by hand under the name and day of whoever stated others.

    Raises:
        PlanError: They were.
    """
    if answers.altered(entry):
        raise errors.PlanError(
            f"{thing}: expected the words that {entry.person} stated on {str(entry.at)[:10]}, got others. "
            "Whoever states them gives their own person, role and at, and takes out run and what ends in _sha256."
        )


def signed(entry: answers.Answer | answers.Acceptance, by: answers.By | None, thing: str) -> tuple[str, str, str]:
    """Person, role and day of an entry, its own or those that stand for the whole file.

    Raises:
        PlanError: There is none, or the words were changed after they were stated.
    """
    require_unaltered(entry, thing)
    found = [getattr(entry, name) or (getattr(by, name) if by else None) for name in ("person", "role", "at")]
    person, role, at = found
    if person is None or role is None or at is None:
        missing = ", ".join(n for n, v in zip(("person", "role", "at"), found, strict=True) if v is None)
        raise errors.PlanError(
            f"{thing}: expected who states it, in which role and when, got no {missing}. "
            "Add it there, or once for the whole file under `by`."
        )
    return person, role, at
