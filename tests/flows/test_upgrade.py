"""After an upgrade: what a closed run measured stands; its documents take in what persons and facilities say."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import pytest

from configs import errors
from evidence import ledger, software
from flows import cli, stages, workspace
from tef_export import keys, verify
from tef_export.metadata import attestations

pytestmark = pytest.mark.slow

OTHER = "5" * 64
SAID = """\
version: 1
system: {system}
by: {{person: Ada Test, role: head of nursing, at: "2026-11-20"}}
answers:
  - id: stop
    text: The nurse in charge switches it off.
"""


@pytest.fixture
def upgraded(space: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace with a finished run, looked at by another version of the code, with another package."""
    monkeypatch.setattr(software, "code_sha256", lambda: OTHER)
    installed = software.packages()
    monkeypatch.setattr(software, "packages", lambda: {**installed, "numpy": "99.0"})
    return space


def typed(*words: object) -> int:
    """The exit code of the command line in this process."""
    with pytest.raises(SystemExit) as leaving:
        cli.main([str(word) for word in words])
    return int(leaving.value.code or 0)


def _run(space: Path) -> Path:
    return next((space / "runs").iterdir())


def _finished(path: Path) -> list[str]:
    return [str(line.stage) for line in ledger.Ledger.read(path).lines if line.event == "finished"]


def test_only_the_documents_are_made_anew(upgraded: Path) -> None:
    """No measuring stage is done again; the record tells what measured from what wrote the documents."""
    path = _run(upgraded)
    before, done = workspace.dossier(path), _finished(path)
    assert before.close is not None
    assert before.close.documents_by is None
    assert "documents_by" not in json.loads((path / "run.json").read_bytes())
    assert typed("run", path, "--resume", "--engine", "plain") in (0, 1, 4)
    assert _finished(path) == [*done, *stages.WRITING]
    after = workspace.dossier(path).close
    assert after is not None
    assert after.code_sha256 == before.close.code_sha256 != OTHER
    assert after.software == before.close.software
    assert after.environment == before.close.environment
    assert after.documents_by is not None
    assert after.documents_by.code_sha256 == OTHER
    assert after.documents_by.software["numpy"] == "99.0"


def test_it_can_be_answered_approved_and_released(upgraded: Path) -> None:
    """The bundle is one that the reader accepts, and its provenance names both digests of code."""
    path = _run(upgraded)
    system = workspace.dossier(path).plan.system.id
    (upgraded / "answers").mkdir(exist_ok=True)
    (upgraded / "answers" / f"{system}.yaml").write_text(SAID.format(system=system), encoding="utf-8")
    assert typed("answer", path, "--file") == 0
    stated = workspace.dossier(path).answers
    assert stated is not None
    assert any(s.status == "stated" for s in stated.statements)
    assert typed("approve", path, "--demonstration") == 0
    assert typed("release", path, "--demonstration") == 0
    bundle = next((upgraded / "bundles").glob("*.zip"))
    answer = verify.verify(
        bundle, public_key=keys.load_public(bundle.with_suffix(".pub.pem")), allow_demonstration=True
    )
    assert answer.ok
    with zipfile.ZipFile(bundle) as held:
        name = next(n for n in held.namelist() if n.endswith(attestations.BUILD))
        statement = json.loads(base64.b64decode(json.loads(held.read(name))["payload"]))
    used = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    named = {entry["name"]: entry["digest"].get("sha256") for entry in used}
    assert named["code of proofline that wrote the documents"] == OTHER
    assert named["code of proofline"] not in (None, OTHER)


def test_documents_that_were_begun_anew_and_not_finished_are_not_signed(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a kill in the middle of rendering, approval and release say how to complete the run; then both work."""
    path = _run(space)
    assert typed("approve", path, "--demonstration") == 0
    ledger.Ledger.open(path).append("started", stage="document", key="0" * 64)
    for words in (("approve", path, "--demonstration"), ("release", path, "--demonstration")):
        assert typed(*words) == errors.EXIT_FAIL
        assert "begun anew and interrupted. Complete it with `proofline run" in capsys.readouterr().err
    assert typed("run", path, "--resume", "--engine", "plain") in (0, 1, 4)


def test_a_question_without_a_terminal_is_told_as_such(
    space: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody stopped the command: it asked, and the input had ended."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert typed("approve", _run(space), "--refuse") == errors.EXIT_USAGE
    assert "got the end of the input. Give it as an option" in capsys.readouterr().err


def test_a_run_that_is_not_closed_is_refused(upgraded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would go on measuring with other code than it committed."""
    path = _run(upgraded)
    chain = ledger.Ledger.read(path).lines
    decided = next(n for n, line in enumerate(chain) if line.event == "started" and line.stage == "evaluate")
    kept = (path / "ledger.jsonl").read_bytes().splitlines(keepends=True)[: decided + 1]
    (path / "ledger.jsonl").write_bytes(b"".join(kept))
    (path / "ledger.head").write_text(json.dumps({"lines": decided, "sha256": chain[decided].previous}))
    assert typed("run", path, "--resume", "--engine", "plain") == errors.EXIT_FAIL
    assert "proofline was changed since" in capsys.readouterr().err
