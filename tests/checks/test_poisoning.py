from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from checks.source import Source
from tests.checks import security_builders
from tests.checks.security_builders import Rows, drawn


def flips(place, train, test, **other):
    from checks.security import poisoning

    (found,) = poisoning.measure(security_builders.subject(place, train, test, **other))
    return found


@pytest.mark.parametrize("classes", [2, 3])
def test_a_flipped_label_is_another_class(classes):
    """Exactly the declared share of labels changes, each to another class, every other class about as often."""
    from checks.security import poisoning

    y = np.random.default_rng(0).integers(0, classes, 1000)
    made = poisoning.flipped(y, 0.1, classes, np.random.default_rng(1))
    assert np.sum(made != y) == 100
    assert set(made.tolist()) <= set(range(classes))
    steps = np.bincount((made - y)[made != y] % classes, minlength=classes)[1:]
    assert steps.min() > 100 / (classes - 1) * 0.6


def test_a_replaced_target_is_that_of_another_row():
    """A regression keeps its targets; a share of them changes places."""
    from checks.security import poisoning

    y = np.random.default_rng(0).normal(size=500)
    made = poisoning.flipped(y, 0.2, 0, np.random.default_rng(1))
    np.testing.assert_allclose(np.sort(made), np.sort(y))
    assert 90 <= np.sum(made != y) <= 100


def test_more_flips_cost_more(tmp_path):
    """The curve falls with the share of flipped labels; the headline is the loss at the largest, with its interval."""
    found = flips(
        tmp_path,
        drawn(120, 10, 1, apart=0.5),
        drawn(2000, 10, 2, apart=0.5),
        poisoning={"flips": [0.4, 0.1], "repeats": 8},
    )
    severities, values = zip(*((p["severity"], p["value"]) for p in found.details["curve"]), strict=True)
    assert severities == (0.0, 0.1, 0.4)
    assert values[0] > values[2]
    loss = found.measures[0]
    assert loss.value == pytest.approx(values[0] - values[2])
    assert 0 < loss.interval.low < loss.value < loss.interval.high
    assert "not the graph that ships" in loss.note


def test_flips_that_do_nothing_cost_nothing(tmp_path):
    """A recipe that does not look at the labels loses nothing, and no interval claims that it does."""
    train, test = drawn(100, 4, 1), drawn(300, 4, 2)

    def deaf(x, y, *, seed):
        return security_builders.retrain(2)(train.x, train.y, seed=seed)

    found = flips(tmp_path, train, test, source=Source(retrain=deaf))
    assert (found.measures[0].value, found.measures[0].interval) == (0.0, None)


def test_a_single_class_is_attacked_too(tmp_path):
    """Flipping only the rarest class costs its recall; the class is named."""
    train, test = drawn(600, 6, 1, apart=0.5), drawn(2000, 6, 2, apart=0.5)
    rare = np.flatnonzero((train.y == 0) | (np.arange(600) % 4 == 0))
    found = flips(tmp_path, Rows(train.x[rare], train.y[rare]), test, poisoning={"flips": [0.4]})
    targeted = next(m for m in found.measures if m.name == "security.label_flips.recall_lost_by_the_rarest_class")
    assert targeted.interval.low > 0
    assert "rarest class, yes," in targeted.note
    assert targeted.n == np.sum(test.y == 1)


def test_a_regression_loses_its_coefficient_of_determination(tmp_path):
    """Permuted targets lower R², which is measured as scikit-learn does."""
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    parts = []
    for rows in (200, 800):
        x = rng.normal(size=(rows, 5)).astype(np.float32)
        parts.append(Rows(x, (x @ np.arange(5) + rng.normal(size=rows)).astype(np.float32)))
    found = flips(tmp_path, *parts, task="regression", poisoning={"flips": [0.3], "repeats": 8})
    predict = security_builders.retrain(0)(parts[0].x, parts[0].y, seed=0)
    clean = next(m for m in found.measures if m.name.endswith("r2_without_flips"))
    assert clean.value == pytest.approx(r2_score(parts[1].y, predict(parts[1].x)[:, 0]), abs=1e-6)
    assert found.measures[0].interval.low > 0


def test_the_interval_of_the_loss_covers():
    """Over random rows and random repetitions the interval holds the true loss about as often as it says."""
    from checks import intervals
    from checks.security import poisoning

    rng = np.random.default_rng(3)
    hits, runs = 0, 1500
    for _ in range(runs):
        rate = 0.8 - rng.normal(0.1, 0.03, size=(4, 1))
        clean = (rng.random((1, 300)) < 0.8).astype(float).repeat(4, axis=0)
        other = (rng.random((4, 300)) < rate).astype(float)
        judged = [poisoning.Judged(rows, np.ones(300)) for rows in (clean, other)]
        _, interval = poisoning.loss(*judged, intervals.Sampling())
        hits += interval.low <= 0.1 <= interval.high
    assert 0.93 <= hits / runs <= 0.98


def test_whole_entities_widen_the_interval():
    """Rows of one entity that are right or wrong together count as one."""
    from checks import intervals
    from checks.security import poisoning

    rng = np.random.default_rng(0)
    clean, other = ((rng.random((3, 60)) < share).astype(float).repeat(5, axis=1) for share in (0.9, 0.6))
    judged = [poisoning.Judged(rows, np.ones(300)) for rows in (clean, other)]
    alone = poisoning.loss(*judged, intervals.Sampling())[1]
    whole = poisoning.loss(*judged, intervals.Sampling(entities=np.arange(300) // 5))[1]
    assert whole.high - whole.low > 1.3 * (alone.high - alone.low)


def test_no_share_to_flip_does_not_apply(tmp_path):
    """A plan that declares no share asks nothing."""
    found = flips(tmp_path, drawn(60, 4, 1), drawn(60, 4, 2), poisoning={"flips": []})
    assert found.status == "not_applicable"


def test_a_class_of_the_threshold_of_the_training(tmp_path):
    """The models trained anew give labels at the threshold that ships, not at one half."""
    from checks.security import poisoning
    from tests.model_cards.builders import _artifact

    subject = security_builders.subject(tmp_path, drawn(60, 4, 1), drawn(60, 4, 2))
    outputs = np.array([[0.7, 0.3], [0.1, 0.9]])
    assert poisoning._labels(subject, outputs).tolist() == [0, 1]
    training = _record(_artifact("training/best.safetensors"), 0.2)
    subject = dataclasses.replace(subject, source=Source(training=training))
    assert poisoning._labels(subject, outputs).tolist() == [1, 1]


def _record(checkpoint, threshold):
    from evidence import records

    cost = records.Quantity(value=None, unit="1", method="none", boundary="none")
    return records.TrainingRecord(
        checkpoint=checkpoint, architecture={"family": "residual_mlp"}, parameters=10, epochs=2, best_epoch=1, seed=7,
        device="cpu", precision="fp32", hardware="CPU", software={}, rows_per_second=1.0, seconds=1.0, flops=cost,
        energy=cost, curve=(), threshold=records.DecisionThreshold(value=threshold, criterion="stated"), uses=(),
    )  # fmt: skip
