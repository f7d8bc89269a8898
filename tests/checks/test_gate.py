import pytest

from checks import basis
from configs.policy import Gate
from evidence import records
from tests.checks import model_builders

ACCURACY = "performance.accuracy"
PARITY = "fairness.demographic_parity_difference"


def measure(name=ACCURACY, value=0.81, low=0.78, high=0.84, **other):
    interval = None if low is None else records.Interval(low=low, high=high, level=0.95, method="m")
    return records.Measure(name=name, value=value, interval=interval, n=88, split="test", **other)


def result(*measures, check_id=ACCURACY, status="not_applicable", **other):
    other = {"reason": "measured; the policy sets no threshold", "title": "t", **other}
    return records.CheckResult(check_id=check_id, status=status, measures=measures, **other)


def decided(gates, *results):
    from checks import gate

    return gate.decide(model_builders.plan(gates=gates), results)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ({"at_least": 0.75}, "pass"),
        ({"at_least": 0.78}, "pass"),
        ({"at_least": 0.80}, "inconclusive"),
        ({"at_least": 0.84}, "inconclusive"),
        ({"at_least": 0.85}, "fail"),
        ({"at_most": 0.85}, "pass"),
        ({"at_most": 0.84}, "pass"),
        ({"at_most": 0.80}, "inconclusive"),
        ({"at_most": 0.78}, "inconclusive"),
        ({"at_most": 0.75}, "fail"),
    ],
)
def test_the_whole_interval_decides(threshold, expected):
    """Wholly on the right side passes, wholly on the wrong side fails, straddling is inconclusive."""
    from checks import gate

    assert gate.judge(measure(), Gate(check=ACCURACY, **threshold)) == expected


def test_no_value_and_no_interval_never_pass():
    """An undefined metric is not measured; a sampled value without an interval is inconclusive."""
    from checks import gate

    asked = Gate(check=ACCURACY, at_least=0.1)
    assert gate.judge(measure(value=None, low=None, note="one class"), asked) == "not_measured"
    assert gate.judge(measure(low=None), asked) == "inconclusive"


def test_counts_of_the_very_data_need_no_interval():
    """A value that describes the data at hand is exact: it is judged by itself."""
    from checks import gate

    found = measure("data.class_balance", 0.2, None)
    assert gate.judge(found, Gate(check="data.class_balance", at_least=0.1)) == "pass"
    assert gate.judge(found, Gate(check="data.class_balance", at_least=0.3)) == "fail"


def test_the_threshold_is_named_once_where_nothing_was_measured():
    """A result that has been through the policy gives the gate the same sentence as one that has not."""
    from checks import gate

    plan = model_builders.plan(gates=[{"check": ACCURACY, "at_least": 0.75}])
    raw = result(status="not_measured", reason="no labels")
    for results in ([raw], gate.apply(plan, [raw])):
        assert gate.decide(plan, results).reasons[0].text == "at least 0.75: no labels"


def test_one_readable_line_for_each_gate():
    """The reason says what was measured, the interval, the threshold, the rows."""
    found = decided([{"check": ACCURACY, "at_least": 0.75}], result(measure()))
    assert found.outcome == "pass"
    assert found.reasons[0].text == "measured 0.810 [0.780, 0.840], at least 0.75, n = 88"


@pytest.mark.parametrize(("threshold", "outcome"), [(0.75, "pass"), (0.8, "inconclusive"), (0.9, "fail")])
def test_required_gates_decide(threshold, outcome):
    """The outcome is the severest of the required gates."""
    found = decided(
        [{"check": ACCURACY, "at_least": threshold}, {"check": "performance.f1", "at_least": 0.1}],
        result(measure()),
        result(measure("performance.f1"), check_id="performance.f1"),
    )
    assert found.outcome == outcome


def test_other_gates_are_reported_only():
    """A gate that is not required is listed with its failure and blocks nothing."""
    found = decided(
        [{"check": ACCURACY, "at_least": 0.9, "required": False}, {"check": "performance.f1", "at_least": 0.1}],
        result(measure()),
        result(measure("performance.f1"), check_id="performance.f1"),
    )
    assert (found.outcome, found.reasons[0].status) == ("pass", "fail")


def test_a_check_that_did_not_run_is_no_pass():
    """A gate without a result, or whose check does not apply or was not measured, leaves the outcome open."""
    asked = [{"check": ACCURACY, "at_least": 0.75}]
    absent = decided(asked)
    assert (absent.outcome, absent.reasons[0].status) == ("inconclusive", "not_measured")
    assert "the check did not run" in absent.reasons[0].text
    for status in ("not_measured", "not_applicable"):
        found = decided(asked, result(status=status, reason="the reason why"))
        assert (found.outcome, found.reasons[0].status) == ("inconclusive", status)
        assert "the reason why" in found.reasons[0].text


def test_a_slice_that_was_not_measured_is_no_pass():
    """A fairness gate on an attribute without a measure is not measured."""
    found = decided(
        [{"check": PARITY, "slice": "region", "at_most": 0.1}],
        result(measure(PARITY, 0.01, 0, 0.02, slice="sex"), check_id=PARITY),
    )
    assert (found.outcome, found.reasons[0].status) == ("inconclusive", "not_measured")


def small(headline, without):
    parts = [measure(PARITY, *headline, slice="sex")]
    if without:
        parts.append(measure(f"{PARITY}.without_small_groups", *without, slice="sex"))
    details = {"small_groups": ["sex=other"], "empty_groups": [], "minimum_group_size": 20}
    return result(*parts, check_id=PARITY, details=details)


@pytest.mark.parametrize(
    ("headline", "without", "expected"),
    [
        ((0.01, 0.0, 0.02), (0.01, 0.0, 0.02), "inconclusive"),
        ((0.3, 0.2, 0.4), (0.01, 0.0, 0.02), "inconclusive"),
        ((0.3, 0.2, 0.4), (0.3, 0.2, 0.4), "fail"),
        ((0.3, 0.2, 0.4), None, "inconclusive"),
    ],
)
def test_a_group_that_is_too_small_neither_passes_nor_fails(headline, without, expected):
    """A slice with a small group is inconclusive, unless it fails without that group already."""
    found = decided([{"check": PARITY, "slice": "sex", "at_most": 0.1}], small(headline, without))
    assert found.reasons[0].status == expected
    assert "; “other” has fewer than 20 rows" in found.reasons[0].text
    value, low, high = (f"{v:.3f}" if v else "0" for v in without or (0, 0, 0))
    both = f"(without it {value} [{low}, {high}])" if without else ""
    assert both in found.reasons[0].text
    assert bool(without) is ("(without it" in found.reasons[0].text)


def test_a_small_group_of_another_slice_has_no_say():
    """Only the groups of the gate's own slice matter; a shared beginning of the name does not."""
    parts = [measure(PARITY, 0.01, 0.0, 0.02, slice="sex")]
    details = {"small_groups": ["sex × region=other × north", "region=north"]}
    found = decided(
        [{"check": PARITY, "slice": "sex", "at_most": 0.1}], result(*parts, check_id=PARITY, details=details)
    )
    assert found.outcome == "pass"


@pytest.mark.parametrize(
    ("status", "severity", "outcome"),
    [
        ("pass", "gate", "pass"),
        ("fail", "gate", "fail"),
        ("fail", "critical", "fail"),
        ("fail", "info", "pass"),
        ("inconclusive", "gate", "inconclusive"),
        ("not_measured", "gate", "inconclusive"),
        ("not_measured", "critical", "inconclusive"),
        ("not_measured", "info", "pass"),
        ("not_applicable", "critical", "pass"),
    ],
)
def test_checks_on_the_data_count_by_their_own_status(status, severity, outcome):
    """Without a gate, a failed check on the data fails the run; one that did not apply is listed and blocks nothing."""
    own = result(check_id="data.range", status=status, severity=severity, reason="12 of 88 rows")
    found = decided([{"check": ACCURACY, "at_least": 0.75}], result(measure()), own)
    assert found.outcome == outcome
    assert (found.reasons[1].check_id, found.reasons[1].text) == ("data.range", "12 of 88 rows")


def test_only_an_undeclared_reference_may_stay_unmeasured():
    """Without a reference population there is nothing to compare; that is listed and blocks nothing."""
    own = result(check_id="data.representativeness", status="not_measured", reason="no reference population")
    found = decided([{"check": ACCURACY, "at_least": 0.75}], result(measure()), own)
    assert (found.outcome, found.reasons[1].required) == ("pass", False)


@pytest.mark.parametrize("status", ["fail", "inconclusive", "not_measured"])
def test_a_gate_takes_no_weight_from_a_check_on_the_data(status):
    """A loose gate that is not required is listed; the check's own answer counts beside it."""
    own = result(measure("data.drift", 0.3, None), check_id="data.drift", status=status)
    asked = [{"check": ACCURACY, "at_least": 0.75}, {"check": "data.drift", "at_most": 9, "required": False}]
    found = decided(asked, result(measure()), own)
    assert found.outcome == ("fail" if status == "fail" else "inconclusive")
    assert [(r.status, r.required) for r in found.reasons[1:]] == [("pass", False), (status, True)]


def test_a_gate_on_the_data_finds_its_attribute():
    """Checks on the data come as one result per attribute; the gate takes the one it names."""
    parts = [
        result(measure("data.proxies", value, None, slice=part), check_id="data.proxies", status="pass")
        for part, value in (("sex", 0.95), ("region", 0.6))
    ]
    region = decided([{"check": "data.proxies", "slice": "region", "at_most": 0.9}], *parts)
    sex = decided([{"check": "data.proxies", "slice": "sex", "at_most": 0.9}], *parts)
    assert (region.outcome, sex.outcome) == ("pass", "fail")


def test_results_carry_the_policy():
    """A gated result has status, threshold and reason; one without a gate is not applicable and says so."""
    from checks import gate

    plan = model_builders.plan(
        gates=[
            {"check": PARITY, "slice": "sex", "at_most": 0.1},
            {"check": PARITY, "slice": "region", "at_most": 0.1},
        ]
    )
    parity = result(
        measure(PARITY, 0.01, 0, 0.02, slice="sex"), measure(PARITY, 0.3, 0.2, 0.4, slice="region"), check_id=PARITY
    )
    applied, untouched = gate.apply(plan, [parity, result(measure())])
    assert applied.status == "fail"
    assert applied.threshold == records.Threshold(at_most=0.1, slice="region")
    assert "sex: measured 0.01" in applied.reason
    assert "region: measured 0.3" in applied.reason
    assert untouched.status == "not_applicable"
    assert untouched.reason == "measured; the policy sets no threshold"


def test_the_plan_says_what_inconclusive_means():
    """By default it leaves the outcome open; where the gate says `reports` it is listed, with these words, and not."""
    asked = {"check": ACCURACY, "at_least": 0.8}
    other = {"check": "performance.f1", "at_least": 0.1}
    results = result(measure()), result(measure("performance.f1"), check_id="performance.f1")
    assert decided([asked, other], *results).outcome == "inconclusive"
    found = decided([{**asked, "inconclusive": "reports"}, other], *results)
    assert (found.outcome, found.reasons[0].status, found.reasons[0].required) == ("pass", "inconclusive", False)
    assert "by the plan an inconclusive answer is reported" in found.reasons[0].text


@pytest.mark.parametrize(("low", "status"), [(0.70, "fail"), (None, "not_measured")])
def test_reporting_what_is_inconclusive_excuses_nothing_else(low, status):
    """A failure, and a check that did not run, still count."""
    found = measure(low=0.70, high=0.75) if low else measure(value=None, low=None, note="one class")
    decision = decided([{"check": ACCURACY, "at_least": 0.8, "inconclusive": "reports"}], result(found))
    assert (decision.reasons[0].status, decision.reasons[0].required) == (status, True)
    assert decision.outcome == ("fail" if status == "fail" else "inconclusive")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.01066, "1", "measured 0.011 [0.011, 0.011], "),  # as the tables round it
        (0.7996, "1", "measured 0.7996 [0.7996, 0.7996], "),  # never as the threshold that it misses
        (12345.6, "USD", "measured 12,346 [12,346, 12,346] USD, "),
        (13200.0, "rows", "measured 13,200 [13,200, 13,200] rows, "),
        (1.0, "1", "measured 1.000 [1.000, 1.000], "),
    ],
)
def test_numbers_of_a_reason_are_those_of_the_tables(value, unit, words):
    """The same digits as in the documents, with separators of thousands."""
    found = measure("performance.accuracy", value, value, value).model_copy(update={"unit": unit})
    one = decided([{"check": "performance.accuracy", "at_least": 0.8}], result(found)).reasons[0]
    assert one.text.startswith(words)


@pytest.mark.parametrize(("clean", "told"), [(0.92, True), (0.5, False), (None, False)])
def test_a_pass_far_below_the_clean_score_says_so(clean, told):
    """A low threshold lets a collapse pass; the reason then names the score on unchanged inputs."""
    found = result(measure("robustness.noise", 0.44, 0.4, 0.48), check_id="robustness.noise", details={"clean": clean})
    one = decided([{"check": "robustness.noise", "at_least": 0.35}], found).reasons[0]
    assert one.status == "pass"
    assert ("0.920 on unchanged inputs" in one.text) == told


@pytest.mark.parametrize(
    ("group", "part", "said"),
    [
        ("race=Asian", "race", "Asian"),
        ("race=Asian", "overall", "race: Asian"),
        ("age_group=>= 25", "age_group", ">= 25"),
        ("age_group=>= 25", "overall", "age_group: >= 25"),
        ("sex × age_group=male × >= 25", "sex × age_group", "male × >= 25"),
        (">= 25", "age_group", ">= 25"),
        ("Asian", "race", "Asian"),
    ],
)
def test_a_group_is_called_by_its_own_name(group: str, part: str, said: str) -> None:
    """A sign of equality inside the name of a group is part of the name."""
    assert basis.group_name(group, part) == said
