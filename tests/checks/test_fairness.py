import warnings

import numpy as np
import pytest

from tests.checks import model_builders


@pytest.fixture(scope="module")
def fairlearn():
    """Fairlearn's metrics, the oracle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fairlearn import metrics
    return metrics


def subject(
    place, groups, task="binary", rows=1500, classes=2, *, y=None, coefficients=None, entities=None, minimum=20
):
    from checks import _parts, _subject, intervals, scoring
    from evidence import arrays

    x, made, drawn = model_builders.simulated(rows, 4, 0, classes=classes)
    coefficients = made if coefficients is None else coefficients
    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, minimum_group_size=minimum)
    case = model_builders.case(place, plan, x, drawn if y is None else y, groups, entities=entities)
    part = arrays.load(case.folder, case.encoded, "test")
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), case.encoded)
    parts = _parts.Parts(case.folder, case.encoded, scorer)
    sampling = intervals.Sampling(0.95, 500, 0, part.entities)
    return _subject.Subject(plan, case.encoded, part, scorer, scorer(part.x), sampling, parts)


def found(made):
    from checks import fairness

    return {r.check_id.removeprefix("fairness."): r for r in fairness.measure(made)}


def headline(result, part="sex"):
    return next(m for m in result.measures if m.slice == part and m.name == result.check_id)


@pytest.mark.slow
def test_values_equal_fairlearn(tmp_path, fairlearn):
    """Every difference and ratio, for each attribute and the intersection, is Fairlearn's."""
    made = subject(tmp_path, model_builders.membership(1500, 1))
    results, y, label = found(made), made.part.y, made.scores.labels
    for part, groups in made.part.groups.items():
        known = groups.codes >= 0
        arguments = (y[known], label[known])
        sensitive = {"sensitive_features": groups.codes[known]}
        expected = {
            "demographic_parity_difference": fairlearn.demographic_parity_difference(*arguments, **sensitive),
            "demographic_parity_ratio": fairlearn.demographic_parity_ratio(*arguments, **sensitive),
            "equalized_odds_difference": fairlearn.equalized_odds_difference(*arguments, **sensitive),
            "equal_opportunity_difference": fairlearn.equal_opportunity_difference(*arguments, **sensitive),
        }
        for name, value in expected.items():
            assert headline(results[name], part).value == pytest.approx(value), (name, part)
        for name in ("selection_rate", "true_positive_rate", "false_positive_rate"):
            frame = fairlearn.MetricFrame(
                metrics=getattr(fairlearn, name), y_true=y[known], y_pred=label[known], **sensitive
            )
            rows = [m for m in results[name].measures if m.slice.startswith(f"{part}=")]
            assert [m.value for m in rows] == pytest.approx(frame.by_group.tolist())
            extreme = frame.group_max() if name == "false_positive_rate" else frame.group_min()
            assert headline(results[name], part).value == pytest.approx(extreme)


@pytest.mark.slow
def test_group_intervals_agree_with_fairlearns_bootstrap(tmp_path, fairlearn):
    """The interval of each group's rate is Fairlearn's row bootstrap within its own noise."""
    made = subject(tmp_path, model_builders.membership(1500, 1))
    codes = made.part.groups["sex"].codes
    frame = fairlearn.MetricFrame(
        metrics=fairlearn.selection_rate,
        y_true=made.part.y,
        y_pred=made.scores.labels,
        sensitive_features=codes,
        n_boot=100,
        ci_quantiles=[0.025, 0.975],
        random_state=0,
    )
    low, high = (q.to_numpy() for q in frame.by_group_ci)
    rows = [m.interval for m in found(made)["selection_rate"].measures if m.slice.startswith("sex=")]
    np.testing.assert_allclose([i.low for i in rows], low, atol=0.018)
    np.testing.assert_allclose([i.high for i in rows], high, atol=0.018)


@pytest.mark.slow
def test_multiclass_gaps_are_those_of_the_worst_class(tmp_path, fairlearn):
    """For several classes each is compared against the rest with Fairlearn, and the largest gap counts."""
    made = subject(tmp_path, model_builders.membership(1500, 1), "multiclass", classes=3)
    results, sensitive = found(made), {"sensitive_features": made.part.groups["sex"].codes}
    pairs = [(made.part.y == c, made.scores.labels == c) for c in range(3)]
    expected = {
        "demographic_parity_difference": max(fairlearn.demographic_parity_difference(*p, **sensitive) for p in pairs),
        "demographic_parity_ratio": min(fairlearn.demographic_parity_ratio(*p, **sensitive) for p in pairs),
        "equalized_odds_difference": max(fairlearn.equalized_odds_difference(*p, **sensitive) for p in pairs),
        "equal_opportunity_difference": max(fairlearn.equal_opportunity_difference(*p, **sensitive) for p in pairs),
    }
    for name, value in expected.items():
        assert headline(results[name]).value == pytest.approx(value), name
    assert "of class" in results["demographic_parity_difference"].details["rate"]["sex"]
    assert results["selection_rate"].status == "not_applicable"
    accuracies = [np.mean((made.scores.labels == made.part.y)[made.part.groups["sex"].codes == g]) for g in (0, 1)]
    assert headline(results["accuracy_difference"]).value == pytest.approx(abs(np.subtract(*accuracies)))


@pytest.mark.slow
def test_regression_compares_the_mean_error(tmp_path):
    """For regression the gap is that of the groups' mean absolute errors, with intervals in the target's unit."""
    rng = np.random.default_rng(0)
    groups, y = model_builders.membership(1500, 1), rng.normal(size=1500)
    y[groups["sex"][0] == 1] *= 3
    made = subject(tmp_path, groups, "regression", y=y, coefficients=np.zeros((4, 1)))
    result = found(made)["error_difference"]
    truth = made.part.y.astype(float)
    means = [np.abs(truth[groups["sex"][0] == g]).mean() for g in (0, 1)]
    one = headline(result)
    assert one.value == pytest.approx(means[1] - means[0])
    assert 0 < one.interval.low < one.value < one.interval.high
    assert one.unit == "mm"
    assert [g["value"] for g in result.details["groups"]["sex"]] == pytest.approx(means)
    assert found(made)["selection_rate"].status == "not_applicable"


def test_small_groups_are_listed_and_kept(tmp_path):
    """A group below the minimum is in the value and in the list, and the headline without it is there as well."""
    made = subject(tmp_path, model_builders.membership(1500, 1, rare=6))
    result = found(made)["demographic_parity_difference"]
    assert "sex=other" in result.details["small_groups"]
    assert "sex=female" not in result.details["small_groups"]
    label, codes = made.scores.labels, made.part.groups["sex"].codes
    rates = [label[codes == g].mean() for g in range(3)]
    assert headline(result).value == pytest.approx(max(rates) - min(rates))
    without = next(m for m in result.measures if m.name.endswith("without_small_groups") and m.slice == "sex")
    assert without.value == pytest.approx(abs(rates[0] - rates[1]))
    assert [g["n"] for g in result.details["groups"]["sex"]] == np.bincount(codes).tolist()


def test_the_rows_of_the_rate_count_for_the_minimum(tmp_path):
    """A group with many rows but few positives is too small for its true positive rate, not for its selection rate."""
    groups = model_builders.membership(1500, 1)
    _, _, y = model_builders.simulated(1500, 4, 0)
    women = np.flatnonzero(groups["sex"][0] == 0)
    y[women] = 0
    y[women[:5]] = 1
    results = found(subject(tmp_path, groups, y=y))
    assert "sex=female" in results["true_positive_rate"].details["small_groups"]
    assert "sex=female" in results["equalized_odds_difference"].details["small_groups"]
    assert "sex=female" not in results["selection_rate"].details["small_groups"]


def test_a_class_that_a_group_lacks_leaves_the_other_classes_compared(tmp_path):
    """Without a row of class c among women, classes a and b are still compared, and the group is listed as small."""
    groups = model_builders.membership(1500, 1)
    _, _, y = model_builders.simulated(1500, 4, 0, classes=3)
    women = groups["sex"][0] == 0
    y[women & (y == 2)] = 0
    made = subject(tmp_path, groups, "multiclass", classes=3, y=y)
    result = found(made)["equal_opportunity_difference"]
    label = made.scores.labels
    recalls = [[np.mean(label[(y == c) & (women == w)] == c) for w in (True, False)] for c in (0, 1)]
    expected = max(abs(a - b) for a, b in recalls)
    assert headline(result).value == pytest.approx(expected)
    assert headline(result).interval.low <= expected <= headline(result).interval.high
    assert "sex=female" in result.details["small_groups"]
    without = next(m for m in result.measures if m.name.endswith("without_small_groups") and m.slice == "sex")
    assert without.value == pytest.approx(expected)


def test_empty_groups_are_listed(tmp_path):
    """A group without test rows has no value and no interval, and is named."""
    groups = model_builders.membership(1500, 1)
    groups["sex"] = (groups["sex"][0], ("female", "male", "other"))
    result = found(subject(tmp_path, groups))["selection_rate"]
    assert result.details["empty_groups"] == ["sex=other"]
    empty = next(m for m in result.measures if m.slice == "sex=other")
    assert (empty.value, empty.interval, empty.n) == (None, None, 0)
    assert "no test row in other" in headline(result).note


def test_rows_without_the_attribute_are_counted(tmp_path):
    """Rows whose group is missing are out of the comparison, and the result says how many."""
    groups = model_builders.membership(1500, 1)
    results = found(subject(tmp_path, groups))
    lost = int((groups["region"][0] < 0).sum())
    assert lost > 0
    assert results["selection_rate"].details["missing_attribute"]["region"] == lost
    assert headline(results["demographic_parity_difference"], "region").n == 1500 - lost


def test_the_rate_of_one_group_counts_its_own_rows(tmp_path):
    """The smallest rate, and the group furthest from overall, stand beside the rows of that group alone."""
    result = found(subject(tmp_path, model_builders.membership(1500, 1)))["selection_rate"]
    lines = {line["group"]: line for line in result.details["groups"]["region"]}
    smallest = min(lines.values(), key=lambda line: line["value"])
    assert headline(result, "region").n == smallest["rows"] < 1500
    far = next(m for m in result.measures if m.slice == "region" and m.name.endswith("difference_to_overall"))
    assert far.n == lines[far.note]["rows"]


@pytest.mark.parametrize(
    ("share", "asked", "expected"), [(0.02, 1, "pass"), (0.8, 1, "inconclusive"), (0.8, 0, "fail")]
)
def test_many_rows_without_the_attribute_leave_a_slice_open(tmp_path, share, asked, expected):
    """Where most persons have no group, a small gap among the others is no pass; a gap among them is still a gap."""
    from checks import gate

    groups = model_builders.membership(1500, 1)
    codes = np.where(np.random.default_rng(2).random(1500) < share, -1, groups["sex"][0])
    made = subject(tmp_path, {"sex": (codes, groups["sex"][1])})
    if expected == "fail":
        codes = np.where(codes < 0, -1, made.scores.labels)
        made = subject(tmp_path / "b", {"sex": (codes, groups["sex"][1])})
    result = found(made)["demographic_parity_difference"]
    asking = {"check": result.check_id, "slice": "sex", "at_most": asked}
    reason = gate.decide(model_builders.plan(gates=[asking]), [result]).reasons[0]
    assert reason.status == expected
    lost = int((codes < 0).sum())
    assert (f"{lost:,} test rows have no group" in reason.text) == (share > 0.05)
    assert (f"{lost:,} of 1,500 test rows have no group" in (headline(result).note or "")) == (share > 0.05)


def test_slices_stand_in_the_order_of_the_plan(tmp_path):
    """The first slice is the plan's first attribute, whatever the order in the stored record."""
    groups = dict(reversed(model_builders.membership(1500, 1).items()))
    result = found(subject(tmp_path, groups))["selection_rate"]
    headlines = [m.slice for m in result.measures if "=" not in m.slice]
    assert list(dict.fromkeys(headlines)) == ["sex", "region", "sex × region"]


def test_a_single_group_cannot_be_compared(tmp_path):
    """With one group the gap is undefined and not measured; its rate still is measured."""
    groups = {"sex": (np.zeros(1500, int), ("female", "male"))}
    results = found(subject(tmp_path, groups))
    assert results["demographic_parity_difference"].status == "not_measured"
    assert "no two groups of sex" in results["demographic_parity_difference"].reason
    assert headline(results["selection_rate"]).value is not None


def test_nobody_selected_is_parity(tmp_path):
    """Where no group has a positive label, the gap is 0 and the ratio 1."""
    coefficients = np.zeros((4, 2))
    made = subject(tmp_path, model_builders.membership(1500, 1), coefficients=coefficients)
    nobody = made.scores.__class__(labels=np.zeros(1500, np.int64), probabilities=made.scores.probabilities)
    import dataclasses

    results = found(dataclasses.replace(made, scores=nobody))
    assert headline(results["demographic_parity_difference"]).value == 0
    assert headline(results["demographic_parity_ratio"]).value == 1
    assert 0 < headline(results["demographic_parity_difference"]).interval.high < 0.05


def test_without_protected_attributes_nothing_applies(tmp_path):
    """Each fairness check says that the plan declares no protected attribute."""
    import dataclasses

    made = subject(tmp_path, {})
    data = made.plan.data.model_copy(update={"protected": (), "intersections": ()})
    results = found(dataclasses.replace(made, plan=made.plan.model_copy(update={"data": data})))
    assert {r.status for r in results.values()} == {"not_applicable"}
    assert "no protected attribute" in results["selection_rate"].reason


@pytest.mark.slow
def test_repeated_rows_of_a_person_widen_the_intervals(tmp_path):
    """With entities the intervals draw persons: repeating every row four times does not narrow them."""
    groups = model_builders.membership(375, 1)
    repeated = {name: (np.repeat(codes, 4), names) for name, (codes, names) in groups.items()}
    x, coefficients, y = model_builders.simulated(375, 4, 3)

    def width(place, who):
        from checks import _subject, intervals

        made = subject(place, repeated, coefficients=coefficients)
        labels = np.repeat((x @ coefficients).argmax(axis=1), 4)
        scores = made.scores.__class__(labels=labels, probabilities=made.scores.probabilities)
        part = made.part.__class__(**{**made.part.__dict__, "y": np.repeat(y, 4), "entities": who})
        sampling = intervals.Sampling(0.95, 1000, 0, who)
        again = _subject.Subject(made.plan, made.encoded, part, made.scorer, scores, sampling, made.parts)
        one = headline(found(again)["equalized_odds_difference"]).interval
        return one.high - headline(found(again)["equalized_odds_difference"]).value, one.method

    alone, _ = width(tmp_path / "a", None)
    grouped, method = width(tmp_path / "b", np.repeat(np.arange(375), 4))
    assert "effective rows by entity" in method
    assert 1.6 < grouped / alone < 2.4


def test_intervals_of_tiny_groups_are_exact_and_reach_the_gate_headline(tmp_path):
    """0 of 5 in a group reaches 0.52 (Clopper and Pearson), and the gap with and without it is no narrower."""
    groups = model_builders.membership(1500, 1, rare=5)
    made = subject(tmp_path, groups)
    import dataclasses

    labels = made.scores.labels.copy()
    labels[:5] = 0
    scores = made.scores.__class__(labels=labels, probabilities=made.scores.probabilities)
    results = found(dataclasses.replace(made, scores=scores))
    other = next(m for m in results["selection_rate"].measures if m.slice == "sex=other")
    assert (other.value, other.interval.low) == (0, 0)
    assert other.interval.high == pytest.approx(1 - 0.025 ** (1 / 5))
    assert other.interval.method == "Clopper-Pearson to Jeffreys beta"
    gap = results["demographic_parity_difference"]
    rates = [m for m in gap.measures if m.slice in ("sex=female", "sex=male")]
    assert headline(gap).interval.low < max(m.value for m in rates) - other.interval.high + 0.05
    assert "Clopper-Pearson" in headline(gap).interval.method
    without = next(m for m in gap.measures if m.name.endswith("without_small_groups") and m.slice == "sex")
    assert (
        "Newcombe square and add of Clopper-Pearson to Jeffreys beta bounds, 1 pair of rates of sex"
        in without.interval.method
    )
    a, b = sorted(rates, key=lambda m: m.value)
    reach = np.hypot(b.interval.high - b.value, a.value - a.interval.low)
    assert without.interval.high == pytest.approx(b.value - a.value + reach)


def test_small_groups_say_how_many_rows_their_rate_rests_on(tmp_path):
    """For each group that is too small the fewest rows that one of its rates rests on are given."""
    groups = model_builders.membership(1500, 1)
    _, _, y = model_builders.simulated(1500, 4, 0)
    women = np.flatnonzero(groups["sex"][0] == 0)
    y[women] = 0
    y[women[:5]] = 1
    results = found(subject(tmp_path, groups, y=y))
    for name in ("true_positive_rate", "equalized_odds_difference"):
        details = results[name].details
        assert details["small_group_rows"]["sex=female"] == 5
        assert list(details["small_group_rows"]) == details["small_groups"]
    assert results["selection_rate"].details["small_group_rows"] == {}
