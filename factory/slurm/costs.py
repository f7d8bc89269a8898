"""What a job cost: hours of nodes, GPUs and CPUs, energy of the devices and of the site, and what that emits.

Every attempt of every job of the run counts once. A figure that nobody measured is unmeasured, with the reason; last of
all comes an estimate by rated power, which says that it is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from configs.factories.profile import Fact, Profile
from configs.modelling import Factory
from configs.wording import counted
from evidence import records
from evidence.job_records import JobAttempt

MOST_WATTS = 10_000.0
"""More power than any single node draws: an energy above it is a fault of the counter (seen: values near 1e20 J)."""
LEAST_WATTS = 20.0
"""Less than a node draws when idle."""


JOULES_PER_KWH = 3.6e6


def node_hours(attempts: Sequence[JobAttempt], by: str) -> records.Quantity:
    """Hours times nodes of all attempts."""
    return _hours(attempts, by, "node-hours", sum(a.seconds * a.nodes for a in attempts))


def gpu_hours(attempts: Sequence[JobAttempt], by: str) -> records.Quantity:
    """Hours times allocated GPUs of all attempts, whether they were busy or not."""
    return _hours(attempts, by, "GPU-hours", sum(a.seconds * a.gpus for a in attempts))


def cpu_hours(attempts: Sequence[JobAttempt], by: str) -> records.Quantity:
    """Hours times allocated CPUs of all attempts, whether they were busy or not."""
    if any(a.cpus is None for a in attempts):
        method = "unmeasured: not every attempt tells how many CPUs it had"
        return records.Quantity(value=None, unit="CPU-hours", method=method, boundary="job")
    return _hours(attempts, by, "CPU-hours", sum(a.seconds * (a.cpus or 0) for a in attempts))


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
        method=f"ConsumedEnergyRaw of sacct, summed over {counted(len(ran), 'attempt')}{note}",
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


def estimated(
    measured: records.Quantity, attempts: Sequence[JobAttempt], asked: Factory, profile: Profile
) -> records.Quantity:
    """What was measured; where nothing was, rated power times time of the GPUs, said to be an estimate.

    Args:
        measured: What `best` gives.
        attempts: Of all jobs of the run.
        asked: The plan's section; the power that it names goes before that of the profile.
        profile: Of the site.
    """
    watts, whence = _stated(asked.gpu_watts, profile.gpu_watts, profile)
    seconds = sum(a.seconds * a.gpus for a in attempts)
    if measured.value is not None or not watts or not seconds:
        return measured
    why = measured.method.removeprefix("unmeasured: ")
    return records.Quantity(
        value=watts * seconds,
        unit="J",
        method=(
            f"estimate: rated power of {watts:g} W of each allocated GPU ({whence}) times the time it was allocated, "
            f"which GPUs that wait do not draw; not measured: {why}"
        ),
        boundary="device: the GPUs of the job, without processors, memory, network and cooling",
    )


def of_site(measured: records.Quantity, asked: Factory, profile: Profile) -> records.Quantity:
    """The energy of the training times the site's power usage effectiveness (PUE), J."""
    pue, whence = _stated(asked.pue, profile.pue, profile)
    if measured.value is None or pue is None:
        why = "the energy of the job is not known" if measured.value is None else f"no PUE of {profile.name} was found"
        return records.Quantity(value=None, unit="J", method=f"unmeasured: {why}", boundary="site")
    return records.Quantity(
        value=measured.value * pue,
        unit="J",
        method=f"{_what(measured)} times the PUE of the site, {pue:g} ({whence})",
        boundary=f"site: cooling and supply for what the energy of the training covers ({measured.boundary})",
    )


def emissions(measured: records.Quantity, site: records.Quantity, asked: Factory, profile: Profile) -> records.Quantity:
    """Grams of CO2 equivalent of the electricity, by the grid's intensity; of the site's energy where that is known."""
    grams, whence = _stated(asked.grid_g_per_kwh, profile.grid_g_per_kwh, profile)
    base = site if site.value is not None else measured
    if base.value is None or grams is None:
        why = "the energy of the job is not known" if base.value is None else f"no grid intensity of {profile.name}"
        return records.Quantity(value=None, unit="g CO2 eq.", method=f"unmeasured: {why}", boundary="site")
    return records.Quantity(
        value=base.value / JOULES_PER_KWH * grams,
        unit="g CO2 eq.",
        method=f"{_what(base)} times {grams:g} g CO2 eq. per kWh ({whence})",
        boundary=base.boundary,
    )


def _what(energy: records.Quantity) -> str:
    """How to call an energy that another figure rests on."""
    return "estimated energy" if energy.method.startswith("estimate") else "energy"


def _stated(by_plan: float | None, by_site: Fact[float], profile: Profile) -> tuple[float | None, str]:
    """A figure and where it comes from: the plan, or the profile with its source."""
    if by_plan is not None:
        return by_plan, "as the plan states"
    if by_site.value is None or by_site.source is None:
        return None, ""
    source = profile.sources[by_site.source]
    return by_site.value, f"{source.what}, read {source.checked}" + ("" if by_site.confirmed else ", not confirmed")


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
        method=f"elapsed time times what was allocated, by {by}, over {counted(len(attempts), 'attempt')}",
        boundary="job: what the scheduler gave, from start to end of each attempt",
    )
