"""From a plan to a verified bundle, on real measurements, with real keys; and every refusal on the way."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from configs import errors
from evidence import ledger, records

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


WHO = ("--person", "P. Tester", "--role", "tester", "--reason", "a test of it", "--key", "keys/test.key.pem")


def call(*arguments: object) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main([str(a) for a in arguments])
    return int(leaving.value.code or 0)


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
    who = ("--person", "P. Tester", "--role", "tester", "--reason", "a test of it", "--key", "keys/test.key.pem")
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


def test_what_leaves_is_shown_and_a_dry_run_writes_nothing(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file with its digest, as JSON too; afterwards there is no bundle and no new line in the ledger."""
    assert approve(space) == errors.EXIT_PASS
    lines = len(ledger.Ledger.open(run_of(space)).lines)
    capsys.readouterr()
    assert call("release", "last", "--dry-run", "--json") == errors.EXIT_PASS
    found = json.loads(capsys.readouterr().out)
    assert "data/model/model.onnx" in {file["path"] for file in found["files"]}
    assert "P. Tester (tester; approval" in found["persons"][0]
    assert call("release", "last", "--dry-run") == errors.EXIT_PASS
    assert "Nothing was written." in capsys.readouterr().out
    assert not (space / "bundles").exists()
    assert len(ledger.Ledger.open(run_of(space)).lines) == lines


def test_what_left_stays_in_the_run_folder(space: Path) -> None:
    """The report of what left is kept, and the ledger names its digest."""
    assert approve(space) == errors.EXIT_PASS
    assert release() == errors.EXIT_PASS
    kept = (run_of(space) / "bundle/leaving.json").read_bytes()
    line = ledger.Ledger.open(run_of(space)).lines[-1]
    assert line.event == "released"
    assert line.details["leaving_sha256"] == hashlib.sha256(kept).hexdigest()


def test_a_no_to_what_leaves_writes_nothing(
    space: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal the person is asked, and no is an answer."""
    import click

    assert approve(space) == errors.EXIT_PASS
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    assert release() == errors.EXIT_FAIL
    assert "got a no. Nothing was written" in capsys.readouterr().err
    assert not (space / "bundles").exists()


def test_no_release_without_an_approval(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody's decision is nobody's release."""
    assert release() == errors.EXIT_FAIL
    assert "expected an approval, got none" in capsys.readouterr().err


def test_no_release_after_a_refusal(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is kept with its reason, and stops the release."""
    assert call("approve", "last", *WHO, "--refuse") == errors.EXIT_PASS
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
    place = run_of(space) / "approvals/001.json"
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


def sign(space: Path, **changed: Any) -> None:
    """Put an approval into the run folder that the command would not have made, rightly signed."""
    from evidence.folder import RunFolder
    from flows import approval
    from tef_export import approval as signing
    from tef_export import keys

    made = approval.standing(run_of(space))
    assert made is not None
    bare = made.model_copy(update={"signature": None, **changed})
    signed = signing.sign_approval(bare, keys.load_private(space / "keys/test.key.pem", None))
    chain = ledger.Ledger.open(run_of(space))
    chain.append("approved", record=RunFolder(run_of(space)).write_record("approvals/009.json", signed))


def test_approving_needs_a_reason_for_every_open_gate(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Approving is accepting what did not pass, one by one; the open ones are listed with what to type."""
    gate = json.loads((run_of(space) / "evaluation/gate.json").read_text())
    assert gate["outcome"] != "pass", "the quick plan is meant to leave something open"
    assert call("approve", "last", *WHO) == errors.EXIT_FAIL
    assert "--waive '" in capsys.readouterr().err


def test_release_looks_at_the_waivers_itself(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An approval made by other means, without waivers or with expired ones, is refused."""
    assert approve(space) == errors.EXIT_PASS
    from flows import approval

    made = approval.standing(run_of(space))
    assert made is not None
    sign(space, waivers=tuple(w.model_copy(update={"expires": "2020-01-01"}) for w in made.waivers))
    assert release() == errors.EXIT_FAIL
    assert "expired" in capsys.readouterr().err
    first, *rest = made.waivers
    sign(space, waivers=(first.model_copy(update={"expires": "2020-01-01"}), *rest))
    assert release() == errors.EXIT_FAIL, "one of several has expired"
    assert "got 1 expired (until 2020-01-01)" in capsys.readouterr().err
    call("show", "last")
    assert "expired 2020-01-01" in capsys.readouterr().out
    sign(space, waivers=())
    assert release() == errors.EXIT_FAIL
    assert "--waive" in capsys.readouterr().err


def test_a_waiver_of_something_else_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A waiver names an open gate, or it is a mistake."""
    assert approve(space, "--waive", "performance.accuracy=no") == errors.EXIT_USAGE
    assert "Open are" in capsys.readouterr().err


@pytest.mark.parametrize("date", ["2020-03-31", "2099-01-01", "soon"])
def test_a_waiver_ends_within_a_year(space: Path, date: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Past, far away and unreadable dates are refused before anything is signed."""
    assert approve(space, "--expires", date) == errors.EXIT_USAGE
    assert "--expires" in capsys.readouterr().err
    assert not (run_of(space) / "approvals").exists()


def test_a_refusal_is_overturned_only_openly(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a refusal, approving needs the word; the ledger keeps both."""
    assert call("approve", "last", *WHO, "--refuse") == errors.EXIT_PASS
    assert approve(space) == errors.EXIT_FAIL
    assert "--overturn" in capsys.readouterr().err
    assert approve(space, "--overturn") == errors.EXIT_PASS
    decisions = [x.details["decision"] for x in ledger.Ledger.open(run_of(space)).lines if x.event == "approved"]
    assert decisions == ["refused", "approved"]


def test_a_refusal_accepts_nothing(space: Path) -> None:
    """Refusing and waiving at once is a mistake."""
    assert call("approve", "last", *WHO, "--refuse", "--waive", "a.b=c") == errors.EXIT_USAGE


@pytest.mark.parametrize("blank", [" ", "\u200b", "\n", "."])
def test_nobody_signs_with_a_blank_name(space: Path, blank: str) -> None:
    """A person, a role and a reason are words that a reader can see."""
    assert approve(space, "--person", blank) == errors.EXIT_USAGE
    assert not (run_of(space) / "approvals").exists()


def test_a_revoked_approval_cannot_be_put_back(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ledger's last decision counts, and its file must be the one that was recorded."""
    assert approve(space) == errors.EXIT_PASS
    assert call("approve", "last", *WHO, "--refuse") == errors.EXIT_PASS
    folder = run_of(space) / "approvals"
    shutil.copy(folder / "001.json", folder / "002.json")
    assert release() == errors.EXIT_FAIL
    assert "altered after it was recorded" in capsys.readouterr().err


def test_what_was_declared_is_measured_again_from_the_recipe_alone(space: Path) -> None:
    """Plan, contract, recipe and test rows give every repeatable value and interval again, to the last bit."""
    import dataclasses

    from checks import deployment, fairness, intervals, performance, robustness, scoring, shift, variants
    from checks._subject import Subject
    from evidence.folder import RunFolder
    from flows import workspace
    from tef_export import payload, recipe, recipe_write, rows

    found = workspace.dossier(run_of(space))
    bundle = found.plan.bundle.model_copy(update={"include_test_data": True, "include_groups": True})
    found = dataclasses.replace(found, plan=found.plan.model_copy(update={"bundle": bundle}))
    made = recipe_write.make(RunFolder(run_of(space)), found)
    asked = recipe.Recipe.model_validate_json(made[recipe.PLACE])
    contract = payload.contract(found)
    part = rows.read(made[recipe.TEST_ROWS], asked, contract)
    known = {one.name: one.model_dump() for one in asked.statistics}
    shape = {"name", "kind", "integer", "unit", "categories", "labels"}
    features = [{**feature.model_dump(include=shape), **known.get(feature.name, {})} for feature in contract.features]
    encoded = records.EncodedData(
        task=contract.task, features=features, classes=contract.classes, target=contract.target,
        target_unit=contract.target_unit, parts={},
    )  # fmt: skip
    scorer = scoring.open_model(run_of(space) / "model/model.onnx", encoded)
    drawn = intervals.Sampling(asked.sampling.level, asked.sampling.replicates, asked.sampling.seed, part.entities)
    subject = Subject(found.plan, encoded, part, scorer, scorer(part.x), drawn, None)  # type: ignore[arg-type]
    again = {
        result.check_id: result.measures
        for family in (performance, fairness, robustness, shift, deployment)
        for result in variants.measure(subject, family.measure)
    }
    declared = {result.check_id: result.measures for result in found.results()}
    repeated = [check for check in asked.checks if "training_range" not in check.needs]
    assert len(repeated) >= 10
    for check in repeated:
        assert again[check.id] == declared[check.id], check.id
