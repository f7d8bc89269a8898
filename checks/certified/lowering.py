"""From a graph and boxes around rows to a program: what is constant in a row is computed, the rest becomes steps.

Each tensor keeps its value at the rows, and which of its elements move. Missing cells, category codes and whatever
else is fixed never move; so the handling of missing values, embeddings and group-wise constants are numbers by the time
the network begins. Comparisons, rounding and choices are computed only on what does not move.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.certified import _linear, _maps, interval, operators
from checks.certified.graph import Graph, Node, UnsupportedError
from checks.certified.program import UNIT, Floats, Linear, Matrix, Normalise, Program, Relu, Select, Step, rounding

Array = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]

LARGEST_FLOAT = 3.0e38


@dataclasses.dataclass(frozen=True)
class Tensor:
    """What is known of a tensor of the graph, for all rows. Arrays are `(R, *shape)`."""

    value: Array
    """At the rows; means nothing where it moves."""
    moves: Bools
    """Elements whose value is not known exactly."""
    variable: int | None = None
    """Where it stands, flattened, in the program. None for a tensor in which nothing moves."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return self.value.shape[1:]

    @property
    def constant(self) -> bool:
        """Does nothing in it move?"""
        return self.variable is None


def fixed(value: Array) -> Tensor:
    """A tensor in which nothing moves."""
    return Tensor(value, np.zeros(value.shape, np.bool_))


class Lowering:
    """Builds the program, node by node."""

    def __init__(self, graph: Graph, x: Array, low: Floats, high: Floats) -> None:
        """Begin with the rows.

        Args:
            graph: The graph.
            x: (N, n) the rows, flattened, as they are fed; missing may be NaN.
            low: (N, n) smallest values of each input; equal to x where it is fixed.
            high: (N, n) largest values.

        Raises:
            UnsupportedError: The input is not float32 (or float64).
        """
        if not graph.input.floating:
            raise UnsupportedError("input", "it is not float32")
        self.graph, self.steps, self.rows = graph, list[Step](), len(x)
        moves = low < high
        known = np.where(np.isfinite(x), x, 0.0).astype(np.float64)
        self.low, self.high = np.where(moves, low, known), np.where(moves, high, known)
        self.broken = np.zeros(len(x), np.bool_)
        self._bounds = interval.Bounds({0: self.low}, {0: self.high}, {}, np.zeros(len(x), np.bool_))
        shape = (len(x), *graph.input.shape)
        self._known = {name: fixed(array[None]) for name, array in graph.constants.items()}
        value = np.asarray(x, dtype=np.float32).reshape(shape)
        self._known[graph.input.name] = Tensor(value, moves.reshape(shape), 0 if moves.any() else None)

    def tensor(self, name: str) -> Tensor:
        """A tensor of the graph, with everything it depends on.

        Raises:
            UnsupportedError: It depends on an operator that is not known, or not in this use.
        """
        for node in self.graph.needed(name):
            if node.outputs[0] not in self._known:
                self._lower(node, name)
        return self._known[name]

    def moving(self, name: str) -> int:
        """The variable of a tensor, also where nothing in it moves. See `tensor`."""
        tensor = self.tensor(name)
        return self.variable(tensor)

    def program(self, variable: int) -> Program:
        """The program that ends in a variable."""
        return Program(tuple(self.steps), self.low, self.high, self.broken).upto(variable)

    def variable(self, tensor: Tensor) -> int:
        """The variable in which a tensor stands; one is made for a constant. Here NaN enters the computation."""
        flat = tensor.value.reshape(len(tensor.value), -1).astype(np.float64)
        lost = ~np.isfinite(flat) & ~tensor.moves.reshape(flat.shape)
        self.broken |= lost.any(axis=1)
        if tensor.variable is not None:
            return tensor.variable
        clean = np.where(np.isfinite(flat), flat, 0.0)
        return self.add(Linear((), clean, np.abs(clean), 0.0))

    def add(self, step: Step) -> int:
        """Append a step; linear maps that follow each other become one where that costs nothing.

        A row in which the value may leave the range of float32 is broken: infinities would spread from there, also
        where later nodes no longer show it. What is tested for being finite therefore is, in rows that are not broken.
        """
        self.steps.append(_maps.joined(step, self.steps) if isinstance(step, Linear) else step)
        variable = len(self.steps)
        with np.errstate(over="ignore", invalid="ignore"):
            interval.advance(self.steps, variable, self._bounds)
            self.broken |= ~(self._bounds.sizes(variable) < interval.LARGEST).all(axis=1)
        return variable

    def linear(self, source: int, linear: Select | Matrix, bias: Floats | None, roundings: float) -> int:
        """Append y = M x + b."""
        bias = np.zeros((1, linear.height)) if bias is None else bias
        return self.add(Linear(((source, linear, linear.absolute()),), bias, np.abs(bias), roundings))

    def _lower(self, node: Node, wanted: str) -> None:
        if len(node.outputs) > 1 and any(self._is_used(o, wanted) for o in node.outputs[1:]):
            raise UnsupportedError(node.operator, "its second output is used")
        given = [self._known[name] if name else None for name in node.inputs]
        if any(g is not None and _half(g.value.dtype) for g in given):
            raise UnsupportedError(node.operator, "it computes in half precision")
        handler = _HANDLERS.get(node.operator)
        still = all(g is None or g.constant for g in given)
        if still and node.operator not in _MIXING:
            made = fixed(operators.evaluate(node, [None if g is None else g.value for g in given]))
            if node.operator in operators.INEXACT and np.issubdtype(made.value.dtype, np.floating):
                made = self._inexact(made)
        elif handler is None:
            known = node.operator in operators.FUNCTIONS
            why = "it is computed on inputs that move" if known else "the certifier does not know it"
            raise UnsupportedError(node.operator, why)
        else:
            try:
                made = handler(self, node, *given)
            except (ValueError, TypeError, IndexError, KeyError, AttributeError, MemoryError) as error:
                why = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
                raise UnsupportedError(node.operator, f"its inputs do not fit it ({why})") from None
        self._known[node.outputs[0]] = made if made.moves.any() else fixed(made.value)

    def _is_used(self, name: str, wanted: str) -> bool:
        if not name:
            return False
        return name == wanted or any(name in node.inputs for node in self.graph.needed(wanted))

    def _inexact(self, tensor: Tensor) -> Tensor:
        flat = tensor.value.reshape(len(tensor.value), -1).astype(np.float64)
        if not np.isfinite(flat).all():
            return tensor
        variable = self.add(Linear((), flat, np.abs(flat), 64 * UNIT))
        return Tensor(tensor.value, np.ones(tensor.value.shape, np.bool_), variable)


Handler = Callable[..., Tensor]


def _index(lowering: Lowering, node: Node, x: Tensor, *rest: Tensor | None) -> Tensor:
    """Operators that only move elements about: the same operator on the elements' numbers says where they went."""
    if any(r is not None and not r.constant for r in rest):
        raise UnsupportedError(node.operator, "an index or a shape depends on inputs that move")
    others = [None if r is None else r.value for r in rest]
    numbers = np.arange(x.value[0].size).reshape(1, *x.shape)
    at = operators.evaluate(node, [numbers, *others])
    if len(at) != 1:
        raise UnsupportedError(node.operator, "its index differs between the rows")
    value, moves = (operators.evaluate(node, [a, *others]) for a in (x.value, x.moves))
    select = Select(at.ravel(), np.ones((1, at.size)), numbers.size)
    return Tensor(value, moves, lowering.linear(_source(x), select, None, 0.0))


def _concat(lowering: Lowering, node: Node, *given: Tensor) -> Tensor:
    value, moves = (operators.evaluate(node, arrays) for arrays in ([g.value for g in given], [g.moves for g in given]))
    size, terms = value[0].size, []
    for one in given:
        if one.constant:
            continue
        numbers = np.arange(one.value[0].size).reshape(1, *one.shape)
        blank = [np.full((1, *g.shape), -1) if g is not one else numbers for g in given]
        at = operators.evaluate(node, blank).ravel()
        select = Select(at, (at >= 0).astype(np.float64)[None], numbers.size)
        terms.append((_source(one), select, select))
    still = [np.where(np.isfinite(g.value), g.value, 0.0) if g.constant else np.zeros((1, *g.shape)) for g in given]
    bias = operators.evaluate(node, still).reshape(-1, size).astype(np.float64)
    return Tensor(value, moves, lowering.add(Linear(tuple(terms), bias, np.abs(bias), 0.0)))


def _sum(signs: tuple[float, ...]) -> Handler:
    """Add and Sub, by broadcasting the numbers of the elements."""

    def added(lowering: Lowering, node: Node, *given: Tensor) -> Tensor:
        value = operators.evaluate(node, [g.value for g in given])
        moves = operators.evaluate(_ADD, [g.moves for g in given])
        bias: Floats = np.zeros((1, value[0].size))
        terms = []
        for sign, one in zip(signs, given, strict=True):
            if one.constant:
                spread = _spread(one.value, value.shape)
                bias = bias + sign * np.where(np.isfinite(spread), spread, 0.0)
            else:
                select = _broadcast(one, value.shape, sign)
                terms.append((_source(one), select, select.absolute()))
        return Tensor(value, moves, lowering.add(Linear(tuple(terms), bias, np.abs(bias), rounding(1))))

    return added


def _multiply(lowering: Lowering, node: Node, a: Tensor, b: Tensor) -> Tensor:
    if not a.constant and not b.constant:
        raise UnsupportedError(node.operator, "both of its inputs move")
    if node.operator == "Div" and not b.constant:
        raise UnsupportedError(node.operator, "its divisor moves")
    moving, other = (b, a) if a.constant else (a, b)
    value = operators.evaluate(node, [a.value, b.value])
    factor = _spread(other.value, value.shape)
    with np.errstate(divide="ignore"):
        factor = 1.0 / factor if node.operator == "Div" else factor
    usable = np.isfinite(factor)
    moves = operators.evaluate(_ADD, [moving.moves, np.zeros((1, *other.shape), np.bool_)])
    if (moves & np.isinf(factor).reshape(-1, *value.shape[1:])).any():
        # Zero times infinity is NaN, anything else is infinite: which one depends on what moves.
        raise UnsupportedError(node.operator, "what moves is multiplied by infinity, or divided by zero")
    # What moves times NaN is NaN: it moves no more.
    lost = ~usable.reshape(-1, *value.shape[1:])
    value = np.where(lost, np.nan, value)
    select = _broadcast(moving, value.shape, 1.0)
    scaled = dataclasses.replace(select, scale=np.where(usable, factor, 0.0))
    return Tensor(value, moves & ~lost, lowering.linear(_source(moving), scaled, None, rounding(1)))


def _where(lowering: Lowering, node: Node, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    if not condition.constant:
        raise UnsupportedError(node.operator, "its condition depends on inputs that move")
    value = operators.evaluate(node, [condition.value, a.value, b.value])
    moves = operators.evaluate(node, [condition.value, a.moves, b.moves])
    chosen = _spread(condition.value, value.shape)
    bias: Floats = np.zeros((1, value[0].size))
    terms = []
    for share, one in ((chosen, a), (1.0 - chosen, b)):
        if one.constant:
            spread = _spread(one.value, value.shape)
            bias = bias + share * np.where(np.isfinite(spread), spread, 0.0)
        else:
            select = dataclasses.replace(_broadcast(one, value.shape, 1.0), scale=share)
            terms.append((_source(one), select, select))
    return Tensor(value, moves, lowering.add(Linear(tuple(terms), bias, np.abs(bias), 0.0)))


def _tested(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    """IsNaN and IsInf: what moves is a finite number; rows in which it may overflow are broken (`Lowering.add`)."""
    return fixed(operators.evaluate(node, [x.value]) & ~x.moves)


def _cast(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    if int(node.attributes["to"]) not in (1, 11):
        raise UnsupportedError(node.operator, "it makes integers of values that move")
    return dataclasses.replace(x, value=operators.evaluate(node, [x.value]))


def _relu(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    value = operators.evaluate(node, [x.value])
    return Tensor(value, x.moves, lowering.add(Relu(_source(x), x.value[0].size)))


def _scaled(lowering: Lowering, source: int, size: int, scale: float, shift: Floats | float = 0.0) -> int:
    """Append y = scale x + shift inside an operator that has no rounding error of its own."""
    bias = np.broadcast_to(np.asarray(shift, dtype=np.float64), (1, size))
    select = Select(np.arange(size), np.full((1, size), scale), size)
    return lowering.linear(source, select, bias, 0.0)


def _clip(lowering: Lowering, node: Node, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    """clip(x, l, h) = l + relu(x − l) − relu(x − h)."""
    limits = [None if v is None else v.value for v in (low, high)]
    least, most = operators.clip_limits(node, *limits)
    value, size, at = operators.evaluate(node, [x.value, *limits]), x.value[0].size, _source(x)
    if not least <= most:
        raise UnsupportedError(node.operator, "its lower limit is not below its upper one")
    if np.isfinite(least) and abs(least) < LARGEST_FLOAT:
        at = _scaled(lowering, lowering.add(Relu(_scaled(lowering, at, size, 1.0, -least), size)), size, 1.0, least)
    if np.isfinite(most) and abs(most) < LARGEST_FLOAT:
        at = _scaled(lowering, lowering.add(Relu(_scaled(lowering, at, size, -1.0, most), size)), size, -1.0, most)
    return Tensor(value, x.moves, at)


def _negative(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    at = _scaled(lowering, _source(x), x.value[0].size, -1.0)
    return dataclasses.replace(x, value=operators.evaluate(node, [x.value]), variable=at)


def _leaky(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    """max(x, 0) + α min(x, 0) = α x + (1 − α) relu(x)."""
    alpha, size = float(node.attributes.get("alpha", 0.01)), x.value[0].size
    return _with_relu(lowering, node, x, Select(np.arange(size), np.full((1, size), alpha), size), 1.0 - alpha)


def _abs(lowering: Lowering, node: Node, x: Tensor) -> Tensor:
    """|x| = 2 relu(x) − x."""
    size = x.value[0].size
    return _with_relu(lowering, node, x, Select(np.arange(size), np.full((1, size), -1.0), size), 2.0)


def _with_relu(lowering: Lowering, node: Node, x: Tensor, line: Select, factor: float) -> Tensor:
    positive = lowering.add(Relu(_source(x), line.width))
    select = dataclasses.replace(line, scale=np.full_like(line.scale, factor))
    terms = ((_source(x), line, line.absolute()), (positive, select, select.absolute()))
    bias = np.zeros((1, line.width))
    made = lowering.add(Linear(terms, bias, bias, rounding(1)))
    return Tensor(operators.evaluate(node, [x.value]), x.moves, made)


def _extreme(lowering: Lowering, node: Node, *given: Tensor) -> Tensor:
    """max(a, b) = a + relu(b − a), min(a, b) = a − relu(a − b)."""
    if len(given) != 2:
        raise UnsupportedError(node.operator, "it has not two inputs")
    sign = 1.0 if node.operator == "Max" else -1.0
    value = operators.evaluate(node, [g.value for g in given])
    moves = operators.evaluate(_ADD, [g.moves for g in given])
    first, second = (_broadcast(g, value.shape, 1.0) for g in given)
    at = [lowering.variable(g) for g in given]
    zero, size = np.zeros((1, value[0].size)), value[0].size
    turned = [dataclasses.replace(s, scale=s.scale * f) for s, f in ((first, -sign), (second, sign))]
    terms = tuple((v, s, s.absolute()) for v, s in zip(at, turned, strict=True))
    rest = lowering.add(Relu(lowering.add(Linear(terms, zero, zero, 0.0)), size))
    back = Select(np.arange(size), np.full((1, size), sign), size)
    made = Linear(((at[0], first, first), (rest, back, back.absolute())), zero, zero, 0.0)
    return Tensor(value, moves, lowering.add(made))


def _mixed(build: Callable[..., _linear.Made]) -> Handler:
    """Operators with constant weights that mix elements: none of their results is known exactly."""

    def mixed(lowering: Lowering, node: Node, *given: Tensor | None) -> Tensor:
        made = build(node, [None if g is None else (g.value if g.constant else None) for g in given],
                     [() if g is None else g.shape for g in given])  # fmt: skip
        source = given[made.source]
        if source is None:
            raise UnsupportedError(node.operator, "an input is left out")
        variable = lowering.variable(source)
        for other in given:
            if other is not None and other.constant and np.issubdtype(other.value.dtype, np.floating):
                lowering.broken |= ~np.isfinite(other.value).all()
        size = int(np.prod(made.shape))
        bias = np.zeros((1, size)) if made.bias is None else made.bias.reshape(-1, size).astype(np.float64)
        at = lowering.linear(variable, made.linear, bias, rounding(made.terms))
        blank = np.zeros((lowering.rows, *made.shape))
        return Tensor(blank, np.ones(blank.shape, np.bool_), at)

    return mixed


def _gemm(lowering: Lowering, node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    if c is None or c.constant:
        return _mixed(_linear.gemm)(lowering, node, a, b, c)
    plain = dataclasses.replace(node, attributes={**node.attributes, "beta": 0.0})
    product = _mixed(_linear.gemm)(lowering, plain, a, b, None)
    if float(node.attributes.get("beta", 1.0)) != 1.0:
        raise UnsupportedError(node.operator, "its addend moves and is scaled")
    return _sum((1.0, 1.0))(lowering, _ADD, product, c)


def _layer_norm(lowering: Lowering, node: Node, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> Tensor:
    if not scale.constant or (bias is not None and not bias.constant):
        raise UnsupportedError(node.operator, "its weights move")
    first = operators.axis_of(int(node.attributes.get("axis", -1)), len(x.shape)) - 1
    group, size = int(np.prod(x.shape[first:])), int(np.prod(x.shape))
    source = lowering.variable(x)
    centred = lowering.linear(source, _linear.centring(size, group), None, rounding(group))
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    made = lowering.add(Normalise(centred, source, size, group, epsilon))
    factor, shift = (None if t is None else _spread(t.value, (1, *x.shape)) for t in (scale, bias))
    select = Select(np.arange(size), factor, size)  # type: ignore[arg-type]
    blank = np.zeros((lowering.rows, *x.shape))
    return Tensor(blank, np.ones(blank.shape, np.bool_), lowering.linear(made, select, shift, rounding(1)))


def _half(kind: np.dtype[Any]) -> bool:
    """Narrow floating types, those of `ml_dtypes` included."""
    return kind.kind in "fV" and kind.itemsize < 4


def _dropout(lowering: Lowering, node: Node, x: Tensor, *rest: Tensor | None) -> Tensor:
    training = rest[1] if len(rest) > 1 else None
    if training is not None and (not training.constant or training.value.any()):
        raise UnsupportedError(node.operator, "it is in training mode")
    return x


def _source(tensor: Tensor) -> int:
    if tensor.variable is None:
        raise ValueError("a constant where something moves was expected")
    return tensor.variable


def _spread(value: Array, shape: Sequence[int]) -> Floats:
    """A constant broadcast to a shape and flattened: (R, m)."""
    padded = value.reshape(len(value), *(1,) * (len(shape) - value.ndim), *value.shape[1:])
    return np.broadcast_to(padded, (len(value), *shape[1:])).reshape(len(value), -1).astype(np.float64)


def _broadcast(tensor: Tensor, shape: Sequence[int], sign: float) -> Select:
    """The elements of a tensor in a larger shape."""
    size = int(np.prod(tensor.shape))
    at = _spread(np.arange(size).reshape(1, *tensor.shape), shape)[0].astype(np.intp)
    return Select(at, np.full((1, len(at)), sign), size)


_ADD = Node("Add", (), ("sum",), {})
_MIXING = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "Gemm", "GlobalAveragePool", "LayerNormalization", "MatMul"}
)
"""Operators of which no result is taken as exactly known, not even on constants."""
_HANDLERS: dict[str, Handler] = {
    "Abs": _abs,
    "Add": _sum((1.0, 1.0)),
    "AveragePool": _mixed(_linear.average_pool),
    "BatchNormalization": _mixed(_linear.batch_norm),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _mixed(_linear.convolution),
    "Div": _multiply,
    "Dropout": _dropout,
    "Expand": _index,
    "Flatten": _index,
    "Gather": _index,
    "Gemm": _gemm,
    "GlobalAveragePool": _mixed(_linear.global_average_pool),
    "Identity": lambda lowering, node, x: x,
    "IsInf": _tested,
    "IsNaN": _tested,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _leaky,
    "MatMul": _mixed(_linear.matmul),
    "Max": _extreme,
    "Min": _extreme,
    "Mul": _multiply,
    "Neg": _negative,
    "ReduceMean": _mixed(_linear.reduced),
    "ReduceSum": _mixed(_linear.reduced),
    "Relu": _relu,
    "Reshape": _index,
    "Shape": lambda lowering, node, x: fixed(operators.evaluate(node, [x.value])),
    "Slice": _index,
    "Squeeze": _index,
    "Sub": _sum((1.0, -1.0)),
    "Transpose": _index,
    "Unsqueeze": _index,
    "Where": _where,
}
