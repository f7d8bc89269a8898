import numpy as np
import pytest


def shares(hits, rows):
    from checks import _group_rates, _moments

    return _group_rates.shares(_moments.of_rows(np.array([hits], float), np.array([rows], float)))


def test_two_groups_are_one_comparison():
    """With two groups the distances follow from each other: one comparison, each scaled by the other's share."""
    from checks import _to_overall

    rates = shares([30, 20], [100, 300])
    found = _to_overall.each(rates, 0.95, "difference")
    gap = 0.3 - 20 / 300
    assert found.value[0] == pytest.approx([0.75 * gap, -0.25 * gap])
    assert _to_overall.furthest(rates, 0.95, "difference").compared == 1
    assert _to_overall.furthest(shares([30, 20, 5], [100, 300, 40]), 0.95, "difference").compared == 3


def test_a_ratio_and_a_difference_agree_on_equality():
    """The ratio's interval holds 1 exactly where that of the difference holds 0."""
    from checks import _to_overall

    rng = np.random.default_rng(0)
    for _ in range(60):
        rates = shares(rng.binomial(80, [0.3, 0.4, 0.2]), [80, 80, 80])
        difference, ratio = (_to_overall.each(rates, 0.95, how) for how in ("difference", "ratio"))
        clear = np.minimum(np.abs(difference.low), np.abs(difference.high)) > 0.01
        inside = (difference.low <= 0) & (difference.high >= 0)
        np.testing.assert_array_equal(inside[clear], ((ratio.low <= 1) & (ratio.high >= 1))[clear])


def test_a_group_that_is_everybody_has_no_rest_to_be_compared_with():
    """With one group nothing can be compared; an empty one beside it changes nothing."""
    from checks import _to_overall

    assert _to_overall.furthest(shares([30], [100]), 0.95, "ratio") is None
    assert _to_overall.furthest(shares([30, 0], [100, 0]), 0.95, "difference") is None


def test_nobody_selected_is_parity_with_overall():
    """Without a success anywhere the ratio is 1 and the difference 0, and the intervals leave both open."""
    from checks import _to_overall

    rates = shares([0, 0, 0], [50, 60, 70])
    ratio, difference = (_to_overall.furthest(rates, 0.95, how) for how in ("ratio", "difference"))
    assert (ratio.value, ratio.low, ratio.high) == (1.0, 0.0, 1.0)
    assert (difference.value, difference.low) == (0.0, 0.0)
    assert 0 < difference.high < 0.1


def test_a_rate_of_zero_has_an_open_upper_end():
    """A group with no success among others that have some: ratio 0 with an upper end above 0."""
    from checks import _to_overall

    found = _to_overall.each(shares([0, 40], [30, 100]), 0.95, "ratio")
    assert found.value[0, 0] == 0
    assert found.low[0, 0] == 0
    assert 0 < found.high[0, 0] < 1


def test_the_effect_of_the_groups_share_is_in_the_interval():
    """Where the rates are known without error, what remains uncertain is how large the group is."""
    from checks import _to_overall

    low, high = (
        getattr(_to_overall.each(shares([1e7 * 0.8, 1e7 * 0.2], [1e7, 1e7]), 0.95, "difference"), end)[0, 0]
        for end in ("low", "high")
    )
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.16 / 1e7 * 2 * 0.25 + 0.36 * 0.25 / 2e7), rel=0.01)
