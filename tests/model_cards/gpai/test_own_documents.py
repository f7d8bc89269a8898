"""The documents of a language model say nothing that the claims linter would not let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence import canonical, language_dossier
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from model_cards.gpai import documents
from tests.model_cards.lint.test_own_documents import findings


def write(found: LanguageDossier, place: Path, suffixes: tuple[str, ...]) -> Path:
    """The records of a dossier and its documents."""
    folder = RunFolder(place)
    folder.write_bytes("plan.json", canonical.to_bytes(found.plan))
    folder.write_bytes("run.json", canonical.to_bytes({"run_id": found.run_id, "plan_sha256": found.plan_sha256}))
    for stage, (name, _) in language_dossier.STAGES.items():
        record = getattr(found, stage, None)
        if record is not None:
            folder.write_bytes(name, canonical.to_bytes(record))
    documents.render(folder, found, suffixes)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("run", ["bare", "whole", "tuned"])
def test_documents_of_a_run_pass(runs: dict[str, LanguageDossier], run: str, tmp_path: Path) -> None:
    """No document of a run has a finding against the records of the run."""
    assert not (found := findings(write(runs[run], tmp_path / run, ("md", "html")))), "\n".join(found)


@pytest.mark.slow
def test_word_and_pdf_pass(runs: dict[str, LanguageDossier], tmp_path: Path) -> None:
    """The same holds of the same documents as DOCX and PDF."""
    assert not (found := findings(write(runs["whole"], tmp_path / "run", ("docx", "pdf")))), "\n".join(found)
