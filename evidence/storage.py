"""What the operating system says about a disk, in one readable sentence."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from configs import errors

_SENTENCES = {
    errno.ENOSPC: "expected free disk space, got a full disk. Free some space",
    errno.EDQUOT: "expected free disk space, got an exceeded quota. Free some space",
    errno.EROFS: "expected a writable place, got a read-only file system. Choose another place",
    errno.EACCES: "expected permission to write, got none. Change the permissions or choose another place",
    errno.EPERM: "expected permission to write, got none. Change the permissions or choose another place",
    errno.EIO: "expected a working disk, got an input/output error. Check the disk",
}


@contextlib.contextmanager
def explained(thing: str, remedy: str = "") -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into a `StorageError`; let every other error pass.

    Args:
        thing: What was being done, for example `run folder runs/x, stage train`.
        remedy: What to do afterwards, for example `then run again with --resume`.

    Raises:
        StorageError: For the causes above.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _SENTENCES:
            raise
        after = f", {remedy}" if remedy else ""
        raise errors.StorageError(f"{thing}: {_SENTENCES[error.errno]}{after}.") from error
