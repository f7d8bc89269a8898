"""The ZIP around a bundle: written in one way only, and read only when it was written in that way.

Common unpackers repair what they read: they strip `../`, take the last of two equal names, cut names at a NUL, make
links. A bundle comes from a stranger, so nothing is repaired here. The archive must be what `write` would have
written: stored, one entry after the other without gaps, plain ASCII names in order under one top directory, regular
files only, no extra fields, no comment, nothing before or after. Names are judged before any byte is unpacked.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from configs import errors
from evidence import storage

MOST_ENTRIES = 2000
LARGEST = 2**32 - 2
"""Bytes of the archive: what a plain ZIP can say. ZIP64 is not read."""
OVERHEAD = 512
"""Bytes of the archive for each entry, at most."""
CHUNK = 1 << 20
STAYS = 64 << 20
"""Bytes of a file above which it is hashed where it stands in the archive, and not written out."""
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE, _TIME = (1 << 5) | 1, 0
"""1980-01-01 00:00:00: a ZIP says nothing about when it was made."""
_MODE = 0o100644 << 16
_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_OTHER_FORMATS = {
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zX": "an xz file",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file of the archive."""

    path: str
    """POSIX path below the top directory."""
    offset: int
    """Where its content begins in the archive."""
    size: int
    crc: int


@dataclasses.dataclass(frozen=True)
class Listing:
    """What an archive holds, judged by names and structure alone."""

    top: str
    entries: tuple[Entry, ...]


@dataclasses.dataclass(frozen=True)
class Unpacked:
    """An unpacked file, or a large one that was hashed and has stayed in the archive."""

    sha256: str
    size: int
    offset: int | None = None
    """Where its content begins in the archive; None for one that was unpacked."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where content lies: a file, or a part of one."""

    path: Path
    offset: int
    size: int


def write(
    destination: Path, top: str, files: Mapping[str, Path | bytes], digests: Mapping[str, str] | None = None
) -> None:
    """Write the archive: entries sorted by name, stored, with fixed date and mode. Equal input gives equal bytes.

    Args:
        destination: The file to write; an existing one is replaced.
        top: Name of the one top directory.
        files: Path below it to content, or to the file that holds it.
        digests: Path to the SHA-256 that a file must have; it is computed while the file is copied.

    Raises:
        GateError: The archive would be larger than what is read.
        IntegrityError: A file has another digest: it was altered since it was recorded.
    """
    total = sum(len(source) if isinstance(source, bytes) else source.stat().st_size for source in files.values())
    if total > LARGEST - OVERHEAD * len(files):
        raise errors.GateError(
            f"bundle {top}: expected at most {LARGEST:,} bytes, got {total:,}. Export a smaller model."
        )
    listed: list[bytes] = []
    with destination.open("wb") as stream:
        for path in sorted(files):
            name, offset, source = f"{top}/{path}".encode("ascii"), stream.tell(), files[path]
            stream.write(bytes(_LOCAL.size) + name)
            if isinstance(source, bytes):
                stream.write(source)
                crc, size = zlib.crc32(source), len(source)
            else:
                crc, size = _append(stream, source, path, (digests or {}).get(path))
            end = stream.tell()
            stream.seek(offset)
            stream.write(_local(name, 0, crc, size))
            stream.seek(end)
            central = (20, 0, 0, _TIME, _DATE, crc, size, size, len(name), 0, 0, 0, 0, _MODE, offset)
            listed.append(_CENTRAL.pack(b"PK\x01\x02", 3 << 8 | 20, *central) + name)
        start, directory = stream.tell(), b"".join(listed)
        count, length = len(listed), len(directory)
        stream.write(directory + _END.pack(b"PK\x05\x06", 0, 0, count, count, length, start, 0))


def _append(stream: BinaryIO, source: Path, path: str, expected: str | None) -> tuple[int, int]:
    """Copy a file, hashing it on the way; its checksum and size."""
    digest, crc, size = hashlib.sha256(), 0, 0
    with source.open("rb") as reader:
        while piece := reader.read(CHUNK):
            digest.update(piece)
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            stream.write(piece)
    if expected not in (None, digest.hexdigest()):
        raise errors.IntegrityError(
            f"file {path}: expected sha256 {str(expected)[:12]}…, got {digest.hexdigest()[:12]}…: it was "
            "altered after it was recorded. Restore it, or run again into a new folder; nothing was written."
        )
    return crc, size


def _local(name: bytes, flags: int, crc: int, size: int) -> bytes:
    """The header in front of a file."""
    return _LOCAL.pack(b"PK\x03\x04", 20, flags, 0, _TIME, _DATE, crc, size, size, len(name), 0) + name


def require_file(path: Path) -> None:
    """Check that there is such a file.

    Raises:
        MissingError: There is none.
    """
    if not path.is_file():
        raise errors.MissingError(f"bundle {path}: expected a ZIP file, got none. Check the path.")


def sha256(path: Path) -> str:
    """SHA-256 of the archive file itself, for comparison by another channel.

    Raises:
        MissingError: There is no such file.
    """
    require_file(path)
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def inspect(path: Path) -> Listing:
    """Judge an archive by its structure and names; nothing is unpacked.

    Raises:
        MissingError: There is no such file.
        VerificationError: It is no archive of this form, or was cut off.
    """
    require_file(path)
    size = path.stat().st_size
    with path.open("rb") as stream:
        _require_zip(stream, size)
        count, start = _end(stream, size)
        stream.seek(start)
        records = _central(stream.read(size - _END.size - start), count)
        names = [name for name, _ in records]
        top = _require_names(names)
        entries = _contiguous(stream, records, top, start)
    return Listing(top, entries)


def unpack(path: Path, listing: Listing, into: Path) -> dict[str, Unpacked]:
    """Unpack into an empty directory of our own (mode 0700); files get mode 0600 and are never opened through a link.

    What is larger than `STAYS` stays in the archive.

    Args:
        path: The archive.
        listing: What `inspect` found in it.
        into: The directory that takes the place of the top directory.

    Returns:
        Path to digest and size: each file is hashed once, here.

    Raises:
        VerificationError: The content of a file does not have the archive's checksum.
        StorageError: The disk is full or cannot be written.
    """
    unpacked = {}
    with storage.explained(f"folder {into} for unpacking"), path.open("rb") as stream:
        for entry in listing.entries:
            if entry.size > STAYS:
                continue
            stream.seek(entry.offset)
            place = into.joinpath(*entry.path.split("/"))
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            unpacked[entry.path] = _copy(stream, entry, place)
    return unpacked


def stayed(entry: Entry, digest: str, crc: int) -> Unpacked:
    """A file that was hashed where it stands in the archive; its content lies there as it is.

    Raises:
        VerificationError: The content of the file does not have the archive's checksum.
    """
    _require_checksum(entry, crc)
    return Unpacked(digest, entry.size, entry.offset)


def identity(path: Path) -> tuple[int, ...]:
    """What the system says of a file that was not touched; another answer later means that it was."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def require_untouched(path: Path, before: tuple[int, ...]) -> None:
    """Check that nobody has written to an archive, or exchanged it, while it was read.

    Raises:
        VerificationError: Somebody has.
    """
    if identity(path) != before:
        raise touched(path)


def touched(path: Path) -> errors.VerificationError:
    """The refusal of an archive that somebody has written to, or exchanged, while it was read."""
    return errors.VerificationError(
        f"bundle {path.name}: expected a file that stays as it is while it is read, got one that was changed "
        "meanwhile. Wait until it is whole, and verify it again.",
        "unclear",
    )


def _copy(stream: BinaryIO, entry: Entry, place: Path) -> Unpacked:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    digest, crc, left = hashlib.sha256(), 0, entry.size
    with os.fdopen(os.open(place, flags, 0o600), "wb") as target:
        while left:
            piece = stream.read(min(CHUNK, left))
            if not piece:
                break
            digest.update(piece)
            crc = zlib.crc32(piece, crc)
            target.write(piece)
            left -= len(piece)
    _require_checksum(entry, crc, left)
    return Unpacked(digest.hexdigest(), entry.size)


def _require_checksum(entry: Entry, crc: int, left: int = 0) -> None:
    if left or crc != entry.crc:
        raise errors.VerificationError(
            f"file {entry.path}: expected content with the archive's checksum {entry.crc:08x}, got {crc:08x}: the "
            "archive was damaged on its way or altered. Fetch it again and compare its SHA-256 with the supplier.",
            "damage",  # whoever alters a file on purpose sets the checksum too
        )


def _require_zip(stream: BinaryIO, size: int) -> None:
    head = stream.read(262)
    if head.startswith(b"PK\x03\x04"):
        if size > LARGEST:
            raise _refusal(f"at most {LARGEST} bytes", f"{size}", looks="mistake")
        return
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise _repacked("a ZIP file", name)
    if head[257:262] == b"ustar":
        raise _repacked("a ZIP file", "a tar archive")
    if not head:
        raise _refusal("a ZIP file", "an empty file", "Fetch it again", "damage")
    stream.seek(max(0, size - (1 << 16) - _END.size))
    if b"PK\x05\x06" in stream.read():
        raise _refusal("a ZIP file that begins with its first entry", "other bytes before it")
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith((b"<!doctype html", b"<html")):
        page = "a web page: a server answered with it in place of the file, perhaps asking to log in"
        raise _refusal("a ZIP file", page, "Fetch it again", "damage")
    what = "a key, certificate or signature" if begin.startswith(b"-----begin ") else "something else"
    raise _refusal("a ZIP file", what, "Look whether it is the file that you were sent", "unclear")


def _end(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Number of entries, and where the central directory starts."""
    stream.seek(max(0, size - _END.size))
    raw = stream.read(_END.size)
    if not raw.startswith(b"PK\x05\x06") or len(raw) < _END.size:
        stream.seek(max(0, size - (1 << 16) - _END.size))
        tail = stream.read()
        if tail.rfind(b"PK\x05\x06") in range(len(tail) - _END.size + 1):
            raise _refusal("the end of the archive at the end of the file", "a comment or other bytes after it")
        cut = (
            "zeros: the download did not come to its end"
            if not tail[-64:].strip(b"\0")
            else "none: the file was cut off"
        )
        raise _refusal("the end record of the archive", cut, "The download is incomplete; fetch it again", "damage")
    _, disk, start_disk, here, count, length, start, comment = _END.unpack(raw)
    if disk or start_disk or here != count or comment:
        raise _refusal("one archive without comment", "parts of several, or a comment")
    if not 0 < count <= MOST_ENTRIES:
        raise _refusal(f"1 to {MOST_ENTRIES} files", f"{count}", looks="mistake")
    if start + length != size - _END.size:
        raise _refusal("the list of files right before the end", "a gap or bytes in front of the archive")
    return count, start


def _central(raw: bytes, count: int) -> list[tuple[str, tuple[int, ...]]]:
    """Name, then (flags, crc, size, offset) of each entry of the central directory."""
    found: list[tuple[str, tuple[int, ...]]] = []
    position = 0
    for number in range(1, count + 1):
        if position + _CENTRAL.size > len(raw):
            raise _refusal(f"{count} files in the list", f"{number - 1}")
        (magic, made, needed, flags, method, time, date, crc, packed, plain, name_length, extra, comment, disk,
         internal, external, offset) = _CENTRAL.unpack_from(raw, position)  # fmt: skip
        position += _CENTRAL.size
        name = _name(raw[position : position + name_length], flags)
        position += name_length
        if magic != b"PK\x01\x02" or extra or comment or disk or internal:
            raise _repacked(f"a plain entry for {name!r}", "one with extra fields, a comment or of another kind")
        if method != zipfile.ZIP_STORED or packed != plain or flags not in (0, 0x800):
            raise _repacked(f"{name!r} stored as it is", f"compression or encryption (method {method}, flags {flags})")
        if made >> 8 != 3 or external != _MODE:
            mode = external >> 16
            dangerous = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR) or (
                stat.S_ISREG(mode) and mode & 0o7111
            )
            refused = _refusal if dangerous else _repacked
            raise refused(f"{name!r} as a regular file with mode 0644", f"mode {mode:o} (a link, folder or program)")
        if (date, time) != (_DATE, _TIME) or needed > 20:
            raise _repacked(f"{name!r} dated 1980-01-01, format 2.0", f"another date or format {needed / 10}")
        found.append((name, (flags, crc, plain, offset)))
    if position != len(raw):
        raise _refusal(f"{count} files in the list", "bytes after the last")
    return found


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        shown = raw.decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
        # One flipped bit does that, too.
        raise _refusal("file names in plain ASCII", f"{shown!r}", looks="unclear") from None


def _leaves(name: str) -> bool:
    """Does a name lead out of the folder it is unpacked into, on some system?"""
    return name.startswith(("/", "\\\\")) or ".." in re.split(r"[/\\]", name) or re.match("[A-Za-z]:", name) is not None


def _require_names(names: list[str]) -> str:
    """Judge the names; the one top directory."""
    for name in names:
        segments = name.split("/")
        bad = next((s for s in segments if not _SEGMENT.fullmatch(s) or _RESERVED.fullmatch(s)), None)
        if bad is not None or not 2 <= len(segments) <= 8 or len(name) > 240:
            # Common tools add entries for folders, or pack without the folder around; no attack needs that.
            harmless = all(map(_SEGMENT.fullmatch, segments[:-1])) and (
                name.endswith("/") or name == segments[0] != bad
            )
            expected = "file names of letters, digits, dot, dash and underscore in folders"
            if harmless:
                raise _repacked(expected, f"{name!r}")
            # A name that leaves its folder is meant; any other may be one flipped bit.
            raise _refusal(expected, f"{name!r}", looks="tampering" if _leaves(name) else "unclear")
    tops = sorted({name.split("/")[0] for name in names})
    if len(tops) != 1:
        raise _refusal("one top directory", f"{len(tops)}: {', '.join(tops[:3])}")
    folded: set[str] = set()
    for name in names:
        if name.casefold() in folded:
            raise _refusal("each file name once, whatever the case of its letters", f"{name!r} again")
        folded.add(name.casefold())
    _require_no_clash(names)
    if names != sorted(names):
        raise _repacked("files in the order of their names", "another order")
    return tops[0]


def _require_no_clash(names: list[str]) -> None:
    """No name is a file and a folder at once, and no two folders differ by case only."""
    folders: dict[str, str] = {}
    files = {name.casefold() for name in names}
    for name in names:
        segments = name.split("/")
        for depth in range(1, len(segments)):
            folder = "/".join(segments[:depth])
            if folders.setdefault(folder.casefold(), folder) != folder or folder.casefold() in files:
                raise _refusal("each folder name once, whatever the case of its letters", f"{name!r}")


def _contiguous(stream: BinaryIO, records: list[tuple[str, tuple[int, ...]]], top: str, end: int) -> tuple[Entry, ...]:
    """Compare each entry's own header with the list; entries follow each other without gap or overlap."""
    entries, position = [], 0
    for name, (flags, crc, size, offset) in records:
        if offset != position:
            raise _refusal(f"{name!r} right after the file before it", "a gap or an overlap")
        stream.seek(offset)
        raw = stream.read(_LOCAL.size + len(name))
        if raw != _local(name.encode("ascii"), flags, crc, size):
            raise _refusal(
                f"the same name, size and checksum for {name!r} in both places", "two that differ", looks="unclear"
            )
        start = offset + len(raw)
        entries.append(Entry(name.removeprefix(f"{top}/"), start, size, crc))
        position = start + size
    if position != end:
        raise _refusal("the list of files right after the last file", "a gap or an overlap")
    return tuple(entries)


def _refusal(
    expected: str, got: str, remedy: str = "Do not unpack it", looks: errors.Looks = "tampering"
) -> errors.VerificationError:
    return errors.VerificationError(f"archive: expected {expected}, got {got}. {remedy}.", looks)


def _repacked(expected: str, got: str) -> errors.VerificationError:
    """What a common tool makes of a bundle that somebody unpacked and packed again, altered or not."""
    return _refusal(expected, got, "It was packed by another tool; ask for the file as it was released", "unclear")
