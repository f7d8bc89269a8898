"""What a job cost: hours of nodes and GPUs, and energy where the scheduler's figure is plausible.

Every attempt of every job of the run counts once. A figure that nobody measured is unmeasured, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence

from configs.factories.profile import Profile
from evidence import records
from evidence.job_records import JobAttempt

MOST_WATTS = 10_000.0
"""More power than any single node draws: an energy above it is a fault of the counter (seen: values near 1e20 J)."""
LEAST_WATTS = 20.0
"""Less than a node draws when idle."""


def node_hours(attempts: Sequence[JobAttempt], by: str) -> records.Quantity:
    """Hours times nodes of all attempts."""
    return _hours(attempts, by, "node-hours", sum(a.seconds * a.nodes for a in attempts))


def gpu_hours(attempts: Sequence[JobAttempt], by: str) -> records.Quantity:
    """Hours times allocated GPUs of all attempts, whether they were busy or not."""
    return _hours(attempts, by, "GPU-hours", sum(a.seconds * a.gpus for a in attempts))


def energy(attempts: Sequence[JobAttempt], profile: Profile) -> records.Quantity | None:
    """Energy by the scheduler's accounting, J; None where it says nothing, so that another method is asked.

    A sum is given only where every attempt that ran has a plausible figure: between 20 W and 10 kW a node.
    """
    ran = [a for a in attempts if a.seconds > 0]
    told = [a for a in ran if a.joules]
    if not told:
        return None
    doubtful = [a for a in ran if not _plausible(a)]
    if doubtful:
        worst = doubtful[0]
        watts = (worst.joules or 0.0) / (worst.seconds * max(1, worst.nodes))
        return records.Quantity(
            value=None,
            unit="J",
            method=(
                f"unmeasured: the scheduler's figure for {len(doubtful)} of {len(ran)} attempts is not plausible "
                f"({watts:.3g} W a node, outside {LEAST_WATTS:g} to {MOST_WATTS:g})"
            ),
            boundary="node",
        )
    note = f"; {profile.energy.value}" if profile.energy.value else ""
    return records.Quantity(
        value=sum(a.joules or 0.0 for a in ran),
        unit="J",
        method=f"ConsumedEnergyRaw of sacct, summed over {len(ran)} attempts{note}",
        boundary="node: everything in the job's nodes, without network, storage and cooling",
    )


def best(by_scheduler: records.Quantity | None, by_job: records.Quantity) -> records.Quantity:
    """The scheduler's figure where it is one; otherwise what the job measured itself, and why the other was refused."""
    if by_scheduler is None or by_scheduler.value is not None:
        return by_scheduler or by_job
    if by_job.value is None:
        return by_scheduler
    refused = by_scheduler.method.removeprefix("unmeasured: ")
    return by_job.model_copy(update={"method": f"{by_job.method}; {refused}"})


def _plausible(attempt: JobAttempt) -> bool:
    if attempt.joules is None:
        return False
    return LEAST_WATTS <= attempt.joules / (attempt.seconds * max(1, attempt.nodes)) <= MOST_WATTS


def _hours(attempts: Sequence[JobAttempt], by: str, unit: str, seconds: int) -> records.Quantity:
    if not attempts:
        return records.Quantity(
            value=None,
            unit=unit,
            method="unmeasured: neither the site's accounting nor the job itself told of it",
            boundary="job",
        )
    return records.Quantity(
        value=seconds / 3600,
        unit=unit,
        method=f"elapsed time times what was allocated, by {by}, over {len(attempts)} attempts",
        boundary="job: what the scheduler gave, from start to end of each attempt",
    )
