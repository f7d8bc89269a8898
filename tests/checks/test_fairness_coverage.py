"""How often the intervals of fairness hold the truth in test sets drawn from populations that are known."""

import dataclasses
import functools

import numpy as np
import pytest

LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Population:
    """Groups with a true rate and a share of the rows each; persons with several like rows where there are any."""

    rates: tuple[float, ...]
    shares: tuple[float, ...]
    rows: int
    per_person: int = 1

    def draw(self, rng):
        """The rates of one test set."""
        from checks import _group_rates, _moments

        if self.per_person == 1:
            rows = rng.multinomial(self.rows, self.shares).astype(float)
            hits = rng.binomial(rows.astype(int), self.rates).astype(float)
            return _group_rates.shares(_moments.of_rows(hits[None], rows[None]))
        group = rng.choice(len(self.rates), self.rows // self.per_person, p=self.shares)
        rows = 1 + rng.poisson(self.per_person - 1, len(group))
        rate = np.array(self.rates)[group]
        # Within a person the correlation of two rows is 0.4.
        hits = rng.binomial(rows, rng.beta(1.5 * rate, 1.5 * (1 - rate)))
        return _group_rates.shares(
            _moments.of_entities(hits[None].astype(float), rows[None].astype(float), group, len(self.rates))
        )

    @property
    def truth(self):
        """What each headline is in the population."""
        rates = np.array(self.rates)
        overall = float(rates @ self.shares)
        turned = np.minimum(rates, overall) / np.maximum(rates, overall)
        return {
            "gap": np.ptp(rates),
            "ratio": rates.min() / rates.max(),
            "smallest": rates.min(),
            "largest": rates.max(),
            "difference to overall": np.abs(rates - overall).max(),
            "ratio to overall": turned.min(),
        }


POPULATIONS = {
    "balanced": Population((0.3, 0.5), (0.5, 0.5), 1000),
    "balanced, at parity": Population((0.4, 0.4, 0.4), (0.4, 0.3, 0.3), 1200),
    "imbalanced, rare positives": Population((0.09, 0.04), (0.25, 0.75), 2400),
    "imbalanced, like Adult by sex": Population((0.26, 0.08), (0.67, 0.33), 3000),
    "clustered": Population((0.3, 0.5), (0.5, 0.5), 1600, per_person=4),
    "clustered, at parity": Population((0.3, 0.3), (0.6, 0.4), 1600, per_person=4),
}
MANY = {
    "four that differ": Population((0.1, 0.2, 0.3, 0.45), (0.25, 0.25, 0.25, 0.25), 1200),
    "seven alike, one apart": Population((0.3,) * 7 + (0.6,), (0.125,) * 8, 1600),
    "ten alike, some small": Population((0.2,) * 10, (0.5, 0.2, 0.1, *(0.2 / 7,) * 7), 1000),
    "small and rare": Population((0.02, 0.02, 0.05), (0.7, 0.2, 0.1), 300),
}
KINDS = ("gap", "ratio", "smallest", "largest", "difference to overall", "ratio to overall")
TRIALS = 2000


def ends(rates, kind):
    from checks import _fairness_headlines, _to_overall

    if kind.endswith("overall"):
        far = _to_overall.furthest(rates, LEVEL, kind.split()[0])
        return far.low, far.high
    return _fairness_headlines.ends(rates, kind, LEVEL)


@functools.cache
def coverage(population, trials=TRIALS):
    """Share of test sets in which each headline's interval holds the truth."""
    rng, held = np.random.default_rng(11), dict.fromkeys(KINDS, 0)
    for _ in range(trials):
        drawn = population.draw(rng)
        drawn = drawn.only(drawn.rows > 0)
        for kind, truth in population.truth.items():
            low, high = ends(drawn, kind)
            held[kind] += low - 1e-12 <= truth <= high + 1e-12
    return {kind: count / trials for kind, count in held.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", POPULATIONS)
def test_intervals_cover_in_93_to_97_per_cent(name, kind):
    """On balanced, imbalanced and clustered populations, 95 % intervals of every headline cover in 93 to 97 %."""
    assert 0.93 <= coverage(POPULATIONS[name])[kind] <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MANY)
def test_intervals_over_many_or_small_groups_cover_at_least_93_per_cent(name, kind):
    """With many groups, or few rows, coverage may be higher (see `checks._simultaneous`), never below 93 %."""
    assert coverage(MANY[name], 1000)[kind] >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("name", [*POPULATIONS, "four that differ"])
def test_intervals_of_single_groups_cover_in_93_to_97_per_cent(name):
    """Each group's rate, and its difference and ratio to overall, by itself: 93 to 97 %, group sizes being random."""
    from checks import _to_overall

    population = (POPULATIONS | MANY)[name]
    rates, rng = np.array(population.rates), np.random.default_rng(12)
    overall = float(rates @ population.shares)
    held = np.zeros((3, len(rates)))
    for _ in range(TRIALS):
        drawn = population.draw(rng)
        low, high = drawn.bounds(LEVEL)
        held[0] += ((low <= rates) & (rates <= high))[0]
        for index, (how, truth) in enumerate((("difference", rates - overall), ("ratio", rates / overall)), 1):
            found = _to_overall.each(drawn, LEVEL, how)
            held[index] += ((found.low <= truth) & (truth <= found.high))[0]
    assert (held / TRIALS >= 0.93).all(), held / TRIALS
    assert (held / TRIALS <= 0.97).all(), held / TRIALS


def calibrated(rng, rows, tilt):
    """Two groups, the second with its probabilities too high by `tilt` (true: none)."""
    from checks import _group_calibration, intervals
    from evidence import arrays

    group = (rng.random(rows) < 0.3).astype(np.int64)
    share = rng.beta(2, 5, rows)
    y = (rng.random(rows) < share).astype(np.int64)
    said = np.clip(share + tilt * group, 0, 1)
    residuals = _group_calibration.residuals(np.stack([1 - said, said], axis=1), y)
    groups = arrays.Groups(group, ("a", "b"))
    return _group_calibration.slice_kinds("s", groups, residuals, None, intervals.Sampling(LEVEL, 300))


@pytest.mark.slow
def test_calibration_intervals_cover():
    """The gap of predicted less observed is held in 93 to 97 %; the error of a calibrated model reaches 0 in 93 %."""
    rng, held, reached = np.random.default_rng(13), 0, 0
    truth = 0.1
    for _ in range(800):
        made = calibrated(rng, 600, truth)
        low, high = ends(made["calibration_gap"], "gap")
        held += low <= truth <= high
        low, _ = ends(calibrated(rng, 600, 0.0)["calibration_error"], "largest")
        reached += low == 0
    assert 0.93 <= held / 800 <= 0.97
    assert reached / 800 >= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("rows", [20, 60])
def test_calibration_intervals_cover_where_the_outcome_is_rare(rows):
    """With hardly an outcome per group the two pseudo-rows keep the interval of a group's gap at 93 % or more."""
    from checks import _group_calibration, intervals
    from evidence import arrays

    rng, held = np.random.default_rng(14), 0
    for _ in range(600):
        share = rng.beta(1, 49, rows)
        y = (rng.random(rows) < share).astype(np.int64)
        residuals = _group_calibration.residuals(np.stack([1 - share, share], axis=1), y)
        groups = arrays.Groups(np.zeros(rows, np.int64), ("a",))
        made = _group_calibration.slice_kinds("s", groups, residuals, None, intervals.Sampling(LEVEL, 100))
        low, high = made["calibration_gap"].bounds(LEVEL)
        held += low.item() <= 0 <= high.item()
    assert held / 600 >= 0.93
