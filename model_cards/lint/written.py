"""What a run wrote: its documents with the digests that it recorded, in a run folder or a bundle."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from configs import errors
from evidence import canonical
from evidence.folder import parse_record
from evidence.ledger import Ledger
from evidence.records import DocumentsRecord
from model_cards.lint import packed
from model_cards.lint.packed import Place

FORMATS = {"markdown": ".md", "html": ".html", "docx": ".docx", "pdf": ".pdf"}
"""Name of a format, as readers give it, to the ending of its files."""
_STAGE = "document"
_IN_BUNDLE = "data/evidence/documents.json"


@dataclasses.dataclass(frozen=True)
class Written:
    """The documents of one run."""

    run_id: str
    base: Place
    """What the paths of the record are relative to."""
    digests: dict[str, str]
    """Path to SHA-256, of the documents that people read; empty where the record itself was altered."""
    altered: str = ""
    """Why nothing can be compared: what of the record was altered. Empty where it is whole."""

    def named(self, name: str) -> list[str]:
        """The forms of a document by the name of one of them without its ending, in the order of `FORMATS`."""
        found = [path for path in self.digests if PurePosixPath(path).stem == name]
        return sorted(found, key=lambda path: list(FORMATS.values()).index(PurePosixPath(path).suffix))

    def shown(self, path: str) -> str:
        """The place of a document, for a person."""
        return str(self.base.joinpath(path))

    def content(self, path: str) -> bytes | None:
        """The bytes of a document as they were recorded; None where the file is gone or has another digest."""
        try:
            found = packed.read_bytes(self.base.joinpath(path), f"document {self.shown(path)}")
        except errors.UnreadableError:
            return None
        return found if canonical.sha256_bytes(found) == self.digests[path] else None


def find(files: Iterable[Place]) -> tuple[Written, ...]:
    """The runs whose record of documents is among files of evidence, each once."""
    return tuple(_found(files))


def _found(files: Iterable[Place]) -> Iterator[Written]:
    for file in files:
        folder = packed.parent(file)
        root = packed.parent(folder)
        if (folder.name, file.name) == ("documents", "record.json") and root.joinpath("ledger.jsonl").is_file():
            yield _read(file, root, root.joinpath("run.json"), root.name)
        elif (folder.name, file.name) == ("evidence", "documents.json") and root.name == "data":
            yield _read(file, root, root.joinpath("evidence/run.json"), packed.parent(root).name)


def _read(file: Place, base: Place, run: Place, otherwise: str) -> Written:
    """The record of one run, held to the digest that the ledger, or the manifest of the bundle, has of it."""
    what = f"record {file}"
    run_id = otherwise
    try:
        if run.is_file():
            run_id = str(json.loads(packed.read_bytes(run, what))["run_id"])
        content = packed.read_bytes(file, what)
        expected = _recorded_digest(base)
        if canonical.sha256_bytes(content) != expected:
            return Written(run_id, base, {}, f"{file} is not the record of documents that the run wrote")
        listed = parse_record(content, DocumentsRecord, str(file)).documents
    except (errors.ProoflineError, ValueError, KeyError, TypeError) as error:
        return Written(run_id, base, {}, str(error).rstrip("."))
    return Written(run_id, base, {one.path: one.sha256 for one in listed if _is_document(one.path)})


def _is_document(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.parts[:1] == ("documents",) and ".." not in pure.parts and pure.suffix in FORMATS.values()


def _recorded_digest(base: Place) -> str | None:
    """SHA-256 of the record of documents: by the ledger of a run folder, or by the manifest of a bundle.

    Raises:
        IntegrityError: The ledger was altered.
        UnreadableError: There is no manifest.
    """
    if isinstance(base, Path) and base.joinpath("ledger.jsonl").is_file():
        reference = Ledger.read(base).finished(_STAGE)
        return reference.sha256 if reference else None
    manifest = packed.parent(base).joinpath("manifest-sha256.txt")
    lines = packed.read_bytes(manifest, f"manifest {manifest}").decode("utf-8", "replace").splitlines()
    listed = (line.partition("  ") for line in lines)
    return next((sha256 for sha256, _, path in listed if path == _IN_BUNDLE), None)
