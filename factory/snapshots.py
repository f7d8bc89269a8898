"""Snapshots of a running training on disk, to take it up after a kill: asynchronous, atomic, hashed, several kept.

For any trainer, by epochs or by steps. A snapshot is tensors by name, plain JSON data, and the number of the step after
which it was taken:

    schedule = snapshots.Schedule(every=500, seconds=600)
    with snapshots.Snapshots(folder, "training/checkpoints", fingerprint=fingerprint, keep=3) as kept:
        found = kept.newest()                           # None at the first start
        if found:
            ...load found.tensors and found.meta, go on after found.step...
            schedule.taken(found.step)
        for step in range(...):
            ...
            if schedule.due(step):
                kept.save(step, tensors, meta)          # returns when the tensors are copied; a thread writes
                schedule.taken(step)
    # leaving the block waits for the last one to be written

What holds:

- `save` copies the tensors into memory of the CPU before it returns; the caller may go on changing them. A thread
  writes the file. At most one is being written: the next `save` waits for it. What went wrong in the thread is raised
  by the next `save`, by `wait`, or at the end of the block.
- A file is written beside its place, forced to the disk, and renamed. `STEP.json` beside it is written last, with the
  SHA-256 of the file; without it a file is no snapshot. A kill at any moment leaves the one before.
- `newest` checks the digest before it opens a file. One that is torn or altered is passed over with a warning, and the
  one before it is taken; where none is whole it refuses. So it does for snapshots of another training (`fingerprint`).
- The newest `keep` stay. safetensors and JSON, never pickle.
- With several ranks everybody calls `newest`, `due` and `save`. The first two give everywhere the answer of the first
  rank, and it alone writes. Tensors may be in shards (FSDP2, see `factory.parallel`): they are collected one by one,
  and a file holds the whole state, so that the number of ranks may change.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import time
from collections.abc import Mapping
from concurrent import futures
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pydantic
import safetensors
import safetensors.torch
import torch

from configs import errors
from evidence import canonical
from evidence.folder import RunFolder
from factory import parallel, ranks

log = logging.getLogger("proofline.factory")

Tensors = dict[str, torch.Tensor]
_NAME = re.compile(r"(\d{12})\.json")
_LARGEST_NOTE = 4096
"""Bytes of the JSON beside a file; ours has 200."""


class _Note(pydantic.BaseModel):
    """What stands beside a file of tensors: its digest. Whoever finds it knows that the file was written whole."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    version: int = pydantic.Field(default=1, ge=1, le=1)
    step: int = pydantic.Field(ge=0)
    sha256: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    size: int = pydantic.Field(ge=0)
    """Bytes."""


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The state of a training after a step."""

    step: int
    tensors: Tensors
    """On the CPU."""
    meta: dict[str, Any]
    """Plain JSON data."""


@dataclasses.dataclass
class Schedule:
    """When the next snapshot is due: after so many steps or so many seconds, whichever comes first."""

    every: int | None = None
    """Steps; None does not count them."""
    seconds: float | None = None
    """None does not look at the clock. Ranks that do exchange a word at every call."""
    _step: int = dataclasses.field(default=0, init=False)
    _at: float = dataclasses.field(default_factory=time.monotonic, init=False)

    def due(self, step: int) -> bool:
        """Is it time? Every rank asks, and the first rank's clock decides."""
        if self.every is not None and step - self._step >= self.every:
            return True
        return self.seconds is not None and ranks.agreed_that(time.monotonic() - self._at >= self.seconds)

    def taken(self, step: int) -> None:
        """A snapshot of this step was taken, or loaded."""
        self._step, self._at = step, time.monotonic()


class Snapshots:
    """The snapshots of one training, in a folder of their own."""

    def __init__(self, folder: RunFolder, place: str, *, fingerprint: str, keep: int = 3) -> None:
        """Nothing is read or written yet.

        Args:
            folder: Run folder.
            place: Folder in it for these snapshots and nothing else; made when needed.
            fingerprint: What a snapshot must share with the training that takes it up: plan, data, architecture.
            keep: How many stay, at least 1. With 1 a torn file leaves nothing to fall back on.
        """
        self._folder = folder
        self._place = place
        self._fingerprint = fingerprint
        self._keep = max(1, keep)
        self._writer: futures.ThreadPoolExecutor | None = None
        self._pending: futures.Future[None] | None = None
        self._buffers: Tensors = {}
        self._damaged: set[int] = set()

    def __enter__(self) -> Self:
        """The same; the end of the block waits for the thread."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Wait; an error of the writer is raised, unless another one ends the block already."""
        try:
            self.wait()
        except errors.StorageError as problem:
            if error is None:
                raise
            log.warning("%s", problem)
        finally:
            if self._writer is not None:
                self._writer.shutdown()
                self._writer = None

    def save(self, step: int, tensors: Mapping[str, torch.Tensor], meta: Mapping[str, Any]) -> None:
        """Copy the tensors and write them in the background. Every rank calls this; the first one writes.

        Args:
            step: After which this is the state. One that is there already is replaced.
            tensors: On any device, whole or in shards, in the same order on every rank.
            meta: Plain JSON data, copied as well.

        Raises:
            StorageError: The snapshot before this one could not be written.
        """
        if not ranks.first():
            for tensor in tensors.values():
                parallel.full(tensor)
            return
        self.wait()
        header = {"state": json.dumps({"fingerprint": self._fingerprint, "step": step, "meta": meta}, allow_nan=False)}
        self._copy(tensors)
        if self._writer is None:
            self._writer = futures.ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._pending = self._writer.submit(self._write, step, dict(self._buffers), header)

    def wait(self) -> None:
        """Go on when nothing is being written any more.

        Raises:
            StorageError: It could not be written.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def newest(self) -> Snapshot | None:
        """The newest whole snapshot; None where there is none. Every rank calls this.

        Raises:
            IntegrityError: It belongs to another training, or all there are is damaged.
        """
        if ranks.count() == 1:
            return self._newest()
        found = self._newest() if ranks.first() else None
        step = int(ranks.agreed(float(found.step if found else -1), ranks.device()))
        if step < 0 or found:
            return found
        return self._read(step)

    def steps(self) -> list[int]:
        """Steps of which there is a snapshot, ascending; damaged ones included."""
        found = [_NAME.fullmatch(place.name) for place in self._directory.glob("*.json")]
        return sorted(int(match[1]) for match in found if match)

    def _newest(self) -> Snapshot | None:
        self.wait()
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self._read(step)
            except _DamagedError as problem:
                self._damaged.add(step)
                log.warning("%s The one before it is taken.", problem)
        if steps:
            raise errors.IntegrityError(
                f"checkpoints {self._place}: expected a whole one among {len(steps)}, got damaged files "
                "only. Delete this folder to train from the start."
            )
        return None

    def _read(self, step: int) -> Snapshot:
        """A snapshot whose digest is right.

        Raises:
            _DamagedError: Torn, altered or gone.
            IntegrityError: Of another training.
        """
        path = self._path(step)
        self._check(step)
        try:
            with safetensors.safe_open(str(self._folder.at(path)), framework="pt", device="cpu") as opened:
                state = json.loads((opened.metadata() or {})["state"])
                tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
            meta, whose, taken = dict(state["meta"]), state["fingerprint"], int(state["step"])
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError, OSError) as error:
            raise _DamagedError(
                f"checkpoint {path}: expected the state of a training, got {type(error).__name__}."
            ) from None
        if whose != self._fingerprint or taken != step:
            raise errors.IntegrityError(
                f"checkpoint {path}: expected one of this plan and these data, got one of others. "
                "Start a new run, or delete it to train from the start."
            )
        return Snapshot(step, tensors, meta)

    def _check(self, step: int) -> None:
        """The file is the one that was written: its size and digest are those beside it."""
        path = self._path(step)
        place = self._folder.at(path)
        try:
            with place.with_suffix(".json").open("rb") as stream:
                note = _Note.model_validate_json(stream.read(_LARGEST_NOTE))
            size = place.stat().st_size
            found = canonical.sha256_file(place) if size == note.size else ""
        except (OSError, ValueError) as error:
            raise _DamagedError(
                f"checkpoint {path}: expected the file and its digest, got {type(error).__name__}."
            ) from None
        if note.step != step or found != note.sha256:
            got = f"{size} bytes" if size != note.size else f"{found[:12]}…"
            raise _DamagedError(
                f"checkpoint {path}: expected {note.size} bytes with sha256 {note.sha256[:12]}…, got {got}: "
                "it is torn or was altered."
            )

    def _path(self, step: int, suffix: str = "safetensors") -> str:
        return f"{self._place}/{step:012d}.{suffix}"

    @property
    def _directory(self) -> Path:
        return self._folder.path / self._place

    def _copy(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Into memory that is used again and again: nothing is being written from it now."""
        waiting: set[torch.device] = set()
        kept: Tensors = {}
        for name, tensor in tensors.items():
            source = parallel.full(tensor.detach())
            place = self._buffers.get(name)
            if place is None or place.shape != source.shape or place.dtype != source.dtype:
                # Pages that do not move let a GPU copy all tensors at once.
                place = torch.empty(source.shape, dtype=source.dtype, pin_memory=source.is_cuda)
            place.copy_(source, non_blocking=source.is_cuda)
            if source.is_cuda:
                waiting.add(source.device)
            kept[name] = place
        for device in waiting:
            torch.cuda.synchronize(device)
        self._buffers = kept

    def _write(self, step: int, tensors: Tensors, header: dict[str, str]) -> None:
        """In the thread: the file, its digest, then away with what is too old."""
        path = self._path(step)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._away_with_leftovers()
            with self._folder.replacing(path) as temporary:
                safetensors.torch.save_file(tensors, temporary, metadata=header)
                # The digest is of what the file has, not of what it should have.
                note = _Note(step=step, sha256=canonical.sha256_file(temporary), size=temporary.stat().st_size)
                self._remove(step, "json")
            with self._folder.replacing(self._path(step, "json")) as temporary:
                temporary.write_bytes(note.model_dump_json().encode() + b"\n")
            self._prune(step)
        except (OSError, safetensors.SafetensorError) as error:
            size = sum(tensor.nbytes for tensor in tensors.values())
            said = getattr(error, "strerror", None) or str(error)
            raise errors.StorageError(
                f"checkpoint {path}: expected {size} bytes to be written, got: {said}. "
                "Free space or make the run folder writable, then resume the run; earlier ones are kept."
            ) from error

    def _prune(self, step: int) -> None:
        """Keep the newest; what was damaged does not count, and goes."""
        damaged = self._damaged - {step}
        whole = [other for other in self.steps() if other not in damaged]
        for old in {*whole[: -self._keep], *damaged}:
            # Without its digest a file is no snapshot: a kill in between leaves a leftover.
            self._remove(old, "json")
            self._remove(old, "safetensors")
        self._damaged = set()

    def _remove(self, step: int, suffix: str) -> None:
        self._folder.at(self._path(step, suffix)).unlink(missing_ok=True)

    def _away_with_leftovers(self) -> None:
        """Of a process that was killed while it wrote."""
        steps = set(self.steps())
        for place in self._directory.iterdir():
            unfinished = place.suffix == ".safetensors" and place.stem.isdigit() and int(place.stem) not in steps
            if place.name.startswith(".") or unfinished:
                place.unlink(missing_ok=True)


class _DamagedError(errors.IntegrityError):
    """A snapshot that is not whole."""
