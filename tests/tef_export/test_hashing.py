"""Hashing of parts of a large file, in a program of its own."""

from __future__ import annotations

import hashlib
import mmap
import zlib
from pathlib import Path

import pytest

from tef_export import hashing

CONTENT = bytes(range(251)) * 500
"""Longer than a unit of mapping (64 KiB on Windows) and what is mapped of it."""


@pytest.mark.parametrize("offset", [0, 1, mmap.ALLOCATIONGRANULARITY, 5003])
@pytest.mark.parametrize("size", [1, 1000, 50_000])
def test_digest_and_checksum_are_those_of_the_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int, size: int
) -> None:
    """Wherever the part begins, and however many windows it takes."""
    monkeypatch.setattr(hashing, "WINDOW", 1 << 12)
    (tmp_path / "file").write_bytes(CONTENT)
    part = CONTENT[offset : offset + size]
    assert hashing.hashed(tmp_path / "file", offset, size) == (hashlib.sha256(part).hexdigest(), zlib.crc32(part))


def test_the_program_answers_for_each_part(tmp_path: Path) -> None:
    """The same as in this process."""
    (tmp_path / "file").write_bytes(CONTENT)
    parts = [(7, 20_000), (30_000, 45_000)]
    with hashing.started(tmp_path / "file", parts) as answer:
        assert answer() == [hashing.hashed(tmp_path / "file", *part) for part in parts]


def test_a_part_that_the_file_does_not_hold_is_refused_alike(tmp_path: Path) -> None:
    """Mapping beyond the end is another error on each system; ours is the same."""
    (tmp_path / "file").write_bytes(CONTENT)
    with pytest.raises(ValueError, match="ends before the part at 7 of"):
        hashing.hashed(tmp_path / "file", 7, len(CONTENT))


def test_a_file_that_ends_before_its_part_is_no_answer(tmp_path: Path) -> None:
    """Neither a digest of less, nor the end of the reader."""
    (tmp_path / "file").write_bytes(CONTENT)
    with hashing.started(tmp_path / "file", [(0, 1 << 20)]) as answer:
        assert answer() is None
