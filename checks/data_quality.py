"""Does the table satisfy what the plan declares? Great Expectations answers, with counts only.

Its pandas engine holds the table in memory; its Spark engine does not, and DuckDB counts in the file itself. The
results are the same. One in-memory context, one batch, one suite: nothing is written outside the run folder and nothing
is sent anywhere. The Data Docs page is made whole in itself: no script, no address outside the file.
"""

from __future__ import annotations

import dataclasses
import html
import re
import tempfile
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from checks import _duckdb_engine, _expectations, _spark_engine
from checks._expectations import Declared
from checks._percent import percent
from configs import errors
from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder

DATA_DOCS = "data/data_docs/index.html"
STORAGE: dict[str, dict[str, tuple[str, ...]]] = {
    "pandas": {"numeric": ("float64",), "integer": ("Int64Dtype",), "categorical": ("StringDtype",)},
    "spark": _spark_engine.TYPES,
    "duckdb": _duckdb_engine.TYPES,
}
"""Engine, and kind of a column, to the types that its Parquet form is read as."""
COUNTS = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "observed_value",
)
"""The only parts of a result that are kept: numbers of rows, a type, and the number of rows of the table."""
NOT_EVALUATED = "Great Expectations could not evaluate it"
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem;table-layout:auto}
th,td{border-bottom:1px solid #d8dee4;padding:.35rem .6rem;text-align:left;vertical-align:top}
.ge-section{border:0;margin:0 0 1.5rem;padding:0}h5{font-size:1.15rem;margin:1.5rem 0 .25rem}
h1{font-size:1.6rem}h6{font-size:1rem;margin:1rem 0 .25rem}
.badge{background:#eef1f4;border-radius:.3rem;padding:0 .35rem}ul{padding-left:1.2rem}
.fa-check-circle::before{content:"✓";color:#1a7f37}.fa-times::before{content:"✗";color:#b42318}
.fa-exclamation-triangle::before{content:"!";color:#9a6700}i{font-style:normal;font-weight:700}
[data-toggle=collapse],.cooltip .top,.popover,img{display:none}
"""


def validate(folder: RunFolder, plan: Plan, dataset: records.DatasetRef) -> records.QualityRecord:
    """Check the ingested table against every expectation of the plan and publish the Data Docs.

    Args:
        folder: The run folder; `data/data_docs/index.html` is written.
        plan: The plan whose columns and rules are checked.
        dataset: The ingested table.

    Returns:
        One result for each expectation, with the share and number of rows that break it, and first the summary
        `data.declared_rules`. Results and Data Docs carry counts, never values of rows.

    Raises:
        DataError: When the table lacks a declared column.
        IntegrityError: When the table was altered after ingestion.
    """
    declared = _expectations.of_plan(plan)
    if not declared:
        return records.QualityRecord(results=(_summary(declared, (), plan.data.engine),))
    place = folder.checked(dataset.table)
    _require_columns(place, plan, dataset)
    rows = pq.read_metadata(place).num_rows
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".validate-") as temporary:
        outcome = _run(declared, place, plan.data.engine, Path(temporary))
    results, page = _told_of(declared, outcome, rows, (folder.run_id, dataset.title))
    docs = folder.write_bytes(DATA_DOCS, page.encode("utf-8"))
    return records.QualityRecord(results=(_summary(declared, results, plan.data.engine), *results), data_docs=docs)


def measured(
    declared: tuple[Declared, ...], table: pd.DataFrame, run_id: str, title: str
) -> tuple[tuple[records.CheckResult, ...], str]:
    """Lay expectations on a table in memory.

    Args:
        declared: The expectations.
        table: The table.
        run_id: Name of the run, for the Data Docs.
        title: Name of the table, for the Data Docs.

    Returns:
        One result for each expectation, in their order, and the Data Docs as an HTML page. Both carry counts only.
    """
    expectations = [_expectation(d, str(key), "pandas") for key, d in enumerate(declared)]
    outcome = _gathered(expectations, _asked(expectations, "pandas", table))
    return _told_of(declared, outcome, len(table), (run_id, title))


def _told_of(
    declared: tuple[Declared, ...], outcome: Any, rows: int, names: tuple[str, str]
) -> tuple[tuple[records.CheckResult, ...], str]:
    """Results and page; `names` are those of the run and of the table."""
    outcome.meta["run_id"] = RunIdentifier(run_name=names[0])
    results = tuple(_result(d, found, rows) for d, found in zip(declared, outcome.results, strict=True))
    return results, _page(outcome, names[1])


def _require_columns(place: Path, plan: Plan, dataset: records.DatasetRef) -> None:
    names = [c.name for c in plan.data.columns]
    absent = sorted(set(names) - set(pq.read_schema(place).names))
    if absent:
        raise errors.DataError(
            f"table {dataset.table.path}: expected the declared columns, got none named {', '.join(absent)}. "
            "Ingest the data again with this plan."
        )


def _run(declared: tuple[Declared, ...], place: Path, engine: str, temporary: Path) -> Any:
    """Great Expectations' result with everything but counts removed; the expectations in the order of the plan."""
    expectations = [_expectation(d, str(key), engine) for key, d in enumerate(declared)]
    schema = pq.read_schema(place)
    able = [key for key, d in enumerate(declared) if _judgeable(d, schema)]
    asked, told = [expectations[key] for key in able], tuple(declared[key] for key in able)
    if engine == "duckdb":
        counted = _duckdb_engine.count(told, place, temporary)
        found = [_told(e, c.result, success=c.success) for e, c in zip(asked, counted, strict=True)]
    elif engine == "spark":
        plain = {name: f"c{i}" for i, name in enumerate(schema.names)}
        renamed = [
            _expectation(dataclasses.replace(d, columns=tuple(plain[c] for c in d.columns)), str(key), engine)
            for key, d in zip(able, told, strict=True)
        ]
        with _spark_engine.frame(place, list(plain.values()), temporary) as frame:
            answers = {r.expectation_config.meta["key"]: r for r in _asked(renamed, "spark", frame)}
        found = [_told(e, (r := answers[e.meta["key"]]).result, success=r.success) for e in asked]
    else:
        found = _asked(asked, "pandas", _read(place, {c for d in told for c in d.columns}))
    return _gathered(expectations, found)


def _gathered(expectations: list[Any], found: list[Any]) -> Any:
    """Great Expectations' result over all expectations; one that was not answered could not be evaluated."""
    by_key = {result.expectation_config.meta["key"]: result for result in found}
    results = [by_key.get(str(key)) or _told(e, {}, success=False) for key, e in enumerate(expectations)]
    for result in results:
        result.result = {k: result.result[k] for k in COUNTS if k in result.result}
        # The text of an exception can quote a value of a row.
        raised = not _evaluated(result)
        text = NOT_EVALUATED if raised else None
        result.exception_info = {"raised_exception": raised, "exception_message": text, "exception_traceback": text}
    met = sum(bool(result.success) for result in results)
    return ExpectationSuiteValidationResult(
        success=met == len(results),
        results=results,
        suite_name="plan",
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": 100 * met / len(results),
        },
        meta={"great_expectations_version": gx.__version__},
    )


def _asked(expectations: list[Any], engine: str, frame: Any) -> list[Any]:
    """What one of Great Expectations' own engines answers about a data frame of its kind."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    add = context.data_sources.add_spark if engine == "spark" else context.data_sources.add_pandas
    batch = add("run").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name="plan", expectations=expectations))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="plan", data=batch, suite=suite))
    outcome = definition.run(
        batch_parameters={"dataframe": frame},
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    return list(outcome.results)


def _told(expectation: Any, counts: dict[str, Any], *, success: bool) -> Any:
    """A result of Great Expectations' form for what was counted without it."""
    return ExpectationValidationResult(
        success=success, expectation_config=expectation.configuration, result=dict(counts), meta={}
    )


def _judgeable(declared: Declared, schema: pa.Schema) -> bool:
    """Are the columns stored as what the expectation speaks of? Text is neither above nor below a number."""
    kinds = [schema.field(name).type for name in declared.columns]
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    if declared.kind in ("finite", "range", "pair_ordered"):
        return all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)
    return declared.kind != "allowed_values" or pa.types.is_string(kinds[0]) or pa.types.is_large_string(kinds[0])


def _read(place: Path, names: set[str]) -> pd.DataFrame:
    table = pq.read_table(place, columns=sorted(names) or None)
    for position, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(field.type.value_type))
    # Columns are handed over one by one, so that the table is never held twice.
    frame: pd.DataFrame = table.to_pandas(
        types_mapper=_pandas_type, ignore_metadata=True, split_blocks=True, self_destruct=True
    )
    return frame


def _pandas_type(kind: pa.DataType) -> Any:
    """Types that keep `missing` apart from every value; None leaves the default."""
    if pa.types.is_integer(kind):
        return pd.Int64Dtype()
    return pd.StringDtype() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


def _evaluated(result: Any) -> bool:
    return "unexpected_count" in result.result or "observed_value" in result.result


def _expectation(declared: Declared, key: str, engine: str) -> Any:
    e, names = gx.expectations, declared.columns
    common: dict[str, Any] = {"meta": {"key": key}, "description": declared.title}
    match declared.kind:
        case "type":
            kinds = list(STORAGE[engine][declared.values[0]])
            return e.ExpectColumnValuesToBeInTypeList(column=names[0], type_list=kinds, **common)
        case "finite" | "range":
            span = {"min_value": declared.low, "max_value": declared.high}
            return e.ExpectColumnValuesToBeBetween(column=names[0], **span, **common)
        case "allowed_values":
            return e.ExpectColumnValuesToBeInSet(column=names[0], value_set=list(declared.values), **common)
        case "missingness":
            # 1 - 0.97 is above 0.03 in binary; rounding keeps exactly tolerated shares tolerated.
            return e.ExpectColumnValuesToNotBeNull(
                column=names[0], mostly=round(1.0 - declared.tolerated, 12), **common
            )
        case "uniqueness":
            return e.ExpectColumnValuesToBeUnique(column=names[0], **common)
        case "pair_ordered":
            return e.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=names[0],
                column_B=names[1],
                or_equal=declared.or_equal,
                ignore_row_if="either_value_is_missing",
                **common,
            )
        case "compound_unique":
            return e.ExpectCompoundColumnsToBeUnique(column_list=list(names), ignore_row_if="never", **common)
        case "row_count":
            low, high = (None if v is None else int(v) for v in (declared.low, declared.high))
            return e.ExpectTableRowCountToBeBetween(min_value=low, max_value=high, **common)


def _result(declared: Declared, outcome: Any, rows: int) -> records.CheckResult:
    common: dict[str, Any] = {
        "check_id": declared.check_id,
        "title": declared.title,
        "severity": declared.severity,
        "details": {"column": ", ".join(declared.columns), "expectation": declared.kind},
    }
    if outcome.exception_info["raised_exception"]:
        # Declared, and yet nobody knows whether it holds: that must never let a run pass.
        return records.CheckResult(**common, status="inconclusive", reason=f"{declared.title}: {NOT_EVALUATED}")
    status: records.Status = "pass" if outcome.success else "fail"
    if declared.kind == "row_count":
        threshold = records.Threshold(at_least=declared.low, at_most=declared.high)
        measure = records.Measure(name="data.row_count", value=float(rows), unit="rows", n=rows)
        reason = f"the table has {rows:,} rows, asked: {declared.sentence}"
        return records.CheckResult(**common, status=status, measures=(measure,), threshold=threshold, reason=reason)
    n, broken = _counts(declared, outcome, rows)
    share = broken / n if n else 0.0
    return records.CheckResult(
        **common,
        status=status,
        measures=(
            records.Measure(name=declared.check_id, value=share, n=n),
            records.Measure(name=f"{declared.check_id}.rows", value=float(broken), unit="rows", n=n),
        ),
        threshold=records.Threshold(at_most=declared.tolerated),
        reason=_reason(declared, broken, n),
    )


def _reason(declared: Declared, broken: int, n: int) -> str:
    """What was found in words; the title beside it says which rule of which column this is."""
    rows, some = f"{n:,} row{'' if n == 1 else 's'}", f"{broken:,} of {n:,} row{'' if n == 1 else 's'}"
    may = f"at most {100 * declared.tolerated:g} %" if declared.tolerated else "none"
    if declared.kind == "missingness":
        found = f"missing in {some} ({percent(broken / n)})" if broken else f"no value missing in {rows}"
        return f"{found}; {may} may be" if broken or declared.tolerated else found
    if not broken:
        return f"no row of {n:,} breaks this rule"
    verb = "breaks" if broken == 1 else "break"
    return f"{some} {verb} this rule ({percent(broken / n)}); {may} may"


def _counts(declared: Declared, outcome: Any, rows: int) -> tuple[int, int]:
    """Rows with a value to judge, and those that break the expectation."""
    if declared.kind == "type":
        return rows, 0 if outcome.success else rows
    judged = int(outcome.result["element_count"]) - int(outcome.result.get("missing_count", 0))
    return judged, int(outcome.result["unexpected_count"])


def _summary(
    declared: tuple[Declared, ...], results: tuple[records.CheckResult, ...], engine: str
) -> records.CheckResult:
    run = sum(bool(r.measures) for r in results)
    failed = sum(r.status == "fail" for r in results)
    common: dict[str, Any] = {
        "check_id": "data.declared_rules",
        "title": "Expectations that the plan declares",
        "severity": "info",
        "details": {"engine": engine},
    }
    if not declared:
        return records.CheckResult(**common, status="not_applicable", reason="the plan declares no expectation")
    numbers = {"": failed, ".declared": len(declared), ".run": run}
    return records.CheckResult(
        **common,
        status="pass" if run == len(declared) else "not_measured",
        measures=tuple(
            records.Measure(name=f"data.declared_rules{part}", value=float(number), n=len(declared))
            for part, number in numbers.items()
        ),
        reason=f"{len(declared)} expectations declared, {run} run, {failed} not met",
    )


def _page(outcome: Any, title: str) -> str:
    """The Data Docs page of the validation, whole in itself."""
    document = ValidationResultsPageRenderer().render(outcome)
    page: str = DefaultJinjaPageView().render(document, template="page_minimal.j2")
    page = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?:link|img)\b[^>]*>", "", page)
    page = re.sub(r'\shref="(?!#)[^"]*"', "", page)
    page = page.replace("<title></title>", "", 1)
    page = page.replace("<body>", f"<body><h1>Data quality: {html.escape(title)}</h1>", 1)
    page = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return page.replace("</head>", f"<style>{STYLE}</style></head>", 1)
