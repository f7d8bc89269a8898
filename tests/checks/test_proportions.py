import numpy as np
import pytest

LEVEL = 0.95
SHARES = (0.02, 0.1, 0.5, 0.9, 0.98)


def bounds(hits, rows, level=LEVEL):
    from checks import _proportions

    hits, rows = np.asarray(hits, dtype=float), np.asarray(rows, dtype=float)
    return _proportions.bounds(hits / rows, np.broadcast_to(rows, hits.shape), level)


def test_bounds_at_zero_and_at_all_rows_have_their_closed_form():
    """Without a success the upper end is 1 - tail^(1/n), with nothing else the lower end is tail^(1/n)."""
    for rows in (1, 2, 5, 6, 31, 46, 158):
        assert bounds(0, rows) == (0.0, pytest.approx(1 - 0.025 ** (1 / rows)))
        assert bounds(rows, rows) == (pytest.approx(0.025 ** (1 / rows)), 1.0)


def test_bounds_leave_the_tails_that_clopper_and_pearson_ask_for():
    """Under the lower bound so many successes or more have the probability of one tail, under the upper so few."""
    from scipy import stats

    for hits, rows in ((1, 5), (4, 5), (3, 20), (57, 88), (199, 200)):
        low, high = bounds(hits, rows)
        assert stats.binom.sf(hits - 1, rows, low) == pytest.approx(0.025)
        assert stats.binom.cdf(hits, rows, high) == pytest.approx(0.025)


def test_bounds_equal_those_of_scipy():
    """SciPy's exact interval of a proportion is the oracle."""
    from scipy import stats

    for hits, rows in ((0, 6), (2, 46), (31, 31), (150, 200)):
        oracle = stats.binomtest(hits, rows).proportion_ci(LEVEL, method="exact")
        assert tuple(np.ravel(bounds(hits, rows))) == pytest.approx((oracle.low, oracle.high))


def test_more_rows_without_a_success_never_widen_the_interval():
    """At 0 successes the upper end falls strictly with n, at n successes the lower end rises."""
    rows = np.arange(1, 400)
    assert (np.diff(bounds(np.zeros(399), rows)[1]) < 0).all()
    assert (np.diff(bounds(rows, rows)[0]) > 0).all()


def test_bounds_at_the_ends_are_no_less_careful_than_wilsons():
    """At 0 successes the upper end is at least 0.95 of that of Wilson's score interval, z^2 / (n + z^2)."""
    z2 = 1.959963984540054**2
    for rows in (2, 5, 6, 46, 158):
        assert bounds(0, rows)[1] > 0.95 * z2 / (rows + z2)


@pytest.mark.parametrize("rows", [5, 20, 50, 200])
@pytest.mark.parametrize("share", SHARES)
def test_bounds_cover_in_simulated_groups(rows, share):
    """95 % intervals hold the truth in 95 % of groups or more, within the noise of 4,000 draws.

    A count of 5 takes six values only: there the exact bounds hold in 99 to 100 %. From 200 rows on it is 95 to 98 %.
    """
    found = np.random.default_rng(rows).binomial(rows, share, 4000)
    low, high = bounds(found, rows)
    covered = np.mean((low <= share) & (share <= high))
    assert covered >= 0.945
    assert rows < 200 or covered <= 0.98


def test_an_undefined_share_has_no_bounds():
    """Without rows both bounds are undefined."""
    from checks import _proportions

    low, high = _proportions.bounds(np.array([np.nan]), np.array([0.0]), LEVEL)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def effective(hits, entities):
    from checks import _proportions

    found = np.bincount(entities, weights=hits)[None]
    rows = np.bincount(entities).astype(float)[None]
    return _proportions.effective_rows(found, rows, np.zeros(rows.shape[1], int), 1).item()


def test_single_rows_count_in_full():
    """Where every entity has one row, the effective number of rows is the number of rows, at 0 and 1 as well."""
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 1.0):
        assert effective(rng.random(40) < share, np.arange(40)) == pytest.approx(40)


def test_copies_of_a_row_count_once():
    """Ten equal rows per entity are worth one, also where all of them are no success."""
    hits = np.repeat(np.random.default_rng(1).random(60) < 0.3, 10)
    assert effective(hits, np.repeat(np.arange(60), 10)) == pytest.approx(60)
    assert effective(np.zeros(600), np.repeat(np.arange(60), 10)) == pytest.approx(60)


def test_effective_rows_are_counted_per_group_and_family():
    """Several groups and families at once give what each gives alone; a group without rows has none."""
    from checks import _proportions

    rng = np.random.default_rng(2)
    entities, hits = np.repeat(np.arange(30), 4), rng.random((2, 120)) < 0.4
    found = np.stack([np.bincount(entities, weights=h) for h in hits])
    rows, member = np.full((2, 30), 4.0), np.arange(30) % 2
    both = _proportions.effective_rows(found, rows, member, 3)
    for family in range(2):
        for group in range(2):
            mine = np.flatnonzero(entities % 2 == group)
            assert both[family, group] == pytest.approx(effective(hits[family, mine], entities[mine] // 2))
    assert (both[:, 2] == 0).all()


def clustered_coverage(entities, shape, trials, *, by_entity):
    from checks import _proportions, intervals

    rng, covered, share = np.random.default_rng(3), 0, shape[0] / sum(shape)
    who = np.repeat(np.arange(entities), 4)
    for _ in range(trials):
        hits = rng.random(len(who)) < rng.beta(*shape, entities)[who]
        found = _proportions.of_rows(hits, intervals.Sampling(LEVEL, entities=who if by_entity else None))
        covered += found.low <= share <= found.high
    return covered / trials


@pytest.mark.parametrize("shape", [(1.2, 0.3), (0.1, 0.9), (0.02, 0.98), (2, 98)])
@pytest.mark.parametrize("entities", [5, 30, 150])
def test_intervals_over_entities_cover(entities, shape):
    """With four like rows per person 95 % intervals hold the truth in at least 94 %, near 0 and with 5 persons too."""
    assert clustered_coverage(entities, shape, 600, by_entity=True) >= 0.94


def test_counting_rows_of_persons_as_independent_would_not_cover():
    """The reason for effective rows: without them coverage falls below 90 %."""
    assert clustered_coverage(150, (1.2, 0.3), 600, by_entity=False) < 0.9
