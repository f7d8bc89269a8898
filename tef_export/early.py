"""What takes long with a large bundle, begun before everything else is loaded: hashing, and the model's process.

A large model is hashed where it stands in the archive. Nothing is judged here: the reader takes what was found, or the
refusal, as the first of its checks. Imports nothing but what this needs.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from configs import errors
from tef_export import archive, golden_check, hashing


class Early:
    """An archive whose structure was judged and whose large files are being hashed."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Begin; what was begun ends with the stack."""
        self.path = path
        self.identity = archive.identity(path)
        self.process: subprocess.Popen[bytes] | None = None
        self._listing: archive.Listing | errors.VerificationError
        self._large: tuple[archive.Entry, ...] = ()
        self.parts_hashed: Callable[[], list[tuple[str, int]] | None] = list
        try:
            self._listing = archive.inspect(path)
        except errors.VerificationError as error:
            self._listing = error
            return
        self._large = tuple(entry for entry in self._listing.entries if entry.size > archive.STAYS)
        if self._large:
            parts = [(entry.offset, entry.size) for entry in self._large]
            self.parts_hashed = stack.enter_context(hashing.started(path, parts))
            self.process = stack.enter_context(golden_check.ready())

    def unpacked(self, into: Path) -> tuple[archive.Listing, dict[str, archive.Unpacked]]:
        """Unpack the rest, and wait for the digests.

        Raises:
            VerificationError: It is no archive of our form, a checksum does not hold, or it changed meanwhile.
            StorageError: There is no room for unpacking.
        """
        if isinstance(self._listing, errors.VerificationError):
            raise self._listing
        files = archive.unpack(self.path, self._listing, into)
        found = self.parts_hashed()
        if found is None:
            raise archive.touched(self.path)
        for entry, (digest, crc) in zip(self._large, found, strict=True):
            files[entry.path] = archive.stayed(entry, digest, crc)
        return self._listing, files


@contextlib.contextmanager
def begun(path: Path) -> Iterator[Early]:
    """Begin with an archive; what was begun ends with the block.

    Raises:
        MissingError: There is no such file.
    """
    archive.require_file(path)
    with contextlib.ExitStack() as stack:
        yield Early(path, stack)
