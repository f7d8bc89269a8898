"""Do the probabilities, or the predictions, mean what they say? Part of the family `performance`.

Beside the expected calibration error, which noise alone makes positive: the error without that bias, on bins of equal
count (Kumar et al. 2019), the mean gap (calibration in the large), and the slope by which the model would have to be
recalibrated (Cox 1958). For several classes the first two look at the probability of the given label, as the expected
calibration error does; `performance.calibration_error.classwise` looks at every class.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _gaps, _recalibration, catalogue, intervals
from checks._classifier_scores import calibration as of_label
from checks._subject import Subject, measured, unit_of
from evidence import records

Floats = npt.NDArray[np.float64]

DECILES = 10
"""Bins of a regressor's predictions."""


def measure(subject: Subject) -> dict[str, records.CheckResult]:
    """The results by check identifier; those of another task are left out."""
    return _regressor(subject) if subject.task == "regression" else _classifier(subject)


def _classifier(subject: Subject) -> dict[str, records.CheckResult]:
    y, probabilities = subject.part.y.astype(np.int64), subject.scores.probabilities
    if probabilities is None:
        raise TypeError("a classifier's scores hold probabilities")
    predicted, observed, _ = of_label(probabilities, y)
    measures = [_error(subject, "performance.calibration_error", predicted, observed)]
    if subject.classes > 2:
        measures.append(_classwise(subject, probabilities, y))
    details = {"bins": _bins(subject, predicted, observed)}
    return {
        "performance.calibration_error": measured(
            "performance.calibration_error", tuple(measures), details, subject.artifacts
        ),
        **_in_the_large(subject, "performance.calibration_in_the_large", predicted, observed),
        **_slope(subject, probabilities, y),
    }


def _regressor(subject: Subject) -> dict[str, records.CheckResult]:
    y, predictions = subject.part.y.astype(np.float64), subject.scores.predictions
    if predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    name, check = "performance.decile_error", "performance.calibration_slope"
    error = _error(subject, name, predictions, y)
    found = _recalibration.linear_slope(predictions, y, subject.part.entities, subject.sampling.level)
    slope = _coefficient(subject, check, found, "the predictions do not vary")
    return {
        name: measured(name, (error,), {"bins": _bins(subject, predictions, y)}, subject.artifacts),
        **_in_the_large(subject, "performance.bias", predictions, y),
        check: measured(check, (slope,), artifacts=subject.artifacts),
    }


def _shares(subject: Subject) -> bool:
    return subject.task != "regression"


def _gaps_of(subject: Subject, predicted: Floats, observed: Floats) -> tuple[_gaps.Gaps, npt.NDArray[np.int64]]:
    entities = subject.part.entities
    units = subject.part.rows if entities is None else int(intervals.clusters(entities).max()) + 1
    codes = _gaps.equal_count(predicted, units, _gaps.BINS if _shares(subject) else DECILES)
    return _gaps.gaps(predicted, observed, codes, entities, shares=_shares(subject)), codes


def _error(subject: Subject, name: str, predicted: Floats, observed: Floats) -> records.Measure:
    found, _ = _gaps_of(subject, predicted, observed)
    value, interval = _gaps.root_mean_square(found), None
    if found.units > 1:
        low, high = _gaps.interval_of(found, subject.sampling, name)
        interval = _interval(subject, value, low, high, _inverted(subject, found))
    few = len(found.rows) == 1
    note = "one bin: few rows, or predictions that hardly vary" if few else f"{len(found.rows)} bins of equal count"
    return _measure(subject, name, value, interval, note)


def _classwise(subject: Subject, probabilities: Floats, y: npt.NDArray[np.int64]) -> records.Measure:
    """Root mean square over the classes. The interval is made of intervals that hold for all classes together."""
    name = "performance.calibration_error.classwise"
    level = 1 - (1 - subject.sampling.level) / subject.classes
    sampling = dataclasses.replace(subject.sampling, level=level)
    each = [_gaps_of(subject, probabilities[:, k], (y == k).astype(np.float64))[0] for k in range(subject.classes)]
    value, interval = float(np.sqrt(np.mean([_gaps.root_mean_square(g) ** 2 for g in each]))), None
    if each[0].units > 1:
        ends = [_gaps.interval_of(g, sampling, f"{name}.{k}") for k, g in enumerate(each)]
        low, high = np.sqrt(np.mean(np.square(ends), axis=0))
        method = f"{_inverted(subject, each[0])}, Bonferroni over {subject.classes} classes"
        interval = _interval(subject, value, float(low), float(high), method)
    note = "root mean square over the classes, each against the rest"
    return records.Measure(name=name, value=value, interval=interval, n=subject.part.rows, split="test", note=note)


def _inverted(subject: Subject, found: _gaps.Gaps) -> str:
    """How the interval of an error is made."""
    over = "" if subject.sampling.entities is None else f" over {found.units:,} entities"
    draws = max(_gaps.DRAWS, subject.sampling.replicates)
    return f"inverted distribution of the gaps, Student's t noise{over}, {draws:,} draws, seed {subject.sampling.seed}"


def _in_the_large(subject: Subject, name: str, predicted: Floats, observed: Floats) -> dict[str, records.CheckResult]:
    codes = np.zeros(len(observed), dtype=np.int64)
    found = _gaps.gaps(predicted, observed, codes, subject.part.entities, shares=_shares(subject))
    value = float(found.gaps[0])
    low, high = _gaps.mean_interval(found, subject.sampling.level)
    if _shares(subject):
        low, high = max(low, -1.0), min(high, 1.0)
    method = "Student's t" + ("" if subject.sampling.entities is None else f" over {found.units:,} entities")
    interval = _interval(subject, value, low, high, method) if found.units > 1 else None
    what = "predicted" if _shares(subject) else "prediction"
    note = f"mean {what} {found.predicted[0]:.6g}, observed {found.observed[0]:.6g}"
    return {name: measured(name, (_measure(subject, name, value, interval, note),), artifacts=subject.artifacts)}


def _slope(subject: Subject, probabilities: Floats, y: npt.NDArray[np.int64]) -> dict[str, records.CheckResult]:
    name, level = "performance.calibration_slope", subject.sampling.level
    absent = [subject.encoded.classes[k] for k in range(subject.classes) if not (y == k).any()]
    if absent:
        why = f"the test part holds no row of {', '.join(absent)}"
        return {name: measured(name, (_coefficient(subject, name, None, why),), artifacts=subject.artifacts)}
    entities = subject.part.entities
    slope = _recalibration.slope(probabilities, y, entities, level)
    why = "no finite slope fits: the probabilities do not vary, or they separate the classes without an error"
    measures = [_coefficient(subject, name, slope, why)]
    if subject.classes == 2:
        large = _recalibration.intercept(probabilities, y, entities, level)
        measures.append(_coefficient(subject, f"{name}.intercept", large, why))
    return {name: measured(name, tuple(measures), artifacts=subject.artifacts)}


def _coefficient(subject: Subject, name: str, found: _recalibration.Coefficient | None, why: str) -> records.Measure:
    over = "" if subject.sampling.entities is None else ", over entities"
    interval = None
    if found is not None:
        interval = _interval(subject, found.value, found.low, found.high, f"sandwich standard error, Student's t{over}")
    return records.Measure(
        name=name,
        value=None if found is None else found.value,
        interval=interval,
        n=subject.part.rows,
        split="test",
        note=f"undefined: {why}" if found is None else None,
    )


def _measure(
    subject: Subject, name: str, value: float, interval: records.Interval | None, note: str
) -> records.Measure:
    return records.Measure(
        name=name,
        value=value,
        unit=unit_of(catalogue.METRICS[name], subject.encoded),
        interval=interval,
        n=subject.part.rows,
        split="test",
        note=note,
    )


def _interval(subject: Subject, value: float, low: float, high: float, method: str) -> records.Interval:
    return records.Interval(
        low=float(min(low, value)), high=float(max(high, value)), level=subject.sampling.level, method=method
    )


def _bins(subject: Subject, predicted: Floats, observed: Floats) -> list[dict[str, float | int]]:
    """For the plot: means of each bin, and the bounds of what was observed (exact of shares, Student's t of means)."""
    found, codes = _gaps_of(subject, predicted, observed)
    if _shares(subject):
        _, low, high = _gaps.share_bounds(observed, codes, len(found.rows), subject.sampling)
    else:
        low, high = _mean_bounds(subject, observed, codes)
    return [
        {
            "predicted": float(found.predicted[b]),
            "observed": float(found.observed[b]),
            "low": float(low[b]),
            "high": float(high[b]),
            "count": int(found.rows[b]),
        }
        for b in range(len(found.rows))
        if np.isfinite(low[b])
    ]


def _mean_bounds(subject: Subject, observed: Floats, codes: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Bounds of the mean target of each bin (bins,), infinite for a single row or entity."""
    ends = []
    for b in range(int(codes.max()) + 1):
        inside = codes == b
        entities = subject.part.entities[inside] if subject.part.entities is not None else None
        alone = _gaps.gaps(observed[inside], np.zeros(inside.sum()), codes[inside] * 0, entities, shares=False)
        ends.append(_gaps.mean_interval(alone, subject.sampling.level))
    low, high = np.array(ends).T
    return low, high
