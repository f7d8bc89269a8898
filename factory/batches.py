"""Where a training takes its batches from: rows in memory, or shards that are read as they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, Protocol

import torch

from configs import errors
from configs.modelling import Training
from evidence import records
from evidence.folder import RunFolder
from factory import ranks
from factory.seeds import seed_of

if TYPE_CHECKING:
    from factory import stream  # needs pyarrow, which images of sites may lack

Held = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]
"""Inputs (rows, features), targets (rows,) and weights (rows,) or None."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """What one rank holds of one batch, and which rows of it are its own."""

    x: torch.Tensor
    y: torch.Tensor
    weights: torch.Tensor | None
    pieces: list[slice]
    """This rank's rows of `x`, cut into micro-batches; one empty slice where it has none (`x` then has a row all the
    same, for a pass that counts nothing)."""
    whole: int
    """Rows of the batch over all ranks."""
    complete: bool
    """Does `x` hold the batch of all ranks?"""
    undivided: bool
    """Is the whole batch one piece, of the only rank?"""


class Source(Protocol):
    """The rows that a training learns from."""

    @property
    def rows(self) -> int:
        """Rows of an epoch, over all ranks."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, numbered from 1, in an order of its own; what is left of it after `restore`."""

    def sample(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of some rows."""

    def state(self) -> dict[str, Any]:
        """Which batches were given out, as JSON data for a checkpoint."""

    def restore(self, state: Any) -> None:
        """Stand where a state says."""


class InMemory:
    """All rows on the device of the training; every rank draws the same order and takes its share of each batch."""

    def __init__(self, held: Held, training: Training) -> None:
        self._held, self._training = held, training
        self._epoch, self._given = 0, 0
        self._alone = ranks.count() == 1

    @property
    def rows(self) -> int:
        """Rows of an epoch."""
        return len(self._held[0])

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch."""
        x, y, weights = self._held
        if self._epoch != number:
            self._epoch, self._given = number, 0
        generator = torch.Generator().manual_seed(seed_of(self._training.seed, number, "order"))
        order = torch.randperm(len(x), generator=generator).to(x.device)
        sizes = batch_sizes(len(x), self._training.batch_size)
        micro = self._training.micro_batches
        divides = not self._alone or micro > 1
        # One gather for the epoch; the batches are views.
        weighed = repeat(None, len(sizes)) if weights is None else weights[order].split(sizes)
        all_of_it = zip(x[order].split(sizes), y[order].split(sizes), weighed, strict=True)
        for xb, yb, wb in islice(all_of_it, self._given, None):
            self._given += 1
            pieces = ranks.pieces(len(xb), micro) if divides else [slice(0, len(xb))]
            undivided = self._alone and len(pieces) == 1
            yield Batch(xb, yb, wb, pieces, whole=len(xb), complete=True, undivided=undivided)

    def sample(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of some rows."""
        return self._held[0][:rows], self._held[1][:rows]

    def state(self) -> dict[str, Any]:
        """The epoch and how many of its batches were given out: their order follows from the epoch's number."""
        return {"epoch": self._epoch, "batch": self._given}

    def restore(self, state: Any) -> None:
        """Stand where a state says."""
        self._epoch, self._given = int(state["epoch"]), int(state["batch"])


class Streamed:
    """Rows out of shards; every rank reads its own part."""

    def __init__(self, source: stream.Stream, micro_batches: int, device: torch.device) -> None:
        self._stream, self._micro, self._device = source, micro_batches, device
        self._spare = self._moved(source.sample(1))

    @property
    def rows(self) -> int:
        """Rows of an epoch, over all ranks."""
        return self._stream.rows

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of an epoch, or those that are left of it where a state of it was taken up."""
        if self._stream.epoch != number:
            self._stream.begin(number)
        alone = ranks.count() == 1
        for batch in self._stream:
            x, y = self._moved(batch.tensors) if batch.rows else self._spare
            pieces = ranks.cut(0, batch.rows, self._micro)
            complete = batch.rows == batch.whole
            undivided = alone and len(pieces) == 1
            yield Batch(x, y, None, pieces, whole=batch.whole, complete=complete, undivided=undivided)

    def sample(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of some rows."""
        return self._moved(self._stream.sample(rows))

    def state(self) -> dict[str, Any]:
        """Where the stream stands."""
        return self._stream.state()

    def restore(self, state: Any) -> None:
        """Stand where a state says."""
        self._stream.restore(state)

    def _moved(self, found: stream.Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        return found["x"].to(self._device, non_blocking=True), found["y"].to(self._device, non_blocking=True)


def streamed(folder: RunFolder, encoded: records.EncodedData, training: Training, device: torch.device) -> Streamed:
    """The training part of a run folder out of its shards. Of several ranks each checks its own share of the files.

    Raises:
        IntegrityError: A file was altered.
        PlanError: There are more ranks than lanes.
        MissingError: pyarrow is absent.
    """
    try:
        from factory import shards, stream  # noqa: PLC0415 - needs pyarrow, which images of sites may lack
    except ImportError as error:
        raise errors.MissingError(
            f"plan training.loader: expected pyarrow where the training runs, for loader: stream, got: {error}. "
            "Install it in the image or environment of the job, or set training.loader: memory."
        ) from None
    part = encoded.parts["train"].shards
    if part is None:
        raise TypeError("the training part was encoded without shards")
    for reference in part.files[ranks.index() :: ranks.count()]:
        folder.checked(reference)
    tensors = {"x": tuple(feature.name for feature in encoded.features), "y": encoded.target}
    order = stream.Order(training.seed, training.batch_size, training.stream.shuffle_rows, training.stream.lanes)
    files = shards.Shards([folder.at(reference.path) for reference in part.files], tensors)
    source = stream.Stream(files, order, rank=ranks.index(), ranks=ranks.count())
    return Streamed(source, training.micro_batches, device)


def batch_sizes(rows: int, batch: int) -> list[int]:
    """Whole batches and a last smaller one; a single row joins the batch before it (batch normalisation needs two)."""
    sizes = [batch] * (rows // batch)
    rest = rows % batch
    if rest == 1 and sizes:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes
