"""Archives that a stranger could send. Each is refused before anything is unpacked, with its reason."""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from configs import errors
from tef_export import archive
from tests.tef_export import making

Attack = Callable[..., None]
FILES = {"data/a.txt": b"a", "data/b/c.txt": b"c" * 300, "bagit.txt": b"x"}


def crafted(entries: list[tuple[str, bytes]], **changes: object) -> bytes:
    """A ZIP of the usual form with the given names; `changes` are set on every entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, content in entries:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename = name
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            for key, value in changes.items():
                setattr(info, key, value)
            opened.writestr(info, content)
    return buffer.getvalue()


def good(tmp_path: Path) -> bytes:
    archive.write(tmp_path / "good.zip", "top", dict(FILES))
    return (tmp_path / "good.zip").read_bytes()


def refused(tmp_path: Path, content: bytes) -> errors.VerificationError:
    path = tmp_path / "bad.zip"
    path.write_bytes(content)
    with pytest.raises(errors.VerificationError) as caught:
        archive.inspect(path)
    return caught.value


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Round trip: names, sizes and digests; files get mode 0600 in folders with mode 0700."""
    archive.write(tmp_path / "x.zip", "top", {**FILES, "data/z.txt": _file(tmp_path, b"from disk")})
    listing = archive.inspect(tmp_path / "x.zip")
    into = tmp_path / "into"
    into.mkdir(mode=0o700)
    found = archive.unpack(tmp_path / "x.zip", listing, into)
    assert listing.top == "top"
    expected = {**FILES, "data/z.txt": b"from disk"}
    assert {name: file.sha256 for name, file in found.items()} == {n: making.sha(c) for n, c in expected.items()}
    assert (into / "data/b/c.txt").read_bytes() == FILES["data/b/c.txt"]
    if os.name == "posix":
        assert (into / "data/b/c.txt").stat().st_mode & 0o777 == 0o600
        assert (into / "data/b").stat().st_mode & 0o777 == 0o700


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    """Order of the input and time of writing do not show."""
    archive.write(tmp_path / "1.zip", "top", dict(FILES))
    archive.write(tmp_path / "2.zip", "top", dict(reversed(FILES.items())))
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


NAMES = [
    ("C33 parent", "top/../x.txt", "file names of letters"),
    ("C33 nested parent", "top/data/../../x.txt", "file names of letters"),
    ("C34 absolute", "/etc/passwd", "file names of letters"),
    ("C35 backslash", "top\\x.txt", "file names of letters"),
    ("C36 drive letter", "C:/x.txt", "file names of letters"),
    ("C39 composed letter", "top/e\u0301.txt", "plain ASCII"),
    ("C40 right-to-left mark", "top/x\u202etxt.exe", "plain ASCII"),
    ("C40 control character", "top/x\x1b.txt", "file names of letters"),
    ("C41 zero byte", "top/model.onnx\0.txt", "file names of letters"),
    ("A7 hidden folder", "top/.git/config", "file names of letters"),
    ("reserved name", "top/CON.txt", "file names of letters"),
    ("trailing dot", "top/x.", "file names of letters"),
    ("trailing space", "top/x ", "file names of letters"),
    ("A8 empty folder", "top/empty/", "file names of letters"),
    ("no top folder", "x.txt", "file names of letters"),
    ("too deep", "top/" + "a/" * 9 + "x", "file names of letters"),
    ("option as name", "top/-rf", "file names of letters"),
]


@pytest.mark.attack("archive")
@pytest.mark.parametrize(("name", "reason"), [n[1:] for n in NAMES], ids=[n[0] for n in NAMES])
def test_a_dangerous_name_is_refused(tmp_path: Path, attack: Attack, name: str, reason: str) -> None:
    """A name that could lead elsewhere, or read otherwise than it is, is not repaired."""
    error = refused(tmp_path, crafted([(name, b"x")]))
    assert reason in str(error)
    attack(error, "archive")


@pytest.mark.attack("archive")
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["top/a", "top/a"], "each file name once"),
        (["top/Model.onnx", "top/model.onnx"], "each file name once"),
        (["top/A/x", "top/a/y"], "each folder name once"),
        (["top/a", "top/a/b"], "each folder name once"),
        (["one/a", "two/a"], "one top directory"),
        (["top/b", "top/a"], "order of their names"),
    ],
    ids=[
        "C37 name twice",
        "A18 C38 names that differ by case",
        "folder case",
        "file and folder",
        "C49 two top folders",
        "other order",
    ],
)
def test_clashing_names_are_refused(tmp_path: Path, attack: Attack, names: list[str], reason: str) -> None:
    """Names that fall together on some system, or have two meanings, are refused."""
    error = refused(tmp_path, crafted([(name, b"x") for name in names]))
    assert reason in str(error)
    attack(error, "archive")


@pytest.mark.attack("archive")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"external_attr": (stat.S_IFLNK | 0o777) << 16}, "regular file"),
        ({"external_attr": (stat.S_IFREG | 0o755) << 16}, "regular file"),
        ({"external_attr": (stat.S_IFREG | 0o4644) << 16}, "regular file"),
        ({"external_attr": (stat.S_IFIFO | 0o644) << 16}, "regular file"),
        ({"create_system": 0}, "regular file"),
        ({"compress_type": zipfile.ZIP_DEFLATED}, "stored as it is"),
        ({"compress_type": zipfile.ZIP_LZMA}, "stored as it is"),
        ({"comment": b"hello"}, "plain entry"),
        ({"extra": b"\xfe\xca\x00\x00"}, "plain entry"),
        ({"date_time": (2026, 1, 1, 0, 0, 0)}, "1980-01-01"),
    ],
    ids=[
        "A10 A11 C42 link",
        "A9 C44 program",
        "A9 C44 setuid",
        "A12 pipe",
        "made on DOS",
        "C45 compressed",
        "C51 LZMA",
        "comment of a file",
        "extra field",
        "date",
    ],
)
def test_an_unusual_entry_is_refused(tmp_path: Path, attack: Attack, changes: dict[str, object], reason: str) -> None:
    """Only plain stored files are read: no links, programs, compression, hidden fields."""
    error = refused(tmp_path, crafted([("top/a", b"x" * 4000)], **changes))
    assert reason in str(error)
    attack(error, "archive")


def _flag(content: bytes, bit: int) -> bytes:
    """The archive with a flag set in the first local header and in the first central entry."""
    changed = bytearray(content)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[content.index(signature) + at] |= bit
    return bytes(changed)


def _end_field(content: bytes, at: int, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into("<H", changed, len(content) - 22 + at, value)
    return bytes(changed)


def _with_gap(content: bytes) -> bytes:
    """Four bytes between the files and the list, with the end record adjusted."""
    start = struct.unpack_from("<I", content, len(content) - 6)[0]
    changed = bytearray(content[:start] + b"\0\0\0\0" + content[start:])
    struct.pack_into("<I", changed, len(changed) - 6, start + 4)
    return bytes(changed)


def _in_list(content: bytes, at: int) -> bytes:
    """One byte of the last entry of the central directory changed."""
    changed = bytearray(content)
    changed[content.rindex(b"PK\x01\x02") + at] ^= 1
    return bytes(changed)


STRUCTURE: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("C46 prefix", lambda c: b"MZ\x90\x00" + c, "other bytes before it"),
    ("C47 trailing data", lambda c: c + b"#!/bin/sh\n", "other bytes after it"),
    ("C48 archive comment", lambda c: c[:-2] + b"\x04\x00evil", "other bytes after it"),
    ("C51 encrypted", lambda c: _flag(c, 1), "encryption"),
    ("data descriptor", lambda c: _flag(c, 8), "stored as it is"),
    ("C53 other local name", lambda c: c.replace(b"top/data/a.txt", b"top/data/z.txt", 1), "in both places"),
    ("gap", _with_gap, "a gap or an overlap"),
    ("cut off in the middle", lambda c: c[: len(c) // 2], "download is incomplete"),
    ("cut off at the end", lambda c: c[:-1], "download is incomplete"),
    ("only the beginning", lambda c: c[:40], "download is incomplete"),
    ("cut off, the rest zeros", lambda c: c[:300] + bytes(len(c) - 300), "did not come to its end"),
    ("ZIP64", lambda c: c[:-22] + b"PK\x06\x06" + bytes(52) + b"PK\x06\x07" + bytes(16) + c[-22:], "a gap or bytes"),
    ("list removed", lambda c: c[: c.index(b"PK\x01\x02")] + c[-22:], "right before the end"),
    ("other checksum in the list", lambda c: _in_list(c, 16), "in both places"),
    ("other place in the list", lambda c: _in_list(c, 42), "a gap or an overlap"),
    ("empty file", lambda _: b"", "an empty file"),
    ("no files", lambda _: b"PK\x05\x06" + bytes(18), "other bytes before it"),
    ("wrong number of files", lambda c: _end_field(_end_field(c, 8, 2), 10, 2), "files in the list"),
    ("several disks", lambda c: _end_field(c, 4, 1), "parts of several"),
    ("C54 gzip", lambda _: b"\x1f\x8b\x08\x00" + bytes(30), "a gzip file"),
    ("C54 7z", lambda _: b"7z\xbc\xaf\x27\x1c" + bytes(30), "a 7z archive"),
    ("C54 tar", lambda _: _tar(), "a tar archive"),
    ("text", lambda _: b"hello", "got something else"),
    ("a key in place of the bundle", lambda _: b"-----BEGIN PUBLIC KEY-----\n", "got a key, certificate or signature"),
    ("a page in place of the bundle", lambda _: b"\n<!DOCTYPE html><p>Please log in</p>", "got a web page"),
]


@pytest.mark.attack("archive")
@pytest.mark.parametrize(("change", "reason"), [s[1:] for s in STRUCTURE], ids=[s[0] for s in STRUCTURE])
def test_an_unusual_structure_is_refused(
    tmp_path: Path, attack: Attack, change: Callable[[bytes], bytes], reason: str
) -> None:
    """Prefixes, gaps, comments, other formats and cut files are named as such."""
    error = refused(tmp_path, change(good(tmp_path)))
    assert reason in str(error)
    attack(error, "archive")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of files is bounded before any of them is looked at."""
    monkeypatch.setattr(archive, "MOST_ENTRIES", 2)
    assert "1 to 2 files" in str(refused(tmp_path, good(tmp_path)))


@pytest.mark.attack("archive", "A1 a bit flipped on the way")
def test_a_damaged_file_is_told_from_an_altered_one(tmp_path: Path, attack: Attack) -> None:
    """A flipped bit breaks the checksum of the archive: damaged on its way, fetch it again."""
    content = good(tmp_path).replace(b"c" * 300, b"c" * 299 + b"d")
    (tmp_path / "bad.zip").write_bytes(content)
    (tmp_path / "into").mkdir()
    with pytest.raises(errors.VerificationError, match="damaged on its way or altered") as caught:
        archive.unpack(tmp_path / "bad.zip", archive.inspect(tmp_path / "bad.zip"), tmp_path / "into")
    assert caught.value.looks == "damage"
    attack(caught.value, "archive")


@pytest.mark.skipif(os.name != "posix", reason="making a link needs a privilege on Windows")
def test_unpacking_does_not_follow_or_replace_what_is_there(tmp_path: Path) -> None:
    """A link that waits at the destination is not written through."""
    archive.write(tmp_path / "x.zip", "top", {"a": b"new"})
    victim = _file(tmp_path, b"old")
    into = tmp_path / "into"
    into.mkdir()
    (into / "a").symlink_to(victim)
    with pytest.raises(OSError, match="exists"):
        archive.unpack(tmp_path / "x.zip", archive.inspect(tmp_path / "x.zip"), into)
    assert victim.read_bytes() == b"old"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    """Absent is another thing than broken."""
    with pytest.raises(errors.MissingError):
        archive.inspect(tmp_path / "none.zip")


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        opened.addfile(tarfile.TarInfo("top/a"))
    return buffer.getvalue()


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "source.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["/etc/passwd", "top/../x", "top/..\\x", "\\\\host\\x", "C:/x"])
def test_a_name_that_leaves_its_folder_is_meant(name: str) -> None:
    """That looks like tampering; what one flipped bit can make of a name is not to be told."""
    assert archive._leaves(name)


@pytest.mark.parametrize("name", ["top/data/R\\ADME.md", "top/..a", "top/READM\x05.md", "top/a/"])
def test_a_name_that_stays_in_its_folder_accuses_nobody(name: str) -> None:
    """A bit flipped on the way, and an honest mistake, make such names as well."""
    assert not archive._leaves(name)
