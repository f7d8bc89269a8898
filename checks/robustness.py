"""Faults put into the inputs: noise, missing values, values out of range. Measured on the graph, at each severity.

Each check gives the performance at the largest declared severity as its headline and the whole curve in `details`:
`x` (what severity means), `curve` (severity, value, low, high), `clean` (the value without a fault), `metric`. The
measure `<check>.clean` is that value with its interval.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from checks import _degradation
from checks._subject import Subject, answered, measured, not_applicable
from evidence import records

Inputs = npt.NDArray[np.float32]


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Noise, missing values and out-of-range inputs."""
    checks = {"noise": noise, "missing": missing, "out_of_range": out_of_range}
    return tuple(answered(f"robustness.{name}", check, subject) for name, check in checks.items())


def noise(subject: Subject) -> records.CheckResult:
    """Gaussian noise on the numeric features, in training standard deviations; integers are rounded."""
    severities = sorted(subject.plan.policy.robustness.noise)
    if not severities:
        return not_applicable("robustness.noise", "the plan declares no severity")
    if not _numeric(subject):
        return not_applicable("robustness.noise", "the model has no numeric feature")
    drawn = subject.sampling.rng("robustness.noise").standard_normal(subject.part.x.shape)
    return _curve(
        subject,
        "robustness.noise",
        "noise (training standard deviations)",
        [(s, _noisy(subject, drawn, s)) for s in severities],
        "Gaussian noise of {:g} training standard deviations on every numeric feature",
    )


def missing(subject: Subject) -> records.CheckResult:
    """A share of the inputs made missing, each cell independently."""
    severities = sorted(s for s in subject.plan.policy.robustness.missing if s > 0)
    if not severities:
        return not_applicable("robustness.missing", "the plan declares no severity")
    drawn = subject.sampling.rng("robustness.missing").random(subject.part.x.shape)
    return _curve(
        subject,
        "robustness.missing",
        "share of inputs made missing",
        [(s, np.where(drawn < s, np.float32(np.nan), subject.part.x)) for s in severities],
        "a share of {:g} of the inputs made missing at random",
    )


def out_of_range(subject: Subject) -> records.CheckResult:
    """One numeric feature at a time beyond either end of its training range; the worst one is named."""
    severities = sorted(subject.plan.policy.robustness.out_of_range)
    features = [j for j in _numeric(subject) if _range(subject, j) > 0]
    if not severities:
        return not_applicable("robustness.out_of_range", "the plan declares no severity")
    if not features:
        return not_applicable("robustness.out_of_range", "the model has no numeric feature that varies in training")
    per_feature: dict[str, float] = {}
    points: list[tuple[float, Inputs]] = []
    worst = ""
    for severity in severities:
        values = {(j, end): _degradation.value(subject, subject.scorer(_pushed(subject, j, end, severity)))
                  for j in features for end in (-1, 1)}  # fmt: skip
        lowest = min(values, key=lambda key: (_rank(values[key]), key))
        points.append((severity, _pushed(subject, *lowest, severity)))
        worst = f"{subject.encoded.features[lowest[0]].name} {'above' if lowest[1] > 0 else 'below'} its training range"
        per_feature = {
            subject.encoded.features[j].name: float(min(values[j, -1], values[j, 1], key=_rank)) for j in features
        }
    result = _curve(
        subject,
        "robustness.out_of_range",
        "distance beyond the training range (in training ranges)",
        points,
        "the worst feature, " + worst.replace("{", "{{").replace("}", "}}") + " by {:g} of that range",
    )
    defined = {name: found for name, found in per_feature.items() if math.isfinite(found)}
    return result.model_copy(
        update={
            "details": {**result.details, "worst": worst, "features": defined},
            "reason": f"{result.reason}; worst feature: {worst}",
        }
    )


def _curve(
    subject: Subject, check_id: str, axis: str, points: list[tuple[float, Inputs]], note: str
) -> records.CheckResult:
    levels = [
        (severity, _degradation.level(subject, subject.scorer(x), f"{check_id}.{severity}")) for severity, x in points
    ]
    severity, last = levels[-1]
    unaltered = _degradation.level(subject, subject.scores, "robustness.clean")
    clean = unaltered.value
    details: dict[str, object] = {
        "x": axis,
        "metric": _degradation.names(subject.task)[0],
        "curve": [found.point(at) for at, found in levels],
        "clean": clean if math.isfinite(clean) else None,
    }
    rows = subject.part.rows
    found = _degradation.measures(subject, check_id, last, rows, note.format(severity))
    return measured(
        check_id, (*found, _degradation.clean(subject, check_id, unaltered, rows)), details, subject.artifacts
    )


def _numeric(subject: Subject) -> list[int]:
    return [j for j, feature in enumerate(subject.encoded.features) if feature.kind == "numeric"]


def _range(subject: Subject, feature: int) -> float:
    spec = subject.encoded.features[feature]
    return (spec.maximum or 0.0) - (spec.minimum or 0.0)


def _noisy(subject: Subject, drawn: npt.NDArray[np.float64], severity: float) -> Inputs:
    x = subject.part.x.astype(np.float64)
    for j in _numeric(subject):
        spec = subject.encoded.features[j]
        moved = x[:, j] + severity * (spec.std or 0.0) * drawn[:, j]
        x[:, j] = np.round(moved) if spec.integer else moved
    return x.astype(np.float32)


def _pushed(subject: Subject, feature: int, end: int, severity: float) -> Inputs:
    spec = subject.encoded.features[feature]
    edge = (spec.maximum if end > 0 else spec.minimum) or 0.0
    value = edge + end * severity * _range(subject, feature)
    x = subject.part.x.copy()
    x[:, feature] = np.round(value) if spec.integer else value
    return x


def _rank(value: float) -> float:
    return value if math.isfinite(value) else math.inf
