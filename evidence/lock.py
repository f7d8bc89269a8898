"""A lock that a killed process cannot leave behind: the kernel drops it with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from configs import errors


@contextlib.contextmanager
def held(path: Path, *, what: str, wait: bool = False) -> Iterator[None]:
    """Hold an exclusive lock on a file for the length of the block.

    Args:
        path: The lock file; made when absent, left in place afterwards.
        what: What the lock guards, for the error.
        wait: Wait for the holder to finish instead of refusing.

    Raises:
        StorageError: Another process holds the lock and `wait` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            raise errors.StorageError(
                f"{what}: expected it to be free, got one in use by process {holder}. "
                "Wait until that process has ended, or start a new run."
            ) from None
        stream.seek(0)
        stream.truncate()
        stream.write(str(os.getpid()))
        stream.flush()
        yield
