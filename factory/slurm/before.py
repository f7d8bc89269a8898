"""What can be known before a job is submitted, and before anything is read: by plan, this machine, and Slurm."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from configs import errors
from configs.factories import profile as profiles
from configs.factories.profile import Profile
from configs.modelling import Factory
from factory.slurm import commands, request, script

_REFUSALS = re.compile(
    r"invalid (account|qos|partition|generic resource|feature|node count)|node configuration is not available|"
    r"(time|memory|node count)[\w ]* (is invalid|specification)|violates accounting|not permitted",
    re.IGNORECASE,
)
"""Words of a refusal that lies in what was asked for. Others may pass: a partition that is down today, for example."""
_IDENTITY = re.compile(r"(expired|rewound|replayed|invalid)[\w ]* credential|authentication error", re.IGNORECASE)
"""What munge says where clocks differ by minutes, or where it cannot tell who asks."""
_OF_ONE_MACHINE = ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "overlay")
_IN_MEMORY = ("tmpfs", "ramfs")
GENERIC = "slurm-generic"


def require(asked: Factory, runs: Path) -> None:
    """Can the plan's site be asked from here, and can it give what the plan asks for? Nothing is submitted.

    Args:
        asked: The plan's section.
        runs: The folder in which the run will stand.

    Raises:
        PlanError: The site is unknown, demands something that the plan does not name, or refuses what it names.
        MissingError: There is no Slurm here, a variable that the plan names is not set, image or Python are absent, or
            the runs stand where no compute node sees them.
    """
    profile = profiles.load(asked.site)
    if profile.scheduler == "none":
        return
    ask = request.request(asked, profile)
    commands.require()
    require_image(ask.image)
    if ask.image is None and Path(ask.python).is_absolute() and not Path(ask.python).is_file():
        raise errors.MissingError(
            f"plan factory.python: expected a Python at {ask.python}, got no file. Name the one of the environment "
            "that you made on shared storage: `export PROOFLINE_PYTHON=$PWD/.venv/bin/python`."
        )
    require_shared(runs, profile)
    _require_accepted(ask, profile)
    _require_within_partition(ask, profile)


def require_image(image: str | None) -> None:
    """Refuse a container image that is an address or is not there.

    Raises:
        PlanError: It is an address.
        MissingError: It is absent.
    """
    if image and "://" in image:
        raise errors.PlanError(
            f"plan factory.image: expected a file that compute nodes see, got the address {image}. Compute nodes "
            "have no way out: pull the image on the login node first, and name the file."
        )
    if image and not Path(image).is_file():
        raise errors.MissingError(
            f"plan factory.image: expected a container image at {image}, got no file. Build or pull it on the "
            "login node, on storage that compute nodes share."
        )


def require_shared(runs: Path, profile: Profile) -> None:
    """Refuse a place that no compute node can see, as far as this machine can tell.

    Raises:
        PlanError: Its path cannot stand in a batch script.
        MissingError: It is on storage of this machine alone.
    """
    place = runs.resolve()
    if not re.fullmatch(r"[A-Za-z0-9_./+=@%:,-]+", str(place)):
        raise errors.PlanError(
            f"folder {place}: expected a path of letters, digits and ._-/ for a batch job, got others. "
            "Use `proofline --workspace DIR` with a plain path."
        )
    kind = _file_system(place)
    at_a_known_site = profile.id != GENERIC and kind in _OF_ONE_MACHINE
    if kind in _IN_MEMORY or at_a_known_site:
        what = "a file system in this machine's memory" if kind in _IN_MEMORY else f"a disk of this machine ({kind})"
        known = f" ({profile.storage.value})" if profile.storage.value else ""
        raise errors.MissingError(
            f"folder {place}: expected storage that login and compute nodes of {profile.name} share{known}, got {what}."
            " Use `proofline --workspace DIR` with a folder of your project."
        )


def clocks_differ(problem: str) -> bool:
    """Do these words of Slurm come from clocks that differ, or from an identity that it cannot check?"""
    return _IDENTITY.search(problem) is not None


def unrecognised(profile: Profile, problem: str) -> errors.MissingError:
    """What to say where `clocks_differ`."""
    return errors.MissingError(
        f"Slurm at {profile.name}: expected it to recognise who asks, got: {one_line(problem)} Either the clocks of "
        "this machine and of the scheduler differ by minutes, or munge does not run here: tell the site's support."
    )


def one_line(text: str) -> str:
    """Slurm's words as a sentence."""
    words = " ".join(text.replace("sbatch: error: ", "").replace("allocation failure: ", "").split())
    return words if words.endswith(".") else f"{words}."


def _require_accepted(ask: request.Request, profile: Profile) -> None:
    """Let Slurm itself look at a job of this size, without submitting it."""
    said = commands.ask("sbatch", "--test-only", *script.directives(ask), "--wrap=true")
    if said.text is None and clocks_differ(said.problem):
        raise unrecognised(profile, said.problem)
    if said.text is None and _REFUSALS.search(said.problem):
        raise errors.PlanError(
            f"plan factory: expected what Slurm at {profile.name} accepts, got: {one_line(said.problem)} "
            "Correct account, partition, QoS or size; nothing was submitted."
        )


def _require_within_partition(ask: request.Request, profile: Profile) -> None:
    """Many sites accept a job that is longer or wider than its partition allows, and never start it."""
    if not ask.partition:
        return
    told = commands.ask("scontrol", "--oneliner", "show", "partition", ask.partition).text or ""
    longest = re.search(r"\bMaxTime=(?:(\d+)-)?(\d+):(\d+):(\d+)", told)
    if longest:
        days, hours, minutes = (int(part or 0) for part in longest.groups()[:3])
        most = days * 24 * 60 + hours * 60 + minutes
        if ask.minutes > most:
            raise errors.PlanError(
                f"plan factory.hours: expected at most {most / 60:g}, the limit of partition {ask.partition} of "
                f"{profile.name}, got {ask.minutes / 60:g}. Ask for less: a job that reaches its end saves and is "
                "requeued."
            )
    widest = re.search(r"\bMaxNodes=(\d+)", told)
    if widest and ask.nodes > int(widest[1]):
        raise errors.PlanError(
            f"plan factory.nodes: expected at most {widest[1]}, the limit of partition {ask.partition} of "
            f"{profile.name}, got {ask.nodes}. Ask for fewer."
        )


def _file_system(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        inside = [m for m in mounts if path.is_relative_to(m[1])]
        return max(inside, key=lambda m: len(m[1]))[2] if inside else None
    return None
