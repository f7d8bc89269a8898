import numpy as np
import pytest

from tests.checks import explained

BINARY = np.array([[-0.5, 0.5], [-1.0, 1.0]])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def log_odds(p):
    return np.log(p / (1 - p))


POPULATIONS = {
    "calibrated": lambda p: p,
    "too close together": lambda p: sigmoid(2 * log_odds(p)),
    "too far apart": lambda p: sigmoid(0.8 * log_odds(p)),
    "too low": lambda p: np.clip(p + 0.05, 0, 1),
    "too high above one half": lambda p: np.where(p > 0.5, p - 0.3, p),
}


def simulated(share, rows, repeats, *, of_entity=1):
    """Gaps of drawn rows with the true error for the same bins, again and again."""
    from scipy import special

    from checks import _gaps

    rng = np.random.default_rng(0)
    population = np.sort(np.random.default_rng(1).beta(1, 3, 60_000))
    total = np.append(0.0, np.cumsum(population - share(population)))
    for _ in range(repeats):
        predicted = np.repeat(rng.beta(1, 3, rows // of_entity), of_entity)
        shared = np.repeat(rng.normal(size=rows // of_entity), of_entity)
        latent = shared if of_entity == 1 else 0.8 * shared + 0.6 * rng.normal(size=rows)
        observed = (special.ndtr(latent) < share(predicted)).astype(float)
        entities = None if of_entity == 1 else np.repeat(np.arange(rows // of_entity), of_entity)
        codes = _gaps.equal_count(predicted, rows // of_entity)
        found = _gaps.gaps(predicted, observed, codes, entities, shares=True)
        edges = [predicted[codes == b].max() for b in range(codes.max())]
        yield found, true_error(population, total, edges)


def true_error(population, total, edges):
    """The error in the population for bins with these upper edges: rows in order, their gaps summed up."""
    ends = np.array([0, *np.searchsorted(population, edges, side="right"), len(population)])
    sizes = np.diff(ends)
    return float(np.sqrt(sizes / len(population) @ (np.diff(total[ends]) / sizes) ** 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize(("rows", "of_entity"), [(500, 1), (3000, 1), (2000, 4)])
def test_the_interval_of_the_debiased_error_covers(name, rows, of_entity):
    """95 % intervals hold the true error in at least 93 % of draws of every population, also with entities."""
    from checks import _gaps, intervals

    hits = 0
    for seed, (found, truth) in enumerate(simulated(POPULATIONS[name], rows, 300, of_entity=of_entity)):
        low, high = _gaps.interval_of(found, intervals.Sampling(replicates=100, seed=seed), "x")
        hits += low <= truth <= high
    assert hits / 300 >= 0.93


@pytest.mark.slow
def test_the_square_of_the_error_has_no_bias():
    """The mean debiased square over many draws is the true one, also where the model is calibrated and it is 0."""
    for name in ("calibrated", "too low"):
        drawn = list(simulated(POPULATIONS[name], 400, 150))
        squares = [g.weights @ g.gaps**2 - g.weights @ np.diag(g.covariance) for g, _ in drawn]
        error = np.std(squares) / np.sqrt(len(squares))
        biased = np.mean([g.weights @ g.gaps**2 for g, _ in drawn])
        true = np.mean([t**2 for _, t in drawn])
        assert abs(np.mean(squares) - true) < 3 * error < abs(biased - true), name


def test_a_calibrated_model_may_have_no_error(tmp_path):
    """The expected calibration error of a calibrated model is above 0, the debiased one is told apart from 0 rarely."""
    from checks import performance

    made = explained.subject(tmp_path, explained.drawn(2000, BINARY, 3), coefficients=BINARY)
    found = {r.check_id: r.measures[0] for r in performance.measure(made) if r.measures}
    one = found["performance.calibration_error"]
    assert one.value < found["performance.ece"].value
    assert one.interval.low == 0
    assert (
        found["performance.calibration_slope"].interval.low < 1 < found["performance.calibration_slope"].interval.high
    )
    large = found["performance.calibration_in_the_large"]
    assert large.value == pytest.approx(np.mean(made.scores.probabilities[:, 1] - (made.part.y == 1)))
    assert large.interval.low < 0 < large.interval.high


def test_equal_predictions_share_a_bin():
    """Bins follow the values: rows of equal prediction are never in two bins, and no bin is empty."""
    from checks import _gaps

    predicted = np.repeat([0.1, 0.1, 0.2, 0.9], 100)
    codes = _gaps.equal_count(predicted, 400)
    assert [len(set(codes[predicted == p])) for p in (0.1, 0.2, 0.9)] == [1, 1, 1]
    assert sorted(set(codes)) == list(range(codes.max() + 1))
    assert set(_gaps.equal_count(np.full(300, 0.3), 300)) == {0}


@pytest.mark.parametrize("classes", [2, 3])
def test_the_slope_equals_logistic_recalibration(tmp_path, classes):
    """With two classes the slope and bounds are those of scikit-learn's unpenalised fit; with three, of the optimum."""
    from scipy import optimize, special
    from sklearn import linear_model

    from checks import _recalibration

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(800, classes)) * 1.5
    p = special.softmax(logits, axis=1)
    y = (special.softmax(0.7 * logits, axis=1).cumsum(axis=1) < rng.random((800, 1))).sum(axis=1)
    found = _recalibration.slope(p, y, None, 0.95)
    if classes == 2:
        fit = linear_model.LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds(p[:, 1:]), y)
        assert found.value == pytest.approx(fit.coef_[0, 0], abs=1e-4)

    def loss(beta):
        eta = beta[0] * np.log(p) + np.append(0, beta[1:])
        return float(np.sum(special.logsumexp(eta, axis=1) - eta[np.arange(len(y)), y]))

    best = optimize.minimize(loss, np.append(1.0, np.zeros(classes - 1)), method="BFGS").x
    assert found.value == pytest.approx(best[0], abs=1e-3)
    assert found.low < 0.7 < found.high


@pytest.mark.slow
@pytest.mark.parametrize("slope", [0.7, 1.0, 1.4])
def test_the_interval_of_the_slope_covers(slope):
    """95 % intervals hold the true slope in 92 to 98 % of draws of 500 rows."""
    from checks import _recalibration

    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        z = rng.normal(size=500) * 1.5
        y = (rng.random(500) < sigmoid(0.3 + slope * z)).astype(int)
        found = _recalibration.slope(np.stack([sigmoid(-z), sigmoid(z)], axis=1), y, None, 0.95)
        hits += found.low <= slope <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_no_finite_slope_is_said(tmp_path):
    """Labels without an error, and probabilities that never vary, have no slope: not measured, and why."""
    from checks import calibration

    x = np.linspace(-1, 1, 60, dtype=np.float32)[:, None]
    perfect = explained.subject(tmp_path / "a", (x, (x[:, 0] > 0).astype(int)), coefficients=np.array([[-9.0, 9.0]]))
    constant = explained.subject(tmp_path / "b", (x, np.arange(60) % 2), coefficients=np.zeros((1, 2)))
    for made in (perfect, constant):
        result = calibration.measure(made)["performance.calibration_slope"]
        assert result.status == "not_measured"
        assert "no finite slope fits" in result.reason
    error = calibration.measure(constant)["performance.calibration_error"].measures[0]
    assert error.note.startswith("one bin")
    assert error.interval.low <= error.value <= error.interval.high


def test_a_class_without_rows_has_no_slope(tmp_path):
    """Three classes of which one has no test row: the slope names it, the errors are measured."""
    from checks import calibration

    coefficients = np.random.default_rng(0).normal(size=(2, 3))
    x, y = explained.drawn(300, coefficients, 0)
    made = explained.subject(tmp_path, (x, np.where(y == 2, 0, y)), coefficients=coefficients, task="multiclass")
    found = calibration.measure(made)
    assert found["performance.calibration_slope"].reason == "undefined: the test part holds no row of c"
    assert found["performance.calibration_error"].measures[0].value is not None
    classwise = found["performance.calibration_error"].measures[1]
    assert classwise.name == "performance.calibration_error.classwise"
    assert classwise.interval.low <= classwise.value <= classwise.interval.high


def test_numbers_are_calibrated_by_decile(tmp_path):
    """A regressor: bias, slope and decile error in the target's unit; a constant prediction has no slope."""
    from checks import calibration

    coefficients = np.array([[2.0], [1.0]])
    x, y = explained.drawn(600, coefficients, 0, task="regression")
    found = calibration.measure(
        explained.subject(tmp_path / "a", (x, y * 1.5 + 3), coefficients=coefficients, task="regression")
    )
    bias, slope, error = (found[f"performance.{n}"].measures[0] for n in ("bias", "calibration_slope", "decile_error"))
    assert bias.value == pytest.approx(-3, abs=0.3)
    assert bias.interval.low < -3 < bias.interval.high
    assert slope.interval.low < 1.5 < slope.interval.high
    assert (bias.unit, error.unit, slope.unit) == ("mm", "mm", "1")
    assert error.interval.low > 2
    bins = found["performance.decile_error"].details["bins"]
    assert len(bins) == 10
    assert all(b["low"] <= b["observed"] <= b["high"] for b in bins)
    flat = explained.subject(tmp_path / "b", (x, y), coefficients=np.zeros((2, 1)), task="regression")
    assert calibration.measure(flat)["performance.calibration_slope"].reason == (
        "undefined: the predictions do not vary"
    )


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_the_mean_gap_covers_where_outcomes_are_rare(share):
    """95 % intervals of the mean gap hold 0 for a calibrated constant share in at least 93 % of draws."""
    from checks import _gaps

    rng, hits = np.random.default_rng(0), 0
    for _ in range(800):
        observed = (rng.random(150) < share).astype(float)
        found = _gaps.gaps(np.full(150, share), observed, np.zeros(150, int), None, shares=True)
        low, high = _gaps.mean_interval(found, 0.95)
        hits += low <= 0 <= high
    assert hits / 800 >= 0.93


def test_bins_of_the_diagram_have_intervals(tmp_path):
    """Every bin's observed share has beta bounds (`_proportions`); copies of a person's row narrow nothing."""
    from scipy import stats

    from checks import performance

    x, y = explained.drawn(400, BINARY, 0)
    alone = explained.subject(tmp_path / "a", (x, y), coefficients=BINARY)
    copies = explained.subject(
        tmp_path / "b",
        (np.repeat(x, 3, axis=0), np.repeat(y, 3)),
        coefficients=BINARY,
        entities=np.repeat(np.arange(400), 3),
    )
    first, second = (
        next(r for r in performance.measure(s) if r.check_id == "performance.ece").details["bins"]
        for s in (alone, copies)
    )
    for a, b in zip(first, second, strict=True):
        hits = round(a["observed"] * a["count"])
        misses = a["count"] - hits
        shift = 0.5 * min(hits, misses) / (min(hits, misses) + 4)
        low = stats.beta.ppf(0.025, hits + shift, misses + 1 - shift) if hits else 0.0
        high = stats.beta.ppf(0.975, hits + 1 - shift, misses + shift) if misses else 1.0
        assert (a["observed_low"], a["observed_high"]) == pytest.approx((low, high), abs=1e-9)
        assert b["count"] == 3 * a["count"]
        assert b["observed_high"] - b["observed_low"] >= 0.95 * (a["observed_high"] - a["observed_low"])
