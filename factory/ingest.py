"""Ingest: the declared columns of the source go into the run folder, with a digest for every row.

The form of a row digest is defined in `factory._row_digests`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from configs import data
from configs.plan import Plan
from evidence import canonical, records
from evidence.folder import RunFolder
from factory import _given_columns, _repeats, _row_digests, _stored, _table_checks, sources

TABLE = "data/rows.parquet"
ROW = "_row"
"""Name of the column that holds the row digest."""


def ingest(folder: RunFolder, plan: Plan, base: Path) -> records.DatasetRef:
    """Read the data of the plan and store their declared columns as `data/rows.parquet`.

    Kinds in the table: numeric float64, integer Int64, categorical string; the last column `_row` is the row digest.
    Columns that the plan does not declare are listed by name and not stored. The rows are read, converted and stored
    some at a time, then looked at column by column: what is in memory is a digest a row, and one column.

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
    folder.clear_unfinished(TABLE)
    with folder.replacing(TABLE) as temporary:
        digests = _store(table, plan.data, temporary)
        stored = _stored.Stored(temporary)
        columns = tuple(_schema(column, stored) for column in plan.data.columns)
        missing = {column.name: column.missing for column in columns}
        _table_checks.check_values(stored.column, stored.rows, missing, plan.data, table.where)
        if plan.predictions is not None:
            where = f"data file {table.files[0].name}" if table.files else "data"
            _given_columns.read(stored.column, plan, where)
        digests.sort()
        times = _row_digests.times(digests)
        _repeats.require_once(times)
    return records.DatasetRef(
        title=plan.data.provenance.title,
        sources=table.files,
        table=folder.reference(TABLE),
        rows=stored.rows,
        columns=columns,
        undeclared=table.undeclared,
        schema_sha256=canonical.sha256([{"name": c.name, "kind": c.kind} for c in columns]),
        rows_sha256=canonical.sha256_pieces(_row_digests.lines(digests)),
        duplicate_rows=len(digests) - len(times),
    )


def stored_table(folder: RunFolder, dataset: records.DatasetRef) -> _stored.Stored:
    """The ingested table, if it is unaltered.

    Raises:
        IntegrityError: The file is gone or altered.
    """
    return _stored.Stored(folder.checked(dataset.table))


def digests_of(table: _stored.Stored) -> _row_digests.Digests:
    """The row digests of the ingested table (rows,), in its order."""
    held = bytearray()
    for batch in table.batches([ROW]):
        held += _row_digests.read(batch.column(ROW))
    return _row_digests.array(held)


def _store(table: sources.Table, declared: data.Data, place: Path) -> _row_digests.Digests:
    """Write the rows as they come; gives their digests, in their order."""
    schema = _layout(declared)
    held = bytearray()
    with _stored.Writer(place, schema) as writer:
        for frame in table.frames():
            found = _row_digests.of(frame)
            held += found
            names = _row_digests.strings(_row_digests.array(found)).cast(schema.field(ROW).type)
            plain = pa.Table.from_pandas(frame, preserve_index=False).append_column(ROW, names)
            writer.write(plain.cast(schema))
    return _row_digests.array(held)


def _layout(declared: data.Data) -> pa.Schema:
    """The columns of the stored table, in the order of the plan, and the row digests."""
    kinds = {"numeric": "float64", "integer": "Int64", "categorical": "string"}
    empty = {c.name: pd.Series([], dtype=kinds[c.kind]) for c in declared.columns} | {
        ROW: pd.Series([], dtype="string")
    }
    return pa.Schema.from_pandas(pd.DataFrame(empty), preserve_index=False)


def _schema(column: data.Column, stored: _stored.Stored) -> records.ColumnSchema:
    missing, distinct = stored.missing_and_distinct(column.name)
    return records.ColumnSchema(
        name=column.name, kind=column.kind, role=column.role, unit=column.unit, missing=missing, distinct=distinct
    )
