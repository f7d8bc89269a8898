import numpy as np
import pytest

from checks.attacks import losses

CLASSIFIERS = [losses.cross_entropy, losses.logit_ratio, losses.targeted_logit_ratio]


def drawn(classes, seed=0, rows=200):
    """Logits, true classes, which are the largest, and another class to aim at."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, classes)) * 3
    y = logits.argmax(axis=1)
    return logits, y, (y + rng.integers(1, classes, rows)) % classes


def differences(loss, logits, y, target, step=1e-6):
    """Central differences (n, K)."""
    found = np.zeros_like(logits)
    for k in range(logits.shape[1]):
        ahead, behind = logits.copy(), logits.copy()
        ahead[:, k] += step
        behind[:, k] -= step
        found[:, k] = (loss(ahead, y, target)[0] - loss(behind, y, target)[0]) / (2 * step)
    return found


@pytest.mark.parametrize("classes", [2, 3, 4, 7])
@pytest.mark.parametrize("loss", CLASSIFIERS)
def test_the_derivative_points_where_differences_do(loss, classes):
    """Up to a positive factor per row, the derivative is that of the loss."""
    logits, y, target = drawn(classes)
    slope, numeric = loss(logits, y, target)[1], differences(loss, logits, y, target)
    numeric /= np.abs(numeric).max(axis=1, keepdims=True)
    np.testing.assert_allclose(slope, numeric, atol=2e-4)
    assert np.abs(slope).max(axis=1) == pytest.approx(1)


def test_cross_entropy_is_that_of_scipy():
    """The softplus of the value is the logarithmic loss of the softmax."""
    from scipy.special import log_softmax

    logits, y, target = drawn(4)
    value = losses.cross_entropy(logits, y, target)[0]
    np.testing.assert_allclose(np.log1p(np.exp(value)), -log_softmax(logits, axis=1)[np.arange(len(y)), y])


def test_the_logit_ratio_is_that_of_the_paper():
    """DLR = −(z_y − max of the others) / (z_π1 − z_π3); towards t the denominator holds the mean of π3 and π4."""
    logits, y = np.array([[3.0, 1.0, 0.0, -2.0], [1.0, 5.0, 2.0, 0.0]]), np.array([0, 0])
    assert losses.logit_ratio(logits, y, y)[0] == pytest.approx([-(3 - 1) / 3, -(1 - 5) / 4])
    towards = losses.targeted_logit_ratio(logits, y, np.array([2, 2]))[0]
    assert towards == pytest.approx([-(3 - 0) / (3 - (0 - 2) / 2), -(1 - 2) / (5 - 0.5)])


@pytest.mark.parametrize("loss", CLASSIFIERS)
def test_a_confident_model_still_has_a_direction(loss):
    """Logits so far apart that the probability rounds to one give a derivative of full size, also in float32."""
    logits = np.array([[900.0, 0.0, -5.0, -9.0]])
    slope = loss(logits, np.array([0]), np.array([1]))[1].astype(np.float32)
    assert np.abs(slope).max() == pytest.approx(1)
    assert slope[0, 0] < 0 < slope[0, 1]


def test_a_regressors_error_is_raised_on_the_side_it_is_on():
    """The squared error grows away from the truth; at the truth it is driven up; aimed ones go where they are told."""
    outputs, truth = np.array([[3.0], [1.0], [2.0]]), np.array([2.0, 2.0, 2.0])
    value, slope = losses.squared_error(outputs, truth, np.zeros(3, np.int64))
    assert (value.tolist(), slope[:, 0].tolist()) == ([1, 1, 0], [1, -1, 1])
    value, slope = losses.directed(outputs, truth, np.array([-1, 1, -1]))
    assert (value.tolist(), slope[:, 0].tolist()) == ([-3, 1, -2], [-1, 1, -1])
