import numpy as np
import pytest

from tests.checks import model_builders

COEFFICIENTS = np.array([[-2.0, 2.0], [-0.5, 0.5], [0.0, 0.0]])


def subject(place, *, specs=None, x=None, task="binary", coefficients=COEFFICIENTS, **policy):
    """Three features: a strong one, a weak one, one without effect."""
    from checks import _parts, _subject, intervals, scoring
    from evidence import arrays

    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 3)).astype(np.float32) * [1, 1, 100] if x is None else x
    signal = x @ coefficients
    if task == "regression":
        y = signal[:, 0] + rng.normal(size=len(x)) * 0.1
    else:
        y = (rng.random(len(x)) < 1 / (1 + np.exp(signal[:, 0] - signal[:, 1]))).astype(int)
    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, robustness=policy)
    case = model_builders.case(place, plan, x, y, {}, specs=specs or model_builders.features(x))
    part = arrays.load(case.folder, case.encoded, "test")
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), case.encoded)
    parts = _parts.Parts(case.folder, case.encoded, scorer)
    sampling = intervals.Sampling(replicates=200)
    return _subject.Subject(plan, case.encoded, part, scorer, scorer(part.x), sampling, parts)


def curve(result):
    return [(p["severity"], p["value"]) for p in result.details["curve"]]


def test_noise_lowers_accuracy_with_severity(tmp_path):
    """The curve falls from the clean value; the headline is the last point, with its interval."""
    from checks import robustness

    made = subject(tmp_path, noise=(2.0, 0.1, 0.5))
    result = robustness.noise(made)
    severities, values = zip(*curve(result), strict=True)
    assert severities == (0.1, 0.5, 2.0)
    assert result.details["clean"] >= values[0] - 0.02
    assert values[0] > values[1] > values[2]
    one = result.measures[0]
    assert (one.name, one.value) == ("robustness.noise", values[2])
    assert one.interval.low < one.value < one.interval.high
    assert "2 training standard deviations" in one.note


def test_noise_is_in_training_standard_deviations_and_rounds_integers(tmp_path):
    """Added noise has the declared spread per feature; integers stay integers; categories are untouched."""
    from checks import robustness

    x = np.stack([np.arange(1200) % 50, np.random.default_rng(0).normal(size=1200), np.arange(1200) % 3], axis=1)
    changes = {"integer": {0: True}, "std": {1: 4.0}, "kind": {2: "categorical"}}
    made = subject(tmp_path, x=x.astype(np.float32), specs=model_builders.features(x, **changes))
    (noisy,) = robustness._noisy(made, 0.5)
    assert (noisy[:, 0] == np.round(noisy[:, 0])).all()
    assert (noisy[:, 0] != made.part.x[:, 0]).any()
    assert np.std(noisy[:, 1] - made.part.x[:, 1]) == pytest.approx(2.0, rel=0.1)
    np.testing.assert_array_equal(noisy[:, 2], made.part.x[:, 2])


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_faults_do_not_depend_on_how_many_rows_are_altered_at_a_time(tmp_path, monkeypatch, task):
    """A hundred rows at a time give the record of all at once, where the graph has no answer for some rows too."""
    from checks import _degradation, robustness

    coefficients = COEFFICIENTS if task == "binary" else np.array([[2.0], [0.5], [1e33]])
    made = subject(tmp_path, task=task, coefficients=coefficients, units={"factors": [1e30], "shares": [0.5, 1.0]})
    whole = robustness.measure(made)
    monkeypatch.setattr(_degradation, "PIECE", 100)
    assert len(list(_degradation.pieces(made))) == 12
    assert robustness.measure(made) == whole


def test_missing_cells_are_drawn_at_the_declared_share(tmp_path):
    """The graph is fed NaN in the declared share of the cells, everywhere when the share is one."""
    from checks import robustness

    made = subject(tmp_path, missing=(0.2, 1.0))
    fed = []
    spy = type("Spy", (), {"attempt": lambda _, x: fed.append(x) or made.scorer.attempt(x)})()
    import dataclasses

    result = robustness.missing(dataclasses.replace(made, scorer=spy))
    assert [np.isnan(x).mean() for x in fed[:2]] == pytest.approx([0.2, 1.0], abs=0.02)
    constant = made.scorer(np.full((1, 3), np.nan, np.float32)).labels[0]
    assert result.measures[0].value == pytest.approx(np.mean(made.part.y == constant))


def test_the_worst_out_of_range_feature_is_named(tmp_path):
    """Pushing the strong feature out of range hurts most; a feature without effect changes nothing."""
    from checks import robustness

    result = robustness.out_of_range(subject(tmp_path, out_of_range=(0.5, 1.0)))
    assert result.details["worst"].startswith("f0 ")
    by_feature = result.details["features"]
    assert by_feature["f0"] < by_feature["f1"] < by_feature["f2"]
    assert by_feature["f2"] == result.details["clean"]
    assert result.measures[0].value == by_feature["f0"]
    assert "f0" in result.measures[0].note
    assert result.reason == f"measured; the policy sets no threshold; worst feature: {result.details['worst']}"


def test_the_worst_feature_is_named_at_a_gate_too(tmp_path):
    """With a threshold the reason has the measured value, the threshold and the worst feature."""
    from checks import gate, robustness

    result = robustness.out_of_range(subject(tmp_path, out_of_range=(1.0,)))
    plan = model_builders.plan(gates=[{"check": "robustness.out_of_range", "at_least": 0.9}])
    (judged,) = gate.apply(plan, [result])
    assert judged.status == "fail"
    assert judged.reason.startswith("measured ")
    assert f"at least 0.9, n = 1,200; worst feature: {result.details['worst']}; " in judged.reason
    assert gate.decide(plan, [result]).reasons[0].text == judged.reason


def test_the_clean_score_stands_beside_every_fault(tmp_path):
    """Each check has the measure `.clean`: the performance of the same rows unaltered, with its interval."""
    from checks import performance, robustness

    made = subject(tmp_path)
    accuracy = next(r for r in performance.measure(made) if r.check_id == "performance.accuracy").measures[0]
    for result in (r for r in robustness.measure(made) if r.measures):
        clean = next(m for m in result.measures if m.name == f"{result.check_id}.clean")
        assert (clean.value, clean.interval, clean.n) == (accuracy.value, accuracy.interval, 1200)
        assert clean.value == result.details["clean"]


def test_regression_is_judged_by_r2(tmp_path):
    """For regression the headline is R², and RMSE stands beside it in the target's unit."""
    from checks import robustness

    made = subject(tmp_path, task="regression", coefficients=COEFFICIENTS[:, 1:], noise=(0.1, 1.0))
    result = robustness.noise(made)
    assert result.details["metric"] == "r2"
    assert result.details["clean"] > 0.99
    assert result.measures[0].value < 0.5
    assert (result.measures[1].name, result.measures[1].unit) == ("robustness.noise.rmse", "mm")


def test_without_numeric_features_noise_does_not_apply(tmp_path):
    """Noise and range mean nothing for categories: not applicable, with the reason."""
    from checks import robustness

    x = np.random.default_rng(0).integers(0, 3, (300, 3)).astype(np.float32)
    specs = model_builders.features(x, kind=dict.fromkeys(range(3), "categorical"))
    noise, missing, out_of_range, *_ = robustness.measure(subject(tmp_path, x=x, specs=specs))
    assert (noise.status, out_of_range.status) == ("not_applicable", "not_applicable")
    assert "numeric" in noise.reason
    assert missing.measures


def test_faults_are_the_same_for_the_same_seed(tmp_path):
    """Two evaluations of the same model give the same curves."""
    from checks import robustness

    made = subject(tmp_path)
    assert robustness.measure(made) == robustness.measure(made)
