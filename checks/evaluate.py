"""The whole evaluation on the graph that ships: every check of the catalogue, then the policy on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from checks import evasion, explanation, fairness, gate, intervals, performance, robustness, scoring
from checks._parts import Parts
from checks._subject import Subject
from checks.source import Source
from configs import errors
from configs.plan import Plan
from evidence import arrays, canonical, clock, records
from evidence.folder import RunFolder

FAMILIES: tuple[Callable[[Subject], tuple[records.CheckResult, ...]], ...] = (
    performance.measure,
    fairness.measure,
    robustness.measure,
    evasion.measure,
    explanation.measure,
)
"""What is measured, in the order of the catalogue."""


def evaluate(
    folder: RunFolder,
    plan: Plan,
    commitment: records.Commitment,
    split: records.SplitManifest,
    encoded: records.EncodedData,
    model: records.ModelRef,
    *,
    source: Source | None = None,
) -> records.EvaluationRecord:
    """Measure the ONNX graph on the test part and lay the policy on the results.

    The caller has checked the commitment. Probabilities, labels or predictions of the test rows are written under
    `evaluation/`, in the row order of the encoded test part.

    Args:
        folder: The run folder.
        plan: The plan whose policy applies.
        commitment: What was fixed before; its digest and time go into the record.
        split: The split; its test part must be the rows that are evaluated.
        encoded: The data as tensors.
        model: The exported model.
        source: The source model; checks that need a part of it that is absent are not measured.

    Raises:
        IntegrityError: The model or an array was altered, or the test rows are not those of the split.
        VerificationError: The graph breaks the model contract.
    """
    started = clock.now()
    part = arrays.load(folder, encoded, "test")
    _require_split(part, split)
    scorer = scoring.open_model(folder.checked(model.onnx), encoded)
    scores = scorer(part.x)
    parts = Parts(folder, encoded, scorer)
    policy = plan.policy
    subject = Subject(
        plan=plan,
        encoded=encoded,
        part=part,
        scorer=scorer,
        scores=scores,
        sampling=intervals.Sampling(policy.confidence, policy.replicates, policy.seed, part.entities),
        parts=parts,
        source=source or Source(),
        artifacts=_written(folder, scores),
    )
    results = measure(subject)
    return records.EvaluationRecord(
        onnx_sha256=model.onnx.sha256,
        commitment_sha256=canonical.sha256(commitment),
        committed_at=commitment.at,
        started_at=started,
        finished_at=clock.now(),
        runtime=scorer.runtime,
        results=gate.apply(plan, results),
        uses=(part.use("evaluation"), *parts.uses("evaluation")),
    )


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every check of the catalogue on one model, in the catalogue's order, before the policy is laid on it."""
    return tuple(result for family in FAMILIES for result in family(subject))


def _require_split(part: arrays.Part, split: records.SplitManifest) -> None:
    expected = split.parts["test"].digests.sha256
    if part.digests_sha256 != expected:
        raise errors.IntegrityError(
            f"encoded test part: expected the rows of the split ({expected[:12]}…), got {part.digests_sha256[:12]}…. "
            "Encode the data again from this split."
        )


def _written(folder: RunFolder, scores: scoring.Scores) -> tuple[records.ArtifactRef, ...]:
    found = {
        "probabilities": None if scores.probabilities is None else scores.probabilities.astype(np.float32),
        "labels": scores.labels,
        "predictions": None if scores.predictions is None else scores.predictions.astype(np.float32),
    }
    return tuple(
        arrays.save(folder, f"evaluation/{name}.npy", values) for name, values in found.items() if values is not None
    )
