"""Entries for catalogues: AI-on-Demand `ml_model`, and the asset of a data-space connector; drafts to complete."""

from __future__ import annotations

import math
from typing import Any

from configs.receivers.register import Receiver
from tef_export.receivers.subject import Subject


def aiod(subject: Subject, receiver: Receiver) -> dict[str, Any]:
    """The body of a new `ml_model`. The address from which the model can be had is for the provider to add."""
    plan = subject.plan
    system = plan.system
    found: dict[str, Any] = {
        "name": system.name,
        "date_published": subject.created.removesuffix("Z"),
        "version": system.version,
        "description": {"plain": system.intended_purpose},
        "is_accessible_for_free": False,
        "keyword": [subject.contract.task, "tabular data", "onnx"],
        "type": subject.contract.task,
        "distribution": [
            {
                "name": "model.onnx",
                "description": f"ONNX, opset {subject.contract.opset}, in the bundle {subject.bundle_id}",
                "content_size_kb": math.ceil(subject.model_size / 1000),
                "encoding_format": receiver.values["encoding_format"],
                "checksum": subject.model_sha256,
                "checksum_algorithm": receiver.values["checksum_algorithm"],
                "dependency": "onnxruntime",
            }
        ],
    }
    if plan.documents.licence:
        found["license"] = plan.documents.licence
    if system.sector:
        found["industrial_sector"] = [system.sector]
    return found


def data_space(subject: Subject, receiver: Receiver) -> dict[str, Any]:
    """The body of a new asset. `dataAddress`, which only the provider's connector knows, is left out."""
    system = subject.plan.system
    return {
        "@context": {"@vocab": receiver.values["context"]},
        "@type": "Asset",
        "@id": subject.bundle_id,
        "properties": {
            "name": f"{system.name} {system.version}",
            "description": system.intended_purpose,
            "version": system.version,
            "contenttype": receiver.values["content_type"],
            "provider": system.provider.name,
            "modelSha256": subject.model_sha256,
        },
    }
