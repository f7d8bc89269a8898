from __future__ import annotations

import pytest

from configs import errors, load

SLICES = "      slices: [{column: bmi, bins: [25, 30]}]\n"


def refusal(shift: str) -> str:
    """The one sentence for a section on shift that cannot be meant."""
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    assert SLICES in text
    with pytest.raises(errors.PlanError) as caught:
        load.parse(text.replace(SLICES, "".join(f"      {line}\n" for line in shift.split(" | "))), "plan")
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value).removeprefix("plan: ").removeprefix("plan: ")


def accepted(shift: str):
    text = load.plan_path("diabetes_progression").read_text(encoding="utf-8")
    whole = text.replace(SLICES, "".join(f"      {line}\n" for line in shift.split(" | ")))
    return load.parse(whole, "plan").policy.robustness.shift


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        ("slices: [bmj]", "robustness.shift.slices: column 'bmj' is not declared; the nearest is 'bmi'."),
        ("slices: [hospital]", "column 'hospital' is not declared; declare it in data.columns with the role ignored."),
        ("slices: [target]", "column 'target': expected any column but the target."),
        ("slices: [{column: sex, bins: [1]}]", "column 'sex': bins need a numeric column."),
        ("slices: [{column: bmi, groups: {a: [x]}}]", "column 'bmi': groups needs a categorical column, got numeric"),
        ("slices: [{column: bmi, period: year}]", "column 'bmi': period needs a categorical column, got numeric"),
        ("slices: [bmi, {column: bmi, bins: [25]}]", "slices: expected different columns, got 'bmi' twice."),
        ("slices: [{column: bmi, bins: [30, 25]}]", "slices[0]: expected ascending, different edges in bins."),
        ("slices: [{column: sex, groups: {a: ['1'], b: ['1']}}]", "expected every value in one slice, got one listed"),
        ("slices: [{column: bmi, bins: [3], period: day}]", "expected one of bins, groups and period, got bins and"),
        ("slices: [{column: sex, format: '%Y'}]", "format belongs to a column of times; add period."),
        ("slices: [{column: bmi, edges: [3]}]", "slices[0].edges: expected a known key, got 'edges'."),
        ("slices: [{column: bmi, quantiles: 1}]", "slices[0].quantiles: expected greater than or equal to 2, got 1."),
        ("deployment: {bmi: {'<25': 1}}", "expected a column of slices or a protected attribute (known: sex,"),
        ("deployment: {sex: {'sex code 1': 0.5, 'sex code 2': 0.4}}", "expected shares that add up to 1, got 0.900."),
        ("deployment: {age_group: {'<40': 0.5, '>= 50': 0.5}}",
         "expected slices among < 40, 40 to < 60, >= 60, got '>= 50'."),
        ("deployment: {sex: {a: 1.5}}", "deployment.sex.a: expected less than or equal to 1, got 1.5."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_sentence(shift: str, said: str):
    """Unknown columns, cuts that do not fit, and shares that do not add up: where, expected, got."""
    assert said in refusal(shift)


def test_a_column_is_named_or_described():
    """A name alone is a section with defaults; shares may be given for slices and for protected attributes."""
    shift = accepted(
        "slices: [sex, {column: bmi, bins: [25]}] | "
        "deployment: {bmi: {'<25': 0.4, '>= 25': 0.6}, age_group: {'<40': 1}}"
    )
    assert [(c.column, c.bins, c.quantiles) for c in shift.columns] == [("sex", (), 4), ("bmi", (25.0,), 4)]


def test_names_of_bins_are_written_as_numbers():
    """Large whole edges have no point and no exponent; broken ones keep their digits."""
    from configs.bins import bin_names

    assert bin_names((50_000_000.0, 0.5e9)) == ("< 50000000", "50000000 to < 500000000", ">= 500000000")
    assert bin_names((30.0,)) == ("< 30", ">= 30")
    assert bin_names((123456.5,)) == ("< 123456.5", ">= 123456.5")
