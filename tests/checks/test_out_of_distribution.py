import numpy as np
import pytest

from tests.checks import explained

WEIGHTS = np.array([[-1.0, 1.0], [-0.5, 0.5], [0.2, -0.2]])


def rows(count, seed, correlation=0.95):
    """Three features, the first two of which go together."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3))
    x[:, 1] = correlation * x[:, 0] + np.sqrt(1 - correlation**2) * x[:, 1]
    return x.astype(np.float32), rng.integers(0, 2, count)


def measured(made):
    from checks import out_of_distribution

    return out_of_distribution.measure(made)


def make(place, *, test=None, train=None, **other):
    return explained.subject(place, test or rows(1500, 0), train=train or rows(3000, 1), coefficients=WEIGHTS, **other)


def test_the_distance_is_mahalanobis(tmp_path):
    """With the training covariance the distance is SciPy's; its square is chi-square for normal rows."""
    from scipy import stats
    from scipy.spatial import distance

    from checks import _distance

    made = make(tmp_path)
    train = made.parts.part("train").x.astype(float)
    found = _distance.fit(made.encoded.features, made.parts.part("train").x)
    inverse = np.linalg.inv(np.cov(train.T, bias=True))
    expected = [distance.mahalanobis(r, train.mean(axis=0), inverse) for r in made.part.x[:50].astype(float)]
    np.testing.assert_allclose(found(made.part.x[:50]), expected, rtol=1e-4)
    assert stats.kstest(found(made.part.x) ** 2, stats.chi2(3).cdf).pvalue > 0.01


def test_the_distance_does_not_depend_on_what_is_read_at_a_time(tmp_path, monkeypatch):
    """Training rows that are read a hundred at a time give the matrix, the threshold and the flags of all at once."""
    from checks import _distance

    made = make(tmp_path)
    train = made.parts.part("train").x
    whole = _distance.fit(made.encoded.features, train)
    far = whole(made.part.x)
    monkeypatch.setattr(_distance, "PIECE", 100)
    found = _distance.fit(made.encoded.features, train)
    np.testing.assert_allclose(found.precision, whole.precision, atol=2e-6)
    np.testing.assert_allclose(found(made.part.x), far, rtol=1e-5)


def test_false_alarms_are_as_frequent_as_the_quantile_says(tmp_path):
    """On rows like those of training about one in a hundred is flagged, with an exact interval."""
    alarms = measured(make(tmp_path))[0].measures[0]
    assert alarms.interval.low <= 0.01 <= alarms.interval.high
    assert "Clopper-Pearson" in alarms.interval.method


def test_whoever_has_the_record_can_compute_the_flag(tmp_path):
    """Means, deviations, matrix and threshold of the record give the measured share of alarms."""
    made = make(tmp_path)
    result = measured(made)[0]
    d = result.details
    mean, std = (np.array([f[k] for f in d["features"]]) for k in ("mean", "std"))
    z = (made.part.x - mean) / std
    distance = np.sqrt(np.einsum("nd,de,ne->n", z, np.array(d["precision"]), z))
    assert np.mean(distance > d["threshold"]) == result.measures[0].value
    assert d["blind_to"]


def test_broken_combinations_are_seen_only_where_features_go_together(tmp_path):
    """Shuffling is noticed with correlated features and is a guess with independent ones."""
    together = measured(make(tmp_path / "a"))[1].measures[0]
    alone = measured(make(tmp_path / "b", test=rows(1500, 0, 0.0), train=rows(3000, 1, 0.0)))[1].measures[0]
    assert together.interval.low > 0.75
    assert alone.interval.low < 0.5 < alone.interval.high
    assert together.n == 1500


def test_faults_beyond_the_range_are_seen(tmp_path):
    """Values one training range beyond its end are flagged nearly always, and the share has its interval."""
    found = {m.name.partition("ood_detection.")[2]: m for m in measured(make(tmp_path))[1].measures}
    assert found["out_of_range_flagged"].value > 0.99
    assert found["out_of_range"].interval.low > 0.95
    assert found["unit_flagged"].value < found["out_of_range_flagged"].value


def test_the_area_is_that_of_scikit_learn(tmp_path):
    """Detection is the area under the ROC curve of shuffled against unaltered rows."""
    from sklearn import metrics

    from checks import _distance, out_of_distribution

    made = make(tmp_path)
    distance = _distance.fit(made.encoded.features, made.parts.part("train").x)
    strange = out_of_distribution._made(made, "shuffled", made.part.x)
    scores = np.concatenate([distance(strange), distance(made.part.x)])
    expected = metrics.roc_auc_score(np.repeat([1, 0], 1500), scores)
    assert measured(made)[1].measures[0].value == pytest.approx(expected)


def test_constant_and_missing_features_do_no_harm(tmp_path):
    """A feature that never varies, one that follows from another, and missing cells leave finite distances."""
    x, y = rows(1500, 0)
    x[:, 2] = 4.0
    x[:, 1] = 2 * x[:, 0]
    x[::5, 0] = np.nan
    alarms, detection = measured(make(tmp_path, test=(x[:700], y[:700]), train=(x[700:], y[700:])))
    assert alarms.measures[0].value < 0.05
    assert detection.measures[0].value is not None


def test_an_unknown_category_raises_the_flag(tmp_path):
    """A code that is none of the model's is flagged whatever the numbers; a missing one is not."""
    from checks import _distance, out_of_distribution

    x, y = rows(600, 0)
    x[:, 2] = np.arange(600) % 3
    changes = {"kind": {2: "categorical"}, "categories": {2: ("a", "b", "c")}}
    made = make(tmp_path, test=(x, y), train=(x, y), changes=changes)
    distance = _distance.fit(made.encoded.features, x)
    odd = np.zeros((3, 3), np.float32)
    odd[:, 2] = [7, np.nan, 1]
    assert out_of_distribution.flagged(distance, 10.0, odd).tolist() == [True, False, False]


def test_one_feature_has_no_combination_to_break(tmp_path):
    """With a single numeric feature shuffling is undefined and said so, while faults are measured."""
    x = np.random.default_rng(0).normal(size=(300, 1)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    made = explained.subject(tmp_path, (x, y), train=(x, y), coefficients=np.array([[-1.0, 1.0]]))
    detection = measured(made)[1]
    assert detection.status == "not_measured"
    assert "one numeric feature has no combination" in detection.reason
    assert next(m for m in detection.measures if m.name.endswith("out_of_range")).value > 0.9


def test_without_numbers_or_training_rows_the_reason_is_given(tmp_path):
    """Only categories: no distance. No training part: nothing to compare with."""
    x = (np.arange(300)[:, None] % 3).astype(np.float32)
    changes = {"kind": {0: "categorical"}, "categories": {0: ("a", "b", "c")}}
    pair = (x, np.arange(300) % 2)
    made = explained.subject(tmp_path / "a", pair, train=pair, coefficients=np.ones((1, 2)), changes=changes)
    alarms, detection = measured(made)
    assert alarms.measures[0].value == 0.0
    assert "only unknown categories" in alarms.measures[0].note
    assert detection.status == "not_applicable"
    bare = explained.subject(tmp_path / "b", pair, coefficients=np.ones((1, 2)))
    assert {r.status for r in measured(bare)} == {"not_measured"}
