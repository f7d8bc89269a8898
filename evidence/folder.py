"""The run folder as stages see it: write an artefact, name it, open it again only if it is unaltered."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pydantic

from configs import errors
from evidence import canonical, records

R = TypeVar("R", bound=pydantic.BaseModel)

MEDIA_TYPES = {
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".md": "text/markdown",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".npy": "application/x-npy",
    ".parquet": "application/vnd.apache.parquet",
    ".onnx": "application/onnx",
    ".pb": "application/x-protobuf",
    ".safetensors": "application/x-safetensors",
    ".txt": "text/plain",
    ".vnnlib": "text/plain",
    ".zip": "application/zip",
    ".pem": "application/x-pem-file",
}


class RunFolder:
    """`runs/<run-id>/`. Holds a path and nothing else; cheap to make, safe to share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run_id(self) -> str:
        """Name of the folder."""
        return self.path.name

    def at(self, relative: str) -> Path:
        """Absolute place of a relative POSIX path; its folder is made.

        Raises:
            IntegrityError: When the path would leave the run folder.
        """
        pure = PurePosixPath(relative)
        if pure.is_absolute() or ".." in pure.parts or "\\" in relative:
            raise errors.IntegrityError(
                f"path {relative}: expected a path inside the run folder, got one that leaves it. "
                "Do not use this record."
            )
        place = self.path.joinpath(*pure.parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def reference(self, relative: str) -> records.ArtifactRef:
        """Name a file that has been written: path, digest, size, media type."""
        place = self.at(relative)
        return records.ArtifactRef(
            path=relative,
            sha256=canonical.sha256_file(place),
            size=place.stat().st_size,
            media_type=MEDIA_TYPES.get(place.suffix, "application/octet-stream"),
        )

    def write_bytes(self, relative: str, content: bytes) -> records.ArtifactRef:
        """Write a file so that it is there whole or not at all."""
        with self.replacing(relative) as temporary:
            temporary.write_bytes(content)
        return self.reference(relative)

    def write_record(self, relative: str, record: pydantic.BaseModel) -> records.ArtifactRef:
        """Write a record as readable JSON (sorted keys, two spaces)."""
        content = json.dumps(
            record.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return self.write_bytes(relative, content.encode("utf-8") + b"\n")

    @contextlib.contextmanager
    def recording(self, relative: str, record: pydantic.BaseModel) -> Iterator[records.ArtifactRef]:
        """Write a record that the block then names, in the ledger for example; after it the record is at its place.

        Until it is named it lies beside its place, so that a kill between the two never leaves a name for one content
        and a file with another: before, the old record stands; after, `checked` finds the new one where it lies.
        """
        beside = self.write_record(_beside(relative), record)
        yield beside.model_copy(update={"path": relative})  # whatever ends the block: it may have been named by then
        self._settle(beside.path, relative)

    def settle(self, reference: records.ArtifactRef) -> None:
        """Finish what a kill within `recording` left half done. Hold the folder's lock."""
        beside = _beside(reference.path)
        if self.at(beside).is_file() and canonical.sha256_file(self.at(beside)) == reference.sha256:
            self._settle(beside, reference.path)

    def _settle(self, beside: str, relative: str) -> None:
        place = self.at(relative)
        self.at(beside).replace(place)
        _sync(place.parent)

    @contextlib.contextmanager
    def replacing(self, relative: str) -> Iterator[Path]:
        """A temporary path in the same folder that takes the place of `relative` when the block ends well."""
        place = self.at(relative)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=place.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            temporary.replace(place)
            _sync(place.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def clear_unfinished(self, *relatives: str) -> None:
        """Remove what writers of these files have left beside them when they were killed; for their only writer."""
        for relative in relatives:
            place = self.at(relative)
            for left in place.parent.glob(f".{glob.escape(place.name)}.*{place.suffix}"):
                left.unlink()

    def checked(self, reference: records.ArtifactRef) -> Path:
        """The place of an artefact whose content still has the recorded digest.

        Raises:
            IntegrityError: When it is gone or altered.
        """
        place, beside = self.at(reference.path), self.at(_beside(reference.path))
        if beside.is_file() and canonical.sha256_file(beside) == reference.sha256:
            return beside  # a kill came between naming and moving it
        if not place.is_file():
            raise errors.IntegrityError(
                f"artefact {reference.path}: expected the file of run {self.run_id}, got none. "
                "Restore it, or run again into a new folder."
            )
        found = canonical.sha256_file(place)
        if found != reference.sha256:
            raise errors.IntegrityError(
                f"artefact {reference.path}: expected sha256 {reference.sha256[:12]}…, got {found[:12]}…: it was "
                "altered after it was recorded. Restore it, or run again into a new folder."
            )
        return place

    def read_record(self, reference: records.ArtifactRef, kind: type[R]) -> R:
        """Read a record back, if it is unaltered."""
        return parse_record(self.checked(reference).read_bytes(), kind, reference.path)


def _beside(relative: str) -> str:
    """Where a record lies while it is being named."""
    pure = PurePosixPath(relative)
    return str(pure.with_name(f".{pure.name}.named"))


def _sync(directory: Path) -> None:
    """Force a new name to the disk; where folders cannot be opened (Windows) the system decides when."""
    with contextlib.suppress(PermissionError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def parse_record(content: bytes, kind: type[R], name: str) -> R:
    """A record from its JSON.

    Raises:
        IntegrityError: When it is no valid record of that kind.
    """
    try:
        return kind.model_validate_json(content)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        raise errors.IntegrityError(
            f"record {name} {where}: expected a {kind.__name__}, got: {first['msg']}. "
            "It was altered, or written by another version of proofline."
        ) from None
