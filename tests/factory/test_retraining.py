from __future__ import annotations

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from tests.factory import builders

TASKS = ("binary", "multiclass", "regression")


@pytest.fixture(autouse=True)
def one_thread():
    """Training that can be compared bit by bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(path, task="binary", **training):
    from factory import retraining, trainer

    folder, encoded = builders.run_folder(path, task)
    plan = builders.plan(task, model={"width": 16, "blocks": 1}, training=training)
    record = trainer.train(folder, plan, encoded)
    part = arrays.load(folder, encoded, "train")
    return folder, encoded, record, part, retraining.retrainer(plan, encoded, record)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_on_the_plans_own_rows_it_is_the_shipped_model(tmp_path, task, weights):
    """The training rows and the seed of the plan give the shipped weights again, bit by bit."""
    import torch

    from factory import checkpoints

    folder, encoded, record, part, retrain = made(tmp_path, task, class_weights=weights)
    found = retrain(part.x, part.y, seed=record.seed)(part.x)
    with torch.inference_mode():
        output = checkpoints.shipped(folder, record, encoded)(torch.from_numpy(part.x))
    expected = output if task == "regression" else output[1]
    np.testing.assert_array_equal(found, expected.numpy().astype(np.float64))


def test_the_same_seed_gives_the_same_model(tmp_path):
    """Deterministic for a seed, other with another, and the caller's generator is left alone."""
    import torch

    _, _, _, part, retrain = made(tmp_path)
    x, y = part.x[:100], part.y[:100]
    state = torch.random.get_rng_state()
    first, again, other = (retrain(x, y, seed=s)(part.x) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.slow
def test_probabilities_and_predictions_have_their_shapes(tmp_path):
    """(n, classes) that sum to 1, or (n, 1) in the unit of the target; float64."""
    for task in TASKS:
        _, encoded, _, part, retrain = made(tmp_path / task, task)
        found = retrain(part.x, part.y, seed=1)(part.x[:7])
        assert (found.shape, found.dtype) == ((7, len(encoded.classes) or 1), np.float64)
        if task == "regression":
            assert 50 < found.mean() < 300
        else:
            np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_weights_of_one_change_nothing(tmp_path, task):
    """Equal weights give the model without weights, to rounding; a weight of 0 is as good as no row."""
    _, _, _, part, retrain = made(tmp_path, task)
    plain = retrain(part.x, part.y, seed=1)(part.x)
    even = retrain(part.x, part.y, seed=1, weights=np.full(part.rows, 3.0))(part.x)
    scale = np.abs(plain).max()
    np.testing.assert_allclose(even / scale, plain / scale, atol=2e-3)


@pytest.mark.slow
def test_weights_move_the_model_towards_their_rows(tmp_path):
    """Heavy weights on the positive rows raise the probability of the positive class; rows of weight 0 have no say."""
    _, _, _, part, retrain = made(tmp_path, epochs=20)
    plain = retrain(part.x, part.y, seed=1)(part.x)[:, 1].mean()
    heavy = retrain(part.x, part.y, seed=1, weights=np.where(part.y == 1, 5.0, 1.0))(part.x)[:, 1].mean()
    assert heavy > plain + 0.05
    wrong = part.y.copy()
    wrong[:80] = 1 - wrong[:80]
    off = np.where(np.arange(part.rows) < 80, 0.0, 1.0)
    ignored = [retrain(part.x, y, seed=1, weights=off)(part.x) for y in (part.y, wrong)]
    np.testing.assert_allclose(*ignored, atol=1e-6)


def test_fewer_rows_are_trained_on_in_smaller_batches():
    """The batch shrinks with the square root of the rows, down to a smallest one, and never beyond the plan's."""
    from factory import retraining

    assert retraining._batch(1024, 7_500, 30_000) == 512
    assert retraining._batch(256, 50, 30_000) == retraining.SMALLEST_BATCH
    assert retraining._batch(8, 100, 30_000) == 8
    assert retraining._batch(256, 50_000, 30_000) == 256


def test_nothing_is_written(tmp_path):
    """Retraining leaves the run folder as it was."""
    folder, _, _, part, retrain = made(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in folder.path.rglob("*")}
    retrain(part.x, part.y, seed=1)(part.x)
    assert {p: p.stat().st_mtime_ns for p in folder.path.rglob("*")} == before


def test_a_single_class_is_refused(tmp_path):
    """Targets that cannot be learnt end in one sentence."""
    _, _, _, part, retrain = made(tmp_path)
    with pytest.raises(errors.DataError, match="at least two classes, got one"):
        retrain(part.x, np.zeros_like(part.y), seed=1)


def test_a_users_network_that_fails_is_named(tmp_path):
    """What a user's own module raises is a PlanError with its name."""
    from factory import retraining, trainer

    folder, encoded = builders.run_folder(tmp_path)
    own = {"factory": "tests.factory.user_networks:linear"}
    record = trainer.train(folder, builders.plan(model=own), encoded)
    broken = builders.plan(model={"factory": "tests.factory.user_networks:no_such_network"})
    part = arrays.load(folder, encoded, "train")
    with pytest.raises(errors.PlanError, match="no_such_network"):
        retraining.retrainer(broken, encoded, record)(part.x, part.y, seed=1)
