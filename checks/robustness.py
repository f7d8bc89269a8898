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
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from checks import _degradation, _one_feature, _severity_curve
from checks._one_feature import exchanged, out_of_range, rescaled, stuck, unseen_category
from checks._subject import Subject, not_applicable
from configs import shown
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
    return _on_all(
        subject,
        "robustness.noise",
        "noise (training standard deviations)",
        [(s, _noisy(subject, s)) for s in severities],
        "Gaussian noise of {:g} training standard deviations on every numeric feature",
        features,
    )


def missing(subject: Subject) -> records.CheckResult:
    """A share of the inputs made missing, each cell independently."""
    severities = sorted(s for s in subject.plan.policy.robustness.missing if s > 0)
    if not severities:
        return not_applicable("robustness.missing", "the plan declares no severity")
    return _on_all(
        subject,
        "robustness.missing",
        "share of inputs made missing",
        [(s, _absent(subject, s)) for s in severities],
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
    subject: Subject,
    check_id: str,
    axis: str,
    points: list[tuple[float, Iterator[Inputs]]],
    note: str,
    features: list[int],
) -> records.CheckResult:
    """A fault in every feature at once; then each of `features` alone at the largest severity, which alone is held."""
    answered = [(severity, _degradation.answers(subject, altered)) for severity, altered in points[:-1]]
    severity, altered = points[-1]
    worst_inputs = _held(subject, altered)
    answered.append((severity, _degradation.answers(subject, (worst_inputs[p] for p in _degradation.pieces(subject)))))
    found = _severity_curve.result(subject, check_id, axis, answered, note.format(severity))
    alone = {subject.encoded.features[j].name: _alone(subject, worst_inputs, j) for j in features}
    defined = {name: value for name, value in alone.items() if math.isfinite(value)}
    if not defined:
        return found
    name = min(defined, key=lambda n: (defined[n], n))
    worst = f"{name}, which alone gives {shown.number(defined[name])}"
    return _one_feature.named(found, worst, defined, {})


def _held(subject: Subject, altered: Iterator[Inputs]) -> Inputs:
    """The pieces as one array."""
    found = np.empty_like(subject.part.x)
    for piece, x in zip(_degradation.pieces(subject), altered, strict=True):
        found[piece] = x
    return found


def _alone(subject: Subject, inputs: Inputs, feature: int) -> float:
    def struck() -> Iterator[Inputs]:
        for piece, x in zip(_degradation.pieces(subject), _one_feature.copies(subject), strict=True):
            x[:, feature] = inputs[piece, feature]
            yield x

    return _degradation.value(subject, _degradation.answers(subject, struck()).scores)


def _noisy(subject: Subject, severity: float) -> Iterator[Inputs]:
    # The same numbers at every severity, drawn again: they would take twice the room of the rows.
    rng = subject.sampling.rng("robustness.noise")
    for x in _one_feature.copies(subject):
        drawn = rng.standard_normal(x.shape)
        for j in _one_feature.numeric(subject):
            moved = x[:, j].astype(np.float64) + severity * (_std(subject, j)) * drawn[:, j]
            x[:, j] = _one_feature.as_declared(subject.encoded.features[j], moved)
        yield x


def _absent(subject: Subject, share: float) -> Iterator[Inputs]:
    rng = subject.sampling.rng("robustness.missing")
    for x in _one_feature.copies(subject):
        x[rng.random(x.shape) < share] = np.nan
        yield x


def _on_grid(subject: Subject, severity: float) -> Iterator[Inputs]:
    def rounded(feature: int, column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        step = severity * _std(subject, feature)
        return np.round(column / step) * step if step > 0 else column

    return (_altered(subject, x, rounded) for x in _one_feature.copies(subject))


def _with_digits(subject: Subject, digits: int) -> Iterator[Inputs]:
    def rounded(_: int, column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        known = np.isfinite(column) & (column != 0)
        power = 10.0 ** (np.floor(np.log10(np.abs(np.where(known, column, 1.0)))) - (digits - 1))
        return np.where(known, np.round(column / power) * power, column)

    return (_altered(subject, x, rounded) for x in _one_feature.copies(subject))


def _altered(
    subject: Subject, x: Inputs, change: Callable[[int, npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> Inputs:
    """Rows with every numeric feature changed, in place; integers are rounded to whole numbers."""
    for j in _one_feature.numeric(subject):
        x[:, j] = _one_feature.as_declared(subject.encoded.features[j], change(j, x[:, j].astype(np.float64)))
    return x


def _std(subject: Subject, feature: int) -> float:
    return subject.encoded.features[feature].std or 0.0
