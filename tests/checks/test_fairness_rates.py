import dataclasses
import warnings

import numpy as np
import pytest

from tests.checks import model_builders
from tests.checks.test_fairness import found, headline, subject

RATES = (
    "selection_rate", "true_positive_rate", "false_positive_rate", "true_negative_rate", "false_negative_rate",
    "precision", "accuracy",
)  # fmt: skip


def oracle(name):
    """Fairlearn's or scikit-learn's function of that name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics
        from sklearn.metrics import accuracy_score, precision_score
    functions = {"precision": precision_score, "accuracy": accuracy_score}
    return metrics.MetricFrame, functions.get(name) or getattr(metrics, name)


def frame(name, y, labels, codes):
    made, function = oracle(name)
    known = codes >= 0
    return made(metrics=function, y_true=y[known], y_pred=labels[known], sensitive_features=codes[known])


def part_of(result, name, part):
    return next(m for m in result.measures if m.name == f"{result.check_id}.{name}" and m.slice == part)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A model with two attributes and an intersection, and what was found."""
    made = subject(tmp_path_factory.mktemp("s"), model_builders.membership(1500, 1))
    return made, found(made)


@pytest.mark.parametrize("name", RATES)
def test_every_rate_equals_metric_frame(measured, name):
    """By group, overall, and each difference and ratio between groups and to overall are Fairlearn's."""
    made, results = measured
    result = results[name]
    for part, groups in made.part.groups.items():
        expected = frame(name, made.part.y, made.scores.labels, groups.codes)
        rows = [m.value for m in result.measures if m.slice.startswith(f"{part}=")]
        assert rows == pytest.approx(expected.by_group.tolist())
        assert result.details["overall"][part] == pytest.approx(expected.overall)
        for which, value in {
            "difference": expected.difference(method="between_groups"),
            "ratio": expected.ratio(method="between_groups"),
            "difference_to_overall": expected.difference(method="to_overall"),
            "ratio_to_overall": expected.ratio(method="to_overall"),
        }.items():
            one = part_of(result, which, part)
            assert one.value == pytest.approx(value), (which, part)
            assert one.interval.low <= one.value <= one.interval.high
        each = result.details["to_overall"][part]
        assert [line["difference"] for line in each] == pytest.approx((expected.by_group - expected.overall).tolist())
        assert [line["ratio"] for line in each] == pytest.approx((expected.by_group / expected.overall).tolist())


def test_the_headline_of_a_rate_is_its_worst_group(measured):
    """The smallest rate of what should be high, the largest of what should be low."""
    made, results = measured
    from checks import catalogue

    for name in RATES:
        expected = frame(name, made.part.y, made.scores.labels, made.part.groups["sex × region"].codes)
        low = catalogue.METRICS[f"fairness.{name}"].better == "lower"
        worst = expected.group_max() if low else expected.group_min()
        assert headline(results[name], "sex × region").value == pytest.approx(worst)


def test_named_comparisons_are_those_of_their_rates(measured):
    """Predictive parity is the gap in precision, accuracy its own; the odds ratio is Fairlearn's."""
    made, results = measured
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn.metrics import equalized_odds_ratio
    for part, groups in made.part.groups.items():
        known = groups.codes >= 0
        arguments = (made.part.y[known], made.scores.labels[known])
        odds = equalized_odds_ratio(*arguments, sensitive_features=groups.codes[known])
        assert headline(results["equalized_odds_ratio"], part).value == pytest.approx(odds)
        for name, rate in (("predictive_parity_difference", "precision"), ("accuracy_difference", "accuracy")):
            one, other = headline(results[name], part), part_of(results[rate], "difference", part)
            assert (one.value, one.interval) == (other.value, other.interval)


@pytest.mark.slow
def test_several_classes_are_compared_one_against_the_rest(tmp_path):
    """The worst class and group give the headline; differences to overall are the largest over the classes."""
    made = subject(tmp_path, model_builders.membership(1500, 1), "multiclass", classes=3)
    results, codes = found(made), made.part.groups["sex"].codes
    for name in ("true_positive_rate", "precision", "false_positive_rate"):
        frames = [frame(name, made.part.y == c, made.scores.labels == c, codes) for c in range(3)]
        worst = [f.group_max() for f in frames] if name.startswith("false") else [f.group_min() for f in frames]
        expected = max(worst) if name.startswith("false") else min(worst)
        assert headline(results[name]).value == pytest.approx(expected)
        largest = max(f.difference(method="to_overall") for f in frames)
        one = part_of(results[name], "difference_to_overall", "sex")
        assert one.value == pytest.approx(largest)
        assert "class" in one.note
    assert headline(results["calibration_difference"]).value is not None


def test_calibration_by_group_is_what_is_predicted_less_what_is_observed(measured):
    """Each group's mean residual and calibration error equal those computed from its rows alone."""
    from checks import _classifier_scores

    made, results = measured
    codes, p = made.part.groups["sex"].codes, made.scores.probabilities
    predicted, observed, bins = _classifier_scores.calibration(p, made.part.y)
    means, errors = [], []
    for group in (0, 1):
        mine = codes == group
        residual = (predicted - observed)[mine]
        means.append(residual.mean())
        errors.append(sum(abs(residual[bins[mine] == b].sum()) for b in range(15)) / mine.sum())
    gap, error = results["calibration_difference"], results["calibration_error"]
    assert [m.value for m in gap.measures if m.slice.startswith("sex=")] == pytest.approx(means)
    assert headline(gap).value == pytest.approx(abs(means[0] - means[1]))
    assert [m.value for m in error.measures if m.slice.startswith("sex=")] == pytest.approx(errors)
    assert headline(error).value == pytest.approx(max(errors))
    assert "500 replicates, seed 0" in headline(error).interval.method


def test_bias_by_group_is_the_mean_signed_error(tmp_path):
    """Errors of equal size but opposite sign have no error difference and a large bias difference, to overall too."""
    rng = np.random.default_rng(0)
    groups = model_builders.membership(1500, 1)
    y = np.abs(rng.normal(size=1500)) + 100
    women = groups["sex"][0] == 0
    y[women] = 200 - y[women]
    made = subject(tmp_path, groups, "regression", y=y - 100, coefficients=np.zeros((4, 1)))
    results, error = found(made), -made.part.y.astype(float)
    means = [error[groups["sex"][0] == g].mean() for g in (0, 1)]
    bias = results["bias_difference"]
    assert [m.value for m in bias.measures if m.slice.startswith("sex=")] == pytest.approx(means)
    assert headline(bias).value == pytest.approx(abs(means[0] - means[1]))
    assert headline(bias).interval.low > 1
    assert headline(results["error_difference"]).interval.low == 0
    far = part_of(bias, "difference_to_overall", "sex")
    assert far.value == pytest.approx(max(abs(m - error.mean()) for m in means))
    assert part_of(results["error_difference"], "ratio", "sex").unit == "1"


def test_each_interval_says_what_it_is_corrected_for(measured):
    """Every headline with an interval has level, method and the number of comparisons, two groups being one pair."""
    _, results = measured
    for result in results.values():
        if result.reason.startswith("a metric for"):
            continue
        assert set(result.details["correction"]) == {"sex", "region", "sex × region"}
        for part, said in result.details["correction"].items():
            one = headline(result, part)
            assert one.interval.level == 0.95
            assert said.split(" (")[0] in one.interval.method
    assert results["demographic_parity_difference"].details["correction"]["sex"] == "1 pair of rates"
    assert results["precision"].details["correction"]["sex × region"] == "4 groups (Bonferroni)"
    assert results["equalized_odds_ratio"].details["correction"]["sex × region"] == (
        "12 pairs of rates (Tukey, Bonferroni over rates)"
    )


@pytest.mark.parametrize("label", [0, 1])
def test_constant_predictions_give_one_result_for_each_check(tmp_path, label):
    """The same label for everybody: parity of rates, undefined with its reason where nothing counts."""
    made = subject(tmp_path, model_builders.membership(1500, 1))
    scores = made.scores.__class__(labels=np.full(1500, label), probabilities=made.scores.probabilities)
    results = found(dataclasses.replace(made, scores=scores))
    assert headline(results["demographic_parity_difference"]).value == 0
    assert headline(results["demographic_parity_ratio"]).value == 1
    precision = results["precision"]
    if label:
        assert headline(precision).value is not None
    else:
        assert precision.status == "not_measured"
        assert "no group of sex has rows to measure it on" in precision.reason
        assert "no two groups of sex" in results["predictive_parity_difference"].reason
    for result in results.values():
        assert result.status in ("not_applicable", "not_measured")
        assert result.reason


def test_a_metric_that_is_undefined_for_a_group_leaves_the_others_compared(tmp_path):
    """Nobody of one group selected: its precision is undefined and the group is named, the others are compared."""
    made = subject(tmp_path, model_builders.membership(1500, 1, rare=60))
    labels = made.scores.labels.copy()
    labels[:60] = 0
    scores = made.scores.__class__(labels=labels, probabilities=made.scores.probabilities)
    result = found(dataclasses.replace(made, scores=scores))["predictive_parity_difference"]
    codes = made.part.groups["sex"].codes
    rates = [made.part.y[(codes == g) & (labels == 1)].mean() for g in (0, 1)]
    assert headline(result).value == pytest.approx(abs(rates[0] - rates[1]))
    other = next(m for m in result.measures if m.slice == "sex=other")
    assert (other.value, other.note) == (None, "undefined: no test row to compute it from")
    assert "sex=other" in result.details["small_groups"]


@pytest.mark.parametrize("how", ["absent", "all missing", "no groups"])
def test_a_protected_attribute_that_the_test_part_lacks_is_not_measured(tmp_path, how):
    """The attribute has one result with its reason, the gate on it is not measured, other attributes are measured."""
    from checks import gate

    groups = model_builders.membership(1500, 1)
    groups["region"] = (np.full(1500, -1), () if how == "no groups" else groups["region"][1])
    if how == "absent":
        del groups["region"]
    result = found(subject(tmp_path, groups))["demographic_parity_difference"]
    assert headline(result, "sex").value is not None
    assert headline(result, "region").value is None
    asked = {"check": result.check_id, "slice": "region", "at_most": 0.1}
    reason = gate.decide(model_builders.plan(gates=[asked]), [result]).reasons[0]
    assert reason.status == "not_measured"
    assert "no row of the test part has a group of region" in reason.text


def test_labels_without_probabilities_leave_calibration_unmeasured(measured):
    """Predictions that come without probabilities are compared in all but calibration, which says why."""
    made, _ = measured
    scores = made.scores.__class__(labels=made.scores.labels, probabilities=None)
    results = found(dataclasses.replace(made, scores=scores))
    assert results["calibration_error"].status == "not_measured"
    assert "the model gives no probabilities" in results["calibration_difference"].reason
    assert headline(results["precision"]).value is not None


def test_calibration_counts_the_copies_of_a_person_once():
    """Each row four times, known to be one person's: the intervals stay as wide as with single rows, not half."""
    from checks import _counting, _group_calibration, intervals
    from evidence import arrays

    rng = np.random.default_rng(3)
    share, codes = rng.random(300), rng.integers(0, 2, 300)
    y = (rng.random(300) < share).astype(np.int64)

    def width(times, kind, *, known):
        p, who = np.repeat(share, times), np.repeat(np.arange(300), times)
        groups = arrays.Groups(np.repeat(codes, times), ("a", "b"))
        columns = _counting.columns(groups.codes, 2, who) if known else None
        rows = _group_calibration.residuals(np.stack([1 - p, p], axis=1), np.repeat(y, times))
        made = _group_calibration.slice_kinds("s", groups, rows, columns, intervals.Sampling(replicates=2000))
        low, high = made[kind].bounds(0.95)
        return (high - np.nan_to_num(made[kind].rates if kind == "calibration_error" else low))[0]

    for kind in ("calibration_gap", "calibration_error"):
        np.testing.assert_allclose(width(4, kind, known=True), width(1, kind, known=False), rtol=0.1)
        assert (width(4, kind, known=False) < 0.7 * width(1, kind, known=False)).all()
