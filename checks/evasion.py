"""Evasion: a projected-gradient attack on the inputs, every adversarial example confirmed on the graph that ships.

The gradient comes from outside (the source model); what it leads to counts only if the graph is fooled by it. A change
is at most epsilon training standard deviations per feature (Linf). Immutable and categorical features stay as they are,
integers stay integers inside the budget, values stay within the training range (a value that was outside already may
stay where it is), missing cells stay missing. Refs: Madry et al. 2018.
"""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import numpy.typing as npt

from checks import _degradation, scoring
from checks._subject import Subject, measured, not_applicable, not_measured
from checks.source import Gradient
from configs import errors
from configs.robustness import Attack
from evidence import arrays, records

Floats = npt.NDArray[np.float64]

CHECK = "robustness.evasion"
MISLABELLED = 2.0
"""Damage of a wrong label; from here on a row of a classifier needs no further step."""
FRACTIONS = (0.25, 0.5, 1.0)
"""Parts of epsilon at which the curve is measured; the headline is the last."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """Where each input may go: `low` and `high` (n, features), `integer` (features,), `free` (n, features)."""

    low: Floats
    high: Floats
    integer: npt.NDArray[np.bool_]
    free: npt.NDArray[np.bool_]

    def take(self, rows: npt.NDArray[np.intp]) -> Budget:
        """The same for some rows."""
        return Budget(self.low[rows], self.high[rows], self.integer, self.free[rows])

    def project(self, x: Floats, original: Floats) -> Floats:
        """The nearest admissible inputs; fixed and missing cells are those of `original`."""
        inside = np.clip(x, self.low, self.high)
        return np.where(self.free, inside, original)

    def finish(self, x: Floats, original: Floats) -> npt.NDArray[np.float32]:
        """Inputs as they are fed: integers rounded, then pulled back to the whole numbers inside the budget."""
        whole = np.clip(np.round(x), np.ceil(self.low), np.floor(self.high))
        fed = np.where(self.integer & (np.ceil(self.low) <= np.floor(self.high)), whole, x)
        fed = np.where(self.integer & (np.ceil(self.low) > np.floor(self.high)), original, fed)
        return np.where(self.free, fed, original).astype(np.float32)


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Performance under attack on at most `attack.rows` test rows."""
    if not _attackable(subject.encoded.features).any():
        return (not_applicable(CHECK, "every feature is categorical or immutable: there is nothing to attack"),)
    gradient = subject.source.gradient
    if gradient is None:
        return (not_measured(CHECK, "the source model gives no gradient"),)
    attack = subject.plan.policy.robustness.attack
    rows = chosen_rows(subject.part, attack.rows, subject.sampling.seed)
    return (_under_attack(subject, gradient, attack, rows),)


def chosen_rows(part: arrays.Part, most: int, seed: int) -> npt.NDArray[np.intp]:
    """Indices of the attacked rows, ascending: those with the smallest seeded hash of their digest."""
    if part.rows <= most:
        return np.arange(part.rows)
    keys = np.array([hashlib.sha256(f"{seed}:".encode() + digest).digest() for digest in part.row_digests.tolist()])
    return np.sort(np.argsort(keys, kind="stable")[:most])


def budget(features: tuple[records.FeatureSpec, ...], x: Floats, epsilon: float) -> Budget:
    """The admissible inputs around x (n, features) for a change of epsilon training standard deviations."""
    reach = epsilon * np.array([f.std or 0.0 for f in features])
    floor = np.array([-np.inf if f.minimum is None else f.minimum for f in features])
    ceiling = np.array([np.inf if f.maximum is None else f.maximum for f in features])
    return Budget(
        low=np.maximum(x - reach, np.minimum(floor, x)),
        high=np.minimum(x + reach, np.maximum(ceiling, x)),
        integer=np.array([f.integer for f in features]),
        free=_attackable(features) & np.isfinite(x),
    )


def attack_rows(
    scorer: scoring.Scorer,
    gradient: Gradient,
    features: tuple[records.FeatureSpec, ...],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.generic],
    best: npt.NDArray[np.float32],
    settings: Attack,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """The most damaging inputs found around x, (n, features), never less damaging than `best`.

    A row of a classifier is left alone once its label is wrong.

    Args:
        scorer: The graph.
        gradient: Of the loss of the source model.
        features: Their units and limits.
        x: (n, features) the rows as they are.
        y: (n,) what is true.
        best: (n, features) admissible inputs to start the comparison from, x itself for instance.
        settings: Epsilon, steps, restarts. The first start is x, every further one is random.
        rng: For the random starts.
    """
    original = x.astype(np.float64)
    limits = budget(features, original, settings.epsilon)
    stride = 2.5 * settings.epsilon / settings.steps * np.array([f.std or 0.0 for f in features])
    best, worst = best.copy(), damage(scorer(best), y)
    wrong = MISLABELLED if scorer.classifies else np.inf
    for restart in range(settings.restarts):
        at = original.copy() if restart == 0 else limits.project(_random(limits, rng), original)
        for _ in range(settings.steps):
            left = np.flatnonzero(worst < wrong)
            if len(left) == 0:
                break
            near, start = limits.take(left), original[left]
            slope = _checked(gradient(at[left].astype(np.float32), y[left]), start.shape)
            at[left] = near.project(at[left] + stride * np.sign(slope), start)
            fed = near.finish(at[left], start)
            found = damage(scorer(fed), y[left])
            better = found > worst[left]
            best[left[better]], worst[left[better]] = fed[better], found[better]
    return best


def damage(scores: scoring.Scores, y: npt.NDArray[np.generic]) -> Floats:
    """How wrong each row is (n,): 2 for a wrong label plus the lost probability, or the absolute error."""
    if scores.labels is None or scores.probabilities is None:
        if scores.predictions is None:
            raise TypeError("scores hold labels or predictions")
        return np.abs(scores.predictions - y.astype(np.float64))
    truth = y.astype(np.int64)
    return MISLABELLED * (scores.labels != truth) + 1.0 - scores.probabilities[np.arange(len(truth)), truth]


def _under_attack(
    subject: Subject, gradient: Gradient, attack: Attack, rows: npt.NDArray[np.intp]
) -> records.CheckResult:
    x, y = subject.part.x[rows], subject.part.y[rows]
    clean = _degradation.level(subject, subject.scorer(x), CHECK, rows)
    rng = subject.sampling.rng(CHECK)
    best, curve, found = x.copy(), [clean.point(0.0)], clean
    for fraction in FRACTIONS:
        settings = attack.model_copy(update={"epsilon": attack.epsilon * fraction})
        best = attack_rows(subject.scorer, gradient, subject.encoded.features, x, y, best, settings, rng)
        found = _degradation.level(subject, subject.scorer(best), CHECK, rows)
        curve.append(found.point(settings.epsilon))
    note = (
        f"projected gradient, Linf {attack.epsilon:g} training standard deviations, {attack.steps} steps, "
        f"{attack.restarts} start{'s' if attack.restarts > 1 else ''}, confirmed on the ONNX graph"
    )
    details: dict[str, object] = {
        "x": "largest change of a feature (training standard deviations)",
        "metric": _degradation.names(subject.task)[0],
        "curve": curve,
        "clean": curve[0]["value"],
        "attacked_rows": len(rows),
        "changed_rows": int(((best != x) & np.isfinite(x)).any(axis=1).sum()),
        "attacked_features": [
            f.name
            for f, attacked in zip(subject.encoded.features, _attackable(subject.encoded.features), strict=True)
            if attacked
        ],
    }
    attacked = _degradation.measures(subject, CHECK, found, len(rows), note)
    unaltered = _degradation.clean(subject, CHECK, clean, len(rows))
    return measured(CHECK, (*attacked, unaltered), details, subject.artifacts)


def _attackable(features: tuple[records.FeatureSpec, ...]) -> npt.NDArray[np.bool_]:
    return np.array([f.kind == "numeric" and not f.immutable for f in features])


def _random(limits: Budget, rng: np.random.Generator) -> Floats:
    share = rng.random(limits.low.shape)
    width = np.where(limits.free, limits.high - limits.low, 0.0)
    return np.where(limits.free, limits.low, 0.0) + share * width


def _checked(slope: npt.NDArray[np.floating], shape: tuple[int, ...]) -> Floats:
    if slope.shape != shape:
        raise errors.VerificationError(
            f"gradient of the source model: expected shape {shape}, got {slope.shape}. "
            "Check the module that `model.factory` builds."
        )
    return np.nan_to_num(slope.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0)
