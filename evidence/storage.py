"""What the operating system says about a disk, in one readable sentence; and folders for a while."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from configs import errors

_SENTENCES = {
    errno.ENOSPC: "expected free disk space, got a full disk. Free some space",
    errno.EDQUOT: "expected free disk space, got an exceeded quota. Free some space",
    errno.EROFS: "expected a writable place, got a read-only file system. Choose another place",
    errno.EACCES: "expected permission to write, got none. Change the permissions or choose another place",
    errno.EPERM: "expected permission to write, got none. Change the permissions or choose another place",
    errno.EIO: "expected a working disk, got an input/output error. Check the disk",
    errno.ENAMETOOLONG: "expected a shorter name, got one that the system does not take. Choose a shorter path",
}
_NAME = "expected a name that the system takes, got one with a character that it does not. Choose another name"
_IN_USE = "expected a file that no other program holds open, got one in use. Close it there"
_DENIED = (
    "expected permission to write, got none. Change the permissions, close the program that has the file open, or "
    "choose another place"
)
_WINDOWS = {32: _IN_USE, 33: _IN_USE, 123: _NAME, 206: _SENTENCES[errno.ENAMETOOLONG]}
"""By the system's own number (`winerror`), where Python knows it: opening a file does not tell it."""
_LONGEST_PATH = 248
"""A longer path is not found, on a Windows that was not told to take long ones."""
PATIENCE = 5.0
"""Seconds to wait for another program, such as a virus scanner or a process that is ending, to let go of a file."""


@contextlib.contextmanager
def explained(thing: str, remedy: str = "") -> Iterator[None]:
    """Turn a full, read-only or forbidden disk, or a name that it does not take, into a `StorageError`.

    Every other error passes.

    Args:
        thing: What was being done, for example `run folder runs/x, stage train`.
        remedy: What to do afterwards, for example `then run again with --resume`.

    Raises:
        StorageError: For the causes above.
    """
    try:
        yield
    except OSError as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        after = f", {remedy}" if remedy else ""
        raise errors.StorageError(f"{thing}: {sentence}{after}.") from error


def _sentence(error: OSError) -> str | None:
    number, name = getattr(error, "winerror", None), error.filename
    if number in _WINDOWS:
        return _WINDOWS[number]
    if error.errno == errno.EINVAL and name is not None:
        return _NAME
    if sys.platform == "win32":
        if error.errno == errno.EACCES:
            return _DENIED
        if error.errno == errno.ENOENT and len(str(name)) >= _LONGEST_PATH:
            return _SENTENCES[errno.ENAMETOOLONG]
    return _SENTENCES.get(error.errno or 0)


@contextlib.contextmanager
def folder_for_a_while(prefix: str) -> Iterator[Path]:
    """An empty folder of our own among the system's temporary ones; removed with the block.

    On Windows a file that anybody has open cannot be removed: that is waited for.

    Raises:
        StorageError: The folder cannot be made, or not removed.
    """
    with explained("folder for temporary files"):
        folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            if time.monotonic() > end:
                raise errors.StorageError(
                    f"temporary folder {folder}: expected to remove it, got a file in it that another program holds. "
                    "Close that program, and remove the folder."
                ) from error
            time.sleep(0.1)
        else:
            return
