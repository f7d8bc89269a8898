"""Small random ONNX networks, written with onnx itself and run by ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model(nodes, constants, shape, outputs=("y",), kinds=None) -> bytes:
    """A model from nodes and constants, with one input `x` of a shape."""
    kinds = kinds or {}
    made = [helper.make_tensor_value_info(o, kinds.get(o, TensorProto.FLOAT), None) for o in outputs]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        made,
        [
            numpy_helper.from_array(v if v.dtype in (np.int64, np.bool_) else v.astype(np.float32), k)
            for k, v in constants.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8).SerializeToString()


def dense(rng, widths, *, scale=1.0) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    """Gemm and ReLU from `x` to `y`."""
    nodes, constants, at = [], {}, "x"
    for i, (n, m) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        constants[f"w{i}"] = scale * rng.normal(size=(n, m)) / np.sqrt(n)
        constants[f"b{i}"] = 0.3 * rng.normal(size=m)
        last = i == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [at, f"w{i}", f"b{i}"], ["y" if last else f"h{i}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"h{i}"], [f"a{i}"]))
            at = f"a{i}"
    return nodes, constants


def run(content: bytes, x: np.ndarray, output: str = "y", *, batch: bool = True) -> np.ndarray:
    """What ONNX Runtime computes for rows (N, n), flattened."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
    x = x.astype(np.float32)
    if batch:
        (found,) = session.run([output], {"x": x.reshape(len(x), *shape[1:])})
        return np.asarray(found, dtype=np.float64).reshape(len(x), -1)
    rows = [session.run([output], {"x": row.reshape(shape)})[0].ravel() for row in x]
    return np.array(rows, dtype=np.float64)
