"""`proofline diff` on real runs and a real bundle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from tests.flows import plans

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
DECLARED = {
    "id": "yearly",
    "title": "Retraining once a year",
    "may_change": {"plan": ["training.seed"], "retraining": True},
    "limits": {"metrics": [{"check": "performance.roc_auc", "worse_by_at_most": 0.9}]},
    "rationale": "Small steps.",
}


def call(*arguments: object) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main([str(a) for a in arguments])
    return int(leaving.value.code or 0)


def quick(**changes: Any) -> dict[str, Any]:
    content = plans.plan()
    content["predetermined_changes"] = [DECLARED]
    content["policy"]["replicates"] = 100
    content["training"]["epochs"] = 2
    content["policy"]["robustness"] = {"noise": [0.1], "missing": [0.1], "attack": {"steps": 1, "rows": 10}}
    for section, values in changes.items():
        content[section] |= values
    return content


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two finished runs of one system: the second has another seed."""
    place = tmp_path_factory.mktemp("space")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROOFLINE_DATA", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for seed, version in ((0, "1.0.0"), (1, "1.1.0")):
            content = quick(training={"seed": seed}, system={"version": version})
            call("-w", place, "run", plans.write(place, content), "--engine", "plain")
    assert len(runs(place)) == 2
    return place


def runs(space: Path) -> list[str]:
    from flows.workspace import Workspace

    return [path.name for path in Workspace(space).all()]


def test_two_runs_are_compared_and_written(space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another seed lies within what was declared; the model and its measures are compared row by row."""
    first, second = runs(space)
    code = call("-w", space, "diff", first, second, "--output", tmp_path / "out")
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "modification.json").read_text(encoding="utf-8"))
    changes = {c["place"]: c["verdict"] for c in found["changes"]}
    assert changes["plan: training.seed"] == changes["model/record.json: graph"] == "within"
    assert changes["plan: system.version"] == "follows"
    assert found["rows"]["same_test_rows"]
    assert sum(m["paired"] for m in found["measures"]) > 10
    assert "Declared beforehand" in said
    assert "a named person" in said
    codes = {"within": errors.EXIT_PASS, "outside": errors.EXIT_FAIL, "cannot_tell": errors.EXIT_INCONCLUSIVE}
    assert code == codes[found["outcome"]]
    for kind in ("html", "md"):
        assert "Quick plan" in (tmp_path / "out" / f"modification.{kind}").read_text(encoding="utf-8")


def test_a_copy_of_a_run_is_identical(space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is said to be, with exit code 0."""
    shutil.copytree(space / "runs" / runs(space)[0], tmp_path / "copy")
    assert call("-w", space, "diff", runs(space)[0], tmp_path / "copy") == errors.EXIT_PASS
    assert "Nothing differs." in capsys.readouterr().out


def test_the_record_is_given_as_json(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Valid against the committed schema."""
    import jsonschema

    from evidence import schema

    call("-w", space, "diff", *runs(space), "--json")
    found = json.loads(capsys.readouterr().out)
    whole = json.loads(schema.FILE.read_text(encoding="utf-8"))
    jsonschema.validate(found, {"$ref": "#/$defs/DiffRecord", "$defs": whole["$defs"]})


def test_the_same_run_twice_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By name and by path."""
    name = runs(space)[0]
    assert call("-w", space, "diff", name, space / "runs" / name) == errors.EXIT_USAGE
    assert "expected two versions, got" in capsys.readouterr().err


def test_an_unfinished_run_is_refused(space: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was stopped before it was closed, with how to go on."""
    from evidence import canonical, ledger

    shutil.copytree(space / "runs" / runs(space)[0], tmp_path / "cut")
    path = tmp_path / "cut" / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    kept = lines[: next(i for i, line in enumerate(lines) if b'"stage":"close"' in line)]
    path.write_bytes(b"".join(kept))
    ledger._write_head(tmp_path / "cut", len(kept), canonical.sha256_bytes(kept[-1].rstrip()))
    assert call("-w", space, "diff", tmp_path / "cut", runs(space)[1]) == errors.EXIT_MISSING
    assert "expected a finished run, got one that is not closed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "path", ["evaluation/results.json", "evaluation/labels.npy", "data/encoded/test/y.npy", "plan.yaml"]
)
def test_altered_evidence_is_refused(
    space: Path, tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One byte more in a record, in the stored answers or in the rows, and nothing is compared."""
    shutil.copytree(space / "runs" / runs(space)[0], tmp_path / "copy")
    with (tmp_path / "copy" / path).open("ab") as stream:
        stream.write(b" ")
    assert call("-w", space, "diff", tmp_path / "copy", runs(space)[1]) == errors.EXIT_FAIL
    assert path in capsys.readouterr().err


def test_a_key_for_a_run_folder_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key says nothing about a folder that nobody signed."""
    assert call("-w", space, "diff", *runs(space), "--key-a", "some.pem") == errors.EXIT_USAGE
    assert "expected --key-a with a bundle" in capsys.readouterr().err


def test_a_missing_run_is_named(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the runs that there are."""
    assert call("-w", space, "diff", "no-such-run", runs(space)[0]) == errors.EXIT_MISSING
    assert "expected a run folder or its name" in capsys.readouterr().err


@pytest.fixture(scope="module")
def bundle(space: Path) -> Path:
    """The first run as a demonstration bundle."""
    name = runs(space)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(space)
        assert call("approve", name, "--demonstration") == errors.EXIT_PASS
        assert call("release", name, "--demonstration", "--engine", "plain") == errors.EXIT_PASS
    return next((space / "bundles").glob("*.zip"))


def test_a_bundle_is_verified_before_it_is_compared(
    space: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key it is not opened; with its key it is compared with a run, from the numbers alone."""
    second = runs(space)[1]
    assert call("-w", space, "diff", bundle, second) == errors.EXIT_USAGE
    assert f"expected --key-a FILE or --fingerprint-a HEX for the bundle {bundle}" in capsys.readouterr().err
    key = next(bundle.parent.glob("*.pub.pem"))
    assert call("-w", space, "diff", bundle, second, "--key-a", key) == errors.EXIT_FAIL
    assert "is not accepted, and nothing in it was read" in capsys.readouterr().err
    call("-w", space, "diff", bundle, second, "--key-a", key, "--demonstration", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["before"]["kind"], found["after"]["kind"]) == ("bundle", "run")
    assert found["before"]["demonstration"]
    assert found["measures"]
    assert not any(m["paired"] for m in found["measures"])
    assert {c["place"]: c["verdict"] for c in found["changes"]}["plan: training.seed"] == "within"


def test_an_altered_bundle_is_not_read(
    space: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flipped byte ends it, with the reader's words."""
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "altered.zip").write_bytes(content)
    key = next(bundle.parent.glob("*.pub.pem"))
    code = call("-w", space, "diff", tmp_path / "altered.zip", runs(space)[1], "--key-a", key, "--demonstration")
    assert code == errors.EXIT_FAIL
    assert "nothing in it was read" in capsys.readouterr().err
