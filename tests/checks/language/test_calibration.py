"""Calibration of next-token probabilities on text that is drawn from a known model."""

import numpy as np
import pytest

from checks.language import calibration
from checks.language._subject import HeldOut
from tests.checks.language import builders


def measured(truth, sharpness, documents=60, length=150):
    """A model that knows the right logits up to a factor, on tokens drawn from the right ones."""
    from types import SimpleNamespace

    from checks import intervals

    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(truth), documents * length)
    shares = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    drawn = (shares[rows].cumsum(axis=1) > rng.random((len(rows), 1))).argmax(axis=1)
    said = np.exp(sharpness * truth)
    said /= said.sum(axis=1, keepdims=True)
    names = {"language": ("en",), "domain": ("docs",)}
    codes = dict.fromkeys(names, np.zeros(documents, np.int64))
    ones = np.ones(documents)
    found = HeldOut(
        nats=ones, tokens=ones * length, bytes=ones, characters=ones, names=names, codes=codes,
        confidence=said.max(axis=1)[rows].astype(np.float32), greedy=said.argmax(axis=1)[rows] == drawn,
        owner=np.repeat(np.arange(documents), length), digests=(),
    )  # fmt: skip
    subject = SimpleNamespace(
        plan=builders.plan(), sampling=intervals.Sampling(), artifacts=(), once=lambda name, make: found
    )
    (result,) = calibration.measure(subject)
    return result


@pytest.fixture(scope="module")
def truth():
    return np.random.default_rng(1).normal(size=(30, 12)) * 1.5


def test_a_model_that_says_the_truth_is_calibrated(truth):
    """Its error is what noise explains, and the interval begins at 0."""
    result = measured(truth, 1.0)
    assert result.measures[0].value < 0.02
    assert result.measures[0].interval.low == 0
    assert abs(result.details["mean_confidence"] - result.details["next_token_accuracy"]) < 0.01


def test_a_model_that_is_too_sure_is_found_out(truth):
    """Logits three times too large: the error is large, and says so with its interval."""
    result = measured(truth, 3.0)
    assert result.measures[0].interval.low > 0.2
    assert result.details["mean_confidence"] > result.details["next_token_accuracy"] + 0.2
    assert sum(b["count"] for b in result.details["bins"]) == 60 * 150
