"""The interval of a difference from two intervals alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from checks import _proportions, _simultaneous
from checks.changes import combined
from evidence import records

CASES = [(200, 0.3, 200, 0.4), (100, 0.5, 300, 0.5), (60, 0.8, 60, 0.6), (400, 0.1, 400, 0.12), (50, 0.5, 50, 0.5)]


def shares(rows: int, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every possible share of so many rows with its bounds, along one axis."""
    values = np.arange(rows + 1) / rows
    low, high = _proportions.bounds(values[None], np.full((1, rows + 1), float(rows)), 0.95)
    return tuple(np.expand_dims(np.ravel(v), 1 - axis) for v in (values, low, high))


@pytest.mark.parametrize(("n", "p", "m", "q"), CASES)
def test_a_difference_of_shares_is_covered_at_its_level(n: int, p: float, m: int, q: float) -> None:
    """Summed over every possible outcome, the true difference lies inside in 93 to 97 % (of 95 %)."""
    low, high = combined.bounds(shares(n, 0), shares(m, 1))
    weights = stats.binom.pmf(np.arange(n + 1), n, p)[:, None] * stats.binom.pmf(np.arange(m + 1), m, q)
    covered = float(weights[(low <= q - p) & (q - p <= high)].sum())
    assert 0.93 <= covered <= 0.97


def test_means_of_other_spread_are_covered_at_their_level() -> None:
    """The same for means with Student's t intervals, of different sizes and spreads."""
    rng = np.random.default_rng(3)
    sides = []
    for rows, mean, spread in ((40, 1.0, 2.0), (90, 1.5, 0.7)):
        drawn = rng.normal(mean, spread, size=(20_000, rows))
        value = drawn.mean(axis=1)
        reach = stats.t.ppf(0.975, rows - 1) * drawn.std(axis=1, ddof=1) / np.sqrt(rows)
        sides.append((value, value - reach, value + reach))
    low, high = combined.bounds(*sides)
    assert 0.93 <= float(np.mean((low <= 0.5) & (high >= 0.5))) <= 0.97


ENDS = st.tuples(*[st.floats(-5, 5, allow_nan=False)] * 3).map(sorted)


def measure(ends: list[float], level: float = 0.95) -> records.Measure:
    interval = records.Interval(low=ends[0], high=ends[2], level=level, method="made up")
    return records.Measure(name="performance.accuracy", value=ends[1], interval=interval)


@given(ENDS, ENDS)
def test_the_other_way_round_has_the_same_ends_with_turned_signs(first: list[float], second: list[float]) -> None:
    """Nothing depends on which version is named first."""
    there = combined.interval(measure(first), measure(second), 0.95)
    back = combined.interval(measure(second), measure(first), 0.95)
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == (-back.high, -back.low)


def test_an_interval_at_another_level_is_stretched() -> None:
    """From 90 to 95 % the distances grow as those of a normal distribution, and the method says so."""
    found = combined.interval(measure([0.0, 0.0, 0.0]), measure([-1.0, 0.0, 1.0], 0.90), 0.95)
    assert found is not None
    assert found.high == pytest.approx(1.959964 / 1.644854, abs=1e-5)
    assert "stretched from 90 %" in found.method


def test_without_an_interval_there_is_none() -> None:
    """A difference of numbers that nobody knows the precision of has none either."""
    assert combined.interval(measure([0, 1, 2]), records.Measure(name="a", value=1.0), 0.95) is None


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [([0.3, 0.5], [0.35, 0.45], [100, 100]), ([0.2, 0.6], [0.4, 0.45], [150, 60]), ([0.4, 0.4], [0.4, 0.4], [90, 90])],
)
def test_a_difference_of_gaps_is_covered(before: list[float], after: list[float], rows: list[int]) -> None:
    """Gaps between groups of two tests on other rows: at least 93 % (of 95 %), more where groups are tied."""
    rng = np.random.default_rng(2)
    true = (max(after) - min(after)) - (max(before) - min(before))
    inside = 0
    for _ in range(400):
        low, high = combined.bounds(*(gap(rng.binomial(rows, shares_), rows) for shares_ in (before, after)))
        inside += low <= true <= high
    assert inside >= 372


def gap(hits: np.ndarray, rows: list[int]) -> tuple[np.float64, np.float64, np.float64]:
    """The gap of one test with its interval, as the fairness checks make it."""
    rates, size = (hits / rows)[None], np.array(rows, float)[None]
    low, high = _simultaneous.gap(rates, lambda level: _proportions.bounds(rates, size, level), 0.95)
    value = np.float64(np.ptp(rates))
    return value, np.minimum(low, value), np.maximum(high, value)
