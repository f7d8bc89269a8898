"""Intervals of areas hold with few positives, and never claim more than so few can show."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("positives", "negatives", "shift"), [(10, 190, 2.5), (40, 400, 2.5), (10, 190, 1.0), (100, 100, 0.3)]
)
def test_the_interval_of_the_roc_area_covers(positives, negatives, shift):
    """Normal scores with a known area: at least 92 of 100 intervals hold it, and few lie wholly above it."""
    from scipy import stats

    from checks import _area

    truth, rng = stats.norm.cdf(shift / np.sqrt(2)), np.random.default_rng(0)
    labels, held, above = np.arange(positives + negatives) < positives, 0, 0
    for _ in range(300):
        scores = rng.normal(size=len(labels)) + shift * labels
        low, high = _area.interval([_area.of(scores, labels)], None, 0.95)
        held += low <= truth <= high
        above += low > truth
    assert held / 300 > 0.92
    assert above / 300 < 0.05


def test_the_area_is_that_of_scikit_learn_and_its_influence_adds_up_to_nothing():
    """Ties count half; what the rows add to the deviation sums to 0."""
    from sklearn import metrics

    from checks import _area

    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 9, 200) / 9, rng.random(200) < 0.3
    found = _area.of(scores, labels)
    assert found.value == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_copies_of_a_row_know_no_more():
    """Four copies of each row, as one entity, give about the interval of the rows alone."""
    from checks import _area

    rng = np.random.default_rng(2)
    labels = np.arange(300) < 60
    scores = rng.normal(size=300) + labels
    alone = _area.interval([_area.of(scores, labels)], None, 0.95)
    many = _area.interval([_area.of(np.repeat(scores, 4), np.repeat(labels, 4))], np.repeat(np.arange(300), 4), 0.95)
    assert many == pytest.approx(alone, abs=0.01)


def test_a_perfect_order_of_few_rows_leaves_room():
    """Five positives above everything: the area is 1, the lower end far from it."""
    from checks import _area

    labels = np.arange(100) < 5
    low, high = _area.interval([_area.of(labels * 1.0, labels)], None, 0.95)
    assert low < 0.9
    assert high == 1.0
