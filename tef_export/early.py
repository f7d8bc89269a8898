"""What takes long with a large bundle, begun before everything else is loaded: hashing, and the model's process.

A large model is hashed where it stands in the archive. Nothing is judged here: the reader takes what was found, or the
refusal, as the first of its checks. Imports nothing but what this needs.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tef_export import archive, golden_check

SWITCH = 0.0002
"""Seconds after which a thread lets another one go on: who hashes needs the interpreter rarely, but then at once."""


class Early:
    """An archive whose structure was judged and whose large files are being hashed."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Begin; what was begun ends with the stack."""
        self.path = path
        self.identity = archive.identity(path)
        self.process: subprocess.Popen[bytes] | None = None
        beside = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        self._listing = concurrent.futures.Future[archive.Listing]()
        try:
            listing = archive.inspect(path)
        except Exception as error:
            self._listing.set_exception(error)
            return
        self._listing.set_result(listing)
        large = [entry for entry in listing.entries if entry.size > archive.STAYS]
        if large:
            stack.callback(sys.setswitchinterval, sys.getswitchinterval())
            sys.setswitchinterval(SWITCH)
            self.process = stack.enter_context(golden_check.ready())
        self._hashed = beside.submit(archive.hash_in_place, path, large)

    def unpacked(self, into: Path) -> tuple[archive.Listing, dict[str, archive.Unpacked]]:
        """Unpack the rest, and wait for the digests.

        Raises:
            VerificationError: It is no archive of our form, or a checksum does not hold.
            StorageError: There is no room for unpacking.
        """
        listing = self._listing.result()
        rest = archive.unpack(self.path, listing, into)
        return listing, rest | self._hashed.result()


@contextlib.contextmanager
def begun(path: Path) -> Iterator[Early]:
    """Begin with an archive; what was begun ends with the block.

    Raises:
        MissingError: There is no such file.
    """
    archive.require_file(path)
    with contextlib.ExitStack() as stack:
        yield Early(path, stack)
