"""The answers of a system: where they lie, what may stand in them, and how the documents of a run take them in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from configs import answers_file, errors, wording
from configs.answers import AnswersFile
from evidence import canonical
from evidence.answers import AnswersRecord
from evidence.dossier import AnyDossier
from evidence.folder import RunFolder
from flows import workspace
from flows.workspace import Run
from tef_export import contents, leaks

if TYPE_CHECKING:
    from flows.answer_store import Answers

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


def waiting(path: Path) -> str:
    """`40 questions open, 3 to be confirmed`, of those that apply; nothing where none waits."""
    record = workspace.dossier(path).answers
    applying = [s for s in record.statements if s.applies] if record else []
    open_ = sum(s.status == "open" for s in applying)
    confirm = sum(s.status in ("carried", "outdated") for s in applying)
    words = ((open_, f"{wording.counted(open_, 'question')} open"), (confirm, f"{confirm} to be confirmed"))
    return ", ".join(what for number, what in words if number)


def by_hand(path: Path) -> int:
    """Answers that a run was given and that no run has taken over: the next one would take them for new as well."""
    found = workspace.dossier(path)
    said = given(RunFolder(path), found.answers, found.plan.system.id)
    return sum(answer.text is not None and answer.run is None for answer in said.answers)


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
                f"The answers are saved in {place}. This run is not complete, and proofline was changed since it "
                "began: it stays as it is. The next run takes the answers in, to be confirmed."
            ]
        run.ledger.append("resumed")
        engine = before.close.engine if before.close else "plain"
        assess.again(run, view.QuietView(), engine)
        lines = _changes(before, workspace.dossier(path))
        if any(line.event == "mirrored" for line in run.ledger.lines):
            lines += _mirrored(run)
    return lines


def _changes(before: AnyDossier, after: AnyDossier) -> list[str]:
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
