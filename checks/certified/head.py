"""The end of a graph: label, probabilities and threshold as questions about logits.

Softmax and sigmoid are monotone, so a label is decided by differences of logits. Between what is proven of the logits
and what the float32 softmax makes of them stands a margin: `64 · 2⁻²⁴ (1 + |logit t|)`, over the derivative at the
threshold, above the error of the exponentials, the sum and the quotient.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from checks.certified import operators
from checks.certified.branch import Goal
from checks.certified.graph import Node, UnsupportedError
from checks.certified.lowering import Lowering
from checks.certified.program import UNIT, Floats

SOFT = 64 * UNIT
"""Largest relative error of a probability in float32."""
_PASSING = frozenset({"Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten"})
_SELECTING = _PASSING | {"Gather", "Slice", "Transpose"}
_COMPARING = {"GreaterOrEqual": 1, "Greater": 1, "LessOrEqual": -1, "Less": -1}

Kind = Literal["softmax", "sigmoid", "plain"]


@dataclasses.dataclass(frozen=True)
class Scores:
    """What an output is computed from: `kind` of the values called `name`."""

    kind: Kind
    name: str


@dataclasses.dataclass(frozen=True)
class Label:
    """How a label comes about."""

    scores: Scores
    index: int | None = None
    """The score that is compared with the threshold; None for the largest."""
    threshold: Floats | None = None
    """(R,)"""
    positive: int = 1
    """The label from the threshold on."""


def scores(lowering: Lowering, name: str) -> Scores:
    """What a floating output is computed from.

    Raises:
        UnsupportedError: A softmax over something else than all scores of a row, or rounded scores.
    """
    at = name
    while (node := lowering.graph.producer(at)) is not None and node.operator in _PASSING:
        _require_float(node)
        at = node.inputs[0]
    return _made_by(lowering, node) or Scores("plain", name)


def _made_by(lowering: Lowering, node: Node | None) -> Scores | None:
    if node is None or node.operator not in ("Softmax", "Sigmoid"):
        return None
    if node.operator == "Sigmoid":
        return Scores("sigmoid", node.inputs[0])
    shape = lowering.tensor(node.inputs[0]).shape
    axis = int(node.attributes.get("axis", -1 if lowering.graph.opset >= 13 else 1))
    if not shape or axis not in (-1, len(shape) - 1) or int(np.prod(shape)) != shape[-1]:
        raise UnsupportedError(node.operator, f"axis {axis} of scores of shape {shape}")
    return Scores("softmax", node.inputs[0])


def _require_float(node: Node) -> None:
    if node.operator == "Cast" and int(node.attributes["to"]) not in (1, 11):
        raise UnsupportedError(node.operator, "it rounds the scores")


def label(lowering: Lowering, name: str) -> Label:
    """How the label output called `name` comes about.

    Raises:
        UnsupportedError: Not by the largest score, and not by one score and a threshold.
    """
    graph, at = lowering.graph, name
    while (node := graph.producer(at)) is not None and node.operator in _PASSING:
        at = node.inputs[0]
    if node is None:
        raise UnsupportedError("label", "it is not computed")
    if node.operator == "ArgMax":
        found = scores(lowering, node.inputs[0])
        width = _width(lowering, found)
        axis = int(node.attributes.get("axis", 0))
        rank = len(lowering.tensor(found.name).shape)
        if axis not in (-1, rank - 1) or width < 2:
            raise UnsupportedError(node.operator, "it is not taken over the classes")
        return Label(found)
    if node.operator not in _COMPARING:
        raise UnsupportedError(node.operator, "the certifier does not know labels that are made with it")
    return _compared(lowering, node)


def _compared(lowering: Lowering, node: Node) -> Label:
    sign = _COMPARING[node.operator]
    for value, other, turn in ((0, 1, 1), (1, 0, -1)):
        found = _selected(lowering, node.inputs[value])
        if found is None:
            continue
        limit = lowering.tensor(node.inputs[other])
        if not limit.constant or limit.value[0].size != 1:
            raise UnsupportedError(node.operator, "its threshold moves")
        threshold = limit.value.reshape(-1).astype(np.float64)
        return Label(*found, threshold, 1 if sign * turn > 0 else 0)
    raise UnsupportedError(node.operator, "it compares no single score with a threshold")


def _selected(lowering: Lowering, name: str) -> tuple[Scores, int] | None:
    """The score that a single value is: back through selections, then forward with numbers in place of scores."""
    graph, chain, at = lowering.graph, list[Node](), name
    while (node := graph.producer(at)) is not None and node.operator in _SELECTING:
        _require_float(node)
        chain.append(node)
        at = node.inputs[0]
    found = _made_by(lowering, node) or Scores("plain", at)
    tensor = lowering.tensor(found.name)
    if tensor.constant and found.kind == "plain":
        return None
    numbers = np.arange(int(np.prod(tensor.shape))).reshape(1, *tensor.shape)
    for step in reversed(chain):
        others = [lowering.tensor(i).value if i else None for i in step.inputs[1:]]
        if step.operator != "Cast":
            numbers = operators.evaluate(step, [numbers, *others])
    return (found, int(numbers.ravel()[0])) if numbers.size == 1 else None


def _width(lowering: Lowering, found: Scores) -> int:
    shape = lowering.tensor(found.name).shape
    width = shape[-1] if shape else 1
    if int(np.prod(shape)) != width:
        raise UnsupportedError("ArgMax", f"scores of shape {shape}")
    return int(width)


def keeps_label(made: Label, width: int, labels: npt.NDArray[np.int64]) -> Goal:
    """The goal that the label of each row stays as it is.

    Args:
        made: How the label comes about.
        width: Number of scores.
        labels: (N,) the labels.

    Raises:
        UnsupportedError: A threshold on one of several softmax scores, or one that no probability passes.
    """
    rows = len(labels)
    if made.threshold is None:
        others = np.array([[j for j in range(width) if j != y] for y in labels.tolist()])
        coefficients = np.zeros((rows, width - 1, width))
        at, question = np.arange(rows)[:, None], np.arange(width - 1)[None]
        coefficients[at, question, labels[:, None]] = 1.0
        coefficients[at, question, others] = -1.0
        margin = SOFT if made.scores.kind != "plain" else 0.0
        return Goal(coefficients, np.full((rows, width - 1), -margin), np.arange(width - 1))
    direction, limit, margin_ = _threshold(made, width)
    sign = np.where(labels == made.positive, 1.0, -1.0)
    offset = np.broadcast_to(-sign * limit, rows) - margin_
    return Goal(sign[:, None, None] * direction, offset[:, None], np.zeros(1, np.intp))


def _threshold(made: Label, width: int) -> tuple[Floats, Floats, Floats]:
    """(width,) the function of the scores that is compared, with what (R,), and the margin (R,)."""
    threshold = made.threshold
    if threshold is None or made.index is None:
        raise TypeError("a label with a threshold")
    direction = np.zeros(width)
    direction[made.index] = 1.0
    if made.scores.kind == "plain":
        return direction, threshold, np.zeros(1)
    if ((threshold <= 0) | (threshold >= 1) | ~np.isfinite(threshold)).any():
        raise UnsupportedError("Greater", "its threshold is no probability between 0 and 1")
    if made.scores.kind == "softmax":
        if width != 2:
            raise UnsupportedError("Softmax", "a threshold on one of more than two probabilities")
        direction[1 - made.index] = -1.0
    return direction, logit(threshold), margin(threshold)


def logit(probability: Floats) -> Floats:
    """ln(p / (1 − p))."""
    return np.log(probability) - np.log1p(-probability)


def margin(probability: Floats) -> Floats:
    """Distance in logits beyond which a float32 softmax is on the right side of a probability."""
    smaller = np.minimum(probability, 1 - probability)
    return 2 * SOFT * (1 + np.abs(logit(probability))) / smaller
