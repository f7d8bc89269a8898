"""Writing the report of a comparison: the record, and the document in every format. The same record, the same bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from evidence import storage
from evidence.diff_records import DiffRecord
from evidence.folder import RunFolder
from model_cards import documents
from model_cards.modification import document, places

NAME = "modification"
FORMATS = ("html", "md", "pdf", "docx")


def write(record: DiffRecord, into: Path, suffixes: Collection[str] = FORMATS) -> tuple[Path, ...]:
    """Write the document in its formats, and the record as `modification.json`, into a folder, made where it is absent.

    Raises:
        StorageError: The folder cannot be written.
    """
    made = document.tree_of(record)
    at = dt.datetime.fromisoformat(record.after.finished_at)
    with storage.explained(f"folder {into}"):
        into.mkdir(parents=True, exist_ok=True)
        folder = RunFolder(into)
        for suffix in suffixes:
            folder.write_bytes(f"{NAME}.{suffix}", documents.in_format(made, NAME, suffix, at))
        folder.write_record(places.RECORD, record)
    return tuple(into / f"{NAME}.{suffix}" for suffix in (*suffixes, "json"))
