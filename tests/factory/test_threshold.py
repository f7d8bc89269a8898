from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import errors
from factory import threshold


def test_a_stated_number_is_kept_and_names_no_split():
    """A threshold from the plan is used as it is, in float32, and was chosen on no split."""
    decision = threshold.choose(0.3, np.array([0.1], np.float32), np.array([1]))
    assert decision.value == float(np.float32(0.3))
    assert decision.criterion == "stated in the plan"
    assert decision.chosen_on is None


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(2, 60),
    st.sampled_from([2, 5, 1000]),
    st.sampled_from(["f1", "balanced_accuracy"]),
)
def test_no_other_threshold_does_better(seed, rows, levels, criterion):
    """The chosen threshold is as good as the best of all possible ones, by scikit-learn's own metrics."""
    from sklearn import metrics

    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    y[:2] = 0, 1
    scores = (random.integers(1, levels + 1, rows) / (levels + 1)).astype(np.float32)
    score = metrics.f1_score if criterion == "f1" else metrics.balanced_accuracy_score
    decision = threshold.choose(criterion, scores, y)
    got = score(y, scores >= np.float32(decision.value))
    every = [*np.unique(scores), 1.0]
    assert got == pytest.approx(max(score(y, scores >= np.float32(t)) for t in every), abs=1e-12)
    assert 0 < decision.value < 1
    assert np.float32(decision.value) not in scores
    assert decision.chosen_on == "validation"


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken():
    """Perfectly separated scores leave many cuts equal; the choice does not depend on the sorting."""
    scores = np.array([0.1, 0.2, 0.9, 0.95], np.float32)
    decision = threshold.choose("f1", scores, np.array([0, 0, 1, 1]))
    assert decision.value == pytest.approx(0.55)


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1]])
def test_a_split_with_one_class_cannot_choose(y):
    """Without both classes no criterion can be computed, and the sentence says what to do."""
    with pytest.raises(errors.DataError, match=r"State training\.threshold as a number"):
        threshold.choose("f1", np.array([0.1, 0.5, 0.9], np.float32), np.array(y))
