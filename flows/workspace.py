"""Where runs live, and how a run folder is made, found and opened."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import difflib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from configs import errors
from configs.data import FileSource
from configs.language.corpora import TextFiles
from configs.language.load import AnyPlan, load_any, parse_any
from configs.language.plan import LanguagePlan
from evidence import canonical, differences, ledger, lock, records, storage
from evidence.dossier import AnyDossier, Dossier, stages_of
from evidence.facility import ReceivedRecord
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from tef_export import leaks

DATA_VARIABLE = "PROOFLINE_DATA"
PLAN_AS_READ = "plan.json"
"""The plan with its defaults as it was read when the run began, bound by the ledger's first line: names differences."""


BASE_MODEL = "base model"
TEXT = "text file"
DATA = ("data file", "text file")
LATE = ("reference", "account", "answers", "document", "close")
"""Stages on which the decision does not rest: what they make can be absent where a run is looked at."""


@dataclasses.dataclass(frozen=True)
class Workspace:
    """A folder with `runs/` and the hidden stores of Prefect and MLflow."""

    root: Path

    @property
    def runs(self) -> Path:
        """Folder of the run folders."""
        return self.root / "runs"

    def find(self, run: str, *, closed: bool = False) -> Path:
        """The run folder given by path, by run id, or `last` for the newest, finished or not.

        Args:
            run: Path, run id or `last`.
            closed: Does the caller need a finished run? Then `last` is refused where the newest is none, and never
                means an older one: nobody shall decide on a run that they do not mean.

        Raises:
            MissingError: There is none, or the newest is not finished and has to be.
        """
        if run == "last":
            found = self.all()
            if not found:
                raise errors.MissingError(
                    f"runs in {self.runs.resolve()}: expected at least one run, got none. Make one with "
                    "`proofline run PLAN`, or name its folder with `proofline --workspace DIR`."
                )
            if closed and not _closed(found[-1]):
                raise errors.MissingError(_not_finished(found))
            return found[-1]
        for candidate in (Path(run), self.runs / run):
            if (candidate / "ledger.jsonl").is_file():
                return candidate
        known = ", ".join(p.name for p in self.all()[-3:]) or "none"
        raise errors.MissingError(
            f"run {run}: expected a run folder or its name, got neither. The newest runs are: {known}."
        )

    def all(self) -> list[Path]:
        """All run folders, oldest first."""
        if not self.runs.is_dir():
            return []
        found = [p for p in self.runs.iterdir() if (p / "ledger.jsonl").is_file() and (p / "plan.yaml").is_file()]
        return sorted(found, key=lambda p: ((p / "plan.yaml").stat().st_mtime_ns, p.name))

    def unfinished(self, plan_text: bytes) -> Path:
        """The newest run of exactly this plan that was not completed.

        Raises:
            MissingError: There is none.
        """
        others = []
        for path in reversed(self.all()):
            if (path / "plan.yaml").read_bytes() != plan_text:
                others.append(path)
            elif not _complete(path):
                return path
        raise errors.MissingError(
            f"run to resume in {self.runs}: expected an unfinished run of exactly this plan, got none"
            f"{_nearest(others, plan_text)}. "
            "Leave --resume out to start a new run, or name the run folder instead of the plan."
        )


def _closed(path: Path) -> bool:
    return (path / "run.json").is_file()


def _not_finished(found: list[Path]) -> str:
    """That the newest run is not finished, how to finish it, and which finished one is the newest."""
    newest, finished = found[-1], [path.name for path in found if _closed(path)]
    other = f"or name the newest finished run: {finished[-1]}" if finished else "no run here is finished"
    return (
        f"run last: expected a finished run, got the newest one, {newest.name}, which is not finished. "
        f"Complete it with `proofline run {newest.name} --resume`; {other}."
    )


def _complete(path: Path) -> bool:
    return any(line.event == "mirrored" for line in ledger.Ledger.read(path).lines)


def _nearest(others: list[Path], plan_text: bytes) -> str:
    """`; how the newest unfinished run of the same system differs`, where there is one."""
    with contextlib.suppress(errors.ProoflineError, UnicodeDecodeError):
        now = parse_any(plan_text.decode("utf-8")).model_dump(mode="json")
        for path in others:
            then = begun_with(path, ledger.Ledger.read(path))
            if then is not None and then.get("system", {}).get("id") == now["system"]["id"] and not _complete(path):
                told = differences.told(then, now) or "only comments or layout, no value"
                return f"; the unfinished {path.name} began with another: {told}"
    return ""


@dataclasses.dataclass(frozen=True)
class Run:
    """An open run: its folder, plan and ledger. The folder's lock is held while it is open."""

    folder: RunFolder
    plan: AnyPlan
    plan_sha256: str
    ledger: ledger.Ledger
    base: Path
    """Where relative data paths start."""


@contextlib.contextmanager
def new(workspace: Workspace, plan_file: Path) -> Iterator[Run]:
    """Begin a run: make its folder, copy the plan, open the ledger."""
    plan = load_any(plan_file)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    path = workspace.runs / f"{plan.system.id}-{stamp}-{secrets.token_hex(2)}"
    with storage.explained(f"run folder {path}"):
        path.mkdir(parents=True)
        content = plan_file.read_bytes()
        (path / "plan.yaml").write_bytes(content)
        base = data_base(plan_file, plan)
        (path / "local.json").write_text(json.dumps({"base": str(base)}), encoding="utf-8")
        with lock.held(path / ".lock", what=f"run folder {path}"):
            read = RunFolder(path).write_bytes(PLAN_AS_READ, canonical.to_bytes(plan))
            begun = ledger.Ledger.create(
                path,
                {
                    "run_id": path.name,
                    "plan_sha256": canonical.sha256_bytes(content),
                    "plan_as_read_sha256": read.sha256,
                },
            )
            yield Run(RunFolder(path), plan, canonical.sha256_bytes(content), begun, base)


@contextlib.contextmanager
def reopened(path: Path) -> Iterator[Run]:
    """Open an existing run folder for further work.

    Raises:
        IntegrityError: The ledger or the plan was altered.
        StorageError: Another process works in it.
    """
    with (
        storage.explained(f"run folder {path}"),
        lock.held(path / ".lock", what=f"run folder {path}"),
    ):
        chain = ledger.Ledger.open(path)
        for line in chain.lines:
            if line.record is not None:
                RunFolder(path).settle(line.record)
        content = _plan_of(path, chain)
        found = canonical.sha256_bytes(content)
        plan = parse_any(content.decode("utf-8"), str(path / "plan.yaml"))
        yield Run(RunFolder(path), plan, found, chain, _base(_stored_base(path)))


def dossier(path: Path) -> AnyDossier:
    """All records of a run that is complete up to its gate, each checked against its digest in the ledger.

    Raises:
        IntegrityError: A record was altered.
        MissingError: A stage has not run yet.
    """
    chain = ledger.Ledger.read(path)
    folder = RunFolder(path)
    content = _plan_of(path, chain)
    plan = parse_any(content.decode("utf-8"), str(path / "plan.yaml"))
    found: dict[str, object] = {}
    for stage, (_, kind) in stages_of(plan).items():
        reference = chain.finished(stage)
        if reference is not None:
            found[stage] = folder.read_record(reference, kind)
        elif stage not in LATE:
            raise errors.MissingError(
                f"run {path.name}: expected the stage {stage} to have finished, it has not. "
                f"Complete it with `proofline run {path} --resume`."
            )
    kind = LanguageDossier if isinstance(plan, LanguagePlan) else Dossier
    return kind(
        run_id=path.name,
        plan=plan,  # type: ignore[arg-type]
        plan_sha256=canonical.sha256_bytes(content),
        opened_at=chain.lines[0].at,
        received=received(path, chain),
        **found,  # type: ignore[arg-type]
    )


def received(path: Path, chain: ledger.Ledger) -> ReceivedRecord | None:
    """What a run has received from facilities, as its ledger names it.

    Raises:
        IntegrityError: The record was altered.
    """
    references = [line.record for line in chain.lines if line.event == "received" and line.record]
    return RunFolder(path).read_record(references[-1], ReceivedRecord) if references else None


def require_files(plan: AnyPlan, plan_file: Path) -> None:
    """See that the files that a plan names are there before a run folder is made.

    Raises:
        MissingError: Naming the file, where it was looked for, and what to set.
    """
    base = data_base(plan_file, plan)
    for what, name, key in _wanted(plan):
        place = base / name
        if not (place.is_dir() if what == BASE_MODEL else place.is_file()):
            if what == TEXT and place.is_dir():
                raise errors.MissingError(
                    f"{what} {name}: expected a file, got a folder. Name its files in {key}, or put them into a ZIP."
                )
            raise _absent(what, name, key, plan_file)


def _absent(what: str, name: str, key: str, plan_file: Path) -> errors.MissingError:
    """Every folder where a file was looked for, and the file of a similar name that lies there."""
    base, beside = _base(plan_file.parent), plan_file.parent.resolve()
    places = [f"{base} ({DATA_VARIABLE})"] if DATA_VARIABLE in os.environ else []
    folders = [base]
    if not places or (what in DATA and base.resolve() != beside):
        places.append(f"{beside} (beside the plan)")
        folders.append(beside)
    near = next((hint for folder in folders if (hint := _near(folder / name))), None)
    meant = f"Did you mean {Path(name).with_name(near).as_posix()}? " if near else ""
    unset = "" if DATA_VARIABLE in os.environ else f"; {DATA_VARIABLE} is not set"
    return errors.MissingError(
        f"{what} {name}: expected it in {' or '.join(places)}, got none{unset}. {meant}Set {DATA_VARIABLE} to the "
        f"folder that holds it, or correct {key} in the plan."
    )


def _near(place: Path) -> str | None:
    names = [found.name for found in place.parent.iterdir()] if place.parent.is_dir() else []
    return next(iter(difflib.get_close_matches(place.name, names, n=1)), None)


def _wanted(plan: AnyPlan) -> list[tuple[str, str, str]]:
    """What a plan names outside itself: what it is, its name, and the key that names it."""
    if not isinstance(plan, LanguagePlan):
        data = plan.data.source.path if isinstance(plan.data.source, FileSource) else ()
        properties = plan.policy.robustness.properties
        return [("data file", name, "data.source.path") for name in data] + [
            ("property", p.file, "policy.robustness.properties") for p in properties
        ]
    wanted = []
    for corpus in plan.corpora:
        names = corpus.source.path if isinstance(corpus.source, TextFiles) else ()
        wanted += [(TEXT, name, f"source.path of corpus {corpus.id}") for name in names]
    wanted += [("block list", entry.path, "cleaning.block_lists") for entry in plan.cleaning.block_lists]
    if plan.model.base is not None:
        wanted.append((BASE_MODEL, plan.model.base.path, "model.base.path"))
    return wanted


def require_portable(plan_file: Path) -> None:
    """Refuse a plan that names places of this machine: it goes into the bundle as it is.

    Raises:
        PlanError: With the line.
    """
    text = plan_file.read_text(encoding="utf-8")
    try:
        leaks.require_none(str(plan_file), text, leaks.private_words(text))
    except errors.GateError as error:
        raise errors.PlanError(f"{error}".replace("; nothing was written", "")) from None


def standing_approval(path: Path) -> records.Approval | None:
    """The last decision that the ledger names, if a person has decided.

    Raises:
        IntegrityError: The ledger or the decision's file was altered.
    """
    decisions = [line for line in ledger.Ledger.read(path).lines if line.event == "approved" and line.record]
    if not decisions:
        return None
    reference = decisions[-1].record
    assert reference is not None  # noqa: S101 - filtered above
    return RunFolder(path).read_record(reference, records.Approval)


def _plan_of(path: Path, chain: ledger.Ledger) -> bytes:
    """The plan's bytes, if they are still those with which the run began."""
    place = path / "plan.yaml"
    if not place.is_file():
        raise errors.IntegrityError(f"plan {place}: expected the plan of the run, got none. Restore it.")
    content = place.read_bytes()
    begun_with = str(chain.lines[0].details.get("plan_sha256"))
    found = canonical.sha256_bytes(content)
    if found != begun_with:
        raise errors.IntegrityError(
            f"plan {place}: expected sha256 {begun_with[:12]}…, got {found[:12]}…: it was altered after the run began"
            f"{_altered(path, chain, content)}. Restore it, or start a new run with the new plan."
        )
    return content


def _altered(path: Path, chain: ledger.Ledger, content: bytes) -> str:
    """`: what differs`, where the plan is still one and the one that the run began with is known."""
    then = begun_with(path, chain)
    try:
        now = parse_any(content.decode("utf-8")).model_dump(mode="json")
    except (errors.PlanError, UnicodeDecodeError):
        return ", and is no valid plan now"
    if then is None:
        return ""
    return f": {differences.told(then, now) or 'only comments or layout, no value'}"


def begun_with(path: Path, chain: ledger.Ledger) -> dict[str, Any] | None:
    """The plan with which a run began, as plain data; None where it is not kept, or not the one the ledger names."""
    place = path / PLAN_AS_READ
    if not place.is_file():
        return None
    content = place.read_bytes()
    if canonical.sha256_bytes(content) != chain.lines[0].details.get("plan_as_read_sha256"):
        return None
    found: dict[str, Any] = json.loads(content)
    return found


def data_base(plan_file: Path, plan: AnyPlan) -> Path:
    """Where relative data paths start: `PROOFLINE_DATA` where it is set, otherwise the plan's folder.

    A table that lies beside its plan, and not in `PROOFLINE_DATA`, is found there all the same.
    """
    base, beside = _base(plan_file.parent), plan_file.parent.resolve()
    named = [name for what, name, _ in _wanted(plan) if what in DATA]
    if named and not any((base / name).exists() for name in named) and all((beside / n).is_file() for n in named):
        return beside
    return base


def _base(otherwise: Path) -> Path:
    configured = os.environ.get(DATA_VARIABLE)
    return Path(configured) if configured else otherwise.resolve()


def _stored_base(path: Path) -> Path:
    try:
        return Path(json.loads((path / "local.json").read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError):
        return Path.cwd()
