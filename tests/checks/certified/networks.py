"""Small random ONNX networks, written with onnx itself and run by ONNX Runtime."""

from __future__ import annotations

import itertools

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
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
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


def classifier(place, rng, features, classes, *, hidden=(10, 10), threshold=0.5, spoil=None):
    """A ReLU network under the model contract: missing cells are filled, then dense layers, softmax and label.

    Args:
        place: Where the file goes.
        rng: For the weights.
        features: Inputs.
        classes: Classes; 1 is a regressor.
        hidden: Widths of the hidden layers.
        threshold: Of a binary label.
        spoil: An operator that is put in front of the last layer.

    Returns:
        The weights (w, b) of each layer.
    """
    from tests.checks import model_builders

    widths = [features, *hidden, classes]
    nodes, constants = dense(rng, widths, scale=1.5)
    nodes = [
        helper.make_node("IsNaN", ["features"], ["absent"]),
        helper.make_node("Where", ["absent", "fill", "features"], ["x"]),
        *nodes,
    ]
    if spoil:
        last = nodes[-1]
        nodes[-1:] = [helper.make_node(spoil, [last.input[0]], ["odd"]), last]
        last.input[0] = "odd"
    constants |= {"fill": np.zeros(features), "threshold": np.array(threshold), "one": np.array(1)}
    if classes == 1:
        nodes.append(helper.make_node("Identity", ["y"], ["prediction"]))
        outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])]
    else:
        nodes += [helper.make_node("Softmax", ["y"], ["probabilities"], axis=1), *model_builders._label(classes)]
        outputs = [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", classes]),
        ]
    model_builders.save(place, nodes, features, outputs, constants)
    return [(np.float32(constants[f"w{i}"]), np.float32(constants[f"b{i}"])) for i in range(len(widths) - 1)]


def gradient(weights):
    """Of the cross entropy (one output: of the squared error) by the inputs; 0 for missing cells."""

    def slope(x, y):
        values, at = [], np.nan_to_num(x).astype(np.float64)
        for i, (w, b) in enumerate(weights):
            at = at @ w + b
            values.append(at)
            at = np.maximum(at, 0) if i < len(weights) - 1 else at
        if at.shape[1] == 1:
            back = at - y[:, None]
        else:
            shares = np.exp(at - at.max(axis=1, keepdims=True))
            back = shares / shares.sum(axis=1, keepdims=True)
            back[np.arange(len(y)), y.astype(int)] -= 1
        for (w, _), value in zip(reversed(weights), [*reversed(values[:-1]), None], strict=True):
            back = back @ w.T
            back = back if value is None else back * (value > 0)
        return np.where(np.isfinite(x), back, 0.0)

    return slope
