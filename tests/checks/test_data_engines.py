"""One table, three engines, one result: pandas and Spark by Great Expectations, and DuckDB."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from checks import _spark_engine, data_quality
from configs import errors
from evidence import records
from tests.checks import data_builders

ENGINES = ("pandas", "duckdb", "spark")
TARGET = {"task": "binary", "above": 140.0}
# PySpark leaves the sockets through which rows come to the garbage collector.
LEFT = "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
pytestmark = [pytest.mark.filterwarnings(LEFT), pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")]
ODD = 'it\'s a "column", with `ticks`'


@pytest.fixture(autouse=True)
def _spark_is_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI Spark must be there; elsewhere the reason is said. Its Java compiles for a short life."""
    if "needs_spark" in request.keywords:
        monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        try:
            _spark_engine.require()
        except errors.MissingError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))


def columns() -> list[dict[str, Any]]:
    """Every kind of expectation about a column."""
    return [
        {"name": "age", "kind": "numeric", "minimum": 20, "maximum": 78, "unit": "years"},
        {"name": "sex", "kind": "categorical", "allowed": ["1", "it's"]},
        {"name": "visits", "kind": "integer", "minimum": 1, "unique": True, "max_missing": 0.5},
        {"name": "s5", "kind": "numeric", "max_missing": 0.1, "unique": True},
        {"name": ODD, "kind": "categorical", "unique": True},
        {"name": "ward", "kind": "categorical", "max_missing": 0.2},
        {"name": "progression", "kind": "numeric", "role": "target"},
    ]


RULES = [
    {"kind": "pair_ordered", "larger": "s5", "smaller": "visits", "or_equal": False},
    {"kind": "pair_ordered", "larger": "age", "smaller": "visits"},
    {"kind": "compound_unique", "columns": ["sex", "visits"]},
    {"kind": "compound_unique", "columns": ["age", "s5", "ward"]},
    {"kind": "row_count", "minimum": 1, "maximum": 441},
]


def table() -> pd.DataFrame:
    """Real measurements in which every expectation is broken somewhere: missing, infinite, repeated, odd names."""
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False, as_frame=True).frame.rename(columns={"target": "progression"})
    rows = np.arange(len(found))
    found["sex"] = np.where(rows % 50 == 0, "it's", found["sex"].astype(int).astype(str))
    found["visits"] = pd.array(np.where(rows % 7 == 0, 3, rows), dtype="Int64")
    found.loc[rows % 11 == 0, "visits"] = pd.NA
    found.loc[rows % 10 == 0, "s5"] = np.nan
    found[ODD] = np.where(rows < 3, "x", rows.astype(str))
    found["ward"] = pd.array(np.where(rows % 9 == 0, None, "a"), dtype="string")
    found.loc[5, "progression"], found.loc[6, "age"] = np.inf, -np.inf
    found.loc[20:24, ["age", "s5", "ward"]] = [50.0, np.nan, None]
    return found[["age", "sex", "visits", "s5", ODD, "ward", "progression"]]


def validated(place: Path, engine: str, frame: pd.DataFrame, asked: Any = None, stored: Any = None) -> Any:
    """What an engine says, without the digest of its page."""
    folder = data_builders.run_folder(place / engine)
    made = data_builders.plan(asked or columns(), TARGET, rules=RULES if asked is None else [], engine=engine)
    dataset = data_builders.ingest(folder, data_builders.plan(stored, TARGET) if stored else made, frame)
    record = data_quality.validate(folder, made, dataset)
    page = folder.checked(record.data_docs).read_text(encoding="utf-8")
    assert record.results[0].details == {"engine": engine}
    first = record.results[0].model_copy(update={"details": {}})
    assert not list(folder.path.glob("data/.validate-*")), "nothing is left behind"
    return records.QualityRecord(results=(first, *record.results[1:])), page


@pytest.mark.slow
@pytest.mark.needs_spark
def test_three_engines_give_one_record(tmp_path):
    """Every number and every status, met and broken expectations, is the same whatever evaluates it."""
    found = {engine: validated(tmp_path, engine, table()) for engine in ENGINES}
    record, _ = found["pandas"]
    status = [r.status for r in record.results[1:]]
    assert {"pass", "fail"} == set(status)
    assert {r.details["expectation"] for r in record.results[1:] if r.status == "fail"} == {
        "finite", "range", "allowed_values", "missingness", "uniqueness", "pair_ordered", "compound_unique",
        "row_count",
    }  # fmt: skip
    for engine in ("duckdb", "spark"):
        for ours, theirs in zip(found[engine][0].results, record.results, strict=True):
            assert ours == theirs, engine
        page = found[engine][1]
        assert "age: between 20 and 78 years" in page
        assert "<script" not in page


@pytest.mark.slow
@pytest.mark.needs_spark
def test_values_of_another_kind_are_judged_by_none(tmp_path):
    """Text for numbers, and numbers for text: the type fails, the rest is inconclusive everywhere."""
    asked = [
        {"name": "a", "kind": "numeric", "minimum": 0},
        {"name": "b", "kind": "categorical", "allowed": ["1", "2"]},
        {"name": "y", "kind": "numeric", "role": "target"},
    ]
    stored = [
        {"name": "a", "kind": "categorical"},
        {"name": "b", "kind": "integer"},
        {"name": "y", "kind": "numeric", "role": "target"},
    ]
    frame = pd.DataFrame({"a": ["1", "2", "3"], "b": [1, 2, 3], "y": [1.0, 200.0, 3.0]})
    found = [validated(tmp_path, engine, frame, asked, stored)[0] for engine in ENGINES]
    assert found[0] == found[1] == found[2]
    assert [(r.details.get("expectation"), r.status) for r in found[0].results[1:6]] == [
        ("type", "fail"), ("finite", "inconclusive"), ("missingness", "pass"), ("range", "inconclusive"),
        ("type", "fail"),
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1])
def test_small_tables_are_judged_alike(tmp_path, rows):
    """No row, or one, is in DuckDB as in pandas."""
    assert validated(tmp_path, "duckdb", table()[:rows])[0] == validated(tmp_path, "pandas", table()[:rows])[0]


@pytest.mark.slow
@pytest.mark.parametrize("percent", [3, 29, 57, 97])
def test_a_share_exactly_at_the_limit_passes_in_duckdb(tmp_path, percent):
    """Limits are inclusive, as in the other engines."""
    frame = table().head(100).reset_index(drop=True)
    frame["s5"] = [np.nan] * percent + list(range(100 - percent))
    asked = [
        {"name": "s5", "kind": "numeric", "max_missing": percent / 100},
        {"name": "progression", "kind": "numeric", "role": "target"},
    ]
    record, _ = validated(tmp_path, "duckdb", frame, asked)
    assert [r.status for r in record.results if r.check_id == "data.missingness"] == ["pass", "pass"]


def test_a_number_that_is_none_is_missing(tmp_path):
    """NaN that another program wrote as a value, not as a gap, counts as missing in DuckDB too."""
    import pyarrow as pa

    from checks import _duckdb_engine, _expectations

    made = data_builders.plan(columns(), TARGET)
    declared = tuple(d for d in _expectations.of_plan(made) if d.columns == ("age",) and d.kind != "type")
    place = tmp_path / "it's.parquet"
    pq.write_table(pa.table({"age": pa.array([30.0, float("nan"), 90.0])}), place)
    counted = _duckdb_engine.count(declared, place, tmp_path)
    assert [(c.success, c.result["unexpected_count"]) for c in counted] == [(True, 0), (False, 1), (False, 1)]


def test_without_pyspark_or_java_one_sentence_says_so(tmp_path, monkeypatch):
    """Before anything runs: what is missing, what installs it, and the engine that needs neither."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    monkeypatch.setattr(_spark_engine.importlib.util, "find_spec", lambda name: object())
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))
    with pytest.raises(errors.MissingError, match="expected Java 17 or later for engine: spark, got none"):
        _spark_engine.require()
    for said, version in (('openjdk version "11.0.2" 2019', "11"), ('java version "1.8.0_301"', "8")):
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(java.stat().st_mode | stat.S_IXUSR)
        with pytest.raises(errors.MissingError, match=f"got Java {version}"):
            _spark_engine.require()
    monkeypatch.setattr(_spark_engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.MissingError, match=r"pip install '.\[spark\]'.*data.engine: duckdb"):
        _spark_engine.require()
