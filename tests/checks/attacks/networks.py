"""A network of two layers, in numpy with its derivatives and as the ONNX graph that is attacked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from evidence import records
from tests.checks import model_builders


@dataclasses.dataclass(frozen=True)
class Network:
    """The logits are relu(x A + a) B + b."""

    first: np.ndarray
    bias: np.ndarray
    second: np.ndarray
    offset: np.ndarray

    @classmethod
    def random(cls, features: int, hidden: int, outputs: int, seed: int) -> Network:
        """Weights of the usual size."""
        rng = np.random.default_rng(seed)
        return cls(
            rng.normal(size=(features, hidden)) / np.sqrt(features / 4),
            rng.normal(size=hidden) * 0.3,
            rng.normal(size=(hidden, outputs)) / np.sqrt(hidden / 4),
            np.zeros(outputs),
        )

    def logits(self, x):
        """Outputs (n, K)."""
        return np.maximum(x @ self.first + self.bias, 0) @ self.second + self.offset

    def vjp(self, x):
        """Outputs with their pullback, as `checks.source` has it."""
        active = (x @ self.first + self.bias) > 0
        return self.logits(x), lambda cotangent: ((cotangent @ self.second.T) * active) @ self.first.T

    def gradient(self, x, y):
        """Gradient of the cross entropy."""
        logits, pullback = self.vjp(x.astype(np.float64))
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        shares[np.arange(len(y)), y.astype(int)] -= 1
        return pullback(shares)

    def scorer(self, place: Path):
        """The graph under ONNX Runtime."""
        from checks import scoring

        outputs = self.second.shape[1]
        nodes = [
            helper.make_node("Gemm", ["features", "first", "bias"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["active"]),
            helper.make_node("Gemm", ["active", "second", "offset"], ["prediction" if outputs == 1 else "logits"]),
        ]
        found = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])]
        if outputs > 1:
            nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1))
            nodes.append(helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0))
            found = [
                helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
                helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", outputs]),
            ]
        constants = {"first": self.first, "bias": self.bias, "second": self.second, "offset": self.offset}
        path = place / "network.onnx"
        model_builders.save(path, nodes, len(self.first), found, constants)
        task = {1: "regression", 2: "binary"}.get(outputs, "multiclass")
        return scoring.Scorer(path, task, len(self.first), outputs if outputs > 1 else 0)


def features(count: int) -> tuple[records.FeatureSpec, ...]:
    """Standardised features without a training range."""
    return tuple(records.FeatureSpec(name=f"f{j}", kind="numeric", std=1.0, mean=0.0, median=0.0) for j in range(count))


def problem(network: Network, place: Path, x: np.ndarray, y: np.ndarray, epsilon: float):
    """Rows under attack within a box of that size."""
    from checks.attacks import budget, search

    outputs = network.second.shape[1]
    limits = budget.budget(features(x.shape[1]), x, epsilon)
    return search.Problem(network.scorer(place), x, y, limits, outputs if outputs > 1 else 0)
