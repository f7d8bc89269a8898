"""How many weights a graph has, and how many of them each token is multiplied with. Reads the graph, runs nothing."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import onnx

CARRIES = ("Transpose", "Cast", "Identity", "Reshape")
"""Operators that hand weights on as they are."""
PRODUCTS = ("MatMul", "Gemm")


@dataclasses.dataclass(frozen=True)
class Weights:
    """Numbers of weights."""

    all: int
    multiplied: int
    """In matrix products: every token costs two operations for each. Tied embeddings are in one."""
    bytes: int


def of_graph(path: Path) -> Weights:
    """Count the initializers of two dimensions or more, without loading weights that lie beside the graph."""
    graph = onnx.load(path, load_external_data=False).graph
    sizes = {w.name: math.prod(w.dims) for w in graph.initializer if len(w.dims) > 1}
    wide = {w.name: math.prod(w.dims) * _width(w.data_type) for w in graph.initializer}
    origin = {name: name for name in sizes}
    used: set[str] = set()
    for node in graph.node:
        if node.op_type in CARRIES and node.input and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        if node.op_type in PRODUCTS:
            used |= {origin[name] for name in node.input if name in origin}
    every = sum(math.prod(w.dims) for w in graph.initializer if w.data_type in _FLOATS)
    return Weights(every, sum(sizes[name] for name in used), sum(wide.values()))


_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE)


def _width(kind: int) -> int:
    return int(onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize)
