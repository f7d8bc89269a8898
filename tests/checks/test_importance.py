import numpy as np
import pytest

from tests.checks import explained

SLOPES = np.array([[2.0], [1.0], [0.0]])


def measured(made):
    from checks import importance

    return importance.measure(made)


def regressor(place, rows=1500, *, slopes=SLOPES, seed=0, **other):
    test = explained.drawn(rows, slopes, seed, task="regression")
    return explained.subject(place, test, train=test, coefficients=slopes, task="regression", **other)


def test_a_linear_model_has_the_importance_of_the_closed_form(tmp_path):
    """Shuffling an independent feature raises the squared error by twice its slope's square, over the variance."""
    made = regressor(tmp_path)
    rows = {r["feature"]: r for r in measured(made).details["features"]}
    variance = np.var(made.part.y)
    for name, slope in zip(("f0", "f1", "f2"), SLOPES[:, 0], strict=True):
        truth = 2 * slope**2 / variance
        assert rows[name]["low"] <= truth <= rows[name]["high"]
        assert rows[name]["value"] == pytest.approx(truth, abs=0.12)
    assert list(rows) == ["f0", "f1", "f2"]
    assert rows["f2"]["value"] == pytest.approx(0.0, abs=1e-9)


def test_the_value_is_that_of_scikit_learn(tmp_path):
    """The mean rise of the log loss and fall of the accuracy agree with permutation_importance, to its own spread."""
    from sklearn import inspection

    weights = np.array([[-1.0, 1.0], [-0.4, 0.4], [0.0, 0.0]])
    made = explained.subject(
        tmp_path, explained.drawn(1500, weights, 0), coefficients=weights, importance={"repeats": 30}
    )

    class Graph:
        """What scikit-learn asks of a classifier."""

        classes_ = np.array([0, 1])

        def fit(self, x, y):
            return self

        def predict_proba(self, x):
            p = made.scorer(x.astype(np.float32)).probabilities
            return p / p.sum(axis=1, keepdims=True)

    def log_loss(graph, x, y):
        return float(np.mean(np.log(graph.predict_proba(x)[np.arange(len(y)), y])))

    oracle = inspection.permutation_importance(
        Graph(), made.part.x, made.part.y, scoring=log_loss, n_repeats=30, random_state=0
    )
    rows = {r["feature"]: r["value"] for r in measured(made).details["features"]}
    for j, name in enumerate(("f0", "f1", "f2")):
        spread = 4 * oracle.importances_std[j] * np.sqrt(2 / 30) + 1e-9
        assert rows[name] == pytest.approx(oracle.importances_mean[j], abs=spread)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "of_entity", "repeats"), [(150, 1, 2), (400, 1, 5), (400, 4, 5)])
def test_the_interval_covers(rows, of_entity, repeats):
    """95 % intervals hold the closed form in 93 to 98 % of draws, with few shuffles and with rows of one person."""
    from scipy import special

    from checks import _permutation

    rng, hits = np.random.default_rng(0), 0
    for _ in range(1500):
        x = np.repeat(rng.normal(size=rows // of_entity), of_entity)
        noise = np.repeat(rng.normal(size=rows // of_entity), of_entity)
        donors = _permutation.shuffles(rows, repeats, rng)
        rises = (x + noise - x[donors]) ** 2 - noise**2
        entities = None if of_entity == 1 else np.repeat(np.arange(rows // of_entity), of_entity)
        found = _permutation.importance(rises, donors, entities)
        hits += abs(found.value - 2) <= special.stdtrit(found.units - 1, 0.975) * found.error
    assert 0.925 <= hits / 1500 <= 0.985


def test_no_row_is_its_own_donor():
    """Each row gives and gets once in every shuffle, and never to itself."""
    from checks import _permutation

    donors = _permutation.shuffles(50, 7, np.random.default_rng(0))
    assert all(sorted(d) == list(range(50)) for d in donors)
    assert not (donors == np.arange(50)).any()


def test_intervals_hold_together_and_the_largest_is_named(tmp_path):
    """The headline is the largest importance with its simultaneous interval; one feature alone needs no widening."""
    result = measured(regressor(tmp_path / "a"))
    one, first = result.measures[0], result.details["features"][0]
    assert (one.value, one.interval.low, one.interval.high) == (first["value"], first["low"], first["high"])
    assert "simultaneous over 3 features" in one.interval.method
    assert one.note == "largest: f0"
    assert result.measures[0].unit == "1"
    alone = measured(regressor(tmp_path / "b", slopes=np.array([[1.0]])))
    assert "simultaneous" not in alone.measures[0].interval.method


def test_features_that_go_together_are_named(tmp_path):
    """A copy of a feature in training is named beside it, in both directions."""
    x, y = explained.drawn(400, SLOPES, 0, task="regression")
    x[:, 2] = x[:, 0] ** 3
    made = explained.subject(tmp_path, (x, y), train=(x, y), coefficients=SLOPES, task="regression")
    rows = {r["feature"]: r["alike"] for r in measured(made).details["features"]}
    assert rows == {"f0": ["f2"], "f1": [], "f2": ["f0"]}


def test_protected_inputs_are_marked(tmp_path):
    """A feature that is the column of a protected attribute carries the attribute's name."""
    made = regressor(tmp_path, changes={"name": {1: "sex"}})
    rows = {r["feature"]: r["protected"] for r in measured(made).details["features"]}
    assert rows == {"f0": None, "sex": "sex", "f2": None}


def test_rows_are_chosen_and_counted(tmp_path):
    """No more rows than the plan says are shuffled, the same for the same seed."""
    first, second = (measured(regressor(tmp_path / n, importance={"rows": 200})) for n in ("a", "b"))
    assert first.measures[0].n == 200
    assert first == second.model_copy(update={"artifacts": first.artifacts})


def test_a_constant_model_has_no_importance(tmp_path):
    """Constant outputs have importance 0 without an interval; a constant target is not measured."""
    constant = measured(regressor(tmp_path / "a", slopes=np.zeros((2, 1))))
    assert (constant.measures[0].value, constant.measures[0].interval) == (0.0, None)
    x = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    flat = explained.subject(tmp_path / "b", (x, np.full(50, 2.0)), coefficients=np.ones((1, 1)), task="regression")
    assert measured(flat).reason == "the target does not vary in the test part"
