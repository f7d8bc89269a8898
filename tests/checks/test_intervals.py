import math

import numpy as np
import pytest

LEVEL = 0.95


def covered(interval, truth):
    return interval is not None and interval.low <= truth <= interval.high


def proportion_coverage(rows, share, trials, seed=0):
    from checks import intervals

    rng, hits = np.random.default_rng(seed), 0
    for trial in range(trials):
        found = rng.binomial(rows, share)
        sampling = intervals.Sampling(LEVEL, 1000, trial)
        drawn = intervals.draw_tables(np.array([found, rows - found]), sampling, "t")[:, 0] / rows
        hits += covered(intervals.percentile(drawn, found / rows, sampling, "m"), share)
    return hits / trials


def test_a_seed_gives_the_same_interval_and_another_seed_another():
    """Intervals are deterministic for a seed and a label."""
    from checks import intervals

    def drawn(seed, label):
        return intervals.draw_tables(np.array([10, 20, 5]), intervals.Sampling(seed=seed), label)

    np.testing.assert_array_equal(drawn(0, "a"), drawn(0, "a"))
    assert (drawn(0, "a") != drawn(1, "a")).any()
    assert (drawn(0, "a") != drawn(0, "b")).any()


def test_row_weights_count_draws():
    """Every replicate draws as many rows as there are; each row is drawn once on average."""
    from checks import intervals

    sampling = intervals.Sampling(replicates=500, seed=1)
    found = np.concatenate(list(intervals.weights(70, sampling, "t")))
    assert found.shape == (500, 70)
    np.testing.assert_array_equal(found.sum(axis=1), 70)
    np.testing.assert_allclose(found.mean(axis=0), 1, atol=0.25)


def test_entities_are_drawn_whole():
    """All rows of an entity carry the same weight; rows without an entity stand alone."""
    from checks import intervals

    entities = np.array([3, 3, 8, 8, 8, -1, -1])
    sampling = intervals.Sampling(replicates=50, entities=entities)
    found = np.concatenate(list(intervals.weights(7, sampling, "t")))
    assert (found[:, 0] == found[:, 1]).all()
    assert (found[:, 2] == found[:, 4]).all()
    assert (found[:, 5] != found[:, 6]).any()


def test_clustered_tables_equal_the_weighted_counts():
    """The table of a replicate is the count of the rows as they were drawn."""
    from checks import intervals

    rng = np.random.default_rng(0)
    codes, entities = rng.integers(-1, 4, 200), rng.integers(0, 40, 200)
    sampling = intervals.Sampling(replicates=30, entities=entities)
    found = intervals.draw_clustered(codes, 4, sampling, "t")
    by_entity = np.concatenate(list(intervals.weights(40, intervals.Sampling(replicates=30), "t")))
    assert len(np.unique(entities)) == 40
    for table, drawn in zip(found, by_entity, strict=True):
        rows = drawn[entities]
        np.testing.assert_array_equal(table, [rows[codes == c].sum() for c in range(4)])


def test_no_error_in_thirty_rows_is_no_certainty():
    """With nothing wrong in thirty rows the interval still reaches about three in thirty."""
    from checks import intervals

    sampling = intervals.Sampling()
    drawn = intervals.draw_tables(np.array([0, 30]), sampling, "t")[:, 0] / 30
    found = intervals.percentile(drawn, 0.0, sampling, "m")
    assert found.low == 0
    assert 0.06 < found.high < 0.14


def test_replicates_without_spread_give_no_interval():
    """Where the bootstrap cannot move, there is no interval rather than one of no width."""
    from checks import intervals

    assert intervals.percentile(np.ones(1000), 1.0, intervals.Sampling(), "m") is None
    assert intervals.percentile(np.full(1000, np.nan), 1.0, intervals.Sampling(), "m") is None


def test_undefined_replicates_are_counted_in_the_method():
    """Replicates in which the metric is undefined are left out, and the record says how many."""
    from checks import intervals

    drawn = np.append(np.linspace(0, 1, 97), [np.nan] * 3)
    found = intervals.percentile(drawn, 0.5, intervals.Sampling(), "m")
    assert found.method == "m, 3 undefined and left out"


@pytest.mark.parametrize(("rows", "share"), [(88, 0.8), (44, 0.85), (400, 0.9)])
def test_multinomial_intervals_cover(rows, share):
    """95 % intervals of a proportion hold the truth in 93 to 97 % of simulated test sets."""
    assert 0.93 <= proportion_coverage(rows, share, 500) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "share"), [(20, 0.98), (44, 0.95), (88, 0.99)])
def test_multinomial_intervals_cover_near_the_edge(rows, share):
    """Near 0 and 1 a count takes few values; the interval errs to the wide side, never below 93 %."""
    assert proportion_coverage(rows, share, 500) >= 0.93


def auc_interval(scores, positive, sampling):
    from checks import intervals
    from checks._ranking import Ranking

    ranking = Ranking(scores, positive)
    value = float(ranking.areas(np.ones((1, len(scores))))[0, 0])
    drawn = intervals.replicate(ranking.areas, len(scores), sampling, "t")[:, 0]
    return intervals.percentile(drawn, value, sampling, "m")


@pytest.mark.slow
def test_row_bootstrap_of_the_auc_covers():
    """95 % intervals of the area under the ROC curve hold the true area in 93 to 97 % of simulated test sets."""
    from checks import intervals

    rng, trials, hits, shift = np.random.default_rng(5), 600, 0, 1.0
    truth = 0.5 * (1 + math.erf(shift / 2))
    for trial in range(trials):
        positive = rng.random(300) < 0.4
        scores = rng.normal(size=300) + shift * positive
        hits += covered(auc_interval(scores, positive, intervals.Sampling(LEVEL, 400, trial)), truth)
    assert 0.93 <= hits / trials <= 0.97


def clustered_coverage(trials, *, by_entity):
    from checks import intervals

    rng, hits = np.random.default_rng(2), 0
    entities = np.repeat(np.arange(150), 4)
    for trial in range(trials):
        share = rng.beta(1.2, 0.3, 150)
        codes = (rng.random(600) >= share[entities]).astype(int)
        sampling = intervals.Sampling(LEVEL, 400, trial, entities if by_entity else None)
        drawn = intervals.tables(codes, 2, sampling, "t")
        value = float(np.mean(codes == 0))
        hits += covered(intervals.percentile(drawn[:, 0] / drawn.sum(axis=1), value, sampling, "m"), 0.8)
    return hits / trials


@pytest.mark.slow
def test_clustered_intervals_cover_where_rows_are_not_independent():
    """With four rows per person, drawing persons covers in 93 to 97 %, drawing rows does not reach 90 %."""
    assert 0.93 <= clustered_coverage(400, by_entity=True) <= 0.97
    assert clustered_coverage(400, by_entity=False) < 0.9
