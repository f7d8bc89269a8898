from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks import _expectations, _percent
from configs.errors import DataError
from tests.checks import data_builders

PLANTED = "Zebedee-4711"
PLANTED_NUMBER = 8675309.25
# Great Expectations imports it; the warning is the library's own affair.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")
TARGET = {"task": "binary", "above": 140.0}


def diabetes(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns of scikit-learn's diabetes data, with changes by name."""
    columns: list[dict[str, Any]] = [
        {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "unit": "years"},
        {"name": "sex", "kind": "categorical", "allowed": ["1", "2"]},
        {"name": "bmi", "kind": "numeric", "minimum": 10},
        {"name": "s5", "kind": "numeric", "max_missing": 0.1},
        {"name": "progression", "kind": "numeric", "role": "target"},
    ]
    return [{**column, **changes.get(column["name"], {})} for column in columns]


def frame() -> pd.DataFrame:
    from sklearn.datasets import load_diabetes

    real = load_diabetes(scaled=False, as_frame=True).frame.rename(columns={"target": "progression"})
    real["sex"] = real["sex"].astype(int).astype(str)
    return real[["age", "sex", "bmi", "s5", "progression"]]


def validate(tmp_path: Path, columns: list[dict[str, Any]], table: pd.DataFrame, **plan: Any) -> Any:
    from checks import data_quality

    folder = data_builders.run_folder(tmp_path)
    made = data_builders.plan(columns, TARGET, **plan)
    return data_quality.validate(folder, made, data_builders.ingest(folder, made, table)), folder


def result(record: Any, check: str, column: str = "") -> Any:
    (found,) = [r for r in record.results if r.check_id == check and r.details.get("column", "") == column]
    return found


def test_every_column_has_a_type_and_a_missingness_expectation() -> None:
    """Nothing is taken for granted: a column without further rules is still checked for type and missing values."""
    made = data_builders.plan(diabetes(), TARGET)
    declared = _expectations.of_plan(made)
    for column in made.data.columns:
        assert {d.kind for d in declared if d.columns == (column.name,)} >= {"type", "missingness"}


def test_titles_name_the_column_and_the_rule() -> None:
    """A reader sees from the title what was checked where, with the unit."""
    titles = [d.title for d in _expectations.of_plan(data_builders.plan(diabetes(), TARGET))]
    assert "age: between 0 and 120 years" in titles
    assert "s5: at most 10 % missing" in titles


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0.0 %"), (0.6, "60.0 %"), (0.05, "5.0 %"), (0.00031, "0.031 %"), (1.0, "100.0 %")]
)
def test_shares_in_reasons_have_one_form(share: float, text: str) -> None:
    """One decimal and a space as in the documents; what that would round to nothing keeps two digits."""
    assert _percent.percent(share) == text


@pytest.mark.slow
def test_reasons_are_sentences() -> None:
    """A reader who knows no rule engine learns what was found and what may be."""
    from checks import data_quality

    table = pd.DataFrame({"age": [1.0, 2.0, None, 200.0]})
    declared = (
        _expectations.Declared("missingness", ("age",), "at most 50 % missing", "gate", tolerated=0.5),
        _expectations.Declared("range", ("age",), "between 0 and 120", "gate", low=0, high=120),
    )
    missing, span = data_quality.measured(declared, table, "run", "t")[0]
    assert missing.reason == "missing in 1 of 4 rows (25.0 %); at most 50 % may be"
    assert span.reason == "1 of 3 rows breaks this rule (33.3 %); none may"
    whole = data_quality.measured(declared, table.assign(age=[1.0, 2.0, 3.0, 4.0]), "run", "t")[0]
    assert [r.reason for r in whole] == [
        "no value missing in 4 rows; at most 50 % may be",
        "no row of 4 breaks this rule",
    ]


def test_real_data_satisfy_their_declaration(tmp_path: Path) -> None:
    """The diabetes data pass what is declared about them, and the summary counts every expectation."""
    record, folder = validate(tmp_path, diabetes(), frame(), rules=[{"kind": "row_count", "minimum": 442}])
    assert {r.status for r in record.results} == {"pass"}
    summary = result(record, "data.declared_rules")
    assert [m.value for m in summary.measures] == [0, len(record.results) - 1, len(record.results) - 1]
    assert folder.checked(record.data_docs).is_file()


@pytest.mark.slow
def test_broken_rows_are_counted_rule_by_rule(tmp_path: Path) -> None:
    """Each rule reports exactly the rows that were broken on purpose."""
    table = frame()
    table.loc[:2, "age"] = 130.0
    table.loc[5:8, "sex"] = "9"
    table.loc[10:14, "bmi"] = np.nan
    table.loc[20:, "s5"] = np.nan
    table.loc[0, "progression"] = np.inf
    rules = [
        {"kind": "pair_ordered", "larger": "bmi", "smaller": "age"},
        {"kind": "compound_unique", "columns": ["sex", "age"]},
        {"kind": "row_count", "minimum": 1, "maximum": 441},
    ]
    record, _ = validate(tmp_path, diabetes(progression={"unique": True}), table, rules=rules)
    broken = {
        (r.check_id, r.details["column"], r.details["expectation"]): int(r.measures[-1].value)
        for r in record.results
        if r.status == "fail"
    }
    assert broken == {
        ("data.range", "age", "range"): 3,
        ("data.allowed_values", "sex", "allowed_values"): 4,
        ("data.missingness", "bmi", "missingness"): 5,
        ("data.missingness", "s5", "missingness"): 422,
        ("data.type", "progression", "finite"): 1,
        ("data.uniqueness", "progression", "uniqueness"): int(table["progression"].duplicated(keep=False).sum()),
        ("data.pair_ordered", "bmi, age", "pair_ordered"): int((table["bmi"] < table["age"]).sum()),
        ("data.compound_unique", "sex, age", "compound_unique"): int(
            table.duplicated(["sex", "age"], keep=False).sum()
        ),
        ("data.row_count", "", "row_count"): 442,
    }
    missing = result(record, "data.missingness", "s5")
    assert missing.measures[0].value == pytest.approx(422 / 442)
    assert missing.threshold.at_most == 0.1


@pytest.mark.slow
@pytest.mark.parametrize("percent", [3, 29, 57, 97, 100])
def test_a_share_exactly_at_the_limit_passes(tmp_path: Path, percent: int) -> None:
    """Limits are inclusive, whatever the binary rounding of one minus the share."""
    table = frame().head(100).reset_index(drop=True)
    table.loc[: percent - 1, "s5"] = np.nan
    record, _ = validate(tmp_path, diabetes(s5={"max_missing": percent / 100}), table)
    assert result(record, "data.missingness", "s5").status == "pass"


@pytest.mark.slow
def test_no_value_of_a_row_leaves_in_results_or_data_docs(tmp_path: Path) -> None:
    """Counts only: recognisable values that break rules stand in no output but the table itself."""
    table = frame()
    table.loc[3:4, "sex"] = PLANTED
    table.loc[5:6, "age"] = PLANTED_NUMBER
    rules = [
        {"kind": "compound_unique", "columns": ["sex", "age"]},
        {"kind": "pair_ordered", "larger": "bmi", "smaller": "age"},
    ]
    columns = diabetes(sex={"unique": True}, age={"unique": True})
    record, folder = validate(tmp_path, columns, table, rules=rules)
    assert result(record, "data.allowed_values", "sex").status == "fail"
    written = [p for p in folder.path.rglob("*") if p.is_file() and p.name != "rows.parquet"]
    assert folder.checked(record.data_docs) in written
    everything = record.model_dump_json() + "".join(p.read_text(encoding="utf-8") for p in written)
    assert PLANTED not in everything
    assert "8675309" not in everything.replace(",", "")


@pytest.mark.slow
def test_a_column_of_another_type_fails(tmp_path: Path) -> None:
    """What the table stores must be of the declared kind."""
    from checks import critical, data_quality

    folder = data_builders.run_folder(tmp_path)
    stored = data_builders.plan(diabetes(age={"kind": "categorical", "minimum": None, "maximum": None}), TARGET)
    dataset = data_builders.ingest(folder, stored, frame().astype({"age": str}))
    made = data_builders.plan(diabetes(age={"minimum": None, "maximum": None, "severity": "critical"}), TARGET)
    record = data_quality.validate(folder, made, dataset)
    kinds = {r.details["expectation"]: r for r in record.results if r.details.get("column") == "age"}
    assert kinds["type"].status == "fail"
    # Text is neither finite nor infinite: the question cannot be answered, and that is no pass.
    assert kinds["finite"].status == "inconclusive"
    assert result(record, "data.declared_rules").status == "not_measured"
    assert {r.details["expectation"] for r in critical.critical_failures(record)} == {"type", "finite"}


@pytest.mark.slow
def test_only_critical_expectations_stop_a_run(tmp_path: Path) -> None:
    """A violation goes to the gate unless the plan calls the column critical."""
    from checks import critical

    table = frame()
    table.loc[0, "age"], table.loc[0, "sex"] = 130.0, "9"
    record, _ = validate(tmp_path, diabetes(sex={"severity": "critical"}), table)
    assert [r.title for r in critical.critical_failures(record)] == ["sex: one of the 2 allowed values"]


@pytest.mark.slow
def test_a_declared_column_that_the_table_lacks_is_refused(tmp_path: Path) -> None:
    """A missing column is broken machinery, said in one sentence."""
    from checks import data_quality

    folder = data_builders.run_folder(tmp_path)
    dataset = data_builders.ingest(folder, data_builders.plan(diabetes()[1:], TARGET), frame())
    with pytest.raises(DataError, match=r"got none named age\. Ingest"):
        data_quality.validate(folder, data_builders.plan(diabetes(), TARGET), dataset)


@pytest.mark.slow
def test_the_data_docs_page_is_whole_in_itself(tmp_path: Path) -> None:
    """The page holds the results and reaches for nothing outside: no script, no address."""
    record, folder = validate(tmp_path, diabetes(), frame())
    page = folder.checked(record.data_docs).read_text(encoding="utf-8")
    assert "age: between 0 and 120 years" in page
    for outside in ("<script", "http:", "https:", "src=", "@import", "url("):
        assert outside not in page
    assert json.loads(record.model_dump_json())["data_docs"]["path"] == "data/data_docs/index.html"
