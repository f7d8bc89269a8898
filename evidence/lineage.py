"""The mirror of a run folder in MLflow. The only importer of mlflow; the run folder stays the truth.

Everything is written from the folder's records alone, found again by the tag `proofline.run_id`, and never written
twice: a mirror that was broken off is completed by the next call. Times come from the records. No user name, no script
path, no data and no pickle goes there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import mlflow
import numpy as np
import sqlalchemy.exc
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModel,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from configs import errors
from evidence import _lineage_language as of_text
from evidence import _lineage_values as values
from evidence import canonical, job_records, records, tracking_store
from evidence.dossier import AnyDossier, stages_of
from evidence.folder import RunFolder
from evidence.language_dossier import LanguageDossier
from evidence.language_records import LanguageModelRef
from evidence.records import LineageRef
from evidence.tracking_store import default_uri, environment, reachable

RELEASED = "released"
"""Alias of the model version that was released last."""
_RUN = f"{values.TAG}run_id"
_COMPLETE = f"{values.TAG}mirror"
_MODEL_ID = f"{values.TAG}mlflow_model_id"
_MODEL_VERSION = f"{values.TAG}model_version"
_BUNDLE = f"{values.TAG}bundle_sha256"
_CONTEXT = {"train": "training", "validation": "validation", "test": "test"}
_BATCH = {"metrics": 1000, "params": 100, "tags": 100}
_ONNX_FILE = "model.onnx"
_PROVIDERS = ["CPUExecutionProvider"]
_QUIET = ("mlflow", "alembic")
_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
T = TypeVar("T")


def mirror(folder: RunFolder, dossier: AnyDossier, uri: str) -> LineageRef:
    """Write a run into MLflow, or complete what an earlier call began.

    Args:
        folder: The run folder.
        dossier: Its records.
        uri: Tracking address, see `default_uri`.

    Returns:
        Where the run and its model stand; without a model where the plan gives predictions.

    Raises:
        MissingError: MLflow refuses or does not answer.
        StorageError: The store's disk is full or read-only.
        IntegrityError: The model or a document was altered after it was recorded.
    """
    with _working(uri):
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment_id = _experiment(client, dossier.plan.system.id, uri)
        run = _run(client, experiment_id, dossier)
        whole = values.digest(dossier)
        done = run.data.tags
        if done.get(_COMPLETE) == whole and (_MODEL_VERSION in done or dossier.export is None):
            return _reference(uri, dossier, run.info.run_id, done.get(_MODEL_ID), done.get(_MODEL_VERSION))
        named = values.tags(dossier, _record_digests(folder, dossier))
        ours: dict[str, str] = {}
        if dossier.export is not None:
            ours[_MODEL_ID] = _model(client, experiment_id, run, folder, dossier, named)
        _datasets(client, run, dossier)
        if _COMPLETE not in done:
            _numbers(client, run.info.run_id, ours.get(_MODEL_ID), dossier)
        # Documents and answers may have changed since; what was measured has not, and MLflow takes a number once.
        for piece in _pieces(_run_tags(named), _BATCH["tags"]):
            client.log_batch(run.info.run_id, tags=piece)
        _artifacts(client, run.info.run_id, folder, dossier)
        if dossier.export is not None:
            ours[_MODEL_VERSION] = _registered(client, run.info.run_id, ours[_MODEL_ID], dossier, named)
        _close(client, run.info.run_id, dossier, {**ours, _COMPLETE: whole})
        return _reference(uri, dossier, run.info.run_id, ours.get(_MODEL_ID), ours.get(_MODEL_VERSION))


def set_released(uri: str, ref: LineageRef, bundle_sha256: str) -> None:
    """Give the model version the alias `released`, and name the bundle on version, model and run. Safe to repeat.

    Args:
        uri: Tracking address, with its secrets.
        ref: What `mirror` returned.
        bundle_sha256: Digest of the bundle file.

    Raises:
        MissingError: MLflow refuses, does not answer, or does not know the version.
    """
    if ref.model_id is None:
        raise errors.MissingError(
            f"MLflow run {ref.run_id}: expected a model version to mark as released, got none: predictions were given "
            "without a model. Release a run that trains one."
        )
    with _working(uri):
        client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.set_model_version_tag(ref.model_name, ref.model_version, _BUNDLE, bundle_sha256)
        client.set_logged_model_tags(ref.model_id, {_BUNDLE: bundle_sha256, f"{values.TAG}released": "true"})
        client.log_batch(ref.run_id, tags=_run_tags({_BUNDLE: bundle_sha256, f"{values.TAG}released": "true"}))
        client.set_registered_model_alias(ref.model_name, RELEASED, ref.model_version)


@contextlib.contextmanager
def _working(uri: str) -> Iterator[None]:
    """Quiet, alone on the store, and with MLflow's errors in one readable sentence."""
    for key, value in environment().items():
        os.environ.setdefault(key, value)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    place = tracking_store.public(uri)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    own = {name: os.environ.get(name) for name in _ADDRESSES}
    with tracking_store.exclusive(uri), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations between MLflow and SQLAlchemy are not for our users
        # Parts of the client fall back to the global address when they move artefacts.
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        try:
            yield
        except (MlflowException, sqlalchemy.exc.SQLAlchemyError, ConnectionError, TimeoutError) as error:
            raise errors.MissingError(
                f"MLflow {place}: expected it to take the run, got: {_first_line(error)}. Correct that and repeat the "
                "command; the run folder is whole, and the mirror will be completed."
            ) from error
        except OSError as error:
            raise errors.StorageError(
                f"MLflow {place}: expected to write artefacts, got: {error.strerror or _first_line(error)}. Free some "
                "space or correct the permissions and repeat the command; the run folder is whole."
            ) from error
        finally:
            mlflow.set_tracking_uri(before)
            mlflow.set_registry_uri(before)
            # set_tracking_uri also writes the environment, where our next command would take it for the user's wish.
            for variable, address in own.items():
                os.environ.pop(variable, None)
                if address is not None:
                    os.environ[variable] = address


def _experiment(client: mlflow.MlflowClient, name: str, uri: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        root = tracking_store.artifact_root(uri)
        try:
            return str(client.create_experiment(name, artifact_location=f"{root}/{name}" if root else None))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return str(client.get_experiment_by_name(name).experiment_id)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _run(client: mlflow.MlflowClient, experiment_id: str, dossier: AnyDossier) -> Run:
    found = client.search_runs(
        [experiment_id], f"tags.`{_RUN}` = '{dossier.run_id}'", order_by=["attributes.start_time ASC"], max_results=1
    )
    if found:
        return found[0]
    begun = dossier.close.started_at if dossier.close else dossier.commit.at
    return client.create_run(
        experiment_id, start_time=values.milliseconds(begun), tags={_RUN: dossier.run_id}, run_name=dossier.run_id
    )


def _model(
    client: mlflow.MlflowClient,
    experiment_id: str,
    run: Run,
    folder: RunFolder,
    dossier: AnyDossier,
    named: dict[str, str],
) -> str:
    found: LoggedModel | None = next(
        iter(client.search_logged_models([experiment_id], f"tags.`{_RUN}` = '{dossier.run_id}'", max_results=1)), None
    )
    if found is None:
        found = client.create_logged_model(
            experiment_id,
            name=dossier.plan.system.id,
            source_run_id=run.info.run_id,
            tags=_ours(named),
            model_type=dossier.plan.task if isinstance(dossier, LanguageDossier) else dossier.encode.task,
        )
    if found.status != LoggedModelStatus.READY:
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary) / "model"
            _save(place, folder, dossier, found.model_id, run.info.run_id)
            client.log_model_artifacts(found.model_id, str(place))
        client.finalize_logged_model(found.model_id, LoggedModelStatus.READY)
    linked = run.outputs.model_outputs if run.outputs else []
    if found.model_id not in {output.model_id for output in linked}:
        client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id=found.model_id, step=0)])
    return str(found.model_id)


def _save(place: Path, folder: RunFolder, dossier: AnyDossier, model_id: str, run_id: str) -> None:
    """An MLflow model folder around the very bytes of our ONNX file."""
    exported = dossier.exported
    # mlflow.onnx.save_model would write the graph anew, with another digest, and spend a second on requirements.
    place.mkdir()
    shutil.copyfile(folder.checked(exported.onnx), place / _ONNX_FILE)
    if isinstance(exported, LanguageModelRef):
        for own in (exported.tokenizer, exported.config):
            shutil.copyfile(folder.checked(own), place / Path(own.path).name)
    (place / "requirements.txt").write_text("mlflow\nnumpy\nonnx\nonnxruntime\n", encoding="utf-8")
    model = Model(
        run_id=run_id,
        model_id=model_id,
        signature=_signature(exported),
        metadata={_RUN: dossier.run_id, f"{values.TAG}onnx_sha256": exported.onnx.sha256},
        model_size_bytes=exported.onnx.size,
    )
    model.add_flavor(
        "python_function", loader_module="mlflow.onnx", python_version=platform.python_version(), data=_ONNX_FILE
    )
    model.add_flavor(
        "onnx", onnx_version=metadata.version("onnx"), data=_ONNX_FILE, providers=_PROVIDERS, onnx_session_options=None
    )
    model.save(place / "MLmodel")


def _signature(model: records.ModelRef) -> ModelSignature:
    return ModelSignature(inputs=_schema(model.inputs), outputs=_schema(model.outputs))


def _schema(specs: tuple[records.TensorSpec, ...]) -> Schema:
    return Schema(
        [
            TensorSpec(np.dtype(spec.dtype), tuple(d if isinstance(d, int) else -1 for d in spec.shape), spec.name)
            for spec in specs
        ]
    )


def _datasets(client: mlflow.MlflowClient, run: Run, dossier: AnyDossier) -> None:
    client.log_inputs(run.info.run_id, datasets=[_dataset(dossier, role) for role in dossier.split.parts])


def _dataset(dossier: AnyDossier, role: records.Role) -> DatasetInput:
    part = dossier.split.parts[role]
    columns: list[dict[str, Any]]
    profile: dict[str, Any]
    if isinstance(dossier, LanguageDossier):
        title, source, profile = of_text.title(dossier), of_text.source(dossier, role), of_text.profile(dossier, role)
        columns = [{"name": "text", "type": "string", "required": True}]
    else:
        ingest = dossier.ingest
        title, columns = (
            ingest.title,
            [{"name": f.name, "type": "double", "required": False} for f in dossier.encode.features],
        )
        source = {
            "files": [{"name": s.name, "sha256": s.sha256} for s in ingest.sources],
            "rows_sha256": ingest.rows_sha256,
            "schema_sha256": ingest.schema_sha256,
            "part_sha256": part.digests.sha256,
        }
        profile = {"num_rows": part.rows, **{f"class {k}": n for k, n in part.class_counts.items()}}
    dataset = Dataset(
        name=f"{title[:400]} ({role})",
        digest=part.digests.sha256[:36],
        source_type="proofline",
        source=json.dumps(source, sort_keys=True)[:60000],
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(profile),
    )
    labels = {
        "mlflow.data.context": _CONTEXT[role],
        f"{values.TAG}sha256": part.digests.sha256,
        f"{values.TAG}data_sha256": values.data_sha256(dossier),
    }
    return DatasetInput(dataset, [InputTag(key, value) for key, value in labels.items()])


def _numbers(client: mlflow.MlflowClient, run_id: str, model_id: str | None, dossier: AnyDossier) -> None:
    test = _dataset(dossier, "test").dataset
    metrics = [
        Metric(
            p.key,
            p.value,
            p.milliseconds,
            p.step,
            model_id=model_id if p.of_model else None,
            dataset_name=test.name if p.of_model else None,
            dataset_digest=test.digest if p.of_model else None,
            run_id=run_id,
        )
        for p in values.points(dossier)
    ]
    parameters = [Param(key, value) for key, value in values.params(dossier).items()]
    for piece in _pieces(metrics, _BATCH["metrics"]):
        client.log_batch(run_id, metrics=piece)
    for piece in _pieces(parameters, _BATCH["params"]):
        client.log_batch(run_id, params=piece)


def _artifacts(client: mlflow.MlflowClient, run_id: str, folder: RunFolder, dossier: AnyDossier) -> None:
    """The records, the plan, the job's script and the documents. Rows and arrays stay in the run folder."""
    documents = {d.path for d in dossier.document.documents} if dossier.document else set()
    job = dossier.train.job if dossier.train else None
    if job is not None and _is(folder.path / job_records.SCRIPT, job.script_sha256):
        documents.add(job_records.SCRIPT)
    kept = [path for path, _ in stages_of(dossier.plan).values()] + ["plan.yaml", *sorted(documents)]
    with tempfile.TemporaryDirectory() as temporary:
        for relative in kept:
            source = folder.path / relative
            if source.is_file():
                target = Path(temporary) / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        client.log_artifacts(run_id, temporary)


def _is(path: Path, sha256: str) -> bool:
    """Is the file there, with that content?"""
    return path.is_file() and canonical.sha256_file(path) == sha256


def _registered(
    client: mlflow.MlflowClient, run_id: str, model_id: str, dossier: AnyDossier, named: dict[str, str]
) -> str:
    name = dossier.plan.system.id
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'", max_results=1)
    if found:
        version = str(found[0].version)
        for key, value in _ours(named).items():
            if found[0].tags.get(key) != value:
                client.set_model_version_tag(name, version, key, value)
        return version
    try:
        client.create_registered_model(name, description=dossier.plan.system.intended_purpose)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(
        name, source=f"models:/{model_id}", run_id=run_id, tags=_ours(named), model_id=model_id
    )
    return str(made.version)


def _close(client: mlflow.MlflowClient, run_id: str, dossier: AnyDossier, last: dict[str, str]) -> None:
    ended = dossier.close.finished_at if dossier.close else dossier.evaluate.finished_at
    client.set_terminated(run_id, "FINISHED", end_time=values.milliseconds(ended))
    client.log_batch(run_id, tags=_run_tags(last))


def _reference(uri: str, dossier: AnyDossier, run_id: str, model_id: str | None, version: str | None) -> LineageRef:
    return LineageRef(
        uri=tracking_store.public(uri),
        experiment=dossier.plan.system.id,
        run_id=run_id,
        model_id=model_id,
        model_name=dossier.plan.system.id if model_id else None,
        model_version=version,
    )


def _record_digests(folder: RunFolder, dossier: AnyDossier) -> dict[str, str]:
    known = {stage: ref.sha256 for stage, ref in dossier.close.records.items()} if dossier.close else {}
    for stage, (relative, _) in stages_of(dossier.plan).items():
        if stage not in known and (folder.path / relative).is_file():
            known[stage] = folder.reference(relative).sha256
    return known


def _ours(named: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in named.items() if key.startswith(values.TAG)}


def _run_tags(named: dict[str, str]) -> list[RunTag]:
    return [RunTag(key, value) for key, value in named.items()]


def _pieces(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")


__all__ = ["RELEASED", "LineageRef", "default_uri", "environment", "mirror", "reachable", "set_released"]
