"""Metrics of a classifier's probabilities: areas under curves, Brier score, log loss, calibration error."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from checks import _area, _gaps, _long_tails, _proportions, intervals
from checks._ranking import Ranking, separated, thinned
from checks._subject import Subject, floats, measured
from evidence import records

Floats = npt.NDArray[np.float64]

BINS = 15
"""Bins of equal width of the calibration error."""
CURVE_POINTS = 200
LABEL = "performance.scores"
"""Name of the random stream."""
NAMES = ("roc_auc", "pr_auc", "brier", "log_loss", "ece")


def brier_rows(probabilities: Floats, y: npt.NDArray[np.int64]) -> Floats:
    """Squared distance of each row's probabilities from its outcome (rows,): of class 1 of two, else summed."""
    outcome = np.eye(probabilities.shape[1])[y]
    squares = (probabilities - outcome) ** 2
    return squares[:, 1] if probabilities.shape[1] == 2 else squares.sum(axis=1)


def log_loss_rows(probabilities: Floats, y: npt.NDArray[np.int64]) -> Floats:
    """Negative log of each row's probability of its class (rows,), rescaled to sum 1; at least 2.2e-16 is taken."""
    tiny = np.finfo(np.float64).eps
    own = probabilities[np.arange(len(y)), y] / probabilities.sum(axis=1)
    return -np.log(np.clip(own, tiny, 1 - tiny))


def calibration(probabilities: Floats, y: npt.NDArray[np.int64]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Predicted share, outcome (0 or 1) and bin of each row, each (rows,). See `performance.ece` in the catalogue."""
    if probabilities.shape[1] == 2:
        predicted, observed = probabilities[:, 1], (y == 1).astype(np.float64)
    else:
        predicted = probabilities.max(axis=1)
        observed = (probabilities.argmax(axis=1) == y).astype(np.float64)
    return predicted, observed, np.minimum((predicted * BINS).astype(np.int64), BINS - 1)


def measure(subject: Subject) -> dict[str, records.CheckResult]:
    """The results by check identifier."""
    y, probabilities = subject.part.y.astype(np.int64), subject.scores.probabilities
    if probabilities is None:
        raise TypeError("a classifier's scores hold probabilities")
    rankings = _rankings(probabilities, y)
    predicted, observed, bins = calibration(probabilities, y)
    residuals = np.zeros((len(y), BINS))
    residuals[np.arange(len(y)), bins] = predicted - observed

    def statistic(w: Floats) -> Floats:
        precision = np.mean([r.areas(w)[:, 1] for r in rankings], axis=0)
        return np.column_stack([precision, (w @ residuals) / w.sum(axis=1, keepdims=True)])

    values = statistic(np.ones((1, len(y))))[0]
    drawn = intervals.replicate(statistic, len(y), subject.sampling, LABEL)
    found = _intervals(subject, values, drawn, _Ranked(rankings, probabilities, y))
    found |= losses(probabilities, y, subject.sampling)
    details = _details(subject, rankings, (predicted, observed, bins))
    return {
        f"performance.{name}": measured(
            f"performance.{name}",
            (_measure(subject, name, *found[name]), *([_chance(subject)] if name == "pr_auc" else [])),
            details.get(name),
            subject.artifacts,
        )
        for name in NAMES
    }


def _rankings(probabilities: Floats, y: npt.NDArray[np.int64]) -> list[Ranking]:
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return [Ranking(probabilities[:, c], y == c) for c in classes]


@dataclasses.dataclass(frozen=True)
class _Ranked:
    """What the intervals of the areas are made of: one ranking per class against the rest, the positive one of two."""

    rankings: list[Ranking]
    probabilities: Floats
    y: npt.NDArray[np.int64]

    @property
    def classes(self) -> list[int]:
        return [1] if self.probabilities.shape[1] == 2 else list(range(self.probabilities.shape[1]))

    @property
    def positives(self) -> list[int]:
        """Rows of each of these classes."""
        return [int((self.y == c).sum()) for c in self.classes]


def _intervals(
    subject: Subject, values: Floats, drawn: Floats, ranked: _Ranked
) -> dict[str, tuple[float, records.Interval | None]]:
    sampling, method = subject.sampling, intervals.row_method(subject.sampling)
    value = float(values[0])
    return {
        "roc_auc": _roc(subject, ranked),
        "pr_auc": (
            value,
            _separated(subject, "pr_auc")
            if value == 1
            else precision(ranked.rankings, ranked.positives, value, drawn[:, 0], sampling),
        ),
        "ece": ece(values[1:], drawn[:, 1:], sampling, method),
    }


def losses(
    probabilities: Floats, y: npt.NDArray[np.int64], sampling: intervals.Sampling
) -> dict[str, tuple[float, records.Interval | None]]:
    """Brier score and log loss with their intervals. A squared distance has an end, so that it has no long tail."""
    rows = {"brier": brier_rows(probabilities, y), "log_loss": log_loss_rows(probabilities, y)}
    systems = [_long_tails.Means.of_rows(r, sampling, bounded=name == "brier") for name, r in rows.items()]
    found: dict[str, tuple[float, records.Interval | None]] = {}
    for (name, of_rows), ((low, high),) in zip(rows.items(), _long_tails.ends(systems, sampling, LABEL), strict=True):
        value = float(of_rows.mean())
        top = np.inf if name == "log_loss" else 1.0 if probabilities.shape[1] == 2 else 2.0
        found[name] = (value, _long_tails.interval(min(low, value), max(min(high, top), value), sampling))
    return found


def _roc(subject: Subject, ranked: _Ranked) -> tuple[float, records.Interval | None]:
    """The ROC area and its own interval; a bootstrap misses what few positives have not shown. See `checks._area`."""
    sampling = subject.sampling
    if any(count in (0, len(ranked.y)) for count in ranked.positives):
        return np.nan, None
    areas = [_area.of(ranked.probabilities[:, c], ranked.y == c) for c in ranked.classes]
    value = float(np.mean([a.value for a in areas]))
    if value == 1:
        return value, _separated(subject, "roc_auc")
    if not any(np.any(a.influence) for a in areas):
        return value, None
    low, high = _area.interval(areas, sampling.entities, sampling.level)
    entities = sampling.entities
    over = "" if entities is None else f", over {int(intervals.clusters(entities).max()) + 1:,} entities"
    return value, records.Interval(
        low=min(low, value), high=max(high, value), level=sampling.level, method=_area.METHOD + over
    )


def precision(
    rankings: list[Ranking], positives: list[int], value: float, replicates: Floats, sampling: intervals.Sampling
) -> records.Interval | None:
    """The bootstrap's interval of the average precision, no narrower than what so few positives can know.

    Few positives have too large an average precision: each counts among those above itself. The lower end is moved down
    by as much as the replicates, which repeat positives, lie above the measured value.

    Args:
        rankings: One for each class against the rest.
        positives: Rows of each of these classes.
        value: The mean of their average precisions.
        replicates: (replicates,) the same of bootstrap replicates.
        sampling: How they were drawn.
    """
    found = intervals.percentile(replicates, value, sampling, intervals.row_method(sampling))
    if found is None:
        return None
    ends = [
        _area.precision_ends(r.average_precision, float(count), sampling.level)
        for r, count in zip(rankings, positives, strict=True)
    ]
    low, high = (float(np.mean(side)) for side in zip(*ends, strict=True))
    bias = max(0.0, float(np.nanmean(replicates)) - value)
    return found.model_copy(
        update={
            "low": max(0.0, min(found.low, low, value) - bias),
            "high": max(found.high, high, value),
            "method": f"{found.method}, {_area.PRECISION}, lower end less the bias",
        }
    )


def ece(
    residuals: Floats, drawn: Floats, sampling: intervals.Sampling, method: str
) -> tuple[float, records.Interval | None]:
    """The calibration error with an interval that can reach 0.

    The error is a sum of absolute values, so sampling noise alone makes it positive, and bootstrap replicates are
    larger still: their lower percentile never reaches 0 even for a perfectly calibrated model. The error moves by no
    more than the summed absolute change of the bins' gaps, so the lower end is the value less the upper percentile of
    that change; the upper end is the percentile, which errs to the large side.
    """
    value = float(np.abs(residuals).sum())
    interval = intervals.percentile(np.abs(drawn).sum(axis=1), value, sampling, method)
    if interval is None:
        return value, None
    moved = np.quantile(np.abs(drawn - residuals).sum(axis=1), (1 + sampling.level) / 2)
    low = max(0.0, value - float(moved))
    return value, interval.model_copy(update={"low": low, "method": f"{method}, lower end bounded by the bins' change"})


def _separated(subject: Subject, name: str) -> records.Interval:
    """Exact bound for classes that are separated without an error, where no replicate differs.

    See `checks._ranking.separated`. Several classes share the tail (Bonferroni).
    """
    counts = np.bincount(subject.part.y.astype(np.int64), minlength=subject.classes)
    classes = [1] if subject.classes == 2 else list(range(subject.classes))
    tail, rows = (1 - subject.sampling.level) / (2 * len(classes)), len(subject.part.y)
    bounds = [separated(int(n), rows - int(n), tail)[0 if name == "roc_auc" else 1] for n in counts[classes]]
    return records.Interval(
        low=float(np.mean(bounds)),
        high=1.0,
        level=subject.sampling.level,
        method="exact binomial bound for separated classes",
    )


def _measure(subject: Subject, name: str, value: float, interval: records.Interval | None) -> records.Measure:
    defined = math.isfinite(value)
    counts = np.bincount(subject.part.y.astype(np.int64), minlength=subject.classes)
    absent = [subject.encoded.classes[c] for c in np.flatnonzero(counts == 0)]
    return records.Measure(
        name=f"performance.{name}",
        value=value if defined else None,
        unit="nat" if name == "log_loss" else "1",
        interval=interval if defined else None,
        n=subject.part.rows,
        split="test",
        note=None if defined else f"undefined: the test part holds no row of {', '.join(absent)}",
    )


def _chance(subject: Subject) -> records.Measure:
    """Average precision of a score that says nothing: the prevalence; over the classes of several, their mean."""
    positive = subject.part.y.astype(np.int64) == 1
    binary = subject.classes == 2
    return records.Measure(
        name="performance.pr_auc.baseline",
        value=float(np.mean(positive)) if binary else 1.0 / subject.classes,
        interval=_proportions.of_rows(positive, subject.sampling) if binary else None,
        n=subject.part.rows,
        split="test",
        note=(
            f"chance: prevalence of {subject.encoded.classes[1]} in the test part"
            if binary
            else f"chance: mean prevalence of the {subject.classes} classes"
        ),
    )


def _details(
    subject: Subject,
    rankings: list[Ranking],
    calibrated: tuple[Floats, Floats, npt.NDArray[np.int64]],
) -> dict[str, dict[str, object]]:
    """Plotting data by metric; curves only where every class has a test row."""
    details: dict[str, dict[str, object]] = {"ece": {"bins": _reliability(subject, *calibrated)}}
    if not np.bincount(subject.part.y.astype(np.int64), minlength=subject.classes).all():
        return details
    curves = [_curves(r, subject.part.rows) for r in rankings]
    (fpr, tpr), (recall, precision) = (_mean_curve([c[which] for c in curves]) for which in (0, 1))
    note = {} if len(curves) == 1 else {"curve_note": "mean over the classes, one against the rest"}
    details["roc_auc"] = {"curve": {"fpr": fpr, "tpr": tpr}, **note}
    details["pr_auc"] = {"curve": {"recall": recall, "precision": precision}, **note}
    return details


def _reliability(
    subject: Subject, predicted: Floats, observed: Floats, bins: npt.NDArray[np.int64]
) -> list[dict[str, float | int]]:
    """Bins that hold rows: their edges, means and rows, and the bounds of the observed share of each alone."""
    edges, counts = np.linspace(0, 1, BINS + 1), np.bincount(bins, minlength=BINS)
    shares, low, high = _gaps.share_bounds(observed, bins, BINS, subject.sampling)
    return [
        {
            "low": float(edges[b]),
            "high": float(edges[b + 1]),
            "predicted": float(predicted[bins == b].mean()),
            "observed": float(shares[b]),
            "observed_low": float(low[b]),
            "observed_high": float(high[b]),
            "count": int(counts[b]),
        }
        for b in np.flatnonzero(counts)
    ]


def _mean_curve(curves: list[tuple[Floats, Floats]]) -> tuple[list[float], list[float]]:
    """One curve thinned, or the mean of several on a common grid."""
    if len(curves) == 1:
        return _thin(*curves[0])
    grid = np.linspace(0, 1, 101)
    return floats(grid), floats(np.mean([np.interp(grid, *c) for c in curves], axis=0))


def _curves(ranking: Ranking, rows: int) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """(false positive rate, true positive rate) and (recall, precision), both ascending."""
    true, false = (c[0] for c in ranking.counts(np.ones((1, rows))))
    recall, precision = true / true[-1], true / (true + false)
    roc = (np.append(0.0, false / false[-1]), np.append(0.0, recall))
    return roc, (np.append(0.0, recall), np.append(precision[0], precision))


def _thin(x: Floats, y: Floats) -> tuple[list[float], list[float]]:
    kept = thinned(len(x), CURVE_POINTS)
    return floats(x[kept]), floats(y[kept])
