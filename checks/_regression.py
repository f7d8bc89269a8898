"""Metrics of a regressor: mean absolute error, root mean squared error, coefficient of determination."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks import _long_tails, intervals
from checks._subject import Subject, measured, unit_of
from checks.catalogue import METRICS
from evidence import records

Floats = npt.NDArray[np.float64]

BINS = 10
"""Quantile bins of the predictions in the plot of predicted against observed."""
NAMES = ("mae", "rmse", "r2")
FLAT = 1e-12
"""Share of its mean square below which a target does not vary."""


def statistics(weights: Floats, y: Floats, predictions: Floats) -> Floats:
    """MAE, RMSE and R² (b, 3) for weights (b, rows); R² is NaN where the target does not vary."""
    error = predictions - y
    centred = y - y.mean()
    columns = np.stack([np.abs(error), error**2, centred, centred**2], axis=1)
    absolute, squared, first, second = ((weights @ columns) / weights.sum(axis=1, keepdims=True)).T
    variance = second - first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > FLAT * max(float(np.mean(centred**2)), 1e-300), 1 - squared / variance, np.nan)
    return np.stack([absolute, np.sqrt(squared), r2], axis=1)


def intervals_of(
    y: Floats, predictions: Floats, sampling: intervals.Sampling, label: str
) -> dict[str, tuple[float, records.Interval | None]]:
    """Value and interval of each metric; the value is NaN where it is undefined."""
    return intervals_of_several(y, [predictions], sampling, label)[0]


def intervals_of_several(
    y: Floats, several: Sequence[Floats], sampling: intervals.Sampling, label: str, weights: Floats | None = None
) -> list[dict[str, tuple[float, records.Interval | None]]]:
    """The same for several predictions of the same rows, all on the same draws.

    Args:
        y: (rows,) targets.
        several: Predictions (rows,).
        sampling: How intervals are made.
        label: Name of the random stream.
        weights: (rows,) what each row counts, held fixed; 1 by default.
    """
    found = []
    ends = _long_tails.ends([Errors(y, predictions, sampling, weights) for predictions in several], sampling, label)
    for predictions, (absolute, squared, unexplained) in zip(several, ends, strict=True):
        of_rows = np.ones(len(y)) if weights is None else weights
        values = dict(zip(NAMES, statistics(of_rows[None], y, predictions)[0], strict=True))
        bounds = {
            "mae": absolute,
            "rmse": (squared[0] ** 0.5, squared[1] ** 0.5),
            "r2": (1 - unexplained[1], 1 - unexplained[0]),
        }
        found.append(
            {
                name: (float(value), _long_tails.interval(*_around(float(value), *bounds[name]), sampling))
                for name, value in values.items()
            }
        )
    return found


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    """The ends with the value between them, whatever the last digit says."""
    return min(low, value), max(high, value)


class Errors:
    """Logarithms of the mean absolute error, of the mean squared error, and of 1 − R²; a `_long_tails.System`.

    Errors and targets are divided by the largest of them, so that no power of one overflows; the mean absolute and
    the mean squared error are given back in the unit of the target and in its square.
    """

    def __init__(
        self, y: Floats, predictions: Floats, sampling: intervals.Sampling, weights: Floats | None = None
    ) -> None:
        """Sum up.

        Args:
            y: (rows,) targets.
            predictions: (rows,)
            sampling: Its entities.
            weights: (rows,) what each row counts; 1 by default.
        """
        error, centred = predictions - y, y - y.mean()
        largest = max(float(np.abs(error).max(initial=0.0)), float(np.abs(centred).max(initial=0.0)))
        self._unit = np.log(largest) if largest > 0 else 0.0
        error, centred = (v / largest if largest > 0 else v for v in (error, centred))
        rows = np.stack([np.ones(len(y)), np.abs(error), error, error**2, centred, centred**2, centred * error], axis=1)
        rows = rows if weights is None else rows * weights[:, None]
        self._units = _long_tails.by_unit(rows, sampling)
        self.tail = _long_tails.tail(np.sqrt(self._units[:, 3]))
        self.plain = self._columns(self._units, np.ones(len(self._units)), np.ones(len(self._units)))

    @staticmethod
    def _columns(units: Floats, by: Floats, squared: Floats) -> Floats:
        """Sums over the units (n, columns) when their errors are stretched; `squared` is the square of the stretch.

        The predictions stay, so that the targets move with the errors.
        """
        rows, absolute, error, squares, first, second, crossed = units.T
        absolute, squares = absolute * by, squares * squared
        first = first + (1 - by) * error
        second = second + 2 * (1 - by) * crossed + (1 - 2 * by + squared) * units[:, 3]
        return np.stack(
            [
                rows, absolute, squares, first, second,
                rows**2, rows * absolute, absolute**2, rows * squares, squares**2,
                rows * first, rows * second, squares * first, squares * second,
                first**2, first * second, second**2,
            ],
            axis=1,
        )  # fmt: skip

    def stretched(self, which: _long_tails.Places, by: Floats) -> Floats:
        """See `_long_tails.System`."""
        units = self.tail.units[which] if self.tail else which
        return self._columns(self._units[units], by, by**2)

    def expected(self) -> Floats:
        """See `_long_tails.System`."""
        by, squared = np.ones(len(self._units)), np.ones(len(self._units))
        if self.tail:
            by[self.tail.units], squared[self.tail.units] = self.tail.expected()
        found: Floats = self._columns(self._units, by, squared).sum(axis=0)
        return found

    def logs(self, sums: Floats) -> Floats:
        """See `_long_tails.System`."""
        rows, absolute, squares, first, second = sums[:, :5].T
        varied = second / rows - (first / rows) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            unexplained = np.where(varied > FLAT * second / rows, squares / rows / varied, np.nan)
            return np.stack(
                [
                    np.log(absolute / rows) + self._unit,
                    np.log(squares / rows) + 2 * self._unit,
                    np.log(unexplained),
                ],
                axis=1,
            )

    def errors(self, sums: Floats) -> Floats:
        """See `_long_tails.System`."""
        rows, absolute, squares, _, _, ones, by_absolute, absolutes, by_squares, fourth = sums[:, :10].T
        return np.stack(
            [
                _long_tails.ratio_errors(rows, absolute, ones, by_absolute, absolutes),
                _long_tails.ratio_errors(rows, squares, ones, by_squares, fourth),
                self._error_of_unexplained(sums),
            ],
            axis=1,
        )

    @staticmethod
    def _error_of_unexplained(sums: Floats) -> Floats:
        """Standard error of log(1 − R²), from what each unit adds to the errors less what it adds to the variance."""
        rows, _, squares, first, second, ones = sums[:, :6].T
        by_first, by_second, error_first, error_second, firsts, both, seconds = sums[:, 10:].T
        by_error, fourth = sums[:, 8], sums[:, 9]
        mean = first / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            of_error, of_target = rows / squares, 1 / (second / rows - mean**2)
            # What a unit adds to the variance is second − 2 mean first + mean² rows.
            error_target = error_second - 2 * mean * error_first + mean**2 * by_error
            target_target = (
                seconds + 4 * mean**2 * firsts + mean**4 * ones
                - 4 * mean * both + 2 * mean**2 * by_second - 4 * mean**3 * by_first
            )  # fmt: skip
            spread = of_error**2 * fourth - 2 * of_error * of_target * error_target + of_target**2 * target_target
            found: Floats = np.sqrt(np.maximum(spread, 0.0)) / rows
        return found


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
