from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from configs import errors
from evidence import arrays, records
from evidence.folder import RunFolder
from tests.factory import builders

ROOT = Path(__file__).resolve().parents[2]


def trained(path, task="binary", **sections):
    from factory import trainer

    folder, encoded = builders.run_folder(path, task)
    plan = builders.plan(task, **({"model": {"width": 16, "blocks": 1}} | sections))
    return folder, plan, encoded, trainer.train(folder, plan, encoded)


def exported(folder, plan, encoded, training):
    from tef_export import export

    return export.export(folder, plan, encoded, training)


def opened(folder, model):
    import onnxruntime

    return onnxruntime.InferenceSession(folder.checked(model.onnx), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    """A trained binary classifier with a chosen threshold, and its export."""
    parts = trained(tmp_path_factory.mktemp("binary") / "run", training={"threshold": "f1"})
    return *parts, exported(*parts)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_keep_the_contract(tmp_path, task):
    """Multi-class gives labels and probabilities of K classes; regression gives one prediction."""
    folder, plan, encoded, training = trained(tmp_path / "run", task)
    model = exported(folder, plan, encoded, training)
    part = arrays.load(folder, encoded, "validation")
    made = dict(
        zip([o.name for o in model.outputs], opened(folder, model).run(None, {"features": part.x}), strict=True)
    )
    assert model.parity.max_abs_difference <= model.parity.tolerance
    if task == "regression":
        assert {name: (a.dtype, a.shape) for name, a in made.items()} == {"prediction": (np.float32, (len(part.x), 1))}
        assert 50 < made["prediction"].mean() < 250
    else:
        assert made["probabilities"].shape == (len(part.x), 3)
        np.testing.assert_array_equal(made["label"], made["probabilities"].argmax(1))


def test_the_graph_keeps_the_contract(binary):
    """One float32 input of any batch; int64 label and float32 probabilities; opset and IR in the window."""
    import onnx

    folder, _, _, training, model = binary
    assert model.inputs == (records.TensorSpec(name="features", dtype="float32", shape=("batch", 10)),)
    assert model.outputs == (
        records.TensorSpec(name="label", dtype="int64", shape=("batch",)),
        records.TensorSpec(name="probabilities", dtype="float32", shape=("batch", 2)),
    )
    proto = onnx.load(folder.checked(model.onnx))
    assert 17 <= proto.opset_import[0].version == model.opset <= 20
    assert 8 <= proto.ir_version == model.ir_version <= 10
    assert [o.domain for o in proto.opset_import] == [""]
    assert model.parent_checkpoint_sha256 == training.checkpoint.sha256


@pytest.mark.parametrize("rows", [0, 1, 2, 1000])
def test_any_batch_gives_the_same_answers(binary, rows):
    """No rows, one row and many rows work, and a row's answer does not depend on its batch."""
    folder, _, encoded, _, model = binary
    x = arrays.load(folder, encoded, "train").x
    x = np.concatenate([x] * 4)[:rows]
    label, probabilities = opened(folder, model).run(None, {"features": x})
    assert (label.shape, probabilities.shape) == ((rows,), (rows, 2))
    if rows:
        alone = opened(folder, model).run(None, {"features": x[-1:]})[1]
        np.testing.assert_allclose(alone[0], probabilities[-1], atol=1e-6)


@pytest.mark.slow
def test_many_rows_are_compared_some_at_a_time(binary, monkeypatch):
    """Graph and source give each row the answer of one large batch when the rows do not go in together."""
    from tef_export import export

    folder, plan, encoded, training, model = binary
    graph, x = opened(folder, model), arrays.load(folder, encoded, "validation").x
    whole = export._graph_outputs(graph, x)
    monkeypatch.setattr(export, "TOGETHER", 20)
    for expected, found in zip(whole, export._graph_outputs(graph, x), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert exported(folder, plan, encoded, training).parity.label_agreement == 1


def test_the_threshold_is_part_of_the_graph(binary):
    """The label follows the recorded threshold, which is not one half here."""
    folder, _, encoded, training, model = binary
    label, probabilities = opened(folder, model).run(None, {"features": arrays.load(folder, encoded, "train").x})
    assert training.threshold.value != 0.5
    np.testing.assert_array_equal(label, probabilities[:, 1] >= np.float32(training.threshold.value))
    assert (label != probabilities.argmax(1)).any()


def test_unknown_codes_missing_and_extreme_values_are_answered(binary):
    """Whatever float32 comes in, probabilities are finite and add up to one; an unknown category counts as missing."""
    folder, _, encoded, _, model = binary
    x = np.repeat(arrays.load(folder, encoded, "validation").x[:1], 7, axis=0)
    x[0, 1], x[1, 1], x[2, 1] = np.nan, 7, -1
    x[3, 0], x[4, 0], x[5], x[6] = np.inf, 3.4e38, np.nan, -3.4e38
    _, probabilities = opened(folder, model).run(None, {"features": x})
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    np.testing.assert_array_equal(probabilities[0], probabilities[2])
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_no_path_and_no_source_line_leaks(binary):
    """The file holds no description, no metadata, no path of the exporting machine."""
    import onnx

    folder, *_, model = binary
    proto = onnx.load(folder.checked(model.onnx))
    for tensor in proto.graph.initializer:
        tensor.ClearField("raw_data")
    rest = str(proto)
    assert "node_" in rest
    assert not [word for word in ("/", ".py", "stack_trace", "forward") if word in rest]
    parts = [proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output]
    assert not any(part.doc_string or part.metadata_props for part in parts)


def test_metadata_inside_branches_and_functions_is_removed():
    """Descriptions in the subgraphs of a node and in functions are removed too."""
    import onnx
    from onnx import parser

    from tef_export import export

    proto = parser.parse_model(
        """<ir_version: 10, opset_import: ["" : 18, "f": 1]>
        g (bool c, float[1] x) => (float[1] y) {
            y = If (c) <then_branch = a () => (float[1] u) { u = Identity(x) },
                        else_branch = b () => (float[1] v) { v = f.h(x) }>
        }
        <domain: "f", opset_import: ["" : 18]> h (x) => (y) { y = Identity(x) }"""
    )
    branches = [attribute.g for attribute in proto.graph.node[0].attribute]
    places = [*branches, *(n for b in branches for n in b.node), *proto.functions, proto.functions[0].node[0]]
    for place in places:
        place.doc_string = "secret"
        place.metadata_props.add(key="k", value="secret")
    export.strip(proto)
    assert b"secret" not in proto.SerializeToString()
    onnx.checker.check_model(proto)


@pytest.mark.slow
def test_exported_twice_from_two_folders_the_bytes_are_equal(binary, tmp_path, monkeypatch):
    """Neither the place of the run folder nor the working directory shows in the file."""
    folder, plan, encoded, training, model = binary
    other = RunFolder(Path(shutil.copytree(folder.path, tmp_path / "elsewhere" / "another-name")))
    shutil.rmtree(other.path / "model")
    monkeypatch.chdir(tmp_path)
    assert exported(other, plan, encoded, training) == model
    assert sorted(p.name for p in (other.path / "model").iterdir()) == ["model.onnx", "test_data_set_0"]
    assert [p.name for p in tmp_path.iterdir()] == ["elsewhere"]


@pytest.mark.slow
def test_another_process_with_another_hash_seed_exports_the_same_bytes(binary, tmp_path):
    """The order of sets and dicts in a process does not show in the file."""
    folder, plan, encoded, training, model = binary
    other = Path(shutil.copytree(folder.path, tmp_path / "run"))
    (tmp_path / "records.json").write_text(
        json.dumps([part.model_dump(mode="json") for part in (plan, encoded, training)]), encoding="utf-8"
    )
    code = """
import json, pathlib, sys
from configs import plan
from evidence import folder, records
from tef_export import export
p, e, t = json.loads(pathlib.Path(sys.argv[1], "records.json").read_text(encoding="utf-8"))
run = folder.RunFolder(pathlib.Path(sys.argv[1], "run"))
parts = plan.Plan.model_validate(p), records.EncodedData.model_validate(e), records.TrainingRecord.model_validate(t)
export.export(run, *parts)
"""
    environment = os.environ | {"PYTHONHASHSEED": "99", "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=environment, check=True, capture_output=True, text=True
    )
    assert RunFolder(other).reference(model.onnx.path) == model.onnx
    assert (made.stdout, made.stderr) == ("", "")


def test_parity_is_measured_on_the_validation_part(binary):
    """Every validation row was compared; labels agree and probabilities differ by rounding only."""
    _, _, encoded, _, model = binary
    assert model.parity.rows == encoded.parts["validation"].rows
    assert model.parity.split == "validation"
    assert model.parity.label_agreement == 1.0
    assert 0 <= model.parity.max_abs_difference < 1e-5


def test_golden_vectors_are_synthetic_within_range_and_reproduce(binary):
    """Inputs lie within the training range, hold missing values and no real row; outputs are the model's own."""
    import onnx

    folder, plan, encoded, _, model = binary
    tensor = onnx.load_tensor(folder.checked(model.golden_input))
    x = onnx.numpy_helper.to_array(tensor)
    assert (tensor.name, x.dtype, x.shape) == ("features", np.float32, (plan.bundle.golden_rows, 10))
    assert not np.isnan(x[0]).any()
    assert np.isnan(x[-1]).all()
    for i, feature in enumerate(encoded.features):
        present = x[np.isfinite(x[:, i]), i]
        if feature.kind == "categorical":
            assert set(present) <= set(range(len(feature.categories)))
        else:
            assert (present >= feature.minimum - 1e-5).all()
            assert (present <= feature.maximum + 1e-5).all()
    real = np.concatenate([arrays.load(folder, encoded, role).x for role in ("train", "validation", "test")])
    assert not {row.tobytes() for row in x} & {row.tobytes() for row in real}
    made = opened(folder, model).run(None, {"features": x})
    for reference, array, spec in zip(model.golden_outputs, made, model.outputs, strict=True):
        stored = onnx.load_tensor(folder.checked(reference))
        assert stored.name == spec.name
        np.testing.assert_allclose(onnx.numpy_helper.to_array(stored), array, rtol=1e-6)
    assert [Path(r.path).name for r in model.golden_outputs] == ["output_0.pb", "output_1.pb"]


def test_whole_numbers_stay_whole_in_golden_vectors():
    """An integer feature gets whole numbers within its range, ends included."""
    from tef_export import golden

    feature = records.FeatureSpec(name="n", kind="numeric", integer=True, minimum=3.0, maximum=5.0)
    x = golden.inputs([feature], 200, 0)[:, 0]
    assert set(x[np.isfinite(x)]) == {3.0, 4.0, 5.0}
    np.testing.assert_array_equal(x, golden.inputs([feature], 200, 0)[:, 0])


@pytest.mark.slow
def test_a_users_own_module_is_exported(tmp_path):
    """A user's network goes through the same export, with the same contract."""
    parts = trained(tmp_path / "run", model={"factory": "tests.factory.user_networks:normalised"})
    model = exported(*parts)
    assert model.outputs[1].shape == ("batch", 2)
    assert model.parity.max_abs_difference < 1e-5


@pytest.mark.slow
def test_a_module_that_branches_on_values_is_refused(tmp_path):
    """What torch.export cannot trace ends in one sentence that names the plan's key."""
    parts = trained(tmp_path / "run", model={"factory": "tests.factory.user_networks:branches_on_values"})
    with pytest.raises(errors.PlanError, match=r"plan model\.factory tests.*no branches on values") as caught:
        exported(*parts)
    assert "\n" not in str(caught.value)
    assert not (parts[0].path / "model" / "model.onnx").exists()


@pytest.mark.slow
def test_a_graph_that_computes_something_else_is_refused(tmp_path):
    """A module whose outputs depend on chance fails parity, and no model is left behind."""
    parts = trained(tmp_path / "run", model={"factory": "tests.factory.user_networks:draws_at_random"})
    with pytest.raises(errors.VerificationError, match=r"expected the outputs of its source within 0\.0001"):
        exported(*parts)
    assert not (parts[0].path / "model" / "model.onnx").exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda g: g.initializer[0].CopyFrom(_tensor(g.initializer[0], np.nan)), "expected finite numbers"),
        (lambda g: setattr(g.output[0], "name", "class"), "expected inputs and outputs"),
        (
            lambda g: g.output[1].type.tensor_type.shape.dim[0].__setattr__("dim_value", 1),
            "expected inputs and outputs",
        ),
    ],
)
def test_a_graph_outside_the_contract_is_refused(binary, spoil, said):
    """Weights that are no numbers, other names and a fixed batch are refused."""
    import onnx

    from tef_export import export

    folder, _, encoded, _, model = binary
    proto = onnx.load(folder.checked(model.onnx))
    export.check_graph(proto, export.contract(encoded))
    spoil(proto.graph)
    with pytest.raises(errors.VerificationError, match=said):
        export.check_graph(proto, export.contract(encoded))


def test_a_custom_domain_is_refused(binary):
    """Operators that a receiver's runtime may not have are refused."""
    import onnx

    from tef_export import export

    folder, _, encoded, _, model = binary
    proto = onnx.load(folder.checked(model.onnx))
    proto.opset_import.add(domain="com.example", version=1)
    with pytest.raises(errors.VerificationError, match="expected standard operators only"):
        export.check_graph(proto, export.contract(encoded))


@pytest.mark.slow
def test_the_exporters_noise_is_silenced_here_only(binary, tmp_path, capfd, caplog):
    """An export prints nothing, and the logger's level is the caller's again."""
    import logging

    folder, plan, encoded, training, _ = binary
    copy = RunFolder(Path(shutil.copytree(folder.path, tmp_path / "run")))
    before = logging.getLogger("torch.onnx").level
    exported(copy, plan, encoded, training)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert logging.getLogger("torch.onnx").level == before


def _tensor(like, value):
    import onnx

    array = onnx.numpy_helper.to_array(like).astype(np.float32)
    array = np.full(array.shape, value, np.float32)
    return onnx.numpy_helper.from_array(array, like.name)


@pytest.mark.parametrize("axis", ["minimum", "maximum"])
def test_golden_vectors_bear_the_largest_numbers(axis):
    """Ranges near the ends of int64 and of float64 give finite rows; nothing overflows."""
    from tef_export import golden

    for end in (2.0**63, -(2.0**63), 1.7e308, -1.7e308):
        other = -end if (end > 0) == (axis == "maximum") else end
        low, high = sorted((end, other))
        for integer in (True, False):
            feature = records.FeatureSpec(name="n", kind="numeric", integer=integer, minimum=low, maximum=high)
            x = golden.inputs([feature], 50, 0)[:-1, 0]
            assert np.isfinite(x[~np.isnan(x)]).all()


def graph(across):
    """A graph that scores each row by itself and adds what `across` makes of all rows, in ONNX Runtime."""
    from onnx import TensorProto, helper, numpy_helper

    from tef_export import golden

    weights = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["scores"]),
        *across(helper.make_node),
    ]
    proto = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 3])],
            [helper.make_tensor_value_info("value", TensorProto.FLOAT, ["batch", 2])],
            [
                numpy_helper.from_array(weights, "weights"),
                numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
                numpy_helper.from_array(np.zeros(1, np.int64), "rows"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    return golden.session(proto.SerializeToString())


ACROSS = {
    "mean of the batch": lambda n: [n("ReduceMean", ["scores", "rows"], ["m"]), n("Sub", ["scores", "m"], ["value"])],
    "largest of the batch": lambda n: [n("ReduceMax", ["scores", "rows"], ["m"]), n("Sub", ["scores", "m"], ["value"])],
    "softmax over rows": lambda n: [n("Softmax", ["scores"], ["m"], axis=0), n("Add", ["scores", "m"], ["value"])],
    "sum of the rows before": lambda n: [
        n("ReduceSum", ["rows"], ["axis"], keepdims=0),
        n("CumSum", ["scores", "axis"], ["value"]),
    ],
}


@pytest.mark.parametrize("kind", ACROSS)
def test_a_graph_whose_answer_depends_on_the_other_rows_is_refused(kind):
    """What a row gets alone, in another order and in other batches is compared with what it gets among all rows."""
    from tef_export import export

    x = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    with pytest.raises(errors.VerificationError, match="it depends on the other rows of the batch"):
        export.batch_difference(graph(ACROSS[kind]), x, export.TOLERANCE)


@pytest.mark.parametrize("rows", [1, 2, 3, 8, 300])
def test_a_graph_that_scores_row_by_row_is_accepted(rows):
    """Rounding in other batches is far below the tolerance, for any number of rows."""
    from tef_export import export

    x = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    opened = graph(lambda make: [make("Identity", ["scores"], ["value"])])
    assert 0 <= export.batch_difference(opened, x, export.TOLERANCE) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mean", "softmax"])
def test_a_users_module_that_looks_across_rows_is_refused(tmp_path, kind):
    """A module that subtracts the mean of its batch is not exported, and no model is left behind."""
    parts = trained(
        tmp_path / "run", model={"factory": "tests.factory.user_networks:across_rows", "options": {"kind": kind}}
    )
    with pytest.raises(errors.VerificationError, match="depends on the"):
        exported(*parts)
    assert not (parts[0].path / "model" / "model.onnx").exists()
