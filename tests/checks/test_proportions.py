import numpy as np
import pytest

LEVEL = 0.95


def bounds(hits, rows, level=LEVEL):
    from checks import _proportions

    hits, rows = np.asarray(hits, dtype=float), np.asarray(rows, dtype=float)
    return _proportions.bounds(hits / rows, np.broadcast_to(rows, hits.shape), level)


def test_bounds_at_zero_and_at_all_rows_have_their_closed_form():
    """Without a success the upper end is 1 - tail^(1/n), with nothing else the lower end is tail^(1/n)."""
    for rows in (1, 2, 5, 6, 31, 46, 158):
        assert bounds(0, rows) == (0.0, pytest.approx(1 - 0.025 ** (1 / rows)))
        assert bounds(rows, rows) == (pytest.approx(0.025 ** (1 / rows)), 1.0)


def test_bounds_lie_between_the_exact_ones_and_those_of_jeffreys():
    """SciPy's exact interval and the quantiles of Jeffreys' posterior enclose every bound; at four it is half-way."""
    from scipy import stats

    for hits, rows in ((1, 5), (2, 46), (4, 5), (3, 20), (57, 88), (150, 200), (199, 200)):
        exact = stats.binomtest(hits, rows).proportion_ci(LEVEL, method="exact")
        jeffreys = stats.beta(hits + 0.5, rows - hits + 0.5).ppf([0.025, 0.975])
        low, high = bounds(hits, rows)
        assert exact.low < low < jeffreys[0], (hits, rows)
        assert jeffreys[1] < high < exact.high, (hits, rows)
    assert bounds(4, 50)[0] == pytest.approx(stats.beta(4.25, 46.75).ppf(0.025))


def exact_coverage(rows, shares, level=LEVEL):
    """How often the interval holds each of the shares, added up over every number of successes."""
    from scipy import stats

    found = np.arange(rows + 1.0)
    low, high = bounds(found, rows, level)
    held = (low[:, None] <= shares) & (shares <= high[:, None])
    return (stats.binom.pmf(found[:, None], rows, shares) * held).sum(axis=0)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100, 200, 500, 2000])
def test_bounds_never_hold_in_fewer_than_93_per_cent(rows):
    """For every share and any number of rows, small groups included, 95 % intervals cover at least 93 %: no noise."""
    shares = np.concatenate([np.linspace(0.0003, 0.03, 200), np.linspace(0.03, 0.5, 600)])
    assert exact_coverage(rows, shares).min() >= 0.93


@pytest.mark.parametrize("rows", [20, 30, 50, 100, 200, 500, 2000])
def test_bounds_hold_in_93_to_97_per_cent_where_both_outcomes_are_common(rows):
    """Wherever ten successes and ten failures are expected, 95 % intervals cover from 93 to 97 %: no noise."""
    coverage = exact_coverage(rows, np.linspace(10 / rows, 1 - 10 / rows, 801))
    assert coverage.min() >= 0.93
    assert coverage.max() <= 0.97 + 1e-9


@pytest.mark.parametrize(("level", "least"), [(0.8, 0.74), (0.9, 0.87), (0.99, 0.983), (0.999, 0.998)])
def test_bounds_hold_at_other_levels(level, least):
    """Other levels miss at most twice as often as they say, as simultaneous ends need them."""
    shares = np.concatenate([np.linspace(0.001, 0.03, 100), np.linspace(0.03, 0.5, 300)])
    for rows in (5, 20, 100, 1000):
        assert exact_coverage(rows, shares, level).min() >= least, rows


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


def test_an_undefined_share_has_no_bounds():
    """Without rows both bounds are undefined."""
    from checks import _proportions

    low, high = _proportions.bounds(np.array([np.nan]), np.array([0.0]), LEVEL)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def effective(hits, entities):
    from checks import _moments

    found = np.bincount(entities, weights=hits)[None]
    rows = np.bincount(entities).astype(float)[None]
    return _moments.of_entities(found, rows, np.zeros(rows.shape[1], int), 1).effective_rows().item()


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
    from checks import _moments

    rng = np.random.default_rng(2)
    entities, hits = np.repeat(np.arange(30), 4), rng.random((2, 120)) < 0.4
    found = np.stack([np.bincount(entities, weights=h) for h in hits])
    rows, member = np.full((2, 30), 4.0), np.arange(30) % 2
    both = _moments.of_entities(found, rows, member, 3).effective_rows()
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
