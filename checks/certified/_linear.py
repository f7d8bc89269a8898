"""Operators with constant weights as matrices on flattened tensors."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from checks.certified.graph import Node, UnsupportedError
from checks.certified.operators import reduced_axes
from checks.certified.program import Matrix, Select

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
MOST = 1 << 26
"""Entries of the largest matrix."""


@dataclasses.dataclass(frozen=True)
class Made:
    """y = M x + b."""

    source: int
    """Which input of the node is x."""
    linear: Matrix | Select
    bias: Array | None
    """(R, *shape)"""
    shape: Shape
    """Of y, for one row."""
    terms: int
    """Products in the longest sum."""


def matmul(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """MatMul of what moves with a matrix, on either side."""
    left, right = shapes[0], shapes[1]
    if given[1] is not None:
        weights = _alone(node, given[1])
        if weights.ndim != 2 or len(left) < 2:
            raise UnsupportedError(node.operator, f"a product of the shapes {left} and {right}")
        return _times(0, weights.T, left[:-1], None)
    if given[0] is None:
        raise UnsupportedError(node.operator, "both of its inputs move")
    weights = _alone(node, given[0])
    if weights.ndim != 2 or len(right) != 2:
        raise UnsupportedError(node.operator, f"a product of the shapes {left} and {right}")
    _require_size(len(weights) * right[1] * weights.shape[1])
    linear = Matrix(sparse.kron(weights.astype(np.float64), sparse.eye_array(right[1]), format="csr"))
    return Made(1, linear, None, (len(weights), right[1]), weights.shape[1])


def gemm(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """Gemm with constant weights."""
    if given[1] is None or (len(given) > 2 and shapes[2] and given[2] is None):
        raise UnsupportedError(node.operator, "its weights move")
    turned = bool(node.attributes.get("transA", 0))
    if turned and 1 not in shapes[0]:
        raise UnsupportedError(node.operator, "what moves is transposed")
    weights = _alone(node, given[1]).astype(np.float64) * float(node.attributes.get("alpha", 1.0))
    weights = weights if node.attributes.get("transB", 0) else weights.T
    rows = shapes[0][1] if turned else shapes[0][0]
    made = _times(0, weights, (rows,), None)
    if len(given) < 3 or given[2] is None:
        return made
    addend = given[2].astype(np.float64) * float(node.attributes.get("beta", 1.0))
    padded = addend.reshape(len(addend), *(1,) * (3 - addend.ndim), *addend.shape[1:])
    return dataclasses.replace(made, bias=np.broadcast_to(padded, (len(addend), *made.shape)))


def convolution(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """Conv in two (or one) dimensions, with groups, strides, padding and dilation."""
    weights = _alone(node, given[1])
    spatial = shapes[0][2:]
    taps = _taps(node, shapes[0], weights.shape[2:])
    groups, outputs = int(node.attributes.get("group", 1)), weights.shape[0]
    channels, places = weights.shape[1], taps.shape[0]
    if shapes[0][1] != channels * groups or outputs % groups:
        raise ValueError(f"{shapes[0][1]} channels for weights of shape {weights.shape} in {groups} groups")
    kernel = weights.reshape(outputs, channels, -1).astype(np.float64)
    _require_size(outputs * places * channels * taps.shape[1])
    group = np.arange(outputs) // (outputs // groups)
    channel = group[:, None] * channels + np.arange(channels)
    # (outputs, places, channels, taps): where each weight finds its input
    column = channel[:, None, :, None] * math.prod(spatial) + taps[None, :, None, :]
    inside = np.broadcast_to(taps[None, :, None, :] >= 0, column.shape)
    row = np.broadcast_to(np.arange(outputs * places).reshape(outputs, places, 1, 1), column.shape)
    value = np.broadcast_to(kernel[:, None], column.shape)
    entries = (value[inside], (row[inside], column[inside]))
    matrix = sparse.csr_array(entries, shape=(outputs * places, math.prod(shapes[0])))
    shape = (1, outputs, *_places(node, spatial, weights.shape[2:]))
    bias = None
    if len(given) > 2 and given[2] is not None:
        bias = np.broadcast_to(_alone(node, given[2]).reshape(1, outputs, *(1,) * len(spatial)), shape)[None]
    return Made(0, Matrix(matrix), bias, shape, channels * taps.shape[1])


def average_pool(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """AveragePool; padding is left out of the mean unless the node says otherwise."""
    if node.attributes.get("ceil_mode", 0):
        raise UnsupportedError(node.operator, "ceil_mode")
    spatial, channels = shapes[0][2:], shapes[0][1]
    kernel = tuple(int(k) for k in node.attributes["kernel_shape"])
    taps = _taps(node, shapes[0], kernel)
    _require_size(channels * taps.size)
    inside = taps >= 0
    every = node.attributes.get("count_include_pad", 0)
    share = np.where(inside, 1.0 / (taps.shape[1] if every else np.maximum(inside.sum(1, keepdims=True), 1)), 0.0)
    row = np.broadcast_to(np.arange(len(taps))[:, None], taps.shape)
    one = sparse.csr_array((share[inside], (row[inside], taps[inside])), shape=(len(taps), math.prod(spatial)))
    linear = Matrix(sparse.kron(sparse.eye_array(channels), one, format="csr"))
    return Made(0, linear, None, (1, channels, *_places(node, spatial, kernel)), taps.shape[1])


def global_average_pool(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """The mean over all places of a channel."""
    return _mean(shapes[0], tuple(range(2, len(shapes[0]))), kept=True, mean=True)


def reduced(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """ReduceMean and ReduceSum."""
    axes = node.attributes.get("axes") if len(given) < 2 or given[1] is None else _alone(node, given[1]).ravel()
    over = reduced_axes(node, None if axes is None else [int(a) for a in axes], len(shapes[0]))
    kept = bool(node.attributes.get("keepdims", 1))
    return _mean(shapes[0], over, kept=kept, mean=node.operator == "ReduceMean")


def batch_norm(node: Node, given: Sequence[Array | None], shapes: Sequence[Shape]) -> Made:
    """BatchNormalization with its running statistics: a scale and a shift for each channel."""
    if node.attributes.get("training_mode", 0):
        raise UnsupportedError(node.operator, "it takes its statistics from the batch")
    scale, bias, mean, variance = (_alone(node, g).astype(np.float64) for g in given[1:5])
    factor = scale / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    channel = np.broadcast_to(np.arange(shapes[0][1]).reshape(1, -1, *(1,) * (len(shapes[0]) - 2)), shapes[0]).ravel()
    select = Select(np.arange(len(channel)), factor[channel][None], len(channel))
    shift = (bias - mean * factor)[channel].reshape(1, *shapes[0])
    return Made(0, select, shift, shapes[0], 4)


def centring(size: int, group: int) -> Matrix:
    """The map x − mean(x) in each group of neighbours."""
    one = np.eye(group) - 1.0 / group
    if size == group:
        return Matrix(one)
    _require_size(size * group)
    return Matrix(sparse.kron(sparse.eye_array(size // group), sparse.csr_array(one), format="csr"))


def _times(source: int, weights: Array, rows: Shape, bias: Array | None) -> Made:
    """The map y = x Wᵀ for each of some rows, W (m, n)."""
    count = math.prod(rows)
    made = weights.astype(np.float64)
    _require_size(count * made.size)
    if count != 1:
        made = sparse.kron(sparse.eye_array(count), sparse.csr_array(made), format="csr")
    return Made(source, Matrix(np.ascontiguousarray(made) if count == 1 else made), bias, (*rows, len(weights)),
                weights.shape[1])  # fmt: skip


def _mean(shape: Shape, over: tuple[int, ...], *, kept: bool, mean: bool) -> Made:
    target = np.arange(math.prod(d for i, d in enumerate(shape) if i not in over))
    small = tuple(1 if i in over else d for i, d in enumerate(shape))
    row = np.broadcast_to(target.reshape(small), shape).ravel()
    count = math.prod(shape[i] for i in over)
    value = np.full(len(row), 1.0 / count if mean else 1.0)
    matrix = sparse.csr_array((value, (row, np.arange(len(row)))), shape=(len(target), len(row)))
    result = small if kept else tuple(d for i, d in enumerate(shape) if i not in over)
    return Made(0, Matrix(matrix), None, result, count + 1)


def _alone(node: Node, array: Array | None) -> Array:
    if array is None:
        raise UnsupportedError(node.operator, "its weights move")
    if len(array) != 1:
        raise UnsupportedError(node.operator, "its weights differ between the rows")
    if not np.isfinite(array).all():
        raise UnsupportedError(node.operator, "its weights are not all finite")
    return array[0]


def _window(node: Node, spatial: Shape, kernel: Sequence[int]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Strides, dilations, padding before and after, for each dimension."""
    size = len(spatial)
    strides = [int(s) for s in node.attributes.get("strides") or [1] * size]
    dilations = [int(d) for d in node.attributes.get("dilations") or [1] * size]
    pads = [int(p) for p in node.attributes.get("pads") or [0] * (2 * size)]
    kind = node.attributes.get("auto_pad", "NOTSET")
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        whole = [
            max(0, (math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n)
            for n, s, k, d in zip(spatial, strides, kernel, dilations, strict=True)
        ]
        less, more = [w // 2 for w in whole], [w - w // 2 for w in whole]
        pads = [*less, *more] if kind == "SAME_UPPER" else [*more, *less]
    elif kind not in ("NOTSET", "VALID"):
        raise UnsupportedError(node.operator, f"auto_pad {kind}")
    return strides, dilations, pads[:size], pads[size:]


def _places(node: Node, spatial: Shape, kernel: Sequence[int]) -> Shape:
    strides, dilations, before, after = _window(node, spatial, kernel)
    return tuple(
        (n + b + a - d * (k - 1) - 1) // s + 1
        for n, b, a, d, k, s in zip(spatial, before, after, dilations, kernel, strides, strict=True)
    )


def _taps(node: Node, shape: Shape, kernel: Sequence[int]) -> npt.NDArray[np.intp]:
    """(places, taps): which element of a channel each tap of the kernel sees; −1 in the padding."""
    spatial = shape[2:]
    if shape[0] != 1 or len(kernel) != len(spatial):
        raise UnsupportedError(node.operator, f"an input of shape {shape}")
    strides, dilations, before, _ = _window(node, spatial, kernel)
    places = _places(node, spatial, kernel)
    if min(places, default=1) < 1:
        raise ValueError(f"a kernel {tuple(kernel)} larger than the input {spatial}")
    _require_size(math.prod(places) * math.prod(kernel))
    found = np.zeros((math.prod(places), math.prod(kernel)), np.intp)
    outside = np.zeros(found.shape, np.bool_)
    grid = np.array(list(itertools.product(*map(range, places))), np.intp).reshape(len(found), -1)
    taps = np.array(list(itertools.product(*map(range, kernel))), np.intp).reshape(found.shape[1], -1)
    for i, n in enumerate(spatial):
        at = grid[:, None, i] * strides[i] - before[i] + taps[None, :, i] * dilations[i]
        outside |= (at < 0) | (at >= n)
        found = found * n + at
    return np.where(outside, -1, found)


def _require_size(entries: int) -> None:
    if entries > MOST:
        raise ValueError("a matrix too large")
