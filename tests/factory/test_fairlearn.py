"""The wiring to Fairlearn, against Fairlearn's own classes with a learner of scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def simulated():
    """Rows with three groups whose positive shares differ."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 3, 1500)
    x = rng.normal(size=(1500, 4)) + groups[:, None] * 0.4
    y = (x @ [1, 1, -1, 0.5] + rng.logistic(size=1500) > 0.3).astype(np.int64)
    return x, y, groups


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds", "true_positive_rate_parity"])
def test_the_reduction_is_fairlearns_own(simulated, constraint):
    """The same weights on the same models as ExponentiatedGradient with a logistic regression, costs included."""
    from fairlearn import reductions
    from sklearn.linear_model import LogisticRegression

    from factory import _fairlearn

    x, y, groups = simulated
    expected = reductions.ExponentiatedGradient(
        LogisticRegression(),
        _fairlearn.MOMENTS[constraint](difference_bound=0.02),
        objective=reductions.ErrorRate(costs={"fp": 0.7, "fn": 0.3}),
        eps=0.02,
        max_iter=8,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected.fit(x, y, sensitive_features=groups)
    models = {}

    def fit(labels, weights):
        name = f"model {len(models)}"
        models[name] = LogisticRegression().fit(x, labels, sample_weight=weights)
        return name, models[name].predict(x)

    found = _fairlearn.reduce(fit, y, groups, constraint, difference_bound=0.02, costs=(0.7, 0.3), max_iterations=8)
    kept = expected.weights_[expected.weights_ > 1e-6]
    assert sorted(found.weights.values()) == pytest.approx(sorted(kept))
    assert found.iterations == expected.last_iter_ + 1
    drawn = sum(w * models[n].predict(x) for n, w in found.weights.items())
    np.testing.assert_allclose(drawn, expected._pmf_predict(x)[:, 1], atol=1e-5)


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_expected_labels_are_equal_between_groups(simulated, constraint):
    """The randomised rule meets the constraint exactly on the rows it was fitted to."""
    from factory import _fairlearn, treated_groups

    x, y, groups = simulated
    scores = 1 / (1 + np.exp(-(x @ [1, 1, -1, 0.5])))
    found = _fairlearn.expected_labels(scores, y, groups, constraint, "accuracy_score")
    rates = [treated_groups.rates(found[groups == g], y[groups == g], constraint) for g in range(3)]
    for other in rates[1:]:
        assert other == pytest.approx(rates[0], abs=2e-3)


def test_constants_are_named():
    """Fairlearn's stand-in for a problem with one label comes back as a constant, not as a model of ours."""
    from sklearn.dummy import DummyClassifier

    from factory import _fairlearn

    for label in (0, 1):
        stand_in = DummyClassifier(strategy="constant", constant=np.int64(label)).fit([[0]], [label])
        assert _fairlearn._name(stand_in) == f"{_fairlearn.CONSTANT} {label}"
