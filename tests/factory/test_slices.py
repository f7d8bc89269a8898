from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from configs import errors
from configs.plan import Plan
from tests.checks import model_builders

ROWS = 200
TRAIN = np.arange(ROWS) < 100


def plan(kind: str, wanted: dict[str, object], **column: object) -> Plan:
    """A plan that slices by the column `z`, which is no feature."""
    content = model_builders.plan().model_dump(mode="json")
    content["data"]["columns"].append({"name": "z", "kind": kind, "role": "ignored", **column})
    content["policy"]["robustness"]["shift"] = {"slices": [{"column": "z", **wanted}]}
    return Plan.model_validate(content)


def sliced(kind: str, values: object, wanted: dict[str, object] | None = None, **column: object):
    from factory import _slices

    types = {"numeric": "Float64", "integer": "Int64", "categorical": "string"}
    table = pd.DataFrame({"z": pd.array(values, dtype=types[kind])})
    return _slices.of(plan(kind, wanted or {}, **column), table, TRAIN)["z"]


def test_numbers_are_cut_at_quantiles_of_the_training_rows():
    """Values of other parts move no edge; missing values are in no slice."""
    values = [float(i) for i in range(100)] + [1000.0 + i for i in range(99)] + [None]
    found = sliced("numeric", values)
    assert found.names == ("< 24", "24 to < 49", "49 to < 74", ">= 74")
    assert np.bincount(found.codes[:100]).tolist() == [24, 25, 25, 26]
    assert (found.codes[100:199] == 3).all()
    assert found.codes[199] == -1


def test_edges_of_the_plan_go_first():
    """Given edges are used as they are."""
    assert sliced("numeric", [float(i) for i in range(200)], {"bins": [50.0, 150.0]}).names[1] == "50 to < 150"


def test_years_are_slices_of_their_own():
    """An integer column of few different values is not cut."""
    found = sliced("integer", [1999 + i % 10 for i in range(ROWS)])
    assert found.names == tuple(str(year) for year in range(1999, 2009))
    assert found.codes[:3].tolist() == [0, 1, 2]


def test_a_constant_or_half_constant_column_gives_fewer_slices():
    """Quantiles that coincide are one edge."""
    assert len(sliced("numeric", [0.5] * 150 + [2.5] * 50).names) == 2
    assert len(sliced("numeric", [0.5] * 80 + [2.5] * 120).names) == 2


def test_categories_keep_the_order_and_labels_of_the_plan():
    """Values become slices under their labels; given groups join them."""
    values = ["b", "a", None, "c"] * 50
    found = sliced("categorical", values, allowed=["a", "b", "c"], labels={"a": "first"})
    assert found.names == ("first", "b", "c")
    assert found.codes[:4].tolist() == [1, 0, -1, 2]
    joined = sliced("categorical", values, {"groups": {"x": ["a", "b"], "y": ["c"]}})
    assert (joined.names, joined.codes[:4].tolist()) == (("x", "y"), [0, 0, -1, 1])


def test_a_value_in_no_group_is_refused():
    """Rows that no slice holds would be looked at by nobody."""
    with pytest.raises(errors.DataError, match=r"slices by column 'z': expected only values that its groups list"):
        sliced("categorical", ["a", "b"] * 100, {"groups": {"x": ["a"]}})


@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("year", ("2025", "2026")),
        ("quarter", ("2025-Q4", "2026-Q1")),
        ("month", ("2025-12", "2026-01", "2026-02")),
        ("week", ("2025-W52", "2026-W01", "2026-W06")),
        ("day", ("2025-12-28", "2026-01-01", "2026-02-08")),
    ],
)
def test_times_become_periods_in_order(period: str, names: tuple[str, ...]):
    """Each row belongs to the period of its time; missing times to none."""
    found = sliced("categorical", ["2026-02-08T10:00:00Z", "2025-12-28", "2026-01-01", None] * 50, {"period": period})
    assert found.names == names
    assert found.codes[:4].tolist() == [len(names) - 1, 0, names.index(found.names[found.codes[2]]), -1]


def test_times_are_read_in_the_form_that_the_plan_states():
    """Day first, where the plan says so."""
    assert sliced("categorical", ["03.02.2026"] * ROWS, {"period": "month", "format": "%d.%m.%Y"}).names == ("2026-02",)


def test_times_that_cannot_be_read_end_in_one_sentence():
    """Where, what was expected, how many rows, an example, what to do."""
    with pytest.raises(errors.DataError) as caught:
        sliced("categorical", ["2026-01-01", "soon"] * 100, {"period": "year"})
    assert str(caught.value) == (
        "slices by column 'z': expected times in ISO 8601 such as 2026-11-28, got others in 100 of 200 rows, 'soon' "
        "for example. State their form in `format`, or correct them."
    )


@pytest.mark.parametrize(
    ("kind", "values", "wanted", "said"),
    [
        ("categorical", [f"p{i}" for i in range(ROWS)], {}, "expected at most 100 slices, got 200"),
        ("categorical", [f"{1800 + i}-01-01" for i in range(ROWS)], {"period": "year"}, "got 200"),
        ("numeric", [None] * 100 + [1.5] * 100, {}, "expected values in the training split, got none"),
    ],
)
def test_identifiers_and_empty_columns_are_refused(kind, values, wanted, said):
    """A slice for each person, and one for nobody, are refused with what to do."""
    with pytest.raises(errors.DataError, match=said):
        sliced(kind, values, wanted)
