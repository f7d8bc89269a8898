"""The cleaned documents of one part of the split, streamed in their order. Knows nothing about tokens."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow.parquet as pq

from configs import errors
from evidence import language_records, records
from evidence.folder import RunFolder
from factory.text import shards

COLUMNS = ("document", "corpus", "language", "domain", "text")


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """One cleaned document."""

    document: str
    """Its digest."""
    corpus: str
    language: str
    domain: str
    text: str


def of_part(
    folder: RunFolder,
    cleaning: language_records.CleaningRecord,
    manifest: records.SplitManifest,
    role: records.Role,
    *,
    without: Collection[str] = (),
) -> Iterator[list[Document]]:
    """The documents of a part, some megabytes of text at a time.

    Args:
        folder: Run folder.
        cleaning: The cleaned text.
        manifest: Which document is in which part.
        role: The part.
        without: Digests of documents that are left out.

    Raises:
        IntegrityError: A file was altered, or text and split do not belong together.
    """
    assigned = _assignment(folder, manifest)
    for table in shards.read(folder, cleaning.shards, COLUMNS):
        columns = [table.column(name) for name in COLUMNS]
        digests = columns[0].to_pylist()
        roles = []
        for digest in digests:
            row, of = next(assigned, ("", ""))
            if row != digest:
                raise errors.IntegrityError(
                    f"split of run {folder.run_id}: expected document {digest[:12]}… next, got "
                    f"{row[:12] or 'no more'}. Text and split belong to different runs; run again into a new folder."
                )
            roles.append(of)
        wanted = [i for i, (d, of) in enumerate(zip(digests, roles, strict=True)) if of == role and d not in without]
        if wanted:
            yield [Document(*row) for row in zip(*(c.take(wanted).to_pylist() for c in columns), strict=True)]


def _assignment(folder: RunFolder, manifest: records.SplitManifest) -> Iterator[tuple[str, str]]:
    with pq.ParquetFile(folder.checked(manifest.assignment)) as file:
        for batch in file.iter_batches(columns=["_row", "_role"]):
            yield from zip(_texts(batch.column(0)), _texts(batch.column(1)), strict=True)


def _texts(column: Any) -> Sequence[str]:
    return [value.decode() if isinstance(value, bytes) else value for value in column.to_pylist()]
