"""Scoring a Parquet file that is larger than memory: read ahead in a thread, score, write, forget.

At most a handful of batches exist at once, whatever the number of rows; the results go to `.npy` files as they come.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, parquet

from checks import scoring
from configs import errors
from evidence import records

Inputs = npt.NDArray[np.float32]
Features = tuple[records.FeatureSpec, ...]

ROWS = 2 * scoring.BATCH
"""Rows read and scored at once."""
AHEAD = 2
"""Batches that may wait to be scored."""
_DONE = object()


@dataclasses.dataclass(frozen=True)
class Scored:
    """Where the scores of a file stand; what the graph does not give is None."""

    rows: int
    labels: Path | None = None
    """int64 (rows,)"""
    probabilities: Path | None = None
    """float32 (rows, classes)"""
    predictions: Path | None = None
    """float32 (rows,)"""


def score(path: Path, features: Features, scorer: Callable[[Inputs], scoring.Scores], into: Path) -> Scored:
    """Score every row of a Parquet file, in its order.

    Args:
        path: The file; its columns hold the features by name, categories as texts or as codes, missing as null or NaN.
        features: The inputs of the model, in order.
        scorer: The graph.
        into: Folder of the results: `labels.npy` and `probabilities.npy`, or `predictions.npy`; whole or not there.

    Raises:
        DataError: The file is no Parquet file, lacks a column, or a column holds no numbers where numbers are expected.
        VerificationError: The graph breaks the model contract.
    """
    rows = opened(path, features).metadata.num_rows
    with contextlib.ExitStack() as stack, contextlib.closing(batches(path, features)) as read:
        files: dict[str, _Growing] = {}
        for x in read:
            for name, values in _kept(scorer(x)).items():
                if name not in files:
                    files[name] = stack.enter_context(_growing(into / f"{name}.npy", rows, values))
                files[name].write(values)
        if not files:  # not a row: the graph still says what it gives
            for name, values in _kept(scorer(np.empty((0, len(features)), np.float32))).items():
                files[name] = stack.enter_context(_growing(into / f"{name}.npy", rows, values))
    return Scored(rows, **{name: into / f"{name}.npy" for name in files})


def batches(path: Path, features: Features, *, rows: int = ROWS, ahead: int = AHEAD) -> Iterator[Inputs]:
    """The inputs of a Parquet file, batch by batch, (at most `rows`, features); a thread reads ahead.

    Args:
        path: The file.
        features: The inputs of the model, in order.
        rows: Largest number of rows at once.
        ahead: Batches that may wait.

    Raises:
        DataError: As in `score`.
    """
    file = opened(path, features)
    waiting: queue.Queue[Any] = queue.Queue(maxsize=ahead)
    stop = threading.Event()

    def read() -> None:
        try:
            for batch in file.iter_batches(batch_size=rows, columns=[f.name for f in features], use_threads=False):
                if not _put(waiting, _matrix(batch, features, path), stop):
                    return
            _put(waiting, _DONE, stop)
        except BaseException as error:
            _put(waiting, error, stop)

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        while (found := waiting.get()) is not _DONE:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        stop.set()
        thread.join()
        file.close()


def opened(path: Path, features: Features) -> Any:
    """The Parquet file, its columns checked; data are read later.

    Raises:
        DataError: It is no Parquet file, or lacks a feature.
    """
    try:
        file = parquet.ParquetFile(path, pre_buffer=False)
    except (OSError, pa.ArrowInvalid) as error:
        raise errors.DataError(
            f"file {path.name}: expected a Parquet file, got: {str(error).splitlines()[0][:200]} Give another file."
        ) from None
    known = set(file.schema_arrow.names)
    if missing := [f.name for f in features if f.name not in known]:
        raise errors.DataError(
            f"file {path.name}: expected a column for every feature of the model, got none for {', '.join(missing)}. "
            "Add what is missing."
        )
    return file


def _matrix(batch: pa.RecordBatch, features: Features, path: Path) -> Inputs:
    """One batch as float32 (n, features), row by row in memory."""
    columns = [_column(batch.column(batch.schema.get_field_index(f.name)), f, path) for f in features]
    numbers = pa.record_batch(columns, names=[f.name for f in features])
    found: Inputs = numbers.to_tensor(null_to_nan=True, row_major=True).to_numpy()
    return found


def _column(column: pa.Array, feature: records.FeatureSpec, path: Path) -> pa.Array:
    """One column as float32; texts become the codes of their categories, unknown ones null."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if feature.kind == "categorical" and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        column = compute.index_in(column, value_set=pa.array(feature.categories, type=kind))
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        wanted = "texts or codes" if feature.kind == "categorical" else "numbers"
        raise errors.DataError(
            f"file {path.name}, column {feature.name}: expected {wanted}, got {kind}. Convert the column."
        )
    return column.cast(pa.float32(), safe=False)


def _put(waiting: queue.Queue[Any], item: object, stop: threading.Event) -> bool:
    """Hand over an item, or give up when nobody wants it any more."""
    while not stop.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(item, timeout=0.1)
            return True
    return False


def _kept(scores: scoring.Scores) -> dict[str, npt.NDArray[np.generic]]:
    """What is written: the outputs that there are, in the types of the graph."""
    found = {
        "labels": scores.labels,
        "probabilities": None if scores.probabilities is None else scores.probabilities.astype(np.float32),
        "predictions": None if scores.predictions is None else scores.predictions.astype(np.float32),
    }
    return {name: values for name, values in found.items() if values is not None}


class _Growing:
    """A `.npy` file of known length that is written from the front."""

    def __init__(self, stream: IO[bytes], shape: tuple[int, ...], values: npt.NDArray[np.generic]) -> None:
        self._stream = stream
        header = {"descr": np.lib.format.dtype_to_descr(values.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)  # type: ignore[no-untyped-call]

    def write(self, values: npt.NDArray[np.generic]) -> None:
        """Append rows."""
        self._stream.write(np.ascontiguousarray(values).data)


@contextlib.contextmanager
def _growing(place: Path, rows: int, values: npt.NDArray[np.generic]) -> Iterator[_Growing]:
    """A file that takes its name when it is whole, and vanishes when it is not."""
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.part")
    try:
        with temporary.open("wb") as stream:
            yield _Growing(stream, (rows, *values.shape[1:]), values)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
