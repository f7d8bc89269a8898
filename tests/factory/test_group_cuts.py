from __future__ import annotations

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from evidence.mitigation_records import GroupThreshold, GroupThresholds
from tests.factory import treated

THRESHOLDS = {"method": "threshold_optimizer", "attribute_in_operation": True}


def groups(*values: float) -> tuple[GroupThreshold, ...]:
    return tuple(GroupThreshold(group=f"g{i}", value=v, rates={}, wanted={}, rows=1) for i, v in enumerate(values))


def test_edges_tell_the_group_as_the_data_do():
    """Below the first edge is group 0, an edge belongs to the group above; missing and infinite rows are common."""
    import torch

    from factory import decisions

    found = GroupThresholds(attribute="a", feature="x", groups=groups(0.1, 0.2, 0.3), edges=(25.0, 40.0))
    cuts = decisions.GroupCuts(found, 1, 0.9)
    x = torch.tensor([24.9, 25.0, 39.0, 40.0, 1e30, torch.nan, torch.inf, -torch.inf])
    np.testing.assert_allclose(
        cuts(torch.stack([torch.zeros(8), x], 1)), [0.1, 0.2, 0.2, 0.3, 0.3, 0.9, 0.9, 0.9], rtol=1e-6
    )


def test_codes_tell_the_group_and_unknown_ones_are_common():
    """A category without a group, an unknown or broken code and a missing value take the common threshold."""
    import torch

    from factory import decisions

    found = GroupThresholds(attribute="a", feature="c", groups=groups(0.1, 0.2), codes=(1, 0, -1))
    cuts = decisions.GroupCuts(found, 0, 0.9)
    x = torch.tensor([[0.0], [1.0], [2.0], [3.0], [-1.0], [0.5], [torch.nan], [1e30]])
    np.testing.assert_allclose(cuts(x), [0.2, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], rtol=1e-6)


@pytest.mark.parametrize("wanted", [{"selection_rate": 0.37}, {"true_positive_rate": 0.7, "false_positive_rate": 0.31}])
def test_no_single_threshold_comes_nearer(wanted):
    """Against every possible cut of the scores, by brute force."""
    from factory import group_cuts

    rng = np.random.default_rng(0)
    scores, y = rng.random(60).astype(np.float32).round(2), rng.integers(0, 2, 60)
    value, rates = group_cuts.nearest(scores, y, wanted, 0.5)

    def found(cut):
        labels = scores >= np.float32(cut)
        return {
            "selection_rate": labels.mean(),
            "true_positive_rate": labels[y == 1].mean(),
            "false_positive_rate": labels[y == 0].mean(),
        }

    distance = {c: max(abs(found(c)[n] - v) for n, v in wanted.items()) for c in np.linspace(0.001, 0.999, 1500)}
    assert max(abs(rates[n] - v) for n, v in wanted.items()) <= min(distance.values()) + 1e-12
    assert rates == pytest.approx({n: found(value)[n] for n in wanted})


@pytest.mark.parametrize("attribute", ["sex", "age_group"])
def test_the_label_follows_the_threshold_of_the_rows_group(tmp_path, attribute):
    """Numeric and categorical attribute: label = p >= t(group) on every part, and the rates are nearly equal."""
    import torch

    from factory import checkpoints, fitting

    folder, encoded = treated.run_folder(tmp_path / "run")
    plan = treated.plan({**THRESHOLDS, "attribute": attribute}, threshold="balanced_accuracy")
    record = fitting.fit(folder, plan, encoded)
    found = record.threshold.groups
    table = np.array([*(g.value for g in found.groups), record.threshold.value], dtype=np.float32)
    shipped = checkpoints.shipped(folder, record, encoded)
    plain = checkpoints.shipped(folder, record.variants["unmitigated"], encoded)
    for role in ("train", "validation"):
        part = arrays.load(folder, encoded, role)
        codes = part.groups[attribute].codes
        assert (codes < 0).any()
        with torch.no_grad():
            label, probabilities = (t.numpy() for t in shipped(torch.from_numpy(part.x)))
            same = plain(torch.from_numpy(part.x))[1].numpy()
        np.testing.assert_array_equal(label, probabilities[:, 1] >= table[codes])
        np.testing.assert_array_equal(probabilities, same)
    rates = [label[codes == g].mean() for g in (0, 1)]
    np.testing.assert_allclose(rates, [g.rates["selection_rate"] for g in found.groups])
    steps = [1 / g.rows for g in found.groups]
    assert abs(rates[0] - rates[1]) <= sum(steps)
    assert {u.step: u.role for u in record.uses}["thresholds of the groups"] == "validation"


def test_edges_between_float32_numbers_are_refused(tmp_path):
    """Where float32 moves a row across an edge, the graph would judge it as another group's: said in one sentence."""
    from factory import group_cuts
    from factory.treated_groups import Treated

    _, encoded = treated.run_folder(tmp_path / "run")
    x = np.zeros((2, 10), np.float32)
    x[:, 0] = 16777216.0
    found = GroupThresholds(attribute="age_group", feature="age", groups=groups(0.1, 0.2), edges=(16777217.0,))
    rows = Treated("train", np.array([0, 1]), ("a", "b"), np.array([0, 1]))
    with pytest.raises(errors.DataError, match="another one for 1 of 2 rows"):
        group_cuts.require_same_groups(found, encoded, x, rows)
