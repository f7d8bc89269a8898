from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from configs.plan import Plan
from tests.checks import model_builders

REWEIGHING = {"method": "reweighing", "attribute": "sex"}


def planned(mitigation=None, calibration="none", **policy):
    plan = model_builders.plan(replicates=300, **policy).model_dump(mode="json")
    plan["mitigation"] = mitigation or {}
    plan["training"]["calibration"] = calibration
    return Plan.model_validate(plan)


def scores(probability, threshold=0.5):
    from checks import scoring

    p = np.asarray(probability, dtype=np.float64)
    return scoring.Scores(labels=(p >= threshold).astype(np.int64), probabilities=np.stack([1 - p, p], axis=1))


def subject(place, plan, references, rows=600):
    """The test part of a simulated run, with the scores of the shipped graph and of others."""
    from checks import intervals, scoring
    from checks._parts import Parts
    from checks._subject import Subject
    from evidence import arrays

    x, coefficients, y = model_builders.simulated(rows, 4, 0)
    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(2))
    case = model_builders.case(place, plan, x, y, model_builders.membership(rows, 1))
    scorer = scoring.open_model(case.folder.checked(case.model.onnx), case.encoded)
    part = arrays.load(case.folder, case.encoded, "test")
    sampling = intervals.Sampling(0.95, 300, 0)
    parts = Parts(case.folder, case.encoded, scorer)
    made = Subject(plan, case.encoded, part, scorer, scorer(part.x), sampling, parts)
    return dataclasses.replace(made, references={name: f(made) for name, f in references.items()})


def by_name(results):
    return {m.name: m for r in results for m in r.measures}


def test_before_after_and_change_are_counted_on_the_same_rows(tmp_path):
    """Gap, accuracy and balanced accuracy by hand from both graphs' labels; the change is after less before."""
    from checks import mitigation

    def other(made):
        return scores(made.scores.probabilities[:, 1] - 0.2 * (made.part.groups["sex"].codes == 0))

    made = subject(tmp_path, planned(REWEIGHING), {"unmitigated": other})
    found = by_name(mitigation.measure(made))
    codes, y = made.part.groups["sex"].codes, made.part.y
    before, after = made.references["unmitigated"].labels, made.scores.labels
    gaps = [abs(found_[codes == 0].mean() - found_[codes == 1].mean()) for found_ in (before, after)]
    name = "mitigation.disparity_change"
    assert found[f"{name}.before"].value == pytest.approx(gaps[0])
    assert found[f"{name}.after"].value == pytest.approx(gaps[1])
    assert found[name].value == pytest.approx(gaps[1] - gaps[0])
    assert found[name].slice == "sex"
    assert found[name].interval.high < 0
    assert found["mitigation.accuracy_change"].value == pytest.approx((after == y).mean() - (before == y).mean())
    recall = [np.mean([(labels[y == k] == k).mean() for k in (0, 1)]) for labels in (before, after)]
    assert found["mitigation.balanced_accuracy_change"].value == pytest.approx(recall[1] - recall[0])
    for measure in found.values():
        if measure.interval:
            assert measure.interval.low <= measure.value <= measure.interval.high


def test_what_both_families_measure_has_one_value_and_one_interval(tmp_path):
    """After mitigation, gap, accuracy, calibration error and log loss are those of the other families."""
    from checks import fairness, mitigation, performance

    plan = planned(REWEIGHING, "temperature")
    made = subject(tmp_path, plan, dict.fromkeys(("unmitigated", "uncalibrated"), lambda m: m.scores))
    found = by_name(mitigation.measure(made))
    theirs = {m.name: m for r in performance.measure(made) for m in r.measures}
    for name in ("accuracy", "balanced_accuracy", "ece", "log_loss"):
        own, other = found[f"mitigation.{name}_change.after"], theirs[f"performance.{name}"]
        assert own.value == pytest.approx(other.value)
        assert own.interval == other.interval
    gap = next(
        m for r in fairness.measure(made) for m in r.measures
        if (m.name, m.slice) == ("fairness.demographic_parity_difference", "sex")
    )  # fmt: skip
    own = found["mitigation.disparity_change.after"]
    assert (own.value, own.interval.low, own.interval.high) == (gap.value, gap.interval.low, gap.interval.high)


def test_graphs_that_agree_change_nothing_with_a_width(tmp_path):
    """The same graph twice: changes are 0, and the interval still has the width that so many rows leave."""
    from checks import mitigation

    made = subject(tmp_path, planned(REWEIGHING), {"unmitigated": lambda m: m.scores})
    found = by_name(mitigation.measure(made))
    for name in ("accuracy_change", "balanced_accuracy_change", "disparity_change"):
        change = found[f"mitigation.{name}"]
        assert change.value == 0
        assert change.interval.low < 0 < change.interval.high


@pytest.mark.parametrize("constraint", ["equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity"])
def test_the_rates_are_those_of_the_plans_constraint(tmp_path, constraint):
    """The gap that is compared is the one that the mitigation was to close."""
    from checks import mitigation

    stated = {"method": "exponentiated_gradient", "attribute": "sex", "constraint": constraint}
    made = subject(tmp_path, planned(stated), {"unmitigated": lambda m: scores(m.scores.probabilities[:, 1] ** 2)})
    found = by_name(mitigation.measure(made))["mitigation.disparity_change.after"]
    codes, y, labels = made.part.groups["sex"].codes, made.part.y, made.scores.labels
    gaps = [abs(labels[(codes == 0) & (y == k)].mean() - labels[(codes == 1) & (y == k)].mean()) for k in (0, 1)]
    expected = {
        "equalized_odds": max(gaps),
        "true_positive_rate_parity": gaps[1],
        "false_positive_rate_parity": gaps[0],
    }
    assert found.value == pytest.approx(expected[constraint])


def test_without_mitigation_nothing_applies_and_without_the_other_graph_nothing_is_measured(tmp_path):
    """Each check says why it has no value."""
    from checks import mitigation

    none = mitigation.measure(subject(tmp_path / "a", planned(), {}))
    assert {r.status for r in none} == {"not_applicable"}
    assert "no mitigation" in none[0].reason
    lost = mitigation.measure(subject(tmp_path / "b", planned(REWEIGHING, "temperature"), {}))
    assert {r.status for r in lost} == {"not_measured"}


def test_a_small_group_is_listed_and_leaves_the_gate_open(tmp_path):
    """A treated group below the minimum makes a gate on the gap inconclusive, whatever the interval says."""
    from checks import gate, mitigation

    gates = [{"check": "mitigation.disparity_change", "slice": "sex", "at_most": 0.9}]
    plan = planned(REWEIGHING, gates=gates, minimum_group_size=400)
    made = subject(tmp_path, plan, {"unmitigated": lambda m: m.scores})
    (result,) = [r for r in gate.apply(plan, mitigation.measure(made)) if r.threshold]
    assert result.status == "inconclusive"
    assert "sex=female" in result.details["small_groups"]


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ({"check": "mitigation.disparity_change", "at_most": 0}, "expected the slice sex, got 'overall'"),
        ({"check": "mitigation.ece_change", "at_most": 0}, "expected a plan with training.calibration, got none"),
    ],
)
def test_a_gate_on_what_is_not_done_is_refused(gate, said):
    """A policy cannot ask for the change of something that the plan leaves as it is."""
    from checks import catalogue
    from configs import errors

    with pytest.raises(errors.PlanError, match=said):
        catalogue.check_policy(planned(REWEIGHING, gates=[gate]))
    with pytest.raises(errors.PlanError, match=r"expected a plan with (a mitigation|training\.calibration), got none"):
        catalogue.check_policy(planned(gates=[gate]))


def share_coverage(rows, gained, lost, trials):
    """How often the interval of a change of accuracy holds the truth."""
    from checks import _paired, intervals

    rng, hits = np.random.default_rng(0), 0
    for _ in range(trials):
        kind = rng.choice(3, size=rows, p=[1 - gained - lost, gained, lost])
        before, after = (kind == 2) | (kind == 0), (kind == 1) | (kind == 0)
        found = _paired.share(before, after, intervals.Sampling())
        hits += found.low <= gained - lost <= found.high
    return hits / trials


@pytest.mark.parametrize(("rows", "gained", "lost"), [(200, 0.05, 0.1), (50, 0.02, 0.02), (1000, 0.2, 0.2)])
def test_intervals_of_a_changed_share_cover(rows, gained, lost):
    """95 % intervals hold the true change in at least 95 % of simulated test sets; exact bounds are wide."""
    assert share_coverage(rows, gained, lost, 400) >= 0.94


def gap_coverage(sizes, before, after, trials=200):
    """How often the interval of a changed gap holds the truth; answers before and after agree where they can."""
    from checks import _paired, intervals

    rng, hits, truth = np.random.default_rng(1), 0, np.ptp(after) - np.ptp(before)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    for trial in range(trials):
        # Four in five rows share their luck before and after.
        first, second = rng.random((2, len(groups)))
        second = np.where(rng.random(len(groups)) < 0.8, first, second)
        labels = tuple((u < np.array(p)[groups]).astype(np.int64) for u, p in ((first, before), (second, after)))
        y = rng.integers(0, 2, len(groups))
        sampling = intervals.Sampling(0.95, 300, trial)
        found = _paired.gap(("selection_rate",), groups, y, labels, len(sizes), sampling)
        hits += found.low <= truth <= found.high
    return hits / trials


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "before", "after"),
    [
        ((150, 300), (0.4, 0.6), (0.5, 0.5)),
        ((150, 300), (0.5, 0.5), (0.5, 0.5)),
        ((30, 170), (0.4, 0.6), (0.5, 0.52)),
        ((2000, 4000), (0.12, 0.3), (0.18, 0.24)),
        ((60, 80, 100, 200), (0.3, 0.4, 0.5, 0.6), (0.5, 0.5, 0.51, 0.5)),
    ],
)
def test_intervals_of_a_changed_gap_cover(sizes, before, after):
    """95 % intervals hold the true change in at least 94 % of simulated test sets, also where groups become equal."""
    assert gap_coverage(sizes, before, after) >= 0.94


@pytest.mark.slow
def test_percentiles_would_not_cover_where_groups_become_equal():
    """Why the interval is not a percentile: there, percentiles of the bootstrap hold the truth far too seldom."""
    rng, hits, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        first, second = rng.random((2, 450))
        groups = np.repeat([0, 1], [150, 300])
        before = first < np.array([0.4, 0.6])[groups]
        after = np.where(rng.random(450) < 0.8, first, second) < 0.5
        drawn = []
        for _ in range(200):
            rows = rng.integers(0, 450, 450)
            rates = [[labels[rows][groups[rows] == g].mean() for g in (0, 1)] for labels in (before, after)]
            drawn.append(np.ptp(rates[1]) - np.ptp(rates[0]))
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= -0.2 <= high
    assert hits / trials < 0.92
