"""Which values break a rule of the plan, and what to do: for the terminal of whoever holds the data, kept nowhere."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.data import Column
from configs.plan import Plan
from configs.printable import printable
from evidence import records

MOST = 3
"""Offending values that are named."""
LONGEST = 40
"""Characters of a value that are shown."""
_TO_DO = {
    "allowed_values": "Add it to `allowed` of the column where it is right, to its `missing_values` where it means "
    "missing, or correct the data.",
    "range": "Correct the data, or `minimum` and `maximum` of the column.",
    "missingness": "Fill the data, or allow the share with `max_missing` of the column.",
    "uniqueness": "Remove the repeated rows, or `unique` of the column.",
    "type": "Correct the data, `kind` of the column, or `missing_values`, where a text means missing.",
    "pair_ordered": "Correct the rows, or the rule in `data.rules`.",
    "compound_unique": "Remove the repeated rows, or the rule in `data.rules`.",
    "row_count": "Add the data that are missing, or correct the rule in `data.rules`.",
}


def told(plan: Plan, result: records.CheckResult, table: Path) -> list[str]:
    """What to print below a rule that does not hold.

    Args:
        plan: The plan.
        result: The result of the rule.
        table: The ingested table (Parquet).

    Returns:
        The most frequent offending values where they may be shown, then what to do. A value of a column that tells
        persons or things apart (`role: entity`, `unique: true`) is never shown.
    """
    kind = str(result.details.get("expectation", ""))
    column = next((c for c in plan.data.columns if c.name == result.details.get("column")), None)
    lines = []
    if column is not None and kind in ("allowed_values", "range"):
        if column.role == "entity" or column.unique:
            lines.append("values not shown: the column tells persons or things apart")
        elif found := _offending(table, column, kind):
            lines.append(", ".join(f"{_shown(value)} ({rows:,} row{'s' if rows > 1 else ''})" for value, rows in found))
    if kind in _TO_DO:
        lines.append(_TO_DO[kind])
    return lines


def _offending(table: Path, column: Column, kind: str) -> list[tuple[object, int]]:
    """The most frequent values that break the rule, with their rows, the most frequent first."""
    values = pq.read_table(table, columns=[column.name]).column(0)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    if number != (kind == "range"):
        return []
    counted = [(one["values"], int(one["counts"])) for one in pc.value_counts(values.drop_null()).to_pylist()]
    wrong = [(value, rows) for value, rows in counted if _breaks(column, value)]
    return sorted(wrong, key=lambda one: (-one[1], str(one[0])))[:MOST]


def _breaks(column: Column, value: object) -> bool:
    if isinstance(value, str):
        return value not in column.allowed
    low = column.minimum is not None and float(str(value)) < column.minimum
    return low or (column.maximum is not None and float(str(value)) > column.maximum)


def _shown(value: object) -> str:
    text = printable(f"{value:.10g}" if isinstance(value, float) else repr(str(value)))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
