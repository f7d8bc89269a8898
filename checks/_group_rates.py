"""Rates per group with the bounds of each, and of all other groups together, for one attribute or intersection."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _counting, _long_tails, _moments, _proportions, intervals
from checks._moments import Moments
from evidence import arrays

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Codes = npt.NDArray[np.integer]

RATES = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "precision",
    "accuracy",
)


REPLICATES = 400
"""Replicates at most from which the skewness of a group's errors is known."""


@dataclasses.dataclass(frozen=True)
class GroupRates:
    """One kind of rate for the groups of a slice: shares of rows, or means. A family is a class, one against the rest.

    The groups of a slice share no row. Rows of one person in two groups are taken for independent: as they are alike
    rather than opposed, intervals of differences then err to the wide side.
    """

    rates: Floats
    """(families, groups) measured; NaN where no row counts."""
    rows: Counts
    """(families, groups) rows each rate is computed from."""
    effective: Floats
    """(families, groups): independent rows that would know a share as well; of a mean the number of entities."""
    errors: Floats | None = None
    """(families, groups): standard errors, infinite with fewer than two entities; None where the rates are shares."""
    lowest: float = 0.0
    """Smallest value that a mean can have."""
    skew: Floats | None = None
    """(2, families, groups): factors of the reaches below and above of a mean of non-negative values on the logarithmic
    scale, see `checks._long_tails.stretches`; None where Student's t is laid on the values as they are."""
    rest: GroupRates | None = None
    """Of all other groups together, for each group."""
    membership: Floats | None = None
    """(families, 1): independent rows that would know the groups' shares of the rows as well."""

    def only(self, kept: npt.NDArray[np.bool_]) -> GroupRates:
        """The same with the rates outside `kept` (families, groups) undefined."""
        return dataclasses.replace(self, rates=np.where(kept, self.rates, np.nan))

    def times(self, factor: Floats) -> GroupRates:
        """The same rates as if each group (groups,) had so many times its rows."""
        errors = None if self.errors is None else self.errors / np.sqrt(factor)
        rows = np.ceil(self.rows * factor - 1e-9).astype(np.int64)
        skew = None if self.skew is None else 1 + (self.skew - 1) / np.sqrt(factor)
        return GroupRates(self.rates, rows, self.effective * factor, errors, self.lowest, skew)

    def bounds(self, level: float) -> tuple[Floats, Floats]:
        """Bounds of each rate, (families, groups).

        Of shares see `checks._proportions`; of means Student's t, where `skew` is given as `skewed_method` says.
        """
        if self.errors is None:
            return _proportions.bounds(self.rates, self.effective, level)
        reach: Floats = special.stdtrit(np.maximum(self.effective - 1, 1), 0.5 + level / 2) * self.errors
        if self.skew is not None:
            above_0 = self.rates > 0
            with np.errstate(over="ignore", invalid="ignore"):
                relative = reach / np.where(above_0, self.rates, 1.0)
                low, high = self.rates * np.exp(-self.skew[0] * relative), self.rates * np.exp(self.skew[1] * relative)
            return np.where(above_0, low, self.rates), np.where(above_0, high, self.rates)
        return np.maximum(self.rates - reach, self.lowest), self.rates + reach

    @property
    def overall(self) -> Floats:
        """(families, 1): the rate of all groups together; NaN without rows."""
        total = np.where(self.rows > 0, self.rates * self.rows, 0.0).sum(axis=1, keepdims=True)
        rows = self.rows.sum(axis=1, keepdims=True)
        return np.divide(total, rows, out=np.full(total.shape, np.nan), where=rows > 0)


@dataclasses.dataclass(frozen=True)
class Slice:
    """The groups of one attribute or intersection, with their rates."""

    name: str
    groups: tuple[str, ...]
    sizes: Counts
    """(groups,) test rows."""
    missing: int
    """Test rows without the attribute."""
    kinds: dict[str, GroupRates]
    """Those of `RATES`, `calibration_error` and `calibration_gap`; or `error` and `bias` for regression."""


def joined(kinds: list[GroupRates]) -> GroupRates:
    """Several kinds of shares as families of one; a single kind as it is."""
    if len(kinds) == 1:
        return kinds[0]
    return GroupRates(
        *(np.concatenate([getattr(k, name) for k in kinds], axis=0) for name in ("rates", "rows", "effective"))
    )


def shares(moments: Moments) -> GroupRates:
    """Shares of rows, and those of all other groups together."""

    def one(m: Moments) -> GroupRates:
        return GroupRates(m.mean, m.count.astype(np.int64), m.effective_rows())

    return dataclasses.replace(one(moments), rest=one(moments.rest()), membership=moments.membership_rows())


def means(moments: Moments, *, lowest: float, pseudo: Floats | float = 0.0) -> GroupRates:
    """Means over rows, and those of all other groups together.

    Args:
        moments: Sums over the rows.
        lowest: Smallest value that a mean can have.
        pseudo: See `Moments.standard_error`, of the groups (families, groups); for the rest the largest of them.
    """

    def one(m: Moments, extra: Floats | float) -> GroupRates:
        return GroupRates(m.mean, m.count.astype(np.int64), m.units, m.standard_error(extra), lowest)

    own = one(moments, pseudo)
    rest = one(moments.rest(), float(np.max(pseudo, initial=0.0)))
    return dataclasses.replace(own, rest=rest, membership=moments.membership_rows())


def classifier_slice(
    name: str, groups: arrays.Groups, cell: Codes, classes: int, columns: _counting.Columns | None
) -> Slice:
    """Count the confusion table of each group, and of each of its entities where there are entities.

    Args:
        name: Of the slice.
        groups: Codes (rows,) and names.
        cell: (rows,) true class times the number of classes plus label.
        classes: Number of classes K.
        columns: The entities of each group; None where rows are independent.
    """
    cells, count = classes * classes, len(groups.names)
    table = _counting.tables(groups.codes, count, cell, cells).reshape(count, classes, classes)
    if columns is None:
        found = {kind: _moments.of_rows(*rates_of(kind, table)) for kind in RATES}
    else:
        owned = _counting.tables(columns.column, len(columns.owner), cell, cells).reshape(-1, classes, classes)
        found = {kind: _moments.of_entities(*rates_of(kind, owned), columns.owner, count) for kind in RATES}
    sizes = table.sum(axis=(1, 2))
    kinds = {kind: shares(moments) for kind, moments in found.items()}
    return Slice(name, groups.names, sizes, len(groups.codes) - int(sizes.sum()), kinds)


def rates_of(kind: str, tables: Floats | Counts) -> tuple[Floats, Floats]:
    """Numerators and denominators (…, families, groups) of a rate, from confusion tables (…, groups, K, K).

    Two classes have one family, the positive class; more have one per class; accuracy has one.
    """
    hits = np.einsum("...kk->...k", tables)
    truths, labelled = tables.sum(axis=-1), tables.sum(axis=-2)
    total = np.broadcast_to(truths.sum(axis=-1, keepdims=True), truths.shape)
    numerator, denominator = {
        "selection_rate": (labelled, total),
        "true_positive_rate": (hits, truths),
        "false_positive_rate": (labelled - hits, total - truths),
        "true_negative_rate": (total - truths - labelled + hits, total - truths),
        "false_negative_rate": (truths - hits, truths),
        "precision": (hits, labelled),
        "accuracy": (hits.sum(axis=-1, keepdims=True), total[..., :1]),
    }[kind]
    if kind != "accuracy" and tables.shape[-1] == 2:
        numerator, denominator = numerator[..., 1:], denominator[..., 1:]
    return np.moveaxis(numerator, -1, -2).astype(np.float64), np.moveaxis(denominator, -1, -2).astype(np.float64)


def skewed_method(sampling: intervals.Sampling) -> str:
    """How means of absolute errors get their bounds, for `Interval.method`."""
    over = "" if sampling.entities is None else ", over entities"
    return _fewer(sampling).method(
        f"Student's t on the logarithmic scale, corrected for skewness by a bootstrap with a lognormal tail "
        f"up to {_long_tails.MOST:,} units{over}"
    )


def _fewer(sampling: intervals.Sampling) -> intervals.Sampling:
    return dataclasses.replace(sampling, replicates=min(sampling.replicates, REPLICATES))


def error_slice(
    name: str,
    groups: arrays.Groups,
    errors: Floats,
    columns: _counting.Columns | None,
    sampling: intervals.Sampling,
) -> Slice:
    """Mean absolute and mean signed error of each group with their standard errors, over entities where there are any.

    Args:
        name: Of the slice.
        groups: Codes (rows,) and names.
        errors: (rows,) prediction less target.
        columns: The entities of each group; None where rows are independent.
        sampling: For the skewness of the absolute errors.
    """
    count, alone = len(groups.names), np.zeros(len(errors), dtype=np.int8)
    sizes = _counting.tables(groups.codes, count, alone, 1)[:, 0]
    # The mean over all rows is taken off before squaring: sums of squares of errors far from 0 would lose the spread.
    centre = float(errors.mean()) if len(errors) else 0.0
    absolute = np.abs(errors)
    size = means(_values(groups.codes, count, absolute, columns), lowest=0.0)
    bias = means(_values(groups.codes, count, errors - centre, columns), lowest=-np.inf)
    kinds = {"error": _skewed(size, groups.codes, absolute, columns, sampling, name), "bias": _moved(bias, centre)}
    return Slice(name, groups.names, sizes, len(errors) - int(sizes.sum()), kinds)


def _skewed(
    rates: GroupRates, member: Codes, values: Floats, columns: _counting.Columns | None, sampling: intervals.Sampling,
    name: str,
) -> GroupRates:  # fmt: skip
    """The same with the skewness of each group's values, and of the rest's."""
    sizes = rates.rows[0] if columns is None else np.bincount(columns.owner, minlength=rates.rates.shape[1])
    groups = range(len(sizes))
    if (sizes > _long_tails.MOST).all():
        return rates
    if columns is None:
        owner, summed, rows = member, values, np.ones(len(values))
    else:
        alone, many = np.zeros(len(values), dtype=np.int8), len(columns.owner)
        owner = columns.owner
        summed = _counting.sums(columns.column, many, alone, 1, (values,))[0, :, 0]
        rows = _counting.tables(columns.column, many, alone, 1)[:, 0].astype(np.float64)
    alone_sampling = dataclasses.replace(_fewer(sampling), entities=None)
    known = owner >= 0

    def of(size: int, group: int, label: str, *, others: bool) -> tuple[float, float]:
        if not 1 < size <= _long_tails.MOST:
            return 1.0, 1.0
        chosen = known & (owner != group) if others else owner == group
        return _long_tails.stretches(summed[chosen], rows[chosen], alone_sampling, f"{name}.{label}.{group}")

    own = np.array([of(int(sizes[g]), g, "group", others=False) for g in groups]).T[:, None]
    rest = None
    if rates.rest is not None:
        left = np.array([of(int(sizes.sum() - sizes[g]), g, "rest", others=True) for g in groups]).T[:, None]
        rest = dataclasses.replace(rates.rest, skew=left)
    return dataclasses.replace(rates, skew=own, rest=rest)


def _moved(rates: GroupRates, base: float) -> GroupRates:
    rest = None if rates.rest is None else _moved(rates.rest, base)
    return dataclasses.replace(rates, rates=rates.rates + base, rest=rest)


def _values(member: Codes, groups: int, values: Floats, columns: _counting.Columns | None) -> Moments:
    alone = np.zeros(len(values), dtype=np.int8)
    if columns is None:
        total, squares = _counting.sums(member, groups, alone, 1, (values,))[:, :, 0]
        count = _counting.tables(member, groups, alone, 1)[:, 0].astype(np.float64)
        return _moments.of_rows(total[None], count[None], squares[None])
    total = _counting.sums(columns.column, len(columns.owner), alone, 1, (values,))[:1, :, 0]
    count = _counting.tables(columns.column, len(columns.owner), alone, 1)[:, 0].astype(np.float64)
    return _moments.of_entities(total, count[None], columns.owner, groups)
