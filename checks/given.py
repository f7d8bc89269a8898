"""The evaluation of predictions that were given instead of a model: whatever follows from labels and scores alone.

What needs the model (faults, attacks, explanations) is `not_measured` and says so. The predictions are taken as they
were given: that a model made them, and that it had not seen the rows, is stated by the provider and tested by nobody.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks import catalogue, fairness, gate, intervals, performance, scoring, variants
from checks._parts import Parts
from checks._subject import Subject, not_applicable, not_measured, other_task
from checks.evaluate import MEASURED_ELSEWHERE, require_split
from configs.plan import Plan
from evidence import arrays, canonical, clock, records
from evidence.folder import RunFolder
from evidence.given import GivenPredictions

NO_MODEL = "the plan gives predictions, not a model"
FROM_SCORES: tuple[Callable[[Subject], tuple[records.CheckResult, ...]], ...] = (
    performance.measure,
    fairness.measure,
)
"""What asks the model nothing. Each must do with labels where no probabilities were given."""


class NoModel(scoring.Scorer):
    """Stands where the graph would be."""

    def __init__(self, task: str) -> None:
        self._outputs = ["prediction"] if task == "regression" else ["label", "probabilities"]

    @property
    def runtime(self) -> str:
        """What was run: nothing."""
        return "none: predictions as given"

    def __call__(self, x: npt.NDArray[np.float32]) -> scoring.Scores:
        """Never called by what stands in `FROM_SCORES`."""
        raise TypeError(NO_MODEL)


def evaluate(
    folder: RunFolder,
    plan: Plan,
    commitment: records.Commitment,
    split: records.SplitManifest,
    encoded: records.EncodedData,
    predictions: GivenPredictions,
) -> records.EvaluationRecord:
    """Measure the given predictions and lay the policy on the results.

    The caller has checked the commitment, which binds the predictions as well: they are columns of the split rows.

    Raises:
        IntegrityError: An array was altered, or the test rows are not those of the split.
    """
    started = clock.now()
    part = arrays.load(folder, encoded, "test")
    require_split(part, split)
    scorer, policy = NoModel(encoded.task), plan.policy
    named = (predictions.labels, predictions.probabilities, predictions.predictions)
    subject = Subject(
        plan=plan,
        encoded=encoded,
        part=part,
        scorer=scorer,
        scores=scoring.Scores(*(None if array is None else arrays.open_array(folder, array) for array in named)),
        sampling=intervals.Sampling(policy.confidence, policy.replicates, policy.seed, part.entities),
        parts=Parts(folder, encoded, scorer),
        artifacts=tuple(array for array in named if array is not None),
    )
    return records.EvaluationRecord(
        onnx_sha256=None,
        predictions_sha256=canonical.sha256(predictions),
        commitment_sha256=canonical.sha256(commitment),
        committed_at=commitment.at,
        started_at=started,
        finished_at=clock.now(),
        runtime=scorer.runtime,
        results=gate.apply(plan, measure(subject)),
        uses=(part.use("evaluation"),),
    )


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every check of the catalogue, in its order, before the policy is laid on it."""
    found = {result.check_id: result for family in FROM_SCORES for result in variants.measure(subject, family)}
    return tuple(
        found.get(metric.id) or _unanswered(metric, subject)
        for metric in catalogue.METRICS.values()
        if metric.family not in MEASURED_ELSEWHERE
    )


def parity() -> records.CheckResult:
    """No graph was exported, so there is nothing that it could differ from."""
    return records.CheckResult(
        check_id="export.parity",
        title=catalogue.METRICS["export.parity"].title,
        status="not_applicable",
        severity="critical",
        reason=NO_MODEL,
    )


def leakage(plan: Plan) -> records.CheckResult:
    """Whether the model has seen the test rows cannot be shown here; only a person can state it.

    With a statement in `predictions.unseen` the check is listed and leaves the decision to the rest; without one it
    leaves the outcome open.
    """
    stated = plan.predictions.unseen if plan.predictions else None
    said = f"stated by the provider, not tested: {stated}" if stated else "and predictions.unseen states nothing"
    return records.CheckResult(
        check_id="data.leakage",
        title=catalogue.METRICS["data.leakage"].title,
        status="not_measured",
        severity="info" if stated else "critical",
        reason=f"{NO_MODEL}: nobody can show here that it has not seen the test rows; {said}",
    )


def _unanswered(metric: catalogue.Metric, subject: Subject) -> records.CheckResult:
    if metric.id == "robustness.properties" and not subject.plan.policy.robustness.properties:
        return not_applicable(metric.id, "the plan declares no property")
    return not_measured(metric.id, NO_MODEL) if subject.task in metric.tasks else other_task(metric, subject.task)
