"""Plugin configurations of the AI Assessment Sandbox Configurator: features in the order of the tensor, and the target.

Its performance plugin serves classifiers and regressors, its fairness plugin classifiers; the latter compares groups
of the model's own inputs, so protected attributes that the model does not see cannot be compared there.
"""

from __future__ import annotations

import uuid
from typing import Any

from configs.receivers.register import Receiver
from tef_export.receivers.subject import Subject


def performance(subject: Subject, receiver: Receiver) -> dict[str, Any]:
    """The configuration of the performance plugin."""
    return {
        "features": _features(subject, receiver),
        "target_feature": subject.contract.target,
        "date_feature": None,
        "frequency": "",
        "window_size": "",
    }


def fairness(subject: Subject, receiver: Receiver) -> dict[str, Any] | None:
    """The configuration of the fairness plugin; None for a regressor, which it does not take."""
    if not subject.contract.classes:
        return None
    return {
        "features": _features(subject, receiver),
        "target_feature": subject.contract.target,
        "date_feature": None,
    }


def _features(subject: Subject, receiver: Receiver) -> list[dict[str, Any]]:
    kinds, found = receiver.values, []
    for feature in subject.contract.features:
        low, high = feature.minimum, feature.maximum
        kind = kinds["integer" if feature.integer else "numeric"]
        if feature.kind == "categorical":
            low, high, kind = 0.0, float(len(feature.categories) - 1), kinds["categorical"]
        found.append(_feature(subject, receiver, feature.name, (low, high), kind))
    last = float(len(subject.contract.classes) - 1) if subject.contract.classes else None
    kind = kinds["integer" if subject.contract.classes else "numeric"]
    target = _feature(subject, receiver, subject.contract.target, (0.0 if last else None, last), kind)
    return [*found, target]


def _feature(
    subject: Subject, receiver: Receiver, name: str, bounds: tuple[float | None, float | None], kind: str
) -> dict[str, Any]:
    unknown = receiver.values["unknown_bound"]
    return {
        "pid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"proofline-bundle:{subject.bundle_id}:{name}")),
        "name": name,
        "min": unknown if bounds[0] is None else bounds[0],
        "max": unknown if bounds[1] is None else bounds[1],
        "type": kind,
    }
