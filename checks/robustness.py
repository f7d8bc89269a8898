"""Errors and faults in the inputs (AI Act Art. 15(4)), measured on the graph at each severity.

Noise, missing values and rounding strike every feature at once; the other faults strike one feature at a time, and the
worst one is named (`checks._one_feature`). Each check gives the performance at the largest declared severity as its
headline and the whole curve in `details`: `x` (what severity means), `curve` (severity, value, low, high), `clean` (the
value without a fault), `metric`, `crossing` (where the curve falls below each threshold of the policy), `features` (the
value with each feature alone at fault) and `worst`. The measure `<check>.clean` is the clean value with its interval.

Rows for which a fault leaves the graph without a valid output count as wrong, and are counted in `invalid_rows`.

Refs: ISO/IEC TR 24029-1:2021. Robustness of input errors in data quality terms: ISO/IEC 25012.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from checks import _degradation, _one_feature, _severity_curve
from checks._one_feature import exchanged, out_of_range, rescaled, stuck, unseen_category
from checks._subject import Subject, not_applicable
from evidence import records

Inputs = npt.NDArray[np.float32]


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every error and fault, in the order of the catalogue."""
    return (
        noise(subject),
        missing(subject),
        out_of_range(subject),
        rescaled(subject),
        exchanged(subject),
        unseen_category(subject),
        stuck(subject),
        rounding(subject),
    )


def noise(subject: Subject) -> records.CheckResult:
    """Gaussian noise on the numeric features, in training standard deviations; integers are rounded."""
    severities = sorted(subject.plan.policy.robustness.noise)
    if not severities:
        return not_applicable("robustness.noise", "the plan declares no severity")
    features = _one_feature.numeric(subject)
    if not features:
        return not_applicable("robustness.noise", "the model has no numeric feature")
    drawn = subject.sampling.rng("robustness.noise").standard_normal(subject.part.x.shape)
    return _on_all(
        subject,
        "robustness.noise",
        "noise (training standard deviations)",
        [(s, _noisy(subject, drawn, s)) for s in severities],
        "Gaussian noise of {:g} training standard deviations on every numeric feature",
        features,
    )


def missing(subject: Subject) -> records.CheckResult:
    """A share of the inputs made missing, each cell independently."""
    severities = sorted(s for s in subject.plan.policy.robustness.missing if s > 0)
    if not severities:
        return not_applicable("robustness.missing", "the plan declares no severity")
    drawn = subject.sampling.rng("robustness.missing").random(subject.part.x.shape)
    return _on_all(
        subject,
        "robustness.missing",
        "share of inputs made missing",
        [(s, np.where(drawn < s, np.float32(np.nan), subject.part.x)) for s in severities],
        "a share of {:g} of the inputs made missing at random",
        list(range(subject.part.x.shape[1])),
    )


def rounding(subject: Subject) -> records.CheckResult:
    """Every numeric feature rounded to a coarser grid; to few significant digits in `details.significant_digits`."""
    check_id, settings = "robustness.rounding", subject.plan.policy.robustness
    features = _one_feature.numeric(subject)
    if not settings.rounding:
        return not_applicable(check_id, "the plan declares no severity")
    if not features:
        return not_applicable(check_id, "the model has no numeric feature")
    found = _on_all(
        subject,
        check_id,
        "step of the grid (training standard deviations)",
        [(s, _on_grid(subject, s)) for s in sorted(settings.rounding)],
        "every numeric feature rounded to a grid of {:g} training standard deviations",
        features,
    )
    digits = sorted(settings.significant_digits, reverse=True)
    answered = [_degradation.answers(subject, _with_digits(subject, d)) for d in digits]
    levels = _degradation.levels(subject, answered, f"{check_id}.digits")[1]
    rows = [
        {"digits": d, **{k: v for k, v in one.point(0).items() if k != "severity"}}
        for d, one in zip(digits, levels, strict=True)
    ]
    return found.model_copy(update={"details": {**found.details, "significant_digits": rows}})


def _on_all(
    subject: Subject, check_id: str, axis: str, points: list[tuple[float, Inputs]], note: str, features: list[int]
) -> records.CheckResult:
    """A fault in every feature at once; then each of `features` alone at the largest severity."""
    answered = [(severity, _degradation.answers(subject, x)) for severity, x in points]
    severity, worst_inputs = points[-1]
    found = _severity_curve.result(subject, check_id, axis, answered, note.format(severity))
    alone = {subject.encoded.features[j].name: _alone(subject, worst_inputs, j) for j in features}
    defined = {name: value for name, value in alone.items() if math.isfinite(value)}
    if not defined:
        return found
    name = min(defined, key=lambda n: (defined[n], n))
    worst = f"{name}, which alone gives {defined[name]:.3g}"
    return _one_feature.named(found, worst, defined, {})


def _alone(subject: Subject, inputs: Inputs, feature: int) -> float:
    x = subject.part.x.copy()
    x[:, feature] = inputs[:, feature]
    return _degradation.value(subject, _degradation.answers(subject, x).scores)


def _noisy(subject: Subject, drawn: npt.NDArray[np.float64], severity: float) -> Inputs:
    return _altered(subject, lambda j, column: column + severity * (_std(subject, j)) * drawn[:, j])


def _on_grid(subject: Subject, severity: float) -> Inputs:
    def rounded(feature: int, column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        step = severity * _std(subject, feature)
        return np.round(column / step) * step if step > 0 else column

    return _altered(subject, rounded)


def _with_digits(subject: Subject, digits: int) -> Inputs:
    def rounded(_: int, column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        known = np.isfinite(column) & (column != 0)
        power = 10.0 ** (np.floor(np.log10(np.abs(np.where(known, column, 1.0)))) - (digits - 1))
        return np.where(known, np.round(column / power) * power, column)

    return _altered(subject, rounded)


def _altered(subject: Subject, change: Callable[[int, npt.NDArray[np.float64]], npt.NDArray[np.float64]]) -> Inputs:
    """The test rows with every numeric feature changed; integers are rounded to whole numbers."""
    x = subject.part.x.copy()
    for j in _one_feature.numeric(subject):
        x[:, j] = _one_feature.as_declared(subject.encoded.features[j], change(j, x[:, j].astype(np.float64)))
    return x


def _std(subject: Subject, feature: int) -> float:
    return subject.encoded.features[feature].std or 0.0
