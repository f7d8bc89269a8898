"""What of a dossier goes to MLflow as params, tags and metrics. Plain values; does not import mlflow."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from evidence import _lineage_language, canonical, job_records, records
from evidence.dossier import AnyDossier, Dossier
from evidence.language_dossier import LanguageDossier

TAG = "proofline."
"""Prefix of our tags."""
LONGEST_KEY = 250
LONGEST_PARAM = 6000
LONGEST_TAG = 5000
_WORDS = {
    ">=": "from",
    "≥": "from",
    "<=": "up to",
    "≤": "up to",
    "<": "under",
    ">": "over",
    "=": ":",
    "×": "x",
    "–": "-",
}
"""Signs in the names of slices, and what stands for them in a key. The longer ones come first."""
_NOT_IN_KEYS = re.compile(r"[^\w\-. :/]", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Point:
    """One metric value."""

    key: str
    value: float
    milliseconds: int
    """Since 1970, UTC. Taken from the records, so that a second mirror writes the same point again."""
    step: int
    of_model: bool
    """Was it measured on the exported graph?"""


def params(dossier: AnyDossier) -> dict[str, str]:
    """The plan's decisions and what the training settled, flat. The columns are in the plan file and the datasets."""
    plan = dossier.plan
    own = _lineage_language.parameters(dossier) if isinstance(dossier, LanguageDossier) else _of_table(dossier)
    source = {
        "system": {"id": plan.system.id, "version": plan.system.version},
        "policy": plan.policy.model_dump(mode="json", exclude={"gates"}),
        "gates": {f"{g.check}/{g.slice}": _asked(g.at_least, g.at_most) for g in plan.policy.gates},
        **own,
    }
    return {clean(key): text[:LONGEST_PARAM] for key, text in _flat("", source)}


def _of_table(dossier: Dossier) -> dict[str, Any]:
    plan = dossier.plan
    return {
        "data": {
            "source": plan.data.source.kind,
            "title": plan.data.provenance.title,
            "task": plan.data.target.task,
            "features": len(plan.data.features),
            "protected": [p.name for p in plan.data.protected],
            "intersections": [" x ".join(i) for i in plan.data.intersections],
        },
        **_of_model(dossier),
    }


def _of_model(dossier: Dossier) -> dict[str, Any]:
    """How the model came to be; of given predictions, what is stated about them."""
    plan, train, export = dossier.plan, dossier.train, dossier.export
    if plan.predictions is not None or train is None or export is None:
        return {"predictions": plan.predictions.model_dump(mode="json") if plan.predictions else None}
    return {
        "split": plan.split.model_dump(mode="json"),
        "model": plan.model.model_dump(mode="json"),
        "training": plan.training.model_dump(mode="json"),
        "mitigation": plan.mitigation.model_dump(mode="json"),
        "factory": plan.factory.model_dump(mode="json"),
        "trained": {
            "device": train.device,
            "precision": train.precision,
            "parameters": train.parameters,
            "best_epoch": train.best_epoch,
            "threshold": train.threshold.value if train.threshold else None,
        },
        "exported": {"opset": export.opset, "ir_version": export.ir_version},
    }


def tags(dossier: AnyDossier, record_digests: Mapping[str, str]) -> dict[str, str]:
    """Identity of everything the run stands on, each by SHA-256.

    Args:
        dossier: The run.
        record_digests: Stage to the digest of its record's file.
    """
    close = dossier.close
    found = {
        "run_id": dossier.run_id,
        "system": dossier.plan.system.id,
        "system_version": dossier.plan.system.version,
        "outcome": dossier.gate.outcome,
        "plan_sha256": dossier.plan_sha256,
        "commitment_sha256": dossier.evaluate.commitment_sha256,
        "code_sha256": dossier.commit.code_sha256,
        "data_sha256": data_sha256(dossier),
        "split_sha256": dossier.commit.split_sha256,
        "checkpoint_sha256": dossier.train.checkpoint.sha256 if dossier.train else None,
        "onnx_sha256": dossier.export.onnx.sha256 if dossier.export else None,
        **_job(dossier),
        **_methods(dossier),
        "predictions_sha256": dossier.evaluate.predictions_sha256,
        "documents_sha256": dossier.document.digest if dossier.document else None,
        "git_commit": close.git_commit if close else None,
        "git_dirty": str(close.git_dirty).lower() if close and close.git_dirty is not None else None,
        "engine": close.engine if close else None,
        **{f"record.{stage}": digest for stage, digest in record_digests.items()},
    }
    named = {TAG + key: value[:LONGEST_TAG] for key, value in found.items() if value is not None}
    if close and close.git_commit:
        named["mlflow.source.git.commit"] = close.git_commit
    return named


def data_sha256(dossier: AnyDossier) -> str:
    """Digest of the data as a whole: of the rows, or of the documents."""
    return dossier.ingest.documents_sha256 if isinstance(dossier, LanguageDossier) else dossier.ingest.rows_sha256


def _job(dossier: AnyDossier) -> dict[str, str]:
    """The batch job that trained, if one did."""
    job = dossier.train.job if dossier.train else None
    if job is None:
        return {}
    return {
        "job_id": job.job_id,
        "job_name": job.job_name,
        "job_site": job.site,
        "job_script_sha256": job.script_sha256,
        "job_attempts": str(len(job.attempts)),
        "job_accounting": job.accounting,
    }


def _methods(dossier: AnyDossier) -> dict[str, str]:
    """How compute and energy of the training were found, and what they hold; unmeasured is said, never left out."""
    if dossier.train is None:
        return {}
    costs = {"compute": dossier.train.flops, "energy": dossier.train.energy}
    if dossier.train.job is not None:
        job = dossier.train.job
        costs |= {"gpu_hours": job.gpu_hours}
        costs |= {n: q for n, q in (("site_energy", job.site_energy), ("emissions", job.emissions)) if q is not None}
    return {f"{name}_method": f"{found.method} ({found.boundary})" for name, found in costs.items()}


def points(dossier: AnyDossier) -> list[Point]:
    """Every measured number, and the training curve with one step per epoch."""
    return [*_measures(dossier), *_curve(dossier), *_costs(dossier)]


def digest(dossier: AnyDossier) -> str:
    """SHA-256 over the whole dossier: tells whether a finished mirror is still the mirror of this run."""
    parts = {
        field.name: value.model_dump(mode="json")
        if hasattr(value := getattr(dossier, field.name), "model_dump")
        else value
        for field in dataclasses.fields(dossier)
    }
    return canonical.sha256(parts)


def milliseconds(time: str) -> int:
    """A UTC time of a record as MLflow counts it."""
    return int(dt.datetime.fromisoformat(time).timestamp() * 1000)


def clean(key: str) -> str:
    """A key that MLflow takes: `sex=female` becomes `sex:female`, `< 40` becomes `under 40`.

    A key that would be too long, or lose letters, ends in six digits of its SHA-256 instead, so that it stays apart
    from others.
    """
    plain = key
    for sign, word in _WORDS.items():
        plain = plain.replace(sign, word)
    safe = _NOT_IN_KEYS.sub("_", plain).replace("//", "/").strip("/ ")
    if safe == plain and len(safe) <= LONGEST_KEY:
        return safe
    return f"{safe[: LONGEST_KEY - 7]}~{canonical.sha256_bytes(key.encode())[:6]}".replace("~", "-")


def _measures(dossier: AnyDossier) -> Iterator[Point]:
    graph = {r.check_id for r in dossier.evaluate.results}
    taken: dict[str, float] = {}
    for result in dossier.results():
        on_graph = result.check_id in graph
        at = milliseconds(dossier.evaluate.finished_at if on_graph else dossier.commit.at)
        for measure in result.measures:
            if measure.value is None:
                continue
            key = _free(taken, measure, result.check_id)
            taken[key] = measure.value
            yield Point(key, measure.value, at, 0, on_graph)


def _free(taken: Mapping[str, float], measure: records.Measure, check_id: str) -> str:
    name = measure.name if measure.split in (None, "test") else f"{measure.split}/{measure.name}"
    if measure.slice != "overall":
        name = f"{name}/{measure.slice}"
    for candidate in (name, f"{check_id}/{name}"):
        key = clean(candidate)
        if key not in taken or taken[key] == measure.value:
            return key
    number = 2
    while clean(f"{check_id}/{name}/{number}") in taken:
        number += 1
    return clean(f"{check_id}/{name}/{number}")


def _curve(dossier: AnyDossier) -> Iterator[Point]:
    begun = milliseconds(dossier.commit.at)
    elapsed = 0.0
    for point in dossier.train.curve if dossier.train else ():
        elapsed += point.seconds
        for name in ("train_loss", "validation_loss", "learning_rate"):
            step = point.epoch if isinstance(point, records.EpochPoint) else point.step
            yield Point(f"training/{name}", getattr(point, name), begun + int(elapsed * 1000), step, of_model=False)


def _costs(dossier: AnyDossier) -> Iterator[Point]:
    at = milliseconds(dossier.evaluate.started_at)
    found = _lineage_language.costs(dossier) if isinstance(dossier, LanguageDossier) else _costs_of_table(dossier)
    for key, value in found.items():
        if value is not None:
            yield Point(clean(key), value, at, 0, of_model=False)


def _costs_of_table(dossier: Dossier) -> dict[str, float | None]:
    train = dossier.train
    if train is None:
        return {}
    return {
        "training/seconds": train.seconds,
        "training/rows_per_second": train.rows_per_second,
        "training/flops": train.flops.value,
        f"training/energy_{train.energy.unit}": train.energy.value,
        **job_records.figures(train.job),
    }


def _asked(at_least: float | None, at_most: float | None) -> str:
    return f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), inner)
    elif isinstance(value, list | tuple):
        yield prefix, ", ".join(str(v) for v in value) or "none"
    else:
        yield prefix, "none" if value is None else str(value)
