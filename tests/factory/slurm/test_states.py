"""Where a job stands, told by commands that hang, fail, contradict each other, or have forgotten."""

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
from evidence.job_records import JobAttempt
from evidence.records import Quantity
from factory.slurm import commands, costs, states

LINE = "7|{state}|0:0|{seconds}|2026-11-29T10:00:00|{end}|2|billing=4,cpu=8,gres/gpu=4,node=2|{joules}"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Commands that say what the test wants: `slurm(sacct="…", squeue=None)`; None fails, `hang` sleeps."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def say(**answers: str | None) -> Path:
        for name in ("sacct", "squeue", "scontrol"):
            answer = answers.get(name)
            body = "sleep 60" if answer == "hang" else "exit 1" if answer is None else f"cat <<'X'\n{answer}\nX"
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    return say


def attempt(state: str, seconds: int = 3600, joules: str = "", ago: float = 0.0) -> str:
    """One line of sacct; it ended `ago` seconds before."""
    end = datetime.datetime.fromtimestamp(time.time() - ago).strftime("%Y-%m-%dT%H:%M:%S")  # noqa: DTZ006 - as sacct
    return LINE.format(state=state, seconds=seconds, joules=joules, end=end)


def test_accounting_is_believed_first(slurm):
    """A job that sacct calls completed has completed, though nobody else knows it any more."""
    now = states.standing("7", slurm(sacct=attempt("COMPLETED"), squeue=""))
    assert (now.state, now.said_by, now.attempts[0].gpus) == ("completed", "sacct", 4)


def test_a_preempted_job_that_waits_again_is_pending(slurm):
    """Sacct can go on saying PREEMPTED after the requeue; squeue knows better."""
    place = slurm(sacct=attempt("PREEMPTED"), squeue="PENDING|BeginTime")
    assert states.standing("7", place).state == "pending"


@pytest.mark.parametrize(("state", "ago", "expected"), [
    ("PREEMPTED", 10, "pending"), ("PREEMPTED", 900, "failed"), ("REQUEUED", 900, "failed"), ("NODE_FAIL", 0, "failed"),
])  # fmt: skip
def test_a_job_that_the_queue_has_lost_does_not_wait_for_ever(slurm, state, ago, expected):
    """A site may cancel what it preempts: some minutes after such an end, a job that is in no queue is over."""
    now = states.standing("7", slurm(sacct=attempt(state, ago=ago), squeue=""))
    assert now.state == expected


@pytest.mark.parametrize("state", ["PREEMPTED", "REQUEUED", "NODE_FAIL"])
def test_while_the_queue_hangs_nobody_knows_whether_a_job_comes_again(slurm, monkeypatch, state):
    """After a lost node the job may wait again: only squeue can tell, and its silence is no end."""
    monkeypatch.setattr(commands, "PATIENCE", 0.2)
    now = states.standing("7", slurm(sacct=attempt(state, ago=900), squeue="hang", scontrol="hang"))
    assert now.state == "unknown"
    assert not now.over


def test_a_preempted_job_that_only_the_controller_remembers_is_over(slurm):
    """Without accounting: what scontrol calls preempted and the queue does not have will not come again."""
    place = slurm(squeue="", scontrol="JobId=7 JobName=x JobState=PREEMPTED Reason=None ExitCode=0:0")
    assert states.standing("7", place).state == "failed"


ENDS = {"CANCELLED by 0": "cancelled", "TIMEOUT": "timeout", "FAILED": "failed", "OUT_OF_MEMORY": "failed"}


@pytest.mark.parametrize(("last", "expected"), ENDS.items())
def test_the_last_attempt_counts(slurm, last, expected):
    """Of several lines for one job the last is where it stands, and all of them are attempts."""
    now = states.standing("7", slurm(sacct=attempt("PREEMPTED", 60) + "\n" + attempt(last), squeue=""))
    assert (now.state, len(now.attempts)) == (expected, 2)


def test_without_accounting_the_controller_tells(slurm):
    """Squeue while the job is there, scontrol while it is remembered."""
    assert states.standing("7", slurm(squeue="RUNNING|None")).said_by == "squeue"
    place = slurm(squeue="", scontrol="JobId=7 JobName=x JobState=FAILED Reason=NonZeroExitCode ExitCode=3:0")
    now = states.standing("7", place)
    assert (now.state, now.said_by) == ("failed", "scontrol")


def test_the_job_s_own_file_tells_last_and_only_of_this_job(slurm):
    """When all have forgotten, what the job left behind counts, if it is this job's."""
    place = slurm(squeue="")
    (place / "training").mkdir()
    ended = place / "training/job.ended"
    ended.write_text(json.dumps({"code": 0, "job": "7", "attempt": 1}))
    assert states.standing("7", place).state == "completed"
    ended.write_text(json.dumps({"code": 0, "job": "6", "attempt": 1}))
    assert states.standing("7", place).state == "unknown"
    ended.write_text('{"code": 0, "job"')
    assert states.standing("7", place).state == "unknown"


def test_a_command_that_hangs_means_unknown_never_failed(slurm, monkeypatch):
    """Nobody answers: nobody knows."""
    monkeypatch.setattr(commands, "PATIENCE", 0.2)
    now = states.standing("7", slurm(sacct="hang", squeue="hang", scontrol="hang"))
    assert now.state == "unknown"
    assert not now.over
    assert "did not answer within" in now.words


def test_a_word_that_is_new_is_unknown():
    """A state of a later Slurm is not taken for an end."""
    assert states.state_of("TELEPORTED") == "unknown"


def test_without_slurm_one_sentence_says_so(monkeypatch):
    """No commands on the PATH."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(errors.MissingError, match="Slurm: expected the commands sbatch"):
        commands.require()


def _attempts(*pairs: tuple[int, float | None]) -> list[JobAttempt]:
    return [JobAttempt(job_id="7", state="X", seconds=s, nodes=2, gpus=8, joules=j) for s, j in pairs]


def test_hours_of_requeued_attempts_add_up():
    """Two attempts of an hour and half an hour on eight GPUs are twelve GPU-hours and three node-hours."""
    found = _attempts((3600, None), (1800, None))
    assert costs.gpu_hours(found, "sacct").value == pytest.approx(12.0)
    assert costs.node_hours(found, "sacct").value == pytest.approx(3.0)


@pytest.mark.parametrize("joules", [1e20, 1.0, None])
def test_energy_that_no_node_can_draw_is_refused(joules):
    """One implausible or absent figure among the attempts: no sum, and the reason."""
    told = costs.energy(_attempts((3600, 5e6), (3600, joules)), profiles.load("lumi"))
    assert told is not None
    assert told.value is None
    assert "not plausible" in told.method


def test_plausible_energy_is_summed_with_its_boundary():
    """700 W a node over two attempts; a site without figures says nothing at all."""
    told = costs.energy(_attempts((3600, 5.04e6), (1800, 2.52e6)), profiles.load("lumi"))
    assert told is not None
    assert told.value == pytest.approx(7.56e6)
    assert told.boundary.startswith("node")
    assert costs.energy(_attempts((3600, None)), profiles.load("lumi")) is None


def test_what_the_job_measured_counts_where_the_scheduler_has_nothing_plausible():
    """A refused figure does not hide a measured one: the method then holds the reason too."""
    by_job = Quantity(value=5.0, unit="J", method="NVML", boundary="device")
    none = Quantity(value=None, unit="J", method="unmeasured: no counter", boundary="device")
    refused = costs.energy(_attempts((3600, 1e20)), profiles.load("lumi"))
    told = costs.energy(_attempts((3600, 5e6)), profiles.load("lumi"))
    assert costs.best(told, by_job) == told
    assert costs.best(None, by_job) == by_job
    assert costs.best(refused, none) == refused
    found = costs.best(refused, by_job)
    assert found.value == 5.0
    assert found.method.startswith("NVML; the scheduler's figure for 1 of 1 attempts is not plausible")


def _joules(value: float | None, method: str = "unmeasured: no counter") -> Quantity:
    return Quantity(value=value, unit="J", method=method, boundary="device")


def test_rated_power_times_time_comes_last_and_says_that_it_is_an_estimate():
    """Eight GPUs of 400 W for an hour; never where something was measured, and never without a rated power."""
    hour, karolina, asked = _attempts((3600, None)), profiles.load("karolina"), Factory(site="karolina")
    found = costs.estimated(_joules(None), hour, asked, karolina)
    assert found.value == pytest.approx(8 * 400 * 3600)
    assert found.method.startswith("estimate: rated power of 400 W of each allocated GPU")
    assert found.method.endswith("not measured: no counter")
    assert "not confirmed" in found.method
    assert costs.estimated(_joules(5.0, "NVML"), hour, asked, karolina).value == 5.0
    assert costs.estimated(_joules(None), hour, asked, profiles.load("lumi")).value is None
    named = Factory(site="lumi", gpu_watts=280)
    assert costs.estimated(_joules(None), hour, named, profiles.load("lumi")).value == pytest.approx(8 * 280 * 3600)


def test_energy_of_the_site_and_emissions_follow_from_stated_figures():
    """1 kWh at a PUE of 1.2 on a grid of 50 g: 60 g. What nobody stated leaves the figure unmeasured, and says so."""
    kwh, lumi = _joules(3.6e6, "NVML"), profiles.load("lumi")
    asked = Factory(site="lumi", pue=1.2, grid_g_per_kwh=50)
    site = costs.of_site(kwh, asked, lumi)
    assert site.value == pytest.approx(4.32e6)
    assert site.boundary.startswith("site")
    assert "as the plan states" in site.method
    assert costs.emissions(kwh, site, asked, lumi).value == pytest.approx(60.0)
    bare = Factory(site="lumi")
    without = costs.of_site(kwh, bare, lumi)
    assert without.value is None
    assert without.method == "unmeasured: no PUE of LUMI-G was found"
    by_grid = costs.emissions(kwh, without, bare, lumi)
    assert by_grid.value == pytest.approx(lumi.grid_g_per_kwh.value)
    assert by_grid.boundary == "device"
    assert "Ember" in by_grid.method
    for quantity in (costs.of_site(_joules(None), asked, lumi), costs.emissions(_joules(None), without, asked, lumi)):
        assert quantity.value is None
        assert "not known" in quantity.method


def test_cpu_hours_need_every_attempt_to_tell():
    """Two attempts of an hour on 16 CPUs; one of which nobody told leaves none."""
    found = [a.model_copy(update={"cpus": 16}) for a in _attempts((3600, None), (3600, None))]
    assert costs.cpu_hours(found, "sacct").value == pytest.approx(32.0)
    assert costs.cpu_hours([found[0], *_attempts((60, None))], "sacct").value is None


def test_slurm_s_number_for_none_is_no_energy(slurm):
    """18446744073709551614 J is how Slurm says that it has no figure."""
    (found,) = states.standing("7", slurm(sacct=attempt("COMPLETED", joules=str(2**64 - 2)), squeue="")).attempts
    assert found.joules is None
