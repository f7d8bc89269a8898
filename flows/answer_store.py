"""The answers of a system beside one of its runs: one is written down at a time, on the disk before anything else."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from configs import answers, answers_file, answers_text, errors, schema
from configs.answers import Acceptance, Answer, AnswersFile, By, Risk
from configs.law import applies
from configs.law.register import Question, Requirement
from configs.plan import Plan
from evidence import about, clock, lock, storage
from evidence import answers as settling
from evidence.answers import AnswersRecord, Statement
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from flows.answering import given, require_fit_to_leave

SectionT = TypeVar("SectionT", bound=pydantic.BaseModel)
SealedT = TypeVar("SealedT", Answer, Acceptance)


def records_of(found: Dossier) -> dict[str, Any]:
    """Stage to record, for what an answer can speak of."""
    return {name: getattr(found, name, None) for name in about.STAGES}


@dataclasses.dataclass(frozen=True)
class Item:
    """A question with what is known about it."""

    question: Question
    duties: tuple[Requirement, ...]
    """The duties that ask for it and apply, or may apply, to the system."""
    statement: Statement
    reworded: bool
    """Was the answer given to other words than those of the question now?"""


class Answers:
    """The answers of one system, beside one of its runs. Every change goes to the disk at once, whole or not at all."""

    def __init__(self, found: Dossier, path: Path, folder: RunFolder | None = None) -> None:
        self.plan: Plan = found.plan
        self.run_id = found.run_id
        self.path = path
        self.folder = folder
        self.recorded = found.answers
        self.records = records_of(found)
        self.classes = settling.classes_of(self.records)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else answers for this system meanwhile.

        Raises:
            StorageError: Somebody does, or the folder cannot be written.
        """
        what = f"answers {self.path}"
        with storage.explained(what), lock.held(self.path.parent / f".{self.path.stem}.lock", what=what):
            yield

    def read(self) -> AnswersFile:
        """The file as it is now, or, where it is absent, what the run was given.

        Answers to other versions of a question are kept, to be looked at.

        Raises:
            PlanError: It is no valid answers file of this system.
            IntegrityError: What the run was given was altered.
        """
        if self.folder is not None and not self.path.exists():
            return given(self.folder, self.recorded, self.plan.system.id)
        return answers_file.load(self.path, self.plan.system.id, versions=False)

    def is_sound(self) -> bool:
        """Can the file be read?"""
        try:
            self.read()
        except errors.PlanError:
            return False
        return True

    def settled(self) -> AnswersRecord:
        """Where every statement stands, for this run.

        Raises:
            PlanError: See `read`; or an answer names no person, role or day.
        """
        return settling.settle(self.run_id, self.plan, self.read(), self.records)

    def foretold(self) -> list[str]:
        """The answers and acceptances that were written by hand before this run measured what they speak of."""
        file, questions = self.read(), {q.id: q for q in applies.attestations(self.plan)}
        early = [a.id for a in file.answers if a.text is not None and self._early(a, questions[a.id], file.by)]
        risks = [r for r in file.risks if settling.foretold(r.acceptance, file.by, self.records)]
        return [*early, *(f"risk {risk.id}" for risk in risks)]

    def _early(self, answer: Answer, question: Question, by: By | None) -> bool:
        return settling.measured(question.about) and settling.foretold(answer, by, self.records)

    def items(self) -> tuple[Item, ...]:
        """The questions that apply to the system in the order of the duties, then the others."""
        given = {answer.id: answer for answer in self.read().answers}
        record, duties = self.settled(), applies.requirements(self.plan, classes=self.classes)
        asked = applies.questions(self.plan, classes=self.classes)
        return tuple(
            Item(
                question,
                applies.asked_by(question, duties),
                record.statement(question.id),
                question.id in given and answers.of_another_version(given[question.id], question),
            )
            for question in (*asked, *(q for q in applies.attestations(self.plan) if q not in asked))
        )

    def state(self, question: Question, text: str, by: By) -> None:
        """Write down what a person states on a question, or confirms.

        Raises:
            PlanError: The text is no sentence, or the file was spoiled meanwhile.
            StorageError: It cannot be written.
        """
        answer = sealed(
            checked(
                Answer,
                id=question.id,
                text=text,
                person=by.person,
                role=by.role,
                at=clock.now(),
                run=self.run_id,
                about_sha256=about.digest(question.about, self.plan, self.records),
                question_sha256=answers.question_sha256(question),
            )
        )
        require_fit_to_leave(AnswersFile(version=1, system=self.plan.system.id, answers=(answer,)), "answers")
        self.change(lambda file: _with(file, answers=_put(file.answers, answer)))

    def put_risk(self, risk: Risk) -> None:
        """Write a risk into the register, in the place of the one with the same identifier.

        Raises:
            PlanError: The file was spoiled meanwhile.
            StorageError: It cannot be written.
        """
        require_fit_to_leave(AnswersFile(version=1, system=self.plan.system.id, risks=(risk,)), "answers")
        self.change(lambda file: _with(file, risks=_put(file.risks, self._completed_risk(risk, file.by))))

    def complete(self) -> int:
        """Add to what was written by hand: who, when, in which run, about what.

        Returns:
            The number of answers and acceptances that were new.

        Raises:
            PlanError: An answer names no person, role or day, or stands under another version of its question.
        """
        before = self.read() if not self.path.exists() else answers_file.load(self.path, self.plan.system.id)
        require_fit_to_leave(before, f"answers {self.path}")
        settling.settle(self.run_id, self.plan, before, self.records)
        self._require_known_checks(before)
        questions = {question.id: question for question in applies.attestations(self.plan)}

        def completed(file: AnswersFile) -> AnswersFile:
            stated = tuple(self._completed(answer, questions[answer.id], file.by) for answer in file.answers)
            return _with(file, answers=stated, risks=tuple(self._completed_risk(r, file.by) for r in file.risks))

        after = self.change(completed)
        return _unassigned(before) - _unassigned(after)

    def change(self, alter: Callable[[AnswersFile], AnswersFile]) -> AnswersFile:
        """Read the file, alter what it says, and put it back, so that what was written by hand meanwhile is kept.

        Raises:
            PlanError: It was spoiled meanwhile.
            StorageError: It cannot be written.
        """
        altered = alter(self.read())
        text = answers_text.write(altered, self.plan, self.classes)
        with storage.explained(f"answers {self.path}"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._keep_comments()
            _replace(self.path, text)
            beside = self.path.parent / answers_text.SCHEMA
            wanted = schema.text(schema.answers())
            if not beside.is_file() or beside.read_text(encoding="utf-8") != wanted:
                _replace(beside, wanted)
        return altered

    def checks(self) -> set[str]:
        """Every check of the run, and each with every slice that it measures: `check@slice`."""
        found = (self.records["validate"], self.records["govern"], self.records["evaluate"])
        results = [result for record in found if record for result in record.results]
        sliced = {f"{r.check_id}@{m.slice}" for r in results for m in r.measures}
        sliced |= {f"{r.check_id}@{r.details['slice']}" for r in results if r.details and "slice" in r.details}
        return {result.check_id for result in results} | sliced

    def _require_known_checks(self, file: AnswersFile) -> None:
        for risk in file.risks:
            for check in risk.shown_by:
                require_check(check, self.checks(), f"answers {self.path}, risk {risk.id}: ")

    def _keep_comments(self) -> None:
        """What a person wrote into the file as comments would be lost: keep the file as it was beside the new one."""
        if not self.path.is_file():
            return
        old = self.path.read_text(encoding="utf-8-sig")
        ours = answers_text.comments(answers_text.write(self.read(), self.plan, self.classes))
        if answers_text.comments(old) - ours:
            _replace(self.path.with_suffix(".before.yaml"), old)

    def _completed(self, answer: Answer, question: Question, by: By | None) -> Answer:
        if answer.text is None or answer.about_sha256 is not None:
            return answer
        if self._early(answer, question, by):
            return answer
        person, role, at = settling.signed(answer, by, f"answer {answer.id}")
        more = {"person": person, "role": role, "at": at, "run": answer.run or self.run_id, "question": None}
        digests = {
            "about_sha256": about.digest(question.about, self.plan, self.records),
            "question_sha256": answers.question_sha256(question),
        }
        return sealed(answer.model_copy(update={**more, **digests}))

    def _completed_risk(self, risk: Risk, by: By | None) -> Risk:
        accepted = risk.acceptance
        if accepted is None or accepted.about_sha256 is not None or settling.foretold(accepted, by, self.records):
            return risk
        person, role, at = settling.signed(accepted, by, f"acceptance of risk {risk.id}")
        more = {"person": person, "role": role, "at": at, "run": accepted.run or self.run_id}
        more["about_sha256"] = about.of_risk(risk, self.plan, self.records)
        return risk.model_copy(update={"acceptance": sealed(accepted.model_copy(update=more))})


def _unassigned(file: AnswersFile) -> int:
    """How many answers and acceptances belong to no run yet."""
    answered = sum(answer.text is not None and answer.run is None for answer in file.answers)
    return answered + sum(risk.acceptance is not None and risk.acceptance.run is None for risk in file.risks)


def sealed(entry: SealedT) -> SealedT:
    """An entry with the digest of its words, name, role and day."""
    text = entry.text if isinstance(entry, Answer) else entry.reason
    digest = answers.stated_sha256(text or "", entry.person or "", entry.role or "", entry.at or "")
    return entry.model_copy(update={"stated_sha256": digest})


def checked(kind: type[SectionT], **content: object) -> SectionT:
    """An entry of the answers file from what a person typed.

    Raises:
        PlanError: A value is not what the field asks for, in one sentence.
    """
    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        raise errors.PlanError(answers_file.sentence(error.errors(include_url=False)[0])) from None


def require_check(check: str, known: set[str], where: str = "") -> None:
    """Is a check one that the run has made, and for this slice where one is named?

    Raises:
        PlanError: It is not; with the one that was probably meant.
    """
    if check not in known:
        near = difflib.get_close_matches(check, known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "`proofline show RUN --all` lists them."
        raise errors.PlanError(f"{where}expected a check of this run, got '{check}'. {hint}")


def _with(file: AnswersFile, **update: object) -> AnswersFile:
    return file.model_copy(update=update)


def _put(entries: tuple[answers.EntryT, ...], entry: answers.EntryT) -> tuple[answers.EntryT, ...]:
    found = {known.id: known for known in entries}
    return tuple({**found, entry.id: entry}.values())


def _replace(path: Path, text: str) -> None:
    """Put a text into a file, on the disk before it returns, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
