"""A bundle of a run as evidence: a ZIP of somebody, read within limits and never unpacked to the disk."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from configs import errors
from model_cards.lint import readers

MOST_MEMBERS = 20_000
Place = Path | zipfile.Path
"""A file or folder on the disk, or within a bundle."""


def parent(place: Place) -> Place:
    """The folder that holds a file or folder."""
    above = place.parent
    assert isinstance(above, Path | zipfile.Path)  # noqa: S101 - the types of zipfile say less than it gives
    return above


_OF_RECORDS = ("evidence", "eval")
"""Folders of a bundle that hold what was measured and decided. The others hold copies of it for receivers."""


def evidence_of(bundle: Path) -> list[zipfile.Path]:
    """The plan and the records of a bundle, in the order of their names.

    Raises:
        UnreadableError: It is damaged, or no bundle.
    """
    try:
        archive = zipfile.ZipFile(bundle)
    except (OSError, zipfile.BadZipFile) as error:
        raise errors.UnreadableError(f"evidence {bundle}: expected a bundle (ZIP) that opens, got: {error}.") from None
    names = archive.namelist()
    if len(names) > MOST_MEMBERS or len(set(names)) != len(names):
        raise errors.UnreadableError(
            f"evidence {bundle}: expected at most {MOST_MEMBERS:,} files of different names, got {len(names):,}. "
            "Do not open it."
        )
    found = [zipfile.Path(archive, name) for name in sorted(names) if _is_record(name)]
    if not found:
        raise errors.UnreadableError(
            f"evidence {bundle}: expected a bundle with `data/evidence/`, got a ZIP without. Name the evidence itself."
        )
    return found


def _is_record(name: str) -> bool:
    steps = name.split("/")
    within = steps[steps.index("data") + 1 :] if "data" in steps else []
    return within == ["plan.yaml"] or (len(within) == 2 and within[0] in _OF_RECORDS and name.endswith(".json"))


def read_bytes(place: Place, what: str, most: int = readers.MOST_BYTES) -> bytes:
    """The bytes of a file on the disk or within a bundle.

    Args:
        place: The file.
        what: What it is called in a message.
        most: Largest number of bytes, when unpacked.

    Raises:
        UnreadableError: It is not there, too large, encrypted or damaged.
    """
    if isinstance(place, Path):
        return readers.read_bytes(place, what, most)
    if not place.is_file():
        raise errors.UnreadableError(f"{what}: expected a file, got none. The bundle was altered.")
    try:
        with place.open("rb") as stream:
            found: bytes = stream.read(most + 1)
    except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise errors.UnreadableError(f"{what}: expected a file that opens, got: {error}.") from None
    if len(found) > most:
        raise errors.UnreadableError(f"{what}: expected at most {most:,} bytes, got more. Name the evidence itself.")
    return found
