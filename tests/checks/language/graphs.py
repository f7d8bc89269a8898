"""Graphs under the contract of language models whose probabilities are known: the next token depends on the last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper


def bigram(path: Path, logits: npt.NDArray[np.float64], heads: int = 1, width: int = 2) -> Path:
    """A graph whose logits are a row of a table, with a cache of zeros.

    Args:
        path: Where it is written.
        logits: (tokens, tokens): row of the last token, column of the next one.
        heads: Of the cache.
        width: Of a head.
    """
    size = len(logits)
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "total"]),
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "sequence"]),
    ]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", size])]
    table = numpy_helper.from_array(logits.astype(np.float32), "table")
    ones = numpy_helper.from_array(np.array([1, heads, 1, width], np.int64), "ones")
    axes = numpy_helper.from_array(np.array([1, 3], np.int64), "axes")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["logits"]),
        helper.make_node("Cast", ["position_ids"], ["places"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["places", "axes"], ["thin"]),
        helper.make_node("Tile", ["thin", "ones"], ["fresh"]),
    ]
    for what in ("key", "value"):
        shape = ["batch", heads, "past", width]
        inputs.append(helper.make_tensor_value_info(f"past_key_values.0.{what}", TensorProto.FLOAT, shape))
        name = f"present.0.{what}"
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", heads, "total", width]))
        nodes.append(helper.make_node("Concat", [f"past_key_values.0.{what}", "fresh"], [name], axis=2))
    graph = helper.make_graph(nodes, "bigram", inputs, outputs, [table, ones, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def chain(path: Path, size: int, follows: dict[int, int], sure: float = 20.0) -> Path:
    """A graph that knows one successor of some tokens by heart, and nothing of the others."""
    logits = np.zeros((size, size))
    for token, successor in follows.items():
        logits[token, successor] = sure
    return bigram(path, logits)
