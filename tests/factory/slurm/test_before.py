"""What a newcomer gets wrong is said in one sentence, before anything is read or submitted."""

from __future__ import annotations

import datetime
import json
import os
import stat
import time
from pathlib import Path

import pytest

from configs import errors
from configs.factories import profile as profiles
from configs.modelling import Factory
from factory.slurm import before, states

SIZE = {"site": "slurm-generic", "gpus_per_node": 0, "cpus_per_node": 1, "hours": 0.2}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's commands that say what the test wants: `slurm(sbatch=(1, "…"), scontrol=(0, "…"))`."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    def say(**answers: tuple[int, str]) -> Path:
        for name in ("sbatch", "squeue", "scontrol", "scancel"):
            code, text = answers.get(name, (0, ""))
            path = place / name
            path.write_text(f"#!/bin/sh\ncat >&{2 if code else 1} <<'X'\n{text}\nX\nexit {code}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    return say


def asked(**more: object) -> Factory:
    """The plan's section."""
    return Factory.model_validate(SIZE | more)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("allocation failure: Invalid account or account/partition combination specified", "Invalid account"),
        (
            "sbatch: error: invalid partition specified: x\nallocation failure: Invalid partition name specified",
            "invalid",
        ),
        ("allocation failure: Requested node configuration is not available", "Requested node configuration"),
        ("allocation failure: Invalid qos specification", "Invalid qos specification"),
        ("allocation failure: Job violates accounting/QOS policy (job submit limit)", "violates accounting"),
    ],
)
def test_what_slurm_refuses_is_said_before_anything_runs(slurm, said, expected):
    """Slurm is asked for a job of this size without submitting it; its words follow, in one line."""
    place = slurm(sbatch=(1, said))
    with pytest.raises(
        errors.PlanError, match=f"^plan factory: expected what Slurm at .* accepts, got: .*{expected}"
    ) as e:
        before.require(asked(), place)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("said", ["Requested partition not available now", "Unable to contact slurm", "?"])
def test_what_may_pass_refuses_nothing(slurm, said):
    """A partition that is down today, or no answer, is left to the submission."""
    before.require(asked(), slurm(sbatch=(1, said)))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"hours": 5}, "hours: expected at most 2, the limit of partition gpu"),
        ({"nodes": 9}, "nodes: expected at most 4"),
    ],
)
def test_the_partition_s_own_limits_are_asked_for(slurm, more, expected):
    """Many sites accept a job that is too long or too wide, and let it wait for ever."""
    place = slurm(scontrol=(0, "PartitionName=gpu AllowGroups=ALL MaxNodes=4 MaxTime=0-02:00:00 MinNodes=0"))
    with pytest.raises(errors.PlanError, match=f"^plan factory.{expected}"):
        before.require(asked(partition="gpu", **more), place)


def test_a_partition_without_limits_takes_all(slurm):
    """UNLIMITED is no number."""
    before.require(
        asked(partition="gpu", hours=300), slurm(scontrol=(0, "PartitionName=gpu MaxNodes=UNLIMITED MaxTime=UNLIMITED"))
    )


@pytest.mark.parametrize("said", ["Rewound credential", "Expired credential", "Protocol authentication error"])
def test_clocks_that_differ_are_named(slurm, said):
    """What munge says of clocks is no fault of the plan."""
    with pytest.raises(errors.MissingError, match=r"Either the clocks of this machine and of the scheduler differ"):
        before.require(asked(), slurm(sbatch=(1, f"sbatch: error: munge: {said}")))


def test_what_stands_nowhere_is_missed_before_anything_runs(slurm, tmp_path):
    """Image and Python of the job."""
    slurm()
    with pytest.raises(errors.MissingError, match=r"factory\.image: expected a container image at /no/image\.sif"):
        before.require(asked(image="/no/image.sif"), tmp_path)
    with pytest.raises(errors.PlanError, match=r"factory\.image: expected a file that compute nodes see"):
        before.require(asked(image="docker://pytorch"), tmp_path)
    with pytest.raises(errors.MissingError, match=r"factory\.python: expected a Python at /no/python, got no file"):
        before.require(asked(python="/no/python"), tmp_path)


@pytest.mark.parametrize(
    ("kind", "site", "refused"),
    [
        ("tmpfs", "slurm-generic", True),
        ("ext4", "slurm-generic", False),
        ("xfs", "lumi", True),
        ("lustre", "lumi", False),
    ],
)
def test_storage_of_one_machine_is_refused(monkeypatch, tmp_path, kind, site, refused):
    """Memory is never shared; a plain disk is none of the shared storage of a site that is known."""
    monkeypatch.setattr(before, "_file_system", lambda path: kind)
    if not refused:
        before.require_shared(tmp_path, profiles.load(site))
        return
    with pytest.raises(errors.MissingError, match=r"expected storage that login and compute nodes of .* share"):
        before.require_shared(tmp_path, profiles.load(site))


def test_a_folder_whose_name_no_script_can_hold_is_refused(tmp_path):
    """A space would be two words."""
    with pytest.raises(errors.PlanError, match="expected a path of letters"):
        before.require_shared(tmp_path / "my runs", profiles.load("slurm-generic"))


@pytest.mark.parametrize(("shift", "told"), [(0, 0), (30, 0), (-400, -1), (400, 1)])
def test_clocks_of_nodes_that_differ_are_noticed(tmp_path, shift, told):
    """A job that began before it was submitted, or will have begun, tells how far the node's clock is off at least."""
    (tmp_path / "training").mkdir()
    now = int(time.time())
    lines = [{"event": "begun", "job": "7", "attempt": 0, "nodes": 1, "gpus": 0, "at": now + shift}]
    (tmp_path / "training/job.attempts").write_text("".join(json.dumps(line) + "\n" for line in lines))
    submitted = datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat()
    found = states.skew(tmp_path, "7", submitted)
    assert (found > 0) - (found < 0) == told
    assert states.skew(tmp_path / "none", "7", submitted) == 0
