import numpy as np
import pytest

LEVEL = 0.95


def interval(kind, successes, rows):
    from checks import _proportions, _simultaneous

    rates, counts = (successes / rows)[None], rows[None].astype(float)

    def bounds(level):
        return _proportions.bounds(rates, counts, level)

    if kind == "smallest":
        return _simultaneous.extreme(rates, bounds, LEVEL, smallest=True)
    return {"gap": _simultaneous.gap, "ratio": _simultaneous.ratio}[kind](rates, bounds, LEVEL)


def truth_of(kind, shares):
    return {"gap": max(shares) - min(shares), "ratio": min(shares) / max(shares), "smallest": min(shares)}[kind]


@pytest.mark.parametrize("kind", ["gap", "ratio", "smallest"])
@pytest.mark.parametrize(
    ("shares", "rows"),
    [
        ((0.4, 0.4), (400, 60)),
        ((0.3, 0.3, 0.3, 0.3, 0.3), (400, 60, 150, 80, 40)),
        ((0.3, 0.5), (200, 200)),
        ((0.1, 0.15, 0.2, 0.4), (400, 60, 150, 80)),
        ((0.02, 0.02, 0.05), (400, 60, 150)),
        ((0.02, 0.02, 0.02, 0.02), (5, 20, 50, 200)),
        ((0.98, 0.98, 0.98, 0.98), (5, 20, 50, 200)),
        ((0.02, 0.98), (5, 200)),
        ((0.98, 0.9, 0.5), (20, 50, 200)),
    ],
)
def test_intervals_of_extremes_cover(kind, shares, rows):
    """Gap, ratio and smallest rate are held in at least 93 % of simulated test sets, at parity and near 0 and 1."""
    rng, rows, truth = np.random.default_rng(3), np.array(rows), truth_of(kind, shares)
    hits = 0
    for _ in range(500):
        low, high = interval(kind, rng.binomial(rows, shares), rows)
        hits += low - 1e-12 <= truth <= high + 1e-12
    assert hits / 500 >= 0.93


def test_at_parity_the_gap_reaches_zero():
    """Where all true rates are equal, the lower end is 0 in about 95 % of test sets, not only in a few."""
    rng, rows = np.random.default_rng(4), np.full(5, 100)
    lows = [interval("gap", rng.binomial(rows, 0.3), rows)[0] for _ in range(400)]
    assert 0.93 <= np.mean(np.array(lows) == 0) <= 0.99


def test_a_gap_of_two_is_newcombes_square_and_add():
    """For two groups the interval is d less and plus the square root of the summed squares of the distances."""
    from checks import _proportions

    low, high = interval("gap", np.array([9, 3]), np.array([10, 10]))
    below, above = _proportions.bounds(np.array([0.9, 0.3]), np.array([10.0, 10.0]), LEVEL)
    assert low == pytest.approx(0.6 - np.hypot(0.9 - below[0], above[1] - 0.3))
    assert high == pytest.approx(0.6 + np.hypot(above[0] - 0.9, 0.3 - below[1]))


def test_a_ratio_and_its_inverse_have_inverse_bounds():
    """The ratio's lower end is one over the upper end of the ratio the other way round."""
    from checks import _proportions, _simultaneous

    rates, rows = np.array([[0.2, 0.5]]), np.array([[40.0, 60.0]])
    low, high = _simultaneous._ratios(rates, *_proportions.bounds(rates, rows, LEVEL))
    assert low[0, 0, 1] == pytest.approx(1 / high[0, 1, 0])
    assert low[0, 0, 1] < 0.4 < high[0, 0, 1]


def test_a_gap_is_never_known_better_than_its_rates():
    """With 0 of 5 against 50 of 100 the gap reaches from below 0.2 to beyond 0.5."""
    low, high = interval("gap", np.array([0, 50]), np.array([5, 100]))
    assert low < 0.2
    assert high > 0.55
    low, high = interval("gap", np.array([0, 0]), np.array([5, 100]))
    assert (low, high > 0.5) == (0.0, True)


def test_nobody_selected_leaves_the_ratio_open():
    """With no success in any group the ratio is anything between 0 and 1."""
    assert interval("ratio", np.array([0, 0]), np.array([50, 50])) == (0.0, 1.0)


def test_a_small_group_does_not_blur_a_large_gap():
    """Two large groups that differ clearly keep the gap away from 0 whatever a tiny third group does."""
    low, high = interval("gap", np.array([200, 400, 2]), np.array([1000, 1000, 5]))
    assert low > 0.13
    assert high <= 1.2


def test_the_range_is_tukeys():
    """The quantile behind simultaneous pairs is that of the studentised range with infinitely many degrees."""
    from scipy import stats

    from checks import _simultaneous

    for groups, level in ((3, 0.95), (8, 0.9964)):
        expected = stats.studentized_range.ppf(level, groups, np.inf)
        assert _simultaneous._range_quantile(groups, level) == pytest.approx(expected)


def test_more_families_ask_for_a_higher_level():
    """The level of a pair rises with the groups and the families that are compared; for one pair it is the level."""
    from checks import _simultaneous

    levels = [_simultaneous.pairs_level(np.full(shape, 0.5), LEVEL) for shape in ((1, 2), (1, 3), (2, 3), (7, 3))]
    assert levels[0] == LEVEL
    assert levels == sorted(set(levels))


@pytest.mark.slow
def test_mean_errors_cover_at_parity_and_need_two_rows():
    """Gaps of mean absolute errors reach 0 at parity in at least 93 %; a group of one row leaves the gap open."""
    from checks import _group_rates, _simultaneous, intervals
    from evidence import arrays

    rng, sizes = np.random.default_rng(5), (20, 200, 50)
    groups = arrays.Groups(np.repeat(np.arange(3), sizes), ("a", "b", "c"))

    def ends(groups, errors):
        found = _group_rates.error_slice("s", groups, errors, None, intervals.Sampling(replicates=100)).kinds["error"]
        return _simultaneous.gap(found.rates, found.bounds, LEVEL)

    lows = [ends(groups, rng.normal(size=270))[0] for _ in range(300)]
    assert np.mean(np.array(lows) == 0) >= 0.93
    low, high = ends(arrays.Groups(np.array([0, 1, 1, 1]), ("a", "b")), np.array([1.0, 2.0, 3.0, 2.0]))
    assert (low, high) == (0.0, np.inf)


@pytest.mark.slow
def test_gaps_over_entities_cover():
    """With five like rows per person the gap of two groups is held in at least 93 %; as single rows it is not."""
    from checks import _counting, _group_rates, _simultaneous
    from evidence import arrays

    rng, who = np.random.default_rng(6), np.repeat(np.arange(100), 5)
    groups = arrays.Groups((who % 2).astype(np.int64), ("a", "b"))
    held = {True: 0, False: 0}
    for _ in range(300):
        share = np.where(np.arange(100) % 2, rng.beta(0.6, 0.4, 100), rng.beta(0.3, 0.7, 100))
        labels = (rng.random(500) < share[who]).astype(np.int64)
        for by_entity in held:
            columns = _counting.columns(groups.codes, 2, who) if by_entity else None
            made = _group_rates.classifier_slice("s", groups, labels, 2, columns)
            found = made.kinds["selection_rate"]
            low, high = _simultaneous.gap(found.rates, found.bounds, LEVEL)
            held[by_entity] += low <= 0.3 <= high
    assert held[True] / 300 >= 0.93
    assert held[False] / 300 < 0.9
