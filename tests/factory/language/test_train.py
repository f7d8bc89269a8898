import math
import shutil
from collections import Counter

import pytest
import safetensors.torch
import torch

from configs import errors
from evidence.folder import RunFolder
from factory.language import batches, loop, model, packing, tally, train
from factory.progress import Stopped
from tests.factory import uncompiled
from tests.factory.language import builders


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small are slower on several threads, and other tests want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder with tokens; trainings of it go elsewhere by copies."""
    return RunFolder(tmp_path_factory.mktemp("language") / "run")


@pytest.fixture(scope="module")
def tokens(folder):
    return builders.tokenised(folder, builders.plan())


@pytest.fixture
def fresh(folder, tokens, tmp_path):
    """A run folder of its own with the same tokens, nothing trained."""
    place = tmp_path / "run"
    place.mkdir()
    (place / "data").symlink_to(folder.path / "data")
    return RunFolder(place)


def weights(folder):
    return safetensors.torch.load_file(folder.at(train.WEIGHTS))


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def stopping(after):
    """Says stop once, after so many steps."""
    left = iter([False] * (after - 1) + [True])
    return lambda: next(left)


def failing(at):
    """Breaks after so many steps, as a kill would."""
    steps = iter(range(1, 100))

    def ask():
        if (step := next(steps)) == at:
            raise RuntimeError(f"step {step}")
        return False

    return ask


@pytest.mark.slow
def test_the_model_learns(fresh, tokens):
    """The validation loss falls below the entropy of single tokens: the model uses what stands before."""
    plan = builders.plan(training={"steps": 250, "batch_sequences": 16, "evaluate_every": 50})
    record = train.train(fresh, plan, tokens, builders.NO_BASE)
    counts = Counter(packing.read(fresh, tokens.parts["validation"].shards, 33)[:, 1:].reshape(-1).tolist())
    total = sum(counts.values())
    entropy = -sum(n / total * math.log(n / total) for n in counts.values())
    losses = [point.validation_loss for point in record.curve]
    assert losses[-1] < entropy - 0.1
    assert losses == sorted(losses, reverse=True)
    assert record.curve[record.best_step // 50 - 1].validation_loss == min(losses)
    assert record.tokens == 250 * 16 * 32
    assert [s.step for s in record.samples] == [50, 100, 150, 200, 250]


@pytest.mark.slow
def test_a_training_that_was_interrupted_ends_the_same(fresh, folder, tokens, tmp_path):
    """Stopped between evaluations and taken up, weights, curve and samples are those of one that ran through."""
    plan = builders.plan(training={"steps": 12, "evaluate_every": 5, "micro_batches": 2})
    whole = train.train(fresh, plan, tokens, builders.NO_BASE)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").symlink_to(folder.path / "data")
    other = RunFolder(tmp_path / "other")
    for after in (3, 4):
        with pytest.raises(Stopped):
            train.train(other, plan, tokens, builders.NO_BASE, stop=stopping(after))
    record = train.train(other, plan, tokens, builders.NO_BASE)
    assert same(weights(fresh), weights(other))
    assert [(p.step, p.train_loss, p.validation_loss) for p in record.curve] == [
        (p.step, pytest.approx(p.train_loss, rel=1e-12), p.validation_loss) for p in whole.curve
    ]
    assert record.samples == whole.samples
    assert (record.resumed, whole.resumed) == (2, 0)
    assert record.flops == whole.flops


@pytest.mark.slow
def test_steps_that_were_lost_are_counted(fresh, tokens, monkeypatch):
    """Compute is what was done: steps after the last checkpoint that an interruption lost are computed twice."""
    monkeypatch.setattr(tally, "PAUSE", 0.0)
    plan = builders.plan(training={"steps": 8, "evaluate_every": 4})

    with pytest.raises(RuntimeError, match="step 7"):
        train.train(fresh, plan, tokens, builders.NO_BASE, stop=failing(7))
    record = train.train(fresh, plan, tokens, builders.NO_BASE)
    assert record.resumed == 1
    assert "of them lost in a kill and trained again" in record.flops.method
    assert f"times {(8 + 2) * 8} sequences trained on, 16 of them" in record.flops.method


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_a_compiled_model_learns_the_same(fresh, tokens, monkeypatch):
    """With torch.compile the curve is the same within float32, and the record says that it was compiled."""
    uncompiled.use(monkeypatch)
    asked = {"steps": 6, "evaluate_every": 3}
    plain = train.train(fresh, builders.plan(training=asked), tokens, builders.NO_BASE)
    shutil.rmtree(fresh.path / "training")
    compiled = train.train(fresh, builders.plan(training=asked | {"compile": True}), tokens, builders.NO_BASE)
    assert (plain.compiled, compiled.compiled) == (False, True)
    for one, other in zip(plain.curve, compiled.curve, strict=True):
        assert other.validation_loss == pytest.approx(one.validation_loss, abs=1e-4)
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-4)


@pytest.mark.slow
def test_a_long_way_between_evaluations_is_not_lost(fresh, tokens, monkeypatch):
    """Where the plan does not say how often, a snapshot is taken when time has passed; where it says so, then alone."""
    monkeypatch.setattr(loop, "SECONDS", 0.0)
    asked = {"steps": 6, "evaluate_every": 6}
    with pytest.raises(RuntimeError, match="step 4"):
        train.train(fresh, builders.plan(training=asked), tokens, builders.NO_BASE, stop=failing(4))
    found = sorted(int(place.stem) for place in (fresh.path / train.SNAPSHOTS).glob("*.json"))
    assert found == [1, 2, 3]
    shutil.rmtree(fresh.path / "training")
    with pytest.raises(RuntimeError, match="step 4"):
        train.train(
            fresh, builders.plan(training=asked | {"checkpoint_every": 2}), tokens, builders.NO_BASE, stop=failing(4)
        )
    assert [int(place.stem) for place in (fresh.path / train.SNAPSHOTS).glob("*.json")] == [2]


@pytest.mark.slow
def test_a_checkpoint_of_another_training_is_refused(fresh, tokens):
    """Another learning rate is another training; how often checkpoints are taken is not."""
    asked = {"steps": 4, "evaluate_every": 2}
    with pytest.raises(Stopped):
        train.train(fresh, builders.plan(training=asked), tokens, builders.NO_BASE, stop=stopping(2))
    other = builders.plan(training=asked | {"learning_rate": 2e-3})
    with pytest.raises(errors.IntegrityError, match="expected one of this plan and these data"):
        train.train(fresh, other, tokens, builders.NO_BASE)
    record = train.train(fresh, builders.plan(training=asked | {"checkpoint_every": 1}), tokens, builders.NO_BASE)
    assert record.resumed == 1


@pytest.mark.slow
def test_a_loss_that_is_no_number_ends_the_training(fresh, tokens):
    """With a learning rate beyond reason the training ends in one sentence that names it."""
    plan = builders.plan(training={"learning_rate": 1e30, "steps": 6, "evaluate_every": 2, "clip": 1e30})
    with pytest.raises(errors.PlanError, match=r"loss at step \d: expected a finite number"):
        train.train(fresh, plan, tokens, builders.NO_BASE)


def test_another_context_than_the_tokens_is_refused(fresh, tokens):
    """Sequences longer or shorter than what was packed end the stage before anything is built."""
    with pytest.raises(errors.PlanError, match=r"model.context: expected 32, .* got 64"):
        train.train(fresh, builders.plan(model={"context": 64}), tokens, builders.NO_BASE)


def test_every_epoch_sees_each_sequence_once(fresh, tokens):
    """Batches of one epoch together are the shards; the next epoch has another order; batches may span two."""
    rows = packing.read(fresh, tokens.parts["train"].shards, 33)
    source = batches.Batches(rows, 7, seed=3)
    count = -(-2 * len(rows) // 7)
    seen = torch.cat([source.of_step(step, slice(0, 7)) for step in range(1, count + 1)])[: 2 * len(rows)]
    first, second = seen.split(len(rows))
    for epoch in (first, second):
        assert sorted(map(tuple, epoch.tolist())) == sorted(map(tuple, rows.tolist()))
    assert not torch.equal(first, second)
    assert torch.equal(batches.Batches(rows, 7, seed=3).of_step(9, slice(2, 5)), source.of_step(9, slice(2, 5)))


def test_the_learning_rate_warms_up_and_falls_by_half_a_cosine():
    """It rises in a line to the plan's rate, is half way between at half time after, and ends at the least."""
    training = builders.plan(
        training={"learning_rate": 1.0, "minimum_learning_rate": 0.1, "warmup": 0.2, "steps": 100}
    ).training
    rates = [batches.learning_rate(training, step, 100) for step in range(1, 101)]
    assert rates[:20] == pytest.approx([step / 20 for step in range(1, 21)])
    assert rates[59] == pytest.approx(0.55)
    assert rates[-1] == pytest.approx(0.1)
    assert batches.steps(training.model_copy(update={"steps": None, "epochs": 1.5}), 100) == math.ceil(150 / 8)


def test_a_tied_model_is_written_once(fresh, tokens):
    """Tied weights are one tensor in the file, and a model that is loaded from it is the same."""
    architecture = model.describe(builders.plan().model, tokens, None)
    torch.manual_seed(0)
    network = model.build(architecture)
    found = model.weights(network)
    assert "lm_head.weight" not in found
    safetensors.torch.save_file(found, fresh.at("w.safetensors"))
    again = model.load(fresh.at("w.safetensors"), architecture, "w")
    assert same(found, model.weights(again))
    assert again.lm_head.weight is again.model.embed_tokens.weight
