"""How often intervals of language models hold, on simulated documents whose truth is known."""

import dataclasses

import numpy as np
import pytest

from checks import _simultaneous, intervals
from checks.language import _ratios


def draw(rng, count, mean, spread, sd=0.15):
    """Bits and bytes of documents whose lengths are lognormal, and of which short ones cost more and vary more."""
    size = np.floor(np.exp(rng.normal(6, spread, count))) + 20
    noise = rng.normal(0, sd, count) + rng.normal(0, 2, count) / np.sqrt(size)
    return mean * np.exp(noise) * (1 + 0.3 * np.exp(-size / 300)) * size, size


def truth(mean, spread, sd=0.15):
    bits, size = draw(np.random.default_rng(12345), 500_000, mean, spread, sd)
    return bits.sum() / size.sum()


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.5, 1.2])
@pytest.mark.parametrize("documents", [5, 20, 100])
def test_bits_per_byte_hold_near_their_level(documents, spread):
    """93 to 98.5 % at a nominal 95 %, with five documents too, whether lengths vary little or by a factor of ten."""
    rng, wanted, hits, trials = np.random.default_rng(documents), truth(2.0, spread), 0, 500
    for trial in range(trials):
        bits, size = draw(rng, documents, 2.0, spread)
        sampling = intervals.Sampling(0.95, 300, trial)
        rates = _ratios.of_groups(bits, size, np.zeros(documents, np.int64), 1, sampling, "x")
        found = _ratios.interval(rates, 0, sampling)
        hits += found.low <= wanted <= found.high
    assert 0.93 <= hits / trials <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize("means", [(2.0, 2.0, 2.0, 2.0), (2.0, 2.6), (1.8, 2.0, 2.0, 2.1, 2.9)])
def test_the_gap_between_languages_holds_near_its_level(means):
    """Where all languages are alike, where two differ, and where one of five stands apart; the near end as a single."""
    rng, trials, spread = np.random.default_rng(7), 300, 0.8
    wanted = truth(max(means), spread) - truth(min(means), spread)
    hits = above = 0
    for trial in range(trials):
        parts = [draw(rng, 20, mean, spread) for mean in means]
        bits, size = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        member = np.repeat(np.arange(len(means)), 20)
        sampling = intervals.Sampling(0.95, 300, trial)
        rates = _ratios.of_groups(bits, size, member, len(means), sampling, "x")
        low, high = _simultaneous.gap(rates.rates, rates.bounds, 0.95)
        hits += low <= wanted <= high
        above += wanted > high
    assert hits / trials >= 0.93
    assert above / trials <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("documents", [5, 10, 50])
def test_paired_changes_hold_near_their_level(documents):
    """What a change of the text adds, document by document, some of it negative and skewed."""
    rng, trials, hits = np.random.default_rng(3), 600, 0

    def change(count):
        _, size = draw(rng, count, 2.0, 0.5)
        return size * (rng.gamma(2.0, 0.15, count) - 0.1), size

    wanted = 0.2
    for trial in range(trials):
        _, found = _ratios.paired(*change(documents), intervals.Sampling(0.95, 300, trial), "x")
        hits += found.low <= wanted <= found.high
    assert 0.92 <= hits / trials <= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("effects", [(0.2, 0.2, 0.2, 0.2, 0.2), (0.1, 0.2, 0.6)])
def test_the_worst_language_under_a_change_holds_near_its_level(effects):
    """Eight excerpts of each language: where the change costs all the same, and where one stands apart."""
    rng, trials, hits, above = np.random.default_rng(11), 200, 0, 0
    member = np.repeat(np.arange(len(effects)), 8)
    for trial in range(trials):
        size = np.concatenate([draw(rng, 8, 2.0, 0.5)[1] for _ in effects])
        change = size * np.concatenate([rng.gamma(2.0, 0.15, 8) - 0.3 + effect for effect in effects])
        sampling = intervals.Sampling(0.95, 300, trial)
        rates = _ratios.paired_groups(change, size, member, len(effects), sampling, "x")
        low, high = _simultaneous.extreme(rates.rates, rates.bounds, 0.95, smallest=False)
        hits += low <= max(effects) <= high
        above += max(effects) > high
    assert hits / trials >= 0.92
    assert above / trials <= 0.05


def test_students_t_alone_is_too_narrow_where_lengths_differ():
    """One long document among short ones: the interval is wider than the number of documents would say."""
    bits, size = draw(np.random.default_rng(0), 6, 2.0, 0.1)
    bits[0], size[0] = bits[0] * 50, size[0] * 50
    sampling = intervals.Sampling()
    rates = _ratios.of_groups(bits, size, np.zeros(6, np.int64), 1, sampling, "x")
    plain = dataclasses.replace(rates, effective=np.array([[6.0]]), skew=np.ones((2, 1, 1)))
    wide, narrow = (_ratios.interval(r, 0, sampling) for r in (rates, plain))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.low > 0
