"""Do the receivers' layouts say what the contract says, and hold the model that was evaluated?

A layout that names the features in another order is misread without a word by receivers in use today.
"""

from __future__ import annotations

import math
import re
from typing import Any

from evidence import records
from tef_export import coherence, contents, cross_check, manifest, places, strict_json, tensor_file

_WORD = re.compile(r'\b(\w++): "([^"\n]*)"')
_DIMENSIONS = re.compile(r"dims: \[ ([-0-9, ]+) \]")
_BATCH: dict[str, str] = {"float32": "TYPE_FP32", "int64": "TYPE_INT64"}
_PROTOCOL: dict[str, str] = {"float32": "FP32", "int64": "INT64"}


def check(bundle: cross_check.Bundle, index: manifest.BundleManifest, evidence: cross_check.AnyEvidence) -> str:
    """Check every layout of the bundle; for whom there is one, in one sentence.

    Raises:
        VerificationError: Naming the file and what differs.
    """
    wanted = evidence.plan.bundle.receivers
    present = {path for path in (*places.LAYOUTS, places.TRITON_MODEL) if path in bundle.files}
    coherence.equal("receivers' layouts", sorted(present), sorted(_expected(index, wanted, present)))
    for path in present & {places.EDGE[0], places.TRITON[0]}:
        _check_configuration(path, bundle.read(path).decode("utf-8"), index)
    for path in present & {places.EDGE[1], places.TRITON[1]}:
        names = index.model.classes or (index.model.target,)
        text = "".join(f"{' '.join(name.split())}\n" for name in names)
        coherence.equal(f"{path}, names", bundle.read(path).decode("utf-8"), text)
    if places.TRITON_MODEL in present:
        digest = bundle.files[places.TRITON_MODEL].sha256
        coherence.equal(f"{places.TRITON_MODEL}, sha256", digest, bundle.files[contents.MODEL].sha256)
    for path in present & set(places.AISC):
        _check_plugin(path, _object(bundle, path), index)
    if places.INFERENCE[0] in present:
        _check_inference(bundle, index, present)
    _check_catalogues(bundle, index, present)
    return f"{', '.join(wanted)}: features, classes and digests agree" if wanted else "none"


def _expected(index: manifest.BundleManifest, wanted: tuple[str, ...], present: set[str]) -> set[str]:
    """What the plan asks for. Of Triton's model and of the sample there may be none, where each has its reason."""
    files: dict[str, set[str]] = {
        "aisc": set(places.AISC) if index.model.classes else {places.AISC[0]},
        "edge": set(places.EDGE),
        "triton": {*places.TRITON, places.TRITON_MODEL if places.TRITON_MODEL in present else places.TRITON_NOTE},
        "open_inference": {places.INFERENCE[0], *(present & set(places.INFERENCE))},
        "aiod": {places.AIOD},
        "data_space": {places.DATA_SPACE},
    }
    return {path for name in wanted for path in files[name]}


def _check_configuration(path: str, text: str, index: manifest.BundleManifest) -> None:
    """Names, types and dimensions of the tensors, in order; the batch does not stand there."""
    tensors = (*index.model.inputs, *index.model.outputs)
    words = _WORD.findall(text)
    names = [value for key, value in words if key == "name"]
    coherence.equal(f"{path}, names", names, ["model", *(tensor.name for tensor in tensors)])
    types = re.findall(r"data_type: (\w+)", text)
    coherence.equal(f"{path}, types", types, [_BATCH[tensor.dtype] for tensor in tensors])
    found = [[int(size) for size in sizes.split(",")] for sizes in _DIMENSIONS.findall(text)]
    coherence.equal(f"{path}, dimensions", found, [[int(s) for s in tensor.shape[1:]] or [1] for tensor in tensors])
    coherence.equal(f"{path}, platform", [v for k, v in words if k == "platform"], ["onnxruntime_onnx"])


def _check_plugin(path: str, content: dict[str, Any], index: manifest.BundleManifest) -> None:
    """Features in the order of the tensor, then the target, each with its bounds."""
    contract = index.model
    listed = content.get("features")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise coherence.differs(path, "no list of features", "one")
    expected = [*(feature.name for feature in contract.features), contract.target]
    coherence.equal(f"{path}, features", [one.get("name") for one in listed], expected)
    coherence.equal(f"{path}, target", content.get("target_feature"), contract.target)
    for one, feature in zip(listed, contract.features, strict=False):
        bounds = (feature.minimum or 0.0, feature.maximum or 0.0)
        kind = "Integer" if feature.integer else "Float"
        if feature.kind == "categorical":
            bounds, kind = (0.0, float(len(feature.categories) - 1)), "Integer"
        coherence.equal(f"{path}, bounds of {feature.name}", (one.get("min"), one.get("max")), bounds)
        coherence.equal(f"{path}, type of {feature.name}", one.get("type"), kind)


def _check_inference(bundle: cross_check.Bundle, index: manifest.BundleManifest, present: set[str]) -> None:
    """Metadata as in the contract; request and response are golden vectors."""
    path, contract = places.INFERENCE[0], index.model
    described = _object(bundle, path)
    for key, tensors in (("inputs", contract.inputs), ("outputs", contract.outputs)):
        expected = [_described(tensor) for tensor in tensors]
        coherence.equal(f"{path}, {key}", described.get(key), expected)
    coherence.equal(f"{path}, name", described.get("name"), index.system.id)
    coherence.equal(f"{path}, versions", described.get("versions"), [index.system.version])
    samples = [path for path in places.INFERENCE[1:] if path in present]
    if not samples:
        return
    coherence.equal("samples of the inference protocol", samples, list(places.INFERENCE[1:]))
    golden = _golden(bundle, index)
    whole = [number for number, row in enumerate(golden[contract.inputs[0].name]) if all(map(math.isfinite, row))]
    for path, key, tensors in (
        (samples[0], "inputs", contract.inputs), (samples[1], "outputs", contract.outputs),
    ):  # fmt: skip
        content = _object(bundle, path)
        expected = [_sampled(tensor, [golden[tensor.name][n] for n in whole]) for tensor in tensors]
        coherence.equal(f"{path}, {key}", content.get(key), expected)


def _described(tensor: records.TensorSpec) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return {"name": tensor.name, "datatype": _PROTOCOL[tensor.dtype], "shape": shape}


def _sampled(tensor: records.TensorSpec, rows: list[list[float]]) -> dict[str, Any]:
    wide = len(tensor.shape) == 2
    return {
        "name": tensor.name,
        "shape": [len(rows), len(rows[0])] if wide else [len(rows)],
        "datatype": _PROTOCOL[tensor.dtype],
        "data": [value for row in rows for value in row],
    }


def _golden(bundle: cross_check.Bundle, index: manifest.BundleManifest) -> dict[str, list[list[float]]]:
    """Name of the tensor to its rows, of every golden vector."""
    found = {}
    for file in index.files:
        if file.path.startswith(f"{contents.GOLDEN}/"):
            name, values = tensor_file.read(bundle.read(file.path), file.path)
            found[name] = values.reshape(len(values), -1).tolist() if len(values) else []
    tensors = (*index.model.inputs, *index.model.outputs)
    sizes = [len(found[tensor.name]) if tensor.name in found else 0 for tensor in tensors]
    if min(sizes) == 0 or len(set(sizes)) != 1:
        raise coherence.differs("golden vectors", f"{sizes} rows", "as many rows, at least one, for each tensor")
    return found


def _check_catalogues(bundle: cross_check.Bundle, index: manifest.BundleManifest, present: set[str]) -> None:
    digest = bundle.files[contents.MODEL].sha256
    if places.AIOD in present:
        entry = _object(bundle, places.AIOD)
        listed = entry.get("distribution")
        checksums = [one.get("checksum") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        coherence.equal(f"{places.AIOD}, checksum", checksums, [digest])
        coherence.equal(f"{places.AIOD}, name", entry.get("name"), index.system.name)
        coherence.equal(f"{places.AIOD}, version", entry.get("version"), index.system.version)
    if places.DATA_SPACE in present:
        asset = _object(bundle, places.DATA_SPACE)
        properties = asset.get("properties")
        stated = properties if isinstance(properties, dict) else {}
        coherence.equal(f"{places.DATA_SPACE}, id", asset.get("@id"), index.bundle_id)
        coherence.equal(f"{places.DATA_SPACE}, digest of the model", stated.get("modelSha256"), digest)
        coherence.equal(f"{places.DATA_SPACE}, version", stated.get("version"), index.system.version)


def _object(bundle: cross_check.Bundle, path: str) -> dict[str, Any]:
    found = strict_json.parse(bundle.read(path), path)
    if not isinstance(found, dict):
        raise coherence.differs(path, "something else", "a JSON object")
    return found
