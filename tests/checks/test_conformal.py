import numpy as np
import pytest

from tests.checks import explained

THREE = np.random.default_rng(5).normal(size=(4, 3))
LINE = np.array([[2.0], [1.0]])


def measured(made):
    from checks import conformal

    return {r.check_id.removeprefix("explanation."): r for r in conformal.measure(made)}


def make(place, rows=600, *, validation=500, coefficients=THREE, task="multiclass", seed=0, **other):
    """A calibrated model with a validation and a test part drawn from it."""
    return explained.subject(
        place,
        explained.drawn(rows, coefficients, seed, task=task),
        validation=explained.drawn(validation, coefficients, seed + 1, task=task),
        coefficients=coefficients,
        task=task,
        **other,
    )


@pytest.mark.parametrize("rows", [19, 100])
def test_coverage_follows_the_known_beta_law(rows):
    """Over many calibrations the coverage of a threshold has mean and spread of Beta(k, m + 1 − k)."""
    from scipy import stats

    from checks import _conformal

    rng = np.random.default_rng(0)
    found = [_conformal.threshold(rng.random(rows), 0.9) for _ in range(4000)]
    coverage = np.array([t.value for t in found])  # of uniform scores, the share below is the threshold itself
    law = stats.beta(found[0].rank, rows + 1 - found[0].rank)
    assert stats.kstest(coverage, law.cdf).pvalue > 0.01
    assert law.mean() >= 0.9


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("per_class", [False, True])
def test_sets_cover_new_rows_at_their_level(method, per_class):
    """The mean coverage over calibrations is at least the level, in every class where each has its own threshold."""
    from checks import _conformal

    _, y = explained.drawn(40_000, THREE, 0)
    x = explained.drawn(40_000, THREE, 0)[0]
    logits = x @ THREE
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    scores = _conformal.class_scores(p, method)
    own = scores[np.arange(len(y)), y]
    covered = np.zeros(3)
    for start in range(0, 40_000, 400):
        part = slice(start, start + 400)
        threshold = [_conformal.threshold(own[part][y[part] == k] if per_class else own[part], 0.8) for k in range(3)]
        hits = own <= np.array([t.value for t in threshold])[y]
        covered += [np.mean(hits[y == k]) for k in range(3)] if per_class else np.mean(hits)
    assert (covered / 100 >= 0.797).all()
    assert (covered / 100 <= 0.83).all() or method == "aps"


def test_a_threshold_is_the_score_of_its_rank():
    """The rank is ⌈(m + 1) level⌉, exact where (m + 1) level is whole; too few rows exclude nothing."""
    from checks import _conformal

    scores = np.arange(9) / 10
    assert _conformal.threshold(scores, 0.9) == _conformal.Threshold(0.8, 9, 9)
    assert _conformal.threshold(np.arange(19) / 20, 0.9).value == 17 / 20
    assert _conformal.threshold(scores[:8], 0.9).value == np.inf
    assert [_conformal.least_rows(level) for level in (0.8, 0.9, 0.95, 0.99)] == [4, 9, 19, 99]


def test_adaptive_sets_hold_the_most_probable_class_and_treat_equals_alike():
    """The score of a class is the sum of the more probable ones: 0 for the first, the same for equal classes."""
    from checks import _conformal

    found = _conformal.class_scores(np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]), "aps")
    np.testing.assert_allclose(found, [[0.8, 0.0, 0.5], [0.0, 0.0, 0.8]])
    np.testing.assert_allclose(_conformal.class_scores(np.array([[0.2, 0.8]]), "lac"), [[0.8, 0.2]])


def test_the_expected_range_is_beta_binomial():
    """With one threshold the range of the test coverage is that of the beta-binomial law."""
    from scipy import stats

    from checks import _conformal

    one = _conformal.Threshold(0.5, 451, 500)
    low, high = _conformal.expected([one], [300], 0.95, np.random.default_rng(0))
    law = stats.betabinom(300, 451, 50)
    assert (low, high) == pytest.approx((law.ppf(0.025) / 300, law.ppf(0.975) / 300), abs=2 / 300)


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_what_is_measured_is_the_rule_that_is_recorded(tmp_path, method):
    """Sets formed from the recorded thresholds alone have the measured coverage and size."""
    made = make(tmp_path, conformal={"method": method, "levels": [0.8, 0.9]})
    found = measured(made)
    p, y = made.scores.probabilities, made.part.y
    rows = [r for r in found["conformal_coverage"].details["thresholds"] if r["level"] == 0.8]
    assert [r["class"] for r in rows] == ["a", "b", "c"]
    sums = np.array([[sum(q for q in row if q > one) for one in row] for row in p])
    scores = 1 - p if method == "lac" else sums
    sets = scores <= np.array([r["threshold"] for r in rows]) + 1e-12
    one = found["conformal_coverage"].measures[0]
    assert one.value == pytest.approx(np.mean(sets[np.arange(len(y)), y]))
    assert found["set_size"].measures[0].value == pytest.approx(sets.sum(axis=1).mean())
    assert sum(r["rows"] for r in found["set_size"].details["sizes"]) == len(y)
    more = next(m for m in found["conformal_coverage"].measures if m.name.endswith("level_0.9"))
    assert more.value > one.value
    assert one.interval.low < one.value < one.interval.high
    assert found["interval_width"].status == "not_applicable"


def test_numbers_get_intervals_of_their_width(tmp_path):
    """A regressor's interval covers at its level; its width is that of the noise, in the target's unit."""
    from scipy import stats

    made = make(tmp_path, 2000, validation=2000, coefficients=LINE, task="regression")
    found = measured(made)
    coverage, width = found["conformal_coverage"].measures[0], found["interval_width"].measures[0]
    assert coverage.interval.low <= 0.9 <= coverage.interval.high
    assert width.interval.low < 2 * stats.norm.ppf(0.95) < width.interval.high
    assert (width.unit, width.split, width.n) == ("mm", "validation", 2000)
    assert found["set_size"].status == "not_applicable"
    assert "classes" not in found["conformal_coverage"].details


@pytest.mark.slow
def test_the_interval_of_the_width_covers():
    """Bounds from the ranks of the residuals hold the true quantile in at least 94 % of draws."""
    from scipy import stats

    from checks import _conformal

    rng, truth = np.random.default_rng(0), stats.halfnorm.ppf(0.9)
    ends = [_conformal.threshold_interval(np.abs(rng.normal(size=120)), 0.9, 0.95) for _ in range(2000)]
    assert 0.94 <= np.mean([low <= truth <= high for low, high in ends]) <= 0.99
    assert _conformal.threshold_interval(rng.random(12), 0.9, 0.95) is None


def test_groups_are_measured_and_gated(tmp_path):
    """The smallest group share is the headline of an attribute; a gate on it is inconclusive with a small group."""
    from checks import gate
    from configs.policy import Gate

    made = make(tmp_path, groups=True)
    result = measured(made)["conformal_coverage"]
    groups = result.details["groups"]["sex"]
    headline = next(m for m in result.measures if m.slice == "sex")
    assert headline.value == min(g["value"] for g in groups)
    assert headline.interval.high >= next(g["high"] for g in groups if g["value"] == headline.value)
    assert {m.slice for m in result.measures if m.slice.startswith("sex=")} == {"sex=female", "sex=male"}
    plan = made.plan.model_copy(
        update={
            "policy": made.plan.policy.model_copy(
                update={
                    "gates": (Gate(check="explanation.conformal_coverage", slice="sex", at_least=0.6),),
                    "minimum_group_size": 20,
                }
            )
        }
    )
    (judged,) = gate.apply(plan, [result])
    assert judged.status == "pass"
    small = result.model_copy(update={"details": {**result.details, "small_groups": ["sex=female"]}})
    assert gate.apply(plan, [small])[0].status == "inconclusive"


def test_too_few_validation_rows_are_not_measured(tmp_path):
    """Eight rows cannot carry a level of 0.9; no validation part at all says so, too."""
    from checks import gate

    few = measured(make(tmp_path / "a", validation=8))
    assert {few[n].status for n in ("conformal_coverage", "set_size")} == {"not_measured"}
    assert "needs at least 9 validation rows of a class, and there are 8 in all" in few["set_size"].reason
    none = explained.subject(tmp_path / "b", explained.drawn(50, THREE, 0), coefficients=THREE, task="multiclass")
    assert "no validation part" in measured(none)["conformal_coverage"].reason
    numbers = make(tmp_path / "c", validation=5, coefficients=LINE, task="regression")
    assert measured(numbers)["interval_width"].reason.endswith("at least 9 validation rows, and there are 5 in all")
    assert gate.apply(numbers.plan, tuple(few.values()))[0].status == "not_measured"


def test_a_class_without_validation_rows_is_in_every_set(tmp_path):
    """Nothing can be said about a class nobody calibrated on: it is never excluded, and it is named."""
    x, y = explained.drawn(400, THREE, 1)
    made = explained.subject(
        tmp_path,
        explained.drawn(300, THREE, 0),
        validation=(x, np.where(y == 2, 0, y)),
        coefficients=THREE,
        task="multiclass",
    )
    result = measured(made)["conformal_coverage"]
    assert result.measures[0].note.endswith("in every set, for lack of validation rows: c")
    assert next(c for c in result.details["classes"] if c["group"] == "c")["value"] == 1.0
    assert result.details["classes_without_calibration_rows"] == ["c"]


def test_constant_probabilities_give_sets_that_say_nothing(tmp_path):
    """A model that answers the same for every row is measured: its sets hold both classes, and cover all."""
    rng = np.random.default_rng(0)
    rows = [(rng.normal(size=(n, 2)), rng.integers(0, 2, n)) for n in (200, 300)]
    made = explained.subject(tmp_path, rows[0], validation=rows[1], coefficients=np.zeros((2, 2)))
    found = measured(made)
    assert (found["conformal_coverage"].measures[0].value, found["set_size"].measures[0].value) == (1.0, 2.0)


def test_rows_of_entities_are_not_independent(tmp_path):
    """With entities the interval counts them, and no range of independent rows is given."""
    x, y = explained.drawn(200, THREE, 0)
    made = explained.subject(
        tmp_path,
        (np.repeat(x, 4, axis=0), np.repeat(y, 4)),
        validation=explained.drawn(500, THREE, 1),
        coefficients=THREE,
        task="multiclass",
        entities=np.repeat(np.arange(200), 4),
    )
    result = measured(made)["conformal_coverage"]
    assert "200 entities" in result.measures[0].interval.method
    assert "expected" not in result.details
    assert result.measures[0].interval.high - result.measures[0].interval.low > 0.07
