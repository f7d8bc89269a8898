"""Trainings as jobs of a real Slurm with two nodes: finished, disturbed, killed, adopted."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from evidence import records
from factory import launchers
from factory.slurm import commands, files, jobs, launcher, states
from tests.factory.slurm import cluster as clusters
from tests.factory.slurm.trainings import LONG, SLOW, check_joined, disturb, epoch_of, train

pytestmark = pytest.mark.slow


def test_two_nodes_train_the_model_of_one(here, ready):
    """Two ranks on two nodes give the curve and the weights of a training on this machine, within float32."""
    training = {"epochs": 4, "patience": 4, "class_weights": "balanced", "batch_size": 50}
    folder, plan, encoded = ready("alone", training=training)
    alone = launchers.LocalLauncher().train(folder, plan, encoded)
    said: list[str] = []
    both = train(ready("both", training=training, factory={"nodes": 2}), said)
    assert both.job is not None
    assert both.job.attempts[0].nodes == 2
    for one, two in zip(alone.curve, both.curve, strict=True):
        assert two.train_loss == pytest.approx(one.train_loss, rel=1e-5)
        assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-5)
    assert any("epoch 4/4" in line for line in said), "the log is followed live"
    assert both.job.script_sha256 in _digest_of_script(ready, "both", folder)


def test_two_nodes_stream_what_one_streams(here, ready):
    """Each rank reads its own part of the shards; together they train as one rank does, within float32."""
    stream = {"lanes": 5, "shuffle_rows": 100}
    training = {"epochs": 4, "patience": 4, "class_weights": "balanced", "loader": "stream", "stream": stream}
    folder, plan, encoded = ready("alone", training=training)
    alone = launchers.LocalLauncher().train(folder, plan, encoded)
    both = train(ready("both", training=training, factory={"nodes": 2}))
    for one, two in zip(alone.curve, both.curve, strict=True):
        assert two.train_loss == pytest.approx(one.train_loss, rel=1e-5)
        assert two.validation_loss == pytest.approx(one.validation_loss, rel=1e-5)


def _digest_of_script(ready: Any, name: str, beside: Any) -> str:
    from evidence import canonical

    return canonical.sha256_file(beside.path.parent / name / jobs.SCRIPT)


def test_a_warned_job_saves_requeues_and_goes_on(here, ready):
    """The signal before the time limit: one attempt saves, the next takes up, nothing is trained twice."""
    made = ready(model=SLOW, training=LONG)
    record = disturb(made, lambda job: here.ask("scancel", "--signal=USR1", "--batch", job))
    check_joined(record)
    assert record.resumed == 1
    assert record.job is not None
    assert len(record.job.attempts) == 2
    assert record.job.gpu_hours.value == 0.0
    assert record.job.node_hours.value is not None
    assert record.job.node_hours.value > 0


def test_a_preempted_job_comes_again(here, ready):
    """A job of higher priority takes the node; ours saves, waits, and goes on."""
    asked = {"cpus_per_node": 4, "partition": "gpu", "directives": ["--nodelist=gpu1"]}
    made = ready(model=SLOW, training=LONG, factory=asked)

    def preempt(job: str) -> None:
        wrap = "sleep 2"
        here.ask("sbatch", "--parsable", "-p", "prio", "-w", "gpu1", "-c", "4", "--wrap", wrap, "-o", "/dev/null")

    record = disturb(made, preempt)
    check_joined(record)
    assert record.resumed == 1


def test_a_job_whose_node_goes_down_goes_on_elsewhere(here, ready):
    """The controller takes a node away: the job is requeued to the other one and loses at most an epoch."""
    made = ready(model=SLOW, training=LONG)
    taken: list[str] = []

    def take(job: str) -> None:
        node = here.ask("squeue", "-h", "-j", job, "-o", "%N").strip()
        taken.append(node)
        here.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    try:
        record = disturb(made, take)
    finally:
        for node in taken:
            here.ask("scontrol", "update", f"nodename={node}", "state=resume")
    check_joined(record)
    assert record.resumed >= 1


def test_a_killed_rank_costs_one_epoch_and_the_job_ends_readably(here, ready):
    """Kill -9 of one of two ranks: the job fails with its last words; going on takes up the checkpoint."""
    made = ready(model=SLOW, training=LONG, factory={"nodes": 2})
    folder = made[0]

    def kill(job: str) -> None:
        for pid in _ranks(folder.path):
            os.kill(pid, signal.SIGKILL)
            break

    sentence = r"expected it to complete, got failed .* last words: .* the last checkpoint is kept"
    with pytest.raises(errors.MissingError, match=sentence):
        disturb(made, kill)
    before = epoch_of(folder)
    record = train(made)
    check_joined(record)
    assert record.resumed == 1
    assert before >= 2
    assert record.job is not None
    assert len({a.job_id for a in record.job.attempts}) == 2, "the failed job's time counts too"


def _ranks(place: Path) -> list[int]:
    """Process numbers of the ranks that train a run folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            is_rank = "factory.job" in words and "torch.distributed.run" not in words and words[0] == sys.executable
            if is_rank and str(place) in words:
                found.append(int(entry.name))
    return found


def test_a_cancelled_job_says_so(here, ready):
    """Scancel by somebody else: cancelled, never failed, and the run can go on."""
    made = ready(model=SLOW, training=LONG)
    with pytest.raises(errors.MissingError, match=r"got cancelled"):
        disturb(made, lambda job: here.ask("scancel", job))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as in a terminal; what is started in the background of a shell ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _press_ctrl_c(job: str) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_leaves_the_job_and_resume_takes_it_up(here, ready, interruptible):
    """Whoever waits is stopped; the job goes on and is waited for again."""
    made = ready(model=SLOW, training=LONG)
    with pytest.raises(KeyboardInterrupt):
        disturb(made, _press_ctrl_c)
    job = jobs.load(made[0])
    assert job is not None
    assert job.job_id is not None
    assert states.standing(job.job_id, made[0].path).state == "running"
    said: list[str] = []
    record = train(made, said)
    assert "adopted" in said[0]
    assert record.job is not None
    assert [a.job_id for a in record.job.attempts] == [job.job_id]


def test_ctrl_c_ends_the_job_where_the_plan_says_so_and_resume_submits_another(here, ready, interruptible):
    """The cancelled job is no failure: its checkpoint is taken up by a new one, and its hours count."""
    made = ready(model=SLOW, training=LONG, factory={"cancel_on_interrupt": True})
    with pytest.raises(KeyboardInterrupt):
        disturb(made, _press_ctrl_c)
    job = jobs.load(made[0])
    assert job is not None
    assert job.job_id is not None
    clusters.until(lambda: states.standing(job.job_id or "", made[0].path).state == "cancelled", "the cancelled job")
    record = train(made)
    check_joined(record)
    assert record.resumed == 1
    assert record.job is not None
    assert len({a.job_id for a in record.job.attempts}) == 2


REFUSALS = {
    "an unknown partition": ({"partition": "moon"}, r"expected Slurm to accept it, got: .*nvalid partition"),
    "more nodes than there are": ({"nodes": 3}, r"got one that never will \(PENDING \(Partition"),
    "more time than the partition gives": ({"hours": 5}, r"got one that never will \(PENDING \(Partition"),
}


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_what_slurm_never_starts_is_said_in_its_words(here, ready, case):
    """One sentence with Slurm's own reason and the section to correct; no job is left noted."""
    asked, sentence = REFUSALS[case]
    made = ready(factory=asked)
    with pytest.raises(errors.PlanError, match=sentence):
        train(made)
    assert jobs.load(made[0]) is None


def _submit_and_die(ready: tuple[Any, ...]) -> None:
    """A process that is killed after sbatch has answered and before it could note the number."""
    folder, plan, encoded = ready
    store = jobs._store

    def die(place: Any, job: jobs.Job) -> jobs.Job:
        if job.job_id:
            os.kill(os.getpid(), signal.SIGKILL)
        return store(place, job)

    jobs._store = die
    launchers.launcher_for(plan.factory).train(folder, plan, encoded)


def test_a_job_is_adopted_never_submitted_twice(here, ready):
    """Kill -9 between sbatch and the note of its number: the next one finds the job by its name."""
    made = ready(training={"epochs": 2})
    process = multiprocessing.get_context("fork").Process(target=_submit_and_die, args=(made,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    noted = jobs.load(made[0])
    assert noted is not None
    assert noted.job_id is None
    said: list[str] = []
    record = train(made, said)
    assert record.epochs == 2
    assert "adopted" in said[0]
    jobs_of_name = [line for line in here.ask("scontrol", "-o", "show", "jobs").splitlines() if noted.name in line]
    assert len(jobs_of_name) == 1


def test_a_job_that_was_replaced_leaves_the_run_alone(here, ready):
    """A job that comes back after another one took its place trains nothing and touches nothing."""
    made = ready(training={"epochs": 2})
    train(made)
    folder = made[0]
    job = jobs.load(folder)
    assert job is not None
    jobs._store(folder, dataclasses.replace(job, name="proofline-another", job_id="999999"))
    kept = {f: (folder.path / f).read_bytes() for f in (files.RECORD, files.ATTEMPTS, files.ENDED, files.PROGRESS)}
    number = here.ask("sbatch", "--parsable", str(folder.path / jobs.SCRIPT)).strip()
    clusters.until(lambda: states.standing(number, folder.path).over, f"the end of job {number}")
    assert states.standing(number, folder.path).state == "completed"
    assert f"job {number} ({job.name}) ends: another job has taken over" in (folder.path / files.LOG).read_text()
    assert kept == {f: (folder.path / f).read_bytes() for f in kept}


def test_two_runs_at_once_each_have_their_job(here, ready):
    """Two flows submit at the same time; each gets its own record back."""
    made = [ready(name, training={"epochs": 2}) for name in ("one", "two")]
    found: list[records.TrainingRecord] = []
    threads = [threading.Thread(target=lambda m=m: found.append(train(m))) for m in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len({r.job.job_id for r in found if r.job}) == 2


def test_a_controller_that_restarts_meanwhile_changes_nothing(here, ready, monkeypatch):
    """Slurm does not answer for a while: unknown, and the waiting goes on."""
    monkeypatch.setattr(commands, "PATIENCE", 0.5)
    made = ready(model=SLOW, training=LONG)

    seen: list[states.State] = []

    def restart(job: str) -> None:
        here.stop_controller()
        seen.append(states.standing(job, made[0].path).state)
        here.start_controller()

    check_joined(disturb(made, restart))
    assert seen == ["unknown"]


def test_without_waiting_a_running_job_ends_the_call(here, ready):
    """`submit` ends at once; `collect` before the end says that it goes on; after it, the record is there."""
    folder, plan, encoded = ready(training={"epochs": 2})
    hurried = launchers.launcher_for(plan.factory, wait=False)
    with pytest.raises(launcher.NotOverError, match=r"expected it to have ended, got (pending|running)"):
        hurried.train(folder, plan, encoded)
    job = jobs.load(folder)
    assert job is not None
    assert job.job_id is not None
    clusters.until(lambda: states.standing(job.job_id, folder.path).over, "the end of the job", seconds=60)
    assert hurried.train(folder, plan, encoded).epochs == 2


def test_a_node_without_any_network_trains(here, ready, tmp_path):
    """Compute nodes have no way out: the job runs in a network of its own, which has not even a loopback that is up."""
    alone = tmp_path / "python"
    alone.write_text(f'#!/bin/sh\nexec unshare --net {sys.executable} "$@"\n')
    alone.chmod(0o755)
    said: list[str] = []
    record = train(ready(training={"epochs": 2}, factory={"python": str(alone)}), said)
    assert record.epochs == 2
    assert record.job is not None
    assert record.job.attempts[-1].state in ("COMPLETED", "ENDED")


def test_a_checkpoint_of_another_plan_is_refused(here, ready):
    """The job ends with our own sentence in its log, and that is the error here, of its own kind."""
    made = ready(training={"epochs": 2})
    train(made)
    jobs.put_aside(made[0], states.Standing("completed", "test", ""))
    (made[0].path / files.RECORD).unlink()
    text = (made[0].path / "plan.yaml").read_text().replace("learning_rate: 0.001", "learning_rate: 0.002")
    (made[0].path / "plan.yaml").write_text(text)
    with pytest.raises(errors.IntegrityError, match="expected one of this plan and these data, got one of others"):
        train(made)
    assert (made[0].path / files.LOG).is_file()
