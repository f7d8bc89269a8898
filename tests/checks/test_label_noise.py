from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.checks import model_builders, security_builders
from tests.checks.security_builders import Rows, drawn


def noisy(rows, rate, seed, *, classes=2, apart=1.0, only=None):
    """Well separated classes with labels flipped at a known rate, and which were."""
    clean = drawn(rows, 8, seed, classes=classes, apart=apart)
    rng = np.random.default_rng(seed)
    wrong = (rng.random(rows) < rate) & ((clean.y == only) if only is not None else True)
    y = np.where(wrong, (clean.y + rng.integers(1, classes, rows)) % classes, clean.y)
    return Rows(clean.x, y), wrong


def found(place, train, *, classes=2, **other):
    from checks.security import label_noise

    task = "binary" if classes == 2 else "multiclass"
    test = drawn(100, train.x.shape[1], 999, classes=classes)
    subject = security_builders.subject(place, train, test, task=task, **other)
    return subject, *label_noise.measure(subject)


@pytest.mark.parametrize("rate", [0.05, pytest.param(0.2, marks=pytest.mark.slow)])
def test_known_flips_are_recovered(tmp_path, rate):
    """Where classes do not overlap the estimate is the rate at which labels were flipped, and its interval holds it."""
    errors, hits = [], 0
    for run in range(12):
        train, wrong = noisy(800, rate, run)
        _, _, result = found(tmp_path / str(run), train)
        measure = result.measures[0]
        errors.append(measure.value - wrong.mean())
        hits += measure.interval.low <= rate <= measure.interval.high
    assert abs(np.mean(errors)) < 0.01
    assert hits >= 10


def test_flips_of_one_class_are_told_apart(tmp_path):
    """Flips of one class only show among the rows that were given the other label."""
    train, wrong = noisy(2000, 0.1, 5, only=1)
    _, _, result = found(tmp_path, train)
    by_name = {m.name: m.value for m in result.measures}
    assert by_name["security.label_noise.given_as_0"] == pytest.approx(np.mean(wrong[train.y == 0]), abs=0.03)
    assert by_name["security.label_noise.given_as_1"] < 0.02


def test_overlap_counts_as_noise(tmp_path):
    """Without a wrong label overlapping classes give an estimate above 0: it errs upwards, as its note says."""
    train, _ = noisy(1000, 0.0, 3, apart=0.4)
    _, _, result = found(tmp_path, train)
    assert result.measures[0].interval.low > 0.02
    assert "overlap" in result.measures[0].note


def test_the_joint_is_that_of_the_paper():
    """Counts of confident rows, calibrated to the given labels: a worked example."""
    from checks.security import label_noise

    y = np.array([0, 0, 0, 0, 1, 1])
    p = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.4])
    probabilities = np.stack([p, 1 - p], axis=1)
    # Confidence in class 0: mean of .9 .8 .7 .2 = .65; in class 1: mean of .9 .6 = .75.
    assert label_noise.confident_labels(probabilities, y, np.ones(6)).tolist() == [0, 0, 0, 1, 1, -1]
    np.testing.assert_allclose(label_noise.joint(probabilities, y), np.array([[3, 1], [0, 2]]) / 6)


def test_suspicious_rows_are_the_flipped_ones(tmp_path):
    """Of the rows that are named most are wrong, and most wrong ones are named; only digests are written."""
    from checks.security import label_noise

    train, wrong = noisy(1000, 0.1, 1)
    subject, result, _ = found(tmp_path, train)
    part = subject.parts.part("train")
    listed = subject.parts.folder.checked(result.artifacts[0]).read_text().split()
    named = np.isin(part.row_digests, np.array(listed, dtype="S64"))
    assert np.mean(wrong[named]) > 0.9
    assert np.mean(named[wrong]) > 0.8
    assert all(len(line) == 64 for line in listed)
    assert result.artifacts[0].path == label_noise.LIST


def test_the_list_leaves_in_no_bundle():
    """The bundle's list of files has no place for row digests."""
    from checks.security import label_noise
    from tef_export import contents

    assert contents.role(f"data/{label_noise.LIST}") is None
    assert contents.role(label_noise.LIST) is None


def test_no_row_digest_is_in_the_record(tmp_path):
    """The result names the file, not the rows."""
    from evidence import canonical

    train, _ = noisy(300, 0.1, 1)
    subject, result, noise = found(tmp_path, train)
    text = canonical.to_bytes(result) + canonical.to_bytes(noise)
    assert not any(digest in text for digest in subject.parts.part("train").row_digests.tolist())


def test_near_duplicates_with_another_label_are_contradicted():
    """Equal but for a hundredth of a standard deviation, equal categories, missing equal to missing."""
    from checks.security import label_noise

    x = np.array([[1.0, 0], [1.001, 0], [1.0, 1], [np.nan, 1], [np.nan, 1], [5.0, 0]], np.float32)
    specs = model_builders.features(np.nan_to_num(x), std={0: 1.0}, kind={1: "categorical"})
    y = np.array([0, 1, 1, 0, 0, 1])
    assert label_noise.contradicted(x, y, specs).tolist() == [True, True, False, False, False, False]


def test_a_fold_holds_whole_entities():
    """No entity is split over folds, and folds are of equal size."""
    from checks.security import label_noise

    entities = np.arange(100) // 4
    fold = label_noise.folds(entities, 100, 5, np.random.default_rng(0))
    assert all(len(set(fold[entities == e].tolist())) == 1 for e in range(25))
    assert np.bincount(fold).tolist() == [20] * 5


def test_a_row_is_scored_by_a_model_that_has_not_seen_it(tmp_path):
    """A row's own label has no say in its score: a label that only memory could know is not believed."""
    from checks.source import Source

    train, _ = noisy(200, 0.0, 1)
    seen = []

    def spy(x, y, *, seed):
        rows = {row.tobytes() for row in x}
        trained = security_builders.retrain(2)(x, y, seed=seed)

        def predict(asked):
            seen.append(any(row.tobytes() in rows for row in asked))
            return trained(asked)

        return predict

    found(tmp_path, train, source=Source(retrain=spy))
    assert seen == [False] * 5


def test_outlying_targets_of_a_regression_are_suspicious(tmp_path):
    """A target far from what models of the other rows say is named; there is no label noise to estimate."""
    from checks.security import label_noise

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    y = (x @ np.ones(4) + 0.1 * rng.normal(size=300)).astype(np.float32)
    y[[5, 50]] += 20
    subject = security_builders.subject(tmp_path, Rows(x, y), Rows(x[:80], y[:80]), task="regression")
    result, noise = label_noise.measure(subject)
    listed = subject.parts.folder.checked(result.artifacts[0]).read_text().split()
    part = subject.parts.part("train")
    assert set(listed) == {part.row_digests[i].decode() for i in (5, 50)}
    assert noise.status == "not_applicable"


def test_entities_widen_the_intervals(tmp_path):
    """Shares of rows of few entities are known less well."""
    train, _ = noisy(400, 0.1, 2)
    alone = found(tmp_path / "a", train)[1].measures[0].interval
    entities = dataclasses.replace(train, entities=np.arange(400) // 20)
    whole = found(tmp_path / "b", entities)[1].measures[0].interval
    assert "effective rows over 20 entities" in whole.method
    assert "effective" not in alone.method


def test_no_wrong_label_among_few_rows_is_no_certainty():
    """Where no replicate finds a wrong label the exact bounds of a share speak, as wide as the rows are few."""
    from checks import intervals
    from checks.security import label_noise

    sampling, zeros = intervals.Sampling(), np.zeros(100)
    few, many = (label_noise._interval(zeros, 0.0, sampling, "m", np.arange(500) < n) for n in (20, 500))
    assert few.low == many.low == 0
    assert 0.1 < few.high < 0.2
    assert many.high < 0.01
    assert label_noise._interval(zeros, float("nan"), sampling, "m", zeros == 0) is None
