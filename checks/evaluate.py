"""The whole evaluation on the graph that ships: every check of the catalogue, then the policy on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from checks import (
    catalogue,
    certification,
    deployment,
    evasion,
    explanation,
    fairness,
    gate,
    intervals,
    mitigation,
    performance,
    robustness,
    scoring,
    security,
    shift,
    variants,
    worst_slice,
)
from checks._parts import Parts
from checks._subject import Subject, not_measured
from checks.source import Source
from configs import errors
from configs.plan import Plan
from evidence import arrays, canonical, clock, records
from evidence.folder import RunFolder

Progress = Callable[[str, int, int], None]
"""Name of a family of checks, how many came before it, and how many there are."""

FAMILIES: tuple[Callable[[Subject], tuple[records.CheckResult, ...]], ...] = (
    performance.measure,
    fairness.measure,
    mitigation.measure,
    robustness.measure,
    shift.measure,
    deployment.measure,
    worst_slice.measure,
    evasion.measure,
    certification.measure,
    security.measure,
    explanation.measure,
)
"""What is measured, in the order of the catalogue."""
MEASURED_ELSEWHERE = ("data", "export", "language")
"""Families that other stages measure, or that models on tables have none of."""


def evaluate(
    folder: RunFolder,
    plan: Plan,
    commitment: records.Commitment,
    split: records.SplitManifest,
    encoded: records.EncodedData,
    model: records.ModelRef,
    *,
    source: Source | None = None,
    progress: Progress | None = None,
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
        progress: Told of each family of checks before it is measured.

    Raises:
        IntegrityError: The model or an array was altered, or the test rows are not those of the split.
        VerificationError: The graph breaks the model contract.
    """
    started = clock.now()
    part = arrays.load(folder, encoded, "test")
    require_split(part, split)
    graph = folder.checked(model.onnx)
    scorer = scoring.open_model(graph, encoded)
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
        references={
            name: scoring.open_model(folder.checked(other), encoded)(part.x)
            for name, other in model.comparisons.items()
        },
        artifacts=_written(folder, scores),
        folder=folder,
        graph=graph,
    )
    results = measure(subject, progress)
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


def measure(subject: Subject, progress: Progress | None = None) -> tuple[records.CheckResult, ...]:
    """Every check of the catalogue on one model, in the catalogue's order, before the policy is laid on it.

    Where the graph gives no usable output for altered inputs, the checks of that family are not measured and say so;
    what the others measured stays.
    """
    found: dict[str, records.CheckResult] = {}
    broken: list[str] = []
    for index, family in enumerate(FAMILIES):
        if progress is not None:
            progress(family.__module__.rpartition(".")[2].replace("_", " "), index, len(FAMILIES))
        try:
            found |= {result.check_id: result for result in variants.measure(subject, family)}
        except errors.VerificationError as error:
            broken.append(str(error))
    if not broken:
        return certification.consistent(tuple(found.values()))
    expected = [m.id for m in catalogue.METRICS.values() if m.family not in MEASURED_ELSEWHERE]
    return tuple(found.get(name) or not_measured(name, "; ".join(broken)) for name in expected)


def require_split(part: arrays.Part, split: records.SplitManifest) -> None:
    """Refuse rows that are not those of the split's test part.

    Raises:
        IntegrityError: They are others.
    """
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
