"""Counting documents, characters and bytes, whole and by group."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import numpy.typing as npt

from evidence import language_records


@dataclasses.dataclass(slots=True)
class Tally:
    """A sum that grows."""

    documents: int = 0
    characters: int = 0
    bytes: int = 0

    def add(self, characters: int, size: int) -> None:
        """Count one document."""
        self.documents += 1
        self.characters += characters
        self.bytes += size

    @property
    def counts(self) -> language_records.TextCounts:
        """As a record."""
        return language_records.TextCounts(**dataclasses.asdict(self))


class Groups:
    """Tallies by name."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def add(self, name: str, characters: int, size: int) -> None:
        """Count one document of a group."""
        self._tallies.setdefault(name, Tally()).add(characters, size)

    @property
    def counts(self) -> tuple[language_records.GroupCounts, ...]:
        """As records, by name."""
        return tuple(
            language_records.GroupCounts(name=name, **dataclasses.asdict(tally))
            for name, tally in sorted(self._tallies.items())
        )


class Digests:
    """The names of documents, 32 bytes each."""

    def __init__(self) -> None:
        self._raw = bytearray()

    def add(self, digest: str) -> None:
        """Note one document."""
        self._raw += bytes.fromhex(digest)

    @property
    def sha256(self) -> str:
        """SHA-256 over the sorted digests, one hex digest per line."""
        found = hashlib.sha256()
        ordered = np.sort(self.raw)
        for start in range(0, len(ordered), 1 << 16):
            text = ordered[start : start + (1 << 16)].tobytes().hex()
            found.update("".join(f"{text[i : i + 64]}\n" for i in range(0, len(text), 64)).encode())
        return found.hexdigest()

    @property
    def raw(self) -> npt.NDArray[np.bytes_]:
        """The digests in the order in which they were noted (documents,), `S32`."""
        return np.frombuffer(bytes(self._raw), dtype="S32")
