import numpy as np
import pytest

from configs import errors
from tests.checks import model_builders


def scorer(tmp_path, features=3, classes=2, task="binary"):
    from checks import scoring

    return scoring.Scorer(tmp_path / "m.onnx", task, features, classes)


def constant_graph(path, label, probabilities):
    """A graph that gives every row the same label and probabilities, whatever they are."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceSum", ["features"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "shares"], ["probabilities"]),
        helper.make_node("Add", ["nothing", "which"], ["labels"]),
        helper.make_node("Squeeze", ["labels", "axis"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["label"], to=TensorProto.INT64),
    ]
    nodes[0].input.append("axis")
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(probabilities)]),
    ]
    constants = {
        "axis": np.array([1]),
        "zero": np.array(0),
        "shares": np.array([probabilities]),
        "which": np.array([[label]]),
    }
    model_builders.save(path, nodes, 3, outputs, constants)


def test_probabilities_are_those_of_the_model(tmp_path):
    """The scores are the softmax of the linear model, in the rows' order, over several batches."""
    from checks import scoring

    x, coefficients, _ = model_builders.simulated(scoring.BATCH * 2 + 7, 3, 0)
    model_builders.linear_graph(tmp_path / "m.onnx", coefficients, np.zeros(2), threshold=0.3)
    found = scorer(tmp_path)(x)
    logits = x @ coefficients
    positive = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    np.testing.assert_allclose(found.probabilities[:, 1], positive, atol=1e-5)
    clear = np.abs(positive - 0.3) > 1e-4
    np.testing.assert_array_equal(found.labels[clear], (positive >= 0.3)[clear])


def test_the_runtime_and_its_provider_are_recorded(tmp_path):
    """The record names ONNX Runtime's version and the provider that was used."""
    import onnxruntime

    model_builders.linear_graph(tmp_path / "m.onnx", np.ones((3, 2)), np.zeros(2))
    assert scorer(tmp_path).runtime == f"onnxruntime {onnxruntime.__version__}, CPUExecutionProvider"


def test_a_regressor_gives_predictions(tmp_path):
    """A graph with the output `prediction` gives one number per row."""
    model_builders.linear_graph(tmp_path / "m.onnx", np.array([[1.0], [2.0], [3.0]]), np.array([0.5]))
    found = scorer(tmp_path, classes=0, task="regression")(np.ones((4, 3), np.float32))
    np.testing.assert_allclose(found.predictions, 6.5)


def test_no_rows_give_no_scores(tmp_path):
    """An empty batch is scored as such."""
    model_builders.linear_graph(tmp_path / "m.onnx", np.ones((3, 2)), np.zeros(2))
    assert scorer(tmp_path)(np.empty((0, 3), np.float32)).probabilities.shape == (0, 2)


@pytest.mark.parametrize(
    ("label", "probabilities", "expected"),
    [
        (1, (float("nan"), 0.5), "finite probabilities"),
        (1, (1.5, -0.5), "between 0 and 1"),
        (1, (0.5, 0.4), "sum to 1"),
        (2, (0.5, 0.5), "labels from 0 to 1"),
    ],
)
def test_outputs_that_break_the_contract_are_refused(tmp_path, label, probabilities, expected):
    """What is no probability or no label is never measured."""
    constant_graph(tmp_path / "m.onnx", label, probabilities)
    with pytest.raises(errors.VerificationError, match=expected):
        scorer(tmp_path)(np.ones((2, 3), np.float32))


def test_sound_outputs_of_the_same_graph_are_accepted(tmp_path):
    """The graph of the test above passes when its numbers are right."""
    constant_graph(tmp_path / "m.onnx", 1, (0.25, 0.75))
    assert scorer(tmp_path)(np.ones((2, 3), np.float32)).labels.tolist() == [1, 1]


def test_another_signature_is_refused(tmp_path):
    """Another number of features, classes or another task is one readable sentence."""
    model_builders.linear_graph(tmp_path / "m.onnx", np.ones((3, 2)), np.zeros(2))
    with pytest.raises(errors.VerificationError, match=r"float32 \[batch, 4\]"):
        scorer(tmp_path, features=4)
    with pytest.raises(errors.VerificationError, match="prediction"):
        scorer(tmp_path, classes=0, task="regression")
    with pytest.raises(errors.VerificationError, match=r"probabilities \(1, 5\)"):
        scorer(tmp_path, classes=5)(np.ones((1, 3), np.float32))


def test_what_is_no_graph_is_one_sentence(tmp_path, capfd):
    """A broken file gives our own sentence and nothing on the terminal."""
    (tmp_path / "m.onnx").write_bytes(b"no graph")
    with pytest.raises(errors.VerificationError, match="expected a graph that ONNX Runtime opens"):
        scorer(tmp_path)
    assert capfd.readouterr() == ("", "")
