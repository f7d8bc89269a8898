"""Documents in Parquet files of the run folder, written and read piece by piece: a corpus is never whole in memory."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from evidence import records
from evidence.folder import RunFolder

GROUP_BYTES = 8 << 20
"""Text that is held before it is written, bytes."""
SHARD_BYTES = 256 << 20
"""Text of one file, bytes."""

INGESTED = pa.schema(
    [
        ("document", pa.string()),
        ("corpus", pa.string()),
        ("language", pa.string()),
        ("domain", pa.string()),
        ("web_domain", pa.string()),
        ("text", pa.string()),
    ]
)
CLEANED = pa.schema(
    [
        *INGESTED,
        ("declared", pa.string()),
        ("identified", pa.string()),
        ("confidence", pa.float32()),
    ]
)


@contextlib.contextmanager
def temporary(folder: RunFolder, place: str) -> Iterator[Path]:
    """An empty folder that is gone afterwards; what a killed attempt left in it goes first."""
    path = folder.at(f"{place}/x").parent
    shutil.rmtree(path)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path)


def digest(text: bytes) -> str:
    """Name of a document: hex SHA-256 of its text's UTF-8 form."""
    return hashlib.sha256(text).hexdigest()


class Writer:
    """Writes documents into `<place>/00000.parquet` and so on; use it as a context."""

    def __init__(self, folder: RunFolder, place: str, schema: pa.Schema) -> None:
        self._folder, self._place, self._schema = folder, place, schema
        self._held: dict[str, list[Any]] = {name: [] for name in schema.names}
        self._bytes = self._in_shard = 0
        self._stack = contextlib.ExitStack()
        self._open: pq.ParquetWriter | None = None
        self._shards: list[records.ArtifactRef] = []

    @property
    def shards(self) -> tuple[records.ArtifactRef, ...]:
        """The files, once the context has ended."""
        return tuple(self._shards)

    def add(self, size: int, **row: Any) -> None:
        """Add one document.

        Args:
            size: Bytes of its text.
            row: A value for each column of the schema.
        """
        for name, values in self._held.items():
            values.append(row[name])
        self._bytes += size
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def __enter__(self) -> Self:
        for old in self._folder.at(f"{self._place}/x").parent.glob("*.parquet"):
            old.unlink()  # of an attempt that was interrupted
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
            self._close()
        elif self._open is not None:
            self._open.close()
            self._stack.__exit__(kind, error, trace)  # removes the unfinished file

    def _flush(self) -> None:
        if not self._held["document"]:
            return
        if self._open is None:
            temporary = self._stack.enter_context(self._folder.replacing(self._next))
            self._open = pq.ParquetWriter(temporary, self._schema, compression="zstd")
        self._open.write_table(pa.table(self._held, schema=self._schema))
        self._in_shard += self._bytes
        self._held = {name: [] for name in self._held}
        self._bytes = 0
        if self._in_shard >= SHARD_BYTES:
            self._close()

    def _close(self) -> None:
        if self._open is None:
            return
        self._open.close()
        self._open = None
        self._stack.close()
        self._shards.append(self._folder.reference(self._next))
        self._in_shard = 0

    @property
    def _next(self) -> str:
        return f"{self._place}/{len(self._shards):05d}.parquet"


def read(
    folder: RunFolder, shards: Sequence[records.ArtifactRef], columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """The documents in order, some megabytes of text at a time.

    Args:
        folder: The run.
        shards: The files.
        columns: Columns that are wanted; by default all.

    Yields:
        Tables of at most one row group each.

    Raises:
        IntegrityError: A file is gone or altered.
    """
    for shard in shards:
        with pq.ParquetFile(folder.checked(shard)) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=None if columns is None else list(columns))


def rows(folder: RunFolder, shards: Sequence[records.ArtifactRef], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The same, document by document, with the columns in the order asked for."""
    for table in read(folder, shards, columns):
        yield from zip(*(table.column(name).to_pylist() for name in columns), strict=True)
