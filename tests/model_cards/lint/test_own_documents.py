"""Our own documents say nothing that the linter would not let pass: every document of a run, whatever is added."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pytest

from evidence import canonical, dossier
from evidence.folder import RunFolder
from model_cards import documents
from model_cards.lint import evidence, readers, run
from model_cards.lint.model import at_least
from tests.model_cards.legal.conftest import answered

KINDS = {".md", ".html", ".docx", ".pdf"}


@pytest.fixture(scope="module")
def folder_of(dossiers: dict[str, dossier.Dossier], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Run to a folder with its records, as a run writes them, and its documents in Markdown and HTML; made once."""

    @functools.cache
    def made(name: str) -> Path:
        found = answered(dossiers["binary"]) if name == "answered" else dossiers[name]
        return write(found, tmp_path_factory.mktemp("own") / name, ("md", "html"))

    return made


def write(found: dossier.Dossier, place: Path, suffixes: tuple[str, ...]) -> Path:
    """The records of a dossier and its documents."""
    documents.render(write_records(found, place, dossier.STAGES), found, suffixes)
    return place


def write_records(found: dossier.AnyDossier, place: Path, stages: Mapping[str, tuple[str, object]]) -> RunFolder:
    """The records of a dossier, as a run writes them."""
    folder = RunFolder(place)
    folder.write_bytes("plan.json", canonical.to_bytes(found.plan))
    folder.write_bytes("run.json", canonical.to_bytes({"run_id": found.run_id, "plan_sha256": found.plan_sha256}))
    for stage, (name, _) in stages.items():
        record = getattr(found, stage, None)
        if record is not None:
            folder.write_bytes(name, canonical.to_bytes(record))
    return folder


def findings(place: Path, kinds: Collection[str] = KINDS) -> list[str]:
    """What the linter says of all documents of a folder against its records."""
    records = [
        p for p in place.rglob("*.json") if p.parent.name != "documents" or p.name in {"record.json", "answers.json"}
    ]
    index = evidence.load(tuple(sorted(records)))
    read = [readers.read(path) for path in sorted((place / "documents").iterdir()) if path.suffix in kinds]
    assert len(read) >= 2
    return [
        f"{f.sentence.place.file}, {f.sentence.place.short}: {f.rule.id}: {f.message} | {f.sentence.text}"
        for f in run.lint(read, index)
        if at_least(f.confidence, "medium")
    ]


@pytest.mark.slow
def test_markdown_of_a_run_passes(dossiers: dict[str, dossier.Dossier], tmp_path: Path) -> None:
    """No document of a run in Markdown, the form that the others say again, has a finding against its records."""
    assert not (found := findings(write(dossiers["binary"], tmp_path / "run", ("md",)), {".md"})), "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["binary", "multiclass", "regression", "answered"])
def test_documents_of_a_run_pass(folder_of: Callable[[str], Path], name: str) -> None:
    """No document of a run, of any kind, has a finding against the records of the run."""
    assert not (found := findings(folder_of(name))), "\n".join(found)


@pytest.mark.slow
def test_word_and_pdf_pass(dossiers: dict[str, dossier.Dossier], tmp_path: Path) -> None:
    """The same holds of the same documents as DOCX and PDF."""
    assert findings(write(dossiers["binary"], tmp_path / "run", ("docx", "pdf"))) == []


@pytest.mark.slow
def test_a_changed_number_in_our_words_is_found(dossiers: dict[str, dossier.Dossier], tmp_path: Path) -> None:
    """The tests above can fail: another value and another count, in the words of our documents, are reported."""
    folder = RunFolder(tmp_path / "run")
    for stage in ("evaluate", "split"):
        folder.write_bytes(dossier.STAGES[stage][0], canonical.to_bytes(getattr(dossiers["binary"], stage)))
    changed = tmp_path / "README.md"
    changed.write_text("The ROC AUC on the test rows is 0.9991, with 77,123 test rows.\n", encoding="utf-8")
    index = evidence.load((tmp_path / "run",))
    said = [f.message for f in run.lint([readers.read(changed)], index) if at_least(f.confidence, "low")]
    assert any("0.9991" in message for message in said)
    assert any("77,123" in message for message in said)
