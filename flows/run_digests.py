"""The digests that documents name, made again from the files of a run: of each file, and of the record in it."""

from __future__ import annotations

import json
from pathlib import Path

from evidence import canonical
from evidence.dossier import AnyDossier
from evidence.language_dossier import LanguageDossier
from model_cards import refs

HOW = (
    "Record: SHA-256 of its canonical form (JSON in UTF-8, keys sorted, no blanks).",
    'Evidence: the same of {"plan": its digest, "ingest": its record\'s digest, ...}; where no record is, of null.',
)


def lines(path: Path, found: AnyDossier) -> list[str]:
    """A line for the plan, the file and the record of every stage, and the evidence digest that follows from them.

    Args:
        path: The run folder.
        found: Its records, which say which stages there are.
    """
    book = _book(found)
    shown = [f"plan  {found.plan_sha256}"]
    digests: dict[str, str] = {}
    for stage in book.digests:
        name = book[stage].record
        file = path / name
        there = file.is_file()
        digests[stage] = canonical.sha256(json.loads(file.read_bytes()) if there else None)
        shown.append(f"{stage}  {name if there else 'no record'}")
        shown += [f"  file    {canonical.sha256_file(file)}"] if there else []
        shown.append(f"  record  {digests[stage]}")
    return [*shown, f"evidence  {refs.evidence_of(found.plan_sha256, digests).value}", "", *HOW]


def _book(found: AnyDossier) -> refs.Book:
    if isinstance(found, LanguageDossier):
        from model_cards.gpai import book

        return book.book(found)
    return refs.book(found)
