"""Metrics of a regressor: mean absolute error, root mean squared error, coefficient of determination."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks import intervals
from checks._subject import Subject, measured, unit_of
from checks.catalogue import METRICS
from evidence import records

Floats = npt.NDArray[np.float64]

BINS = 10
"""Quantile bins of the predictions in the plot of predicted against observed."""
NAMES = ("mae", "rmse", "r2")


def statistics(weights: Floats, y: Floats, predictions: Floats) -> Floats:
    """MAE, RMSE and R² (b, 3) for weights (b, rows); R² is NaN where the target does not vary."""
    error = predictions - y
    centred = y - y.mean()
    columns = np.stack([np.abs(error), error**2, centred, centred**2], axis=1)
    absolute, squared, first, second = ((weights @ columns) / weights.sum(axis=1, keepdims=True)).T
    variance = second - first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > 1e-12 * max(float(np.mean(centred**2)), 1e-300), 1 - squared / variance, np.nan)
    return np.stack([absolute, np.sqrt(squared), r2], axis=1)


def intervals_of(
    y: Floats, predictions: Floats, sampling: intervals.Sampling, label: str
) -> dict[str, tuple[float, records.Interval | None]]:
    """Value and interval of each metric; the value is NaN where it is undefined."""
    return intervals_of_several(y, [predictions], sampling, label)[0]


def intervals_of_several(
    y: Floats, several: Sequence[Floats], sampling: intervals.Sampling, label: str
) -> list[dict[str, tuple[float, records.Interval | None]]]:
    """The same for several predictions of the same rows, all on the same draws: drawing is what costs time."""

    def statistic(weights: Floats) -> Floats:
        return np.concatenate([statistics(weights, y, predictions) for predictions in several], axis=1)

    values = statistic(np.ones((1, len(y))))[0].reshape(len(several), len(NAMES))
    drawn = intervals.replicate(statistic, len(y), sampling, label).reshape(-1, len(several), len(NAMES))
    method = intervals.row_method(sampling)
    return [
        {
            name: (float(values[k, i]), intervals.percentile(drawn[:, k, i], float(values[k, i]), sampling, method))
            for i, name in enumerate(NAMES)
        }
        for k in range(len(several))
    ]


def measure(subject: Subject) -> dict[str, records.CheckResult]:
    """The results by check identifier."""
    y, predictions = subject.part.y.astype(np.float64), subject.scores.predictions
    if predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    found = intervals_of(y, predictions, subject.sampling, "performance.regression")
    results = {}
    for name, (value, interval) in found.items():
        check_id, defined = f"performance.{name}", bool(np.isfinite(value))
        headline = records.Measure(
            name=check_id,
            value=value if defined else None,
            unit=unit_of(METRICS[check_id], subject.encoded),
            interval=interval if defined else None,
            n=subject.part.rows,
            split="test",
            note=None if defined else "undefined: the target does not vary in the test part",
        )
        details: dict[str, object] = {"predicted_observed": _bins(y, predictions)} if name == "rmse" else {}
        results[check_id] = measured(check_id, (headline,), details, subject.artifacts)
    return results


def _bins(y: Floats, predictions: Floats) -> list[dict[str, float | int]]:
    """Mean prediction and observation in bins of equal count, with the 10th and 90th percentile of the observed."""
    order = np.argsort(predictions, kind="stable")
    return [
        {
            "predicted": float(predictions[rows].mean()),
            "observed": float(y[rows].mean()),
            "low": float(np.quantile(y[rows], 0.1)),
            "high": float(np.quantile(y[rows], 0.9)),
            "n": len(rows),
        }
        for rows in np.array_split(order, min(BINS, max(1, len(y) // 5)))
        if len(rows)
    ]
