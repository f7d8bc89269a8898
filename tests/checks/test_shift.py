import numpy as np
import pytest

from configs import errors
from tests.checks import model_builders, shift_builders

NAMES = ("north", "south", "east", "west")
PLAN = {"slices": ["f0"]}


def made(rng, accuracy=(0.9, 0.8, 0.7, 0.6), rows=(400, 300, 200, 100), **other):
    site = np.repeat(np.arange(len(rows)), rows)
    y = rng.integers(0, 2, len(site))
    hit = rng.random(len(site)) < np.array(accuracy)[site]
    part = shift_builders.part("test", site[:, None], y, slices={"f0": (site, NAMES[: len(rows)])})
    return (
        shift_builders.subject(shift_builders.plan(shift=PLAN, **other), part, shift_builders.scores(y, hit)),
        hit,
        site,
    )


def test_the_worst_slice_is_named_with_its_accuracy():
    """The headline is the smallest accuracy of all slices; each slice has its rows, value and interval."""
    from checks import shift

    subject, hit, site = made(np.random.default_rng(0))
    result, other = shift.measure(subject)
    assert result.measures[0].value == hit[site == 3].mean()
    assert (result.measures[0].n, result.details["worst_slice"]["overall"]) == (100, "f0 = west")
    rows = {r["group"]: r for r in result.details["groups"]["f0"]}
    for code, name in enumerate(NAMES):
        assert rows[name]["value"] == hit[site == code].mean()
        assert rows[name]["low"] < rows[name]["value"] < rows[name]["high"]
    assert result.details["overall"]["value"] == hit.mean()
    assert other.status == "not_applicable"


@pytest.mark.slow
def test_the_interval_of_the_worst_slice_covers():
    """Equal slices, and slices that differ: the interval of the worst holds the true worst in at least 93 %."""
    from checks import shift

    for accuracy in ((0.8, 0.8, 0.8, 0.8), (0.9, 0.8, 0.7, 0.6), (0.98, 0.97, 0.98, 0.97)):
        rng, covered = np.random.default_rng(1), 0
        for _ in range(400):
            interval = shift.measure(made(rng, accuracy)[0])[0].measures[0].interval
            covered += interval.low <= min(accuracy) <= interval.high
        assert covered / 400 >= 0.93


def test_small_slices_are_listed_and_leave_a_pass_open():
    """A slice with too few rows is no headline; a gate that would pass is inconclusive, one that fails stays failed."""
    from checks import gate, shift

    rng = np.random.default_rng(0)
    for threshold, status in ((0.5, "inconclusive"), (0.95, "fail")):
        gates = [{"check": "robustness.shift", "at_least": threshold, "slice": slice_} for slice_ in ("overall", "f0")]
        subject, *_ = made(rng, rows=(400, 300, 200, 7), accuracy=(0.9, 0.9, 0.9, 0.0), gates=gates)
        result = shift.measure(subject)[0]
        assert result.details["small_groups"] == ["f0=west"]
        assert "too few rows in f0 = west" in result.measures[0].note
        decided = gate.decide(subject.plan, [result])
        assert [r.status for r in decided.reasons] == [status, status]
        assert "“f0: west” has fewer than 20 rows" in decided.reasons[0].text
    assert [r.text.count("; worst slice: f0 = ") for r in decided.reasons] == [1, 1]


def test_a_gate_on_a_column_names_the_worst_slice_of_that_column():
    """The reason of a gate speaks of the slices it addresses, not of those of another column."""
    from checks import gate, shift

    rng, site = np.random.default_rng(0), np.repeat([0, 1], 100)
    hit = rng.random(200) < np.where(site, 0.9, 0.6)
    y = np.zeros(200, np.int64)
    slices = {"f0": (site, NAMES[:2]), "sex": (rng.integers(0, 2, 200), ("x", "y"))}
    part = shift_builders.part("test", site[:, None], y, slices=slices)
    gates = [{"check": "robustness.shift", "at_least": 0.5, "slice": "sex"}]
    plan = shift_builders.plan(shift={"slices": ["f0", "sex"]}, gates=gates)
    result = shift.measure(shift_builders.subject(plan, part, shift_builders.scores(y, hit)))[0]
    assert result.details["worst_slice"]["overall"] == "f0 = north"
    assert "; worst slice: sex = " in gate.decide(plan, [result]).reasons[0].text


def test_enough_rows_everywhere_can_pass():
    """With every slice large enough the gate gives its plain answer."""
    from checks import gate, shift

    subject, *_ = made(np.random.default_rng(0), gates=[{"check": "robustness.shift", "at_least": 0.4}])
    assert gate.decide(subject.plan, [shift.measure(subject)[0]]).outcome == "pass"


def test_regression_is_sliced_by_its_error():
    """For regression the headline is the largest mean absolute error, in the target's unit."""
    from checks import scoring, shift

    rng, site = np.random.default_rng(0), np.repeat([0, 1], 200)
    y = rng.normal(size=400)
    predictions = y + rng.normal(size=400) * np.where(site, 3.0, 1.0)
    part = shift_builders.part("test", site[:, None], y, slices={"f0": (site, NAMES[:2])})
    plan = shift_builders.plan("regression", shift=PLAN)
    subject = shift_builders.subject(plan, part, scoring.Scores(predictions=predictions))
    other, result = shift.measure(subject)
    assert other.status == "not_applicable"
    assert result.measures[0].value == pytest.approx(np.abs(predictions - y)[site == 1].mean())
    assert (result.measures[0].unit, result.details["worst_slice"]["overall"]) == ("mm", "f0 = south")


def test_nothing_declared_does_not_apply():
    """Without columns to slice by there is nothing to measure, and a gate on it is refused before anything is run."""
    from checks import catalogue, shift

    part = shift_builders.part("test", np.zeros((50, 1)), np.zeros(50, np.int64))
    subject = shift_builders.subject(shift_builders.plan(), part, shift_builders.scores(part.y, np.ones(50, bool)))
    assert shift.measure(subject)[0].status == "not_applicable"
    plan = model_builders.plan(gates=[{"check": "robustness.shift", "at_least": 0.5}])
    with pytest.raises(errors.PlanError, match="expected columns to slice by, got none"):
        catalogue.check_policy(plan)
    with pytest.raises(ValueError, match="slice 'f1' is unknown; known are overall, f0"):
        shift_builders.plan(shift=PLAN, gates=[{"check": "robustness.shift", "at_least": 0.5, "slice": "f1"}])
