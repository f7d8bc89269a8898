"""Where runs live, and how a run folder is made, found and opened."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from configs import errors, load
from configs.plan import Plan
from evidence import canonical, ledger, lock, storage
from evidence.dossier import STAGES, Dossier
from evidence.folder import RunFolder, parse_record

DATA_VARIABLE = "PROOFLINE_DATA"


@dataclasses.dataclass(frozen=True)
class Workspace:
    """A folder with `runs/` and the hidden stores of Prefect and MLflow."""

    root: Path

    @property
    def runs(self) -> Path:
        """Folder of the run folders."""
        return self.root / "runs"

    def find(self, run: str) -> Path:
        """The run folder given by path, by run id, or `last` for the newest.

        Raises:
            MissingError: There is none.
        """
        if run == "last":
            newest = self.newest()
            if newest is None:
                raise errors.MissingError(
                    f"runs in {self.runs}: expected at least one, got none. Make one with `proofline run PLAN`."
                )
            return newest
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
        found = [p for p in self.runs.iterdir() if (p / "ledger.jsonl").is_file()]
        return sorted(found, key=lambda p: ((p / "plan.yaml").stat().st_mtime_ns, p.name))

    def newest(self) -> Path | None:
        """The run folder that was begun last."""
        found = self.all()
        return found[-1] if found else None

    def unfinished(self, plan_text: bytes) -> Path:
        """The newest run of exactly this plan that was not completed.

        Raises:
            MissingError: There is none.
        """
        for path in reversed(self.all()):
            done = any(line.event == "mirrored" for line in ledger.Ledger.open(path).lines)
            if not done and (path / "plan.yaml").read_bytes() == plan_text:
                return path
        raise errors.MissingError(
            f"run to resume in {self.runs}: expected an unfinished run of exactly this plan, got none. "
            "Leave --resume out to start a new run, or name the run folder instead of the plan."
        )


@dataclasses.dataclass(frozen=True)
class Run:
    """An open run: its folder, plan and ledger. The folder's lock is held while it is open."""

    folder: RunFolder
    plan: Plan
    plan_sha256: str
    ledger: ledger.Ledger
    base: Path
    """Where relative data paths start."""


@contextlib.contextmanager
def new(workspace: Workspace, plan_file: Path) -> Iterator[Run]:
    """Begin a run: make its folder, copy the plan, open the ledger."""
    plan = load.load(plan_file)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%d-%H%M%S")
    path = workspace.runs / f"{plan.system.id}-{stamp}-{secrets.token_hex(2)}"
    with storage.explained(f"run folder {path}"):
        path.mkdir(parents=True)
        content = plan_file.read_bytes()
        (path / "plan.yaml").write_bytes(content)
        base = _base(plan_file.parent)
        (path / "local.json").write_text(json.dumps({"base": str(base)}), encoding="utf-8")
        with lock.held(path / ".lock", what=f"run folder {path}"):
            begun = ledger.Ledger.create(path, {"run_id": path.name, "plan_sha256": canonical.sha256_bytes(content)})
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
        content = (path / "plan.yaml").read_bytes()
        begun_with = chain.lines[0].details.get("plan_sha256")
        found = canonical.sha256_bytes(content)
        if found != begun_with:
            raise errors.IntegrityError(
                f"plan {path / 'plan.yaml'}: expected sha256 {str(begun_with)[:12]}…, got {found[:12]}…: it was "
                "altered after the run began. Restore it, or start a new run with the new plan."
            )
        plan = load.parse(content.decode("utf-8"), str(path / "plan.yaml"))
        yield Run(RunFolder(path), plan, found, chain, _base(_stored_base(path)))


def dossier(path: Path) -> Dossier:
    """All records of a run that is complete up to its gate, each checked against its digest in the ledger.

    Raises:
        IntegrityError: A record was altered.
        MissingError: A stage has not run yet.
    """
    chain = ledger.Ledger.open(path)
    folder = RunFolder(path)
    content = (path / "plan.yaml").read_bytes()
    found: dict[str, object] = {}
    for stage, (_, kind) in STAGES.items():
        reference = chain.finished(stage)
        if reference is not None:
            found[stage] = folder.read_record(reference, kind)
        elif stage not in ("document", "close"):
            raise errors.MissingError(
                f"run {path.name}: expected the stage {stage} to have finished, it has not. "
                f"Complete it with `proofline run {path} --resume`."
            )
    plan = load.parse(content.decode("utf-8"), str(path / "plan.yaml"))
    return Dossier(run_id=path.name, plan=plan, plan_sha256=canonical.sha256_bytes(content), **found)  # type: ignore[arg-type]


def approval_of(path: Path) -> bytes | None:
    """The approval file of a run, if a person has decided."""
    place = path / "approval.json"
    return place.read_bytes() if place.is_file() else None


def _base(otherwise: Path) -> Path:
    configured = os.environ.get(DATA_VARIABLE)
    return Path(configured) if configured else otherwise.resolve()


def _stored_base(path: Path) -> Path:
    try:
        return Path(json.loads((path / "local.json").read_text(encoding="utf-8"))["base"])
    except (OSError, ValueError, KeyError):
        return Path.cwd()


__all__ = ["Run", "Workspace", "approval_of", "dossier", "new", "parse_record", "reopened"]
