from __future__ import annotations

import csv
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import errors
from tests.checks.certified import networks

ROOT = pathlib.Path(__file__).parents[3]


def header(inputs, outputs, low=-1.0, high=1.0):
    names = [f"X_{i}" for i in range(inputs)] + [f"Y_{i}" for i in range(outputs)]
    box = "".join(f"(assert (<= X_{i} {high}))(assert (>= X_{i} {low}))" for i in range(inputs))
    return "".join(f"(declare-const {n} Real)" for n in names) + box


def answer(place, content, text, seconds=20.0):
    from checks.certified import verify, vnnlib

    (place / "m.onnx").write_bytes(content)
    return verify.verify(place / "m.onnx", vnnlib.parse(text), seconds)


def test_a_threshold_is_found_from_both_sides(tmp_path):
    """Y ≥ t is violated for t just below the greatest output, and holds for t just above it."""
    rng = np.random.default_rng(0)
    content = networks.model(*networks.dense(rng, [3, 16, 16, 2]), ("batch", 3))
    most = networks.run(content, rng.uniform(-1, 1, size=(200_000, 3)))[:, 1].max()
    above = answer(tmp_path, content, header(3, 2) + f"(assert (>= Y_1 {most + 0.3}))")
    below = answer(tmp_path, content, header(3, 2) + f"(assert (>= Y_1 {most - 0.01}))")
    assert (above.status, below.status) == ("holds", "violated")
    assert below.outputs[1] >= most - 0.01
    assert max(map(abs, below.inputs)) <= 1
    np.testing.assert_array_equal(networks.run(content, np.array([below.inputs]))[0], below.outputs)


def test_a_violation_in_any_case_counts(tmp_path):
    """Disjunctions over inputs and outputs: one case that can happen is enough, and its input lies in that case."""
    rng = np.random.default_rng(1)
    content = networks.model(*networks.dense(rng, [2, 8, 2]), ("batch", 2))
    text = header(2, 2) + (
        "(assert (or (and (<= X_0 -2) (<= Y_0 Y_1)) (and (>= X_0 0.5) (<= (+ Y_0 X_1) 100)) (>= Y_0 1000)))"
    )
    found = answer(tmp_path, content, text)
    assert found.status == "violated"
    assert found.inputs[0] >= 0.5


@pytest.mark.slow
def test_a_strict_limit_is_not_met_by_equality(tmp_path):
    """Y > 0 on a network that is zero everywhere is never said to be violated; Y ≥ 0 is."""
    content = networks.model(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": np.zeros((1, 1))}, ("batch", 1)
    )
    assert answer(tmp_path, content, header(1, 1) + "(assert (> Y_0 0))", 0.5).status != "violated"
    assert answer(tmp_path, content, header(1, 1) + "(assert (>= Y_0 0))").status == "violated"


def test_time_that_is_used_up_is_unknown(tmp_path):
    """With no time left nothing is claimed."""
    rng = np.random.default_rng(2)
    content = networks.model(*networks.dense(rng, [6, 40, 40, 40, 1], scale=2), ("batch", 6))
    most = networks.run(content, rng.uniform(-1, 1, size=(100_000, 6))).max()
    found = answer(tmp_path, content, header(6, 1) + f"(assert (>= Y_0 {1.3 * most}))", 0.3)
    assert (found.status, found.reason) == ("unknown", "the time is used up")


@pytest.mark.parametrize("operator", ["Erf", "Sin", "Softplus"])
def test_an_unknown_operator_is_unknown_with_its_name(tmp_path, operator):
    """An operator that the certifier does not know is no error."""
    nodes = [onnx.helper.make_node(operator, ["x"], ["h"]), onnx.helper.make_node("Relu", ["h"], ["y"])]
    found = answer(tmp_path, networks.model(nodes, {}, ("batch", 2)), header(2, 2) + "(assert (>= Y_0 0))")
    assert found.status == "unknown"
    assert f"operator {operator}" in found.reason


@pytest.mark.slow
def test_probabilities_are_compared_through_their_logits(tmp_path):
    """With a softmax at the end, properties on probabilities agree with what sampling shows."""
    rng = np.random.default_rng(3)
    nodes, constants = networks.dense(rng, [2, 10, 3], scale=2)
    nodes[-1].output[0] = "z"
    nodes.append(onnx.helper.make_node("Softmax", ["z"], ["y"], axis=1))
    content = networks.model(nodes, constants, ("batch", 2))
    seen = networks.run(content, rng.uniform(-1, 1, size=(100_000, 2)))
    for j in range(3):
        most = seen[:, j].max()
        near = answer(tmp_path, content, header(2, 3) + f"(assert (>= Y_{j} {most - 0.01 * most}))")
        far = answer(tmp_path, content, header(2, 3) + f"(assert (>= Y_{j} {most + 0.05}))")
        assert (near.status, far.status) == ("violated", "holds")
    gap = (seen[:, 0] - seen[:, 1]).max()
    assert answer(tmp_path, content, header(2, 3) + f"(assert (>= (- Y_0 Y_1) {gap + 0.05}))").status == "holds"
    order = "violated" if (seen[:, 0] >= seen[:, 1]).any() else "holds"
    assert answer(tmp_path, content, header(2, 3) + "(assert (>= Y_0 Y_1))").status == order


def test_bad_files_are_one_sentence(tmp_path):
    """A file that is no ONNX, weights outside it, an output or input too many, an output it does not have."""
    rng = np.random.default_rng(0)
    content = networks.model(*networks.dense(rng, [2, 4, 1]), ("batch", 2))
    with pytest.raises(errors.DataError, match="expected an ONNX file"):
        answer(tmp_path, b"\x00no model", header(2, 1))
    with pytest.raises(errors.DataError, match="expected the 2 inputs of"):
        answer(tmp_path, content, header(3, 1) + "(assert (>= Y_0 0))")
    with pytest.raises(errors.DataError, match="expected outputs up to Y_0"):
        answer(tmp_path, content, header(2, 4) + "(assert (>= Y_3 0))")
    proto = onnx.load_model_from_string(content)
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    with pytest.raises(errors.DataError, match="external data"):
        answer(tmp_path, proto.SerializeToString(), header(2, 1) + "(assert (>= Y_0 0))")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read(data):
    """Bytes changed anywhere: our error, an unknown operator, or a graph; never another exception."""
    from checks.certified import graph, lowering

    rng = np.random.default_rng(0)
    content = bytearray(networks.model(*networks.dense(rng, [2, 4, 1]), ("batch", 2)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        network = graph.parse(bytes(content))
        x = np.zeros((1, network.input.size))
        lowering.Lowering(network, x, x - 1, x + 1).moving(network.outputs[0].name)
    except (errors.ProoflineError, graph.UnsupportedError):
        return


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "checks.certified", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_command_answers_with_its_exit_code(tmp_path):
    """0 holds, 1 violated, 2 bad input, 3 missing, 4 unknown; `--help` says so."""
    rng = np.random.default_rng(0)
    (tmp_path / "m.onnx").write_bytes(networks.model(*networks.dense(rng, [2, 4, 1]), ("batch", 2)))
    for name, text, code in (
        ("holds", "(assert (>= Y_0 1000))", 0),
        ("violated", "(assert (<= Y_0 1000))", 1),
        ("bad", "(assert", 2),
    ):
        (tmp_path / name).write_text(header(2, 1) + text)
        found = command(tmp_path / "m.onnx", tmp_path / name)
        assert found.returncode == code, found.stderr
        assert (found.stdout + found.stderr).startswith(name if code < 2 else "property")
    assert command(tmp_path / "m.onnx", tmp_path / "absent").returncode == 3
    assert "4 unknown" in command("--help").stdout


@pytest.mark.slow
def test_no_public_verdict_is_contradicted(real_data):
    """ACAS Xu: every answer in 3 s is the one on which public verifiers agree, and most pairs are answered."""
    from checks.certified import verify, vnnlib

    place = real_data / "onnx" / "acasxu"
    with (place / "verdicts.csv").open() as stream:
        pairs = list(csv.DictReader(stream))
    answered = 0
    for pair in pairs[::4]:
        found = verify.verify(place / pair["network"], vnnlib.read(place / pair["property"]), 3.0)
        assert found.status in (pair["verdict"], "unknown"), pair
        answered += found.status != "unknown"
    assert answered >= len(pairs[::4]) // 3


@pytest.mark.parametrize(("operator", "constant"), [("Mul", np.inf), ("Div", 0.0)])
def test_what_moves_times_infinity_or_over_zero_is_unknown(tmp_path, operator, constant):
    """Zero over zero is NaN, everything else infinite: a proof that takes it for NaN throughout would be false."""
    from onnx import helper

    nodes = [
        helper.make_node(operator, ["x", "c"], ["d"]),
        helper.make_node("IsNaN", ["d"], ["lost"]),
        helper.make_node("Where", ["lost", "fill", "x"], ["y"]),
    ]
    constants = {"c": np.full((1, 1), constant), "fill": np.zeros((1, 1))}
    content = networks.model(nodes, constants, ("batch", 1))
    assert answer(tmp_path, content, header(1, 1) + "(assert (>= Y_0 0.5))").status in ("unknown", "violated")


def test_a_value_that_may_overflow_is_not_taken_for_finite(tmp_path):
    """Far beyond float32 the graph is infinite, and a test for it must not be folded away."""
    from onnx import helper

    nodes = [
        helper.make_node("Mul", ["x", "c"], ["d"]),
        helper.make_node("Mul", ["d", "c"], ["e"]),
        helper.make_node("IsInf", ["e"], ["lost"]),
        helper.make_node("Where", ["lost", "one", "zero"], ["y"]),
    ]
    constants = {"c": np.full((1, 1), 1e38), "one": np.ones((1, 1)), "zero": np.zeros((1, 1))}
    content = networks.model(nodes, constants, ("batch", 1))
    assert answer(tmp_path, content, header(1, 1) + "(assert (>= Y_0 0.5))").status in ("unknown", "violated")


def test_a_property_that_no_input_meets_says_nothing(tmp_path):
    """A contradiction holds of every network; it is no answer about this one."""
    content = networks.model(*networks.dense(np.random.default_rng(0), (1, 3, 1)), ("batch", 1))
    found = answer(tmp_path, content, header(1, 1, low=1.0, high=0.0) + "(assert (>= Y_0 0.5))")
    assert (found.status, "says nothing" in found.reason) == ("unknown", True)


def test_a_false_proof_is_not_believed(tmp_path, monkeypatch):
    """Where the search claims a proof that the file denies, the answer is its counterexample and says what is wrong."""
    from checks.certified import branch, verify

    content = networks.model(*networks.dense(np.random.default_rng(3), [3, 16, 2]), ("batch", 3))
    middle = float(np.median(networks.run(content, np.random.default_rng(4).uniform(-1, 1, size=(999, 3)))[:, 0]))
    search = branch.search

    def unsound(*given, **settings):
        found = search(*given, **{**settings, "boxes": 1})
        return type(found)(**{**vars(found), "proven": np.ones_like(found.proven), "found": {}})

    monkeypatch.setattr(branch, "search", unsound)
    monkeypatch.setattr(verify, "_attack", lambda *_: None)
    found = answer(tmp_path, content, header(3, 2) + f"(assert (>= Y_0 {middle}))")
    assert (found.status, found.reason) == ("violated", verify.DENIED)
    assert found.outputs[0] >= middle
