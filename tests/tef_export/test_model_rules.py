"""Models that a stranger could send: refused by rule, by the checker, or in the limited process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs import errors
from tef_export import golden_check, verify
from tests.tef_export import making

Attack = Callable[..., None]


def test_the_ordinary_model_is_accepted() -> None:
    """Rules and checker let a standard model through, and its facts are read."""
    from tef_export import onnx_rules

    model = making.model()
    onnx_rules.check(model)
    onnx_rules.check_with_onnx(model)
    assert onnx_rules.facts(model)["inputs"] == [{"name": "features", "dtype": "float32", "shape": ["batch", 10]}]


def _external(place: str) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        tensor.external_data.add(key="location", value=place)

    return change


def _weights(value: float) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        from onnx import numpy_helper

        values = numpy_helper.to_array(model.graph.initializer[0]).copy()
        values[3, 1] = value
        model.graph.initializer[0].raw_data = values.tobytes()

    return change


def _constant_nan(model: Any) -> None:
    from onnx import helper, numpy_helper

    tensor = numpy_helper.from_array(np.array([np.nan], np.float32), "c")
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=tensor))


def _ir(version: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.ir_version = version

    return change


def _opset(version: int, domain: str = "") -> Callable[[Any], None]:
    def change(model: Any) -> None:
        if domain:
            model.opset_import.add(domain=domain, version=version)
        else:
            model.opset_import[0].version = version

    return change


def _metadata(key: str) -> Callable[[Any], None]:
    return lambda model: model.metadata_props.add(key=key, value="{}")


def _node_metadata(model: Any) -> None:
    model.graph.node[0].metadata_props.add(key="pkg.torch.onnx.stack_trace", value='File "/home/erika/train.py"')


def _foreign_node(model: Any) -> None:
    model.graph.node[0].domain, model.graph.node[0].op_type = "com.microsoft", "EPContext"


def _function(model: Any) -> None:
    function = model.functions.add()
    function.name, function.domain = "f", "local"


def _huge_constant(model: Any) -> None:
    from onnx import helper, numpy_helper

    shape = numpy_helper.from_array(np.array([1 << 20, 1 << 20], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["huge"]))


def _deep(model: Any) -> None:
    from onnx import helper

    graph = helper.make_graph([helper.make_node("Identity", ["features"], ["x0"])], "g", [], [])
    for level in range(1, 12):
        node = helper.make_node("If", ["c"], [f"x{level}"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], f"g{level}", [], [])
    model.graph.node.extend(graph.node)


def _lying_shape(model: Any) -> None:
    model.graph.initializer[0].dims[0] = 5


RULES: list[tuple[str, Callable[[Any], object], str]] = [
    ("D68 weights outside", _external("../../LICENSE"), "all weights inside the file"),
    ("D69 weights of the system", _external("/etc/passwd"), "all weights inside the file"),
    ("D70 weights in itself", _external("model.onnx"), "all weights inside the file"),
    ("D72 weights in memory", _external("*/_ORT_MEM_ADDR_/*"), "all weights inside the file"),
    ("D74 foreign operator", _foreign_node, "standard operators only"),
    ("D74 foreign domain", _opset(1, "com.evil"), "standard operators only"),
    ("D75 IR 14", _ir(14), "up to 10, got 14"),
    ("D75 opset 28", _opset(28), "operator set 17 to 20"),
    ("opset 9", _opset(9), "operator set 17 to 20"),
    ("D76 functions", _function, "no model functions"),
    ("D76 huge constant", _huge_constant, "constants of at most"),
    ("D76 deep subgraphs", _deep, "subgraphs inside each other"),
    ("D77 NaN", _weights(float("nan")), "finite weights"),
    ("D77 infinite", _weights(float("inf")), "finite weights"),
    ("NaN in a constant", _constant_nan, "finite weights"),
    ("shape that lies", _lying_shape, "readable weights"),
    ("ort_config", _metadata("ort_config"), "configures a runtime"),
    ("D82 stack trace", _node_metadata, "source lines"),
]


@pytest.mark.attack("model")
@pytest.mark.parametrize(("change", "reason"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_an_unsafe_model_is_refused_by_rule(attack: Attack, change: Callable[[Any], object], reason: str) -> None:
    """What a runtime would follow, obey or choke on is refused before a runtime sees it."""
    from tef_export import onnx_rules

    model = making.model()
    change(model)
    with pytest.raises(errors.VerificationError, match=reason) as caught:
        onnx_rules.check(model)
    attack(caught.value, "onnx rules")


def test_a_file_that_is_no_model_is_refused() -> None:
    """Rubbish and cut files are a refusal, not a crash."""
    from tef_export import onnx_rules

    whole = making.model().SerializeToString()
    for content in (b"\xff" * 50, whole[:-7]):
        with pytest.raises(errors.VerificationError, match="an ONNX file"):
            onnx_rules.parsed(content)


def test_the_checker_refuses_what_is_invalid() -> None:
    """A graph that reads a value nobody makes is refused by onnx.checker."""
    from tef_export import onnx_rules

    model = making.model()
    model.graph.node[2].input[0] = "nothing"
    with pytest.raises(errors.VerificationError, match=r"onnx\.checker"):
        onnx_rules.check_with_onnx(model)


def folder(place: Path, made: making.Made) -> Path:
    """A copy of the unpacked `data/model`."""
    shutil.copytree(made.folder.path / "model", place, ignore=shutil.ignore_patterns("record.json"))
    return place


@pytest.mark.slow
@pytest.mark.attack("model", "D78 another model than the golden outputs are of")
def test_exchanged_golden_outputs_and_models_are_noticed(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """D78, A3: the model that ships must give the recorded outputs."""
    place = folder(tmp_path / "m", made)
    other = making.model(seed=7).SerializeToString(deterministic=True)
    (place / "model.onnx").write_bytes(other)
    opened = golden_check.run(place)
    assert opened.failed is not None
    assert opened.failed[0] == "golden vectors"
    assert "exchanged" in opened.failed[1]
    assert set(opened.passed) == {"onnx rules", "onnx checker"}
    attack(verify.Check(opened.failed[0], "fail", opened.failed[1], opened.looks))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["input_0.pb", "output_1.pb"])
def test_missing_or_broken_golden_files_are_a_refusal(made: making.Made, tmp_path: Path, name: str) -> None:
    """Golden vectors are needed whole."""
    for number, damage in enumerate((Path.unlink, lambda p: p.write_bytes(b"\xff\xff"), lambda p: p.write_bytes(b""))):
        place = folder(tmp_path / str(number), made)
        damage(place / "test_data_set_0" / name)
        opened = golden_check.run(place)
        assert opened.failed is not None
        assert opened.failed[0] == "golden vectors"


@pytest.mark.slow
def test_a_model_that_takes_too_much_is_stopped(made: making.Made, tmp_path: Path) -> None:
    """D76: a model that asks for far more memory than the limit ends with its process, not with the reader."""
    from onnx import TensorProto, helper, numpy_helper

    x = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 10])
    y = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["a", "b"])
    big = numpy_helper.from_array(np.array([200_000, 200_000], np.int64), "big")
    nodes = [
        helper.make_node("ReduceSum", ["features"], ["one"], keepdims=0),
        helper.make_node("Expand", ["one", "big"], ["out"]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], [big]), opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )
    place = folder(tmp_path / "m", made)
    (place / "model.onnx").write_bytes(model.SerializeToString())
    (place / "test_data_set_0" / "output_1.pb").unlink()
    opened = golden_check.run(place)
    assert opened.failed is not None
    assert opened.failed[0] == "golden vectors"
    assert "expected a model that can be opened" in opened.failed[1]


@pytest.mark.slow
def test_without_onnx_runtime_the_reference_evaluator_answers(made: making.Made, tmp_path: Path) -> None:
    """A receiver who has no runtime installed still gets the golden vectors compared."""
    import importlib.util

    from tef_export import golden_child, onnx_large

    place = folder(tmp_path / "m", made)
    where = making.whole(place / "model.onnx")
    found = importlib.util.find_spec
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
        text = golden_child._compare(place, where, *onnx_large.load(where))
    assert "reference evaluator" in text


@pytest.mark.attack("model", "D76 a model that takes too long")
def test_a_process_that_does_not_answer_is_ended(made: making.Made, tmp_path: Path, attack: Attack) -> None:
    """Wall-clock time is limited too."""
    opened = golden_check.run(folder(tmp_path / "m", made), timeout=0.01)
    assert opened.failed is not None
    assert "within 0.01 s" in opened.failed[1]
    attack(verify.Check(opened.failed[0], "fail", opened.failed[1], opened.looks))
