from __future__ import annotations

import csv

import numpy as np
import pytest

from configs import errors
from evidence import arrays
from tests.factory import treated


@pytest.fixture(scope="module")
def german(real_data):
    """Age and label (1 is a good risk) of the 1,000 rows, in the order of the file."""
    path = real_data / "tabular/german_credit.csv"
    if not path.is_file():
        pytest.skip(f"real data: no file {path}")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    return np.array([int(r[12]) for r in rows]), np.array([int(r[-1] == "1") for r in rows])


def groups_of(age, y):
    from factory.treated_groups import Treated

    return Treated("train", (age >= 25).astype(np.int64), ("< 25", ">= 25"), y)


def mean_difference(rows, weights):
    """Share of good risks among the unprivileged less that among the privileged, weighted."""
    shares = [np.average(rows.y[rows.codes == g], weights=weights[rows.codes == g]) for g in (0, 1)]
    return shares[0] - shares[1]


@pytest.mark.parametrize(("part", "expected"), [("first 700 of seed 0", -0.169905), ("all", -0.128550)])
def test_german_credit_as_in_the_public_tutorial(german, part, expected):
    """The labels differ by age as published (privileged: 25 and older), and not at all with the weights."""
    from factory import reweighing

    age, y = german
    np.random.seed(0)  # noqa: NPY002 - the permutation that was published
    chosen = np.arange(1000) if part == "all" else np.random.permutation(1000)[:700]  # noqa: NPY002
    rows = groups_of(age[chosen], y[chosen])
    assert mean_difference(rows, np.ones(len(chosen))) == pytest.approx(expected, abs=5e-7)
    weights = reweighing.of_rows(reweighing.weights(rows), rows)
    assert mean_difference(rows, weights) == pytest.approx(0.0, abs=1e-12)


def test_privileged_means_twenty_five_and_older(german):
    """With `older than 25` the difference is another one: the published number fixes the definition."""
    age, y = german
    assert (y[age <= 25].mean() - y[age > 25].mean()) != pytest.approx(-0.128550, abs=1e-3)


def test_the_weights_are_those_of_the_paper():
    """P(group) P(label) / P(group, label), by hand; their mean over the rows is 1."""
    from factory import reweighing

    rows = groups_of(np.array([20] * 4 + [30] * 6), np.array([1, 0, 0, 0, 1, 1, 1, 1, 0, 0]))
    young, old = reweighing.weights(rows)
    assert young.positive == pytest.approx(0.4 * 0.5 / 0.1)
    assert young.negative == pytest.approx(0.4 * 0.5 / 0.3)
    assert old.positive == pytest.approx(0.6 * 0.5 / 0.4)
    assert reweighing.of_rows((young, old), rows).mean() == pytest.approx(1.0)


def test_rows_without_a_group_keep_weight_one():
    """A missing attribute is no group of its own."""
    from factory import reweighing
    from factory.treated_groups import Treated

    rows = Treated("train", np.array([0, 0, 0, 1, 1, -1]), ("a", "b"), np.array([0, 1, 1, 0, 1, 1]))
    assert reweighing.of_rows(reweighing.weights(rows), rows)[-1] == 1.0


def test_a_group_with_one_class_is_refused(tmp_path):
    """A group that holds one class only cannot be balanced: one sentence, before anything is trained."""
    from factory import fitting

    folder, encoded = treated.run_folder(tmp_path / "run")
    part = encoded.parts["train"]
    y = arrays.load(folder, encoded, "train").y
    rare = np.where(np.arange(len(y)) == int(np.flatnonzero(y)[0]), 0, 1).astype(np.int16)
    column = part.groups["sex"].model_copy(update={"codes": arrays.save(folder, "data/rare.npy", rare)})
    parts = encoded.parts | {"train": part.model_copy(update={"groups": part.groups | {"sex": column}})}
    broken = encoded.model_copy(update={"parts": parts})
    for method in ("reweighing", "exponentiated_gradient"):
        plan = treated.plan({"method": method, "attribute": "sex"})
        with pytest.raises(
            errors.DataError, match="group first of sex in train: expected rows of both classes"
        ) as found:
            fitting.fit(folder, plan, broken)
        assert "\n" not in str(found.value)
    assert not (folder.path / "training/unmitigated/model.safetensors").exists()


@pytest.mark.slow
def test_the_model_beside_is_the_one_without_mitigation(tmp_path):
    """The untreated variant has the weights, bit by bit, of the plan without its mitigation; the treated not."""
    from factory import fitting

    plain_folder, encoded = treated.run_folder(tmp_path / "plain")
    plain = fitting.fit(plain_folder, treated.plan({}), encoded)
    folder, encoded = treated.run_folder(tmp_path / "run")
    record = fitting.fit(folder, treated.plan({"method": "reweighing", "attribute": "sex"}), encoded)
    assert record.variants["unmitigated"].checkpoint.sha256 == plain.checkpoint.sha256 != record.checkpoint.sha256
    assert plain.mitigation is None
    assert not plain.variants
    assert {w.group for w in record.mitigation.weights} == {"first", "second"}
    steps = {u.step: u.role for u in record.uses}
    assert steps["weights of the mitigation"] == steps["unmitigated: fit"] == "train"
    assert "test" not in steps.values()


def test_weights_act_like_repeated_rows(tmp_path):
    """A batch with a row of weight 2 has the gradient of one in which the row stands twice."""
    import torch

    from factory import objective

    torch.manual_seed(0)
    output, y = torch.randn(3, 2), torch.tensor([0, 1, 1])
    weighted = objective.weighted_cross_entropy(output, y, torch.tensor([2.0, 1.0, 1.0])) * 3
    repeated = torch.nn.functional.cross_entropy(output[[0, 0, 1, 2]], y[[0, 0, 1, 2]]) * 4
    assert float(weighted) == pytest.approx(float(repeated), rel=1e-6)
