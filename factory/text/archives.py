"""ZIP archives of text: checked before a member is opened, read as a stream, never unpacked by name."""

from __future__ import annotations

import contextlib
import fnmatch
import zipfile
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


def damage_told(place: Path) -> contextlib.AbstractContextManager[None]:
    """What an archive that cannot be read raises, as one sentence; see `_files.damage_told`."""
    return _files.damage_told(f"corpus file {place.name}", "Unpack it and name the files themselves.")


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
