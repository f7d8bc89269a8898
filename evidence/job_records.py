"""The record of a batch job that trained a model: what was asked, what ran, what it used. Names no node and no user."""

from __future__ import annotations

from typing import Literal

from evidence.record_base import Quantity, Record, Sha256, UtcTime

SCRIPT = "training/job.sh"
"""The script of the job, in the run folder."""


class JobAttempt(Record):
    """One time that the job ran. A job that was requeued ran several times."""

    job_id: str
    state: str
    """In the scheduler's word."""
    seconds: int
    nodes: int
    gpus: int
    joules: float | None = None
    """What the scheduler's accounting says of energy, unjudged; None where it says nothing."""


class JobRecord(Record):
    """Where and how a training ran as a batch job."""

    version: Literal[1] = 1
    site: str
    """Identifier of the site profile."""
    profile_checked: str | None
    """Day of the newest source of the profile."""
    job_id: str
    job_name: str
    script_sha256: Sha256
    """Of `training/job.sh` in the run folder."""
    submitted_at: UtcTime
    accounting: str
    """Which command told of the attempts."""
    attempts: tuple[JobAttempt, ...]
    gpu_hours: Quantity
    node_hours: Quantity
