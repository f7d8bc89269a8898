"""How far predicted probabilities are from observed shares in each group: calibration error, and gap of the means.

The mean of predicted less observed is a mean over rows with Student's t interval. Where no row of a group has the
outcome, residuals hardly vary though the share may; two pseudo-rows, one with the outcome and one without, at the
group's mean prediction keep the interval honest.

The calibration error is a sum of absolute gaps over bins, as in `performance.ece`. Its interval comes from a Gaussian
multiplier bootstrap of the bins' summed residuals: normal with their measured covariance over rows or entities. That
costs the same for any number of rows. Sampling noise alone makes the error positive, so the lower end is the value less
the upper percentile of the summed absolute change of the bins, which bounds how far the error can have moved; the upper
end is the percentile of the drawn errors. Both err to the wide side, so coverage is at least the level.

Refs: Chernozhukov, Chetverikov and Kato, Ann. Stat. 41 (2013) 2786 (Gaussian multiplier bootstrap).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _classifier_scores, _counting, _moments, intervals
from checks._group_rates import GroupRates, means
from evidence import arrays

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]


@dataclasses.dataclass(frozen=True)
class Residuals:
    """Predicted less observed of every row, for `slice_kinds`."""

    bins: npt.NDArray[np.int8]
    """(rows,)"""
    predicted: Floats
    """(rows,) predicted probability."""
    values: Floats
    """(rows,) predicted probability less outcome, 0 or 1."""
    number: int
    """Number of bins."""


@dataclasses.dataclass(frozen=True)
class BinnedErrors(GroupRates):
    """Calibration errors with bounds out of replicates."""

    gaps: Floats = dataclasses.field(default_factory=lambda: np.zeros((0, 0)))
    """(groups, bins) summed residuals over the group's rows."""
    moves: Floats = dataclasses.field(default_factory=lambda: np.zeros((0, 0, 0)))
    """(replicates, groups, bins) drawn changes of the gaps."""

    def times(self, factor: Floats) -> BinnedErrors:
        """The same as if each group (groups,) had so many times its rows."""
        rows = np.ceil(self.rows * factor - 1e-9).astype(np.int64)
        moves = self.moves / np.sqrt(factor)[:, None]
        return dataclasses.replace(self, rows=rows, effective=self.effective * factor, moves=moves)

    def bounds(self, level: float) -> tuple[Floats, Floats]:
        """Bounds of each group's error, (1, groups)."""
        upper = 1 - (1 - level) / 2
        moved = np.quantile(np.abs(self.moves).sum(axis=2), upper, axis=0)
        drawn = np.quantile(np.abs(self.gaps + self.moves).sum(axis=2), upper, axis=0)
        return np.maximum(self.rates - moved, 0.0), np.clip(drawn, self.rates, 1.0)


def residuals(probabilities: Floats, y: npt.NDArray[np.int64]) -> Residuals:
    """Of class 1 of two classes, else of the class with the largest probability, as `performance.ece` has them."""
    bins, predicted, values = np.empty(len(y), np.int8), np.empty(len(y)), np.empty(len(y))
    for start in range(0, len(y), _counting.BLOCK):
        part = slice(start, start + _counting.BLOCK)
        predicted[part], observed, bins[part] = _classifier_scores.calibration(probabilities[part], y[part])
        values[part] = predicted[part] - observed
    return Residuals(bins, predicted, values, _classifier_scores.BINS)


def slice_kinds(
    name: str,
    groups: arrays.Groups,
    rows_of: Residuals,
    columns: _counting.Columns | None,
    sampling: intervals.Sampling,
) -> dict[str, GroupRates]:
    """`calibration_error` and `calibration_gap` of each group.

    Args:
        name: Of the slice; names the stream of replicates.
        groups: Codes (rows,) and names.
        rows_of: Of every row.
        columns: The entities of each group; None where rows are independent.
        sampling: Replicates and seed.
    """
    count, bins = len(groups.names), rows_of.number
    member = groups.codes if columns is None else columns.column
    columned = count if columns is None else len(columns.owner)
    sums = _counting.sums(member, columned, rows_of.bins, bins, (rows_of.values, rows_of.predicted))
    rows = _counting.tables(member, columned, rows_of.bins, bins).astype(np.float64)
    if columns is None:
        moments = _moments.of_rows(*(v.sum(axis=1)[None] for v in (sums[0], rows, sums[2])))
        spread = sums[2][:, :, None] * np.eye(bins)
        owned = rows
    else:
        moments = _moments.of_entities(sums[0].sum(axis=1)[None], rows.sum(axis=1)[None], columns.owner, count)
        spread = _outer(sums[0], columns.owner, count)
        owned = _by_group(rows, columns.owner, count)
    gaps, predicted = (_by_group(v, columns.owner, count) if columns else v for v in sums[:2])
    mean = np.divide(predicted.sum(axis=1), owned.sum(axis=1), out=np.zeros(count), where=owned.sum(axis=1) > 0)
    pseudo = mean**2 + (1 - mean) ** 2
    errors = _errors(gaps, owned, spread + _pseudo_rows(moments, predicted, owned), sampling, name)
    return {"calibration_error": errors, "calibration_gap": means(moments, lowest=-1.0, pseudo=pseudo[None])}


def _errors(gaps: Floats, rows: Floats, spread: Floats, sampling: intervals.Sampling, name: str) -> BinnedErrors:
    total = rows.sum(axis=1)
    size = np.where(total > 0, total, 1.0)
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    normal = sampling.rng(f"calibration.{name}").standard_normal((sampling.replicates, *gaps.shape))
    return BinnedErrors(
        rates=np.where(total > 0, np.abs(gaps).sum(axis=1) / size, np.nan)[None],
        rows=total.astype(np.int64)[None],
        effective=total[None],
        gaps=gaps / size[:, None],
        moves=np.einsum("gbk,rgk->rgb", root, normal) / size[:, None],
    )


def _pseudo_rows(moments: _moments.Moments, predicted: Floats, rows: Floats) -> Floats:
    """Spread (groups, bins, bins) that two pseudo-rows of the mean size add, laid on the bins by their rows."""
    present = np.where(rows > 0, rows, 1.0)
    mean = predicted / present
    total = np.maximum(moments.count[0], 1.0)
    size = (moments.squares[0] / total) ** 2
    extra = np.where(rows > 0, (mean**2 + (1 - mean) ** 2) * rows / total[:, None], 0.0) * size[:, None]
    return extra[:, :, None] * np.eye(rows.shape[1])


def _by_group(values: Floats, owner: Codes, groups: int) -> Floats:
    """Sums (groups, bins) of values (columns, bins)."""
    found = np.zeros((groups, values.shape[1]))
    np.add.at(found, owner, values)
    return found


def _outer(values: Floats, owner: Codes, groups: int) -> Floats:
    """Summed outer products (groups, bins, bins) of values (columns, bins)."""
    found = np.zeros((groups, values.shape[1], values.shape[1]))
    for group in range(groups):
        own = values[owner == group]
        found[group] = own.T @ own
    return found
