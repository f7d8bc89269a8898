"""The evaluation of given predictions: what follows from them is measured, the rest says why it is not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from evidence import arrays, canonical
from evidence.given import GivenPredictions
from tests.checks import model_builders


def evaluated(tmp_path, *, task="binary", rows=300, gates=None, probabilities=True, spoil=None, **policy):
    """A run folder with given predictions, and their evaluation."""
    from checks import given

    classes = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    x, coefficients, y = model_builders.simulated(rows, 3, 0, classes=max(classes, 2))
    logits = x @ coefficients
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    value = logits[:, 0].astype(np.float64)
    if task == "regression":
        y = value + np.random.default_rng(1).normal(size=rows)
    labels = shares.argmax(axis=1)
    if spoil is not None:
        labels, shares = spoil(labels, shares)
    (tmp_path / "model").mkdir(exist_ok=True)
    (tmp_path / "model/model.onnx").write_bytes(b"none")
    plan = model_builders.plan(task, gates, **policy)
    made = model_builders.case(tmp_path, plan, np.empty((rows, 0)), y, model_builders.membership(rows, 2), specs=())
    stored = {"predictions": value} if task == "regression" else {"labels": labels.astype(np.int64)}
    if task != "regression" and probabilities:
        stored["probabilities"] = shares
    said = GivenPredictions(
        rows=rows,
        columns={},
        **{name: arrays.save(made.folder, f"predictions/{name}.npy", array) for name, array in stored.items()},
    )
    record = given.evaluate(made.folder, plan, made.commitment, made.split, made.encoded, said)
    return made, said, record, (y, labels, shares, value)


def test_values_are_those_of_scikit_learn_on_the_same_predictions(tmp_path):
    """Labels and probabilities are taken as they are."""
    from sklearn import metrics

    _, _, record, (y, labels, shares, _) = evaluated(tmp_path)
    found = {r.check_id: r.measures[0] for r in record.results if r.measures}
    assert found["performance.accuracy"].value == pytest.approx(metrics.accuracy_score(y, labels))
    assert found["performance.roc_auc"].value == pytest.approx(metrics.roc_auc_score(y, shares[:, 1]))
    assert found["performance.brier"].value == pytest.approx(metrics.brier_score_loss(y, shares[:, 1]))
    assert found["performance.accuracy"].interval is not None
    assert found["fairness.demographic_parity_difference"].interval is not None


def test_every_metric_answers_once_and_what_needs_the_model_says_so(tmp_path):
    """No check is left out: a new one that nobody adapted is not measured, with the reason."""
    from checks import catalogue, given

    _, _, record, _ = evaluated(tmp_path)
    wanted = [m.id for m in catalogue.METRICS.values() if m.family not in ("data", "export", "language")]
    assert [r.check_id for r in record.results] == wanted
    for result in record.results:
        metric = catalogue.METRICS[result.check_id]
        answered = metric.family in ("performance", "fairness") or metric.id == "robustness.properties"
        if not answered and "binary" in metric.tasks:
            assert (result.status, result.reason) == ("not_measured", given.NO_MODEL)


def test_the_record_names_the_predictions_and_no_graph(tmp_path):
    """Whoever reads it cannot take it for the evaluation of a model."""
    made, said, record, _ = evaluated(tmp_path)
    assert record.onnx_sha256 is None
    assert record.predictions_sha256 == canonical.sha256(said)
    assert record.runtime == "none: predictions as given"
    assert record.uses[0].digests_sha256 == made.split.parts["test"].digests.sha256


@pytest.mark.parametrize(("task", "metric"), [("multiclass", "performance.f1"), ("regression", "performance.rmse")])
def test_several_classes_and_numbers_too(tmp_path, task, metric):
    """The other tasks have their own metrics, fairness by group included."""
    _, _, record, _ = evaluated(tmp_path, task=task)
    found = {r.check_id: r for r in record.results}
    assert found[metric].measures[0].interval is not None
    gap = "fairness.error_difference" if task == "regression" else "fairness.accuracy_difference"
    assert found[gap].measures[0].value is not None


def test_labels_without_probabilities(tmp_path):
    """What asks for probabilities is not measured and says so; what counts labels is."""
    from checks import performance

    _, _, record, _ = evaluated(tmp_path, probabilities=False)
    found = {r.check_id: r for r in record.results}
    assert found["performance.balanced_accuracy"].measures[0].value is not None
    for name in ("roc_auc", "pr_auc", "brier", "log_loss", "ece"):
        result = found[f"performance.{name}"]
        assert (result.status, result.reason) == ("not_measured", performance.NO_PROBABILITIES)


def test_constant_predictions_are_measured_and_never_pass_by_luck(tmp_path):
    """Every row gets one label with one probability: values stand, no interval of no width is invented."""
    gates = [{"check": "performance.roc_auc", "at_least": 0.4}, {"check": "performance.accuracy", "at_least": 0.9}]
    gates.append({"check": "fairness.demographic_parity_difference", "slice": "sex", "at_most": 0.5})
    constant = lambda labels, shares: (np.ones_like(labels), np.full_like(shares, 0.5))  # noqa: E731
    _, _, record, (y, *_) = evaluated(tmp_path, gates=gates, spoil=constant)
    found = {r.check_id: r for r in record.results}
    assert found["performance.accuracy"].measures[0].value == pytest.approx(np.mean(y == 1))
    assert found["performance.accuracy"].status == "fail"
    assert found["performance.roc_auc"].measures[0].value == 0.5
    assert found["performance.roc_auc"].status == "inconclusive"
    assert found["fairness.demographic_parity_difference"].measures[0].value == 0.0
    assert found["fairness.demographic_parity_difference"].measures[0].interval.high > 0


def test_a_rate_that_is_undefined_for_a_group_is_told_and_never_passes(tmp_path):
    """A group without a positive row has no true positive rate; the group is named and the gate stays open."""
    from checks import _subject, fairness, given, intervals, scoring
    from checks._parts import Parts

    made, _, _, (_, labels, shares, _) = evaluated(
        tmp_path, gates=[{"check": "fairness.equal_opportunity_difference", "slice": "sex", "at_most": 1.0}]
    )
    part = arrays.load(made.folder, made.encoded, "test")
    women = part.groups["sex"].codes == 0
    part = dataclasses.replace(part, y=np.where(women, 0, part.y))
    scorer = given.NoModel("binary")
    subject = _subject.Subject(
        made.plan, made.encoded, part, scorer, scoring.Scores(labels, shares), intervals.Sampling(replicates=100),
        Parts(made.folder, made.encoded, scorer),
    )  # fmt: skip
    from checks import gate

    by_id = {r.check_id: r for r in gate.apply(made.plan, fairness.measure(subject))}
    result = by_id["fairness.equal_opportunity_difference"]
    assert result.status in ("inconclusive", "not_measured")
    group = next(m for m in result.measures if m.slice == "sex=female")
    assert group.value is None
    assert "no test row" in (group.note or "")
    assert "sex=female" in result.details["small_groups"]


def test_a_statement_about_the_rows_is_listed_and_tested_by_nobody():
    """Without it the leakage audit leaves the outcome open; with it, it is told as the provider's word."""
    from checks import gate, given
    from configs.plan import Plan
    from tests.flows import prediction_plans

    stated = Plan.model_validate(prediction_plans.plan())
    silent = stated.model_copy(
        update={"predictions": stated.predictions.model_copy(update={"unseen": None}), "policy": stated.policy}
    )
    for plan, required in ((stated, False), (silent, True)):
        found = given.leakage(plan)
        decision = gate.decide(plan, [found, given.parity()])
        reasons = {r.check_id: r for r in decision.reasons}
        assert found.status == "not_measured"
        assert reasons["data.leakage"].required is required
        assert reasons["export.parity"].status == "not_applicable"
    assert "stated by the provider, not tested" in given.leakage(stated).reason
    assert "predictions.unseen states nothing" in given.leakage(silent).reason
