"""Gates of a language model's plan: what the catalogue refuses, and the three answers."""

import pytest

from checks import catalogue, gate
from configs import errors
from evidence import records
from tests.checks.language import builders

BITS = "language.bits_per_byte"


def result(check_id=BITS, part="overall", interval=(1.8, 2.2), name=None, **details):
    ends = interval and records.Interval(low=interval[0], high=interval[1], level=0.95, method="m")
    measure = records.Measure(name=name or check_id, value=2.0, unit="bit", interval=ends, n=9, slice=part)
    return records.CheckResult(
        check_id=check_id, title="t", status="not_applicable", measures=(measure,), reason="measured", details=details
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"check": "performance.accuracy", "at_least": 0.9}, "expected a metric for the task language_model"),
        ({"check": BITS, "at_least": 2.0}, "expected at_most, because lower is better"),
        ({"check": "language.perplexity", "at_most": 0.5}, "expected a threshold from 1"),
        ({"check": "language.bits_per_byte_gap", "at_most": 0.5}, "Set slice to one of language, domain"),
        ({"check": "language.extraction", "at_most": 0.1, "slice": "language"}, "expected the slice overall"),
        ({"check": "language.harness", "at_least": 0.1}, "expected a metric with a direction"),
        ({"check": "language.bits_per_bite", "at_most": 2.0}, "Did you mean language.bits_per_byte?"),
    ],
)
def test_gates_that_can_never_mean_what_they_say_are_refused(asked, said):
    """The catalogue checks the gates of a language model as it does those on tables."""
    with pytest.raises(errors.PlanError) as caught:
        catalogue.check_policy(builders.plan([asked]))
    assert said in str(caught.value)


def test_metrics_of_language_models_are_refused_on_tables():
    """A classifier has no perplexity."""
    from tests.checks import model_builders

    with pytest.raises(errors.PlanError, match="expected a metric for the task binary, got one for language_model"):
        catalogue.check_policy(model_builders.plan(gates=[{"check": BITS, "at_most": 2.0}]))


@pytest.mark.parametrize(
    ("limit", "outcome"), [(2.5, "pass"), (2.2, "pass"), (2.0, "inconclusive"), (1.9, "inconclusive"), (1.7, "fail")]
)
def test_the_gate_gives_three_answers(limit, outcome):
    """The whole interval decides."""
    plan = builders.plan([{"check": BITS, "at_most": limit}])
    catalogue.check_policy(plan)
    assert gate.decide(plan, gate.apply(plan, [result()])).outcome == outcome


def test_a_small_language_leaves_its_slice_open_and_the_whole_text_decided():
    """All text is measured whatever its languages; the worst language cannot be told while one is too small."""
    plan = builders.plan([{"check": BITS, "at_most": 2.5}, {"check": BITS, "slice": "language", "at_most": 2.5}])
    whole, worst = result(), result(part="language")
    found = whole.model_copy(
        update={
            "measures": (*whole.measures, *worst.measures),
            "details": {
                "small_groups": ["language=fi"], "small_left_out": True, "minimum_group_size": 5,
                "overall_without_groups": True, "group_unit": "documents",
            },
        }
    )  # fmt: skip
    reasons = gate.decide(plan, [found]).reasons
    assert [r.status for r in reasons] == ["pass", "inconclusive"]
    assert "“fi” has fewer than 5 documents" in reasons[1].text


def test_a_check_that_did_not_run_never_passes():
    """Without a result the outcome is inconclusive."""
    plan = builders.plan([{"check": "language.canaries", "at_most": 3.0}])
    assert gate.decide(plan, [result()]).outcome == "inconclusive"


def test_the_policy_of_the_guide_is_one():
    """What the guide tells an engineer to write is accepted."""
    import pathlib
    import re

    import yaml

    guide = pathlib.Path(__file__).parents[3] / "docs" / "guide" / "engineer.md"
    blocks = re.findall(r"```yaml\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.DOTALL)
    (shown,) = [yaml.safe_load(block)["policy"] for block in blocks if "memorisation:" in block]
    catalogue.check_policy(builders.plan(shown.pop("gates"), **shown))
