"""Prediction sets and intervals that hold the truth at a stated level, and whether they do on the test part.

Decision: the thresholds are calibrated on the validation part, not on a part of their own.

Context: split conformal prediction promises its level if the calibration rows are exchangeable with new ones. The
validation rows have been used: the best epoch, the decision threshold, and a temperature where there is one, were
chosen on them, so the model fits them slightly better than new rows, and the sets may come out slightly too small.
Consequences: no row is taken from training for the sake of the sets, and the promise is not taken on trust: coverage is
measured on the test part, which has chosen nothing, and can be gated. Beside it stands the range in which the coverage
of so many validation and test rows would lie if all were exchangeable. Rejected: holding out a part of the validation
rows (the early stopping of small data suffers more than the sets do), and calibrating on test rows (nothing would be
left to measure on).

Decision: where rows belong to entities, every validation row counts. Context: exchangeability is one of entities. One
row of each entity would make the promise exact, for one row of a new entity; but those with many rows differ from the
others (on the hospital data, 0.83 of the test rows were covered at level 0.9 that way, since patients with many stays
are readmitted more often). Consequence: the level is one for rows, as every other figure is, exact only in the limit of
many entities; no expected range is given.

Refs: see `checks._conformal`; Dunn et al., J. Am. Stat. Assoc. 118 (2023) 2491 (entities); Vovk, ACML 2012 (a threshold
for each class).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from checks import _conformal, _proportions, _shares, intervals, scoring
from checks._conformal import Threshold
from checks._subject import Subject, floats, measured, not_measured, other_task
from checks.catalogue import METRICS
from evidence import arrays, records

Floats = npt.NDArray[np.float64]

COVERAGE, SIZE, WIDTH = "explanation.conformal_coverage", "explanation.set_size", "explanation.interval_width"


@dataclasses.dataclass(frozen=True)
class _Calibration:
    """What the validation part gives."""

    scores: Floats
    """(m,) of the truth."""
    y: npt.NDArray[np.int64]
    """(m,) true classes; zeros for regression."""


@dataclasses.dataclass(frozen=True)
class _Found:
    """One level on the test part."""

    level: float
    thresholds: tuple[Threshold, ...]
    """One, or one for each class."""
    covered: npt.NDArray[np.bool_]
    """(rows,)"""
    sizes: npt.NDArray[np.int64]
    """(rows,) classes in the set; zeros for regression."""


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Coverage, and the size of the sets or the width of the intervals."""
    other = WIDTH if subject.task != "regression" else SIZE
    mine = SIZE if subject.task != "regression" else WIDTH
    found = _measured(subject, mine)
    results = {**found, other: other_task(METRICS[other], subject.task)}
    return tuple(results[name] for name in (COVERAGE, SIZE, WIDTH))


def _measured(subject: Subject, other: str) -> dict[str, records.CheckResult]:
    calibration = _calibration(subject)
    if calibration is None:
        why = "the run holds no validation part to calibrate on"
        return {name: not_measured(name, why) for name in (COVERAGE, other)}
    levels = subject.plan.policy.explanation.conformal.levels
    found = [_at(subject, calibration, level) for level in levels]
    if not any(math.isfinite(t.value) for t in found[0].thresholds):
        least, rows = _conformal.least_rows(levels[0]), len(calibration.scores)
        each = " of a class" if len(found[0].thresholds) > 1 else ""
        why = f"a set at level {levels[0]:g} needs at least {least} validation rows{each}, and there are {rows} in all"
        return {name: not_measured(name, why) for name in (COVERAGE, other)}
    extent = _sizes(subject, found) if other == SIZE else _widths(subject, found, calibration)
    return {COVERAGE: _coverage(subject, found, calibration), other: extent}


def _calibration(subject: Subject) -> _Calibration | None:
    part, scores = subject.parts.part("validation"), subject.parts.scores("validation")
    if part is None or scores is None or part.rows == 0:
        return None
    if subject.task == "regression":
        return _Calibration(_residuals(scores, part), np.zeros(part.rows, dtype=np.int64))
    y = part.y.astype(np.int64)
    return _Calibration(_of_classes(subject, scores)[np.arange(part.rows), y], y)


def _of_classes(subject: Subject, scores: scoring.Scores) -> Floats:
    if scores.probabilities is None:
        raise TypeError("a classifier's scores hold probabilities")
    return _conformal.class_scores(scores.probabilities, subject.plan.policy.explanation.conformal.method)


def _residuals(scores: scoring.Scores, part: arrays.Part) -> Floats:
    if scores.predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    return np.abs(scores.predictions - part.y.astype(np.float64))


def _at(subject: Subject, calibration: _Calibration, level: float) -> _Found:
    if subject.task == "regression":
        one = _conformal.threshold(calibration.scores, level)
        covered = _residuals(subject.scores, subject.part) <= one.value
        return _Found(level, (one,), covered, np.zeros(subject.part.rows, dtype=np.int64))
    if subject.plan.policy.explanation.conformal.per_class:
        own = [calibration.scores[calibration.y == k] for k in range(subject.classes)]
        thresholds = tuple(_conformal.threshold(scores, level) for scores in own)
    else:
        thresholds = (_conformal.threshold(calibration.scores, level),)
    sets = _of_classes(subject, subject.scores) <= np.array([t.value for t in thresholds])
    y = subject.part.y.astype(np.int64)
    return _Found(level, thresholds, sets[np.arange(len(y)), y], sets.sum(axis=1))


def _coverage(subject: Subject, found: list[_Found], calibration: _Calibration) -> records.CheckResult:
    first = found[0]
    measures = [_overall(subject, f, COVERAGE if f is first else f"{COVERAGE}.level_{f.level:g}") for f in found]
    by_group, details = _shares.by_attribute(subject, COVERAGE, first.covered)
    details |= {
        "level": first.level,
        "method": subject.plan.policy.explanation.conformal.method if subject.classes else "absolute residual",
        "thresholds": [row for f in found for row in _thresholds(subject, f)],
        "calibration_rows": len(calibration.scores),
    }
    if subject.part.entities is None:
        low, high = _expected(subject, first)
        details["expected"] = {"low": low, "high": high}
    if subject.classes:
        shares = _shares.of_groups(
            first.covered, subject.part.y.astype(np.int64), subject.encoded.classes, subject.sampling
        )
        details["classes"] = shares.listed(subject.sampling.level)
        counts = np.bincount(calibration.y, minlength=subject.classes)
        details["classes_without_calibration_rows"] = [
            name for name, n in zip(subject.encoded.classes, counts, strict=True) if not n
        ]
    return measured(COVERAGE, (*measures, *by_group), details, subject.artifacts)


def _expected(subject: Subject, found: _Found) -> tuple[float, float]:
    """Range of the coverage if the validation and the test rows are exchangeable."""
    rows = [subject.part.rows]
    if len(found.thresholds) > 1:
        rows = np.bincount(subject.part.y.astype(np.int64), minlength=subject.classes).tolist()
    return _conformal.expected(found.thresholds, rows, subject.sampling.level, subject.sampling.rng(COVERAGE))


def _overall(subject: Subject, found: _Found, name: str) -> records.Measure:
    rows = sum(t.rows for t in found.thresholds)
    note = f"nominal level {found.level:g}, calibrated on {rows:,} validation rows"
    few = [k for k, t in enumerate(found.thresholds) if not math.isfinite(t.value)]
    if few:
        names = ", ".join(subject.encoded.classes[k] for k in few)
        note += f"; in every set, for lack of validation rows: {names}"
    return records.Measure(
        name=name,
        value=float(np.mean(found.covered)),
        interval=_proportions.of_rows(found.covered, subject.sampling),
        n=subject.part.rows,
        split="test",
        note=note,
    )


def _thresholds(subject: Subject, found: _Found) -> list[dict[str, object]]:
    """What whoever operates the model needs to form the sets, in numbers and in words."""
    rows = []
    for k, one in enumerate(found.thresholds):
        value = one.value if math.isfinite(one.value) else None
        row: dict[str, object] = {"level": found.level, "threshold": value, "rows": one.rows, "rank": one.rank}
        if len(found.thresholds) > 1:
            row["class"] = subject.encoded.classes[k]
        rows.append(row | {"rule": _rule(subject, value)})
    return rows


def _rule(subject: Subject, value: float | None) -> str:
    if value is None:
        return "too few validation rows: the class is in every set"
    if subject.task == "regression":
        unit = f" {subject.encoded.target_unit}" if subject.encoded.target_unit else ""
        return f"the prediction, {value:.6g}{unit} more or less"
    settings = subject.plan.policy.explanation.conformal
    if settings.method == "lac":
        what = f"probability is at least {1 - value:.6g}"
        return f"this class, where its {what}" if settings.per_class else f"every class whose {what}"
    what = f"the more probable classes sum to at most {value:.6g}"
    return f"this class, where {what}" if settings.per_class else f"every class for which {what}"


def _sizes(subject: Subject, found: list[_Found]) -> records.CheckResult:
    measures = []
    for f in found:
        name = SIZE if f is found[0] else f"{SIZE}.level_{f.level:g}"
        measures.append(_mean_size(subject, f, name))
        if f is found[0]:
            measures += [_share(subject, f.sizes == n, f"{SIZE}.{word}") for n, word in ((1, "single"), (0, "empty"))]
    counts = np.bincount(found[0].sizes, minlength=subject.classes + 1)
    details = {"sizes": [{"size": n, "rows": int(count)} for n, count in enumerate(counts)], "level": found[0].level}
    return measured(SIZE, tuple(measures), details, subject.artifacts)


def _mean_size(subject: Subject, found: _Found, name: str) -> records.Measure:
    value, cells = float(found.sizes.mean()), subject.classes + 1
    drawn = intervals.tables(found.sizes, cells, subject.sampling, name)
    means = drawn @ np.arange(cells) / drawn.sum(axis=1)
    return records.Measure(
        name=name,
        value=value,
        unit="classes",
        interval=intervals.percentile(means, value, subject.sampling, intervals.table_method(subject.sampling)),
        n=subject.part.rows,
        split="test",
        note=f"nominal level {found.level:g}",
    )


def _share(subject: Subject, hits: npt.NDArray[np.bool_], name: str) -> records.Measure:
    return records.Measure(
        name=name,
        value=float(np.mean(hits)),
        interval=_proportions.of_rows(hits, subject.sampling),
        n=subject.part.rows,
        split="test",
        note="share of the sets that hold " + ("one class" if name.endswith("single") else "no class"),
    )


def _widths(subject: Subject, found: list[_Found], calibration: _Calibration) -> records.CheckResult:
    measures = []
    for f in found:
        value = f.thresholds[0].value
        if not math.isfinite(value):
            continue
        ends = _conformal.threshold_interval(calibration.scores, f.level, subject.sampling.level)
        interval = None
        if ends is not None:
            interval = records.Interval(
                low=2 * min(ends[0], value),
                high=2 * max(ends[1], value),
                level=subject.sampling.level,
                method="ranks of the validation residuals",
            )
        measures.append(
            records.Measure(
                name=WIDTH if f is found[0] else f"{WIDTH}.level_{f.level:g}",
                value=2 * value,
                unit=subject.encoded.target_unit or "unit of the target",
                interval=interval,
                n=len(calibration.scores),
                split="validation",
                note=f"nominal level {f.level:g}, the same width for every row",
            )
        )
    details = {"half_widths": floats([m.value / 2 for m in measures if m.value is not None])}
    return measured(WIDTH, tuple(measures), details, subject.artifacts)
