from __future__ import annotations

import numpy as np
import pytest

from evidence import arrays
from tests.factory import builders


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_pullback_agrees_with_finite_differences(tmp_path, task):
    """A small step along the gradient changes the asked output by step × squared length; numbers alone move."""
    import torch

    from factory import checkpoints, gradients, trainer

    folder, encoded = builders.run_folder(tmp_path / "run", task)
    record = trainer.train(folder, builders.plan(task, model={"width": 16, "blocks": 1}), encoded)
    part = arrays.load(folder, encoded, "validation")
    outputs = gradients.logits_vjp(folder, record, encoded)

    def gradient(x, index):
        found, pullback = outputs(x)
        asked = np.zeros(found.shape)
        asked[np.arange(len(x)), index] = 1.0
        return pullback(asked)

    network = checkpoints.restore(folder, record, encoded).double()
    index = np.arange(part.rows) % max(1, len(encoded.classes))

    def asked(x):
        with torch.no_grad():
            return network(torch.from_numpy(x)).numpy()[np.arange(len(x)), index]

    found = gradient(part.x, index).astype(np.float64)
    still = np.isnan(part.x) | np.array([f.kind == "categorical" for f in encoded.features])
    assert not found[still].any()
    x, length = part.x.astype(np.float64), (found**2).sum(1)
    step = 1e-6 / np.sqrt(length).max()
    moved = asked(x + step * found) - asked(x - step * found)
    np.testing.assert_allclose(moved / (2 * step), length, rtol=0.02, atol=1e-4 * length.max())
    assert gradient(part.x[:0], index[:0]).shape == (0, part.x.shape[1])
