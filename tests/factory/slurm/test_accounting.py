"""Trainings on a real Slurm whose accounting is on: slurmdbd on a MariaDB. States, hours, energy, accounts."""

from __future__ import annotations

import pytest

from configs import errors
from configs.modelling import Factory
from factory import launchers
from factory.slurm import before, jobs, launcher, states
from tests.factory.slurm import cluster as clusters
from tests.factory.slurm.trainings import LONG, SLOW, check_joined, disturb, train

pytestmark = pytest.mark.slow
MINE = {"account": clusters.ACCOUNT}
TREE = {"gpus_per_node": 2, "nodes": 1}


def finished(ready, accounted, **sections):
    """A training whose job has ended and is not collected yet, and its number."""
    folder, plan, encoded = ready(**sections)
    hurried = launchers.launcher_for(plan.factory, wait=False)
    with pytest.raises(launcher.NotOverError):
        hurried.train(folder, plan, encoded)
    job = jobs.load(folder).job_id
    clusters.until(lambda: states.standing(job, folder.path).over, f"the end of job {job}", seconds=90)
    return lambda: hurried.train(folder, plan, encoded), job


def test_accounting_tells_states_hours_and_gpus(accounted, ready):
    """A training on two allocated GPUs: the record has sacct's elapsed time and GPUs, no energy, and says so."""
    record = train(ready(training={"epochs": 2}, factory={**MINE, **TREE}))
    (attempt,) = record.job.attempts
    assert record.job.accounting == "sacct"
    assert (attempt.state, attempt.gpus, attempt.nodes) == ("COMPLETED", 2, 1)
    assert attempt.seconds > 0
    assert record.job.gpu_hours.value == pytest.approx(2 * attempt.seconds / 3600)
    assert record.job.gpu_hours.method.startswith("elapsed time times what was allocated, by sacct")
    assert record.energy.value is None
    assert "unmeasured" in record.energy.method


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"account": "somebody_elses"}, "Invalid account or account/partition combination"),
        ({**MINE, "qos": "premium"}, "Invalid qos specification"),
    ],
)
def test_an_account_or_a_qos_of_others_is_refused_by_the_association_check(accounted, ready, asked, said):
    """Slurm's own check refuses; one sentence with its words, no job, and the next try submits anew."""
    made = ready(training={"epochs": 1}, factory=asked)
    with pytest.raises(errors.PlanError, match=f"expected Slurm to accept it, got: .*{said}") as refused:
        train(made)
    assert "\n" not in str(refused.value)
    assert jobs.load(made[0]) is None
    assert not accounted.ask("squeue", "-h").strip()


def test_requeued_attempts_add_up_and_none_counts_twice(accounted, ready):
    """A warned job: sacct has a line for each attempt, the hours are their sum, and agree with the job's own clock."""
    made = ready(model=SLOW, training=LONG, factory={**MINE, **TREE})
    record = disturb(made, lambda job: accounted.ask("scancel", "--signal=USR1", "--batch", job))
    check_joined(record)
    assert [a.state for a in record.job.attempts] == ["REQUEUED", "COMPLETED"]
    seconds = sum(a.seconds for a in record.job.attempts)
    assert record.job.gpu_hours.value == pytest.approx(2 * seconds / 3600)
    own = sum(a.seconds for a in states.noted(made[0].path, record.job.job_id))
    assert abs(seconds - own) <= 6


def test_a_preempted_attempt_counts_too(accounted, ready):
    """Both attempts of a job that gave way are in the record."""
    asked = {**MINE, "cpus_per_node": 4, "partition": "gpu", "directives": ["--nodelist=gpu1"]}
    made = ready(model=SLOW, training=LONG, factory=asked)

    def preempt(job):
        accounted.ask("sbatch", "-A", clusters.ACCOUNT, "-p", "prio", "-w", "gpu1", "-c", "4", "-o", "/dev/null",
                      "--wrap", "sleep 2")  # fmt: skip

    record = disturb(made, preempt)
    check_joined(record)
    assert len(record.job.attempts) == 2
    assert record.job.attempts[-1].state == "COMPLETED"
    assert all(a.seconds > 0 for a in record.job.attempts)


def test_a_cancelled_job_is_told_by_accounting_and_its_hours_stay(accounted, ready):
    """The sentence says who said so; the next job's record holds the hours of the cancelled one."""
    made = ready(model=SLOW, training=LONG, factory=MINE)
    with pytest.raises(errors.MissingError, match=r"got cancelled \(CANCELLED"):
        disturb(made, lambda job: accounted.ask("scancel", job))
    record = train(made)
    check_joined(record)
    assert [a.state for a in record.job.attempts] == ["CANCELLED", "COMPLETED"]
    assert record.job.node_hours.value == pytest.approx(sum(a.seconds for a in record.job.attempts) / 3600)


def test_energy_of_the_accounting_is_taken_where_a_node_could_draw_it(accounted, ready):
    """A figure that the accounting holds for the job, as a site with an energy plugin has it; nonsense is refused."""
    collect, job = finished(ready, accounted, training={"epochs": 1}, factory=MINE)
    seconds = accounted.until_accounted(job)
    accounted.set_energy(job, 700 * seconds)
    energy = collect().energy
    assert energy.value == 700 * seconds
    assert energy.method.startswith("ConsumedEnergyRaw of sacct")
    assert energy.boundary.startswith("node")
    for nonsense in (seconds // 2, 10**20 % 2**63):
        accounted.set_energy(job, nonsense)
        refused = collect().energy
        assert refused.value is None
        assert "not plausible" in refused.method
    accounted.set_energy(job, 2**64 - 2)
    assert collect().energy.method.startswith("unmeasured: no"), "Slurm's way to say that there is no figure"


def test_accounting_that_goes_away_is_not_missed(accounted, ready):
    """The database daemon is stopped while a job runs: the controller tells instead, and the training is collected."""
    made = ready(model=SLOW, training=LONG, factory=MINE)
    accounted.stop_accounting()
    try:
        record = train(made)
    finally:
        accounted.resume_accounting()
    check_joined(record)
    assert record.job.accounting == "the clock of the job's own script"
    assert record.job.node_hours.value > 0


def _asked(**more):
    size = {"site": "slurm-generic", "gpus_per_node": 0, "cpus_per_node": 1, "hours": 0.2}
    return Factory.model_validate(size | more)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"account": "somebody_elses"}, "plan factory: expected what Slurm at .* accepts, got: Invalid account"),
        ({"qos": "premium"}, "got: Invalid qos specification"),
        ({"partition": "moon"}, "got: .*nvalid partition"),
        ({"partition": "gpu", "gpus_per_node": 9}, "Requested node configuration is not available"),
        ({"partition": "gpu", "nodes": 3}, "Requested node configuration is not available"),
        ({"partition": "gpu", "hours": 3}, "factory.hours: expected at most 2, the limit of partition gpu"),
    ],
)
def test_a_real_slurm_says_it_beforehand(accounted, tmp_path, more, expected):
    """The same on the cluster with accounting; nothing is submitted."""
    with pytest.raises(errors.PlanError, match=expected):
        before.require(_asked(**{"account": clusters.ACCOUNT, **more}), tmp_path)
    assert not accounted.ask("squeue", "-h").strip()


def test_a_real_slurm_takes_what_it_can_give(accounted, tmp_path):
    """A right account and a size that the nodes have."""
    before.require(_asked(account=clusters.ACCOUNT, partition="gpu", gpus_per_node=2, nodes=2), tmp_path)
    assert not accounted.ask("squeue", "-h").strip()
