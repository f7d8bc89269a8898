"""`data/sbom/model.cdx.json`: the model and its data as a CycloneDX 1.6 bill of materials with a model card.

The clusters of the G7's "SBOM for AI - Minimum Elements" (12 May 2026) are the checklist: metadata, system, models,
data sets, key figures, infrastructure, security. Every value comes from a record of the run; what nobody stated is
left out. Written as plain JSON, because object models of the format drop the model card.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from evidence import records
from evidence.dossier import AnyDossier, Dossier
from evidence.language_dossier import LanguageDossier
from tef_export.language import bom as of_text
from tef_export.metadata import shapes

MODEL, DATASET, SYSTEM, RUNTIME = "model", "dataset", "system", "runtime"
"""References inside the document."""
FAMILIES = ("performance", "fairness", "robustness", "language")
_TASK = {
    "binary": "classification into two classes",
    "multiclass": "classification into several classes",
    "regression": "regression",
}


def build(dossier: AnyDossier, bundle_id: str, created: str) -> dict[str, Any]:
    """The bill of materials of the model.

    Args:
        dossier: The closed run.
        bundle_id: Name of the bundle; with the kind of document it gives the serial number.
        created: Time of sealing, UTC.
    """
    plan = dossier.plan
    provider = {"name": plan.system.provider.name}
    system: dict[str, Any] = {
        "type": "application",
        "bom-ref": SYSTEM,
        "supplier": provider,
        "name": plan.system.name,
        "version": plan.system.version,
        "description": plan.system.intended_purpose,
    }
    return document(
        bundle_id,
        "model",
        {
            "timestamp": created,
            "lifecycles": [{"phase": "post-build"}],
            "tools": {"components": [_tool(dossier)]},
            "supplier": provider,
            "component": system,
            "properties": _properties(
                {
                    "run": dossier.run_id,
                    "plan_sha256": dossier.plan_sha256,
                    "code_sha256": dossier.close.code_sha256 if dossier.close else None,
                    "documents_code_sha256": _documents_code(dossier),
                    "git_commit": dossier.close.git_commit if dossier.close else None,
                    "sector": plan.system.sector,
                    "test_environment": plan.bundle.test_environment,
                }
            ),
        },
        [_model(dossier), *_data(dossier), _runtime(dossier)],
        [
            {"ref": SYSTEM, "dependsOn": [MODEL, RUNTIME]},
            {"ref": MODEL, "dependsOn": _references(dossier)},
            *({"ref": name} for name in _references(dossier)),
            {"ref": RUNTIME},
        ],
    )


def document(
    bundle_id: str, kind: str, metadata: dict[str, Any], components: list[dict[str, Any]], edges: list[dict[str, Any]]
) -> dict[str, Any]:
    """The frame that all bills of materials of a bundle share."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(bundle_id, kind),
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": edges,
    }


def serial(bundle_id: str, kind: str) -> str:
    """The serial number of a document: the same for the same bundle."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'proofline-bundle:{bundle_id}:{kind}')}"


def text(content: dict[str, Any]) -> bytes:
    """The document as it is written."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"


def figures(results: tuple[records.CheckResult, ...]) -> list[dict[str, Any]]:
    """The declared measures of performance, fairness and robustness, as the format has them: all numbers as text."""
    return [
        figure(measure)
        for result in results
        if result.check_id.partition(".")[0] in FAMILIES
        for measure in result.measures
        if measure.name == result.check_id and measure.value is not None and "=" not in measure.slice
    ]


def figure(measure: records.Measure) -> dict[str, Any]:
    """One measure as a performance metric of a model card."""
    found: dict[str, Any] = {"type": measure.name, "value": repr(measure.value), "slice": measure.slice}
    if measure.interval is not None:
        found["confidenceInterval"] = {
            "lowerBound": repr(measure.interval.low),
            "upperBound": repr(measure.interval.high),
        }
    return found


def _references(dossier: AnyDossier) -> list[str]:
    """How the document refers to the data."""
    if isinstance(dossier, LanguageDossier):
        return [of_text.reference(corpus.id) for corpus in dossier.plan.corpora]
    return [DATASET]


def _data(dossier: AnyDossier) -> list[dict[str, Any]]:
    return of_text.corpora(dossier) if isinstance(dossier, LanguageDossier) else [_dataset(dossier)]


def _documents_code(dossier: AnyDossier) -> str | None:
    """Of the code that wrote the documents, where another had measured."""
    return dossier.close.documents_by.code_sha256 if dossier.close and dossier.close.documents_by else None


def _tool(dossier: AnyDossier) -> dict[str, Any]:
    version = dossier.close.software.get("proofline") if dossier.close else None
    return {"type": "application", "name": "proofline", **({"version": version} if version else {})}


def _model(dossier: AnyDossier) -> dict[str, Any]:
    plan, model = dossier.plan, dossier.exported
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "supplier": {"name": plan.system.provider.name},
        "name": plan.system.id,
        "version": plan.system.version,
        "hashes": [{"alg": "SHA-256", "content": model.onnx.sha256}],
    }
    if plan.documents.licence:
        found["licenses"] = [{"expression": plan.documents.licence}]
    return found | {"modelCard": _card(dossier), "properties": _properties(_model_facts(dossier))}


def _model_facts(dossier: AnyDossier) -> dict[str, object]:
    model, trained = dossier.exported, dossier.trained
    energy, flops = trained.energy, trained.flops
    own = of_text.facts(dossier) if isinstance(dossier, LanguageDossier) else {}
    return {
        "format": "ONNX",
        "size_bytes": model.onnx.size,
        "opset": model.opset,
        "ir_version": model.ir_version,
        "parameters": trained.parameters,
        "parent_checkpoint_sha256": model.parent_checkpoint_sha256,
        "training.seed": trained.seed,
        "training.epochs": trained.epochs,
        **own,
        "training.hardware": trained.hardware,
        "training.energy": None if energy.value is None else f"{energy.value!r} {energy.unit} ({energy.method})",
        "training.flops": None if flops.value is None else f"{flops.value!r} {flops.unit} ({flops.method})",
        "commitment.at": dossier.commit.at,
        "gate": dossier.gate.outcome,
        "signatures": "OpenSSF Model Signing 1.0 (key); CAdES-B-B over the bag's tag manifest",
    }


def _card(dossier: AnyDossier) -> dict[str, Any]:
    plan, model = dossier.plan, dossier.exported
    if isinstance(dossier, LanguageDossier):
        approach, task, family = "self-supervised", of_text.TASK, of_text.FAMILY
    else:
        approach, task = "supervised", _TASK[dossier.encode.task]
        family = "user's own module" if dossier.plan.model.factory else dossier.plan.model.family
    parameters = {
        "approach": {"type": approach},
        "task": task,
        "architectureFamily": family,
        "datasets": [{"ref": name} for name in _references(dossier)],
        "inputs": [{"format": _tensor(t)} for t in model.inputs],
        "outputs": [{"format": _tensor(t)} for t in model.outputs],
    }
    considerations = {
        "users": list(plan.system.intended_users),
        "useCases": [plan.system.intended_purpose],
        "technicalLimitations": list(plan.system.limitations),
    }
    return {
        "bom-ref": "model-card",
        "modelParameters": parameters,
        "quantitativeAnalysis": {"performanceMetrics": figures(dossier.evaluate.results)},
        "considerations": {name: value for name, value in considerations.items() if value},
    }


def _tensor(tensor: records.TensorSpec) -> str:
    return f"{tensor.name}: {tensor.dtype} [{', '.join(str(size) for size in tensor.shape)}]"


def _dataset(dossier: Dossier) -> dict[str, Any]:
    data, found = dossier.plan.data, dossier.ingest
    about = data.provenance
    licence = [{"expression": about.licence}] if about.licence and " " not in about.licence else []
    contents: dict[str, Any] = {"properties": _properties({"rows": found.rows, "columns": len(found.columns)})}
    if about.url and shapes.ADDRESS.fullmatch(about.url):
        contents["url"] = about.url
    description = "; ".join(t for t in (about.origin, about.collected, about.original_purpose) if t)
    entry: dict[str, Any] = {
        "type": "dataset",
        "name": about.title,
        "contents": contents,
        "classification": f"personal data: {about.personal_data}",
    }
    if sensitive := [a.name for a in data.protected if a.special_category]:
        entry["sensitiveData"] = sensitive
    if description:
        entry["description"] = description
    return {
        "type": "data",
        "bom-ref": DATASET,
        "name": about.title,
        **({"licenses": licence} if licence else {}),
        "components": [
            {
                "type": "file",
                "bom-ref": f"source-{number}",
                "name": source.name,
                "hashes": [{"alg": "SHA-256", "content": source.sha256}],
            }
            for number, source in enumerate(found.sources)
        ],
        "data": [entry],
        "properties": _properties(
            {
                "rows_sha256": found.rows_sha256,
                **{f"split.{role}.rows": part.rows for role, part in dossier.split.parts.items()},
                **{f"split.{role}.sha256": part.digests.sha256 for role, part in dossier.split.parts.items()},
            }
        ),
    }


def _runtime(dossier: AnyDossier) -> dict[str, Any]:
    """What the model was measured under: ONNX Runtime with its version and execution provider."""
    name, _, provider = dossier.evaluate.runtime.partition(", ")
    product, _, version = name.partition(" ")
    return {
        "type": "library",
        "bom-ref": RUNTIME,
        "name": product,
        **({"version": version, "purl": f"pkg:pypi/{product}@{version}"} if version else {}),
        "properties": _properties({"execution_provider": provider or None}),
    }


def _properties(facts: dict[str, object]) -> list[dict[str, str]]:
    """Facts beyond the format's own fields, those that nobody stated left out."""
    return [{"name": f"proofline:{name}", "value": str(value)} for name, value in facts.items() if value is not None]
