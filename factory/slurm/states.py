"""Where a job stands: sacct, then squeue, then scontrol, then the file that the job itself leaves behind.

Accounting may be absent, a command may hang, a job that ended leaves the controller's memory after some minutes, and
after a preemption accounting can go on saying PREEMPTED while the job waits again. So several are asked, and what
nobody knows is unknown, never failed.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import time
from pathlib import Path
from typing import Literal

from factory.slurm import commands, files

State = Literal["pending", "running", "completed", "failed", "cancelled", "timeout", "unknown"]

_STATES: dict[str, State] = {
    "PENDING": "pending", "CONFIGURING": "pending", "REQUEUED": "pending", "REQUEUE_HOLD": "pending",
    "REQUEUE_FED": "pending", "RESV_DEL_HOLD": "pending", "SPECIAL_EXIT": "pending", "PREEMPTED": "pending",
    "RUNNING": "running", "COMPLETING": "running", "SUSPENDED": "running", "STAGE_OUT": "running",
    "RESIZING": "running", "SIGNALING": "running", "STOPPED": "running",
    "COMPLETED": "completed",
    "FAILED": "failed", "BOOT_FAIL": "failed", "NODE_FAIL": "failed", "OUT_OF_MEMORY": "failed",
    "LAUNCH_FAILED": "failed", "RECONFIG_FAIL": "failed",
    "CANCELLED": "cancelled", "REVOKED": "cancelled",
    "TIMEOUT": "timeout", "DEADLINE": "timeout",
}  # fmt: skip
"""Slurm's word to ours. PREEMPTED is pending: whether the job comes again is for squeue to say."""

TOLERATED = 60
"""Seconds by which clocks may differ unmentioned."""
OVER = ("completed", "failed", "cancelled", "timeout")
COMES_AGAIN = ("PREEMPTED", "REQUEUED", "NODE_FAIL")
"""Ends of an attempt after which the job may wait again; squeue knows."""
GONE = 300.0
"""Seconds after such an end from which a job that squeue does not know will not come again."""
HOPELESS = (
    "PartitionNodeLimit", "PartitionTimeLimit", "PartitionConfig", "BadConstraints", "InvalidAccount", "InvalidQOS",
    "QOSNotAllowed", "AccountNotAllowed", "JobHeldAdmin",
)  # fmt: skip
"""Reasons for which a pending job will never start. Many sites accept such a job all the same."""
NO_VALUE = 2**64 - 16
"""From here on a 64-bit number of Slurm means that there is none: energy where a node was shared, for example. And no
node has drawn nothing: 0 is a site without a meter."""
FIELDS = "JobID,State,ExitCode,ElapsedRaw,Start,End,NNodes,AllocTRES,ConsumedEnergyRaw"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One line of the accounting: a job that was requeued has several."""

    state: str
    seconds: int
    nodes: int
    resources: dict[str, str]
    joules: float | None
    start: str = ""
    end: str = ""
    exit_code: str = ""

    @property
    def gpus(self) -> int:
        """GPUs that were allocated."""
        return self._of("gres/gpu") or 0

    @property
    def cpus(self) -> int | None:
        """CPUs that were allocated; None where nobody told."""
        return self._of("cpu")

    def _of(self, resource: str) -> int | None:
        found = self.resources.get(resource)
        return int(found) if found and found.isdigit() else None


@dataclasses.dataclass(frozen=True)
class Standing:
    """Where a job stands, who said so, and in which words."""

    state: State
    said_by: str
    words: str
    attempts: tuple[Attempt, ...] = ()

    @property
    def hopeless(self) -> bool:
        """Does the job wait for something that will not come?"""
        return self.state == "pending" and any(reason in self.words for reason in HOPELESS)

    @property
    def over(self) -> bool:
        """Will it never run again?"""
        return self.state in OVER


def standing(job_id: str, run_folder: Path) -> Standing:
    """Ask for a job in order. The job's own file counts only where Slurm knows of nothing that goes on."""
    attempts = accounted(job_id)
    last = attempts[-1] if attempts else None
    if last is not None and state_of(last.state) in OVER and not last.state.startswith(COMES_AGAIN):
        return Standing(state_of(last.state), "sacct", _words(last), attempts)
    queued = commands.ask("squeue", "--noheader", "--jobs", job_id, "--format", "%T|%r")
    now = _queued(queued)
    if now is not None:
        return Standing(*now, attempts)
    if last is not None and not last.state.startswith(COMES_AGAIN):
        return Standing(state_of(last.state), "sacct", _words(last), attempts)
    if last is not None and not queued.silent:
        return _between(last, attempts)
    shown = commands.ask("scontrol", "--oneliner", "show", "job", job_id)
    if (match := re.search(r"JobState=(\S+)(?: Reason=(\S+))?.*?ExitCode=(\S+)", shown.text or "")) is not None:
        words = f"{match[1]}, reason {match[2]}, exit code {match[3]}"
        # What is over and not in the queue does not come again: where a site cancels what it preempts.
        left = match[1] == "PREEMPTED" and not queued.silent
        return Standing("failed" if left else state_of(match[1]), "scontrol", words, attempts)
    ended = sentinel(run_folder)
    if ended is not None and ended["job"] == job_id:
        state: State = "completed" if ended["code"] == 0 else "failed"
        return Standing(state, "the job's own file", f"exit code {ended['code']}", attempts)
    problem = queued.problem or shown.problem or "no command of Slurm knows the job"
    return Standing("unknown", "nobody", problem, attempts)


def _between(last: Attempt, attempts: tuple[Attempt, ...]) -> Standing:
    """An attempt has ended after which the job may come again, and the queue does not have it."""
    try:
        since = time.time() - datetime.datetime.fromisoformat(last.end).timestamp()
    except ValueError:
        since = 0.0
    if last.state.startswith("NODE_FAIL") or since > GONE:
        return Standing("failed", "sacct", f"{_words(last)}, and not in the queue since", attempts)
    return Standing("pending", "sacct", _words(last), attempts)


def state_of(word: str) -> State:
    """Slurm's state, such as `CANCELLED by 1000`, as one of ours."""
    return _STATES.get(word.split(maxsplit=1)[0].rstrip("+") if word.split() else "", "unknown")


def accounted(job_id: str) -> tuple[Attempt, ...]:
    """Every attempt that accounting has, oldest first; none where it is off or does not answer."""
    said = commands.ask(
        "sacct", "--duplicates", "--allocations", "--parsable2", "--noheader", "--jobs", job_id, "--format", FIELDS
    )
    found = []
    for line in said.lines:
        cells = line.split("|")
        if len(cells) == len(FIELDS.split(",")) and cells[0] == job_id:
            found.append(_attempt(cells))
    return tuple(found)


def noted(run_folder: Path, job_id: str) -> tuple[Attempt, ...]:
    """What the job itself noted of its attempts; one that was killed counts until its last finished epoch."""
    try:
        lines = [json.loads(line) for line in (run_folder / files.ATTEMPTS).read_text(encoding="utf-8").splitlines()]
        mine = [line for line in lines if line["job"] == job_id]
        begun = {line["attempt"]: line for line in mine if line["event"] == "begun"}
        ended = {line["attempt"]: int(line["at"]) for line in mine if line["event"] == "ended"}
        last = int((run_folder / files.PROGRESS).stat().st_mtime) if (run_folder / files.PROGRESS).is_file() else 0
        return tuple(
            Attempt(
                state="ENDED" if number in ended else "KILLED",
                seconds=max(0, ended.get(number, last if number == max(begun) else int(line["at"])) - int(line["at"])),
                nodes=int(line["nodes"]),
                resources={"gres/gpu": str(line["gpus"]), "cpu": str(line.get("cpus", ""))},
                joules=None,
            )
            for number, line in sorted(begun.items())
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def skew(run_folder: Path, job_id: str, submitted_at: str) -> int:
    """Seconds by which the node's clock is at least ahead of this machine's; negative behind, 0 within `TOLERATED`.

    A job cannot begin before it was submitted, nor have begun in the future.
    """
    try:
        lines = [json.loads(line) for line in (run_folder / files.ATTEMPTS).read_text(encoding="utf-8").splitlines()]
        times = [int(line["at"]) for line in lines if line["job"] == job_id]
        submitted = datetime.datetime.fromisoformat(submitted_at).timestamp()
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    behind, ahead = submitted - min(times, default=submitted), max(times, default=0) - time.time()
    if behind > TOLERATED:
        return -round(behind)
    return round(ahead) if ahead > TOLERATED else 0


def sentinel(run_folder: Path) -> dict[str, object] | None:
    """What the job wrote as its last act, or None."""
    try:
        content = json.loads((run_folder / files.ENDED).read_text(encoding="utf-8"))
        return {"code": int(content["code"]), "job": str(content["job"]), "attempt": int(content["attempt"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _queued(said: commands.Answer) -> tuple[State, str, str] | None:
    for line in said.lines:
        word, _, reason = line.partition("|")
        state = state_of(word)
        if word.startswith("PREEMPTED"):
            return ("running", "squeue", "PREEMPTED, ending")
        return (state, "squeue", f"{word}" + (f" ({reason})" if reason not in ("", "None") else ""))
    return None


def _attempt(cells: list[str]) -> Attempt:
    pairs = (item.partition("=") for item in cells[7].split(",") if "=" in item)
    return Attempt(
        state=cells[1],
        exit_code=cells[2],
        seconds=int(cells[3]) if cells[3].isdigit() else 0,
        start=cells[4],
        end=cells[5],
        nodes=int(cells[6]) if cells[6].isdigit() else 0,
        resources={name: value for name, _, value in pairs},
        joules=float(cells[8]) if cells[8].isdigit() and 0 < int(cells[8]) < NO_VALUE else None,
    )


def _words(attempt: Attempt) -> str:
    return f"{attempt.state}, exit code {attempt.exit_code}"
