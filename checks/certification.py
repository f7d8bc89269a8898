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
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.certified import branch, declared, graph, head, outputs
from checks.certified.graph import UnsupportedError
from checks.certified.lowering import Lowering
from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

CHECK = "robustness.certified"
TRIALS = 8
"""Corners of its box at which each proof is tried on the graph."""
TOLERANCE = 1e-9
DEFECT = "a proof and the graph contradict each other: a defect of the certifier, please report it"


@dataclasses.dataclass(frozen=True)
class Proofs:
    """What was proven of each row at one epsilon; each array is (rows,)."""

    epsilon: float
    proven: Bools
    falsified: Bools
    boxes: npt.NDArray[np.int64]
    exhausted: bool
    contradicted: bool

    def point(self, right: Bools) -> dict[str, float]:
        """For `details`: how many rows ended how."""
        unknown = right & ~self.proven & ~self.falsified
        return {
            "severity": self.epsilon,
            "certified": int((right & self.proven).sum()),
            "falsified": int((right & self.falsified).sum()),
            "unknown": int(unknown.sum()),
            "wrong": int((~right).sum()),
        }


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Certified rows, and declared properties."""
    return (certified(subject), declared.measure(subject))


def certified(subject: Subject) -> records.CheckResult:
    """The share of the attacked rows that are right and proven to stay so; for regression the certified R²."""
    attack = subject.plan.policy.robustness.attack
    rows = evasion.chosen_rows(subject.part, attack.rows, subject.sampling.seed)
    x = subject.part.x[rows]
    if not evasion.budget(subject.encoded.features, x.astype(np.float64), attack.epsilon).free.any():
        return not_applicable(CHECK, "every feature is categorical, immutable or missing: there is nothing to change")
    if subject.graph is None:
        return not_measured(CHECK, "the file of the graph is not at hand")
    network = graph.read(subject.graph)
    epsilons = [attack.epsilon * fraction for fraction in evasion.FRACTIONS]
    try:
        if subject.task == "regression":
            return _regression(subject, network, epsilons, rows)
        return _classification(subject, network, epsilons, rows)
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


def _classification(
    subject: Subject, network: graph.Graph, epsilons: Sequence[float], rows: npt.NDArray[np.intp]
) -> records.CheckResult:
    x, y = subject.part.x[rows], subject.part.y[rows].astype(np.int64)
    scores = subject.scorer(x)
    if scores.labels is None:
        raise TypeError("a classifier gives labels")
    right = scores.labels == y
    settings = subject.plan.policy.robustness.certified
    deadline = time.monotonic() + settings.seconds
    boxes = [_box(subject, x, epsilon) for epsilon in epsilons]
    done = ~right
    # Every row is looked at as a whole first, at each epsilon; what time is left goes into splitting.
    tasks = list(zip(epsilons, boxes, strict=True))
    proofs = _nested([_proofs(subject, network, x, scores, task, done, 1, deadline) for task in tasks])
    for i in reversed(range(len(tasks) if settings.boxes > 1 else 0)):
        known = done | proofs[i].proven | proofs[i].falsified
        more = _proofs(subject, network, x, scores, tasks[i], known, settings.boxes, deadline)
        proofs = _nested([_joined(p, more) if p.epsilon == more.epsilon else p for p in proofs])
    if any(p.contradicted for p in proofs):
        return not_measured(CHECK, DEFECT)
    levels = [_level(subject, right & p.proven, y, rows) for p in proofs]
    clean = _degradation.level(subject, scores, CHECK, rows)
    note = _note(settings.boxes, settings.seconds, proofs, right)
    details: dict[str, object] = {
        "x": "largest change of a feature (training standard deviations)",
        "metric": _degradation.names(subject.task)[0],
        "levels": [{**p.point(right), **found.point(p.epsilon)} for p, found in zip(proofs, levels, strict=True)],
        "clean": clean.value,
        "rows": len(rows),
    }
    found = _degradation.measures(subject, CHECK, levels[-1], len(rows), note)
    return measured(CHECK, (*found, _degradation.clean(subject, CHECK, clean, len(rows))), details, subject.artifacts)


def _box(subject: Subject, x: Inputs, epsilon: float) -> tuple[Floats, Floats]:
    """The admissible inputs as float32 boxes (n, features) that hold everything the attack may feed."""
    exact = x.astype(np.float64)
    budget = evasion.budget(subject.encoded.features, exact, epsilon)
    low, high = (np.where(budget.free, side, exact) for side in (budget.low, budget.high))
    # An attack on whole numbers stays between the whole numbers inside the budget, or leaves the value as it is.
    whole = budget.integer & budget.free
    low = np.where(whole, np.minimum(np.ceil(low), exact), np.minimum(low, exact))
    high = np.where(whole, np.maximum(np.floor(high), exact), np.maximum(high, exact))
    return outputs.outward(low, high)


def _proofs(
    subject: Subject,
    network: graph.Graph,
    x: Inputs,
    scores: scoring.Scores,
    task: tuple[float, tuple[Floats, Floats]],
    done: Bools,
    boxes: int,
    deadline: float,
) -> Proofs:
    if scores.labels is None:
        raise TypeError("a classifier gives labels")
    labels, (epsilon, (low, high)) = scores.labels, task
    lowering = Lowering(network, x, low, high)
    made = head.label(lowering, "label")
    program = lowering.program(lowering.moving(made.scores.name))
    goal = head.keeps_label(made, program.width(program.last), labels)

    def confirm(given: Floats, row: int) -> bool:
        fed = np.where(low[row] < high[row], given, x[row].astype(np.float64)).astype(np.float32)
        other = subject.scorer(fed[None]).labels
        return other is not None and bool(other[0] != labels[row])

    if boxes == 1:
        found = branch.search(program, goal, boxes=1, deadline=deadline, done=done)
    else:
        found = branch.search(program, goal, boxes=boxes, deadline=deadline, done=done, confirm=confirm)
    falsified = np.zeros(len(x), np.bool_)
    falsified[list(found.found)] = True
    contradicted = _contradicted(subject, x, labels, low, high, found.proven)
    return Proofs(epsilon, found.proven, falsified, found.boxes, found.exhausted, contradicted)


def _contradicted(
    subject: Subject, x: Inputs, labels: npt.NDArray[np.int64], low: Floats, high: Floats, proven: Bools
) -> bool:
    """Does the graph give another label at a random corner, or where the gradient points, of a proven box?"""
    at = np.flatnonzero(proven)
    if len(at) == 0:
        return False
    rng, moving = subject.sampling.rng(CHECK), low < high
    tried = [np.where(rng.random((len(at), x.shape[1])) < 0.5, low[at], high[at]) for _ in range(TRIALS)]
    if subject.source.gradient is not None:
        slope = subject.source.gradient(x[at], labels[at])
        tried.append(np.where(slope > 0, high[at], low[at]))
    for corner in tried:
        fed = np.where(moving[at], corner, x[at]).astype(np.float32)
        found = subject.scorer(fed).labels
        if found is None or (found != labels[at]).any():
            return True
    return False


def _joined(first: Proofs, more: Proofs) -> Proofs:
    return Proofs(
        first.epsilon,
        first.proven | more.proven,
        first.falsified | more.falsified,
        first.boxes + more.boxes,
        first.exhausted or more.exhausted,
        first.contradicted or more.contradicted,
    )


def _nested(proofs: Sequence[Proofs]) -> list[Proofs]:
    """What is proven for an epsilon holds for smaller ones; what is falsified for it is so for larger ones."""
    made = []
    for i, one in enumerate(proofs):
        proven = np.any([p.proven for p in proofs[i:]], axis=0)
        falsified = np.any([p.falsified for p in proofs[: i + 1]], axis=0)
        both = bool((proven & falsified).any())
        made.append(dataclasses.replace(one, proven=proven, falsified=falsified, contradicted=one.contradicted or both))
    return made


def _level(subject: Subject, kept: Bools, y: npt.NDArray[np.int64], rows: npt.NDArray[np.intp]) -> _degradation.Level:
    """Accuracy when every row that is not certified counts as wrong."""
    worst = np.where(kept, y, (y + 1) % subject.classes)
    return _degradation.level(subject, scoring.Scores(labels=worst), CHECK, rows)


def _regression(
    subject: Subject, network: graph.Graph, epsilons: Sequence[float], rows: npt.NDArray[np.intp]
) -> records.CheckResult:
    x, y = subject.part.x[rows], subject.part.y[rows].astype(np.float64)
    clean = _degradation.level(subject, subject.scorer(x), CHECK, rows)
    levels, curve, changes = [], [], []
    found = clean
    for epsilon in reversed(epsilons):
        low, high = outputs.bounds(network, "prediction", x, *_box(subject, x, epsilon))
        if not np.isfinite(low).all() or not np.isfinite(high).all():
            without = int((~np.isfinite(low) | ~np.isfinite(high)).sum())
            return not_measured(CHECK, f"unknown: no bound could be proven for {without} of {len(rows)} rows")
        if _outside(subject, x, low, high):
            return not_measured(CHECK, DEFECT)
        worst = np.where(np.abs(low - y) > np.abs(high - y), low, high)
        found = _degradation.level(subject, scoring.Scores(predictions=worst), CHECK, rows)
        changes.append(float((high - low).max()))
        levels.append(found)
        curve.append({**found.point(epsilon), "largest_change": changes[-1]})
    note = (
        f"bounds of every prediction, Linf {epsilons[-1]:g} training standard deviations, by linear relaxation; the "
        "largest error that they allow each row"
    )
    details: dict[str, object] = {
        "x": "largest change of a feature (training standard deviations)",
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


def _note(boxes: int, seconds: float, proofs: Sequence[Proofs], right: Bools) -> str:
    last = proofs[-1]
    counts = last.point(right)
    split = f"at most {boxes} parts a row" if boxes > 1 else "without splitting"
    time_ = f"; the time of {seconds:g} s was used up" if any(p.exhausted for p in proofs) else ""
    return (
        f"Linf {last.epsilon:g} training standard deviations, by linear relaxation and {split}: of "
        f"{len(right)} rows {counts['certified']} certified, {counts['falsified']} falsified on the graph, "
        f"{counts['unknown']} unknown, {counts['wrong']} wrong from the start{time_}"
    )
