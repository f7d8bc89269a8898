import numpy as np
import pytest
from sklearn import metrics

from tests.checks import shift_builders

AGES, SITES = ("< 40", ">= 40"), ("a", "b", "c")


def made(y, hit, codes, deployment, *, entities=None, predictions=None):
    """A subject whose rows are sliced by `f0` (ages) and, where there are two columns of codes, by `sex`."""
    from checks import scoring

    names = {"f0": AGES, "sex": SITES}
    slices = {n: (c, names[n]) for n, c in zip(names, codes, strict=False)}
    part = shift_builders.part("test", np.zeros((len(y), 1)), y, slices=slices, entities=entities)
    shift = {"slices": [{"column": "f0", "bins": [40]}, "sex"][: len(codes)], "deployment": deployment}
    task = "binary" if predictions is None else "regression"
    given = shift_builders.scores(y, hit) if predictions is None else scoring.Scores(predictions=predictions)
    return shift_builders.subject(shift_builders.plan(task, shift=shift), part, given)


def measure(*args, **other):
    from checks import deployment

    (result,) = deployment.measure(made(*args, **other))
    return result


def test_the_value_is_the_mean_of_the_slices_in_the_expected_shares():
    """Post-stratification in closed form; blanks in names of slices do not matter; the effective rows are Kish's."""
    rng = np.random.default_rng(0)
    code = (np.arange(500) >= 400).astype(int)
    hit = rng.random(500) < np.where(code, 0.6, 0.9)
    y = rng.integers(0, 2, 500)
    result = measure(y, hit, [code], {"f0": {"<40": 0.3, ">=40": 0.7}})
    assert result.measures[0].value == pytest.approx(0.3 * hit[code == 0].mean() + 0.7 * hit[code == 1].mean())
    assert result.details["effective_rows"] == pytest.approx(1 / (0.3**2 / 400 + 0.7**2 / 100))
    labels = np.where(hit, y, 1 - y)
    weights = np.where(code, 0.7 / 100, 0.3 / 400)
    balanced = metrics.balanced_accuracy_score(y, labels, sample_weight=weights)
    assert result.measures[1].value == pytest.approx(balanced)
    assert result.measures[1].interval.low < balanced < result.measures[1].interval.high


def test_the_shares_of_the_test_part_change_nothing():
    """Where the expected shares are those found, value and effective rows are the plain ones."""
    rng = np.random.default_rng(0)
    code, hit = np.repeat([0, 1], [300, 200]), rng.random(500) < 0.8
    result = measure(rng.integers(0, 2, 500), hit, [code], {"f0": {"< 40": 0.6, ">= 40": 0.4}})
    assert result.measures[0].value == pytest.approx(hit.mean())
    assert result.details["effective_rows"] == pytest.approx(500)


@pytest.mark.slow
@pytest.mark.parametrize(("accuracy", "clustered"), [((0.9, 0.6), False), ((0.99, 0.97), False), ((0.9, 0.6), True)])
def test_intervals_cover(accuracy, clustered):
    """The weighted accuracy of the population to come is held in 93 % and more, by row and by entity."""
    rng, covered, share = np.random.default_rng(0), 0, np.array([0.3, 0.7])
    truth = float(share @ np.array(accuracy))
    code = np.repeat([0, 1], [400, 100])
    who = np.arange(500) // 5 if clustered else None
    for _ in range(400):
        chance = np.array(accuracy)[code]
        if clustered:
            chance = rng.beta(4 * np.array(accuracy), 4 * (1 - np.array(accuracy)), (100, 2))[who, code]
        hit = rng.random(500) < chance
        result = measure(np.zeros(500, np.int64), hit, [code], {"f0": {"< 40": 0.3, ">= 40": 0.7}}, entities=who)
        covered += result.measures[0].interval.low <= truth <= result.measures[0].interval.high
    assert covered / 400 >= 0.93


def test_several_columns_are_raked_to_all_of_their_shares():
    """The weighted rows have the expected shares of both columns at once."""
    rng = np.random.default_rng(0)
    ages, sites = rng.integers(0, 2, 900), rng.choice(3, 900, p=[0.5, 0.3, 0.2])
    wanted = {"f0": {"< 40": 0.8, ">= 40": 0.2}, "sex": {"a": 0.2, "b": 0.2, "c": 0.6}}
    result = measure(rng.integers(0, 2, 900), rng.random(900) < 0.8, [ages, sites], wanted)
    for line in result.details["shares"]:
        assert line["weighted"] == pytest.approx(line["expected"], abs=1e-6)
    assert result.details["effective_rows"] < 900


def test_regression_is_weighted_too():
    """R² and RMSE are those of scikit-learn with the same weights; intervals hold them."""
    rng, code = np.random.default_rng(0), np.repeat([0, 1], [300, 100])
    y = rng.normal(size=400) + code
    predictions = y + rng.normal(size=400) * np.where(code, 1.0, 0.4)
    result = measure(y, None, [code], {"f0": {"< 40": 0.5, ">= 40": 0.5}}, predictions=predictions)
    weights = np.where(code, 0.5 / 100, 0.5 / 300)
    assert result.measures[0].value == pytest.approx(metrics.r2_score(y, predictions, sample_weight=weights))
    rmse = metrics.root_mean_squared_error(y, predictions, sample_weight=weights)
    assert (result.measures[1].value, result.measures[1].unit) == (pytest.approx(rmse), "mm")
    assert result.measures[1].interval.low < rmse < result.measures[1].interval.high


def test_a_cell_without_test_rows_is_refused_with_its_name():
    """An expected slice that no test row is in leaves the check unmeasured; nothing is made up for it."""
    code = np.zeros(50, int)
    result = measure(np.zeros(50, np.int64), np.ones(50, bool), [code], {"f0": {"< 40": 0.5, ">= 40": 0.5}})
    assert result.status == "not_measured"
    assert result.reason == (
        "the target distribution expects a share of 0.5 of f0 = >= 40, but no test row is there; slices with test rows "
        "are < 40"
    )


def test_shares_that_no_weights_can_meet_are_refused():
    """Two columns whose slices coincide cannot have different shares."""
    code = np.repeat([0, 1], 50)
    wanted = {"f0": {"< 40": 0.9, ">= 40": 0.1}, "sex": {"a": 0.1, "b": 0.9}}
    result = measure(np.zeros(100, np.int64), np.ones(100, bool), [code, code], wanted)
    assert result.status == "not_measured"
    assert "no weights of the test rows meet the expected shares" in result.reason


def test_rows_outside_the_distribution_are_counted():
    """Rows without a value, and slices without an expected share, are left out and said to be."""
    code = np.repeat([0, 1, -1], [60, 30, 10])
    result = measure(np.zeros(100, np.int64), np.arange(100) % 2 == 0, [code], {"f0": {"< 40": 1.0}})
    assert (result.details["rows"], result.details["left_out"]) == (60, 40)
    assert "40 rows without an expected share left out" in result.measures[0].note


def test_a_small_slice_leaves_the_gate_open():
    """What rests on a slice with too few rows is inconclusive."""
    from checks import deployment, gate

    subject = made(np.zeros(310, np.int64), np.ones(310, bool), [np.repeat([0, 1], [300, 10])],
                   {"f0": {"< 40": 0.5, ">= 40": 0.5}})  # fmt: skip
    plan = shift_builders.plan(gates=[{"check": "robustness.deployment", "at_least": 0.1}])
    decided = gate.decide(plan, deployment.measure(subject))
    assert decided.outcome == "inconclusive"
    assert "“f0: >= 40” has fewer than 20 rows" in decided.reasons[0].text
