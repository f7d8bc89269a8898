"""The ledger: an append-only list of what happened in a run, each line bound to the one before.

`ledger.jsonl` holds one line of canonical JSON per event; each carries the SHA-256 of the line before it, so that an
altered or removed line breaks the chain. `ledger.head` holds the number of lines and the digest of the last, so that a
ledger cut at its end is noticed too. A process killed between the two writes leaves the ledger one line ahead of its
head, or with an unfinished last line: both are mended on opening, because nothing that was recorded is lost by it.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from configs import errors
from evidence import canonical, clock, records

Event = Literal["opened", "started", "finished", "failed", "resumed", "mirrored", "approved", "released", "received"]
ZERO = "0" * 64


class Line(records.Record):
    """One event."""

    n: int
    at: records.UtcTime
    event: Event
    stage: str | None = None
    key: records.Sha256 | None = None
    """Digest of the stage's name, code and inputs: the same key means the same work."""
    record: records.ArtifactRef | None = None
    details: dict[str, Any] = {}
    previous: records.Sha256


class Ledger:
    """The ledger of one run folder. Keep the folder's lock while appending."""

    def __init__(self, folder: Path, lines: list[Line], head: str) -> None:
        self._folder = folder
        self._lines = lines
        self._head = head

    @property
    def lines(self) -> tuple[Line, ...]:
        """All events, oldest first."""
        return tuple(self._lines)

    @property
    def head(self) -> str:
        """SHA-256 of the last line."""
        return self._head

    @property
    def identity(self) -> str:
        """SHA-256 of the first line: names this run and no other, even of the same id."""
        return self._lines[1].previous if len(self._lines) > 1 else self._head

    @classmethod
    def create(cls, folder: Path, details: dict[str, Any]) -> Ledger:
        """Begin the ledger of a new run folder."""
        ledger = cls(folder, [], ZERO)
        ledger.append("opened", details={**details, "nonce": secrets.token_hex(16)})
        return ledger

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Read a ledger and check its chain, without writing anything, also while another process appends to it.

        Raises:
            MissingError: There is none.
            IntegrityError: A line was altered, removed, or cut off.
        """
        lines, digests = _read(folder, mend=False)
        return cls(folder, lines, digests[-1])

    @classmethod
    def open(cls, folder: Path) -> Ledger:
        """Read a ledger to append to it; what a kill left half-done is mended. Hold the folder's lock.

        Raises:
            MissingError: There is none.
            IntegrityError: A line was altered, removed, or cut off.
        """
        lines, digests = _read(folder, mend=True)
        return cls(folder, lines, digests[-1])

    def append(
        self,
        event: Event,
        *,
        stage: str | None = None,
        key: str | None = None,
        record: records.ArtifactRef | None = None,
        details: dict[str, Any] | None = None,
    ) -> Line:
        """Add one event and put it on the disk before returning."""
        line = Line(
            n=len(self._lines),
            at=clock.now(),
            event=event,
            stage=stage,
            key=key,
            record=record,
            details=details or {},
            previous=self._head,
        )
        content = canonical.to_bytes(line)
        with (self._folder / "ledger.jsonl").open("ab") as stream:
            stream.write(content + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._head = canonical.sha256_bytes(content)
        self._lines.append(line)
        _write_head(self._folder, len(self._lines), self._head)
        return line

    def finished(self, stage: str, key: str | None = None) -> records.ArtifactRef | None:
        """The record of a finished stage, if it was made from the same inputs (`key`) by the same code."""
        for line in reversed(self._lines):
            if line.event == "finished" and line.stage == stage and (key is None or line.key == key):
                return line.record
        return None

    def interrupted(self, stage: str) -> bool:
        """Was a finished stage begun anew and not finished again? Then its files may be half old, half new."""
        events = [line.event for line in self._lines if line.stage == stage]
        return "finished" in events and events[-1] != "finished"

    def standing(self, stage: str, key: str) -> records.ArtifactRef | None:
        """The record that a stage left last, if it was made from these inputs by this code.

        A stage that was done again with other inputs has overwritten what it left before.
        """
        for line in reversed(self._lines):
            if line.event == "finished" and line.stage == stage:
                return line.record if line.key == key else None
        return None


def _read(folder: Path, *, mend: bool) -> tuple[list[Line], list[str]]:
    path = folder / "ledger.jsonl"
    expected = _read_head(folder)  # before the lines: a writer may append meanwhile, and lines come before their head
    if not path.is_file():
        raise errors.MissingError(f"run folder {folder}: expected a ledger.jsonl, got none. It is no run folder.")
    content = path.read_bytes()
    raw, torn = content.split(b"\n")[:-1], content.rpartition(b"\n")[2]
    lines, digests = _chain(raw, path)
    if expected is None and len(lines) > 1:
        raise errors.IntegrityError(f"ledger {path}: expected ledger.head beside it, got none. It was removed.")
    count, head = expected or (0, ZERO)
    if len(lines) < count:
        raise errors.IntegrityError(
            f"ledger {path}: expected {count} lines, got {len(lines)}: it was truncated. Restore it from a copy."
        )
    ahead = len(lines) > count + 1 and mend
    if ahead or (count and digests[count - 1] != head):
        raise errors.IntegrityError(
            f"ledger {path}: expected its line {count} to have the digest {head[:12]}… of ledger.head, got another: "
            "it was altered. Restore it from a copy."
        )
    if mend:
        if torn:
            os.truncate(path, len(content) - len(torn))
        if len(lines) == count + 1:
            _write_head(folder, len(lines), digests[-1])
    if not lines:
        raise errors.IntegrityError(f"ledger {path}: expected at least one line, got none. Start a new run.")
    return lines, digests


def _chain(raw: list[bytes], path: Path) -> tuple[list[Line], list[str]]:
    lines: list[Line] = []
    digests: list[str] = []
    previous = ZERO
    for number, content in enumerate(raw, start=1):
        try:
            line = Line.model_validate_json(content)
        except ValidationError:
            raise errors.IntegrityError(
                f"ledger {path} line {number}: expected an event, got something else: it was altered. "
                "Restore it from a copy."
            ) from None
        if line.previous != previous or line.n != number - 1:
            raise errors.IntegrityError(
                f"ledger {path} line {number}: expected the digest {previous[:12]}… of the line before, got "
                f"{line.previous[:12]}…: a line was altered or removed. Restore it from a copy."
            )
        previous = canonical.sha256_bytes(content)
        lines.append(line)
        digests.append(previous)
    return lines, digests


def _read_head(folder: Path) -> tuple[int, str] | None:
    path = folder / "ledger.head"
    if not path.is_file():
        return None
    try:
        head = json.loads(path.read_bytes())
        return int(head["lines"]), str(head["sha256"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise errors.IntegrityError(
            f"{path}: expected the number of ledger lines and a digest, got something else: it was altered. "
            "Restore it from a copy."
        ) from None


def _write_head(folder: Path, lines: int, sha256: str) -> None:
    temporary = folder / f".ledger.head.{os.getpid()}"
    with temporary.open("wb") as stream:
        stream.write(canonical.to_bytes({"lines": lines, "sha256": sha256}) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(folder / "ledger.head")
