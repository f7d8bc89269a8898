"""A site profile: what its machines are, what a job must ask for, and who said so.

Nothing about a site is code. Each fact names its source, the day of reading and whether a second reading or the site
itself confirmed it; what nobody has stated is null, and is never guessed.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import pydantic
from pydantic import Field, StringConstraints, model_validator

from configs import strict_yaml
from configs.base import Section, Text
from configs.errors import IntegrityError, PlanError

PLACE = Path(__file__).parent
SUFFIX = ".yaml"
Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
Openness = Literal["yes", "no"]
T = TypeVar("T")


class Source(Section):
    """Where something was read, and when."""

    what: Text
    checked: Date


class Fact(Section, Generic[T]):
    """A value that a site stated, or null where none was found."""

    value: T | None
    source: Text | None = None
    """Key in the profile's `sources`; needed where there is a value."""
    confirmed: bool = False
    """Was it read at the site itself or in two independent places? False: one guide, or doubtful."""
    note: Text | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if self.value is not None and self.source is None:
            raise ValueError("expected a source for a value, got none")
        return self


UNKNOWN: Any = Fact[Any](value=None)
"""Nobody has stated it."""


class Partition(Section):
    """A queue."""

    name: Text
    hours: float | None = Field(default=None, gt=0)
    """Longest time of a job."""
    nodes: int | None = Field(default=None, ge=1)
    """Most nodes of a job."""
    whole_nodes: bool = False
    """Are nodes given, and billed, whole?"""
    gpus_per_node: int | None = Field(default=None, ge=1)
    """Where it differs from that of the profile."""
    qos: tuple[Text, ...] = ()
    """Qualities of service that jobs here name."""
    note: Text | None = None


class QualityOfService(Section):
    """A quality of service (QoS) with its limits."""

    name: Text
    hours: float | None = Field(default=None, gt=0)
    nodes: int | None = Field(default=None, ge=1)
    note: Text | None = None


class Profile(Section):
    """What a job at a site has to say, and what it meets there."""

    id: Id
    name: Text
    operator: Text
    country: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|–)$")]
    scheduler: Literal["slurm", "none"]
    sources: dict[str, Source]
    architecture: Fact[Literal["x86_64", "aarch64"]] = UNKNOWN
    """Of the nodes that compute."""
    login_architecture: Fact[Literal["x86_64", "aarch64"]] = UNKNOWN
    accelerator: Fact[Text] = UNKNOWN
    """Model of a GPU as the scheduler counts them."""
    stack: Fact[Literal["cuda", "rocm"]] = UNKNOWN
    gpus_per_node: Fact[Annotated[int, Field(ge=1)]] = UNKNOWN
    gpu_memory_gb: Fact[Annotated[float, Field(gt=0)]] = UNKNOWN
    gpu_watts: Fact[Annotated[float, Field(gt=0)]] = UNKNOWN
    """Rated power of one GPU: the last resort of an energy estimate."""
    cpus_per_node: Fact[Annotated[int, Field(ge=1)]] = UNKNOWN
    """CPUs that jobs may ask for."""
    gpu_flag: Fact[Literal["gres", "gpus-per-node", "gpus"]] = UNKNOWN
    """How GPUs are asked for."""
    account: Fact[Literal["required", "optional"]] = UNKNOWN
    account_form: Fact[Text] = UNKNOWN
    """What accounts look like, with N or X for what differs."""
    qos_rule: Fact[Literal["required", "optional"]] = UNKNOWN
    qos: tuple[QualityOfService, ...] = ()
    partitions: Fact[Annotated[tuple[Partition, ...], Field(min_length=1)]] = UNKNOWN
    """The first is taken where the plan names none."""
    job_hours: Fact[Annotated[float, Field(gt=0)]] = UNKNOWN
    """Longest time of a job whose partition and QoS name no limit here."""
    cpus_per_gpu: Fact[Annotated[int, Field(ge=1)]] = UNKNOWN
    cpus_rule: Fact[Literal["exactly", "at_most"]] = UNKNOWN
    memory: Fact[Literal["omit", "set"]] = UNKNOWN
    """`omit`: a job that asks for memory is refused. `set`: it must ask."""
    memory_per_gpu_gb: Fact[Annotated[float, Field(gt=0)]] = UNKNOWN
    container: Fact[Literal["apptainer", "singularity"]] = UNKNOWN
    container_flag: Fact[Literal["--nv", "--rocm"]] = UNKNOWN
    container_image: Fact[Text] = UNKNOWN
    """An image of the site that has torch, where there is one."""
    module_path: Fact[Text] = UNKNOWN
    """Where the modules below are found, for `module use`."""
    modules: Fact[tuple[Text, ...]] = UNKNOWN
    """Loaded before the container runtime or Python."""
    environment: Fact[dict[str, str]] = UNKNOWN
    """Variables that communication between nodes needs there."""
    compute_internet: Fact[Openness] = UNKNOWN
    login_internet: Fact[Openness] = UNKNOWN
    login_limit: Fact[Text] = UNKNOWN
    """What login nodes do to long processes."""
    storage: Fact[Text] = UNKNOWN
    """Where run folders belong: shared by login and compute nodes."""
    preemption: Fact[Text] = UNKNOWN
    energy: Fact[Text] = UNKNOWN
    """Which energy counters can be read, and how far they can be trusted."""
    pue: Fact[Annotated[float, Field(ge=1)]] = UNKNOWN
    """Power usage effectiveness of the site: site energy over device energy."""
    grid_g_per_kwh: Fact[Annotated[float, Field(ge=0)]] = UNKNOWN
    """Grams of CO2 equivalent per kWh of the grid."""
    billing: Fact[Text] = UNKNOWN
    access: Fact[Text] = UNKNOWN
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _sources_known(self) -> Self:
        for name in type(self).model_fields:
            found = getattr(self, name)
            if isinstance(found, Fact) and found.source is not None and found.source not in self.sources:
                raise ValueError(f"{name}: source '{found.source}' is unknown; known are {', '.join(self.sources)}")
        return self

    @property
    def facts(self) -> dict[str, Fact[object]]:
        """Every fact by its field, those without a value too."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: fact for name, fact in found.items() if isinstance(fact, Fact)}

    def partition(self, name: str | None) -> Partition | None:
        """A partition by name; the first where none is named. None: this profile does not know it."""
        known = self.partitions.value or ()
        if name is None:
            return known[0] if known else None
        return next((p for p in known if p.name == name), None)

    def quality(self, name: str | None) -> QualityOfService | None:
        """A QoS by name, or None where this profile does not know it."""
        return next((q for q in self.qos if q.name == name), None)


@functools.cache
def names() -> tuple[str, ...]:
    """Identifiers of the profiles that ship."""
    return tuple(sorted(p.stem for p in PLACE.glob(f"*{SUFFIX}")))


@functools.cache
def load(site: str) -> Profile:
    """The profile of a site, by identifier or name, upper and lower case alike.

    Raises:
        PlanError: There is none of that name.
        IntegrityError: Its file does not satisfy the form.
    """
    wanted = site.strip().lower()
    if wanted not in names():
        by_name = {load(name).name.lower(): name for name in names()}
        close = [name for name in names() if name.replace("-", "") == wanted.replace(" ", "").replace("-", "")]
        wanted = by_name.get(wanted) or (close[0] if close else "")
    if not wanted:
        raise PlanError(
            f"factory '{site}': expected one of {', '.join(names())}, got another. "
            "See `proofline factories`; for a Slurm cluster that is not listed take slurm-generic."
        )
    path = PLACE / f"{wanted}{SUFFIX}"
    try:
        return Profile.model_validate(strict_yaml.parse(path.read_text(encoding="utf-8"), path.name))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise IntegrityError(
            f"factory profile {path.name}, {'.'.join(map(str, first['loc']))}: {first['msg']}. "
            "Restore the file from the release."
        ) from None
