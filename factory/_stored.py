"""Tables in the run folder: written some rows at a time, read a column or some rows at a time.

The file does not depend on how many rows came at a time: row groups have a size of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from factory._raw import rows_of_piece

GROUP_CELLS = 1 << 22
"""Values of a row group over all columns."""
MOST_ROWS = 1 << 20
"""Rows of a row group at most."""
_BUFFER = 1 << 20
"""Bytes of a column that are read at a time."""


class Writer:
    """A Parquet file as it grows."""

    def __init__(self, place: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(place, schema)
        self._group = min(MOST_ROWS, max(1, GROUP_CELLS // len(schema)))
        self._held: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and sum(t.num_rows for t in self._held):
                self._write(pa.concat_tables(self._held))
        finally:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Some more rows."""
        self._held.append(table)
        rows = sum(t.num_rows for t in self._held)
        if rows >= self._group:
            table = pa.concat_tables(self._held)
            whole = rows // self._group * self._group
            self._write(table.slice(0, whole))
            self._held = [table.slice(whole)]

    def _write(self, table: pa.Table) -> None:
        # Pages end where chunks do: without chunks the file is the same whatever came at a time.
        self._writer.write_table(table.combine_chunks(), row_group_size=self._group)


class Stored:
    """A stored table."""

    def __init__(self, place: Path) -> None:
        self._place = place
        with self._opened() as file:
            self.rows: int = file.metadata.num_rows

    def column(self, name: str) -> pd.Series:
        """All rows of a column, of its declared kind."""
        return _frame(pa.table({name: self._read(name)}))[name]

    def missing_and_distinct(self, name: str) -> tuple[int, int]:
        """How many values of a column are missing, and how many different ones there are."""
        values = self._read(name)
        missing, values = values.null_count, values.drop_null()
        if not pa.types.is_integer(values.type) and not pa.types.is_floating(values.type):
            return missing, pc.count_distinct(values).as_py()
        numbers = np.array(values.to_numpy())
        del values
        numbers.sort()
        return missing, int(np.count_nonzero(numbers[1:] != numbers[:-1])) + (len(numbers) > 0)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Consecutive rows of some columns."""
        with self._opened() as file:
            for batch in file.iter_batches(rows_of_piece(len(names)), columns=list(names)):
                yield batch.select(list(names))

    def frames(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Consecutive rows of some columns, of their declared kinds."""
        return (_frame(pa.Table.from_batches([batch])) for batch in self.batches(names))

    def _read(self, name: str) -> pa.ChunkedArray:
        with self._opened() as file:
            return file.read(columns=[name]).column(name)

    def _opened(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._place, pre_buffer=False, buffer_size=_BUFFER)


def _frame(table: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pandas(types_mapper=_kind, ignore_metadata=True, split_blocks=True)
    return found


def _kind(stored: pa.DataType) -> Any:
    """The type in memory; None leaves the default."""
    if pa.types.is_integer(stored):
        return pd.Int64Dtype()
    return pd.StringDtype() if pa.types.is_string(stored) or pa.types.is_large_string(stored) else None
