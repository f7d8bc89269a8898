"""Opening the files that a plan names: present, unaltered, unpacked within bounds. Knows nothing about tables."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from configs import data, errors
from evidence import canonical, records

MAX_UNPACKED = 4 << 30
"""Largest size in bytes to which a ZIP member may unpack."""
MAX_RATIO = 1000
"""Largest ratio of unpacked to packed size. Deflate cannot exceed 1032; real tables stay below 100."""

CHUNK = 1 << 20
"""Bytes that are read at a time."""

_LONGEST_SHOWN = 200

FORMATS = {
    ".csv": "csv",
    ".data": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".npz": "npz",
}
"""File ending to format."""


@dataclasses.dataclass(frozen=True)
class Opened:
    """One table file, known and digested; its content is read when it is asked for."""

    name: str
    """Name for messages: the file's, or `archive.zip/member.csv`."""
    format: str
    """csv, tsv, parquet, excel or npz."""
    place: Path
    """The outer file: the archive where there is one."""
    member: str | None
    """Name in the archive, if it is one."""
    file: records.SourceFile
    """The outer file."""
    seen: tuple[int, int]
    """Its size and time of change when the digest was taken."""

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning, a piece at a time.

        Raises:
            DataError: The archive turns out to be damaged or encrypted.
        """
        if self.member is None:
            with self.place.open("rb") as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")
            return
        with (
            damage_told(f"data file {self.file.name}", _UNPACK),
            zipfile.ZipFile(self.place) as archive,
            archive.open(self.member) as stream,
        ):
            yield from iter(lambda: stream.read(CHUNK), b"")

    def content(self) -> bytes:
        """The whole content, in memory."""
        return b"".join(self.chunks())

    def require_same(self) -> None:
        """Refuse a file that has changed since its digest was taken.

        Raises:
            DataError: It has.
        """
        if _seen(self.place) != self.seen:
            raise errors.DataError(
                f"data file {self.file.name}: expected it as it was when its digest was taken, got one that has "
                "changed since. Let nothing write to it, and run again."
            )


_UNPACK = "Unpack it and name the table itself."


def open_all(source: data.FileSource, base: Path) -> tuple[Opened, ...]:
    """Open every file of the source.

    Raises:
        MissingError: A file is absent or cannot be read.
        PlanError: The plan's source section does not fit the file.
        DataError: A digest differs, or an archive is damaged or unsafe.
    """
    if source.sha256 and len(source.sha256) != len(source.path):
        raise errors.PlanError(
            f"plan data.source.sha256: expected {len(source.path)} digests, one for each path, "
            f"got {len(source.sha256)}. Complete the list or leave it out."
        )
    expected = source.sha256 or (None,) * len(source.path)
    return tuple(_open(source, base, path, digest) for path, digest in zip(source.path, expected, strict=True))


def _open(source: data.FileSource, base: Path, path: str, expected: str | None) -> Opened:
    with told(base, path, "data file", "data.source.path") as place:
        seen = _seen(place)
        file = records.SourceFile(name=Path(path).name, sha256=canonical.sha256_file(place), size=seen[0])
    if expected and file.sha256 != expected:
        raise errors.DataError(
            f"data file {path}: expected sha256 {expected[:12]}…, got {file.sha256[:12]}…: it is not the file that the "
            "plan was written for. Restore the file, or check it and correct data.source.sha256."
        )
    if not file.size:
        raise errors.DataError(f"data file {path}: expected a table, got an empty file. Restore the file.")
    name, member = file.name, None
    if Path(path).suffix.lower() == ".zip":
        member = _member_of(place, source, file.name)
        name = f"{file.name}/{member}"
    elif source.member:
        raise errors.PlanError(
            f"plan data.source.member: expected a .zip file to take it from, got {file.name}. Leave `member` out."
        )
    return Opened(name, source.format or _format(name), place, member, file, seen)


def _seen(place: Path) -> tuple[int, int]:
    found = place.stat()
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def told(base: Path, path: str, thing: str, option: str) -> Iterator[Path]:
    """The place of a file that a plan names; what the system says when it is opened, as one sentence.

    Args:
        base: Folder from which the path starts.
        path: As the plan gives it.
        thing: What the message calls it.
        option: The option of the plan that holds the path.

    Raises:
        PlanError: The path holds a NUL character, or leads to a folder.
        MissingError: There is no such file, or it cannot be read.
    """
    if "\0" in path:
        raise errors.PlanError(f"plan {option}: expected a path, got one with a NUL character. Correct it.")
    place = base / path
    try:
        yield place
    except FileNotFoundError:
        folder = place.parent
        names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        near = difflib.get_close_matches(place.name, names, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise errors.MissingError(
            f"{thing} {path}: expected it in {base}, got no such file. {hint}Correct {option}, or set "
            "PROOFLINE_DATA to the folder that holds it."
        ) from None
    except IsADirectoryError:
        raise errors.PlanError(f"{thing} {path}: expected a file, got a folder. Name the file in {option}.") from None
    except PermissionError:
        raise errors.MissingError(
            f"{thing} {path}: expected a readable file, got permission denied. Correct its access rights."
        ) from None
    except OSError as error:  # a file as a folder, a name that is too long, a damaged disk
        shown = path if len(path) <= _LONGEST_SHOWN else f"{path[:_LONGEST_SHOWN]}…"
        raise errors.MissingError(
            f"{thing} {shown}: expected a readable file, got: {error.strerror}. Correct {option}."
        ) from None


def shown(text: str) -> str:
    """What a stranger named, as it can stand in a message: on one line, and not too long."""
    plain = "".join(c if c.isprintable() else "?" for c in text[: _LONGEST_SHOWN // 2])
    return plain if len(text) <= _LONGEST_SHOWN // 2 else f"{plain}…"


def _format(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in FORMATS:
        raise errors.PlanError(
            f"data file {name}: expected one of the endings {', '.join(FORMATS)}, got '{suffix}'. "
            "State data.source.format: csv, tsv, parquet, excel or npz."
        )
    return FORMATS[suffix]


@contextlib.contextmanager
def damage_told(thing: str, remedy: str) -> Iterator[None]:
    """What `zipfile` raises for an archive that cannot be read, as one sentence. Reading a member belongs inside.

    Args:
        thing: What the archive is, with its name.
        remedy: What to do where it has a password or an uncommon compression.

    Raises:
        DataError: The archive is damaged or encrypted.
    """
    try:
        yield
    # The last four are what it raises for offsets, lengths and names that cannot be.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, IndexError, struct.error):
        raise errors.DataError(
            f"{thing}: expected a whole ZIP archive, got a damaged or truncated one. Fetch it again."
        ) from None
    except (RuntimeError, NotImplementedError):  # what zipfile raises for encryption and unknown compression
        raise errors.DataError(
            f"{thing}: expected an archive without password in a common compression, got another one. {remedy}"
        ) from None


def _member_of(place: Path, source: data.FileSource, archive: str) -> str:
    """The name of the table in an archive that can be read within bounds."""
    with damage_told(f"data file {archive}", _UNPACK), zipfile.ZipFile(place) as opened:
        info = _member(opened, source, archive)
        check_size(info, archive)
        return info.filename


def _member(opened: zipfile.ZipFile, source: data.FileSource, archive: str) -> zipfile.ZipInfo:
    tables = {
        info.filename: info
        for info in opened.infolist()
        if not info.is_dir() and PurePosixPath(info.filename).suffix.lower() in FORMATS and not _hidden(info.filename)
    }
    if source.member:
        names = [info.filename for info in opened.infolist()]
        if source.member not in names:
            near = difflib.get_close_matches(source.member, names, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise errors.PlanError(
                f"data file {archive}: expected the member {source.member}, got an archive of {len(names)} without it. "
                f"{hint}Correct data.source.member."
            )
        chosen = opened.getinfo(source.member)
    elif len(tables) == 1:
        chosen = next(iter(tables.values()))
    else:
        raise errors.PlanError(
            f"data file {archive}: expected one table in the archive, got {len(tables)}. Name one of them in "
            f"data.source.member{': ' + ', '.join(sorted(tables)[:5]) if tables else ''}."
        )
    if sum(info.filename == chosen.filename for info in opened.infolist()) > 1:
        raise errors.DataError(
            f"data file {archive}: expected one member {chosen.filename}, got several of that name. Pack it again."
        )
    pure = PurePosixPath(chosen.filename)
    if pure.is_absolute() or ".." in pure.parts or "\\" in chosen.filename:
        raise errors.DataError(
            f"data file {archive}: expected plain member names, got one that leaves its folder. "
            "Do not use this archive."
        )
    return chosen


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)


def check_size(info: zipfile.ZipInfo, archive: str) -> None:
    """Refuse a member that would unpack beyond all measure.

    Raises:
        DataError: It is larger than `MAX_UNPACKED` or packed tighter than `MAX_RATIO`.
    """
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > MAX_UNPACKED or ratio > MAX_RATIO:
        raise errors.DataError(
            f"data file {archive}: expected a member of at most {MAX_UNPACKED >> 30} GiB packed at most {MAX_RATIO} "
            f"to 1, got {info.file_size} bytes packed {ratio:.0f} to 1. Unpack it yourself if you trust it."
        )
