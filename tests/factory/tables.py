"""Small plans and files for the tests of the data stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs.plan import Plan
from evidence import records
from evidence.folder import RunFolder

COLUMNS: list[dict[str, Any]] = [
    {"name": "age", "kind": "integer", "unit": "years"},
    {"name": "dose", "kind": "numeric", "max_missing": 1.0},
    {"name": "ward", "kind": "categorical", "max_missing": 1.0},
    {"name": "outcome", "kind": "categorical", "role": "target"},
]
TARGET: dict[str, Any] = {"task": "binary", "positive": ["yes"], "negative": ["no"]}
ROWS = "age,dose,ward,outcome\n34,1.5,A,yes\n51,2,B,no\n47,,A,no\n29,0.25,,yes\n"


def plan(
    source: dict[str, Any],
    *,
    columns: list[dict[str, Any]] | None = None,
    target: dict[str, Any] | None = None,
    split: dict[str, Any] | None = None,
    **data: Any,
) -> Plan:
    """A whole plan around a source; `data` goes to the plan's section of that name."""
    return Plan.model_validate(
        {
            "version": 1,
            "system": {
                "id": "test-system",
                "name": "Test",
                "version": "1",
                "provider": {"name": "Example"},
                "intended_purpose": "Testing.",
            },
            "classification": {},
            "data": {
                "source": source,
                "provenance": {"title": "Test table"},
                "target": target or TARGET,
                "columns": columns or COLUMNS,
                **data,
            },
            "split": split or {},
            "policy": {"gates": [{"check": "performance.accuracy", "at_least": 0.5}]},
        }
    )


def csv(folder: Path, text: str = ROWS, name: str = "rows.csv", **source: Any) -> dict[str, Any]:
    """Write a text table, and give the source section that reads it."""
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return {"kind": "file", "path": [name], **source}


def stored(folder: RunFolder, dataset: records.DatasetRef) -> Any:
    """The ingested table as a frame, row digests included."""
    import pandas as pd

    return pd.read_parquet(folder.checked(dataset.table))
