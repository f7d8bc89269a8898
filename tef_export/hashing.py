"""Digest and checksum of large files where they stand in an archive.

Run as a program of its own (`started`), so that hashing shares no interpreter with what is loaded meanwhile; that
program needs the standard library alone. The content is mapped, not copied. A file that somebody shortens while it is
mapped ends the program, and never the reader.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import json
import mmap
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

WINDOW = 16 << 20
"""Bytes that are mapped at once, so that memory stays small."""


def hashed(path: Path, offset: int, size: int) -> tuple[str, int]:
    """SHA-256 and CRC-32 of a part of a file, each made by a thread of its own.

    The checksum takes a third of the digest's time and begins at its half: until then a second processor has the
    reader's libraries to load.

    Raises:
        ValueError: The file ends before the part does.
    """
    digest, half = hashlib.sha256(), threading.Event()

    def checksum() -> int:
        crc = 0
        half.wait()
        for _, window in windows(path, offset, size):
            crc = zlib.crc32(window, crc)
        return crc

    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        crc = beside.submit(checksum)
        try:
            for done, window in windows(path, offset, size):
                digest.update(window)
                if 2 * done >= size:
                    half.set()
        finally:
            half.set()
    return digest.hexdigest(), crc.result()


@contextlib.contextmanager
def started(path: Path, parts: Sequence[tuple[int, int]]) -> Iterator[Callable[[], list[tuple[str, int]] | None]]:
    """Hash parts of a file (offset and size of each) in a program that ends with the block.

    Yields:
        What waits for digest and checksum of each part; None if the program broke, which a file that is exchanged or
        shortened meanwhile makes it do.
    """
    command = [sys.executable, "-I", "-S", "-B", __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        writing = process.stdin
        if writing is not None:  # it is a pipe
            writing.write(json.dumps([str(path.resolve()), parts]).encode() + b"\n")
            writing.flush()

        def answer() -> list[tuple[str, int]] | None:
            said, _ = process.communicate()
            return [(digest, crc) for digest, crc in json.loads(said)] if process.returncode == 0 else None

        try:
            yield answer
        finally:
            process.kill()


def main() -> None:
    """Answer the one line on standard input."""
    path, parts = json.loads(sys.stdin.readline())
    sys.stdout.write(json.dumps([hashed(Path(path), offset, size) for offset, size in parts]))


def windows(path: Path, offset: int, size: int) -> Iterator[tuple[int, memoryview]]:
    """A part of a file, mapped piece by piece: bytes from its beginning to the end of the piece, and the piece itself.

    Raises:
        ValueError: The file ends before the part does.
    """
    with path.open("rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size < offset + size:  # mapping would say so, each system in another way
            raise ValueError(f"{path.name}: it ends before the part at {offset} of {size} bytes does")
        for done in range(0, size, WINDOW):
            length, lead = min(WINDOW, size - done), (offset + done) % mmap.ALLOCATIONGRANULARITY
            with (
                _mapped(stream.fileno(), offset + done - lead, lead + length) as mapped,
                memoryview(mapped) as whole,
                whole[lead:] as piece,
            ):
                yield done + length, piece


def _mapped(number: int, begin: int, length: int) -> mmap.mmap:
    if sys.platform == "linux":  # its pages at once, which takes half of the time
        return mmap.mmap(number, length, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ, offset=begin)
    return mmap.mmap(number, length, access=mmap.ACCESS_READ, offset=begin)


if __name__ == "__main__":
    main()
