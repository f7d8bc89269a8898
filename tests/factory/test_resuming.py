"""Trainings that end before their time and are taken up again: real tables, real files, real signals."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import subprocess
import time

import pytest
import safetensors.torch
import torch
import yaml

from configs import errors
from factory import epochs, trainer
from factory.progress import Stopped
from tests.factory import builders, launched, uncompiled

SMALL = {"width": 16, "blocks": 1}


def weights_of(folder, record):
    return folder.checked(record.checkpoint).read_bytes()


def snapshots_of(folder):
    return sorted(p.name for p in (folder.path / "training" / "checkpoints").iterdir())


class _EndError(Exception):
    """Stands for a process that ends in the middle."""


def end_after(epoch):
    def told(now):
        if now.epoch == epoch:
            raise _EndError

    return told


@pytest.mark.slow
def test_a_training_is_taken_up_where_it_stopped(tmp_path):
    """Interrupted after any epoch and resumed, the weights and the losses are those of an uninterrupted run."""
    plan = builders.plan(training={"epochs": 5, "batch_size": 32}, model=SMALL | {"dropout": 0.3})
    whole, encoded = builders.run_folder(tmp_path / "whole")
    expected = trainer.train(whole, plan, encoded)
    for stop in (1, 4):
        folder, encoded = builders.run_folder(tmp_path / f"stop{stop}")
        with pytest.raises(_EndError):
            trainer.train(folder, plan, encoded, progress=end_after(stop))
        seen = []
        record = trainer.train(folder, plan, encoded, progress=lambda now, seen=seen: seen.append(now.epoch))
        assert seen == list(range(stop + 1, 6))
        assert record.resumed == 1
        assert weights_of(folder, record) == weights_of(whole, expected)
        assert [p.train_loss for p in record.curve] == [p.train_loss for p in expected.curve]
        assert record.flops == expected.flops


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loader", "model"),
    [
        ("memory", SMALL | {"dropout": 0.3}),
        ("stream", SMALL | {"dropout": 0.3}),
        ("memory", {"factory": "tests.factory.user_networks:normalised"}),
    ],
    ids=["memory", "stream", "a user's own module"],
)
def test_a_training_is_taken_up_within_an_epoch(tmp_path, monkeypatch, loader, model):
    """Asked to end after any batch, it saves there; taken up, every batch counts once and the result is the same.

    Bit by bit, dropout, balanced classes and statistics of batches included; the loss of the interrupted epoch too.
    """
    monkeypatch.setattr(epochs, "GLANCE", 0.0)
    training = {"epochs": 3, "batch_size": 40, "class_weights": "balanced", "loader": loader}
    training["stream"] = {"lanes": 4, "shuffle_rows": 200}
    plan = builders.plan(training=training, model=model)

    def ready(name):
        folder, encoded = builders.run_folder(tmp_path / name)
        return folder, builders.with_shards(folder, plan, encoded) if loader == "stream" else encoded

    whole, encoded = ready("whole")
    expected = trainer.train(whole, plan, encoded)
    folder, encoded = ready("stopped")
    asked = 0
    ends = iter([1, 5, 7, 9, 20])
    at = next(ends)

    def stop():
        nonlocal asked
        asked += 1
        return asked >= at

    times = 0
    while True:
        asked = 0
        try:
            record = trainer.train(folder, plan, encoded, stop=stop)
            break
        except Stopped:
            times += 1
            at = next(ends)
    assert record.resumed == times >= 3
    assert weights_of(folder, record) == weights_of(whole, expected)
    assert [(p.train_loss, p.validation_loss) for p in record.curve] == [
        (p.train_loss, p.validation_loss) for p in expected.curve
    ]
    assert all(point.seconds > 0 for point in record.curve)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"checkpoint_every": 1}, [15, 20, 25]),
        ({"checkpoint_every": 2}, [10, 20, 25]),
        ({"checkpoint_seconds": 0, "checkpoints": 2}, [24, 25]),
        ({}, [25]),
    ],
    ids=["every epoch", "every second epoch", "every batch", "by the clock"],
)
def test_checkpoints_follow_the_plan(tmp_path, asked, expected):
    """By epochs and by the clock, within epochs too; as many stay as the plan says; the end is always one.

    Five epochs of four batches: a checkpoint is numbered by the batches and epochs before it.
    """
    folder, encoded = builders.run_folder(tmp_path / "run")
    trainer.train(folder, builders.plan(training={"epochs": 5, "batch_size": 67} | asked, model=SMALL), encoded)
    assert snapshots_of(folder) == [f"{n:012d}.{kind}" for n in expected for kind in ("json", "safetensors")]


def test_a_finished_training_is_not_repeated(tmp_path):
    """Killed after its last epoch and before its record was kept, a training only closes."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 2}, model=SMALL)
    first = trainer.train(folder, plan, encoded)
    seen = []
    second = trainer.train(folder, plan, encoded, progress=seen.append)
    assert seen == []
    assert second.checkpoint == first.checkpoint


def test_a_checkpoint_of_another_plan_is_refused(tmp_path):
    """A checkpoint is only taken up by the training it belongs to; how it runs and saves may change."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    first = trainer.train(folder, builders.plan(training={"epochs": 1}, model=SMALL), encoded)
    with pytest.raises(errors.IntegrityError, match="expected one of this plan"):
        trainer.train(folder, builders.plan(training={"epochs": 2}, model=SMALL), encoded)
    changed = {"epochs": 1, "parallel": "fsdp", "checkpoints": 1, "checkpoint_seconds": 5, "checkpoint_every": 1}
    again = trainer.train(folder, builders.plan(training=changed, model=SMALL), encoded)
    assert again.checkpoint == first.checkpoint


def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path, caplog):
    """The newest is cut in half: the one before it is taken up with a warning, and the result is the same."""
    plan = builders.plan(training={"epochs": 4, "checkpoint_every": 1}, model=SMALL)
    folder, encoded = builders.run_folder(tmp_path / "run")
    first = trainer.train(folder, plan, encoded)
    newest = folder.at("training/checkpoints/x").parent / snapshots_of(folder)[-1]
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    seen = []
    second = trainer.train(folder, plan, encoded, progress=lambda now: seen.append(now.epoch))
    assert seen == [4]
    assert second.checkpoint == first.checkpoint
    assert "The one before it is taken" in caplog.text


def test_damaged_checkpoints_say_so(tmp_path):
    """Where none is whole the training does not begin anew by itself."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 1}, model=SMALL)
    trainer.train(folder, plan, encoded)
    for place in (folder.path / "training" / "checkpoints").glob("*.safetensors"):
        place.write_bytes(place.read_bytes()[:-100])
    with pytest.raises(errors.IntegrityError, match="Delete this folder to train from the start"):
        trainer.train(folder, plan, encoded)


def test_a_full_disk_is_a_storage_error_and_earlier_epochs_stay(tmp_path):
    """No space for a checkpoint: one sentence, nothing half-written, the epoch before is still there."""
    folder, encoded = builders.run_folder(tmp_path / "run")
    plan = builders.plan(training={"epochs": 3, "checkpoint_every": 1}, model=SMALL)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(now):
        if now.epoch == 2:
            # The file of the digest is the last of the two that a snapshot consists of.
            while not list((folder.path / "training" / "checkpoints").glob("[0-9]*.json")):
                time.sleep(0.01)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))

    try:
        with pytest.raises(errors.StorageError, match=r"to be written, got: .*File too large.* Free space"):
            trainer.train(folder, plan, encoded, progress=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(snapshots_of(folder)) == 2
    assert trainer.train(folder, plan, encoded).resumed == 1


def job_folder(path, plan):
    folder, encoded = builders.run_folder(path)
    folder.write_record("data/encoded.json", encoded)
    folder.write_bytes("plan.yaml", yaml.safe_dump(plan.model_dump(mode="json")).encode())
    return folder


def record_of(folder):
    from evidence import folder as run_folder
    from evidence import records

    content = (folder.path / "training" / "record.json").read_bytes()
    return run_folder.parse_record(content, records.TrainingRecord, "record.json")


def wait_for_epochs(count, stream):
    """Read what a job says until it has told of so many epochs."""
    assert len(list(itertools.islice((line for line in stream if ": epoch " in line), count))) == count


@pytest.mark.slow
def test_a_killed_job_resumes_to_the_same_bytes(tmp_path):
    """A job killed with SIGKILL while it saves and started again writes the weights of a job that was not killed."""
    # Far more epochs than pass between the line that is waited for and the signal; a checkpoint after every batch.
    training = {"epochs": 30, "patience": 30, "batch_size": 67, "device": "cpu", "checkpoint_seconds": 0}
    plan = builders.plan(training=training, model=SMALL)
    whole, killed = (job_folder(tmp_path / name, plan) for name in ("whole", "killed"))
    launched.run(1, "factory.job", whole.path)
    for _ in range(2):
        running = launched.start(1, "factory.job", killed.path)
        wait_for_epochs(3, running.stderr)
        running.send_signal(signal.SIGKILL)
        running.stderr.close()
        assert running.wait() == -signal.SIGKILL
        assert not (killed.path / "training" / "record.json").exists()
    launched.run(1, "factory.job", killed.path)
    expected, found = record_of(whole), record_of(killed)
    assert found.resumed == 2
    assert found.checkpoint.sha256 == expected.checkpoint.sha256
    assert found.threshold == expected.threshold
    assert [p.train_loss for p in found.curve] == [p.train_loss for p in expected.curve]


def ranks_below(process):
    """Process ids of the ranks that a launcher has started."""
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in told.stdout.split()]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "again"), [("ddp", 1), ("fsdp", 2)])
def test_a_killed_rank_ends_the_job_and_its_curve_joins(tmp_path, kind, again):
    """One of two ranks is killed with SIGKILL: the job ends; taken up on one rank or two it is the training of one.

    With micro-batches, balanced classes, copies or shards: losses of all epochs and the weights agree within float32,
    and the record says how it trained.
    """
    training = {"epochs": 20, "patience": 20, "batch_size": 67, "device": "cpu", "checkpoint_every": 1}
    training |= {"parallel": kind, "micro_batches": 3, "class_weights": "balanced", "learning_rate": 3e-4}
    plan = builders.plan(training=training, model=SMALL | {"dropout": 0.0})
    whole, encoded = builders.run_folder(tmp_path / "whole")
    expected = trainer.train(whole, plan, encoded)
    killed = job_folder(tmp_path / "killed", plan)
    running = launched.start(2, "factory.job", killed.path)
    wait_for_epochs(3, running.stderr)
    os.kill(ranks_below(running)[-1], signal.SIGKILL)
    running.stderr.read()
    running.stderr.close()
    assert running.wait() != 0
    assert not (killed.path / "training" / "record.json").exists()
    launched.run(again, "factory.job", killed.path)
    found = record_of(killed)
    assert found.resumed == 1
    for name in ("train_loss", "validation_loss"):
        one, two = ([getattr(p, name) for p in r.curve] for r in (expected, found))
        torch.testing.assert_close(torch.tensor(two), torch.tensor(one), rtol=1e-4, atol=1e-5)
    one, two = (safetensors.torch.load_file(f.at(r.checkpoint.path)) for f, r in ((whole, expected), (killed, found)))
    torch.testing.assert_close(two, one, rtol=1e-3, atol=1e-4)
    execution = found.execution
    assert (execution.ranks, execution.micro_batches) == (again, 3)
    assert (execution.parallel, execution.why) == (("none", "one rank") if again == 1 else (kind, "as the plan says"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_a_compiled_training_gives_the_same_model(tmp_path, monkeypatch):
    """With `training.compile` the curve is that of the plain training within float32, and the record counts graphs."""
    uncompiled.use(monkeypatch)
    curves = []
    for compiled in (False, True):
        folder, encoded = builders.run_folder(tmp_path / str(compiled))
        training = {"epochs": 2, "batch_size": 64, "compile": compiled}
        record = trainer.train(folder, builders.plan(training=training, model=SMALL | {"dropout": 0.0}), encoded)
        curves.append([p.validation_loss for p in record.curve])
        assert (record.execution.compiled_graphs is not None) == compiled
    assert record.execution.compiled_graphs >= 2
    assert record.execution.graph_breaks == 0
    torch.testing.assert_close(torch.tensor(curves[1]), torch.tensor(curves[0]), rtol=1e-4, atol=1e-5)
