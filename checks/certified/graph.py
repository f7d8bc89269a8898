"""The ONNX file as a small typed graph. Only reading; nothing is computed here.

The file may come from a stranger: no external data is opened, and an operator that nobody knows is no error here. It
becomes `Unsupported` when something that depends on it is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from configs import errors

Array = npt.NDArray[Any]

LARGEST = 512 << 20
"""Bytes of the largest file that is read."""
MOST_NODES = 20_000


class UnsupportedError(Exception):
    """The certifier does not know an operator, or not in this use. Its answer is then `unknown`."""

    def __init__(self, operator: str, why: str = "the certifier does not know it") -> None:
        super().__init__(f"operator {operator}: {why}")
        self.operator = operator


@dataclasses.dataclass(frozen=True)
class Node:
    """One operator."""

    operator: str
    """With its domain where that is not the standard one."""
    inputs: tuple[str, ...]
    """Names; empty for an input that is left out."""
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Value:
    """An input or an output of the graph."""

    name: str
    shape: tuple[int, ...]
    """For one row: dimensions of any size are 1."""
    floating: bool
    """Is it float32 or float64? Half precision is not: its rounding is not covered by our bounds."""

    @property
    def size(self) -> int:
        """Number of elements for one row."""
        return int(np.prod(self.shape))


@dataclasses.dataclass(frozen=True)
class Graph:
    """A graph for one row."""

    nodes: tuple[Node, ...]
    """In an order in which each comes after what it needs."""
    constants: Mapping[str, Array]
    input: Value
    outputs: tuple[Value, ...]
    opset: int

    def needed(self, name: str) -> tuple[Node, ...]:
        """The nodes on which a value depends, in order."""
        wanted, kept = {name}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                wanted.update(node.inputs)
                kept.append(node)
        return tuple(reversed(kept))

    def producer(self, name: str) -> Node | None:
        """The node that makes a value; None for inputs and constants."""
        return next((n for n in self.nodes if name in n.outputs), None)

    def output(self, name: str) -> Value | None:
        """An output by name."""
        return next((v for v in self.outputs if v.name == name), None)


def read(path: Path) -> Graph:
    """Read an ONNX file.

    Raises:
        MissingError: There is no such file.
        DataError: It is no ONNX graph with one input, or is too large.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise _refusal(path.name, f"at most {LARGEST >> 20} MiB", f"{size >> 20} MiB", "Certify a smaller network")
        content = path.read_bytes()
    except FileNotFoundError:
        raise errors.MissingError(f"model {path}: expected an ONNX file, got none. Check the path.") from None
    except OSError as error:
        raise _refusal(path.name, "a readable file", str(error.strerror), "Name the .onnx file") from None
    return parse(content, path.name)


def parse(content: bytes, name: str = "model") -> Graph:
    """Read the bytes of an ONNX file. See `read`."""
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError):
        raise _refusal(name, "an ONNX file", "something else", "Export the model again") from None
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise _refusal(name, f"at most {MOST_NODES} operators", str(len(graph.node)), "Certify a smaller network")
    constants = {tensor.name: _array(tensor, name) for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1 or not graph.output:
        got = f"{len(inputs)} inputs and {len(graph.output)} outputs"
        raise _refusal(name, "one input and at least one output", got, "Certify a network of one input")
    nodes = tuple(_node(node, name) for node in graph.node)
    _require_order(nodes, [o.name for o in graph.output], {inputs[0].name, "", *constants}, name)
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
    return Graph(nodes, constants, _value(inputs[0], name), tuple(_value(v, name) for v in graph.output), opset)


def _node(node: onnx.NodeProto, name: str) -> Node:
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    attributes = {a.name: _attribute(a, name) for a in node.attribute}
    return Node(operator, tuple(node.input), tuple(node.output), attributes)


def _attribute(attribute: onnx.AttributeProto, name: str) -> Any:
    if attribute.type == onnx.AttributeProto.TENSOR:
        return _array(attribute.t, name)
    found = onnx.helper.get_attribute_value(attribute)
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _array(tensor: TensorProto, name: str) -> Array:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise _refusal(name, "all weights in one file", "external data", "Save the model with its weights inside")
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, RuntimeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _refusal(name, f"a readable tensor {tensor.name}", why, "Export the model again") from None


def _value(value: onnx.ValueInfoProto, name: str) -> Value:
    kind = value.type.tensor_type
    shape = tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else 1 for d in kind.shape.dim)
    if np.prod(shape, dtype=np.float64) > LARGEST / 8:
        raise _refusal(name, "a tensor that fits into memory", f"{value.name} of shape {shape}", "Check the file")
    return Value(value.name, shape, kind.elem_type in (TensorProto.FLOAT, TensorProto.DOUBLE))


def _require_order(nodes: tuple[Node, ...], outputs: list[str], known: set[str], name: str) -> None:
    for node in nodes:
        if missing := [i for i in node.inputs if i not in known]:
            raise _refusal(name, f"{missing[0]} before it is used", f"a {node.operator} without it", "Check the file")
        known.update(node.outputs)
    if absent := [o for o in outputs if o not in known or not o]:
        raise _refusal(name, f"an operator that makes the output {absent[0]!r}", "none", "Check the file")


def _refusal(name: str, expected: str, got: str, remedy: str) -> errors.DataError:
    return errors.DataError(f"model {name}: expected {expected}, got {got}. {remedy}.")
