"""What the mitigation and the calibration of the plan came to, on the test part: the shipped graph against the other.

The exporter writes the model once more without its mitigation (`unmitigated`) and without its temperature
(`uncalibrated`). Both graphs answer the same rows, and each check gives the change (headline), the value before and the
value after, with an interval each; that of the change is paired.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from checks import (
    _classifier_scores,
    _fairness_slices,
    _group_rates,
    _paired,
    _proportions,
    _simultaneous,
    catalogue,
    intervals,
    performance,
    scoring,
)
from checks._subject import Subject, measured, not_applicable, not_measured, other_task
from evidence import records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

UNMITIGATED, UNCALIBRATED = "unmitigated", "uncalibrated"
RATES = {
    "demographic_parity": ("selection_rate",),
    "equalized_odds": ("true_positive_rate", "false_positive_rate"),
    "true_positive_rate_parity": ("true_positive_rate",),
    "false_positive_rate_parity": ("false_positive_rate",),
}
"""Constraint of the plan to the rates whose gap is compared."""
_CALIBRATED = ("mitigation.ece_change", "mitigation.log_loss_change")


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Every metric of the catalogue's family `mitigation`."""
    return tuple(_result(subject, metric) for metric in catalogue.of_family("mitigation"))


def _result(subject: Subject, metric: catalogue.Metric) -> records.CheckResult:
    if subject.task not in metric.tasks:
        return other_task(metric, subject.task)
    calibrated = metric.id in _CALIBRATED
    if calibrated and subject.plan.training.calibration == "none":
        return not_applicable(metric.id, "the plan asks for no temperature scaling")
    if not calibrated and subject.plan.mitigation.method == "none":
        return not_applicable(metric.id, "the plan asks for no mitigation")
    other = subject.references.get(UNCALIBRATED if calibrated else UNMITIGATED)
    if other is None:
        what = "temperature" if calibrated else "mitigation"
        return not_measured(metric.id, f"there is no graph without the {what} to compare with")
    if calibrated:
        return _probabilities(subject, other, metric.id)
    if metric.id == "mitigation.disparity_change":
        return _disparity(subject, other)
    return _accuracy(subject, other, metric.id)


def _disparity(subject: Subject, other: scoring.Scores) -> records.CheckResult:
    check, chosen = "mitigation.disparity_change", subject.plan.mitigation
    attribute, kinds = str(chosen.attribute), RATES[chosen.constraint]
    groups, y = subject.part.groups[attribute], subject.part.y.astype(np.int64)
    labels = _labels(other), _labels(subject.scores)
    slices = [_fairness_slices.rated(subject, attribute, groups, scores) for scores in (other, subject.scores)]
    words = " and ".join(kind.replace("_", " ") for kind in kinds)
    note = f"gap in {words}"
    change = _paired.gap(kinds, groups.codes.astype(np.int64), y, labels, len(groups.names), subject.sampling)
    if change is None:
        headline = _measure(subject, check, None, None, attribute, f"undefined: no two groups of {attribute} have rows")
        return measured(check, (headline,), artifacts=subject.artifacts)
    method = f"{_paired.GAP}, {intervals.table_method(subject.sampling).replace(', percentile', '')}"
    measures = [
        _measure(subject, check, change.value, change.interval(subject.sampling, method), attribute, note),
        *(
            _measure(subject, f"{check}.{when}", *_gap(subject, part, kinds), attribute, note)
            for when, part in zip(("before", "after"), slices, strict=True)
        ),
    ]
    rows = _group_rates.joined([slices[1].kinds[k] for k in kinds]).rows.min(axis=0)
    least = subject.plan.policy.minimum_group_size
    most = subject.plan.policy.governance.missing_group * subject.part.rows
    small = np.flatnonzero((rows < least) & (slices[1].sizes > 0))
    details: dict[str, object] = {
        "attribute": attribute,
        "rate": words,
        "groups": [row for kind in kinds for row in _per_group(subject, slices, kind)],
        "small_groups": [f"{attribute}={groups.names[g]}" for g in small],
        "empty_groups": [f"{attribute}={groups.names[g]}" for g in np.flatnonzero(slices[1].sizes == 0)],
        "minimum_group_size": least,
        "missing_attribute": {attribute: slices[1].missing},
        "too_many_missing": [attribute] if slices[1].missing > most else [],
    }
    return measured(check, tuple(measures), details, subject.artifacts)


def _gap(
    subject: Subject, part: _group_rates.Slice, kinds: tuple[str, ...]
) -> tuple[float | None, records.Interval | None]:
    """Largest difference between two groups in any of the rates, as the fairness checks measure it."""
    found = _group_rates.joined([part.kinds[k] for k in kinds])
    spread = [np.ptp(r[np.isfinite(r)]) for r in found.rates if np.isfinite(r).sum() > 1]
    if not spread:
        return None, None
    value, level = float(max(spread)), subject.sampling.level
    low, high = _simultaneous.gap(found.rates, found.bounds, level)
    method = f"Newcombe square and add of {_proportions.method(subject.sampling)} bounds, lower end simultaneous"
    return value, records.Interval(low=min(low, value), high=min(max(high, value), 1.0), level=level, method=method)


def _per_group(subject: Subject, slices: list[_group_rates.Slice], kind: str) -> list[dict[str, object]]:
    """One rate of every group before and after with its own interval, for tables and plots."""
    rates = [part.kinds[kind] for part in slices]
    bounds = [found.bounds(subject.sampling.level) for found in rates]
    rows: list[dict[str, object]] = []
    for g, name in enumerate(slices[0].groups):
        row: dict[str, object] = {"rate": kind.replace("_", " "), "group": name, "n": int(rates[0].rows[0, g])}
        for when, found, (low, high) in zip(("before", "after"), rates, bounds, strict=True):
            value = float(found.rates[0, g])
            defined = math.isfinite(value)
            row[when] = value if defined else None
            row[f"{when}_low"] = float(min(low[0, g], value)) if defined else None
            row[f"{when}_high"] = float(max(high[0, g], value)) if defined else None
        rows.append(row)
    return rows


def _accuracy(subject: Subject, other: scoring.Scores, check: str) -> records.CheckResult:
    y = subject.part.y.astype(np.int64)
    hits = [_labels(found) == y for found in (other, subject.scores)]
    by_class = [y == k for k in (0, 1)]
    parts = by_class if check == "mitigation.balanced_accuracy_change" else [np.ones(len(y), bool)]
    if not all(rows.any() for rows in parts):
        note = "undefined: the test part holds one class only"
        return measured(check, (_measure(subject, check, None, None, "overall", note),), artifacts=subject.artifacts)
    change = _paired.mean_of_shares(
        [_paired.share(hits[0][rows], hits[1][rows], subject.sampling.take(rows)) for rows in parts]
    )
    method = _paired.SHARE + ("" if len(parts) == 1 else ", over both classes")
    measures = [_measure(subject, check, change.value, change.interval(subject.sampling, method))]
    for when, found in zip(("before", "after"), (other, subject.scores), strict=True):
        # As the family `performance` measures it, with the same replicates.
        both = performance.confusion_intervals(
            y, _labels(found), subject.classes, subject.sampling, "performance.confusion"
        )
        name = check.removeprefix("mitigation.").removesuffix("_change")
        measures.append(_measure(subject, f"{check}.{when}", *both[name]))
    return measured(check, tuple(measures), artifacts=subject.artifacts)


def _probabilities(subject: Subject, other: scoring.Scores, check: str) -> records.CheckResult:
    """The change of calibration error or log loss, with a paired row bootstrap."""
    y = subject.part.y.astype(np.int64)
    rows = np.concatenate([_rows(check, found, y) for found in (other, subject.scores)], axis=1)

    def statistic(w: Floats) -> Floats:
        found: Floats = (w @ rows) / w.sum(axis=1, keepdims=True)
        return found

    values = statistic(np.ones((1, len(y))))
    # The replicates of the family `performance`, so that one quantity has one interval.
    drawn = intervals.replicate(statistic, len(y), subject.sampling, "performance.scores")
    method, terms = intervals.row_method(subject.sampling), rows.shape[1] // 2
    sums = [[np.abs(part).sum(axis=1) for part in np.split(found, 2, axis=1)] for found in (values, drawn)]
    change = float(sums[0][1][0] - sums[0][0][0])
    paired = intervals.percentile(sums[1][1] - sums[1][0], change, subject.sampling, f"paired {method}")
    measures = [_measure(subject, check, change, paired)]
    for when, part, scores in (
        ("before", slice(0, terms), other),
        ("after", slice(terms, None), subject.scores),
    ):
        if terms == 1:
            if scores.probabilities is None:
                raise TypeError("a classifier's scores hold probabilities")
            value = _classifier_scores.losses(scores.probabilities, y, subject.sampling)["log_loss"]
        else:
            value = _classifier_scores.ece(values[0, part], drawn[:, part], subject.sampling, method)
        measures.append(_measure(subject, f"{check}.{when}", *value))
    return measured(check, tuple(measures), artifacts=subject.artifacts)


def _rows(check: str, scores: scoring.Scores, y: Codes) -> Floats:
    """What each row adds (rows, terms): its log loss, or its residual in its bin."""
    if scores.probabilities is None:
        raise TypeError("a classifier's scores hold probabilities")
    if check == "mitigation.log_loss_change":
        return _classifier_scores.log_loss_rows(scores.probabilities, y)[:, None]
    predicted, observed, bins = _classifier_scores.calibration(scores.probabilities, y)
    residuals = np.zeros((len(y), _classifier_scores.BINS))
    residuals[np.arange(len(y)), bins] = predicted - observed
    return residuals


def _labels(scores: scoring.Scores) -> Codes:
    if scores.labels is None:
        raise TypeError("a classifier's scores hold labels")
    return scores.labels


def _measure(
    subject: Subject,
    name: str,
    value: float | None,
    interval: records.Interval | None,
    part: str = "overall",
    note: str | None = None,
) -> records.Measure:
    unit = catalogue.METRICS[name.removesuffix(".before").removesuffix(".after")].unit
    return records.Measure(
        name=name,
        value=value,
        unit=unit,
        interval=interval,
        n=subject.part.rows,
        slice=part,
        split="test",
        note=note,
    )
