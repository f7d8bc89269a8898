"""Plans and run folders for the tests of the text stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.language.plan import LanguagePlan
from evidence import language_records
from evidence.folder import RunFolder
from factory.text import clean, ingest, shards

PYTHON = {
    "id": "python-docs",
    "source": {"kind": "python_documentation"},
    "provenance": {"title": "Documentation of Python", "origin": "public", "licence": "PSF-2.0"},
    "language": "en",
    "domain": "documentation",
}


def plan(*corpora: Mapping[str, Any], **sections: Any) -> LanguagePlan:
    """A plan of a language model with these corpora; sections replace whole sections."""
    return LanguagePlan.model_validate(
        {
            "version": 1,
            "task": "language_model",
            "system": {
                "id": "test_model",
                "name": "Test model",
                "version": "0.1.0",
                "provider": {"name": "Test GmbH"},
                "intended_purpose": "Tests.",
            },
            "corpora": corpora or [PYTHON],
            "training": {"steps": 1},
            "policy": {"gates": [{"check": "language.bits_per_byte", "at_most": 8.0}]},
        }
        | sections
    )


def files(*paths: str, **source: Any) -> dict[str, Any]:
    """A corpus of files; `language`, `domain` and `id` are its own, the rest belongs to the source."""
    own = {key: source.pop(key) for key in ("language", "domain", "id", "provenance") if key in source}
    return {
        "id": "files",
        "source": {"kind": "files", "path": paths, **source},
        "provenance": {"title": "Files", "origin": "public", "licence": "CC0-1.0"},
    } | own


def ingested(tmp_path: Path, declared: LanguagePlan) -> tuple[RunFolder, language_records.CorpusRecord]:
    """The corpora of a plan, whose files lie in `tmp_path`, in a run folder there."""
    folder = RunFolder(tmp_path / "runs" / "r")
    return folder, ingest.ingest(folder, declared, tmp_path)


def cleaned(
    tmp_path: Path, declared: LanguagePlan
) -> tuple[RunFolder, language_records.CorpusRecord, language_records.CleaningRecord]:
    """The same, cleaned."""
    folder, corpus = ingested(tmp_path, declared)
    return folder, corpus, clean.clean(folder, declared, corpus, tmp_path)


def of_texts(
    tmp_path: Path, texts: Sequence[str], **sections: Any
) -> tuple[RunFolder, LanguagePlan, language_records.CleaningRecord]:
    """Texts of one line each as a cleaned corpus of English, language identification and near duplicates off."""
    (tmp_path / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    quick = {"identification": {"enabled": False}, "near_duplicates": {"enabled": False}}
    declared = plan(files("texts.txt", document="line", language="en"), **({"cleaning": quick} | sections))
    folder, _, cleaning = cleaned(tmp_path, declared)
    return folder, declared, cleaning


def texts(folder: RunFolder, record: language_records.CorpusRecord | language_records.CleaningRecord) -> list[str]:
    """The stored texts, in order."""
    return [row[0] for row in shards.rows(folder, record.shards, ["text"])]
