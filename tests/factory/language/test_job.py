import json
import signal
import subprocess
import time

import pytest
import safetensors.torch
import torch
import yaml

from evidence import language_records
from evidence.folder import RunFolder, parse_record
from tests.factory import launched
from tests.factory.language import builders

pytestmark = pytest.mark.slow
TRAINING = {"steps": 12, "evaluate_every": 4, "batch_sequences": 8, "micro_batches": 2}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("tokens") / "run")
    folder.write_record("data/tokens.json", builders.tokenised(folder, builders.plan()))
    return folder


def folder_at(path, tokens, **training):
    """A run folder that `factory.job` can train."""
    folder = RunFolder(path)
    folder.path.mkdir()
    (folder.path / "data").symlink_to(tokens.path / "data")
    plan = builders.plan(training=TRAINING | training).model_dump(mode="json", exclude_unset=True)
    (folder.path / "plan.yaml").write_text(yaml.safe_dump(plan))
    return folder


@pytest.fixture
def ready(tokens, tmp_path):
    """`ready("name", steps=…)`: such a folder."""
    return lambda name, **training: folder_at(tmp_path / name, tokens, **training)


@pytest.fixture(scope="module")
def one(tokens, tmp_path_factory):
    """A folder trained by one rank, and its record."""
    folder = folder_at(tmp_path_factory.mktemp("one") / "run", tokens)
    return folder, run(folder)


def start(folder, ranks=1):
    return subprocess.Popen(
        launched.command(ranks, "factory.job", [folder.path]),
        env=launched.environment() | {"PYTHONPATH": str(launched.ROOT)},
        cwd=launched.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(folder, ranks=1):
    process = start(folder, ranks)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    place = folder.path / "training/record.json"
    return parse_record(place.read_bytes(), language_records.LanguageTrainingRecord, "record")


def weights(folder):
    return safetensors.torch.load_file(folder.at("training/model.safetensors"))


def close(a, b):
    return all(torch.allclose(a[name], b[name], atol=2e-5) for name in a) and a.keys() == b.keys()


def losses(record):
    return [loss for point in record.curve for loss in (point.train_loss, point.validation_loss)]


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_ranks_give_what_one_gives(one, ready, parallel):
    """Cut over two ranks, as copies or in shards, the training is the same within float32, and so is its cost."""
    folder, alone = one
    two = ready("two", parallel=parallel)
    shared = run(two, ranks=2)
    assert shared.parallel == f"{parallel}, 2 ranks (as the plan says)"
    assert losses(shared) == pytest.approx(losses(alone), abs=1e-4)
    assert close(weights(folder), weights(two))
    assert shared.flops.value == alone.flops.value
    assert (shared.tokens, shared.parameters, shared.best_step) == (alone.tokens, alone.parameters, alone.best_step)
    # A model in shards cannot write: what it would say is left out.
    assert len(shared.samples) == (0 if parallel == "fsdp" else len(alone.samples))


def killed(folder, ranks=1):
    """Kill the training with all its processes as soon as two snapshots are there."""
    process = start(folder, ranks)
    ends = time.monotonic() + 300
    place = folder.path / "training/checkpoints"
    while len(list(place.glob("*.json"))) < 2:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < ends
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_and_taken_up_is_as_never_killed(ready):
    """After kill -9 the training goes on from its snapshot; weights and curve are those of one that ran through."""
    whole, other = ready("whole", steps=60), ready("other", steps=60)
    run(whole)
    killed(other)
    assert not (other.path / "training/record.json").exists()
    record = run(other)
    assert record.resumed == 1
    before, after = weights(whole), weights(other)
    assert all(torch.equal(before[name], after[name]) for name in before)
    steps = [json.loads(line) for line in (other.path / "training/steps.jsonl").read_text().splitlines()]
    assert len(steps) == 2
    assert steps[1][1] == 60


def test_shards_are_taken_up_by_one_rank(one, ready):
    """A snapshot of a model in shards over two ranks is whole: one rank goes on from it."""
    folder = ready("shards", parallel="fsdp")
    (folder.path / "training").mkdir()
    # Asked to stop before the first step: it saves after it and ends well.
    (folder.path / "training/job.stop").write_text("")
    process = start(folder, ranks=2)
    said, _ = process.communicate(timeout=500)
    assert process.returncode == 0, said
    assert (folder.path / "training/job.saved").exists()
    (folder.path / "training/job.stop").unlink()
    record = run(folder)
    assert record.resumed == 1
    assert record.parallel == "single"
    assert losses(record) == pytest.approx(losses(one[1]), abs=1e-4)


def test_a_batch_that_cannot_be_shared_is_refused(ready):
    """Sequences of a step that do not divide over the ranks end the job in one sentence, its code beside it."""
    folder = ready("odd", batch_sequences=7, micro_batches=1)
    process = start(folder, ranks=2)
    said, _ = process.communicate(timeout=500)
    assert process.returncode != 0
    assert "expected a multiple of the 2 ranks, got 7" in said
    assert (folder.path / "training/job.code").read_text() == "2\n"
