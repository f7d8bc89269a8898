"""From a plan to a verified bundle, on real measurements, with real keys; and every refusal on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from evidence import ledger, records
from tests.flows import plans

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def call(*arguments: object) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main([str(a) for a in arguments])
    return int(leaving.value.code or 0)


@pytest.fixture(scope="module")
def assessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished run and a key without password."""
    from tef_export import keys

    space = tmp_path_factory.mktemp("space")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROOFLINE_DATA", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        code = call("-w", space, "run", plans.write(space), "--engine", "plain")
    assert code in (errors.EXIT_PASS, errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
    keys.new_key(space / "keys", "test", None)
    return space


@pytest.fixture
def space(assessed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it that a test may spoil: run folders can be copied."""
    place = tmp_path / "space"
    shutil.copytree(assessed, place)
    monkeypatch.chdir(place)
    return place


def run_of(space: Path) -> Path:
    """The one run of a workspace."""
    return next((space / "runs").iterdir())


def approve(space: Path, *more: object) -> int:
    """Approve with everything unmet waived."""
    gate = json.loads((run_of(space) / "evaluation/gate.json").read_text())
    unmet = {
        (r["check_id"], r["slice"])
        for r in gate["reasons"]
        if r["required"] and r["status"] in ("fail", "inconclusive", "not_measured")
    }
    waivers = [word for check, part in sorted(unmet) for word in ("--waive", f"{check}@{part}=accepted in a test")]
    who = ("--person", "P. Tester", "--role", "tester", "--reason", "a test", "--key", "keys/test.key.pem")
    return call("approve", "last", *who, *waivers, *more)


def release() -> int:
    """Release the last run without Prefect."""
    return call("release", "last", "--key", "keys/test.key.pem", "--engine", "plain")


def test_approved_released_verified_and_marked_in_mlflow(space: Path) -> None:
    """The whole way with a real key: the reader accepts the bundle, the ledger holds, the model has its alias."""
    import mlflow

    assert approve(space) == errors.EXIT_PASS
    assert release() == errors.EXIT_PASS
    bundle = next((space / "bundles").glob("*.zip"))
    assert call("verify", bundle, "--key", "keys/test.pub.pem") == errors.EXIT_PASS
    events = [line.event for line in ledger.Ledger.open(run_of(space)).lines]
    assert events[-3:] == ["mirrored", "approved", "released"]
    client = mlflow.MlflowClient(f"sqlite:///{space}/.proofline/mlflow/mlflow.db")
    version = client.get_model_version_by_alias("quick-plan", "released")
    record = records.BundleRecord.model_validate_json((run_of(space) / "bundle/record.json").read_bytes())
    assert record.bundle.sha256 in version.tags.values()


def test_no_release_without_an_approval(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody's decision is nobody's release."""
    assert release() == errors.EXIT_FAIL
    assert "expected an approval, got none" in capsys.readouterr().err


def test_no_release_after_a_refusal(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is kept with its reason, and stops the release."""
    assert approve(space, "--refuse") == errors.EXIT_PASS
    assert release() == errors.EXIT_FAIL
    assert "a refusal by P. Tester: a test" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path", ["documents/report.html", "documents/README.md", "model/model.onnx", "evaluation/results.json", "run.json"]
)
def test_no_release_of_anything_changed_since(space: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One byte more in a document, the model or a record, and the release is refused with the file's name."""
    assert approve(space) == errors.EXIT_PASS
    with (run_of(space) / path).open("ab") as stream:
        stream.write(b" ")
    assert release() == errors.EXIT_FAIL
    assert path in capsys.readouterr().err


def test_no_release_with_an_altered_approval(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The signature covers who, why and every waiver."""
    assert approve(space) == errors.EXIT_PASS
    place = run_of(space) / "approval.json"
    content: dict[str, Any] = json.loads(place.read_text())
    content["person"] = "Somebody Else"
    place.write_text(json.dumps(content))
    assert release() == errors.EXIT_FAIL
    assert "Traceback" not in capsys.readouterr().err


def test_no_release_with_a_truncated_ledger(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ledger is checked before anything is written."""
    assert approve(space) == errors.EXIT_PASS
    place = run_of(space) / "ledger.jsonl"
    place.write_bytes(b"".join(place.read_bytes().splitlines(keepends=True)[:-2]))
    assert release() == errors.EXIT_FAIL
    assert "truncated" in capsys.readouterr().err
    assert not (space / "bundles").exists()


def test_a_demonstration_approval_never_releases_under_a_real_key(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody approved is not signed by somebody."""
    assert call("approve", "last", "--demonstration") == errors.EXIT_PASS
    assert release() == errors.EXIT_FAIL
    assert "got a demonstration" in capsys.readouterr().err


def test_an_unmet_required_gate_needs_a_waiver(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Approving alone is not accepting what did not pass."""
    gate = json.loads((run_of(space) / "evaluation/gate.json").read_text())
    if gate["outcome"] == "pass":
        pytest.fail("the quick plan is meant to leave something open; change it")
    who = ("--person", "P", "--role", "r", "--reason", "x", "--key", "keys/test.key.pem")
    assert call("approve", "last", *who) == errors.EXIT_PASS
    assert release() == errors.EXIT_FAIL
    assert "--waive" in capsys.readouterr().err


def test_a_waiver_of_something_else_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A waiver names an open gate, or it is a mistake."""
    who = ("--person", "P", "--role", "r", "--reason", "x", "--key", "keys/test.key.pem")
    assert call("approve", "last", *who, "--waive", "performance.accuracy=no") == errors.EXIT_USAGE
    assert "Open are" in capsys.readouterr().err
