import numpy as np
import pytest

from checks import scoring
from checks.attacks import search
from configs import errors


def fragile(x):
    """A classifier that breaks on rows with a negative first feature."""
    if (x[:, 0] < 0).any():
        raise errors.VerificationError("model m.onnx: expected finite probabilities, got some that are not. Export it.")
    shares = np.stack([1 - x[:, 0], x[:, 0]], axis=1).astype(np.float64)
    return scoring.Scores(labels=(x[:, 0] > 0.5).astype(np.int64), probabilities=shares)


def test_rows_that_break_the_graph_are_found_and_the_others_scored():
    """One call or many: sound rows get what the graph says, broken ones the label −1."""
    x = np.array([[0.2], [-1.0], [0.9], [0.7], [-0.1]], np.float32)
    found = search.confirm(fragile, x, 2)
    assert found.labels.tolist() == [0, -1, 1, 1, -1]
    np.testing.assert_allclose(found.probabilities[[0, 2, 3], 1], [0.2, 0.9, 0.7], rtol=1e-6)
    assert np.isnan(found.probabilities[[1, 4]]).all()


def test_a_broken_row_is_as_wrong_as_can_be():
    """It counts as wrong whatever is true; for a regressor its error is infinite."""
    found = search.confirm(fragile, np.array([[-1.0], [0.9]], np.float32), 2)
    assert search.damage(found, np.array([0, 1])).tolist() == pytest.approx([3.0, 0.1])
    assert search.damage(search.confirm(fragile, np.array([[-1.0]], np.float32), 0), np.array([5.0])).tolist() == [
        np.inf
    ]


def test_no_rows_pass_the_graphs_own_error_on():
    """Without a row to blame, the graph's sentence is the user's."""

    def broken(x):
        raise errors.VerificationError("model m.onnx: expected a graph. Export it.")

    with pytest.raises(errors.VerificationError, match=r"m\.onnx"):
        search.confirm(broken, np.empty((0, 1), np.float32), 2)
