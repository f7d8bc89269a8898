import dataclasses

import numpy as np
import pytest

from checks.attacks import search, square
from tests.checks.attacks.test_gradient import descended, linear, made


def asked(problem, queries, seed=0):
    """What the query-only attack finds."""
    found = search.Found(problem)
    square.search(found, queries, np.random.default_rng(seed))
    return found


def test_a_linear_classifier_falls_where_the_closed_form_says(tmp_path):
    """With enough questions the random search finds the corner that fools a linear model wherever there is one."""
    _, problem, weights = linear(tmp_path, 2)
    slope = weights[:, 1] - weights[:, 0]
    margin, most = np.abs(problem.x @ slope), 0.25 * np.abs(slope).sum()
    sure = np.abs(margin - most) > 1e-2
    np.testing.assert_array_equal((asked(problem, 300).damage >= 2)[sure], (margin < most)[sure])


def test_a_linear_regressor_errs_as_far_as_the_closed_form_says(tmp_path):
    """For regression the error itself is what the questions raise."""
    _, problem, weights = linear(tmp_path, 1)
    np.testing.assert_allclose(asked(problem, 300).damage, 0.25 * np.abs(weights[:, 0]).sum(), rtol=2e-2)


def test_it_comes_near_to_the_gradient_on_a_network(tmp_path):
    """Questions alone fool nearly as many rows as the gradient does."""
    network, problem = made(tmp_path)
    gradient = np.mean(descended(network, problem).damage >= 2)
    assert np.mean(asked(problem, 300).damage >= 2) == pytest.approx(gradient, abs=0.03)


def test_no_more_questions_are_asked_than_declared(tmp_path):
    """Each row is asked about at most that often after its own score; one that is wrong no more."""
    _, problem = made(tmp_path)
    rows = []
    spy = dataclasses.replace(problem, score=lambda x: rows.append(len(x)) or problem.score(x))
    asked(spy, 25)
    assert len(rows) == 1 + 25
    assert rows[1:] == sorted(rows[1:], reverse=True)


def test_ever_fewer_features_move():
    """The share falls from 0.8 by halves along the schedule of the paper."""
    found = [square.share(query, 10_000) for query in (1, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001)]
    assert found == [0.8 / 2**i for i in range(10)]


def test_only_corners_are_tried(tmp_path):
    """Every question stands at an end of the box in each free feature."""
    _, problem = made(tmp_path)
    found = asked(problem, 50)
    moved = found.x != problem.x
    low, high = problem.limits.low.astype(np.float32), problem.limits.high.astype(np.float32)
    at_end = np.isclose(found.x, low, atol=1e-6) | np.isclose(found.x, high, atol=1e-6)
    assert at_end[moved].all()
    assert moved.any()
