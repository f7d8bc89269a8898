"""Tables in many Parquet files: written batch by batch, read row group by row group. The whole is never in memory.

A *tensor* is made of columns: of one scalar column it has the shape (rows,), of one column of fixed-size lists (rows,
width), of several scalar columns (rows, columns). So the same files serve a table and fixed-length rows of tokens.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from configs import errors

Tensors = Mapping[str, str | tuple[str, ...]]
"""Name of a tensor to its column, or to its columns side by side."""
Arrays = dict[str, npt.NDArray[Any]]
GROUP_BYTES = 1 << 20
"""About how large a row group is: the unit that is read and shuffled."""
FEWEST_GROUPS = 64
"""Into how many row groups a small table is cut at least, so that there is something to shuffle and to share."""
FILE_BYTES = 128 << 20
"""About how large a file becomes."""
OPEN = 32
"""Files that are open at once."""


def write(batches: Iterable[Mapping[str, npt.NDArray[Any]]], into: Path, rows: int) -> list[Path]:
    """Write columns as shards, `00000.parquet` and so on.

    Args:
        batches: Column to its values of some rows: (n,), or (n, width) for a column of fixed-size lists.
        into: An empty folder.
        rows: How many rows will come, for the size of row groups.
    """
    paths: list[Path] = []
    writer: parquet.ParquetWriter | None = None
    held: list[pa.Table] = []
    written, group = 0, 0
    try:
        for batch in batches:
            held.append(pa.table({name: _column(values) for name, values in batch.items()}))
            group = group or _rows_of_group(held[0], rows)
            whole = sum(t.num_rows for t in held) // group * group
            if not whole:
                continue
            table = pa.concat_tables(held)
            held = [table.slice(whole)]
            if writer is None or written > FILE_BYTES:
                writer, written = _next(writer, paths, into, table.schema), 0
            writer.write_table(table.slice(0, whole), row_group_size=group)
            written += table.slice(0, whole).nbytes
        left = pa.concat_tables(held) if held else None
        if left is not None and (left.num_rows or not paths):
            writer = writer or _next(writer, paths, into, left.schema)
            writer.write_table(left, row_group_size=max(1, group))
    finally:
        if writer is not None:
            writer.close()
    return paths


class Shards:
    """Some Parquet files as one table of row groups, numbered through in the order of the files."""

    def __init__(self, files: Sequence[Path], tensors: Tensors) -> None:
        """Look at the files' footers; no row is read.

        Raises:
            DataError: A file is no Parquet file or lacks a column.
        """
        self._files, self._tensors = tuple(files), dict(tensors)
        self._open: dict[int, parquet.ParquetFile] = {}
        counts: list[list[int]] = []
        for number in range(len(self._files)):
            about = self._opened(number).metadata
            counts.append([about.row_group(g).num_rows for g in range(about.num_row_groups)])
        self._starts = list(itertools.accumulate((len(c) for c in counts), initial=0))
        self.group_rows: npt.NDArray[np.int64] = np.array([n for c in counts for n in c], dtype=np.int64)
        """(row groups,): rows of each."""

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return int(self.group_rows.sum())

    def fingerprint(self) -> str:
        """What two readings of the same files share: names of tensors, and the rows of each group of each file.

        Whether the content is unaltered is for whoever holds its digests to say.
        """
        said = repr((sorted(self._tensors.items()), self._starts, self.group_rows.tolist()))
        return hashlib.sha256(said.encode()).hexdigest()

    def where(self, group: int) -> tuple[str, int]:
        """File and row group in it, of a group numbered through."""
        number = bisect.bisect_right(self._starts, group) - 1
        return self._files[number].name, group - self._starts[number]

    def close(self) -> None:
        """Close all files."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def read(self, group: int) -> Arrays:
        """The tensors of a row group; some of them in memory that cannot be written to.

        Raises:
            DataError: The file is damaged, or holds missing values where a tensor takes integers.
        """
        number = bisect.bisect_right(self._starts, group) - 1
        columns = [c for of in self._tensors.values() for c in ((of,) if isinstance(of, str) else of)]
        try:
            table = self._opened(number).read_row_group(group - self._starts[number], columns, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(number, error) from None
        rows = table.combine_chunks().to_batches()
        whole = rows[0] if rows else pa.RecordBatch.from_pylist([], schema=table.schema)
        return {name: self._tensor(whole, of, number) for name, of in self._tensors.items()}

    def _tensor(self, batch: pa.RecordBatch, of: str | tuple[str, ...], number: int) -> npt.NDArray[Any]:
        if not isinstance(of, str):
            side = pa.record_batch([batch.column(name) for name in of], names=list(of))
            return np.asarray(side.to_tensor(null_to_nan=True, row_major=True).to_numpy())
        column = batch.column(of)
        width = column.type.list_size if pa.types.is_fixed_size_list(column.type) else 0
        values = column.flatten() if width else column
        if values.null_count or column.null_count:
            raise errors.DataError(
                f"file {self._files[number].name} column {of}: expected a value in every row, got missing ones. "
                "Fill or drop them."
            )
        found = values.to_numpy(zero_copy_only=False)
        return found.reshape(-1, width) if width else found

    def _opened(self, number: int) -> parquet.ParquetFile:
        if number in self._open:
            return self._open[number]
        while len(self._open) >= OPEN:
            self._open.pop(next(iter(self._open))).close()
        try:
            file = parquet.ParquetFile(self._files[number], pre_buffer=False)
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(number, error) from None
        wanted = {c for of in self._tensors.values() for c in ((of,) if isinstance(of, str) else of)}
        if absent := sorted(wanted - set(file.schema_arrow.names)):
            raise errors.DataError(
                f"file {self._files[number].name}: expected the columns {', '.join(sorted(wanted))}, got none named "
                f"{', '.join(absent)}. Write the shards again."
            )
        self._open[number] = file
        return file

    def _damaged(self, number: int, error: Exception) -> errors.DataError:
        return errors.DataError(
            f"file {self._files[number].name}: expected a whole Parquet file, got: {str(error).splitlines()[0][:200]} "
            "Write or copy it again."
        )


def slices(rows: int, step: int = 65_536) -> Iterator[slice]:
    """Consecutive slices of at most `step` rows."""
    return (slice(low, min(low + step, rows)) for low in range(0, rows, step))


def _column(values: npt.NDArray[Any]) -> pa.Array:
    if values.ndim == 1:
        return pa.array(np.ascontiguousarray(values))
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _rows_of_group(first: pa.Table, rows: int) -> int:
    by_size = GROUP_BYTES // max(1, first.nbytes // max(1, first.num_rows))
    return max(1, min(by_size, -(-rows // FEWEST_GROUPS)))


def _next(before: parquet.ParquetWriter | None, paths: list[Path], into: Path, schema: pa.Schema) -> Any:
    if before is not None:
        before.close()
    paths.append(into / f"{len(paths):05}.parquet")
    return parquet.ParquetWriter(paths[-1], schema, compression="lz4", use_dictionary=False, write_statistics=False)
