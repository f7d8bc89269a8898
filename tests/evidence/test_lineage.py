"""The MLflow mirror: whole, never doubled, and only what may leave the run folder. Real MLflow on SQLite."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from configs import errors
from evidence import _lineage_values as values
from evidence import canonical, records, tracking_store
from tests.evidence import builders

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("_settings")


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for key, value in tracking_store.environment().items():
        monkeypatch.setenv(key, value)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A store that was migrated once; each test gets a copy."""
    root = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own imports are not clean
        for key, value in tracking_store.environment().items():
            patch.setenv(key, value)
        from evidence import lineage

        uri = tracking_store.default_uri(root)
        with lineage._working(uri):
            lineage.mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    return tracking_store.database_file(uri)


@pytest.fixture
def uri(tmp_path, migrated):
    address = tracking_store.default_uri(tmp_path)
    place = tracking_store.database_file(address)
    place.parent.mkdir(parents=True)
    shutil.copyfile(migrated, place)
    return address


def _client(uri):
    import mlflow

    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def _rows(uri, table):
    with contextlib.closing(sqlite3.connect(tracking_store.database_file(uri))) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own table names


TABLES = (
    "runs",
    "params",
    "metrics",
    "tags",
    "inputs",
    "input_tags",
    "datasets",
    "logged_models",
    "logged_model_metrics",
    "model_versions",
    "registered_models",
)


@pytest.mark.slow
def test_a_mirror_holds_the_run(tmp_path, uri):
    """Params, metrics with the curve per epoch, datasets by our digest, tags, documents and the model are all there."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    ref = lineage.mirror(folder, dossier, uri)
    run = _client(uri).get_run(ref.run_id)
    assert run.data.params["training.epochs"] == "50"
    assert run.data.params["gates.performance.roc_auc/overall"] == "at least 0.7"
    assert run.data.metrics["performance.roc_auc"] == pytest.approx(0.81)
    curve = _client(uri).get_metric_history(ref.run_id, "training/validation_loss")
    assert [p.step for p in curve] == [1, 2, 3]
    assert run.data.tags["proofline.plan_sha256"] == dossier.plan_sha256
    assert run.data.tags["proofline.record.close"] == canonical.sha256_file(folder.path / "run.json")
    assert run.data.tags["proofline.documents_sha256"] == dossier.document.digest
    assert run.data.tags["mlflow.source.git.commit"] == dossier.close.git_commit
    assert run.info.status == "FINISHED"
    found = {
        tag.key: tag.value for d in run.inputs.dataset_inputs for tag in d.tags if d.dataset.name.endswith("(test)")
    }
    assert found["mlflow.data.context"] == "test"
    assert found["proofline.sha256"] == dossier.split.parts["test"].digests.sha256
    assert [a.path for a in _client(uri).list_artifacts(ref.run_id, "documents")] == [
        "documents/README.md",
        "documents/record.json",
    ]


@pytest.mark.slow
def test_a_job_its_script_and_what_it_cost_are_in_the_mirror(tmp_path, uri):
    """Number, site and attempts as tags, hours as metrics, how it was found, and the script that is recorded."""
    from evidence import job_records, lineage

    folder, dossier = builders.dossier(tmp_path)
    script = folder.write_bytes(job_records.SCRIPT, b"#!/bin/bash\n")
    hours = records.Quantity(value=0.5, unit="GPU-hours", method="elapsed time, by sacct", boundary="job")
    attempt = job_records.JobAttempt(job_id="7", state="COMPLETED", seconds=1800, nodes=1, gpus=1)
    job = job_records.JobRecord(
        site="lumi", profile_checked="2026-11-22", job_id="7", job_name="proofline-1", script_sha256=script.sha256,
        submitted_at="2026-11-29T10:00:00.000000Z", accounting="sacct", attempts=(attempt,), gpu_hours=hours,
        node_hours=hours, cpu_hours=hours, site_energy=hours.model_copy(update={"value": 7.0, "unit": "J"}),
    )  # fmt: skip
    unmeasured = records.Quantity(value=None, unit="J", method="unmeasured: no counter", boundary="node")
    trained = dossier.train.model_copy(update={"job": job, "energy": unmeasured})
    with_job = dataclasses.replace(dossier, train=trained)
    run = _client(uri).get_run(lineage.mirror(folder, with_job, uri).run_id)
    assert (run.data.tags["proofline.job_id"], run.data.tags["proofline.job_site"]) == ("7", "lumi")
    assert run.data.tags["proofline.energy_method"] == "unmeasured: no counter (node)"
    assert run.data.tags["proofline.gpu_hours_method"] == "elapsed time, by sacct (job)"
    assert run.data.metrics["training/gpu_hours"] == run.data.metrics["training/cpu_hours"] == 0.5
    assert run.data.metrics["training/site_energy_J"] == 7.0
    assert "training/emissions_gCO2e" not in run.data.metrics
    assert "training/job.sh" in [a.path for a in _client(uri).list_artifacts(run.info.run_id, "training")]
    folder.write_bytes(job_records.SCRIPT, b"another")
    assert not lineage._is(folder.path / job_records.SCRIPT, script.sha256)


@pytest.mark.slow
def test_every_measured_number_is_linked_to_the_model_and_the_test_data(tmp_path, uri):
    """Metrics of the graph stand on the logged model with its dataset; slices have own keys; gaps have none."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    ref = lineage.mirror(folder, dossier, uri)
    metrics = {m.key: m for m in _client(uri).get_logged_model(ref.model_id).metrics}
    assert set(metrics) == {
        "performance.roc_auc",
        values.clean("fairness.selection_rate_gap/sex × age_group"),
        values.clean("fairness.selection_rate/sex=female"),
    }
    assert {m.dataset_digest for m in metrics.values()} == {dossier.split.parts["test"].digests.sha256[:36]}


@pytest.mark.slow
def test_a_second_mirror_adds_nothing(tmp_path, uri):
    """Mirroring again finds everything, even when the note that it is complete was lost."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    first = lineage.mirror(folder, dossier, uri)
    counted = {table: _rows(uri, table) for table in TABLES}
    assert lineage.mirror(folder, dossier, uri) == first
    _client(uri).delete_tag(first.run_id, lineage._COMPLETE)
    assert lineage.mirror(folder, dossier, uri) == first
    assert {table: _rows(uri, table) for table in TABLES} == counted
    assert counted["runs"] == counted["logged_models"] == counted["model_versions"] == 1


@pytest.mark.slow
def test_a_mirror_that_broke_off_is_completed(tmp_path, uri):
    """After a failure half-way the same run and the same model are taken up again."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    place = folder.path / "model/model.onnx"
    whole = place.read_bytes()
    place.write_bytes(whole + b"altered")
    with pytest.raises(errors.IntegrityError, match=r"model\.onnx"):
        lineage.mirror(folder, dossier, uri)
    assert (_rows(uri, "runs"), _rows(uri, "logged_models"), _rows(uri, "model_versions")) == (1, 1, 0)
    place.write_bytes(whole)
    ref = lineage.mirror(folder, dossier, uri)
    assert (_rows(uri, "runs"), _rows(uri, "logged_models"), _rows(uri, "model_versions")) == (1, 1, 1)
    assert _client(uri).get_logged_model(ref.model_id).status == "READY"


@pytest.mark.slow
def test_the_registered_model_is_the_very_file(tmp_path, uri):
    """What MLflow keeps and loads is byte for byte the exported graph, with its signature, and no pickle."""
    import numpy as np

    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    ref = lineage.mirror(folder, dossier, uri)
    with lineage._working(uri):
        local = Path(lineage.mlflow.artifacts.download_artifacts(f"models:/{ref.model_name}/{ref.model_version}"))
        loaded = lineage.mlflow.pyfunc.load_model(str(local))
        answer = loaded.predict(np.array([[1.0, 2.0], [-1.0, 0.0]], np.float32))
    assert canonical.sha256_file(local / "model.onnx") == dossier.export.onnx.sha256
    assert {p.suffix for p in local.rglob("*") if p.is_file()} <= {".onnx", ".txt", ".yaml", ""}
    assert loaded.metadata.signature.inputs.input_names() == ["features"]
    assert answer["label"].tolist() == [0, 1]


@pytest.mark.slow
def test_a_release_can_be_followed_both_ways(tmp_path, uri):
    """From the alias to the run, and from the run to the bundle and the version."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    ref = lineage.mirror(folder, dossier, uri)
    lineage.set_released(uri, ref, "c" * 64)
    lineage.set_released(uri, ref, "c" * 64)
    client = _client(uri)
    version = client.get_model_version_by_alias(ref.model_name, "released")
    assert version.run_id == ref.run_id
    assert version.tags["proofline.bundle_sha256"] == "c" * 64
    run = client.get_run(version.run_id)
    assert run.data.tags["proofline.bundle_sha256"] == "c" * 64
    assert run.data.tags["proofline.model_version"] == str(version.version)
    assert [o.model_id for o in run.outputs.model_outputs] == [ref.model_id]
    assert client.get_logged_model(ref.model_id).source_run_id == ref.run_id


@pytest.mark.slow
def test_nothing_private_is_mirrored(tmp_path, uri):
    """No user, no script path, no rows of persons, no weights."""
    from evidence import lineage

    folder, dossier = builders.dossier(tmp_path)
    ref = lineage.mirror(folder, dossier, uri)
    run = _client(uri).get_run(ref.run_id)
    assert not {"mlflow.user", "mlflow.source.name"} & set(run.data.tags)
    assert run.info.user_id in {"", "unknown"}
    kept = {p.name for p in (tmp_path / ".proofline" / "mlflow" / "artifacts").rglob("*") if p.is_file()}
    assert not kept & {"table.parquet", "train.txt", "test.txt", "best.safetensors"}
    assert b"rows of persons" not in tracking_store.database_file(uri).read_bytes()


@pytest.mark.slow
def test_two_processes_on_a_new_store_both_mirror(tmp_path):
    """The first use migrates the store; two at the same time do not race."""
    script = (
        "import sys; from pathlib import Path; from tests.evidence import builders; from evidence import lineage\n"
        "root = Path(sys.argv[1]); folder, dossier = builders.dossier(root, sys.argv[2])\n"
        "print(lineage.mirror(folder, dossier, lineage.default_uri(root)).model_version)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    running = [
        subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("run-a", "run-b")
    ]
    answers = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], answers
    assert sorted(out.strip() for out, _ in answers) == ["1", "2"]


def test_the_users_own_tracking_server_comes_first(tmp_path, monkeypatch):
    """`MLFLOW_TRACKING_URI` is honoured; without it the store is in the workspace, artefacts beside it."""
    assert tracking_store.default_uri(tmp_path) == f"sqlite:///{tmp_path}/.proofline/mlflow/mlflow.db"
    root = tracking_store.artifact_root(tracking_store.default_uri(tmp_path))
    assert root == f"file://{tmp_path}/.proofline/mlflow/artifacts"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5999")
    assert tracking_store.default_uri(tmp_path) == "http://127.0.0.1:5999"


def test_an_address_is_shown_without_its_secrets():
    """User name, password and query stay out of messages and records."""
    shown = tracking_store.public("postgresql://ann:secret@db.example:5432/mlflow?sslkey=x")
    assert shown == "postgresql://db.example:5432/mlflow"


def test_a_server_that_does_not_answer_is_named_at_once():
    """A closed port ends in one sentence, in less than three seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(errors.MissingError, match=r"expected an answer, got connection refused"):
        tracking_store.reachable(f"http://ann:secret@127.0.0.1:{port}")
    assert time.monotonic() - begun < 3


@pytest.mark.slow
def test_a_server_that_hangs_is_given_up_after_three_seconds():
    """A server that takes the connection and says nothing does not hold a run up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(errors.MissingError, match=r"no answer"):
            tracking_store.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - begun < 4


def test_an_address_that_mlflow_cannot_use_is_refused():
    """A folder is no store any more."""
    with pytest.raises(errors.MissingError, match="keeps no lineage"):
        tracking_store.reachable("file:///somewhere/mlruns")


def test_a_usable_store_is_left_as_it_is(tmp_path):
    """The look writes nothing."""
    uri = tracking_store.default_uri(tmp_path)
    tracking_store.reachable(uri)
    assert _rows(uri, "sqlite_master") == 0


@pytest.mark.parametrize("fault", ["damaged", "locked", "no place"])
def test_an_unusable_store_ends_in_one_sentence(tmp_path, fault):
    """A damaged, locked or impossible store is named with what to do, before MLflow is imported."""
    uri = tracking_store.default_uri(tmp_path)
    file = tracking_store.database_file(uri)
    with contextlib.ExitStack() as stack:
        if fault == "no place":
            (tmp_path / ".proofline").write_bytes(b"a file where a folder is needed")
        else:
            file.parent.mkdir(parents=True)
        if fault == "damaged":
            file.write_bytes(b"no database" * 1000)
        if fault == "locked":
            other = stack.enter_context(contextlib.closing(sqlite3.connect(file, isolation_level=None)))
            other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        with pytest.raises(errors.StorageError, match=r"MLflow store .* Make it usable, or set MLFLOW_TRACKING_URI"):
            tracking_store.reachable(uri)
        assert time.monotonic() - begun < 3


def test_a_store_that_another_run_writes_to_is_usable(tmp_path):
    """While another run mirrors, the store counts as reachable: this run will wait its turn."""
    uri = tracking_store.default_uri(tmp_path)
    tracking_store.reachable(uri)
    with (
        tracking_store.exclusive(uri),
        contextlib.closing(sqlite3.connect(tracking_store.database_file(uri), isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        tracking_store.reachable(uri)


def test_different_keys_stay_different():
    """Cleaning a key for MLflow never makes two keys one, and leaves plain ones alone."""
    keys = ["a/b", "a/sex=f", "a/sex:f!", "a/sex:f?", "é/1", "è/1", "x" * 300, "x" * 299 + "y", "a × b", "a_b"]
    cleaned = [values.clean(key) for key in keys]
    assert len(set(cleaned)) == len(keys)
    assert max(map(len, cleaned)) <= values.LONGEST_KEY
    assert cleaned[:2] == ["a/b", "a/sex:f"]
    assert values.clean("a/age=40 to < 60") == "a/age:40 to under 60"


def test_measures_with_one_name_keep_their_values(tmp_path):
    """Two checks that report the same name with different values both arrive."""
    _, dossier = builders.dossier(tmp_path)
    evaluated = dossier.evaluate
    twin = evaluated.results[0].model_copy(
        update={
            "check_id": "robustness.noise",
            "measures": (evaluated.results[0].measures[0].model_copy(update={"value": 0.5}),),
        }
    )
    import dataclasses

    both = dataclasses.replace(dossier, evaluate=evaluated.model_copy(update={"results": (*evaluated.results, twin)}))
    found = {p.key: p.value for p in values.points(both) if p.of_model}
    assert found["performance.roc_auc"] == pytest.approx(0.81)
    assert found["robustness.noise/performance.roc_auc"] == pytest.approx(0.5)


def test_looking_at_the_store_does_not_import_mlflow():
    """A run can look for its store before it pays for the import."""
    script = "import sys; from evidence import tracking_store; print(json.dumps('mlflow' in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", f"import json; {script}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout) is False


@pytest.mark.slow
def test_mirroring_leaves_no_address_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow writes its address into the environment; the next command must not take that for the user's own server."""
    from evidence import lineage

    reference = lineage.LineageRef(
        uri="x", experiment="x", run_id="0" * 32, model_id="m-0", model_name="nobody", model_version="1"
    )
    with pytest.raises(errors.MissingError):
        lineage.set_released(f"sqlite:///{tmp_path}/mlflow.db", reference, "0" * 64)
    assert "MLFLOW_TRACKING_URI" not in os.environ
