from __future__ import annotations

import functools

import numpy as np
import pytest

from evidence import arrays
from tests.factory import builders


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Task to a trained model with its validation part and its gradient; each task is trained once."""
    return functools.cache(lambda task: trained(tmp_path_factory.mktemp(task) / "run", task))


def trained(path, task):
    from factory import gradients, trainer

    folder, encoded = builders.run_folder(path, task)
    record = trainer.train(folder, builders.plan(task, model={"width": 16, "blocks": 1}), encoded)
    part = arrays.load(folder, encoded, "validation")
    return folder, encoded, record, part, gradients.loss_gradient(folder, record, encoded)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_gradient_agrees_with_finite_differences(prepared, task):
    """A small step along the gradient changes each row's loss by step × squared length, to first order."""
    import torch

    from factory import checkpoints

    folder, encoded, record, part, gradient = prepared(task)
    network = checkpoints.restore(folder, record, encoded).double()

    def losses(x):
        with torch.no_grad():
            output, y = network(torch.from_numpy(x)), torch.from_numpy(part.y)
            if task == "regression":
                return ((output[:, 0] - y) ** 2 / record.architecture["target_std"] ** 2).numpy()
            return torch.nn.functional.cross_entropy(output, y, reduction="none").numpy()

    found = gradient(part.x, part.y).astype(np.float64)
    x = part.x.astype(np.float64)
    length = (found**2).sum(1)
    step = 1e-6 / np.sqrt(length).max()
    moved = losses(x + step * found) - losses(x - step * found)
    np.testing.assert_allclose(moved / (2 * step), length, rtol=0.02, atol=1e-4 * length.max())
    assert found.any(axis=1).mean() > 0.9


def test_categories_and_missing_values_do_not_move(prepared):
    """Categorical features and missing cells have the gradient zero; nothing is NaN; types are numpy's."""
    _, encoded, _, part, gradient = prepared("binary")
    found = gradient(part.x, part.y)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (np.float32, part.x.shape)
    still = np.isnan(part.x) | np.array([f.kind == "categorical" for f in encoded.features])
    assert not found[still].any()
    assert np.isfinite(found).all()
    assert np.isnan(part.x).any()


def test_rows_do_not_disturb_each_other(prepared):
    """A row's gradient is the same alone and among others, and no rows give no gradients."""
    _, _, _, part, gradient = prepared("binary")
    np.testing.assert_allclose(gradient(part.x[:1], part.y[:1])[0], gradient(part.x, part.y)[0], atol=1e-6)
    assert gradient(part.x[:0], part.y[:0]).shape == (0, part.x.shape[1])


def test_a_table_of_categories_only_has_no_gradient(tmp_path):
    """Where no feature is numeric there is nothing to move."""
    from factory import gradients, trainer

    folder = builders.RunFolder(tmp_path / "run")
    random = np.random.default_rng(0)
    x = random.integers(0, 2, (200, 2)).astype(np.float32)
    encoded = builders.encode(folder, "binary", x, x[:, 0].astype(np.int64), ["a", "b"], {0: ("n", "y"), 1: ("n", "y")})
    record = trainer.train(folder, builders.plan(model={"width": 4, "blocks": 0}), encoded)
    part = arrays.load(folder, encoded, "validation")
    assert not gradients.loss_gradient(folder, record, encoded)(part.x, part.y).any()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_pullback_of_the_outputs_agrees_with_the_gradient_of_the_loss(prepared, task):
    """Pulling back the loss's derivative by the outputs gives the gradient of the loss, row by row."""
    from factory import gradients

    folder, encoded, record, part, gradient = prepared(task)
    outputs, pullback = gradients.logits_vjp(folder, record, encoded)(part.x)
    assert outputs.shape == (part.rows, 1 if task == "regression" else len(encoded.classes))
    if task == "regression":
        cotangent = 2 * (outputs - part.y[:, None]) / record.architecture["target_std"] ** 2
    else:
        cotangent = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        cotangent[np.arange(part.rows), part.y] -= 1
    found = pullback(cotangent)
    assert (found.dtype, found.shape) == (np.float32, part.x.shape)
    np.testing.assert_allclose(found, gradient(part.x, part.y), rtol=1e-3, atol=1e-5 * np.abs(found).max())


def test_more_rows_than_one_pass_takes(prepared, monkeypatch):
    """Outputs and gradients of several passes are those of one."""
    from factory import gradients

    folder, encoded, record, part, _ = prepared("binary")
    vjp = gradients.logits_vjp(folder, record, encoded)
    cotangent = np.random.default_rng(0).normal(size=(part.rows, 2))
    once, pullback = vjp(part.x)
    whole = pullback(cotangent)
    monkeypatch.setattr(gradients, "ROWS", 7)
    again, pullback = vjp(part.x)
    np.testing.assert_allclose(once, again, atol=1e-6)
    np.testing.assert_allclose(whole, pullback(cotangent), atol=1e-6)
    outputs, pullback = vjp(part.x[:0])
    assert (outputs.shape, pullback(cotangent[:0]).shape) == ((0, 2), (0, part.x.shape[1]))
