import itertools

import numpy as np
import pytest

from tests.checks import model_builders


def subject(
    tmp_path, task="binary", rows=600, classes=2, *, y=None, x=None, coefficients=None, entities=None, **policy
):
    """A model under test, made of real files."""
    from checks import _parts, _subject, intervals, scoring
    from evidence import arrays

    made_x, made_c, made_y = model_builders.simulated(rows, 4, 0, classes=classes)
    x, coefficients, y = (m if g is None else g for g, m in ((x, made_x), (coefficients, made_c), (y, made_y)))
    model_builders.linear_graph(tmp_path / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, **policy)
    case = model_builders.case(tmp_path, plan, x, y, model_builders.membership(len(y), 1), entities=entities)
    part = arrays.load(case.folder, case.encoded, "test")
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), case.encoded)
    parts = _parts.Parts(case.folder, case.encoded, scorer)
    sampling = intervals.Sampling(0.95, 300, 0, part.entities)
    return _subject.Subject(plan, case.encoded, part, scorer, scorer(part.x), sampling, parts)


def found(made):
    from checks import performance

    return {r.check_id.removeprefix("performance."): r for r in performance.measure(made)}


def values(results):
    return {name: r.measures[0].value for name, r in results.items() if r.measures}


def test_binary_metrics_equal_scikit_learn(tmp_path):
    """Every binary metric has the value that scikit-learn gives on the same rows."""
    from sklearn import metrics

    made = subject(tmp_path)
    y, label, p = made.part.y, made.scores.labels, made.scores.probabilities
    expected = {
        "accuracy": metrics.accuracy_score(y, label),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, label),
        "roc_auc": metrics.roc_auc_score(y, p[:, 1]),
        "pr_auc": metrics.average_precision_score(y, p[:, 1]),
        "f1": metrics.f1_score(y, label),
        "brier": metrics.brier_score_loss(y, p[:, 1]),
        "log_loss": metrics.log_loss(y, p / p.sum(axis=1, keepdims=True)),
        "confusion_matrix": metrics.confusion_matrix(y, label)[[0, 1], [1, 0]].sum(),
    }
    results = found(made)
    measured = values(results)
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-12), name
    assert results["confusion_matrix"].details["matrix"] == metrics.confusion_matrix(y, label).tolist()


def test_multiclass_metrics_equal_scikit_learn(tmp_path):
    """Every multi-class metric has the value that scikit-learn gives on the same rows."""
    from sklearn import metrics

    made = subject(tmp_path, "multiclass", classes=3)
    y, label, p = made.part.y, made.scores.labels, made.scores.probabilities
    p = p / p.sum(axis=1, keepdims=True)
    expected = {
        "accuracy": metrics.accuracy_score(y, label),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, label),
        "roc_auc": metrics.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "pr_auc": metrics.average_precision_score(np.eye(3)[y], p, average="macro"),
        "f1": metrics.f1_score(y, label, average="macro"),
        "brier": metrics.brier_score_loss(y, p),
        "log_loss": metrics.log_loss(y, p),
    }
    measured = values(found(made))
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-6), name


def test_regression_metrics_equal_scikit_learn(tmp_path):
    """MAE, RMSE and R² have scikit-learn's values, in the target's unit; the classifier's metrics do not apply."""
    from sklearn import metrics

    rng = np.random.default_rng(0)
    x, coefficients = rng.normal(size=(400, 4)).astype(np.float32), rng.normal(size=(4, 1))
    y = (x @ coefficients)[:, 0] * 10 + 150 + rng.normal(size=400) * 5
    made = subject(tmp_path, "regression", x=x, y=y, coefficients=coefficients)
    truth, predicted = made.part.y.astype(float), made.scores.predictions
    results = found(made)
    found_values = values(results)
    assert {name: found_values[name] for name in ("mae", "rmse", "r2")} == {
        "mae": pytest.approx(metrics.mean_absolute_error(truth, predicted)),
        "rmse": pytest.approx(metrics.root_mean_squared_error(truth, predicted)),
        "r2": pytest.approx(metrics.r2_score(truth, predicted)),
    }
    assert results["rmse"].measures[0].unit == "mm"
    assert results["accuracy"].status == "not_applicable"
    assert "regression" in results["accuracy"].reason
    assert sum(b["n"] for b in results["rmse"].details["predicted_observed"]) == 400


def naive_ece(confidence, outcome):
    """The definition, bin by bin."""
    edges, total = np.linspace(0, 1, 16), 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence >= low) & ((confidence < high) | ((high == 1) & (confidence == 1)))
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - outcome[inside].mean())
    return total


def test_calibration_error_is_its_definition(tmp_path):
    """The calibration error is the mean gap of fifteen bins of equal width; its bins are in the details."""
    made = subject(tmp_path)
    result = found(made)["ece"]
    assert result.measures[0].value == pytest.approx(
        naive_ece(made.scores.probabilities[:, 1], made.part.y == 1), abs=1e-9
    )
    bins = result.details["bins"]
    assert sum(b["count"] for b in bins) == made.part.rows
    assert all(b["low"] <= b["predicted"] <= b["high"] for b in bins)


def test_calibration_error_of_a_calibrated_model_may_be_zero(tmp_path):
    """The test rows were drawn from the model itself: the interval of its calibration error reaches 0."""
    interval = found(subject(tmp_path, rows=2000))["ece"].measures[0].interval
    assert interval.low == 0
    assert interval.high < 0.1


def test_every_value_lies_in_its_interval(tmp_path):
    """Each metric of a classifier has an interval around it, with the method, replicates and seed."""
    for name, result in found(subject(tmp_path)).items():
        if result.measures and name != "confusion_matrix" and not name.startswith("calibration"):
            one = result.measures[0]
            assert one.interval.low < one.value < one.interval.high or name == "ece", name
            closed = {"accuracy": "Clopper-Pearson to Jeffreys beta", "roc_auc": "Newcombe's method 5"}
            made = closed.get(name, "300 replicates, seed 0")
            assert made in one.interval.method
            assert (one.n, one.split) == (600, "test")


def test_curves_are_short_and_rise(tmp_path):
    """ROC and precision-recall curves have at most 200 points, within 0 and 1, from end to end."""
    results = found(subject(tmp_path))
    roc, pr = results["roc_auc"].details["curve"], results["pr_auc"].details["curve"]
    assert len(roc["fpr"]) == len(roc["tpr"]) <= 200
    assert (roc["fpr"][0], roc["tpr"][0], roc["fpr"][-1], roc["tpr"][-1]) == (0, 0, 1, 1)
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(results["roc_auc"].measures[0].value, abs=0.01)
    assert sorted(pr["recall"]) == pr["recall"]
    assert all(0 <= p <= 1 for p in pr["precision"])


def test_ties_count_half(tmp_path):
    """Equal scores of a positive and a negative row count half, whatever the order of the rows."""
    from checks._ranking import Ranking

    scores, positive = np.array([0.5, 0.5, 0.5, 0.9]), np.array([True, False, False, True])
    assert Ranking(scores, positive).areas(np.ones((1, 4)))[0, 0] == pytest.approx(0.75)
    reverse = Ranking(scores[::-1], positive[::-1]).areas(np.ones((1, 4)))
    assert reverse[0, 0] == pytest.approx(0.75)


def test_weighted_areas_equal_those_of_repeated_rows():
    """A replicate's area is the area of the rows as they were drawn."""
    from sklearn import metrics

    from checks._ranking import Ranking

    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 12, 90) / 12, rng.random(90) < 0.4
    weights = rng.multinomial(90, np.full(90, 1 / 90), size=5).astype(float)
    for drawn, (roc, average) in zip(weights, Ranking(scores, positive).areas(weights), strict=True):
        rows = np.repeat(np.arange(90), drawn.astype(int))
        assert roc == pytest.approx(metrics.roc_auc_score(positive[rows], scores[rows]))
        assert average == pytest.approx(metrics.average_precision_score(positive[rows], scores[rows]))


def test_one_class_leaves_metrics_undefined(tmp_path):
    """Without a second class in the test part the areas are not measured and say why; accuracy still is."""
    results = found(subject(tmp_path, y=np.ones(50, int), rows=50))
    for name in ("roc_auc", "pr_auc", "balanced_accuracy", "f1"):
        assert (results[name].status, results[name].measures[0].value) == ("not_measured", None)
        assert "undefined" in results[name].reason
    assert results["accuracy"].measures[0].value is not None


def test_a_class_without_rows_is_named(tmp_path):
    """A multi-class area is undefined when a class has no test row, and the class is named."""
    _, _, y = model_builders.simulated(300, 4, 0, classes=3)
    results = found(subject(tmp_path, "multiclass", rows=300, classes=3, y=np.where(y == 2, 0, y)))
    assert "no row of c" in results["roc_auc"].measures[0].note


def test_means_over_classes_need_every_class(tmp_path):
    """Balanced accuracy and F1 of three classes say nothing where the third has no test row: not measured, named."""
    _, _, y = model_builders.simulated(300, 4, 0, classes=3)
    results = found(subject(tmp_path, "multiclass", rows=300, classes=3, y=np.where(y == 2, 0, y)))
    for name in ("balanced_accuracy", "f1"):
        assert (results[name].status, results[name].measures[0].value) == ("not_measured", None)
        assert results[name].reason == "undefined: the test part holds no row of c"
    assert results["accuracy"].measures[0].value is not None


def test_perfect_separation_is_no_certainty(tmp_path):
    """Separated classes have an area of 1 and still an interval: thirty rows prove little."""
    x = np.linspace(-1, 1, 30, dtype=np.float32)[:, None]
    y = (x[:, 0] > 0).astype(int)
    made = subject(tmp_path, x=x, y=y, coefficients=np.array([[-5.0, 5.0]]))
    for name in ("roc_auc", "pr_auc", "accuracy"):
        one = found(made)[name].measures[0]
        assert one.value == 1
        assert 0.5 < one.interval.low < 0.97, name


def test_a_constant_target_has_no_r2(tmp_path):
    """R² is not measured where the target does not vary."""
    made = subject(tmp_path, "regression", rows=50, y=np.full(50, 3.0), coefficients=np.ones((4, 1)))
    results = found(made)
    assert results["r2"].status == "not_measured"
    assert results["mae"].measures[0].value is not None


def test_rows_of_one_person_are_not_independent(tmp_path):
    """Where rows belong to entities the interval draws entities, says so, and is wider for repeated rows."""
    x, coefficients, y = model_builders.simulated(200, 4, 0)
    x, y, who = np.repeat(x, 4, axis=0), np.repeat(y, 4), np.repeat(np.arange(200), 4)
    alone = found(subject(tmp_path / "a", x=x, y=y, coefficients=coefficients))
    grouped = found(subject(tmp_path / "b", x=x, y=y, coefficients=coefficients, entities=who))
    for name in ("accuracy", "roc_auc"):
        wide, narrow = grouped[name].measures[0].interval, alone[name].measures[0].interval
        assert "200 entities" in wide.method
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3)])
def test_baselines_stand_beside_accuracy_and_average_precision(tmp_path, task, classes):
    """Always answering the largest class, and a score that says nothing, have scikit-learn's values on these rows."""
    from sklearn import dummy, metrics

    made = subject(tmp_path, task, classes=classes)
    results, y = found(made), made.part.y
    always = (
        dummy.DummyClassifier(strategy="most_frequent").fit(np.zeros((len(y), 1)), y).predict(np.zeros((len(y), 1)))
    )
    baseline = next(m for m in results["accuracy"].measures if m.name == "performance.accuracy.baseline")
    assert (baseline.value, baseline.n) == (pytest.approx(metrics.accuracy_score(y, always)), len(y))
    assert baseline.interval.low < baseline.value < baseline.interval.high
    chance = next(m for m in results["pr_auc"].measures if m.name == "performance.pr_auc.baseline")
    truth = y if classes == 2 else np.eye(classes)[y]
    assert chance.value == pytest.approx(metrics.average_precision_score(truth, np.full(truth.shape, 0.5)))
    assert results["accuracy"].measures[0].name == "performance.accuracy"
