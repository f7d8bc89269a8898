"""Training as a job of Slurm: submit or adopt, follow, bring back the record with what the job cost."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from configs import errors
from configs.factories import profile as profiles
from configs.language.plan import LanguagePlan
from configs.modelling import Factory
from configs.plan import Plan
from evidence import job_records, language_records, records
from evidence.folder import RunFolder, parse_record
from factory.progress import Progress, ProgressCallback
from factory.slurm import before, costs, files, jobs, request, states

log = logging.getLogger("proofline.factory")
T = TypeVar("T", records.TrainingRecord, language_records.LanguageTrainingRecord)
Report = Callable[[dict[str, Any]], None]
"""Takes what a job writes about where it stands."""

SOON, LATE = 1.0, 15.0
"""Seconds between two questions to the scheduler: at first, and at most."""
GLANCE = 0.5
"""Seconds between two looks at the job's own files, which cost the scheduler nothing."""
DOUBT = 600.0
"""Seconds of nothing but `unknown` after which waiting ends; the job is left alone."""
PATIENCE = 60.0
"""Seconds until files that a compute node wrote must be seen here."""
_NOISE = ("ended with code", "asked to save", "torch.distributed.elastic", "File ", "Traceback", "====", "----")
_TELLING = [re.compile(r"expected .* got "), re.compile(r"SIG[A-Z]{3,}|Error\b|Killed|DUE TO|error: ")]
"""What lines look like that say why something ended: ours first."""
BY_CODE: dict[int, type[errors.ProoflineError]] = {
    errors.EXIT_FAIL: errors.IntegrityError,
    errors.EXIT_USAGE: errors.PlanError,
    errors.EXIT_MISSING: errors.MissingError,
}


class NotOverError(errors.MissingError):
    """The job has not ended, and nobody asked to wait for it."""


class SlurmLauncher:
    """A job at the plan's site, by the scheduler of this login node."""

    def __init__(self, asked: Factory, *, wait: bool = True) -> None:
        self._asked = asked
        self._wait = wait

    def train(
        self,
        folder: RunFolder,
        plan: Plan,
        encoded: records.EncodedData,
        progress: ProgressCallback | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> records.TrainingRecord:
        """Submit the training, or take up the job that is there, and wait for its end.

        Raises:
            PlanError: The site refuses what the plan asks for.
            MissingError: No Slurm, no answer for long, or the job failed for want of something.
            NotOverError: The job goes on and this launcher does not wait.
        """
        report = (lambda now: progress(Progress(**now))) if progress else None
        return self._trained(folder, records.TrainingRecord, {}, report, say)

    def train_language(
        self,
        folder: RunFolder,
        plan: LanguagePlan,
        tokenised: language_records.TokenisedData,
        base: Path,
        progress: Callable[[str, int, int], None] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> language_records.LanguageTrainingRecord:
        """The same for a language model. A base model is read where it lies: on storage that compute nodes share."""
        report = (lambda now: progress(now["what"], now["done"], now["of"])) if progress else None
        environment = {files.DATA: str(base.resolve())} if plan.model.base is not None else {}
        return self._trained(folder, language_records.LanguageTrainingRecord, environment, report, say)

    def _trained(
        self,
        folder: RunFolder,
        kind: type[T],
        environment: dict[str, str],
        progress: Report | None,
        say: Callable[[str], None],
    ) -> T:
        """The record of the training of a run folder, by a job.

        Args:
            folder: Run folder.
            kind: Of the record.
            environment: More variables of the job.
            progress: Called with what the job wrote about where it stands.
            say: Called with what the job and the scheduler say.
        """
        profile = profiles.load(self._asked.site)
        ask = request.request(self._asked, profile)
        ask = dataclasses.replace(ask, environment={**ask.environment, **environment})
        before.require_image(ask.image)
        before.require_shared(folder.path, profile)
        say = _logged(say)
        known = jobs.load(folder)
        if known is not None and known.cancelled and self._is_over(folder, known, say):
            known = None
        job = jobs.submitted(folder, ask, profile)
        assert job.job_id is not None  # noqa: S101 - a submitted job has its number
        say(f"job {job.job_id} at {profile.name}" + (", adopted" if known else f", script {jobs.SCRIPT}"))
        if not self._wait:
            now = states.standing(job.job_id, folder.path)
            if not now.over and not now.hopeless:
                raise NotOverError(
                    f"job {job.job_id} of run {folder.run_id}: expected it to have ended, got {now.state} "
                    f"({now.words}, by {now.said_by}). Look with `proofline poll {folder.run_id}`; when it has ended, "
                    f"`proofline collect {folder.run_id}`."
                )
        now = self._follow(folder, job.job_id, progress, say)
        if now.hopeless:
            jobs.cancel(folder, job.job_id)
            jobs.put_aside(folder, now)
            raise errors.PlanError(
                f"job {job.job_id} at {profile.name}: expected one that can start, got one that never will "
                f"({now.words}). It was cancelled. Correct the plan's section factory, and start a new run."
            )
        if now.state != "completed":
            raise self._failure(folder, job.job_id, now)
        return self._collected(folder, kind, job, profile, now, say)

    def _is_over(self, folder: RunFolder, job: jobs.Job, say: Callable[[str], None]) -> bool:
        """Wait a little for the end of a job that Ctrl-C has cancelled; its hours are kept, and a new one may come."""
        ends = time.monotonic() + PATIENCE
        while job.job_id and time.monotonic() < ends:
            now = states.standing(job.job_id, folder.path)
            if now.over:
                say(f"job {job.job_id} was cancelled by Ctrl-C: a new one takes up its checkpoint")
                jobs.put_aside(folder, now)
                return True
            time.sleep(SOON)
        return False

    def _follow(
        self, folder: RunFolder, job_id: str, progress: Report | None, say: Callable[[str], None]
    ) -> states.Standing:
        """Wait for the end; show what the job writes. The job itself is left alone whatever happens here."""
        log, seen, said = folder.path / files.LOG, 0, ""
        reported: dict[str, Any] | None = None
        pause, asked_at, sure_at = SOON, 0.0, time.monotonic()
        try:
            while True:
                seen = _tail(log, seen, say)
                if progress:
                    reported = _report(folder.path / files.PROGRESS, progress, reported)
                if time.monotonic() - asked_at >= pause:
                    now = states.standing(job_id, folder.path)
                    asked_at, pause = time.monotonic(), min(LATE, pause * 1.3)
                    if now.state != "unknown":
                        sure_at = asked_at
                    elif asked_at - sure_at > DOUBT:
                        raise errors.MissingError(
                            f"job {job_id}: expected to hear of it from Slurm, got nothing for {DOUBT:g} s "
                            f"({now.words}). It was not cancelled. Go on with --resume when Slurm answers again."
                        )
                    words = f"job {job_id} {now.state}: {now.words}"
                    if words != said and not now.over:
                        say(words)
                        said = words
                    if now.hopeless:
                        return now
                    if now.over:
                        _tail(log, seen, say)
                        return now
                if states.sentinel(folder.path):
                    pause = min(pause, SOON)  # the job says that it has ended: ask at once
                time.sleep(GLANCE)
        except KeyboardInterrupt:
            if self._asked.cancel_on_interrupt:
                problem = jobs.cancel(folder, job_id)
                say(f"job {job_id} " + (f"could not be cancelled: {problem}" if problem else "cancelled"))
            else:
                say(f"job {job_id} goes on. `scancel {job_id}` ends it; --resume waits for it again.")
            raise

    def _failure(self, folder: RunFolder, job_id: str, now: states.Standing) -> errors.ProoflineError:
        """The end of a job in one sentence, with its last words; the next attempt submits anew."""
        own = folder.path / files.CODE
        code = own.read_text(encoding="utf-8").strip() if own.is_file() else ""
        jobs.put_aside(folder, now)
        kind = BY_CODE.get(int(code), errors.MissingError) if code.isdigit() else errors.MissingError
        last = _last_words(folder.path / files.LOG)
        if last is None:
            return kind(
                f"job {job_id} of run {folder.run_id}: expected it to complete, got {now.state} ({now.words}), and not "
                f"a line of {files.LOG}: the node could not write into the run folder. Is it on storage that login and "
                "compute nodes share? Use `proofline --workspace DIR` with a folder of your project."
            )
        return kind(
            f"job {job_id} of run {folder.run_id}: expected it to complete, got {now.state} ({now.words}). "
            f"Its last words: {last} The whole log is {files.LOG}. Correct the cause, then go on with --resume "
            f"(`proofline run {folder.run_id} --resume`, or submit): the last checkpoint is kept."
        )

    def _collected(
        self,
        folder: RunFolder,
        kind: type[T],
        job: jobs.Job,
        profile: profiles.Profile,
        now: states.Standing,
        say: Callable[[str], None],
    ) -> T:
        path, ends = folder.path / files.RECORD, time.monotonic() + PATIENCE
        while not path.is_file() and time.monotonic() < ends:
            time.sleep(GLANCE)  # shared file systems show new files late
        if not path.is_file() and (folder.path / files.SAVED).is_file():
            jobs.put_aside(folder, now)
            raise errors.MissingError(
                f"job {job.job_id} of run {folder.run_id}: expected a finished training, got one that saved and was "
                f"not requeued ({self._asked.restarts} restarts are allowed). Go on with --resume: it takes up the "
                "checkpoint."
            )
        if not path.is_file():
            raise errors.MissingError(
                f"job {job.job_id} of run {folder.run_id}: expected {files.RECORD} after it completed, got none. "
                "Is the run folder on storage that login and compute nodes share?"
            )
        record = parse_record(path.read_bytes(), kind, files.RECORD)
        told = now.attempts or states.noted(folder.path, str(job.job_id))
        by = "sacct" if now.attempts else "the clock of the job's own script"
        skew = states.skew(folder.path, str(job.job_id), job.submitted_at)
        if skew:
            way = "ahead of" if skew > 0 else "behind"
            say(f"the clocks differ: the node's is {abs(skew)} s or more {way} this machine's")
            by += "" if now.attempts else f", which differs from this machine's by {abs(skew)} s or more"
        attempts = (*jobs.earlier(folder), *(jobs.attempt(str(job.job_id), a) for a in told))
        newest = max((s.checked for s in profile.sources.values()), default=None)
        energy = costs.estimated(
            costs.best(costs.energy(attempts, profile), record.energy), attempts, self._asked, profile
        )
        site = costs.of_site(energy, self._asked, profile)
        about = job_records.JobRecord(
            site=profile.id,
            profile_checked=newest,
            job_id=str(job.job_id),
            job_name=job.name,
            script_sha256=job.script_sha256,
            submitted_at=job.submitted_at,
            accounting=by if attempts else "none",
            attempts=attempts,
            gpu_hours=costs.gpu_hours(attempts, by),
            node_hours=costs.node_hours(attempts, by),
            cpu_hours=costs.cpu_hours(attempts, by),
            site_energy=site,
            emissions=costs.emissions(energy, site, self._asked, profile),
        )
        return record.model_copy(update={"job": about, "energy": energy})


def _logged(say: Callable[[str], None]) -> Callable[[str], None]:
    """What is said goes to the log of this module too, which an orchestrator can collect."""

    def both(line: str) -> None:
        say(line)
        log.info("%s", line)

    return both


def _tail(log: Path, seen: int, say: Callable[[str], None]) -> int:
    """Say the whole lines that came since; returns how far was read."""
    try:
        with log.open("rb") as stream:
            stream.seek(seen)
            content = stream.read(1 << 20)
    except OSError:
        return seen
    whole = content.rfind(b"\n") + 1
    for line in content[:whole].decode("utf-8", "replace").splitlines():
        say(line)
    return seen + whole


def _report(path: Path, progress: Report, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """Tell where the training stands, if that is news; returns what was told last."""
    try:
        now: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if now != before:
            progress(now)
    except (OSError, ValueError, TypeError, KeyError):
        return before
    return now


def _last_words(log: Path) -> str | None:
    """The line that says why, as a sentence; None where there is no log."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]]
    except OSError:
        return None
    told = [line for line in lines if line and not line.startswith(_NOISE)]
    for telling in _TELLING:
        found = [line for line in told if telling.search(line)]
        if found:
            return found[-1].rstrip(".") + "."
    return (told[-1] if told else "none").rstrip(".") + "."
