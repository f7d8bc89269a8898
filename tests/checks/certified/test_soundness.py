from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.checks.certified import networks

POINTS = 2000


def bounded(content, x, low, high):
    """Interval and CROWN bounds of `y`, each (low, high) of shape (N, m)."""
    from checks.certified import crown, graph, interval, lowering

    made = lowering.Lowering(graph.parse(content), x, low, high)
    program = made.program(made.moving("y"))
    plain = interval.propagate(program)
    bounds, lines = crown.bound(program)
    width, rows = program.width(program.last), len(x)
    sides = []
    for sign in (1.0, -1.0):
        asked = np.tile(sign * np.eye(width), (rows, 1))
        row = np.repeat(np.arange(rows), width)
        found = crown.lower(program, bounds, lines, program.last, asked, row).value
        sides.append(sign * found.reshape(rows, width))
    return program, (plain.low[program.last], plain.high[program.last]), tuple(sides)


def node(operator, given, made="y", **attributes):
    return helper.make_node(operator, given, [made], **attributes)


def residual(rng):
    """A pre-normalised residual block, as our own model has it."""
    constants = {
        "w": rng.normal(size=(6, 8)) / 2, "b": rng.normal(size=8), "s": 1 + 0.2 * rng.normal(size=8),
        "t": 0.2 * rng.normal(size=8), "v": rng.normal(size=(8, 8)) / 3, "c": 0.1 * rng.normal(size=8),
        "o": rng.normal(size=(8, 3)), "z": np.zeros(3),
    }  # fmt: skip
    nodes = [
        node("Gemm", ["x", "w", "b"], "h"),
        node("LayerNormalization", ["h", "s", "t"], "n", axis=-1, epsilon=1e-5),
        node("Gemm", ["n", "v", "c"], "k"),
        node("Relu", ["k"], "r"),
        node("Add", ["h", "r"], "g"),
        node("LayerNormalization", ["g", "s", "t"], "m", axis=-1, epsilon=1e-5),
        node("Relu", ["m"], "q"),
        node("Gemm", ["q", "o", "z"]),
    ]
    return nodes, constants, ("batch", 6)


def images(rng):
    """Convolution with groups, strides and padding, batch normalisation, pooling, reshaping."""
    constants = {
        "k": rng.normal(size=(4, 2, 3, 3)) / 3, "kb": rng.normal(size=4), "g": rng.normal(size=(4, 2, 2, 2)) / 2,
        "s": 1 + 0.1 * rng.normal(size=4), "t": rng.normal(size=4), "mean": 0.1 * rng.normal(size=4),
        "var": 1 + rng.random(4), "shape": np.array([0, -1]), "w": rng.normal(size=(16, 3)) / 4, "b": np.zeros(3),
    }  # fmt: skip
    nodes = [
        node("Conv", ["x", "k", "kb"], "a", pads=[1, 0, 1, 2], strides=[1, 2], kernel_shape=[3, 3]),
        node("BatchNormalization", ["a", "s", "t", "mean", "var"], "n", epsilon=1e-4),
        node("Relu", ["n"], "r"),
        node("Conv", ["r", "g"], "c", group=2, dilations=[2, 1]),
        node("LeakyRelu", ["c"], "l", alpha=0.1),
        node("AveragePool", ["l"], "p", kernel_shape=[2, 2], pads=[0, 1, 0, 1], strides=[2, 2]),
        node("Reshape", ["p", "shape"], "f"),
        node("Gemm", ["f", "w", "b"]),
    ]
    return nodes, constants, ("batch", 2, 6, 5)


def handling(rng):
    """Element by element: scaling, clamping, choosing, cutting and putting together."""
    constants = {
        "mean": rng.normal(size=5), "std": 1 + rng.random(5), "lo": np.array(-0.8), "hi": np.array(0.9),
        "fill": rng.normal(size=5), "at": np.array([3, 0, 1]), "axis": np.array([1]), "s": np.array([1]),
        "e": np.array([5]), "c": rng.normal(size=(1, 3)), "w": rng.normal(size=(10, 4)),
    }  # fmt: skip
    nodes = [
        node("IsNaN", ["x"], "absent"),
        node("Where", ["absent", "fill", "x"], "filled"),
        node("Sub", ["filled", "mean"], "d"),
        node("Div", ["d", "std"], "u"),
        node("Clip", ["u", "lo", "hi"], "v"),
        node("Gather", ["v", "at"], "g", axis=1),
        node("Slice", ["v", "s", "e", "axis"], "cut"),
        node("Abs", ["cut"], "size"),
        node("Neg", ["g"], "minus"),
        node("Max", ["minus", "c"], "most"),
        node("Cast", ["absent"], "flag", to=TensorProto.FLOAT),
        node("Gather", ["flag", "at"], "flags", axis=1),
        node("Concat", ["size", "most", "flags"], "all", axis=1),
        node("MatMul", ["all", "w"], "z"),
        node("Mul", ["z", "z0"], "scaled"),
        node("Transpose", ["scaled"], "turned", perm=[1, 0]),
        node("Unsqueeze", ["turned", "axis"], "deep"),
        node("Squeeze", ["deep", "axis"], "flat"),
        node("Transpose", ["flat"], "back", perm=[1, 0]),
        node("Min", ["back", "top"], "least"),
        node("ReduceMean", ["least", "axis"], "m", keepdims=1),
        node("Sub", ["least", "m"], "y"),
    ]
    constants |= {"z0": rng.normal(size=4), "top": np.array(1.5)}
    return nodes, constants, ("batch", 5)


NETWORKS = {
    "dense": lambda rng: (*networks.dense(rng, [4, 12, 12, 3]), ("batch", 4)),
    "residual": residual,
    "images": images,
    "handling": handling,
}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("seed", range(3))
def test_no_input_of_the_box_leaves_the_bounds(kind, seed):
    """Thousands of inputs, corners among them, run by ONNX Runtime: none leaves interval or CROWN bounds."""
    rng = np.random.default_rng([seed, len(kind)])
    nodes, constants, shape = NETWORKS[kind](rng)
    content = networks.model(nodes, constants, shape)
    size = int(np.prod(shape[1:]))
    x = rng.normal(size=(4, size)).astype(np.float32)
    reach = rng.choice([1e-3, 0.03, 0.2], size=(4, 1)) * rng.random((4, size))
    reach[rng.random((4, size)) < 0.2] = 0.0
    if kind == "handling":
        x[0, 2] = x[2, 4] = np.nan
        reach[np.isnan(x)] = 0.0
    low, high = (np.float32(x + s * reach).astype(np.float64) for s in (-1, 1))
    program, plain, tight = bounded(content, x, low, high)
    for row in range(4):
        share = np.where(rng.random((POINTS, 1)) < 0.5, rng.random((POINTS, size)), rng.integers(0, 2, (POINTS, size)))
        inside = (low[row] + share * (high[row] - low[row])).astype(np.float32)
        found = networks.run(content, inside)
        for lower, upper in (plain, tight):
            assert (found >= lower[row]).all()
            assert (found <= upper[row]).all()
        inside = np.where(np.isnan(inside), 0.0, inside)
        exact = program.take(np.full(POINTS, row)).values(inside.astype(np.float64))
        np.testing.assert_allclose(exact, found, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["dense", "residual", "images"])
def test_linear_relaxation_is_tighter_than_intervals(kind):
    """CROWN's bounds lie inside those of interval propagation, and are narrower by far."""
    rng = np.random.default_rng(3)
    nodes, constants, shape = NETWORKS[kind](rng)
    x = rng.normal(size=(20, int(np.prod(shape[1:]))))
    _, plain, tight = bounded(networks.model(nodes, constants, shape), x, x - 0.05, x + 0.05)
    ratio = (tight[1] - tight[0]) / (plain[1] - plain[0])
    assert np.median(ratio) < 0.7
    assert (ratio < 1.05).all()


def test_rounding_in_float32_is_inside_the_bounds():
    """A box of one point: the bounds are as wide as rounding needs, and hold what float32 makes of a cancellation."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(200, 1)).astype(np.float32).astype(np.float64)
    content = networks.model([node("MatMul", ["x", "w"])], {"w": weights}, ("batch", 200))
    x = (1e6 + rng.normal(size=(50, 200))).astype(np.float32)
    _, plain, tight = bounded(content, x, x.astype(np.float64), x.astype(np.float64))
    exact, found = (x.astype(np.float64) @ weights), networks.run(content, x)
    assert np.abs(exact - found).max() > 1e-3
    for low, high in (plain, tight):
        assert (low <= found).all()
        assert (found <= high).all()
        assert (low < exact).all()


def test_a_value_that_is_no_number_is_never_certified():
    """A missing cell that the network does not handle makes the row broken, and only that row."""
    from checks.certified import graph, lowering

    rng = np.random.default_rng(0)
    content = networks.model(*networks.dense(rng, [3, 4, 2]), ("batch", 3))
    x = rng.normal(size=(3, 3))
    x[1, 0] = np.nan
    low, high = x.copy(), x.copy()
    high[:, 2] += 1
    made = lowering.Lowering(graph.parse(content), x, low, high)
    assert made.program(made.moving("y")).broken.tolist() == [False, True, False]


HALF = {"w": np.ones((2, 2), np.float16)}


@pytest.mark.parametrize(
    ("nodes", "constants", "said"),
    [
        ([node("MatMul", ["x", "w"])], HALF, "half precision"),
        ([node("Dropout", ["x", "", "yes"])], {"yes": np.ones((), np.bool_)}, "training mode"),
        ([node("Clip", ["x", "one", "zero"])], {"one": np.array(1.0), "zero": np.array(0.0)}, "not below"),
        ([node("Greater", ["x", "zero"])], {"zero": np.array(0.0)}, "operator Greater"),
        ([node("Mul", ["x", "x"])], {}, "both of its inputs move"),
        ([node("Div", ["one", "x"])], {"one": np.array(1.0)}, "its divisor moves"),
        ([node("Cast", ["x"], to=TensorProto.INT64)], {}, "operator Cast"),
        ([node("ReduceSum", ["x"], noop_with_empty_axes=1)], {}, "noop"),
        ([node("Where", ["c", "x", "x"])], {"c": np.array([True, False])}, None),
    ],
)
def test_a_use_that_is_not_covered_is_refused_by_name(nodes, constants, said):
    """Half precision, random dropout, comparisons and products of what moves: unknown, never a bound."""
    from checks.certified import graph

    proto = onnx.load_model_from_string(networks.model(nodes, {}, ("batch", 2)))
    for name, value in constants.items():
        kind = value.dtype if value.dtype in (np.float16, np.bool_) else np.float32
        proto.graph.initializer.append(onnx.numpy_helper.from_array(value.astype(kind), name))
    x = np.zeros((1, 2))
    if said is None:
        bounded(proto.SerializeToString(), x, x - 1, x + 1)
        return
    with pytest.raises(graph.UnsupportedError, match=said):
        bounded(proto.SerializeToString(), x, x - 1, x + 1)


def test_empty_boxes_need_more_than_rounding():
    """Bounds that cross by rounding leave the row open; only real crossing says that no input leads there."""
    from checks.certified.interval import Bounds

    bounds = Bounds({1: np.array([[0.0], [0.0]])}, {1: np.array([[1.0], [1.0]])}, {}, np.zeros(2, bool))
    bounds.narrow(1, np.array([[1.0 + 1e-12], [1.1]]), np.array([[2.0], [2.0]]))
    assert bounds.empty.tolist() == [False, True]
    assert (bounds.low[1] <= bounds.high[1]).all()
