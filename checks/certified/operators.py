"""ONNX operators on plain arrays, for everything that is constant for a row.

Every array has the rows in front: `(R, *shape)`, where `shape` is that of the graph for one row, and R is 1 for what
is the same in all rows. An axis of ONNX is therefore one further here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper

from checks.certified.graph import Node, UnsupportedError

Array = npt.NDArray[Any]
MOST = 1 << 25
"""Elements of the largest array that a constant may become."""


def evaluate(node: Node, given: Sequence[Array | None]) -> Array:
    """One output of one node.

    Args:
        node: The operator.
        given: Its inputs `(R, *shape)`, None where left out.

    Raises:
        UnsupportedError: The operator is not known, or its inputs do not fit it.
    """
    function = FUNCTIONS.get(node.operator)
    if function is None or len(node.outputs) != 1:
        raise UnsupportedError(node.operator)
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(function(node, *given))
    except (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError, OverflowError, MemoryError) as error:
        why = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UnsupportedError(node.operator, f"its inputs do not fit it ({why})") from None
    if made.size > MOST:
        raise UnsupportedError(node.operator, "it makes a tensor too large")
    return made


def alone(array: Array, what: str) -> Array:
    """An argument such as a shape or an axis, which must be the same in all rows."""
    if array is None or len(array) != 1:
        raise UnsupportedError(what, "a shape or an axis differs between the rows")
    return array[0]


def aligned(*arrays: Array) -> list[Array]:
    """Arrays that broadcast as ONNX does: the rows stay in front, shorter shapes get ones behind them."""
    most = max(a.ndim for a in arrays)
    return [a.reshape(a.shape[0], *(1,) * (most - a.ndim), *a.shape[1:]) for a in arrays]


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    def computed(_: Node, *given: Array | None) -> Any:
        arrays = aligned(*(g for g in given if g is not None))
        if math.prod(np.broadcast_shapes(*(a.shape for a in arrays))) > MOST:
            raise ValueError("a tensor too large")
        return function(*arrays)

    return computed


def _cast(node: Node, x: Array) -> Array:
    kind = helper.tensor_dtype_to_np_dtype(int(node.attributes["to"]))
    if np.issubdtype(kind, np.integer) and np.issubdtype(x.dtype, np.floating):
        whole = np.trunc(x)
        if not np.isfinite(whole).all() or (np.abs(whole) >= 2.0 ** (8 * kind.itemsize - 1)).any():
            raise ValueError("a number that fits no integer of this type")
        return whole.astype(kind)
    return x.astype(kind)


def _reshape(node: Node, x: Array, shape: Array | None = None) -> Array:
    wanted = node.attributes.get("shape") if shape is None else alone(shape, node.operator)
    dims = [int(d) for d in wanted]  # type: ignore[union-attr]
    if not node.attributes.get("allowzero", 0):
        dims = [x.shape[i + 1] if d == 0 else d for i, d in enumerate(dims)]
    return x.reshape(x.shape[0], *dims)


def _flatten(node: Node, x: Array) -> Array:
    axis = int(node.attributes.get("axis", 1))
    axis = axis + x.ndim - 1 if axis < 0 else axis
    return x.reshape(x.shape[0], math.prod(x.shape[1 : axis + 1]), math.prod(x.shape[axis + 1 :]))


def _transpose(node: Node, x: Array) -> Array:
    order = node.attributes.get("perm") or list(reversed(range(x.ndim - 1)))
    return x.transpose(0, *(int(i) + 1 for i in order))


def _axes(node: Node, given: Array | None) -> list[int] | None:
    if given is not None:
        return [int(a) for a in alone(given, node.operator).ravel()]
    found = node.attributes.get("axes")
    return None if found is None else [int(a) for a in found]


def _squeeze(node: Node, x: Array, axes: Array | None = None) -> Array:
    found = _axes(node, axes)
    if found is None:
        found = [i for i, d in enumerate(x.shape[1:]) if d == 1]
    return np.squeeze(x, tuple(axis_of(a, x.ndim - 1) for a in found))


def _unsqueeze(node: Node, x: Array, axes: Array | None = None) -> Array:
    found = _axes(node, axes) or []
    rank = x.ndim - 1 + len(found)
    return np.expand_dims(x, tuple(sorted(axis_of(a, rank) for a in found)))


def axis_of(axis: int, rank: int) -> int:
    """An ONNX axis as an axis of our arrays."""
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of a tensor of rank {rank}")
    return axis % rank + 1


def _expand(node: Node, x: Array, shape: Array) -> Array:
    dims = tuple(int(d) for d in alone(shape, node.operator))
    if math.prod(dims) > MOST:
        raise ValueError("a tensor too large")
    padded = x.reshape(x.shape[0], *(1,) * max(0, len(dims) - x.ndim + 1), *x.shape[1:])
    return np.broadcast_to(padded, (x.shape[0], *np.broadcast_shapes(padded.shape[1:], dims)))


def _concat(node: Node, *given: Array) -> Array:
    rows = max(len(g) for g in given)
    axis = axis_of(int(node.attributes["axis"]), given[0].ndim - 1)
    return np.concatenate([np.broadcast_to(g, (rows, *g.shape[1:])) for g in given], axis)


def _gather(node: Node, x: Array, index: Array) -> Array:
    axis = axis_of(int(node.attributes.get("axis", 0)), x.ndim - 1)
    index = index.astype(np.int64)
    size = x.shape[axis]
    if ((index < -size) | (index >= size)).any():
        raise ValueError("an index outside the tensor")
    if len(index) == 1:
        return np.take(x, index[0], axis)
    if len(x) == 1:
        return np.moveaxis(np.take(x[0], index, axis - 1), axis - 1, 0) if axis > 1 else np.take(x[0], index, 0)
    return np.stack([np.take(x[r], index[r], axis - 1) for r in range(len(x))])


def _slice(node: Node, x: Array, *given: Array | None) -> Array:
    if given:
        parts = [None if g is None else [int(v) for v in alone(g, node.operator)] for g in given]
        starts, ends, axes, steps = [*parts, None, None][:4]
    else:
        starts, ends, axes, steps = (
            node.attributes["starts"],
            node.attributes["ends"],
            node.attributes.get("axes"),
            None,
        )
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cut: list[slice] = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        at = axis_of(axis, x.ndim - 1)
        size = x.shape[at]
        # Python reads an end of −1 as the last element; ONNX, where the step is negative, clamps to before the first.
        first, last = (p + size if p < 0 else p for p in (start, end))
        if step > 0:
            cut[at] = slice(min(max(first, 0), size), min(max(last, 0), size), step)
        else:
            last = max(last, -1)
            cut[at] = slice(min(max(first, 0), size - 1), None if last < 0 else last, step)
    return x[tuple(cut)]


def _pad(
    node: Node, x: Array, pads: Array | None = None, value: Array | None = None, axes: Array | None = None
) -> Array:
    if node.attributes.get("mode", "constant") != "constant" or axes is not None:
        raise ValueError("only constant padding of all axes")
    found = node.attributes["pads"] if pads is None else alone(pads, node.operator)
    half = len(found) // 2
    fill = node.attributes.get("value", 0.0) if value is None else alone(value, node.operator).item()
    widths = [(0, 0)] + [(int(found[i]), int(found[i + half])) for i in range(half)]
    if math.prod(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)) > MOST:
        raise ValueError("a tensor too large")
    return np.pad(x, widths, constant_values=fill)


def reduced_axes(node: Node, axes: list[int] | None, rank: int) -> tuple[int, ...]:
    """The axes of one row over which a node reduces: all where none are given."""
    if not axes:
        if node.attributes.get("noop_with_empty_axes", 0):
            raise UnsupportedError(node.operator, "noop_with_empty_axes")
        return tuple(range(rank))
    return tuple(axis_of(a, rank) - 1 for a in axes)


def _is_infinite(node: Node, x: Array) -> Array:
    above = bool(node.attributes.get("detect_positive", 1)) & (x == np.inf)
    return np.asarray(above | (bool(node.attributes.get("detect_negative", 1)) & (x == -np.inf)))


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(node: Node, x: Array, axes: Array | None = None) -> Any:
        over = tuple(a + 1 for a in reduced_axes(node, _axes(node, axes), x.ndim - 1))
        return function(x, axis=over, keepdims=bool(node.attributes.get("keepdims", 1)))

    return reduced


def _softmax(node: Node, x: Array) -> Array:
    axis = axis_of(int(node.attributes.get("axis", -1)), x.ndim - 1)
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _clip(node: Node, x: Array, low: Array | None = None, high: Array | None = None) -> Array:
    least, most = clip_limits(node, low, high)
    return np.minimum(np.maximum(x, least), most)


def clip_limits(node: Node, low: Array | None, high: Array | None) -> tuple[float, float]:
    """The limits of a Clip, given as inputs or (before opset 11) as attributes."""
    least = node.attributes.get("min", -np.inf) if low is None else alone(low, "Clip").item()
    most = node.attributes.get("max", np.inf) if high is None else alone(high, "Clip").item()
    return float(least), float(most)


def _shape(node: Node, x: Array) -> Array:
    dims = np.array(x.shape[1:], dtype=np.int64)
    end = node.attributes.get("end")
    return dims[int(node.attributes.get("start", 0)) : None if end is None else int(end)][None]


def _constant(node: Node) -> Array:
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if key in node.attributes:
            kind = np.float32 if "float" in key else np.int64
            value = node.attributes[key]
            return np.asarray(value)[None] if key == "value" else np.asarray(value, dtype=kind)[None]
    raise ValueError("a constant that is no number")


def _constant_of_shape(node: Node, shape: Array) -> Array:
    dims = tuple(int(d) for d in alone(shape, node.operator))
    if math.prod(dims) > MOST:
        raise ValueError("a tensor too large")
    value = node.attributes.get("value", np.zeros(1, np.float32))
    return np.full((1, *dims), value.ravel()[0], dtype=value.dtype)


def _divide(a: Array, b: Array) -> Any:
    if not np.issubdtype(a.dtype, np.integer):
        return a / b
    if (b == 0).any():
        raise ValueError("an integer divided by zero")
    return (np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)


def _arg_max(node: Node, x: Array) -> Array:
    if node.attributes.get("select_last_index", 0):
        raise ValueError("select_last_index")
    axis = axis_of(int(node.attributes.get("axis", 0)), x.ndim - 1)
    return np.argmax(x, axis, keepdims=bool(node.attributes.get("keepdims", 1)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": _elementwise(np.abs),
    "Add": _elementwise(np.add),
    "And": _elementwise(np.logical_and),
    "ArgMax": _arg_max,
    "Cast": _cast,
    "Ceil": _elementwise(np.ceil),
    "Clip": _clip,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": _elementwise(_divide),
    "Equal": _elementwise(np.equal),
    "Exp": _elementwise(np.exp),
    "Expand": _expand,
    "Flatten": _flatten,
    "Floor": _elementwise(np.floor),
    "Gather": _gather,
    "Greater": _elementwise(np.greater),
    "GreaterOrEqual": _elementwise(np.greater_equal),
    "Identity": lambda _, x: x,
    "IsInf": _is_infinite,
    "IsNaN": lambda _, x: np.isnan(x),
    "LeakyRelu": lambda node, x: np.where(x >= 0, x, float(node.attributes.get("alpha", 0.01)) * x),
    "Less": _elementwise(np.less),
    "LessOrEqual": _elementwise(np.less_equal),
    "Log": _elementwise(np.log),
    "Max": _elementwise(lambda *given: np.stack(np.broadcast_arrays(*given)).max(0)),
    "Min": _elementwise(lambda *given: np.stack(np.broadcast_arrays(*given)).min(0)),
    "Mul": _elementwise(np.multiply),
    "Neg": _elementwise(np.negative),
    "Not": _elementwise(np.logical_not),
    "Or": _elementwise(np.logical_or),
    "Pad": _pad,
    "Pow": _elementwise(np.power),
    "ReduceMax": _reduce(np.max),
    "ReduceMean": _reduce(np.mean),
    "ReduceMin": _reduce(np.min),
    "ReduceSum": _reduce(np.sum),
    "Relu": lambda _, x: np.maximum(x, 0),
    "Reshape": _reshape,
    "Round": _elementwise(np.round),
    "Shape": _shape,
    "Sigmoid": _elementwise(lambda x: 1 / (1 + np.exp(-x))),
    "Slice": _slice,
    "Softmax": _softmax,
    "Sqrt": _elementwise(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _elementwise(np.subtract),
    "Sum": _elementwise(lambda *given: sum(given)),
    "Tanh": _elementwise(np.tanh),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _elementwise(np.where),
    "Xor": _elementwise(np.logical_xor),
}
"""Operator to what it computes from its node and its inputs."""
INEXACT = frozenset({"Exp", "Log", "Pow", "ReduceMean", "ReduceSum", "Sigmoid", "Softmax", "Sqrt", "Sum", "Tanh"})
"""Operators whose float32 result depends on the library that computes it."""
