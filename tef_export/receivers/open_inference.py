"""Metadata of the model, and a sample request with its response, in the Open Inference Protocol version 2."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from configs.receivers.register import Receiver
from evidence import records
from tef_export.receivers.subject import Subject


def metadata(subject: Subject, receiver: Receiver) -> dict[str, Any]:
    """What `GET v2/models/<name>` answers."""
    types = receiver.values["types"]
    return {
        "name": subject.plan.system.id,
        "versions": [subject.plan.system.version],
        "platform": receiver.values["platform"],
        "inputs": [_tensor(tensor, types) for tensor in subject.contract.inputs],
        "outputs": [_tensor(tensor, types) for tensor in subject.contract.outputs],
    }


def sample(subject: Subject, receiver: Receiver) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A request and the response to it; None where every golden row has a missing value, which JSON cannot say."""
    given = subject.golden[subject.contract.inputs[0].name]
    whole = np.isfinite(given).all(axis=1)
    if not whole.any():
        return None
    types, name = receiver.values["types"], subject.bundle_id
    request = {
        "id": name,
        "inputs": [_values(t, subject.golden[t.name][whole], types) for t in subject.contract.inputs],
    }
    response = {
        "model_name": subject.plan.system.id,
        "model_version": subject.plan.system.version,
        "id": name,
        "outputs": [_values(t, subject.golden[t.name][whole], types) for t in subject.contract.outputs],
    }
    return request, response


def _tensor(tensor: records.TensorSpec, types: dict[str, str]) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return {"name": tensor.name, "datatype": types[tensor.dtype], "shape": shape}


def _values(tensor: records.TensorSpec, values: npt.NDArray[np.generic], types: dict[str, str]) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(values.shape),
        "datatype": types[tensor.dtype],
        "data": values.ravel().tolist(),
    }
