from __future__ import annotations

import numpy as np
import pytest

from tests.factory import builders, treated


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("wrong", [0.5, 3.0])
def test_the_temperature_that_was_put_in_is_found(classes, wrong):
    """Logits of the true model times a factor get that factor as their temperature, within sampling error."""
    from factory import temperature

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40_000, classes)) * 1.5
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = (shares.cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)
    found = temperature.fit(logits * wrong, y)
    assert found.temperature == pytest.approx(wrong, rel=0.03)
    assert found.log_loss_after < found.log_loss_before


def test_the_loss_is_least_at_the_temperature():
    """No temperature on a fine grid has a smaller log loss."""
    from scipy import special

    from factory import temperature

    rng = np.random.default_rng(1)
    logits, y = rng.normal(size=(300, 2)) * 4, rng.integers(0, 2, 300)
    found = temperature.fit(logits, y)
    grid = np.exp(np.linspace(-3, 4.9, 2000))
    losses = [-special.log_softmax(logits / t, axis=1)[np.arange(300), y].mean() for t in grid]
    assert found.log_loss_after <= min(losses) + 1e-6


def test_what_cannot_be_bettered_stays_as_it_is():
    """Rows that are all right with certainty want an ever smaller temperature; the search ends within its range."""
    from factory import temperature

    found = temperature.fit(np.array([[9.0, -9.0], [-9.0, 9.0]]), np.array([0, 1]))
    assert 0 < found.temperature <= 1
    assert found.log_loss_after <= found.log_loss_before


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_graph_divides_before_the_softmax_and_cuts_afterwards(tmp_path, task):
    """Probabilities are softmax(logits / T) of the plain network, and the threshold is chosen on those."""
    import torch

    from evidence import arrays
    from factory import checkpoints, trainer

    folder, encoded = builders.run_folder(tmp_path / "run", task)
    chosen = {"threshold": "balanced_accuracy"} if task == "binary" else {}
    plan = builders.plan(task, training={"calibration": "temperature", "epochs": 6, **chosen}, model=treated.SMALL)
    record = trainer.train(folder, plan, encoded)
    part = arrays.load(folder, encoded, "validation")
    before = checkpoints.shipped(folder, record.variants["uncalibrated"], encoded)
    after = checkpoints.shipped(folder, record, encoded)
    with torch.no_grad():
        logits = checkpoints.restore(folder, record.variants["uncalibrated"], encoded)(torch.from_numpy(part.x))
        label, probabilities = after(torch.from_numpy(part.x))
        torch.testing.assert_close(probabilities, torch.softmax(logits / record.calibration.temperature, 1))
        assert not torch.equal(probabilities, before(torch.from_numpy(part.x))[1])
    assert {u.step: u.role for u in record.uses}["temperature"] == "validation"
    if task == "binary":
        assert torch.equal(label == 1, probabilities[:, 1] >= np.float32(record.threshold.value))
    own = probabilities.numpy()[np.arange(part.rows), part.y]
    assert -np.log(own).mean() == pytest.approx(record.calibration.log_loss_after, abs=1e-5)
