"""What is proven of the graph: rows whose label no admissible change can change, and the plan's declared properties.

`robustness.certified` takes the rows, the budgets and the epsilons of the evasion attack. Each row ends as certified,
falsified (an admissible input with another label, confirmed on the graph), unknown, or wrong from the start. The order
clean ≥ attacked ≥ certified is an invariant: a proof is tried against the graph before it is believed, and a result
that breaks the order is withdrawn together with the one it contradicts (`consistent`).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks import _degradation, evasion, scoring
from checks._chosen import chosen
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.certified import _threads, declared, graph, outputs
from checks.certified import rows as certified_rows
from checks.certified.graph import UnsupportedError
from checks.certified.rows import Box, Proofs, Question
from configs.certification import Certification
from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

CHECK = "robustness.certified"
TRIALS = 8
"""Corners of its box at which each proof is tried on the graph."""
TOLERANCE = 1e-9
DEFECT = "a proof and the graph contradict each other: a defect of the certifier, please report it"


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Certified rows, and declared properties."""
    return (certified(subject), declared.measure(subject))


def certified(subject: Subject) -> records.CheckResult:
    """The share of the attacked rows that are right and proven to stay so; for regression the certified R²."""
    attack = subject.plan.policy.robustness.attack
    rows = chosen(subject.part, attack.rows, subject.sampling.seed)
    x = subject.part.x[rows]
    if not _budget(subject, x, 1.0).free.any():
        return not_applicable(CHECK, "no feature can change: there is nothing to prove")
    if subject.graph is None:
        return not_measured(CHECK, "the file of the graph is not at hand")
    network = graph.read(subject.graph)
    try:
        with _threads.one():
            if subject.task == "regression":
                return _regression(subject, network, rows)
            return _classification(subject, network, rows)
    except UnsupportedError as error:
        return not_measured(CHECK, f"unknown: {error}")


def consistent(results: Sequence[records.CheckResult]) -> tuple[records.CheckResult, ...]:
    """The results, without those that break clean ≥ attacked ≥ certified: neither can then be believed."""
    proof = next((r for r in results if r.check_id == CHECK and r.measures), None)
    attacked = next((r for r in results if r.check_id == evasion.CHECK and r.measures), None)
    if proof is None or attacked is None or proof.measures[0].n != attacked.measures[0].n:
        return tuple(results)
    values = {p["severity"]: p["value"] for p in attacked.details.get("curve", [])}
    pairs = [(values.get(p["severity"]), p["value"]) for p in proof.details["levels"]]
    broken = any(a is not None and c is not None and c > a + TOLERANCE for a, c in pairs)
    if not broken:
        return tuple(results)
    withdrawn = (CHECK, evasion.CHECK)
    return tuple(not_measured(r.check_id, DEFECT) if r.check_id in withdrawn else r for r in results)


def _classification(subject: Subject, network: graph.Graph, rows: npt.NDArray[np.intp]) -> records.CheckResult:
    x, y = subject.part.x[rows], subject.part.y[rows].astype(np.int64)
    scores = subject.scorer(x)
    question = Question(network, x, _labels(scores), lambda fed: _labels(subject.scorer(fed)))
    right = question.labels == y
    settings = subject.plan.policy.robustness.certified
    boxes = [_box(subject, x, share) for share in evasion.SHARES]
    fooled = [right & ~kept for kept in evasion.worst_rows(subject).right]
    proofs = _proofs(question, boxes, right, fooled, settings)
    if _contradicted(subject, question, boxes, proofs):
        return not_measured(CHECK, DEFECT)
    levels = [_level(subject, right & p.proven, y, rows) for p in proofs]
    clean = _degradation.level(subject, scores, CHECK, rows)
    details: dict[str, object] = {
        "x": evasion.axis(subject),
        "metric": _degradation.names(subject.task)[0],
        "levels": [_counts(p, right) | found.point(p.epsilon) for p, found in zip(proofs, levels, strict=True)],
        "clean": clean.value,
        "rows": len(rows),
    }
    note = _note(subject, settings, proofs, right)
    found = _degradation.measures(subject, CHECK, levels[-1], len(rows), note)
    return measured(CHECK, (*found, _degradation.clean(subject, CHECK, clean, len(rows))), details, subject.artifacts)


def _proofs(
    question: Question, boxes: Sequence[Box], right: Bools, fooled: Sequence[Bools], settings: Certification
) -> list[Proofs]:
    """Every row is bounded as a whole first, at each epsilon; what time is left goes into splitting.

    Rows that the attack fooled are falsified already. A proof for one of them would contradict the graph.
    """
    deadline = time.monotonic() + settings.seconds
    first = [certified_rows.prove(question, box, ~right, 1, deadline) for box in boxes]
    proofs = certified_rows.nested(
        [dataclasses.replace(p, falsified=p.falsified | f) for p, f in zip(first, fooled, strict=True)]
    )
    for i, box in enumerate(boxes if settings.boxes > 1 else ()):
        known = ~right | proofs[i].proven | proofs[i].falsified
        more = certified_rows.prove(question, box, known, settings.boxes, deadline)
        proofs = certified_rows.nested([*proofs[:i], proofs[i].joined(more), *proofs[i + 1 :]])
    return proofs


def _contradicted(subject: Subject, question: Question, boxes: Sequence[Box], proofs: Sequence[Proofs]) -> bool:
    gradient = subject.source.gradient
    slope = None if gradient is None else np.nan_to_num(gradient(question.x, question.labels).astype(np.float64))
    if slope is not None and slope.shape != question.x.shape:
        slope = None  # a broken gradient is the attack's to report; the corners still are tried
    rng = subject.sampling.rng(CHECK)
    return any(
        certified_rows.contradicted(question, box, one, slope, rng, TRIALS)
        for box, one in zip(boxes, proofs, strict=True)
    )


def _budget(subject: Subject, x: Inputs, share: float) -> evasion.Budget:
    """What the attack may change, at a share of every budget."""
    scaled = subject.plan.policy.robustness.attack.scaled(share)
    return evasion.budget(subject.encoded.features, x.astype(np.float64), scaled.epsilon, scaled.budget)


def _box(subject: Subject, x: Inputs, share: float) -> Box:
    """Float32 boxes (n, features) that hold everything the attack may feed."""
    found = _budget(subject, x, share)
    return Box(share * evasion.scale(subject), *outputs.outward(found.low, found.high))


def _labels(scores: scoring.Scores) -> npt.NDArray[np.int64]:
    if scores.labels is None:
        raise TypeError("a classifier gives labels")
    return scores.labels


def _counts(proofs: Proofs, right: Bools) -> dict[str, float | None]:
    """How many rows ended how."""
    return {
        "certified": int((right & proofs.proven).sum()),
        "by_solver": int((right & proofs.solved).sum()),
        "falsified": int((right & proofs.falsified).sum()),
        "unknown": int((right & ~proofs.proven & ~proofs.falsified).sum()),
        "wrong": int((~right).sum()),
    }


def _level(subject: Subject, kept: Bools, y: npt.NDArray[np.int64], rows: npt.NDArray[np.intp]) -> _degradation.Level:
    """Accuracy when every row that is not certified counts as wrong."""
    worst = np.where(kept, y, (y + 1) % subject.classes)
    return _degradation.level(subject, scoring.Scores(labels=worst), CHECK, rows)


def _regression(subject: Subject, network: graph.Graph, rows: npt.NDArray[np.intp]) -> records.CheckResult:
    x, y = subject.part.x[rows], subject.part.y[rows].astype(np.float64)
    clean = _degradation.level(subject, subject.scorer(x), CHECK, rows)
    seconds = subject.plan.policy.robustness.certified.seconds
    deadline = time.monotonic() + seconds
    levels, curve, changes = [], [], []
    found = clean
    for share in reversed(evasion.SHARES):
        box = _box(subject, x, share)
        low, high = outputs.bounds(network, "prediction", x, box.low, box.high, deadline)
        if not np.isfinite(low).all() or not np.isfinite(high).all():
            without = int((~np.isfinite(low) | ~np.isfinite(high)).sum())
            return not_measured(CHECK, f"unknown: no bound within {seconds:g} s for {without} of {len(rows)} rows")
        if _outside(subject, x, low, high):
            return not_measured(CHECK, DEFECT)
        worst = np.where(np.abs(low - y) > np.abs(high - y), low, high)
        found = _degradation.level(subject, scoring.Scores(predictions=worst), CHECK, rows)
        changes.append(float((high - low).max()))
        levels.append(found)
        curve.append({**found.point(box.epsilon), "largest_change": changes[-1]})
    note = (
        f"bounds of every prediction, {evasion.within(subject)}, by linear relaxation; the largest error that they "
        "allow each row"
    )
    details: dict[str, object] = {
        "x": evasion.axis(subject),
        "metric": _degradation.names(subject.task)[0],
        "levels": curve[::-1],
        "clean": clean.value if np.isfinite(clean.value) else None,
        "rows": len(rows),
    }
    spread = records.Measure(
        name=f"{CHECK}.largest_change",
        value=changes[0],
        unit=subject.encoded.target_unit or "unit of the target",
        n=len(rows),
        split="test",
        note="the widest proven interval of a prediction",
    )
    made = _degradation.measures(subject, CHECK, levels[0], len(rows), note)
    return measured(
        CHECK, (*made, spread, _degradation.clean(subject, CHECK, clean, len(rows))), details, subject.artifacts
    )


def _outside(subject: Subject, x: Inputs, low: Floats, high: Floats) -> bool:
    predictions = subject.scorer(x).predictions
    return predictions is None or bool(((predictions < low) | (predictions > high)).any())


def _note(subject: Subject, settings: Certification, proofs: Sequence[Proofs], right: Bools) -> str:
    counts = _counts(proofs[-1], right)
    split = f"at most {settings.boxes} parts a row" if settings.boxes > 1 else "without splitting"
    ended = f"; the time of {settings.seconds:g} s was used up" if any(p.exhausted for p in proofs) else ""
    solver = f" ({counts['by_solver']} by the exact solver)" if counts["by_solver"] else ""
    return (
        f"{evasion.within(subject)}, by linear relaxation and {split}: of {len(right):,} rows {counts['certified']} "
        f"certified{solver}, {counts['falsified']} falsified on the graph, {counts['unknown']} unknown, "
        f"{counts['wrong']} wrong from the start{ended}"
    )
