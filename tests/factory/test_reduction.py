from __future__ import annotations

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from tests.factory import treated

REDUCTION = {"method": "exponentiated_gradient", "attribute": "sex", "max_iterations": 2}


def fitted(path, mitigation=REDUCTION, progress=None, **training):
    from factory import fitting

    folder, encoded = treated.run_folder(path)
    plan = treated.plan(mitigation, **training)
    return folder, plan, encoded, fitting.fit(folder, plan, encoded, progress=progress)


@pytest.fixture(scope="module")
def reduced(tmp_path_factory):
    """A reduction with a temperature, cut at 0.4."""
    place = tmp_path_factory.mktemp("reduced") / "run"
    return fitted(place, threshold=0.4, calibration="temperature", epochs=3)


def test_a_weighted_mean_is_the_weighted_mean():
    """Probabilities are the sum of weight times probability of members, moved by the shift, and of constants."""
    import torch
    from torch import nn

    from factory import models

    class Fixed(nn.Module):
        def __init__(self, logit):
            super().__init__()
            self.logit = logit

        def forward(self, x):
            return torch.cat([torch.zeros_like(x), torch.full_like(x, self.logit)], 1)

    mean = models.WeightedMean([Fixed(0.3), Fixed(-80.0)], [0.5, 0.2], [0.2, 0.1], 1.0)
    found = torch.softmax(mean(torch.zeros(3, 1)), 1)[:, 1]
    sigmoid = [1 / (1 + np.exp(-1.3)), 1 / (1 + np.exp(79.0))]
    np.testing.assert_allclose(found, 0.5 * sigmoid[0] + 0.2 * sigmoid[1] + 0.1, rtol=1e-6)
    whole = models.WeightedMean([Fixed(0.3)], [1.0], [0.0, 0.0], 0.0)
    np.testing.assert_allclose(torch.softmax(whole(torch.zeros(1, 1)), 1)[0, 1], 1 / (1 + np.exp(-0.3)), rtol=1e-6)


@pytest.mark.slow
def test_the_record_rebuilds_the_mean_of_its_members(reduced):
    """From the weights on disk and the weights of the record alone: p = Σ w p(member), then the temperature, then t."""
    import torch
    from safetensors.torch import load_file

    from factory import checkpoints, models

    folder, _, encoded, record = reduced
    inner = record.architecture["ensemble"]
    tensors = load_file(folder.checked(record.checkpoint))
    x = torch.from_numpy(arrays.load(folder, encoded, "validation").x)
    p = torch.full((len(x),), inner["constants"][1])
    for i, weight in enumerate(inner["weights"]):
        member = models.build(inner["of"], encoded.features)
        member.load_state_dict(
            {k.partition(f"members.{i}.")[2]: v for k, v in tensors.items() if k.startswith(f"members.{i}.")}
        )
        with torch.no_grad():
            logits = member.eval()(x)
        p += weight * torch.sigmoid(logits[:, 1] - logits[:, 0] + inner["shift"])
    expected = torch.sigmoid((torch.log(p) - torch.log1p(-p)) / record.calibration.temperature)
    label, probabilities = checkpoints.shipped(folder, record, encoded)(x)
    np.testing.assert_allclose(probabilities[:, 1].detach(), expected, atol=1e-5)
    assert inner["shift"] == pytest.approx(np.log(0.4 / 0.6))
    np.testing.assert_array_equal(label, probabilities[:, 1].detach() >= np.float32(0.4))


@pytest.mark.slow
def test_the_record_says_what_the_reduction_did(reduced):
    """Weights add up to 1, members and rounds are counted, every reading is of train or validation."""
    _, plan, encoded, record = reduced
    found = record.mitigation.ensemble
    assert sum(m.weight for m in found.members) == pytest.approx(1.0)
    assert record.parameters == sum(m.constant is None for m in found.members) * _parameters(encoded, plan)
    assert found.fitted >= len(found.members)
    assert 1 <= found.iterations <= 2
    assert found.missing_rows > 0
    assert {u.role for u in record.uses} == {"train", "validation"}
    assert set(record.variants) == {"unmitigated", "uncalibrated"}


def _parameters(encoded, plan):
    from factory import models

    network = models.build(models.describe(plan.model, encoded), encoded.features)
    return sum(p.numel() for p in network.parameters())


@pytest.mark.slow
def test_the_gradient_is_that_of_the_shipped_mean(reduced):
    """Differences of the loss of the whole graph, ensemble and temperature included, agree with the gradient."""
    import torch

    from factory import checkpoints, gradients

    folder, _, encoded, record = reduced
    part = arrays.load(folder, encoded, "validation")
    found = gradients.loss_gradient(folder, record, encoded)(part.x, part.y).astype(np.float64)
    network = checkpoints.restore(folder, record, encoded).double()

    def losses(x):
        with torch.no_grad():
            return torch.nn.functional.cross_entropy(
                network(torch.from_numpy(x)), torch.from_numpy(part.y), reduction="none"
            ).numpy()

    x = part.x.astype(np.float64)
    length = (found**2).sum(1)
    step = 1e-3 / np.sqrt(length).max()
    moved = losses(x + step * found) - losses(x - step * found)
    assert np.median(length) > 0
    np.testing.assert_allclose(moved, 2 * step * length, rtol=0.05, atol=2e-6)


@pytest.mark.slow
def test_killed_in_the_reduction_it_ends_as_the_unbroken_one(tmp_path):
    """Networks that were fitted before the kill are not fitted again, and the weights are the same bit by bit."""
    whole = []
    _, _, _, expected = fitted(tmp_path / "whole", progress=lambda now: whole.append(now.phase))

    class Killed(BaseException):
        pass

    def stop(now):
        if now.phase == "Mitigate, network 3":
            raise Killed

    folder, encoded = treated.run_folder(tmp_path / "broken")
    from factory import fitting

    with pytest.raises(Killed):
        fitting.fit(folder, treated.plan(REDUCTION), encoded, progress=stop)
    again = []
    record = fitting.fit(folder, treated.plan(REDUCTION), encoded, progress=lambda now: again.append(now.phase))
    assert record.checkpoint.sha256 == expected.checkpoint.sha256
    assert record.architecture == expected.architecture
    assert record.resumed == 1
    assert "Mitigate, network 2" in whole
    assert not {"Train unmitigated", "Mitigate, network 1", "Mitigate, network 2"} & set(again)


@pytest.mark.slow
def test_a_larger_bound_is_kept_and_a_smaller_one_costs_more(tmp_path):
    """The random draw keeps the bound on the training rows where the reduction says that it converged."""
    for name, bound in (("wide", 0.2), ("narrow", 0.03)):
        mitigation = {**REDUCTION, "difference_bound": bound, "max_iterations": 6}
        found = fitted(tmp_path / name, mitigation, epochs=15)[3].mitigation.ensemble
        if found.converged:
            # Fairlearn's guarantee: 2 (bound + gap).
            assert found.violation_random <= 2 * (bound + found.gap) + 1e-9


@pytest.mark.slow
def test_an_ensemble_that_fits_no_file_is_refused(reduced, monkeypatch):
    """Too many parameters for one ONNX file end in one sentence that says how to have fewer."""
    from tef_export import export

    folder, plan, encoded, record = reduced
    monkeypatch.setattr(export, "LARGEST", 4 * (record.parameters - 1))
    with pytest.raises(errors.PlanError, match=r"mitigation\.max_iterations") as found:
        export.export(folder, plan, encoded, record)
    assert "\n" not in str(found.value)


@pytest.mark.slow
def test_the_mean_is_one_graph_of_standard_operators(reduced):
    """Exported twice it gives the same bytes; it answers like its source; both comparisons lie beside it."""
    import onnx

    from tef_export import export

    folder, plan, encoded, record = reduced
    first = export.export(folder, plan, encoded, record)
    second = export.export(folder, plan, encoded, record)
    assert first.onnx.sha256 == second.onnx.sha256
    assert first.comparisons == second.comparisons
    assert set(first.comparisons) == {"unmitigated", "uncalibrated"}
    assert first.parity.max_abs_difference <= first.parity.tolerance
    assert first.parity.label_agreement == 1.0
    proto = onnx.load(folder.checked(first.onnx))
    assert {o.domain for o in proto.opset_import} <= {"", "ai.onnx", "ai.onnx.ml"}
    assert proto.opset_import[0].version == export.OPSET
