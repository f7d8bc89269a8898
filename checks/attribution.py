"""Integrated gradients: what each numeric feature adds to a single output, from the training median to its value.

The gradient comes from the source model, and is added up along the straight line from the baseline to the row. The
baseline has the training median in every numeric feature; categories and missing cells stay those of the row, since
there is no line between two categories, so the attributions say nothing about them. What the features add together is
held against the output of the graph that ships, at the row less at the baseline (completeness): a gradient of another
model, or too few points on the line, would show there.

The output is the log odds of the positive class; with several classes, of the given label against the next class; a
regressor's prediction. Ref: Sundararajan et al., ICML 2017.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _integrated, intervals
from checks._chosen import chosen
from checks._subject import Subject, measured, not_applicable, not_measured, unit_of
from checks.catalogue import METRICS
from checks.importance import rank
from checks.source import LogitsVjp
from evidence import records

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]

GRADIENTS, COMPLETE, AGREEMENT = (
    "explanation.integrated_gradients",
    "explanation.completeness",
    "explanation.attribution_agreement",
)
CHECKS = (GRADIENTS, COMPLETE, AGREEMENT)


@dataclasses.dataclass(frozen=True)
class _Found:
    """Attributions of the chosen rows."""

    attributions: Floats
    """(rows, features); zero for categorical features."""
    change: Floats
    """(rows,) output at the row less output at the baseline, of the graph."""
    sampling: intervals.Sampling


def measure(subject: Subject, permutation: records.CheckResult) -> tuple[records.CheckResult, ...]:
    """Attributions, their completeness, and their agreement with the permutation importance.

    Args:
        subject: The model under test.
        permutation: The result of `checks.importance`.
    """
    if not _numeric(subject).any():
        return tuple(not_applicable(c, "the model has no numeric feature along which a gradient runs") for c in CHECKS)
    outputs_vjp = subject.source.logits_vjp
    if outputs_vjp is None:
        return tuple(not_measured(c, "the source model gives no gradient of its outputs") for c in CHECKS)
    found = _attributed(subject, outputs_vjp)
    if bad := int((~np.isfinite(found.attributions)).any(axis=1).sum()):
        why = f"the gradient of the source model is not finite on the line to {bad} of {len(found.change)} rows"
        return tuple(not_measured(c, why) for c in CHECKS)
    result = _importance(subject, found)
    return result, _completeness(subject, found), _agreement(subject, found, permutation)


def _attributed(subject: Subject, outputs_vjp: LogitsVjp) -> _Found:
    settings = subject.plan.policy.explanation.attribution
    rows = chosen(subject.part, settings.rows, subject.sampling.seed)
    x = subject.part.x[rows]
    numeric = _numeric(subject)
    median = np.array([f.median or 0.0 for f in subject.encoded.features], dtype=np.float32)
    baseline = np.where(numeric & np.isfinite(x), median, x).astype(np.float32)
    at_row, at_baseline = subject.scorer(x), subject.scorer(baseline)
    plus, minus = _integrated.outputs(at_row, len(x))
    found = _integrated.integrated(outputs_vjp, x, baseline, plus, minus, settings.steps)
    change = _integrated.value(at_row, plus, minus) - _integrated.value(at_baseline, plus, minus)
    return _Found(np.where(numeric, found, 0.0), change, subject.sampling.take(rows))


def _importance(subject: Subject, found: _Found) -> records.CheckResult:
    """Mean size of the attributions of each numeric feature, with intervals that hold together."""
    sizes, signed = _means(subject, np.abs(found.attributions), found), found.attributions.mean(axis=0)
    numeric = np.flatnonzero(_numeric(subject))
    order = sorted(numeric.tolist(), key=lambda j: (-sizes[j][0], j))
    features, first = subject.encoded.features, order[0]
    value, low, high = sizes[first]
    unit = unit_of(METRICS["performance.bias"], subject.encoded) if subject.task == "regression" else "log odds"
    interval = None
    if np.isfinite([low, high]).all() and low < high:
        over = "" if subject.sampling.entities is None else " over entities"
        method = f"Student's t{over}"
        method += f", simultaneous over {len(numeric)} features (Bonferroni)" if len(numeric) > 1 else ""
        interval = records.Interval(low=low, high=high, level=subject.sampling.level, method=method)
    headline = records.Measure(
        name=GRADIENTS,
        value=value,
        unit=unit,
        interval=interval,
        n=len(found.change),
        split="test",
        note=f"largest: {features[first].name}",
    )
    protected = {p.column: p.name for p in subject.plan.data.protected}
    details: dict[str, object] = {
        "features": [
            {
                "feature": features[j].name,
                "value": sizes[j][0],
                "low": sizes[j][1] if np.isfinite(sizes[j][1]) else None,
                "high": sizes[j][2] if np.isfinite(sizes[j][2]) else None,
                "mean": float(signed[j]),
                "protected": protected.get(features[j].name),
            }
            for j in order
        ],
        "output": _output_words(subject),
        "baseline": "training median of every numeric feature; categories and missing cells as in the row",
        "steps": subject.plan.policy.explanation.attribution.steps,
        "not_attributed": [f.name for f in features if f.kind != "numeric"],
    }
    return measured(GRADIENTS, (headline,), details, subject.artifacts)


def _output_words(subject: Subject) -> str:
    if subject.task == "binary":
        return f"log odds of {subject.encoded.classes[1]}"
    return "log odds of the label against the next class" if subject.task == "multiclass" else "prediction"


def _means(subject: Subject, sizes: Floats, found: _Found) -> list[tuple[float, float, float]]:
    """Mean of each column with its bounds at a level at which all numeric features hold together."""
    entities = found.sampling.entities
    member = np.arange(len(sizes)) if entities is None else intervals.clusters(entities)
    units = int(member.max()) + 1
    level = 1 - (1 - found.sampling.level) / int(_numeric(subject).sum())
    means = []
    for column in sizes.T:
        value = float(column.mean())
        sums = np.bincount(member, weights=column - value)
        reach = np.inf
        if units > 1:
            error = np.sqrt(float(sums @ sums) * units / (units - 1)) / len(column)
            reach = float(special.stdtrit(units - 1, 0.5 + level / 2)) * float(error)
        means.append((value, max(0.0, value - reach), value + reach))
    return means


def _completeness(subject: Subject, found: _Found) -> records.CheckResult:
    columns = np.stack([np.abs(found.attributions.sum(axis=1) - found.change), np.abs(found.change)], axis=1)
    if not columns[:, 1].any():
        note = "undefined: the output is the same at every row and at its baseline"
        one = records.Measure(name=COMPLETE, value=None, n=len(columns), split="test", note=note)
        return measured(COMPLETE, (one,), artifacts=subject.artifacts)

    def ratio(weights: Floats) -> Floats:
        gap, change = (weights @ columns).T
        return np.divide(gap, change, out=np.full_like(gap, np.nan), where=change > 0)[:, None]

    value = float(ratio(np.ones((1, len(columns))))[0, 0])
    drawn = intervals.replicate(ratio, len(columns), found.sampling, COMPLETE)[:, 0]
    one = records.Measure(
        name=COMPLETE,
        value=value,
        interval=intervals.percentile(drawn, value, found.sampling, intervals.row_method(found.sampling)),
        n=len(columns),
        split="test",
        note=f"{subject.plan.policy.explanation.attribution.steps} points on the line, against the ONNX graph",
    )
    return measured(COMPLETE, (one,), artifacts=subject.artifacts)


def _agreement(subject: Subject, found: _Found, permutation: records.CheckResult) -> records.CheckResult:
    numeric = np.flatnonzero(_numeric(subject))
    if len(numeric) < 3:
        return not_applicable(AGREEMENT, f"a rank correlation of {len(numeric)} numeric features says nothing")
    of_feature = {row["feature"]: row for row in permutation.details.get("features", [])}
    if not of_feature:
        return not_measured(AGREEMENT, f"the permutation importance was not measured: {permutation.reason}")
    rows = [of_feature[subject.encoded.features[j].name] for j in numeric]
    shuffled, errors = (np.array([row[key] or 0.0 for row in rows]) for key in ("value", "error"))
    sizes = np.abs(found.attributions)[:, numeric]
    value = _pearson(rank(sizes.mean(axis=0)), rank(shuffled))
    defined = bool(np.isfinite(value))
    rng = found.sampling.rng(AGREEMENT)

    def correlation(weights: Floats) -> Floats:
        means = (weights @ sizes) / weights.sum(axis=1, keepdims=True)
        moved = shuffled + errors * rng.standard_normal(means.shape)
        return np.array([[_pearson(rank(a), rank(b))] for a, b in zip(means, moved, strict=True)])

    drawn = intervals.replicate(correlation, len(sizes), found.sampling, AGREEMENT)[:, 0]
    method = f"{intervals.row_method(found.sampling)}, permutation importance drawn from its standard errors"
    one = records.Measure(
        name=AGREEMENT,
        value=value if defined else None,
        interval=intervals.percentile(drawn, value, found.sampling, method) if defined else None,
        n=len(sizes),
        split="test",
        note=f"over {len(numeric)} numeric features" if defined else "undefined: all features weigh the same",
    )
    return measured(AGREEMENT, (one,), artifacts=subject.artifacts)


def _pearson(a: Floats, b: Floats) -> float:
    first, second = a - a.mean(), b - b.mean()
    length = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / length if length > 0 else float("nan")


def _numeric(subject: Subject) -> npt.NDArray[np.bool_]:
    return np.array([f.kind == "numeric" for f in subject.encoded.features])
