"""The answers of a system: where they lie, how one is written down, and how the documents of a run take them in."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from configs import answers, answers_file, answers_text, errors, schema
from configs.answers import Answer, AnswersFile, By, Risk
from configs.law import applies
from configs.law import register as law
from configs.law.register import Question, Requirement
from configs.plan import Plan
from evidence import about, canonical, clock, lock, storage
from evidence import answers as settling
from evidence.answers import AnswersRecord, Statement
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from flows import workspace
from flows.workspace import Run
from tef_export import contents, leaks

FOLDER = "answers"
"""Beside `runs/`: answers belong to a system, not to one run of it."""


def place(run: Path, system: str) -> Path:
    """The answers file of a system, for a run folder."""
    return run.resolve().parent.parent / FOLDER / f"{system}.yaml"


def said(run: Run) -> AnswersFile:
    """What persons have stated about the system of a run so far; where the file is absent, what the run was given.

    Raises:
        PlanError: The file is no valid answers file of this system, or holds what must not leave this machine.
        IntegrityError: What the run was given was altered.
    """
    path = place(run.folder.path, run.plan.system.id)
    if not path.exists() and (reference := run.ledger.finished("answers")) is not None:
        return given(run.folder, run.folder.read_record(reference, AnswersRecord), run.plan.system.id)
    found = answers_file.load(path, run.plan.system.id)
    require_fit_to_leave(found, f"answers {path}")
    return found


def given(folder: RunFolder, record: AnswersRecord | None, system: str) -> AnswersFile:
    """What a run was given as answers; none where it keeps nothing.

    Raises:
        IntegrityError: It was altered.
    """
    if record is None or record.given is None:
        return AnswersFile(version=1, system=system)
    return folder.read_record(record.given, AnswersFile)


def require_fit_to_leave(found: AnswersFile, name: str) -> None:
    """Answers stand in the documents, and those in the bundle: refuse what no bundle may hold, while it can be changed.

    Raises:
        PlanError: Naming the entry.
    """
    entries = [(f"answer {a.id}", a.model_dump_json(include={"text", "person", "role"})) for a in found.answers]
    entries += [(f"risk {r.id}", r.model_dump_json()) for r in found.risks]
    for entry, text in entries:
        plain = text.replace("\\n", "\n")
        try:
            leaks.require_none(f"{name}, {entry}", plain, leaks.private_words(plain))
            contents.check_content("answers.md", plain.encode("utf-8"))
        except errors.GateError:
            what = "a place on this machine"
        except errors.VerificationError as error:
            what = str(error).partition(", got ")[2].partition(". Do not open")[0]
        else:
            continue
        raise errors.PlanError(
            f"{name}, {entry}: expected words that can stand in a document for others, got {what}. "
            "Say it in other words, for example by the name of the document instead of its place."
        )


def records_of(found: Dossier) -> dict[str, Any]:
    """Stage to record, for what an answer can speak of."""
    return {name: getattr(found, name) for name in about.STAGES}


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

    def items(self) -> tuple[Item, ...]:
        """The questions that apply to the system in the order of the duties, then the others."""
        register = law.load()
        given = {answer.id: answer for answer in self.read().answers}
        record, duties = self.settled(), applies.requirements(self.plan, register)
        asked = applies.questions(self.plan, register)
        return tuple(
            Item(
                question,
                applies.asked_by(question, duties),
                record.statement(question.id),
                question.id in given and answers.of_another_version(given[question.id], question),
            )
            for question in (*asked, *(q for q in register.attestations if q not in asked))
        )

    def state(self, question: Question, text: str, by: By) -> None:
        """Write down what a person states on a question, or confirms.

        Raises:
            PlanError: The text is no sentence, or the file was spoiled meanwhile.
            StorageError: It cannot be written.
        """
        answer = checked(
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
        questions = {question.id: question for question in law.load().attestations}

        def completed(file: AnswersFile) -> AnswersFile:
            stated = tuple(self._completed(answer, questions[answer.id], file.by) for answer in file.answers)
            return _with(file, answers=stated, risks=tuple(self._completed_risk(r, file.by) for r in file.risks))

        after = self.change(completed)
        old = {answer.id: answer for answer in before.answers}
        new = sum(a.text is not None and old[a.id].run is None for a in after.answers if a.id in old)
        return new + sum(
            b.acceptance is not None and b.acceptance.run is None for b in before.risks
        )  # fmt: skip

    def change(self, alter: Callable[[AnswersFile], AnswersFile]) -> AnswersFile:
        """Read the file, alter what it says, and put it back, so that what was written by hand meanwhile is kept.

        Raises:
            PlanError: It was spoiled meanwhile.
            StorageError: It cannot be written.
        """
        altered = alter(self.read())
        text = answers_text.write(altered, self.plan)
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
        """Every check of the run."""
        found = (self.records["validate"], self.records["govern"], self.records["evaluate"])
        return {result.check_id for record in found for result in record.results}

    def _require_known_checks(self, file: AnswersFile) -> None:
        for risk in file.risks:
            for check in risk.shown_by:
                require_check(check, self.checks(), f"answers {self.path}, risk {risk.id}: ")

    def _keep_comments(self) -> None:
        """What a person wrote into the file as comments would be lost: keep the file as it was beside the new one."""
        if not self.path.is_file():
            return
        old = self.path.read_text(encoding="utf-8-sig")
        ours = answers_text.comments(answers_text.write(self.read(), self.plan))
        if answers_text.comments(old) - ours:
            _replace(self.path.with_suffix(".before.yaml"), old)

    def _completed(self, answer: Answer, question: Question, by: By | None) -> Answer:
        if answer.text is None or answer.about_sha256 is not None:
            return answer
        person, role, at = settling.signed(answer, by, f"answer {answer.id}")
        more = {"person": person, "role": role, "at": at, "run": answer.run or self.run_id, "question": None}
        digests = {
            "about_sha256": about.digest(question.about, self.plan, self.records),
            "question_sha256": answers.question_sha256(question),
        }
        return answer.model_copy(update={**more, **digests})

    def _completed_risk(self, risk: Risk, by: By | None) -> Risk:
        accepted = risk.acceptance
        if accepted is None or accepted.about_sha256 is not None:
            return risk
        person, role, at = settling.signed(accepted, by, f"acceptance of risk {risk.id}")
        more = {"person": person, "role": role, "at": at, "run": accepted.run or self.run_id}
        digest = about.of_risk(risk, self.plan, self.records)
        return risk.model_copy(
            update={"acceptance": accepted.model_copy(update={**more, "about_sha256": digest})}
        )  # fmt: skip


def checked(kind: type[answers.EntryT], **content: object) -> answers.EntryT:
    """An entry of the answers file from what a person typed.

    Raises:
        PlanError: A value is not what the field asks for, in one sentence.
    """
    import pydantic

    try:
        return kind.model_validate(content)
    except pydantic.ValidationError as error:
        raise errors.PlanError(answers_file.sentence(error.errors(include_url=False)[0])) from None


def require_check(check: str, known: set[str], where: str = "") -> None:
    """Is a check one that the run has made?

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
    names = [e.id for e in entries]
    if entry.id in names:
        return tuple(entry if e.id == entry.id else e for e in entries)
    return (*entries, entry)


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


def digest(path: Path) -> str | None:
    """Digest of the file, or None where there is none."""
    return canonical.sha256_file(path) if path.is_file() else None


def waiting(path: Path) -> str:
    """`40 questions open, 3 to be confirmed`, of those that apply; nothing where none waits."""
    record = workspace.dossier(path).answers
    applying = [s for s in record.statements if s.applies] if record else []
    open_ = sum(s.status == "open" for s in applying)
    confirm = sum(s.status in ("carried", "outdated") for s in applying)
    words = ((open_, "questions open"), (confirm, "to be confirmed"))
    return ", ".join(f"{number} {what}" for number, what in words if number)


def is_behind(path: Path, store: Answers) -> bool:
    """Does the record of the run say something else than the file?"""
    recorded = workspace.dossier(path).answers
    return recorded is None or recorded.answers_sha256 != canonical.sha256(store.read())


def render(path: Path, place: str) -> list[str]:
    """Do the stages again that depend on answers; nothing that was measured is done again.

    Args:
        path: The run folder.
        place: How to call the answers file.

    Returns:
        What changed, line by line.

    Raises:
        PlanError: The answers hold something that only a person can put right.
        StorageError: The run folder is in use, or the disk is full.
    """
    from flows import assess, stages, view

    before = workspace.dossier(path)
    with workspace.reopened(path) as run:
        try:
            stages.require_same_code(run)
        except errors.IntegrityError:
            return [
                f"The answers are saved in {place}. The documents of this run stay as they are: proofline was changed "
                "since it began. The next run takes the answers in, to be confirmed."
            ]
        run.ledger.append("resumed")
        engine = before.close.engine if before.close else "plain"
        assess.body(stages.core(run, view.QuietView(), engine), run.plan, said(run))
        lines = _changes(before, workspace.dossier(path))
        if any(line.event == "mirrored" for line in run.ledger.lines):
            lines += _mirrored(run)
    return lines


def _changes(before: Dossier, after: Dossier) -> list[str]:
    assert after.document is not None  # noqa: S101 - it was rendered just now
    old = {d.path: d.sha256 for d in before.document.documents} if before.document else {}
    changed = [d.path for d in after.document.documents if old.get(d.path) != d.sha256]
    gaps = len(before.document.gaps) if before.document else 0
    return [
        f"Documents rendered anew: {len(changed)} of {len(after.document.documents)} changed.",
        f"Gaps in the documents: {gaps} before, {len(after.document.gaps)} now.",
    ]


def _mirrored(run: Run) -> list[str]:
    """Keep MLflow's mirror true to the folder; where it does not answer, the folder is still whole."""
    from evidence import tracking_store
    from flows import assess

    try:
        assess.mirror(run, tracking_store.default_uri(run.folder.path.resolve().parent.parent))
    except errors.ProoflineError as error:
        return [f"MLflow still shows the documents before: {error}"]
    return []
