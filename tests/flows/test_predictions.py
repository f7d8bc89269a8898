"""Given predictions from the table to the documents, through the command line; and what is refused on the way."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from configs import errors
from evidence import ledger
from tests.flows import prediction_plans
from tests.flows.test_bad_input import Say, say  # noqa: F401 - the fixture

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: object) -> int:
    """Call the command line in this process."""
    from flows import cli

    with pytest.raises(SystemExit) as leaving:
        cli.main([str(a) for a in arguments])
    return int(leaving.value.code or 0)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished run of given predictions."""
    space = tmp_path_factory.mktemp("given")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PROOFLINE_DATA", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        code = call("-w", space, "run", prediction_plans.write(space), "--engine", "plain")
    assert code == errors.EXIT_PASS
    return space


@pytest.fixture
def space(evaluated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil."""
    place = tmp_path / "space"
    shutil.copytree(evaluated, place)
    monkeypatch.chdir(place)
    return place


def run_of(space: Path) -> Path:
    """The one run of a workspace."""
    return next((space / "runs").iterdir())


@pytest.mark.slow
def test_the_run_has_the_stages_of_predictions(space: Path) -> None:
    """Nothing was trained or exported; the commitment lies before the evaluation; the run is mirrored."""
    from flows import workspace

    found = workspace.dossier(run_of(space))
    assert found.train is None
    assert found.export is None
    assert found.predictions is not None
    assert found.close is not None
    assert "predictions" in found.close.records
    assert not {"train", "export"} & set(found.close.records)
    assert found.commit.at < found.evaluate.started_at
    assert ledger.Ledger.read(run_of(space)).lines[-1].event == "mirrored"
    unanswered = [r for r in found.results() if r.check_id.startswith("robustness.")]
    assert {r.status for r in unanswered} <= {"not_measured", "not_applicable"}
    assert not any(r.measures for r in unanswered)


@pytest.mark.slow
def test_the_documents_describe_no_model(space: Path) -> None:
    """Where a model would be described stand gaps; the first page says that there was none."""
    report = (run_of(space) / "documents/report.html").read_text(encoding="utf-8")
    card = (run_of(space) / "documents/README.md").read_text(encoding="utf-8")
    for text in (report, card):
        assert "No model was given" in text
        assert "architecture and size of the model" in text
        assert "ships as an ONNX graph" not in text
        assert "Epochs" not in text
    assert "library_name" not in card
    assert "pipeline_tag" not in card


@pytest.mark.slow
def test_mlflow_holds_the_numbers_and_no_model(space: Path) -> None:
    """Metrics, datasets and digests are mirrored; no model version is made up."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{space}/.proofline/mlflow/mlflow.db")
    (line,) = [x for x in ledger.Ledger.read(run_of(space)).lines if x.event == "mirrored"]
    assert line.details["model_id"] is None
    run = client.get_run(line.details["run_id"])
    assert "performance.roc_auc" in run.data.metrics
    assert "proofline.predictions_sha256" in run.data.tags
    assert "proofline.onnx_sha256" not in run.data.tags
    assert client.search_model_versions("name = 'given-predictions'") == []


@pytest.mark.slow
def test_there_is_no_bundle_without_a_model(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release is refused in one sentence, also after an approval, and `approve` does not point to it."""
    assert call("approve", "last", "--demonstration") == errors.EXIT_PASS
    assert "proofline release" not in capsys.readouterr().out
    assert call("release", "last", "--demonstration", "--engine", "plain") == errors.EXIT_FAIL
    assert "expected a model to ship, got an evaluation of predictions" in capsys.readouterr().err
    assert not (space / "bundles").exists()


@pytest.mark.slow
def test_show_makes_the_digests_of_the_documents_again(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the files alone: the evidence digest at the head, and the record and the file of the commitment apart."""
    assert call("show", "last", "--digests") == errors.EXIT_PASS
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    run = run_of(space)
    card = (run / "documents/README.md").read_text(encoding="utf-8")
    named = [p.read_text(encoding="utf-8") for p in sorted((run / "documents").glob("*.md")) if p.stem != "README"]
    said = {digest for text in named for digest in re.findall(r"Evidence sha256 `(\w+)`", text)}
    (evidence,) = (line[1] for line in lines if line[:1] == ["evidence"])
    assert said == {evidence}
    start = next(i for i, line in enumerate(lines) if line[:1] == ["commit"])
    file, record = lines[start + 1][1], lines[start + 2][1]
    assert file == hashlib.sha256((run / "commitment.json").read_bytes()).hexdigest()
    assert record != file
    assert record in card


@pytest.mark.slow
def test_show_has_one_line_for_each_decision(
    space: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value, interval, what was asked and the rows stand on the line of the gate; --json has the same numbers."""
    monkeypatch.setenv("COLUMNS", "100")
    assert call("show", "last") == errors.EXIT_PASS
    shown = capsys.readouterr().out
    assert call("show", "last", "--json") == errors.EXIT_PASS
    first = json.loads(capsys.readouterr().out)["decisions"][0]
    line = next(text for text in shown.splitlines() if "roc_auc" in text)
    for part in (f"{first['value']:.3g}", f"[{first['low']:.3g}, {first['high']:.3g}]", "≥ 0.6", str(first["n"])):
        assert part in line


@pytest.mark.slow
def test_a_plan_altered_after_the_run_began_is_named_by_field(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which gate, which field, from what to what; a comment alone is told as one."""
    plan = run_of(space) / "plan.yaml"
    before = plan.read_text(encoding="utf-8")
    plan.write_text(before.replace("at_least: 0.6", "at_least: 0.5"), encoding="utf-8")
    assert call("run", run_of(space), "--resume", "--engine", "plain") == errors.EXIT_FAIL
    assert "policy.gates[performance.roc_auc@overall].at_least: 0.6 → 0.5." in capsys.readouterr().err
    plan.write_text(before + "# later\n", encoding="utf-8")
    assert call("run", run_of(space), "--resume", "--engine", "plain") == errors.EXIT_FAIL
    assert "only comments or layout, no value" in capsys.readouterr().err


def test_a_changed_plan_is_not_resumed_and_the_change_is_named(
    tmp_path: Path,
    say: Say,  # noqa: F811
) -> None:
    """Who resumes with another plan than the one the run began with is told what differs."""
    path = prediction_plans.write(tmp_path, frame=prediction_plans.table().drop(columns="p_yes"))
    say("run", path, "--engine", "plain")
    path.write_text(path.read_text(encoding="utf-8").replace("at_most: 0.9", "at_most: 0.8"), encoding="utf-8")
    code, said = say("run", path, "--resume", "--engine", "plain")
    assert code == errors.EXIT_MISSING
    where = "policy.gates[fairness.equal_opportunity_difference@sex].at_most"
    assert f"began with another: {where}: 0.9 → 0.8." in said


@pytest.mark.slow
def test_the_example_of_the_guide_is_a_plan() -> None:
    """Its policy can be judged, and editors accept it."""
    import jsonschema

    from checks import catalogue
    from configs import load, schema, strict_yaml

    path = ROOT / "docs/guide/examples/pneumonia_predictions.yaml"
    catalogue.check_policy(load.load(path))
    content = strict_yaml.parse(path.read_text(encoding="utf-8"), path.name)
    jsonschema.Draft202012Validator(schema.schema()).validate(content)


Spoil = Callable[[pd.DataFrame], pd.DataFrame]
SPOILED: dict[str, tuple[Spoil, str]] = {
    "a column is missing": (lambda t: t.drop(columns="p_yes"), "column 'p_yes'"),
    "a probability is missing": (
        lambda t: t.assign(p_yes=t.p_yes.where(t.index != 3)),
        "expected a value in every row",
    ),
    "probabilities above one": (lambda t: t.assign(p_yes=t.p_yes + 1), "expected probabilities between 0 and 1"),
    "an unknown label": (lambda t: t.assign(predicted="maybe"), "expected one of the labels"),
    "a row stands twice": (lambda t: pd.concat([t, t]), "expected every row's name once"),
    "the file is empty": (lambda t: t.iloc[:0], "expected rows"),
    "the attribute is missing": (lambda t: t.drop(columns="sex"), "column 'sex'"),
    "the attribute is empty": (lambda t: t.assign(sex=None), "column 'sex': expected values, got none"),
}


@pytest.mark.parametrize("what", list(SPOILED))
def test_spoiled_predictions_end_in_one_sentence(
    tmp_path: Path,
    say: Say,  # noqa: F811
    what: str,
) -> None:
    """With 2, before anything is measured."""
    spoil, said_ = SPOILED[what]
    path = prediction_plans.write(tmp_path, frame=spoil(prediction_plans.table()))
    code, said = say("run", path, "--engine", "plain")
    assert code == errors.EXIT_USAGE
    assert said_ in said
    assert len(said.strip().splitlines()) == 1


def changed_run(space: Path, frame: pd.DataFrame, **policy: Any) -> tuple[int, Any]:
    """Run changed predictions in a fresh workspace: exit code and dossier."""
    from flows import workspace

    content = prediction_plans.plan()
    content["policy"] |= policy
    code = call("-w", space, "run", prediction_plans.write(space, content, frame), "--engine", "plain")
    return code, workspace.dossier(run_of(space))


@pytest.mark.slow
def test_constant_predictions_are_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that says the same of everybody is measured, does not pass its gate, and the report is written."""
    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    frame = prediction_plans.table().assign(predicted="yes", p_yes=0.7, p_no=0.3)
    code, found = changed_run(tmp_path, frame)
    assert code in (errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
    assert {r.status for r in found.gate.reasons if r.check_id == "performance.roc_auc"} <= {"fail", "inconclusive"}
    assert (run_of(tmp_path) / "documents/report.html").is_file()


@pytest.mark.slow
def test_a_metric_undefined_for_a_group_leaves_its_gate_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group without a positive row has no true positive rate: it is named, its gate does not pass."""
    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    frame = prediction_plans.table()
    frame = frame[(frame.sex == "first") | (frame.truth == "no")]
    code, found = changed_run(tmp_path, frame)
    assert code in (errors.EXIT_FAIL, errors.EXIT_INCONCLUSIVE)
    reason = next(r for r in found.gate.reasons if r.check_id == "fairness.equal_opportunity_difference")
    assert reason.status in ("inconclusive", "not_measured")
    assert "too few rows in second" in reason.text
    assert next(r for r in found.gate.reasons if r.check_id == "performance.roc_auc").status == "pass"


@pytest.mark.slow
def test_an_attribute_that_no_test_row_of_a_group_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A declared group without a row is listed as empty, and its slice stays open."""
    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    content = prediction_plans.plan()
    content["data"]["columns"][-1]["allowed"] = ["first", "second", "third"]
    from flows import workspace

    code = call("-w", tmp_path, "run", prediction_plans.write(tmp_path, content), "--engine", "plain")
    found = workspace.dossier(run_of(tmp_path))
    assert code == errors.EXIT_INCONCLUSIVE
    reason = next(r for r in found.gate.reasons if r.check_id == "fairness.equal_opportunity_difference")
    assert reason.status == "inconclusive"
    assert "“third”" in reason.text


@pytest.mark.slow
def test_pneumonia_predictions_without_their_model(
    tmp_path: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of the guide: 624 X-rays, a classifier that stays outside, and a decision on what it said."""
    images = real_data / "image/pneumoniamnist.npz"
    if not images.is_file():
        pytest.skip(f"pneumoniamnist: no file {images}")
    monkeypatch.delenv("PROOFLINE_DATA", raising=False)
    import importlib.util

    from flows import workspace

    source = ROOT / "docs/guide/examples/pneumonia_predictions.py"
    spec = importlib.util.spec_from_file_location("pneumonia_predictions", source)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.predictions(images).to_csv(tmp_path / "predictions.csv", index=False)
    shutil.copy(source.with_suffix(".yaml"), tmp_path / "plan.yaml")
    code = call("-w", tmp_path, "run", tmp_path / "plan.yaml", "--engine", "plain")
    found = workspace.dossier(run_of(tmp_path))
    assert code == {"pass": 0, "fail": 1, "inconclusive": 4}[found.gate.outcome]
    assert found.split.parts["test"].rows == 624
    decided = {(r.check_id, r.slice): r for r in found.gate.reasons}
    assert decided["performance.roc_auc", "overall"].status == "pass"
    assert "at 99 %" in decided["fairness.equal_opportunity_difference", "brightness"].text
    assert not decided["data.leakage", "overall"].required
