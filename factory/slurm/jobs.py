"""One job of one run: submitted once, found again by its name, never submitted twice.

The name is written down before `sbatch` is called, the number as soon as it is known. A process that is killed in
between leaves a name without a number: whoever comes next asks Slurm for the job of that name, and adopts it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import time
from pathlib import Path, PurePosixPath
from typing import Any

from configs import errors
from configs.factories.profile import Profile
from evidence import canonical, clock, job_records
from evidence.folder import RunFolder
from factory.slurm import before, commands, files, request, script, states

FILE = files.JOB
SCRIPT = job_records.SCRIPT
ASIDE = "training/jobs"
"""Jobs of this run that failed: their attempts cost time and energy too."""
PREFIX = "proofline-"
_ID = re.compile(r"^[0-9]+$")
SETTLE = 2.0
"""Seconds until a job that was submitted by a killed process must be visible."""


@dataclasses.dataclass(frozen=True)
class Job:
    """A job as it is written down beside the run."""

    name: str
    site: str
    script_sha256: str
    submitted_at: str
    job_id: str | None = None
    cancelled: bool = False
    """Did Ctrl-C end it, as the plan asks? Then the next training is a new job, and nothing has failed."""


def load(folder: RunFolder) -> Job | None:
    """The job of a run folder, or None where none was begun.

    Raises:
        IntegrityError: The file is damaged.
    """
    path = folder.path / FILE
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Job(**content)
    except (ValueError, TypeError) as error:
        raise errors.IntegrityError(
            f"job file {FILE}: expected the job of this run, got a damaged file ({error}). "
            "Look for the job with `squeue --me`, and delete the file when none runs."
        ) from None


def known(folder: RunFolder) -> Job | None:
    """The job of a run folder; one whose number was lost with the process that submitted it is looked for by name.

    Raises:
        MissingError: Slurm does not answer.
        IntegrityError: The file is damaged.
    """
    found = load(folder)
    if found is None or found.job_id:
        return found
    adopted = _find(found.name)
    return _store(folder, dataclasses.replace(found, job_id=adopted)) if adopted else found


def submitted(folder: RunFolder, ask: request.Request, profile: Profile) -> Job:
    """The job of this run: the one that is there already, or a new one.

    Raises:
        MissingError: No Slurm here, or it does not answer, so that a job might be submitted twice.
        PlanError: Slurm refuses the job; in its own words.
    """
    commands.require()
    found = known(folder)
    if found is not None and found.job_id:
        return found
    return _submit(folder, ask, profile)


def put_aside(folder: RunFolder, ended: states.Standing) -> None:
    """Keep what is known of a job that failed, and let the next training submit a new one."""
    job = load(folder)
    if job is not None and job.job_id:
        told = ended.attempts or states.noted(folder.path, job.job_id)
        kept = {**dataclasses.asdict(job), "attempts": [dataclasses.asdict(a) for a in told]}
        folder.write_bytes(f"{ASIDE}/{job.job_id}.json", (json.dumps(kept, indent=2) + "\n").encode())
    _forget(folder)


def earlier(folder: RunFolder) -> tuple[job_records.JobAttempt, ...]:
    """Every attempt of the jobs of this run that failed before."""
    found = []
    for path in sorted((folder.path / ASIDE).glob("*.json"), key=lambda p: p.stem.zfill(20)):
        kept = json.loads(path.read_text(encoding="utf-8"))
        found += [attempt(kept["job_id"], states.Attempt(**told)) for told in kept["attempts"]]
    return tuple(found)


def attempt(job_id: str, told: states.Attempt) -> job_records.JobAttempt:
    """One attempt as the record has it."""
    return job_records.JobAttempt(
        job_id=job_id,
        state=told.state.split()[0],
        seconds=told.seconds,
        nodes=told.nodes,
        gpus=told.gpus,
        cpus=told.cpus,
        joules=told.joules,
    )


def _forget(folder: RunFolder) -> None:
    (folder.path / FILE).unlink(missing_ok=True)
    (folder.path / files.ENDED).unlink(missing_ok=True)


def cancel(folder: RunFolder, job_id: str) -> str | None:
    """Ask Slurm to end the job of a run, and note that it was asked. Returns what went wrong, if anything."""
    problem = commands.ask("scancel", job_id).problem or None
    job = load(folder)
    if job is not None and problem is None:
        _store(folder, dataclasses.replace(job, cancelled=True))
    return problem


def _submit(folder: RunFolder, ask: request.Request, profile: Profile) -> Job:
    name = PREFIX + secrets.token_hex(8)
    text = script.render(
        ask,
        job_name=name,
        run_folder=PurePosixPath(folder.path.resolve()),
        code=PurePosixPath(Path(__file__).resolve().parents[2]),
        site=profile.name,
    )
    folder.write_bytes(SCRIPT, text.encode())
    job = _store(folder, Job(name, profile.id, canonical.sha256_bytes(text.encode()), clock.now()))
    said = commands.ask("sbatch", "--parsable", str(folder.path.resolve() / SCRIPT), patience=60)
    if said.text is None:
        if said.silent:
            adopted = _find(name)
            if adopted:
                return _store(folder, dataclasses.replace(job, job_id=adopted))
            raise errors.MissingError(
                f"Slurm at {profile.name}: expected an answer to sbatch, got none: {said.problem}. "
                "Go on with --resume when the scheduler answers again; the job is looked for by its name first."
            )
        _forget(folder)
        if before.clocks_differ(said.problem):
            raise before.unrecognised(profile, said.problem)
        raise errors.PlanError(
            f"job at {profile.name}: expected Slurm to accept it, got: {before.one_line(said.problem)} "
            f"Correct the plan's section factory; the script is {SCRIPT} in the run folder."
        )
    job_id = said.text.strip().split(";")[0]
    if not _ID.match(job_id):
        raise errors.MissingError(
            f"Slurm at {profile.name}: expected the number of the job from sbatch, got {job_id[:80]!r}. "
            "Look at `squeue --me`."
        )
    return _store(folder, dataclasses.replace(job, job_id=job_id))


def _store(folder: RunFolder, job: Job) -> Job:
    folder.write_bytes(FILE, (json.dumps(dataclasses.asdict(job), indent=2) + "\n").encode())
    return job


def _find(name: str) -> str | None:
    """The number of the job of that name, or None where Slurm says that there is none.

    Raises:
        MissingError: Slurm does not answer: it is not known whether the job exists.
    """
    time.sleep(SETTLE)  # the killed process may have been about to hand it over
    said = commands.ask("squeue", "--me", "--noheader", "--format", "%i|%j")
    for line in said.lines:
        number, _, found = line.partition("|")
        if found == name:
            return number
    past = commands.ask(
        "sacct", "--allocations", "--parsable2", "--noheader", "--name", name, "--format", "JobID,JobName"
    )
    for line in past.lines:
        number, _, found = line.partition("|")
        if found == name and _ID.match(number):
            return number
    if said.text is None:
        raise errors.MissingError(
            f"Slurm: expected to hear whether job {name} exists, got no answer: {said.problem}. "
            "Go on with --resume when the scheduler answers again; nothing is submitted twice."
        )
    shown = commands.ask("scontrol", "--oneliner", "show", "jobs")
    match = re.search(rf"JobId=([0-9]+) JobName={re.escape(name)}\s", shown.text or "")
    return match[1] if match else None
