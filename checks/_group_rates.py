"""Rates per group from count tables, measured and replicated, for one protected attribute or intersection."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import intervals
from evidence import arrays

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")


@dataclasses.dataclass(frozen=True)
class GroupRates:
    """One kind of rate for the groups of a slice. A family is a class, one against the rest."""

    rates: Floats
    """(families, groups) measured; NaN where no row counts."""
    rows: Counts
    """(families, groups) rows each rate is computed from."""
    replicates: Floats
    """(replicates, families, groups)"""
    deviations: Floats
    """(replicates, families, groups) replicates less their expectation, 0 where undefined."""

    def only(self, kept: npt.NDArray[np.bool_]) -> GroupRates:
        """The same with the rates outside `kept` (families, groups) undefined."""
        return GroupRates(
            np.where(kept, self.rates, np.nan),
            self.rows,
            np.where(kept, self.replicates, np.nan),
            np.where(kept, self.deviations, 0.0),
        )

    def log(self) -> GroupRates:
        """Logarithms of the rates, with half a row added so that a rate of 0 has one (Walter 1975)."""
        rows = np.maximum(self.rows, 1)

        def logarithm(rates: Floats) -> Floats:
            return np.log((np.nan_to_num(rates) * rows + 0.5) / (rows + 1))

        drawn = logarithm(self.replicates)
        logs = GroupRates(logarithm(self.rates), self.rows, drawn, drawn - drawn.mean(axis=0))
        return logs.only(np.isfinite(self.rates))


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
    """`selection_rate`, `true_positive_rate`, `false_positive_rate`, `accuracy`; or `error` for regression."""


def classifier_slice(
    name: str,
    groups: arrays.Groups,
    y: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    classes: int,
    sampling: intervals.Sampling,
) -> Slice:
    """Count and replicate the confusion table of each group."""
    cells, count = classes * classes, len(groups.names)
    codes = np.where(groups.codes >= 0, groups.codes.astype(np.int64) * cells + y * classes + labels, -1)
    table = np.bincount(codes[codes >= 0], minlength=count * cells).reshape(count, cells)
    drawn = intervals.draw_tables(table, sampling, f"fairness.{name}").reshape(-1, count, classes, classes)
    expected = intervals.smoothed(table.astype(np.float64)).reshape(count, classes, classes)
    clustered = None
    if sampling.entities is not None:
        clustered = intervals.draw_clustered(codes, count * cells, sampling, f"fairness.{name}").reshape(drawn.shape)
    shaped = table.reshape(count, classes, classes)
    sizes = table.sum(axis=1)
    return Slice(
        name=name,
        groups=groups.names,
        sizes=sizes,
        missing=int((codes < 0).sum()),
        kinds={kind: _replicated(kind, shaped, expected, drawn, clustered) for kind in RATES},
    )


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
        "accuracy": (hits.sum(axis=-1, keepdims=True), total[..., :1]),
    }[kind]
    if kind != "accuracy" and tables.shape[-1] == 2:
        numerator, denominator = numerator[..., 1:], denominator[..., 1:]
    return np.moveaxis(numerator, -1, -2).astype(np.float64), np.moveaxis(denominator, -1, -2).astype(np.float64)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def _replicated(kind: str, table: Counts, expected: Floats, drawn: Floats, clustered: Floats | None) -> GroupRates:
    numerator, denominator = rates_of(kind, table)
    replicates = _ratio(*rates_of(kind, drawn))
    deviations = np.nan_to_num(replicates - _ratio(*rates_of(kind, expected)))
    rates = _ratio(numerator, denominator)
    if clustered is not None:
        by_entity = _ratio(*rates_of(kind, clustered))
        # An empty cell is never drawn again; there the multinomial with its pseudo-rows speaks.
        moves = np.nan_to_num(by_entity - rates).std(axis=0) > 1e-12
        replicates = np.where(moves, by_entity, replicates)
        deviations = np.where(moves, np.nan_to_num(by_entity - rates), deviations)
    return GroupRates(rates, denominator.astype(np.int64), replicates, deviations)


def error_slice(name: str, groups: arrays.Groups, errors: Floats, sampling: intervals.Sampling) -> Slice:
    """Mean absolute error of each group with its bootstrap, for errors (rows,)."""
    member = np.zeros((len(errors), len(groups.names)))
    known = np.flatnonzero(groups.codes >= 0)
    member[known, groups.codes[known]] = 1.0
    columns = np.concatenate([member * np.abs(errors)[:, None], member], axis=1)
    sums = intervals.replicate(lambda w: w @ columns, len(errors), sampling, f"fairness.{name}")
    count = len(groups.names)
    sizes = member.sum(axis=0)
    rates = _ratio(columns.sum(axis=0)[:count], sizes)[None]
    replicates = _ratio(sums[:, :count], sums[:, count:])[:, None]
    found = GroupRates(rates, sizes.astype(np.int64)[None], replicates, np.nan_to_num(replicates - rates))
    return Slice(name, groups.names, sizes.astype(np.int64), len(errors) - len(known), {"error": found})
