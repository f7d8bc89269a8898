"""Token streams as packed sequences in Parquet, and back.

The documents of a part follow each other in one stream, each ended by the end-of-text token. The stream is cut into
rows of `context + 1` tokens, the last of one the first of the next: inputs are the first `context` tokens of a row,
targets the last, so that every token but the stream's first is a target exactly once. What fills no row is left out and
counted.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from configs import errors
from evidence import records
from evidence.folder import RunFolder
from factory import ranks

Ids = npt.NDArray[np.int32]
COLUMN = "tokens"
BLOCK = 1 << 20
"""About how many tokens are held before they are written."""
SHARD = 128 << 20
"""About how many bytes of tokens one file has."""
GROUP = 256 << 10
"""About how many bytes of tokens a row group has: what a loader reads and shuffles at once."""


class Packer:
    """Cuts a stream into rows, and counts."""

    def __init__(self, context: int) -> None:
        self._context = context
        self.tokens = 0
        self.sequences = 0
        self.left_out = 0
        """Tokens at the end of the stream that are in no row; all of a stream that is shorter than one row."""

    def rows(self, stream: Iterable[Ids]) -> Iterator[Ids]:
        """Blocks of rows, int32 `(rows, context + 1)`, until the stream ends.

        Args:
            stream: Pieces of the stream in order, of any length.
        """
        held: list[Ids] = []
        size = 0
        for piece in itertools.chain(stream, [None]):
            if piece is not None:
                held.append(piece)
                size += len(piece)
                self.tokens += len(piece)
                if size < max(BLOCK, self._context + 1):
                    continue
            flat = np.concatenate([*held, np.empty(0, np.int32)])
            cut = self._cut(flat)
            if len(cut):
                yield cut
            flat = flat[len(cut) * self._context :]
            held, size = [flat], len(flat)
        self.left_out = size - bool(self.sequences)

    def _cut(self, flat: Ids) -> Ids:
        if len(flat) <= self._context:
            return np.empty((0, self._context + 1), np.int32)
        rows = np.lib.stride_tricks.sliding_window_view(flat, self._context + 1)[:: self._context]
        self.sequences += len(rows)
        return np.ascontiguousarray(rows)


def write(folder: RunFolder, place: str, blocks: Iterable[Ids], width: int) -> tuple[records.ArtifactRef, ...]:
    """Write rows as `<place>/00000.parquet` and so on; files of an earlier attempt go.

    Args:
        folder: Run folder.
        place: Folder in it for these files alone.
        blocks: int32 `(rows, width)`.
        width: Tokens of a row.
    """
    for old in folder.at(f"{place}/x").parent.glob("*.parquet"):
        old.unlink()
    made: list[records.ArtifactRef] = []
    source = iter(blocks)
    schema = pa.schema([(COLUMN, pa.list_(pa.int32(), width))])
    for first in source:
        path = f"{place}/{len(made):05d}.parquet"
        with (
            folder.replacing(path) as temporary,
            pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=False) as writer,
        ):
            written = 0
            for block in itertools.chain([first], source):
                flat = pa.array(block.reshape(-1))
                table = pa.table([pa.FixedSizeListArray.from_arrays(flat, width)], schema=schema)
                writer.write_table(table, row_group_size=max(1, GROUP // (4 * width)))
                written += block.nbytes
                if written >= SHARD:
                    break
        made.append(folder.reference(path))
    return tuple(made)


def read(folder: RunFolder, shards: Sequence[records.ArtifactRef], width: int) -> Ids:
    """All rows of some shards, int32 `(rows, width)`.

    Raises:
        IntegrityError: A file was altered, or is no file of such rows.
    """
    found = [_rows(folder.checked(shard), shard.path, width) for shard in shards]
    return np.concatenate([*found, np.empty((0, width), np.int32)])


def _rows(place: Path, name: str, width: int) -> Ids:
    table = pq.read_table(place, columns=[COLUMN])
    flat = table.column(COLUMN).combine_chunks().flatten().to_numpy()
    if flat.dtype != np.int32 or len(flat) != len(table) * width:
        raise errors.IntegrityError(
            f"tokens {name}: expected rows of {width} tokens, got others. Run again into a new folder."
        )
    return flat.reshape(-1, width)


@contextlib.contextmanager
def opened(folder: RunFolder, shards: Sequence[records.ArtifactRef], width: int, place: str) -> Iterator[Ids]:
    """All rows of some shards for random access, int32 `(rows, width)`: mapped from a file, not in memory.

    Every rank calls this; the first one unpacks the shards. The file goes at the end of the block.

    Args:
        folder: Run folder.
        shards: The files.
        width: Tokens of a row.
        place: Of the unpacked file in the run folder.

    Raises:
        IntegrityError: A file was altered, or is no file of such rows.
        StorageError: There is no room for the unpacked rows.
    """
    path = folder.at(place)
    if ranks.first():
        try:
            with path.open("wb") as stream:
                for shard in shards:
                    _rows(folder.checked(shard), shard.path, width).tofile(stream)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise errors.StorageError(
                f"unpacked tokens {place}: expected room for them, got: {error.strerror}. Free space, then resume."
            ) from error
    ranks.wait()
    try:
        rows = path.stat().st_size // (4 * width)
        yield np.memmap(path, np.int32, "r", shape=(rows, width)) if rows else np.empty((0, width), np.int32)
    finally:
        if ranks.first():
            path.unlink(missing_ok=True)
