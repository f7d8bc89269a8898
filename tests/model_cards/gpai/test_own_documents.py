"""The documents of a language model say nothing that the claims linter would not let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence import language_dossier
from evidence.language_dossier import LanguageDossier
from model_cards.gpai import documents
from tests.model_cards.lint.test_own_documents import findings, write_records


def write(found: LanguageDossier, place: Path, suffixes: tuple[str, ...]) -> Path:
    """The records of a dossier and its documents."""
    folder = write_records(found, place, language_dossier.STAGES)
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
