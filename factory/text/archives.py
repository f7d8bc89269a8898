"""ZIP archives of text: checked before a member is opened, read as a stream, never unpacked by name."""

from __future__ import annotations

import contextlib
import fnmatch
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from configs import errors
from factory import _files

LONGEST_NAME = 1024
"""Characters of a member's name."""
MAX_TOTAL_RATIO = 1000
"""Largest ratio of all that the members unpack to and the size of the archive: members that overlap exceed it."""


def members(place: Path, patterns: tuple[str, ...], endings: tuple[str, ...] | None) -> Iterator[tuple[str, IO[bytes]]]:
    """The members that are wanted, in the order of their names, each as a stream that is closed after its turn.

    Args:
        place: The archive.
        patterns: Patterns of the names; empty for every member that is not hidden.
        endings: Endings that count where there are no patterns; None for all.

    Yields:
        Name and content.

    Raises:
        DataError: The archive is damaged, encrypted or unsafe, or holds nothing that is wanted.
    """
    with damage_told(place), zipfile.ZipFile(place) as archive:
        for info in _chosen(archive, place, patterns, endings):
            with archive.open(info) as stream:
                yield info.filename, stream


@contextlib.contextmanager
def damage_told(place: Path) -> Iterator[None]:
    """What `zipfile` raises for an archive that cannot be read, as one sentence. Reading a member belongs inside.

    Raises:
        DataError: The archive is damaged or encrypted.
    """
    try:
        yield
    # The last three are what it raises for offsets and lengths that cannot be.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, struct.error):
        raise errors.DataError(
            f"corpus file {place.name}: expected a whole ZIP archive, got a damaged or truncated one. Fetch it again."
        ) from None
    except (RuntimeError, NotImplementedError):  # what zipfile raises for encryption and unknown compression
        raise errors.DataError(
            f"corpus file {place.name}: expected an archive without password in a common compression, got another one. "
            "Unpack it and name the files themselves."
        ) from None


def _chosen(
    archive: zipfile.ZipFile, place: Path, patterns: tuple[str, ...], endings: tuple[str, ...] | None
) -> list[zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _check_safe(infos, place)
    visible = [info for info in infos if not _hidden(info.filename)]
    if patterns:
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(info.filename, pattern) for info in infos):
                raise errors.DataError(
                    f"corpus file {place.name}: expected members like {pattern}, got none among {len(infos)}. "
                    "Correct source.members."
                )
        visible = [i for i in infos if any(fnmatch.fnmatchcase(i.filename, pattern) for pattern in patterns)]
    elif endings is not None:
        visible = [info for info in visible if PurePosixPath(info.filename).suffix.lower() in endings]
    if not visible:
        raise errors.DataError(
            f"corpus file {place.name}: expected members with text, got none among {len(infos)}. "
            "Name them in source.members, and their format in source.format."
        )
    for info in visible:
        _files.check_size(info, place.name)
    return sorted(visible, key=lambda info: info.filename)


def _check_safe(infos: list[zipfile.ZipInfo], place: Path) -> None:
    for info in infos:
        pure = PurePosixPath(info.filename)
        if pure.is_absolute() or ".." in pure.parts or "\\" in info.filename or len(info.filename) > LONGEST_NAME:
            raise errors.DataError(
                f"corpus file {place.name}: expected plain member names, got one that leaves its folder or has more "
                f"than {LONGEST_NAME} characters. Do not use this archive."
            )
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise errors.DataError(
            f"corpus file {place.name}: expected each member once, got several of the same name. Pack it again."
        )
    unpacked, packed = sum(info.file_size for info in infos), place.stat().st_size
    if unpacked > MAX_TOTAL_RATIO * packed:
        raise errors.DataError(
            f"corpus file {place.name}: expected an archive packed at most {MAX_TOTAL_RATIO} to 1, got {unpacked} "
            f"bytes in {packed}. Do not use this archive."
        )


def _hidden(name: str) -> bool:
    return any(part == "__MACOSX" or part.startswith(".") for part in PurePosixPath(name).parts)
