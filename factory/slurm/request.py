"""What a job asks of a site: the plan laid over the site's profile, refused before submission where it cannot work."""

from __future__ import annotations

import dataclasses
import os

from configs.errors import MissingError, PlanError
from configs.factories.profile import Partition, Profile
from configs.modelling import Factory

CPUS_WITHOUT_GPU = 2


@dataclasses.dataclass(frozen=True)
class Request:
    """One job in the terms of the scheduler."""

    account: str | None
    partition: str | None
    qos: str | None
    nodes: int
    gpus_per_node: int
    gpu_flag: str
    gpu_type: str | None
    cpus_per_node: int
    memory_gb: float | None
    minutes: int
    module_path: str | None
    modules: tuple[str, ...]
    environment: dict[str, str]
    runtime: str | None
    runtime_flag: str | None
    image: str | None
    python: str
    directives: tuple[str, ...]
    warn_seconds: int
    restarts: int


def request(asked: Factory, profile: Profile) -> Request:
    """Lay the plan's section `factory` over a profile.

    Raises:
        PlanError: The site demands something that the plan does not name, or refuses what it names.
    """
    partition = profile.partition(asked.partition)
    image, python = _place("image", asked.image), _place("python", asked.python)
    _require_named(asked, profile)
    _require_within(asked, profile, partition)
    return Request(
        account=asked.account,
        partition=asked.partition or (partition.name if partition else None),
        qos=asked.qos,
        nodes=asked.nodes,
        gpus_per_node=asked.gpus_per_node,
        gpu_flag=asked.gpu_flag or profile.gpu_flag.value or "gres",
        gpu_type=asked.gpu_type,
        cpus_per_node=_cpus(asked, profile),
        memory_gb=_memory(asked, profile),
        minutes=max(1, round(asked.hours * 60)),
        module_path=profile.module_path.value if asked.modules is None else None,
        modules=asked.modules if asked.modules is not None else profile.modules.value or (),
        environment={**(profile.environment.value or {}), **asked.environment},
        runtime=(profile.container.value or "apptainer") if image else None,
        runtime_flag=profile.container_flag.value if image and asked.gpus_per_node else None,
        image=image,
        python=python or "python",
        directives=asked.directives,
        warn_seconds=asked.warn_seconds,
        restarts=asked.restarts,
    )


def _place(field: str, text: str | None) -> str | None:
    """A place on the site's storage: as the plan names it, or from a variable of the environment (`$NAME`).

    A plan travels with its bundle and may name no place of a machine; a variable keeps it out.

    Raises:
        MissingError: The variable is not set.
    """
    if text is None or not text.startswith("$"):
        return text
    found = os.environ.get(text[1:])
    if not found:
        raise MissingError(
            f"plan factory.{field}: expected the variable {text[1:]} in the environment, got none. "
            f"Set it on the login node: export {text[1:]}=/…"
        )
    return found


def _require_named(asked: Factory, profile: Profile) -> None:
    if profile.account.value == "required" and not asked.account:
        form = f", of the form {profile.account_form.value}" if profile.account_form.value else ""
        raise _refusal(
            "account", f"the account that {profile.name} bills{form}", "none", "Your project's page names it."
        )
    if profile.qos_rule.value == "required" and not asked.qos:
        known = ", ".join(q.name for q in profile.qos) or "one of your project"
        raise _refusal("qos", f"a quality of service, which {profile.name} demands ({known})", "none", "Add it.")


def _require_within(asked: Factory, profile: Profile, partition: Partition | None) -> None:
    """Refuse what the profile knows the site cannot give. What it does not know is left to the scheduler."""
    where = f"partition {partition.name} of {profile.name}" if partition else profile.name
    gpus = (partition.gpus_per_node if partition else None) or profile.gpus_per_node.value
    if gpus is not None and asked.gpus_per_node > gpus:
        raise _refusal(
            "gpus_per_node", f"at most {gpus}, which a node of {where} has", asked.gpus_per_node, "Ask for more nodes."
        )
    if partition and partition.nodes and asked.nodes > partition.nodes:
        raise _refusal("nodes", f"at most {partition.nodes}, the limit of {where}", asked.nodes, "Ask for fewer.")
    quality = profile.quality(asked.qos)
    known = (partition and partition.hours) or (quality and quality.hours)
    for hours, name in (
        (profile.job_hours.value if not known and asked.gpus_per_node else None, profile.name),
        (partition.hours if partition else None, where),
        (quality.hours if quality else None, f"QoS {asked.qos}"),
    ):
        if hours is not None and asked.hours > hours:
            raise _refusal(
                "hours", f"at most {hours:g}, the limit of {name}", f"{asked.hours:g}",
                "Ask for less: a job that reaches its end saves and is requeued.",
            )  # fmt: skip
    if quality and quality.nodes and asked.nodes > quality.nodes:
        raise _refusal("nodes", f"at most {quality.nodes}, the limit of QoS {asked.qos}", asked.nodes, "Ask for fewer.")
    if asked.warn_seconds >= asked.hours * 3600:
        raise _refusal(
            "warn_seconds", f"less than the job's {asked.hours * 3600:g} seconds", asked.warn_seconds, "Shorten it."
        )
    if profile.memory.value == "omit" and asked.memory_gb is not None:
        raise _refusal(
            "memory_gb", f"none, because {profile.name} refuses jobs that name it", asked.memory_gb, "Remove it."
        )
    if profile.cpus_rule.value == "exactly" and asked.cpus_per_node is not None:
        needed = _per_gpu(profile) * asked.gpus_per_node
        if asked.cpus_per_node != needed:
            raise _refusal("cpus_per_node", f"exactly {needed} at {profile.name}", asked.cpus_per_node, "Leave it out.")


def _per_gpu(profile: Profile) -> int:
    return profile.cpus_per_gpu.value or CPUS_WITHOUT_GPU


def _cpus(asked: Factory, profile: Profile) -> int:
    if asked.cpus_per_node is not None:
        return asked.cpus_per_node
    return _per_gpu(profile) * asked.gpus_per_node if asked.gpus_per_node else CPUS_WITHOUT_GPU


def _memory(asked: Factory, profile: Profile) -> float | None:
    if asked.memory_gb is not None or profile.memory.value != "set":
        return asked.memory_gb
    per_gpu = profile.memory_per_gpu_gb.value
    return per_gpu * max(1, asked.gpus_per_node) if per_gpu else None


def _refusal(field: str, expected: str, got: object, what_to_do: str) -> PlanError:
    return PlanError(f"plan factory.{field}: expected {expected}, got {got}. {what_to_do}")
