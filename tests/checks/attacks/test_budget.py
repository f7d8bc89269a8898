import numpy as np
import pytest

from checks.attacks import budget
from evidence import records


def spec(name="a", **changes):
    return records.FeatureSpec(
        **{"name": name, "kind": "numeric", "std": 2.0, "minimum": 0.0, "maximum": 10.0} | changes
    )


def test_the_box_is_the_budget_within_the_training_range():
    """Each end is epsilon standard deviations away, or the end of the training range where that is nearer."""
    found = budget.budget((spec(),), np.array([[5.0], [0.5], [10.0]]), 0.5)
    np.testing.assert_array_equal(found.low[:, 0], [4, 0, 9])
    np.testing.assert_array_equal(found.high[:, 0], [6, 1.5, 10])


def test_a_budget_of_its_own_replaces_epsilon():
    """The plan's budget of a feature is in its own unit; others keep epsilon."""
    found = budget.budget((spec("a"), spec("b")), np.array([[5.0, 5.0]]), 0.5, {"b": 0.1})
    np.testing.assert_allclose(found.high - found.low, [[2, 0.2]])


def test_what_lies_outside_the_range_may_stay_or_come_back():
    """A value beyond the training range never moves further out."""
    found = budget.budget((spec(),), np.array([[12.0], [-3.0]]), 0.5)
    np.testing.assert_array_equal(found.high[:, 0], [12, -2])
    np.testing.assert_array_equal(found.low[:, 0], [11, -3])


def test_what_is_fixed_has_a_box_of_no_width():
    """Immutable, categorical and missing cells, and integers without a neighbour in reach, are not free."""
    features = (
        spec("a", immutable=True),
        spec("b", kind="categorical"),
        spec("c"),
        spec("d", integer=True, std=1.0),
        spec("e", integer=True, std=2.0),
        spec("f", minimum=3.0, maximum=3.0),
    )
    x = np.array([[5.0, 1, np.nan, 5, 5, 3]])
    found = budget.budget(features, x, 0.5)
    np.testing.assert_array_equal(found.free, [[False, False, False, False, True, False]])
    np.testing.assert_array_equal(found.low[:, :4], x[:, :4])
    np.testing.assert_array_equal(found.high[:, :4], x[:, :4])
    assert (found.low[0, 4], found.high[0, 4]) == (4, 6)
    np.testing.assert_array_equal(found.width, [[0, 0, 0, 0, 2, 0]])


@pytest.mark.parametrize("seed", range(5))
def test_what_is_fed_never_leaves_the_box(seed):
    """Rounding to single precision and to whole numbers does not take an input out of its box, not by one bit."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(500, 3)) * [1e-3, 1.0, 1e4]).astype(np.float32)
    x[:, 2] = np.round(x[:, 2])
    features = (spec("a", std=1e-4), spec("b", std=0.1), spec("c", std=3e3, integer=True))
    features = tuple(f.model_copy(update={"minimum": -1e9, "maximum": 1e9}) for f in features)
    limits = budget.budget(features, x, 0.3)
    wanted = x + rng.choice([-1, 1], x.shape) * 1e5
    fed = limits.finish(wanted)
    assert fed.dtype == np.float32
    assert (fed.astype(np.float64) >= limits.low).all()
    assert (fed.astype(np.float64) <= limits.high).all()
    assert (fed[:, 2] == np.round(fed[:, 2])).all()
    assert (fed != x).all()


def test_a_value_that_is_no_whole_number_in_an_integer_feature_is_left_or_made_whole():
    """Where the box around such a value holds no whole number it stays as it is; else it becomes one."""
    features = (spec(integer=True, std=1.0),)
    x = np.array([[2.5], [2.2]])
    limits = budget.budget(features, x, 0.3)
    np.testing.assert_array_equal(limits.free[:, 0], [False, True])
    np.testing.assert_array_equal(limits.finish(x + 9)[:, 0], np.array([2.5, 2.0], np.float32))
