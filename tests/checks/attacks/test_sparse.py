import numpy as np

from checks.attacks import search, sparse
from tests.checks.attacks.test_gradient import descended, linear

NAMES = tuple(f"f{j}" for j in range(6))


def test_a_linear_model_needs_just_so_many_features(tmp_path):
    """For a linear model the fewest features are known: the largest moves until they exceed the margin."""
    network, problem, weights = linear(tmp_path, 2)
    slope = np.abs(weights[:, 1] - weights[:, 0])
    found, before = descended(network, problem), search.Found(problem)
    rows = np.flatnonzero((before.damage < 2) & (found.damage >= 2))
    most = np.cumsum(np.sort(0.25 * slope)[::-1])
    margin = np.abs(problem.x @ (weights[:, 1] - weights[:, 0]))[rows]
    fewest = 1 + (margin[:, None] >= most[None]).sum(axis=1)
    changed = (sparse.reduced(found, rows) != problem.x[rows]).sum(axis=1)
    assert (changed >= fewest).all()
    assert np.mean(changed == fewest) > 0.95
    assert len(rows) > 50


def test_what_is_left_still_fools_the_graph(tmp_path):
    """With the needless changes put back every row is still labelled wrongly, and the counts add up."""
    network, problem, _ = linear(tmp_path, 3)
    found, before = descended(network, problem), search.Found(problem)
    rows = np.flatnonzero((before.damage < 2) & (found.damage >= 2))
    labels = problem.score(sparse.reduced(found, rows)).labels
    assert (labels != problem.y[rows]).all()
    counts = sparse.counts(before, found, NAMES)
    assert counts["rows"] == len(rows) == sum(e["rows"] for e in counts["by_count"])
    changes = sum(e["features"] * e["rows"] for e in counts["by_count"])
    assert changes == sum(e["rows"] for e in counts["by_feature"])


def test_no_fooled_row_gives_no_counts(tmp_path):
    """Where nothing was fooled there is nothing to count."""
    _, problem, _ = linear(tmp_path, 2)
    before = search.Found(problem)
    assert sparse.counts(before, before, NAMES) == {"rows": 0, "by_count": [], "by_feature": []}
