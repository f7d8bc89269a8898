import pathlib
import subprocess
import sys

import pytest

from checks import catalogue
from configs import errors
from tests.checks import model_builders


def refusal(task: str = "binary", **gate: object) -> str:
    with pytest.raises(errors.PlanError) as caught:
        catalogue.check_policy(model_builders.plan(task, [gate]))
    return str(caught.value)


@pytest.mark.slow
def test_importing_the_catalogue_loads_no_library_that_computes():
    """The catalogue is light: whoever only reads a policy pays for no numerical library."""
    heavy = ["numpy", "scipy", "onnxruntime", "sklearn", "pandas", "fairlearn", "torch"]
    code = f"import sys; from checks import catalogue; print([m for m in {heavy} if m in sys.modules])"
    root = pathlib.Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_metric_says_what_it_is():
    """Each entry has a definition, a range that is one, and a reference."""
    for name, metric in catalogue.METRICS.items():
        assert metric.id == name
        assert metric.definition.endswith(".")
        assert metric.low < metric.high
        assert metric.reference
        assert set(metric.tasks) <= {"binary", "multiclass", "regression", "language_model"}


def test_a_fitting_policy_is_accepted():
    """Gates on known metrics, in their direction, within their range, on a slice that is measured, pass."""
    gates = [
        {"check": "performance.roc_auc", "at_least": 0.8},
        {"check": "fairness.equalized_odds_difference", "slice": "sex × region", "at_most": 0.1},
        {"check": "robustness.noise", "at_least": 0.7},
    ]
    catalogue.check_policy(model_builders.plan(gates=gates))


def test_an_unknown_metric_is_refused_with_the_nearest_name():
    """A misspelt metric is named, and the one that was meant is suggested."""
    assert "Did you mean performance.roc_auc?" in refusal(check="performance.roc_acu", at_least=0.8)
    assert "Did you mean performance.roc_auc?" in refusal(check="quality.roc_auc", at_least=0.8)


def test_a_metric_of_another_task_is_refused():
    """A classifier cannot be gated on a regression metric, nor the other way round."""
    assert "expected a metric for the task binary" in refusal(check="performance.rmse", at_most=3)
    assert "performance.rmse" in refusal("regression", check="performance.accuracy", at_least=0.8)
    assert "expected a metric for the task multiclass" in refusal(
        "multiclass", check="fairness.error_difference", slice="sex", at_most=0.1
    )


def test_a_threshold_outside_the_range_is_refused():
    """A share cannot reach 80, a binary Brier score cannot be 1.5, an accuracy under attack is not negative."""
    assert "from 0 to 1, got 80" in refusal(check="performance.accuracy", at_least=80)
    assert "from 0 to 1, got 1.5" in refusal(check="performance.brier", at_most=1.5)
    assert "from 0 to 1, got -1" in refusal(check="robustness.evasion", at_least=-1)
    catalogue.check_policy(model_builders.plan("multiclass", [{"check": "performance.brier", "at_most": 1.5}]))
    catalogue.check_policy(model_builders.plan("regression", [{"check": "robustness.noise", "at_least": -1}]))


def test_the_wrong_direction_is_refused():
    """Asking for at most so much of what should be high is an error, and the other way round."""
    assert "expected at_least, because higher is better" in refusal(check="performance.accuracy", at_most=0.9)
    assert "expected at_most, because lower is better" in refusal(check="performance.ece", at_least=0.1)
    assert "descriptive" in refusal(check="performance.confusion_matrix", at_most=10)


def test_slices_must_be_measured():
    """Performance is measured overall, fairness per attribute."""
    assert "not measured per group" in refusal(check="performance.accuracy", slice="sex", at_least=0.5)
    assert "Set slice to one of sex, region, sex × region" in refusal(check="fairness.accuracy_difference", at_most=0.1)


def test_fairness_needs_protected_attributes():
    """A fairness gate in a plan without protected attributes is refused."""
    plan = model_builders.plan(gates=[{"check": "fairness.accuracy_difference", "at_most": 0.1}])
    bare = plan.model_copy(update={"data": plan.data.model_copy(update={"protected": (), "intersections": ()})})
    with pytest.raises(errors.PlanError, match="protected attributes to compare, got none"):
        catalogue.check_policy(bare)


@pytest.mark.parametrize("check", ["data.leakage", "export.parity"])
def test_the_checks_that_carry_the_evidence_take_no_gate(check):
    """No policy can move or switch off the leakage audit and the parity of the graph."""
    for required in (True, False):
        assert "always counts. Remove the gate" in refusal(check=check, at_most=0.5, required=required)


def test_every_problem_is_named():
    """All wrong gates are listed at once, each with its place in the plan."""
    gates = [{"check": "performance.rmse", "at_most": 3}, {"check": "performance.accuracy", "at_most": 0.5}]
    with pytest.raises(errors.PlanError) as caught:
        catalogue.check_policy(model_builders.plan(gates=gates))
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["policy.gates[0]", "policy.gates[1]"]


def test_a_ratio_of_the_law_is_laid_on_no_difference():
    """Four fifths is accepted on the ratio of selection rates, and refused on a difference and on other ratios."""
    catalogue.check_policy(
        model_builders.plan(
            gates=[{"check": "fairness.demographic_parity_ratio", "slice": "sex", "rule": "four_fifths"}]
        )
    )
    for check, got in (("demographic_parity_difference", "a difference"), ("equalized_odds_ratio", "a ratio")):
        text = refusal(check=f"fairness.{check}", slice="sex", rule="four_fifths")
        assert "rule four_fifths (29 CFR 1607.4(D)): expected the ratio that it bounds" in text
        assert f"got {got}. Gate fairness.demographic_parity_ratio with rule: four_fifths" in text


@pytest.mark.parametrize("words", ["The four-fifths rule.", "29 CFR 1607.4(D)", "80 % rule", "Four fifths, as usual"])
def test_a_difference_is_not_justified_with_a_ratio(words):
    """A rationale that cites four fifths for a difference is refused; the same words for a ratio are fine."""
    gate = {"check": "fairness.demographic_parity_difference", "slice": "sex", "at_most": 0.2, "rationale": words}
    assert "rationale names the rule four_fifths" in refusal(**gate)
    ratio = {"check": "fairness.demographic_parity_ratio", "slice": "sex", "at_least": 0.8, "rationale": words}
    catalogue.check_policy(model_builders.plan(gates=[ratio]))


def test_every_comparison_of_groups_says_on_which_scale_it_is():
    """Rates, differences and ratios are told apart by a field, and the names agree with it."""
    for metric in catalogue.of_family("fairness"):
        ending = metric.id.rpartition("_")[2]
        assert metric.scale == (ending if ending in ("difference", "ratio") else "rate")


def test_the_page_of_metrics_is_the_generated_one():
    """`docs/metrics.md` is what `python -m checks.metrics.page` writes, and holds every metric once."""
    from checks.metrics import page

    text = page.text()
    assert page.FILE.read_text(encoding="utf-8") == text, "run: python -m checks.metrics.page"
    for metric in catalogue.METRICS.values():
        assert text.count(f"`{metric.id}`") == 1
        assert f"### {metric.title}\n" in text


def test_titles_tell_metrics_apart():
    """No two metrics share a title, since reports name them by it."""
    titles = [m.title for m in catalogue.METRICS.values()]
    assert len(titles) == len(set(titles))


def test_every_best_value_lies_in_the_range():
    """A metric with a direction has an end of its range in that direction, or none; a gate can be met."""
    for metric in catalogue.METRICS.values():
        for task in metric.tasks:
            low, high = catalogue.bounds(metric, task)
            assert metric.low <= low < high <= metric.high
        assert metric.better in ("higher", "lower", "none")
        assert len(metric.reference) > 4


@pytest.mark.parametrize("settings", [{"required": False}, {"inconclusive": "reports"}])
def test_a_policy_that_decides_nothing_is_refused(settings):
    """Gates that are all reported only, or may all stay open, would pass whatever was measured."""
    gate = {"check": "performance.accuracy", "at_least": 0.9, **settings}
    with pytest.raises(errors.PlanError, match="at least one required gate"):
        catalogue.check_policy(model_builders.plan(gates=[gate]))
