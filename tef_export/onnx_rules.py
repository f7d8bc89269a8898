"""Rules for an ONNX file from a stranger, beyond what `onnx.checker` looks at.

Everything stands inside the one file, only standard operators are used, every runtime in use can read it, every weight
is a number, and no metadata changes how a runtime behaves or tells about the machine it was made on.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

from configs import errors

OPSETS = range(17, 21)
"""Versions of the standard operator set that receivers' runtimes have in common."""
ML_OPSETS = range(1, 6)
NEWEST_IR = 10
LARGEST = (1 << 31) - 1
"""Bytes of the model file: what the format allows in one file."""
MOST_NODES = 100_000
DEEPEST = 8
"""Subgraphs inside subgraphs."""
LARGEST_CONSTANT = 1 << 28
"""Elements that one ConstantOfShape with a fixed shape may make."""
LONGEST_SHAPE = 64
"""Dimensions that a ConstantOfShape with a fixed shape may have."""
_STANDARD = ("", "ai.onnx")
_FORBIDDEN_METADATA = ("ort_config",)
_TELLING_METADATA = ("stack_trace", "source_file", "filename")


def require_size(size: int) -> None:
    """Check that a model file is not too large.

    Raises:
        VerificationError: It is too large.
    """
    if size > LARGEST:
        raise refusal(f"at most {LARGEST} bytes", f"{size}")


def parsed(content: bytes) -> onnx.ModelProto:
    """A model from its bytes.

    Raises:
        VerificationError: It is no ONNX.
    """
    try:
        return onnx.load_model_from_string(content)
    except (DecodeError, ValueError, TypeError, RecursionError) as error:
        raise refusal("an ONNX file", f"something that cannot be read ({_first(error)})") from None


def check(model: onnx.ModelProto, apart: Collection[int] = ()) -> None:
    """Apply the static rules.

    Args:
        model: The model.
        apart: Numbers of the initializers whose values are not in it, because they were checked where they stand.

    Raises:
        VerificationError: Naming the first rule that is broken.
    """
    _check_versions(model)
    _check_metadata(model.metadata_props, "model")
    if model.functions or model.training_info:
        raise refusal("no model functions or training graphs", "some")
    _check_graph(model.graph, _Budget(), 0, apart)


def check_with_onnx(model: onnx.ModelProto, apart: Collection[int] = ()) -> None:
    """The checker of ONNX itself, with shape inference and with custom operators refused.

    Initializers whose values are apart (see `check`) are shown to it as inputs: it needs their types and shapes alone.

    Raises:
        VerificationError: The model is invalid.
    """
    try:
        onnx.checker.check_model(without(model, apart), full_check=True, check_custom_domain=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError, TypeError) as error:
        raise refusal("a valid model", f"one that onnx.checker refuses ({_first(error)})") from None


def without(model: onnx.ModelProto, apart: Collection[int]) -> onnx.ModelProto:
    """The model with initializers that are apart (see `check`) as inputs of their type and shape."""
    if not apart:
        return model
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    weights = [shown.graph.initializer[number] for number in sorted(apart)]
    known = {value.name for value in shown.graph.input}
    shown.graph.input.extend(
        onnx.helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in weights if w.name not in known
    )
    for number in sorted(apart, reverse=True):
        del shown.graph.initializer[number]
    return shown


def facts(model: onnx.ModelProto) -> dict[str, Any]:
    """What the graph says about itself: inputs and outputs (as in `TensorSpec`), operator set, format version."""
    return {
        "inputs": [_spec(value) for value in model.graph.input],
        "outputs": [_spec(value) for value in model.graph.output],
        "opset": next(o.version for o in model.opset_import if o.domain in _STANDARD),
        "ir_version": model.ir_version,
    }


class _Budget:
    """Nodes seen so far, over all subgraphs."""

    def __init__(self) -> None:
        self.nodes = 0


def _check_versions(model: onnx.ModelProto) -> None:
    if not 1 <= model.ir_version <= NEWEST_IR:
        raise refusal(f"format version (IR) up to {NEWEST_IR}", f"{model.ir_version}")
    domains = [o.domain for o in model.opset_import]
    standard = [o.version for o in model.opset_import if o.domain in _STANDARD]
    if len(standard) != 1 or standard[0] not in OPSETS:
        raise refusal(f"operator set {OPSETS[0]} to {OPSETS[-1]}", f"{standard}")
    for entry in model.opset_import:
        if entry.domain not in (*_STANDARD, "ai.onnx.ml"):
            raise refusal("standard operators only", f"the domain '{entry.domain[:60]}'")
        if entry.domain == "ai.onnx.ml" and entry.version not in ML_OPSETS:
            raise refusal(f"ai.onnx.ml {ML_OPSETS[0]} to {ML_OPSETS[-1]}", f"{entry.version}")
    if len(set(domains)) != len(domains):
        raise refusal("each operator domain once", "one twice")


def _check_metadata(entries: Any, where: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.key in _FORBIDDEN_METADATA:
            raise refusal("no metadata that configures a runtime", f"{entry.key} at {where[:80]}")
        if any(word in entry.key for word in _TELLING_METADATA):
            raise refusal("no source lines or places of the maker's machine", f"{entry.key[:60]} at {where[:80]}")
        if entry.key in seen:
            raise refusal("each metadata key once", f"{entry.key[:60]} twice at {where[:80]}")
        seen.add(entry.key)


def _check_graph(graph: onnx.GraphProto, budget: _Budget, depth: int, apart: Collection[int] = ()) -> None:
    if depth > DEEPEST:
        raise refusal(f"at most {DEEPEST} subgraphs inside each other", "more")
    _check_metadata(graph.metadata_props, "graph")
    for value in (*graph.input, *graph.output, *graph.value_info):
        _check_metadata(value.metadata_props, f"value {value.name}")
    for number, tensor in enumerate(_weights(graph)):
        _check_tensor(tensor, f"weight {tensor.name[:80]}", apart=number in apart)
    budget.nodes += len(graph.node)
    if budget.nodes > MOST_NODES:
        raise refusal(f"at most {MOST_NODES} nodes", "more")
    fixed = {t.name: t for t in graph.initializer}
    for node in graph.node:
        _check_node(node, fixed, budget, depth)


def _check_node(node: onnx.NodeProto, fixed: dict[str, onnx.TensorProto], budget: _Budget, depth: int) -> None:
    where = f"node {node.op_type[:40]} {node.name[:80]}".strip()
    if node.domain not in (*_STANDARD, "ai.onnx.ml"):
        raise refusal("standard operators only", f"{where} of the domain '{node.domain[:60]}'")
    _check_metadata(node.metadata_props, where)
    for attribute in node.attribute:
        for tensor in _tensors(attribute):
            _check_tensor(tensor, where)
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            _check_graph(graph, budget, depth + 1)
    if node.op_type == "ConstantOfShape" and node.input and node.input[0] in fixed:
        if math.prod(fixed[node.input[0]].dims) > LONGEST_SHAPE:
            raise refusal("a shape of a few numbers", f"{where} with a large one")
        shape = numpy_helper.to_array(fixed[node.input[0]]).ravel().tolist()
        if math.prod(int(size) for size in shape) > LARGEST_CONSTANT:
            raise refusal(f"constants of at most {LARGEST_CONSTANT} elements", f"{where} with the shape {shape[:8]}")


def _weights(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def _tensors(attribute: onnx.AttributeProto) -> Iterator[onnx.TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
    for entry in (*sparse, *attribute.sparse_tensors):
        yield from (entry.values, entry.indices)


def _check_tensor(tensor: onnx.TensorProto, where: str, *, apart: bool = False) -> None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        place = next((e.value for e in tensor.external_data if e.key == "location"), "")
        raise refusal("all weights inside the file", f"{where} that refers to the file '{place[:80]}'")
    _check_metadata(tensor.metadata_props, where)
    if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > LARGEST:
        raise refusal("tensors of a sensible size", f"{where} with the shape {list(tensor.dims)[:8]}")
    if apart:
        return
    try:
        values = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise refusal("readable weights", f"{where} ({_first(error)})") from None
    if values.dtype.kind in "fc" and not np.isfinite(values).all():
        raise refusal("finite weights", f"{where} with NaN or infinite values")


def _spec(value: onnx.ValueInfoProto) -> dict[str, Any]:
    kind = value.type.tensor_type
    try:
        name = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    except KeyError:
        raise refusal("tensors as inputs and outputs", f"{value.name[:80]} of another type") from None
    return {"name": value.name, "dtype": name, "shape": [d.dim_param or d.dim_value for d in kind.shape.dim]}


def _first(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:160]


def refusal(expected: str, got: str) -> errors.VerificationError:
    """The refusal of a model file."""
    return errors.VerificationError(f"model.onnx: expected {expected}, got {got}. Do not run it.")
