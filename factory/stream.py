"""Batches out of shards that are larger than memory, in a seeded order that can be taken up anywhere.

Every epoch the row groups are put into a new order and dealt out to *lanes*. Each lane reads a window of its row
groups at a time, shuffles the rows of the window, and gives a few rows to every batch. How many lanes there are does
not depend on how many ranks train: a rank takes some of the lanes and reads nothing else, and the batches of all ranks
together are the batches of one. The order follows from the seed, the epoch and the number of the batch alone, so the
state that a checkpoint keeps is these few numbers, and whoever takes it up reads one window for each lane and goes on.

Files are read ahead in a thread; at most `shuffle_rows` rows and a few windows more are in memory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pydantic
import torch

from configs import errors
from factory.seeds import seed_of
from factory.shards import Shards

AHEAD = 2
"""Windows that are read before they are needed."""
Tensors = dict[str, torch.Tensor]
Arrays = dict[str, npt.NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class Order:
    """What the order of the rows follows from, beside the files."""

    seed: int
    batch_size: int
    """Rows of a batch over all ranks; give or take one for each lane."""
    shuffle_rows: int = 262_144
    """Rows that are held to be shuffled, over all lanes and ranks."""
    lanes: int = 16
    """Parts of the data that are read side by side; no fewer than there are ranks."""


class Position(pydantic.BaseModel):
    """Where a stream stands: what a checkpoint keeps of it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    epoch: int = pydantic.Field(default=1, ge=1)
    batch: int = pydantic.Field(default=0, ge=0)
    """Batches of this epoch that were given out."""
    order: str = ""
    """Digest of the files' layout and of all of `Order`: the order follows from them, the epoch and the batch."""
    lanes: tuple[tuple[str, int, int], ...] = ()
    """For the reader: the file and row group in which the window of each lane begins, and rows given of the lane."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """This rank's rows of one batch."""

    tensors: Tensors
    """(rows, …) each; without rows where the lanes of this rank have none for this batch."""
    rows: int
    whole: int
    """Rows of the batch over all ranks."""


@dataclasses.dataclass(frozen=True)
class _Plan:
    """One epoch: the row groups of each lane, cut into windows."""

    windows: list[list[list[int]]]
    """Lane to windows to row groups."""
    starts: list[list[int]]
    """Lane to the row of the lane at which each window begins, and its end."""
    batches: int

    def given(self, lane: int, batch: int) -> int:
        """Rows that a lane has given before a batch: rounded at a moment of its own, so that batches stay even."""
        lanes = len(self.starts)
        return (self.starts[lane][-1] * batch + self.batches * lane // lanes) // self.batches

    def needed(self, lane: int, row: int) -> int:
        """The batch that takes this row of a lane."""
        rows, lanes = self.starts[lane][-1], len(self.starts)
        return max(0, -(-((row + 1) * self.batches - self.batches * lane // lanes) // rows) - 1)


class Stream:
    """An endless sequence of epochs; iterating gives the batches that are left of the present one."""

    def __init__(self, shards: Shards, order: Order, *, rank: int = 0, ranks: int = 1) -> None:
        """Stand at the beginning of the first epoch.

        Raises:
            PlanError: There are more ranks than lanes.
            DataError: There are no rows.
        """
        if ranks > order.lanes:
            raise errors.PlanError(
                f"plan training.stream.lanes: expected at least one for each of {ranks} ranks, got {order.lanes}. "
                "Raise it; the order of the rows changes with it."
            )
        if shards.rows == 0:
            raise errors.DataError("shards: expected rows, got none. Write them again.")
        self._shards, self._order = shards, order
        self._mine = [lane for lane in range(order.lanes) if lane * ranks // order.lanes == rank]
        said = repr((shards.fingerprint(), dataclasses.astuple(order)))
        self._digest = hashlib.sha256(said.encode()).hexdigest()
        self._epoch, self._batch = 1, 0

    @property
    def rows(self) -> int:
        """Rows of an epoch, over all ranks."""
        return self._shards.rows

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return max(1, -(-self.rows // self._order.batch_size))

    @property
    def epoch(self) -> int:
        """The epoch in which the stream stands, from 1."""
        return self._epoch

    def state(self) -> dict[str, Any]:
        """Where the stream stands: after the last batch that was given out. Plain JSON data, the same on every rank."""
        plan = self._planned(self._epoch)
        return Position(
            epoch=self._epoch,
            batch=self._batch,
            order=self._digest,
            lanes=tuple(self._stands(plan, lane) for lane in range(self._order.lanes)),
        ).model_dump(mode="json")

    def restore(self, state: Any) -> None:
        """Stand where a state says: the batches that follow are those that followed it, over any number of ranks.

        Raises:
            IntegrityError: The state is none, or of other data or another order.
        """
        try:
            found = Position.model_validate(state)
        except pydantic.ValidationError as error:
            raise errors.IntegrityError(
                f"state of the data stream: expected epoch, batch and order, got: {error.errors()[0]['msg']}. "
                "Delete the checkpoint to train from the start."
            ) from None
        if found.order != self._digest or found.batch > self.batches:
            raise errors.IntegrityError(
                "state of the data stream: expected one of these files, seed, batch size, lanes and shuffle_rows, got "
                "one of others. Start a new run, or delete the checkpoint to train from the start."
            )
        self._epoch, self._batch = found.epoch, found.batch

    def begin(self, epoch: int) -> None:
        """Stand at the beginning of an epoch, numbered from 1."""
        self._epoch, self._batch = epoch, 0

    def sample(self, rows: int) -> Tensors:
        """Some rows from the beginning of the files."""
        found = self._shards.read(0)
        return {name: torch.from_numpy(np.array(values[:rows])) for name, values in found.items()}

    def __iter__(self) -> Iterator[Batch]:
        """The batches that are left of the present epoch; the stream then stands at the beginning of the next."""
        plan, first = self._planned(self._epoch), self._batch
        empty = {name: values[:0] for name, values in self.sample(1).items()}
        with _Reader(self._shards, plan, self._mine, first, self._order.seed, self._epoch) as reader:
            for batch in range(first, plan.batches):
                given = [plan.given(lane, batch + 1) - plan.given(lane, batch) for lane in range(self._order.lanes)]
                parts = [part for lane in self._mine for part in reader.take(lane, given[lane])]
                # Slices of numpy arrays: those of tensors cost as much as the batch, where lanes are many.
                tensors = (
                    {n: torch.from_numpy(np.concatenate([p[n] for p in parts])) for n in empty} if parts else empty
                )
                self._batch = batch + 1
                yield Batch(tensors, sum(given[lane] for lane in self._mine), sum(given))
        self.begin(self._epoch + 1)

    def _planned(self, epoch: int) -> _Plan:
        generator = torch.Generator().manual_seed(seed_of(self._order.seed, epoch, "order"))
        rows, lanes = self._shards.group_rows, self._order.lanes
        order = torch.randperm(len(rows), generator=generator).tolist()
        windows, starts = [], []
        for lane in range(lanes):
            mine = order[lane::lanes]
            cut = list(_windows(mine, rows, self._order.shuffle_rows / lanes, lane / lanes))
            windows.append(cut)
            starts.append(list(itertools.accumulate((int(rows[w].sum()) for w in cut), initial=0)))
        return _Plan(windows, starts, self.batches)

    def _stands(self, plan: _Plan, lane: int) -> tuple[str, int, int]:
        given = plan.given(lane, self._batch)
        inside = [w for w, start in enumerate(plan.starts[lane][:-1]) if start <= given]
        group = plan.windows[lane][inside[-1]][0] if inside else 0
        return (*self._shards.where(group), given)


class _Reader:
    """The windows of some lanes, read ahead in a thread in the order in which they are needed."""

    def __init__(self, shards: Shards, plan: _Plan, lanes: list[int], batch: int, seed: int, epoch: int) -> None:
        self._shards, self._plan, self._seed, self._epoch = shards, plan, seed, epoch
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="shards")
        self._waiting: dict[tuple[int, int], Future[Arrays]] = {}
        self._now: dict[int, tuple[int, int, Arrays | None]] = {}  # lane: window, rows given of it, its rows
        coming = []
        for lane in lanes:
            given, starts = plan.given(lane, batch), plan.starts[lane]
            left = [w for w in range(len(starts) - 1) if starts[w + 1] > given]
            if left:
                self._now[lane] = (left[0], given - starts[left[0]], None)
                coming += [(max(batch, plan.needed(lane, max(given, starts[w]))), lane, w) for w in left]
        self._coming = iter(sorted(coming))

    def __enter__(self) -> _Reader:
        for _ in range(AHEAD):
            self._ahead()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._shards.close()

    def take(self, lane: int, rows: int) -> Iterator[Arrays]:
        """The next rows of a lane, from one window or two."""
        while rows:
            window, given, held = self._now[lane]
            if held is None:
                held = self._waiting.pop((lane, window)).result()
                self._ahead()
            size = self._plan.starts[lane][window + 1] - self._plan.starts[lane][window]
            taken = min(rows, size - given)
            yield {name: values[given : given + taken] for name, values in held.items()}
            rows, given = rows - taken, given + taken
            self._now[lane] = (window + 1, 0, None) if given == size else (window, given, held)

    def _ahead(self) -> None:
        following = next(self._coming, None)
        if following is not None:
            _, lane, window = following
            self._waiting[lane, window] = self._pool.submit(self._load, lane, window)

    def _load(self, lane: int, window: int) -> Arrays:
        """The rows of a window, shuffled."""
        rows = self._plan.starts[lane][window + 1] - self._plan.starts[lane][window]
        generator = torch.Generator().manual_seed(seed_of(self._seed, self._epoch, f"{lane}:{window}"))
        places = torch.randperm(rows, generator=generator).numpy()
        found: Arrays = {}
        begin = 0
        for group in self._plan.windows[lane][window]:
            # By numpy, which works on this thread alone: torch would share it out over all cores, beside the training.
            for name, values in self._shards.read(group).items():
                if name not in found:
                    found[name] = np.empty((rows, *values.shape[1:]), values.dtype)
                found[name][places[begin : begin + len(values)]] = values
            begin += int(self._shards.group_rows[group])
        return found


def _windows(groups: list[int], rows: Any, wanted: float, share: float) -> Iterator[list[int]]:
    """Consecutive row groups of about `wanted` rows.

    The first window is smaller, of another size in each lane, so that lanes do not all read at the same time.
    """
    window: list[int] = []
    held, limit = 0, max(1.0, wanted * (share or 1.0))
    for group in groups:
        if window and held + rows[group] > limit:
            yield window
            window, held, limit = [], 0, wanted
        window.append(group)
        held += int(rows[group])
    if window:
        yield window
