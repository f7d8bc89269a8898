"""A run with its documents, ledger and record as a run leaves them, and documents of it with one thing altered."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from evidence import canonical, clock
from evidence.dossier import Dossier
from evidence.folder import RunFolder
from evidence.ledger import Ledger
from evidence.records import Approval, DocumentsRecord
from model_cards import documents, localise, refs, tree
from model_cards.legal import registry
from model_cards.tree import Block, Document, Paragraph, Section, Table

DOCUMENT = "annex_iv"
SUFFIXES = ("md", "html", "docx", "pdf")
ROW = ("Recall of nobody", "overall", "0.991", "[0.985, 0.996]", "at least 0.7", "pass")


def document_of(dossier: Dossier, language: str = "en") -> Document:
    """The technical documentation of a run."""
    return localise.build(registry.BUILDERS[DOCUMENT], refs.book(dossier), language)


def render(document: Document, dossier: Dossier, suffix: str) -> bytes:
    """It in one format, as a run writes it."""
    return documents.in_format(document, DOCUMENT, suffix, dt.datetime.fromisoformat(dossier.gate.at))


def run(
    dossier: Dossier, place: Path, suffixes: tuple[str, ...] = SUFFIXES, translated: tuple[str, ...] = ()
) -> RunFolder:
    """A run folder with the technical documentation, its record, and the ledger that names it.

    Args:
        dossier: The records.
        place: The folder, to be made.
        suffixes: Formats of the English one.
        translated: Languages in which it is there in Markdown, too.
    """
    folder = RunFolder(place)
    files = {f"{DOCUMENT}.{suffix}": render(document_of(dossier), dossier, suffix) for suffix in suffixes}
    for language in translated:
        files[f"{DOCUMENT}.{language}.md"] = render(document_of(dossier, language), dossier, "md")
    written = [folder.write_bytes(f"documents/{name}", content) for name, content in files.items()]
    folder.write_bytes("run.json", canonical.to_bytes({"run_id": dossier.run_id}))
    ledger = Ledger.create(folder.path, {})
    with folder.recording("documents/record.json", DocumentsRecord(documents=tuple(written))) as reference:
        ledger.append("finished", stage="document", record=reference)
    return folder


def approve(folder: RunFolder, draft: bytes) -> Path:
    """An approval that names a draft of the same file name as the document; gives the draft."""
    run_id = json.loads((folder.path / "run.json").read_text(encoding="utf-8"))["run_id"]
    name = f"approvals/001/{DOCUMENT}.md"
    reference = folder.write_bytes(name, draft.replace(b"RUN", run_id.encode()))
    approval = Approval(
        run_id=run_id,
        run_sha256="0" * 64,
        documents_sha256="0" * 64,
        decision="approved",
        person="Ada Example",
        role="Head of quality",
        reason="All criteria are met.",
        at=clock.now(),
        declaration=(reference,),
    )
    Ledger.read(folder.path).append("approved", record=folder.write_record("approvals/001.json", approval))
    return folder.path / name


def bundle(folder: RunFolder, place: Path, record: bytes | None = None) -> Path:
    """The documents of a run folder as a bundle holds them; with another record of them where one is given."""
    written = (folder.path / "documents" / "record.json").read_bytes()
    manifest = f"{hashlib.sha256(written).hexdigest()}  data/evidence/documents.json\n"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("system-1/manifest-sha256.txt", manifest)
        archive.writestr("system-1/data/evidence/documents.json", record or written)
        archive.writestr("system-1/data/evidence/run.json", (folder.path / "run.json").read_bytes())
        for file in sorted((folder.path / "documents").glob(f"{DOCUMENT}*")):
            archive.writestr(f"system-1/data/documents/{file.name}", file.read_bytes())
    return place


def with_digit(document: Document) -> Document:
    """One digit of a measured value is another: the first cell of three decimals, 0.7xx or 0,7xx as 0.9xx."""
    return _first_table(document, lambda rows: tuple(tuple(map(_more, row)) for row in rows[:1]) + rows[1:])


def _more(cell: tree.Parts) -> tree.Parts:
    said = tree.plain(cell)
    numeric = said.replace(",", ".").replace(".", "", 1).isdecimal()
    return (f"{said[:2]}9{said[3:]}",) if numeric and len(said) == 5 and said[2] != "9" else cell


def without_row(document: Document) -> Document:
    """The first row of the table of what is required is gone."""
    return _first_table(document, lambda rows: rows[1:])


def with_row(document: Document) -> Document:
    """A row of a check that never was stands before the others."""
    return _first_table(document, lambda rows: (tuple((cell,) for cell in ROW), *rows))


def with_word(document: Document) -> Document:
    """One word of the first long paragraph is another."""
    done = False

    def change(block: Block) -> Block:
        nonlocal done
        said = tree.plain(block.content) if isinstance(block, Paragraph) else ""
        if done or len(said.split()) < 8 or not isinstance(block, Paragraph):
            return block
        done = True
        first, second, *rest = said.split()
        return dataclasses.replace(block, content=(" ".join((first, f"never{second}", *rest)),))

    return _blocks(document, change)


def _first_table(document: Document, change: Callable[[tuple[tuple[tree.Parts, ...], ...]], object]) -> Document:
    done = False

    def altered(block: Block) -> Block:
        nonlocal done
        if done or not isinstance(block, Table) or len(block.columns) != len(ROW):
            return block
        done = True
        return dataclasses.replace(block, rows=change(block.rows))

    return _blocks(document, altered)


def _blocks(document: Document, change: Callable[[Block], Block]) -> Document:
    def within(section: Section) -> Section:
        blocks = tuple(change(block) for block in section.blocks)
        return dataclasses.replace(section, blocks=blocks, sections=tuple(map(within, section.sections)))

    return dataclasses.replace(document, sections=tuple(map(within, document.sections)))
