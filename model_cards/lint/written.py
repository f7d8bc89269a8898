"""What a run wrote: its documents with the digests that it recorded, in a run folder or a bundle."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from configs import errors
from evidence import canonical
from evidence.folder import parse_record
from evidence.ledger import Ledger
from evidence.records import Approval, DocumentsRecord
from model_cards.lint import packed
from model_cards.lint.packed import Place

FORMATS = {"markdown": ".md", "html": ".html", "docx": ".docx", "pdf": ".pdf"}
"""Name of a format, as readers give it, to the ending of its files."""
_IN_BUNDLE: dict[str, type[DocumentsRecord | Approval]] = {
    "evidence/documents.json": DocumentsRecord,
    "evidence/approval.json": Approval,
}
"""Where a bundle holds the records that list documents, below `data/`."""
_DRAFTS_IN_BUNDLE = "evidence/declaration"


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

    @functools.cached_property
    def documents(self) -> tuple[tuple[str, ...], ...]:
        """The paths of each document, one for each of its forms in the order of `FORMATS`."""
        found: dict[PurePosixPath, list[str]] = {}
        order = list(FORMATS.values())
        for path in sorted(self.digests, key=lambda path: order.index(PurePosixPath(path).suffix)):
            found.setdefault(PurePosixPath(path).with_suffix(""), []).append(path)
        return tuple(map(tuple, found.values()))

    def named(self, name: str) -> list[tuple[str, ...]]:
        """The documents whose files have a name, without its ending. A declaration may have been drafted anew."""
        return [forms for forms in self.documents if PurePosixPath(forms[0]).stem == name]

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
            yield _read(root, root.joinpath("run.json"), root.name)
        elif (folder.name, file.name) == ("evidence", "documents.json") and root.name == "data":
            yield _read(root, root.joinpath("evidence/run.json"), packed.parent(root).name)


def _read(base: Place, run: Place, otherwise: str) -> Written:
    """What a run wrote, by lists that are held to the digests which the ledger, or the manifest of a bundle, has."""
    run_id = otherwise
    digests: dict[str, str] = {}
    try:
        if run.is_file():
            run_id = str(json.loads(packed.read_bytes(run, f"record {run}"))["run_id"])
        for path, sha256, kind in _lists(base):
            file = base.joinpath(path)
            content = packed.read_bytes(file, f"record {file}")
            if canonical.sha256_bytes(content) != sha256:
                return Written(run_id, base, {}, f"{file} is not the record of documents that the run wrote")
            digests |= _documents(parse_record(content, kind, str(file)), in_bundle=not _is_run_folder(base))
    except (errors.ProoflineError, ValueError, KeyError, TypeError) as error:
        return Written(run_id, base, {}, str(error).rstrip("."))
    return Written(run_id, base, digests)


def _is_run_folder(base: Place) -> bool:
    return base.joinpath("ledger.jsonl").is_file()


def _lists(base: Place) -> Iterator[tuple[str, str, type[DocumentsRecord | Approval]]]:
    """The records that list documents: path, digest, kind. An approval lists the draft declaration made beside it.

    Raises:
        IntegrityError: The ledger was altered.
        UnreadableError: A bundle without a manifest.
    """
    if isinstance(base, Path) and _is_run_folder(base):
        chain = Ledger.read(base)
        if reference := chain.finished("document"):
            yield reference.path, reference.sha256, DocumentsRecord
        for line in chain.lines:
            if line.event == "approved" and line.record:
                yield line.record.path, line.record.sha256, Approval
        return
    manifest = packed.parent(base).joinpath("manifest-sha256.txt")
    lines = packed.read_bytes(manifest, f"manifest {manifest}").decode("utf-8", "replace").splitlines()
    listed = {path: sha256 for sha256, _, path in (line.partition("  ") for line in lines)}
    for path, kind in _IN_BUNDLE.items():
        if f"data/{path}" in listed:
            yield path, listed[f"data/{path}"], kind


def _documents(record: DocumentsRecord | Approval, *, in_bundle: bool) -> dict[str, str]:
    """Path to digest of the documents that people read, as a record lists them."""
    if isinstance(record, DocumentsRecord):
        found = {one.path: one.sha256 for one in record.documents}
    else:
        found = {one.path: one.sha256 for one in record.declaration}
        if in_bundle:
            found = {f"{_DRAFTS_IN_BUNDLE}/{PurePosixPath(path).name}": sha256 for path, sha256 in found.items()}
    return {path: sha256 for path, sha256 in found.items() if _is_document(path)}


def _is_document(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and not {"..", "\\"} & {*pure.parts, *path} and pure.suffix in FORMATS.values()
