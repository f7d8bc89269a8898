"""Intervals of errors and losses hold the truth in test sets drawn from known populations, skewed ones as well."""

import dataclasses
import math

import numpy as np
import pytest

LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Errors:
    """A population of errors beside targets that vary twice as much as they."""

    draw: object
    """(rng, rows) to errors."""
    absolute: float
    mean: float
    square: float

    def test_set(self, rng, rows):
        """Targets and predictions of some rows."""
        predictions = 2 * math.sqrt(self.square) * rng.standard_normal(rows)
        return predictions - self.draw(rng, rows), predictions

    @property
    def truth(self):
        """What the metrics are in the population."""
        return {
            "mae": self.absolute,
            "rmse": math.sqrt(self.square),
            "r2": 1 - self.square / (5 * self.square - self.mean**2),
        }


def lognormal(deviation):
    """Errors that are always positive, their logarithm normal."""
    mean = math.exp(deviation**2 / 2)
    return Errors(lambda rng, n: np.exp(deviation * rng.standard_normal(n)), mean, mean, math.exp(2 * deviation**2))


POPULATIONS = {
    "normal": Errors(lambda rng, n: rng.standard_normal(n), math.sqrt(2 / math.pi), 0.0, 1.0),
    "Laplace": Errors(lambda rng, n: rng.laplace(size=n), 1.0, 0.0, 2.0),
    "lognormal 0.5": lognormal(0.5),
    "lognormal 1": lognormal(1.0),
}


def missed(population, rows, trials, entities=1):
    """Share of intervals that miss each metric's truth, and of those that lie on its good side."""
    from checks import _regression, intervals

    rng, counts, who = np.random.default_rng(rows), {}, np.repeat(np.arange(rows), entities)
    for trial in range(trials):
        y, predictions = (np.repeat(v, entities) for v in population.test_set(rng, rows))
        sampling = intervals.Sampling(LEVEL, 300, trial, who if entities > 1 else None)
        found = _regression.intervals_of(y, predictions, sampling, "t")
        for name, truth in population.truth.items():
            interval = found[name][1]
            outside = not interval.low <= truth <= interval.high
            good = interval.low > truth if name == "r2" else interval.high < truth
            counts[name] = counts.get(name, 0) + np.array([outside, good])
    return {name: count / trials for name, count in counts.items()}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("normal", 200), ("lognormal 1", 200)])
def test_errors_are_covered(name, rows):
    """MAE, RMSE and R²: at least 90 of 100 intervals hold the truth, and few lie on its good side (150 test sets)."""
    for metric, (outside, good) in missed(POPULATIONS[name], rows, 150).items():
        assert outside <= 0.10, metric
        assert good <= 0.08, metric


@pytest.mark.slow
@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize(("rows", "least"), [(50, 0.88), (200, 0.92), (1000, 0.92)])
def test_errors_are_covered_with_few_and_with_many_rows(name, rows, least):
    """95 % intervals cover at least 92 % of 400 test sets, with 50 rows at least 88 %."""
    for metric, (outside, _) in missed(POPULATIONS[name], rows, 400).items():
        assert 1 - outside >= least, metric


@pytest.mark.slow
def test_errors_of_entities_are_covered():
    """Three like rows for each of 200 entities: the intervals hold as often as those of 200 rows."""
    for metric, (outside, _) in missed(POPULATIONS["lognormal 1"], 200, 200, entities=3).items():
        assert outside <= 0.09, metric


def test_a_percentile_would_not_do():
    """The case is a hard one: percentiles lie on the good side of the truth six times too often."""
    from checks import _regression, intervals

    rng, population, low = np.random.default_rng(1), POPULATIONS["lognormal 1"], 0
    for trial in range(150):
        y, predictions = population.test_set(rng, 200)
        sampling = intervals.Sampling(LEVEL, 300, trial)
        drawn = intervals.replicate(lambda w: _regression.statistics(w, y, predictions), 200, sampling, "t")[:, 1]  # noqa: B023
        low += np.quantile(drawn, 0.975) < population.truth["rmse"]
    assert low / 150 > 0.15


def test_copies_of_rows_know_no_more():
    """Four copies of each row, as one entity, give the interval of the rows alone."""
    from checks import _regression, intervals

    rng = np.random.default_rng(2)
    y, predictions = POPULATIONS["lognormal 0.5"].test_set(rng, 150)
    alone = _regression.intervals_of(y, predictions, intervals.Sampling(), "t")
    of_four = intervals.Sampling(entities=np.repeat(np.arange(150), 4))
    many = _regression.intervals_of(np.repeat(y, 4), np.repeat(predictions, 4), of_four, "t")
    for name, (value, interval) in alone.items():
        assert many[name][0] == pytest.approx(value)
        assert (many[name][1].low, many[name][1].high) == pytest.approx((interval.low, interval.high), rel=1e-6)
        assert "150 entities" in many[name][1].method


def test_the_unit_of_the_target_does_not_matter():
    """In millionths or in millions: MAE and RMSE move with the unit, R² stays."""
    from checks import _regression, intervals

    y, predictions = POPULATIONS["Laplace"].test_set(np.random.default_rng(3), 80)
    small, large = (
        _regression.intervals_of(y * unit, predictions * unit, intervals.Sampling(), "t") for unit in (1e-6, 1e6)
    )
    for name, factor in (("mae", 1e12), ("rmse", 1e12), ("r2", 1.0)):
        assert large[name][1].high == pytest.approx(factor * small[name][1].high)
        assert large[name][1].low == pytest.approx(factor * small[name][1].low)


def test_nothing_wrong_and_nothing_known_has_no_interval():
    """Without any error, with all alike, or with two in 60 rows the bootstrap knows no end."""
    from checks import _regression, intervals

    y = np.random.default_rng(4).normal(size=60)
    right = _regression.intervals_of(y, y, intervals.Sampling(), "t")
    assert (right["mae"], right["rmse"], right["r2"]) == ((0.0, None), (0.0, None), (1.0, None))
    assert _regression.intervals_of(y, y + 1, intervals.Sampling(), "t")["mae"] == (pytest.approx(1.0), None)
    two = y + np.where(np.arange(60) < 2, 1.0, 0.0)
    assert _regression.intervals_of(y, two, intervals.Sampling(), "t")["mae"][1] is None


@pytest.mark.slow
def test_a_tail_meets_the_expected_stretch():
    """What is drawn from the tail has the mean and the mean square that the intervals are centred on."""
    from checks import _long_tails

    rng = np.random.default_rng(5)
    found = _long_tails.tail(np.exp(0.7 * rng.standard_normal(400)))
    which = np.repeat(np.arange(len(found.units)), 40_000)
    drawn = found.drawn(rng, which).reshape(len(found.units), -1)
    first, second = found.expected()
    np.testing.assert_allclose(drawn.mean(axis=1), first, rtol=0.03)
    np.testing.assert_allclose((drawn**2).mean(axis=1), second, rtol=0.2)
    assert 0.6 < found.slope < 1.0


@pytest.mark.slow
@pytest.mark.parametrize("rows", [60, 250])
def test_mean_losses_are_covered(rows):
    """Log losses of a model that is sure of itself: at least 90 of 100 intervals hold their true mean."""
    from checks import _long_tails, intervals

    rng, held = np.random.default_rng(6), 0
    for trial in range(150):
        losses = np.exp(1.2 * rng.standard_normal(rows))
        sampling = intervals.Sampling(LEVEL, 300, trial)
        ((low, high),) = _long_tails.ends([_long_tails.Means.of_rows(losses, sampling)], sampling, "t")[0]
        held += low <= math.exp(0.72) <= high
    assert held / 150 >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "per_entity"), [(40, 1), (60, 3)])
def test_mean_errors_of_groups_are_covered(rows, per_entity):
    """A group with lognormal errors: at least 90 of 100 intervals hold its mean absolute error."""
    from checks import _counting, _group_rates, intervals
    from evidence import arrays

    rng, held, trials = np.random.default_rng(rows), 0, 120
    codes = np.repeat([0, 1], [rows * per_entity, 300])
    who = np.concatenate([np.repeat(np.arange(rows), per_entity), rows + np.arange(300)])
    groups = arrays.Groups(codes, ("a", "b"))
    columns = _counting.columns(codes, 2, who) if per_entity > 1 else None
    for trial in range(trials):
        errors = np.concatenate([np.repeat(np.exp(rng.standard_normal(rows)), per_entity), rng.normal(size=300)])
        sampling = intervals.Sampling(LEVEL, 200, trial)
        rates = _group_rates.error_slice("s", groups, errors, columns, sampling).kinds["error"]
        low, high = rates.bounds(LEVEL)
        held += low[0, 0] <= math.exp(0.5) <= high[0, 0]
    assert held / trials >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize(("shift", "share", "rows"), [(0.5, 0.3, 100), (1.5, 0.05, 400), (2.5, 0.3, 100)])
def test_the_average_precision_is_covered(shift, share, rows):
    """Normal scores with a known curve: at least 91 of 100 intervals hold the area, few lie above it."""
    from scipy import stats

    from checks import _classifier_scores, _ranking, intervals

    cuts = np.linspace(-8, 11, 40_001)
    found, false = stats.norm.sf(cuts - shift), stats.norm.sf(cuts)
    truth = np.trapezoid((share * found / (share * found + (1 - share) * false))[::-1], found[::-1])
    rng, held, above, trials = np.random.default_rng(7), 0, 0, 200
    for trial in range(trials):
        labels = rng.random(rows) < share
        scores = rng.normal(size=rows) + shift * labels
        sampling = intervals.Sampling(LEVEL, 150, trial)
        ranking = _ranking.Ranking(scores, labels)
        value = float(ranking.areas(np.ones((1, rows)))[0, 1])
        drawn = intervals.replicate(ranking.areas, rows, sampling, "t")[:, 1]
        interval = _classifier_scores.precision([ranking], [int(labels.sum())], value, drawn, sampling)
        held += interval.low <= truth <= interval.high
        above += interval.low > truth
    assert held / trials >= 0.91
    assert above / trials <= 0.07
