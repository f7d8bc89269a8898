"""Permutation importance on the graph: by how much the loss rises when one feature is shuffled between test rows.

The loss is the log loss of a classifier, and the squared error of a regressor over the variance of the target in these
rows, so that it is the fall of the coefficient of determination. The intervals of all features hold together
(Bonferroni), so that the ranking may be read off them. A feature that shares its information with others seems to
matter little, since they stay as they are: features that go together are named beside each other.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _permutation, intervals, scoring
from checks._chosen import chosen
from checks._classifier_scores import log_loss_rows
from checks._permutation import Importance
from checks._subject import Subject, measured, not_measured
from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]

CHECK = "explanation.permutation_importance"
BLOCK = 65_536
"""Rows given to the graph at once."""


@dataclasses.dataclass(frozen=True)
class _Rows:
    """The rows that are shuffled."""

    x: Inputs
    y: npt.NDArray[np.generic]
    loss: Floats
    right: Floats
    """1 where the label is right; zeros for regression."""
    variance: float
    """Of the target; 1 for a classifier."""
    sampling: intervals.Sampling


def measure(subject: Subject) -> records.CheckResult:
    """Importance of every feature."""
    settings = subject.plan.policy.explanation.importance
    rows = chosen(subject.part, settings.rows, subject.sampling.seed)
    x, y = subject.part.x[rows], subject.part.y[rows]
    variance = float(np.var(y.astype(np.float64))) if subject.task == "regression" else 1.0
    if len(rows) < 2:
        return not_measured(CHECK, f"shuffling needs two test rows at least, and there is {len(rows)}")
    if variance == 0:
        return not_measured(CHECK, "the target does not vary in the test part")
    scores = subject.scorer(x)
    given = _Rows(x, y, _loss(scores, y, variance), _right(scores, y), variance, subject.sampling.take(rows))
    found = [_of_feature(subject, given, j, settings.repeats) for j in range(x.shape[1])]
    return _result(subject, given, [f[0] for f in found], [f[1] for f in found])


def _of_feature(subject: Subject, given: _Rows, feature: int, repeats: int) -> tuple[Importance, Importance]:
    """Rise of the loss, and fall of the accuracy."""
    rng = subject.sampling.rng(f"{CHECK}.{feature}")
    donors = _permutation.shuffles(len(given.x), repeats, rng)
    rises, falls = np.empty(donors.shape), np.empty(donors.shape)
    each = max(1, BLOCK // len(given.x))
    for start in range(0, repeats, each):
        block = donors[start : start + each]
        x = np.tile(given.x, (len(block), 1))
        x[:, feature] = given.x[block.ravel(), feature]
        scores, y = subject.scorer(x), np.tile(given.y, len(block))
        rises[start : start + each] = _loss(scores, y, given.variance).reshape(block.shape) - given.loss
        falls[start : start + each] = given.right - _right(scores, y).reshape(block.shape)
    entities = given.sampling.entities
    return _permutation.importance(rises, donors, entities), _permutation.importance(falls, donors, entities)


def _loss(scores: scoring.Scores, y: npt.NDArray[np.generic], variance: float) -> Floats:
    if scores.probabilities is not None:
        return log_loss_rows(scores.probabilities, y.astype(np.int64))
    if scores.predictions is None:
        raise TypeError("scores hold probabilities or predictions")
    found: Floats = (scores.predictions - y.astype(np.float64)) ** 2 / variance
    return found


def _right(scores: scoring.Scores, y: npt.NDArray[np.generic]) -> Floats:
    if scores.labels is None:
        return np.zeros(len(y))
    found: Floats = (scores.labels == y.astype(np.int64)).astype(np.float64)
    return found


def _result(subject: Subject, given: _Rows, rises: list[Importance], falls: list[Importance]) -> records.CheckResult:
    level = subject.sampling.level
    together = 1 - (1 - level) / len(rises)
    ends = [_ends(r, together) for r in rises]
    order = sorted(range(len(rises)), key=lambda j: (-rises[j].value, j))
    features, first = subject.encoded.features, order[0]
    unit = "nat" if subject.task != "regression" else "1"
    headline = records.Measure(
        name=CHECK,
        value=rises[first].value,
        unit=unit,
        interval=_interval(subject, ends[first], len(rises)),
        n=len(given.x),
        split="test",
        note=f"largest: {features[first].name}",
    )
    alike = _alike(subject)
    protected = {p.column: p.name for p in subject.plan.data.protected}
    details: dict[str, object] = {
        "features": [
            {
                "feature": features[j].name,
                "value": rises[j].value,
                "low": ends[j][0] if np.isfinite(ends[j][0]) else None,
                "high": ends[j][1] if np.isfinite(ends[j][1]) else None,
                "error": rises[j].error if np.isfinite(rises[j].error) else None,
                **_accuracy(subject, falls[j], together),
                "protected": protected.get(features[j].name),
                "alike": alike.get(j, []),
            }
            for j in order
        ],
        "loss": "log loss" if subject.task != "regression" else "squared error over the variance of the target",
        "repeats": subject.plan.policy.explanation.importance.repeats,
    }
    return measured(CHECK, (headline,), details, subject.artifacts)


def _accuracy(subject: Subject, fall: Importance, level: float) -> dict[str, float | None]:
    """The fall of the accuracy with bounds, of a classifier."""
    if subject.task == "regression":
        return {}
    low, high = _ends(fall, level)
    finite = bool(np.isfinite([low, high]).all())
    return {
        "accuracy": fall.value,
        "accuracy_low": low if finite else None,
        "accuracy_high": high if finite else None,
    }


def _ends(found: Importance, level: float) -> tuple[float, float]:
    if not np.isfinite(found.error):
        return -np.inf, np.inf
    reach = float(special.stdtrit(found.units - 1, 0.5 + level / 2)) * found.error
    return found.value - reach, found.value + reach


def _interval(subject: Subject, ends: tuple[float, float], features: int) -> records.Interval | None:
    """None where nothing varies: an interval of no width would claim a certainty that nobody has."""
    if not np.isfinite(ends).all() or ends[0] == ends[1]:
        return None
    over = "" if subject.sampling.entities is None else " over entities"
    method = f"Student's t{over}, variance of rows as receivers and donors"
    method += f", simultaneous over {features} features (Bonferroni)" if features > 1 else ""
    return records.Interval(low=ends[0], high=ends[1], level=subject.sampling.level, method=method)


def _alike(subject: Subject) -> dict[int, list[str]]:
    """Numeric feature to those with which it goes together in training (rank correlation)."""
    train = subject.parts.part("train")
    specs = subject.encoded.features
    numeric = [j for j, f in enumerate(specs) if f.kind == "numeric"]
    if train is None or len(numeric) < 2 or train.rows < 3:
        return {}
    settings = subject.plan.policy.explanation.importance
    x = train.x[chosen(train, settings.rows, subject.sampling.seed)][:, numeric].astype(np.float64)
    ranks = np.stack(
        [rank(np.where(np.isfinite(c), c, specs[j].median or 0.0)) for j, c in zip(numeric, x.T, strict=True)]
    )
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    scaled = np.divide(centred, length[:, None], out=np.zeros_like(centred), where=length[:, None] > 0)
    strong = np.abs(scaled @ scaled.T) >= settings.correlation
    return {
        j: [specs[numeric[o]].name for o in np.flatnonzero(strong[i]) if o != i]
        for i, j in enumerate(numeric)
        if strong[i].sum() > 1
    }


def rank(values: Floats) -> Floats:
    """Ranks from 0 (rows,), equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    found: Floats = (last - (counts - 1) / 2)[inverse]
    return found
