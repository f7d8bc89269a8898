import numpy as np
import pytest

from configs import errors
from evidence import canonical, records
from tests.checks import model_builders
from tests.checks.test_evasion import gradient_of

GATES = [
    {"check": "performance.accuracy", "at_least": 0.6},
    {"check": "fairness.demographic_parity_difference", "slice": "sex", "at_most": 0.2},
    {"check": "robustness.evasion", "at_least": 0.999, "required": False},
]


def error_gradient(coefficients):
    """Gradient of the absolute error of a linear regressor."""
    return lambda x, y: np.sign(x @ coefficients - y[:, None]) * coefficients.T


def make(place, task="binary", classes=2, rows=700, gates=GATES, **other):
    x, coefficients, y = model_builders.simulated(rows, 4, 0, classes=classes)
    if task == "regression":
        coefficients, y = coefficients[:, :1], (x @ coefficients)[:, 0] + np.random.default_rng(0).normal(size=rows)
    model_builders.linear_graph(place / "model/model.onnx", coefficients, np.zeros(coefficients.shape[1]))
    plan = model_builders.plan(task, gates, replicates=200, **other)
    made = model_builders.case(place, plan, x, y, model_builders.membership(rows, 1))
    return made, gradient_of(
        coefficients
    ) if task != "regression" else lambda x, y: np.sign(x @ coefficients - y[:, None]) * coefficients.T


def evaluated(place, **other):
    from checks import evaluate, source

    made, gradient = make(place, **other)
    return made, evaluate.evaluate(*made.arguments, source=source.Source(gradient=gradient))


def test_every_check_of_the_catalogue_answers(tmp_path):
    """Each metric measured on the graph has exactly one result, in the catalogue's order."""
    from checks import catalogue

    _, record = evaluated(tmp_path)
    elsewhere = ("data", "export", "language")
    assert [r.check_id for r in record.results] == [
        m.id for m in catalogue.METRICS.values() if m.family not in elsewhere
    ]
    assert all(r.reason for r in record.results)
    assert {r.status for r in record.results if r.check_id.startswith("performance.")} == {"pass", "not_applicable"}


def test_the_policy_is_laid_on_the_results(tmp_path):
    """Gated checks have status and threshold, the others say that there is none; the decision follows."""
    from checks import gate

    made, record = evaluated(tmp_path)
    by_id = {r.check_id: r for r in record.results}
    assert by_id["performance.accuracy"].status == "pass"
    assert by_id["performance.accuracy"].threshold == records.Threshold(at_least=0.6)
    assert by_id["robustness.evasion"].status == "fail"
    assert by_id["performance.f1"].reason == "measured; the policy sets no threshold"
    decision = gate.decide(made.plan, record.results)
    assert decision.outcome == "pass"
    assert [r.status for r in decision.reasons] == ["pass", "pass", "fail"]


def test_the_record_names_what_was_measured_on_what(tmp_path):
    """The record holds the graph's digest, the commitment and its time, the runtime and the rows that were read."""
    made, record = evaluated(tmp_path)
    assert record.onnx_sha256 == made.model.onnx.sha256
    assert record.commitment_sha256 == canonical.sha256(made.commitment)
    assert record.committed_at == made.commitment.at < record.started_at <= record.finished_at
    assert "CPUExecutionProvider" in record.runtime
    (use,) = record.uses
    assert (use.step, use.role, use.digests_sha256) == ("evaluation", "test", made.split.parts["test"].digests.sha256)


def test_scores_are_written_and_named_by_digest(tmp_path):
    """Probabilities and labels stand in the run folder; the metrics that used them name them."""
    made, record = evaluated(tmp_path)
    found = {a.path: a for a in record.results[0].artifacts}
    assert set(found) == {"evaluation/probabilities.npy", "evaluation/labels.npy"}
    labels = np.load(made.folder.checked(found["evaluation/labels.npy"]), allow_pickle=False)
    y = np.load(made.folder.at("data/test/y.npy"), allow_pickle=False)
    assert record.results[0].measures[0].value == np.mean(labels == y)


@pytest.mark.slow
def test_the_same_input_gives_the_same_results(tmp_path):
    """Two evaluations differ in nothing but their times."""
    from checks import evaluate, source

    made, gradient = make(tmp_path)
    first, second = (evaluate.evaluate(*made.arguments, source=source.Source(gradient=gradient)) for _ in range(2))
    assert first.results == second.results


def test_the_record_survives_json(tmp_path):
    """The record, details included, is the same after a round trip through JSON, without NaN."""
    _, record = evaluated(tmp_path)
    assert records.EvaluationRecord.model_validate_json(canonical.to_bytes(record)) == record


@pytest.mark.slow
def test_no_value_of_a_person_is_in_the_record(tmp_path):
    """Row digests and entity codes stay in the arrays; the record holds numbers about groups only."""
    made, record = evaluated(tmp_path)
    text = canonical.to_bytes(record)
    digests = np.load(made.folder.at("data/test/rows.npy"), allow_pickle=False)
    assert not any(digest in text for digest in digests.tolist())


@pytest.mark.slow
@pytest.mark.parametrize(("task", "classes"), [("multiclass", 3), ("regression", 1)])
def test_other_tasks_are_evaluated_whole(tmp_path, task, classes):
    """Several classes and regression give every check an answer too; what belongs to other tasks says so."""
    metric = "performance.r2" if task == "regression" else "performance.accuracy"
    made, record = evaluated(tmp_path, task=task, classes=classes, gates=[{"check": metric, "at_least": 0.01}])
    by_id = {r.check_id: r for r in record.results}
    assert by_id[metric].status in ("pass", "fail", "inconclusive")
    assert by_id["robustness.noise"].measures
    gap = "fairness.error_difference" if task == "regression" else "fairness.accuracy_difference"
    assert [m.slice for m in by_id[gap].measures if m.name == gap] == ["sex", "region", "sex × region"]
    other = "performance.rmse" if task == "multiclass" else "performance.accuracy"
    assert "the task is" in by_id[other].reason
    assert made.folder.at("evaluation").is_dir()


def test_without_a_gradient_the_rest_is_measured(tmp_path):
    """A missing gradient leaves one check unmeasured and a required gate on it open."""
    from checks import evaluate, gate

    made, _ = make(tmp_path, gates=[{"check": "robustness.evasion", "at_least": 0.1}])
    record = evaluate.evaluate(*made.arguments)
    reasons = {r.check_id: r.reason for r in record.results if r.status == "not_measured"}
    assert "gives no gradient" in reasons["robustness.evasion"]
    assert not [name for name in reasons if name.startswith(("performance.", "fairness."))]
    assert gate.decide(made.plan, record.results).outcome == "inconclusive"


def test_other_rows_than_those_of_the_split_are_refused(tmp_path):
    """Evaluation refuses test rows that the split does not name."""
    from checks import evaluate

    made, _ = make(tmp_path)
    foreign = made.folder.write_bytes("data/test.txt", b"0" * 64 + b"\n")
    split = made.split.model_copy(update={"parts": {"test": records.SplitPart(rows=1, digests=foreign)}})
    with pytest.raises(errors.IntegrityError, match="expected the rows of the split"):
        evaluate.evaluate(made.folder, made.plan, made.commitment, split, made.encoded, made.model)


def test_an_altered_model_is_refused(tmp_path):
    """A graph whose digest is not the recorded one is not measured."""
    from checks import evaluate

    made, _ = make(tmp_path)
    with made.folder.at("model/model.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(errors.IntegrityError, match=r"model\.onnx"):
        evaluate.evaluate(*made.arguments)


@pytest.mark.slow
def test_no_framework_is_needed(tmp_path):
    """The evaluation loads neither torch nor pandas nor scikit-learn: only the runtime that ships."""
    import pathlib
    import subprocess
    import sys

    heavy = ["torch", "pandas", "sklearn", "fairlearn", "prefect", "mlflow", "great_expectations"]
    code = f"import sys; from checks import evaluate; print([m for m in {heavy} if m in sys.modules])"
    root = pathlib.Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def _logarithm(tmp_path, **policy):
    """A graph that takes the logarithm of its inputs, which are positive: below 0 it gives NaN."""
    from onnx import TensorProto, helper

    x, coefficients, y = model_builders.simulated(300, 3, 0)
    nodes = [
        helper.make_node("IsNaN", ["features"], ["absent"]),
        helper.make_node("Where", ["absent", "fill", "features"], ["filled"]),
        helper.make_node("Log", ["filled"], ["logs"]),
        helper.make_node("Gemm", ["logs", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2]),
    ]
    model_builders.save(tmp_path / "model/model.onnx", nodes, 3, outputs, {"weights": coefficients, "fill": np.ones(3)})
    plan = model_builders.plan(**policy)
    return model_builders.case(tmp_path, plan, np.exp(x), y, model_builders.membership(300, 1))


def test_an_output_that_is_not_finite_loses_nothing_that_was_measured(tmp_path):
    """Under a fault the graph gives NaN for some rows: they count as wrong and are told; every check has its answer."""
    from checks import catalogue, evaluate, gate

    made = _logarithm(
        tmp_path,
        gates=[{"check": "performance.accuracy", "at_least": 0.5}, {"check": "robustness.out_of_range", "at_least": 0}],
        robustness={"noise": [0.01]},
    )
    record = evaluate.evaluate(*made.arguments)
    found = {r.check_id: r for r in record.results}
    assert list(found) == [m.id for m in catalogue.METRICS.values() if m.family not in ("data", "export", "language")]
    assert found["performance.accuracy"].status == "pass"
    assert found["fairness.accuracy_difference"].measures[0].value is not None
    pushed = found["robustness.out_of_range"]
    assert pushed.measures[0].value < found["performance.accuracy"].measures[0].value
    assert "no valid output" in pushed.measures[0].note
    assert gate.decide(made.plan, record.results).outcome == "pass"


def test_an_output_that_is_not_finite_on_the_rows_as_they_are_is_refused(tmp_path):
    """Where the graph cannot score the test rows there is nothing to measure: one sentence with the number of rows."""
    from checks import evaluate
    from evidence import arrays

    made = _logarithm(tmp_path)
    x = np.exp(np.zeros((300, 3), np.float32))
    x[:7, 0] = -1.0
    part = made.encoded.parts["test"].model_copy(update={"x": arrays.save(made.folder, "data/test/x.npy", x)})
    encoded = made.encoded.model_copy(update={"parts": {"test": part}})
    with pytest.raises(errors.VerificationError, match="expected finite probabilities, got 7 of 300 rows"):
        evaluate.evaluate(made.folder, made.plan, made.commitment, made.split, encoded, made.model)


def test_a_budget_beyond_the_range_of_a_feature_stays_within_it(tmp_path):
    """However large the budget, values stay where training has been, and the check answers."""
    from checks import evaluate, evasion, source

    robustness = {"attack": {"epsilon": 1e6, "steps": 3, "rows": 50}, "out_of_range": [1e30]}
    made, gradient = make(tmp_path, robustness=robustness)
    record = evaluate.evaluate(*made.arguments, source=source.Source(gradient=gradient))
    found = {r.check_id: r for r in record.results}
    assert found["robustness.evasion"].measures[0].value is not None
    x = np.load(made.folder.at("data/test/x.npy")).astype(np.float64)
    limits = evasion.budget(made.encoded.features, x, 1e6)
    for j, feature in enumerate(made.encoded.features):
        assert limits.low[:, j].min() >= feature.minimum
        assert limits.high[:, j].max() <= feature.maximum


def test_a_family_that_cannot_be_measured_takes_no_other_with_it(tmp_path):
    """A gradient of another shape leaves the attack unmeasured, with the reason; every metric still answers once."""
    from checks import catalogue, evaluate, source

    made, _ = make(tmp_path)
    record = evaluate.evaluate(*made.arguments, source=source.Source(gradient=lambda x, y: np.zeros((1, 1))))
    found = {r.check_id: r for r in record.results}
    assert len(record.results) == len(found)
    assert list(found) == [m.id for m in catalogue.METRICS.values() if m.family not in ("data", "export", "language")]
    assert found["robustness.evasion"].status == "not_measured"
    assert "gradient of the source model: expected shape" in found["robustness.evasion"].reason
    assert found["robustness.noise"].measures[0].value is not None
