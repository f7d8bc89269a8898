"""Ingest: the declared columns of the source go into the run folder, with a digest for every row.

The form of a row digest is defined in `factory._row_digests`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from configs import data
from configs.plan import Plan
from evidence import arrays, canonical, records
from evidence.folder import RunFolder
from factory import _given_columns, _repeats, _row_digests, sources

TABLE = "data/rows.parquet"
ROW = "_row"
"""Name of the column that holds the row digest."""


def ingest(folder: RunFolder, plan: Plan, base: Path) -> records.DatasetRef:
    """Read the data of the plan and store their declared columns as `data/rows.parquet`.

    Kinds in the table: numeric float64, integer Int64, categorical string; the last column `_row` is the row digest.
    Columns that the plan does not declare are listed by name and not stored.

    Args:
        folder: The run.
        plan: What is declared.
        base: Folder from which relative paths of the source start.

    Raises:
        PlanError: The source section does not fit what is there.
        DataError: The data, or the predictions in them, are not what the plan declares.
        MissingError: A file, a driver or a server is absent.
    """
    table = sources.read(plan.data.source, plan.data, base)
    if plan.predictions is not None:
        _given_columns.read(table.frame, plan, f"data file {table.files[0].name}" if table.files else "data")
    digests = _row_digests.of(table.frame)
    _repeats.require_once(digests)
    columns = tuple(_schema(column, table.frame[column.name]) for column in plan.data.columns)
    stored = table.frame.assign(**{ROW: pd.array(digests.astype(str).astype(object), dtype="string")})
    with folder.replacing(TABLE) as temporary:
        stored.to_parquet(temporary, engine="pyarrow", index=False)
    return records.DatasetRef(
        title=plan.data.provenance.title,
        sources=table.files,
        table=folder.reference(TABLE),
        rows=len(stored),
        columns=columns,
        undeclared=table.undeclared,
        schema_sha256=canonical.sha256([{"name": c.name, "kind": c.kind} for c in columns]),
        rows_sha256=arrays.digest_of_rows(digests),
        duplicate_rows=len(digests) - len(np.unique(digests)),
    )


def read_table(folder: RunFolder, dataset: records.DatasetRef, columns: list[str] | None = None) -> pd.DataFrame:
    """The ingested table, or some of its columns, if it is unaltered.

    Raises:
        IntegrityError: The file is gone or altered.
    """
    return pd.read_parquet(folder.checked(dataset.table), engine="pyarrow", columns=columns)


def _schema(column: data.Column, values: pd.Series) -> records.ColumnSchema:
    return records.ColumnSchema(
        name=column.name,
        kind=column.kind,
        role=column.role,
        unit=column.unit,
        missing=int(values.isna().sum()),
        distinct=int(values.nunique()),
    )
