import numpy as np
import pytest

from tests.checks import model_builders
from tests.checks.test_fairness import found, headline, subject

PARITY = "fairness.demographic_parity_difference"


def gated(place, threshold, groups, *, check=PARITY, rows=1500, minimum=20, **case):
    """The result of a gate on sex with the policy laid on it."""
    import dataclasses

    from checks import gate

    made = subject(place, groups, rows=rows, minimum=minimum, **case)
    gates = [{"check": check, "slice": "sex", **threshold}]
    plan = model_builders.plan(made.task, gates=gates, minimum_group_size=minimum)
    result = found(dataclasses.replace(made, plan=plan))[check.removeprefix("fairness.")]
    return made, gate.apply(plan, [result])[0]


def test_an_open_gate_says_how_many_rows_would_settle_it(tmp_path):
    """The number stands in the details by group and in the reason."""
    _, result = gated(tmp_path, {"at_most": 0.05}, model_builders.membership(1500, 1))
    entry = result.details["rows_needed"][0]
    assert (entry["slice"], entry["at_most"], entry["at_least"]) == ("sex", 0.05, None)
    assert result.status == "inconclusive"
    assert entry["total"] == sum(entry["groups"].values()) > 0
    assert f"about {entry['total']:,} more test rows would settle it" in result.reason
    assert all(f"“{group.partition('=')[2]}” {rows:,}" in result.reason for group, rows in entry["groups"].items())


def test_so_many_more_rows_do_settle_it(tmp_path):
    """With the rates held, the interval of the larger groups clears the threshold; with a fifth fewer it does not."""
    from checks import _fairness_headlines, _group_rates, _moments, intervals

    made, result = gated(tmp_path, {"at_most": 0.05}, model_builders.membership(1500, 1))
    more = result.details["rows_needed"][0]["groups"]
    names = ("sex=female", "sex=male")
    sizes = np.bincount(made.part.groups["sex"].codes).astype(float)
    rates = np.array([m.value for m in result.measures if m.slice in names])

    def straddles(share):
        rows = sizes + [share * more.get(name, 0) for name in names]
        counted = _group_rates.shares(_moments.of_rows((rates * rows)[None], rows[None]))
        ends = _fairness_headlines.ends(counted, "gap", intervals.Sampling().level)
        return ends[0] <= 0.05 < ends[1]

    assert not straddles(1.0)
    assert straddles(0.8)


def test_a_small_group_is_filled_up_to_the_minimum(tmp_path):
    """Where only a group that is too small keeps the gate open, the minimum is what is missing."""
    groups = model_builders.membership(1500, 1, rare=60)
    _, open_ = gated(tmp_path, {"at_most": 0.6}, groups, minimum=80)
    assert open_.status == "inconclusive"
    assert open_.details["rows_needed"][0]["groups"] == {"sex=other": 20}
    assert open_.details["rows_needed"][0]["status"] == "pass"
    assert "in its favour if the rates stay as measured (“other” 20)" in open_.reason


def test_an_empty_group_needs_the_minimum(tmp_path):
    """A group without rows needs at least as many as a rate may rest on."""
    groups = model_builders.membership(1500, 1)
    groups["sex"] = (groups["sex"][0], ("female", "male", "other"))
    _, result = gated(tmp_path, {"at_most": 0.6}, groups)
    assert result.details["rows_needed"][0]["groups"] == {"sex=other": 20}


def test_rows_that_the_rate_does_not_count_are_asked_for_as_well(tmp_path):
    """For a true positive rate so many rows are asked for that enough of them are positive."""
    groups = model_builders.membership(1500, 1)
    _, _, y = model_builders.simulated(1500, 4, 0)
    women = np.flatnonzero(groups["sex"][0] == 0)
    y[women] = 0
    y[women[:5]] = 1
    check = "fairness.equal_opportunity_difference"
    _, result = gated(tmp_path, {"at_most": 0.99}, groups, y=y, check=check)
    expected = len(women) * (20 / 5 - 1)
    assert expected <= result.details["rows_needed"][0]["groups"]["sex=female"] <= 1.1 * expected + 10


def test_no_number_is_promised_where_the_value_is_the_threshold(tmp_path):
    """A measured value that equals the threshold can never be told from it, and that is said."""
    groups = model_builders.membership(1500, 1)
    gap = headline(found(subject(tmp_path / "a", groups))["demographic_parity_difference"]).value
    _, result = gated(tmp_path / "b", {"at_most": gap}, groups)
    assert result.details["rows_needed"][0]["total"] is None
    assert "more test rows would not settle it" in result.reason


@pytest.mark.parametrize("threshold", [{"at_most": 0.9}, {"at_most": 0.0001}])
def test_a_settled_gate_asks_for_no_rows(tmp_path, threshold):
    """Neither a pass nor a clear failure says anything about rows."""
    groups = model_builders.membership(1500, 1)
    if threshold["at_most"] < 0.5:
        made = subject(tmp_path / "a", groups)
        groups = {"sex": (made.scores.labels, ("female", "male"))}
    _, result = gated(tmp_path / "b", threshold, groups)
    assert result.status == ("fail" if threshold["at_most"] < 0.5 else "pass")
    assert result.details["rows_needed"] == []
    assert "more test rows" not in result.reason


@pytest.mark.parametrize(
    ("check", "task"), [("fairness.error_difference", "regression"), ("fairness.calibration_error", "binary")]
)
def test_means_and_calibration_errors_have_an_estimate_too(tmp_path, check, task):
    """Measures that are no shares are settled by rows as well."""
    groups = model_builders.membership(300, 1)
    y, coefficients = None, None
    if task == "regression":
        y, coefficients = np.random.default_rng(0).normal(size=300), np.zeros((4, 1))
    made = subject(tmp_path / "a", groups, task, rows=300, y=y, coefficients=coefficients)
    one = headline(found(made)[check.removeprefix("fairness.")])
    limit = (one.value + one.interval.high) / 2
    _, result = gated(
        tmp_path / "b", {"at_most": limit}, groups, check=check, rows=300, task=task, y=y, coefficients=coefficients
    )
    assert result.status == "inconclusive"
    assert result.details["rows_needed"][0]["total"] > 0
    assert result.details["rows_needed"][0]["status"] == "pass"
