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
    cpus: int | None = None
    """CPUs of all nodes; None where nobody told, and in records from before it was recorded."""
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
    cpu_hours: Quantity | None = None
    """None in records from before it was recorded, as with the two below."""
    site_energy: Quantity | None = None
    """Energy of the training with what the site's cooling and supply draw for it."""
    emissions: Quantity | None = None
    """Of the electricity, by the intensity of the grid."""


def figures(job: JobRecord | None) -> dict[str, float | None]:
    """Numbers of a job for the lineage, by key; none of a training on this machine."""
    if job is None:
        return {}
    found = {
        "gpu_hours": job.gpu_hours,
        "node_hours": job.node_hours,
        "cpu_hours": job.cpu_hours,
        "site_energy_J": job.site_energy,
        "emissions_gCO2e": job.emissions,
    }
    return {f"training/{name}": quantity.value if quantity else None for name, quantity in found.items()}
