"""Rates per group from count tables, with the bounds of each, for one protected attribute or intersection."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special

from checks import _proportions, intervals
from evidence import arrays

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")


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

    def only(self, kept: npt.NDArray[np.bool_]) -> GroupRates:
        """The same with the rates outside `kept` (families, groups) undefined."""
        return dataclasses.replace(self, rates=np.where(kept, self.rates, np.nan))

    def bounds(self, level: float) -> tuple[Floats, Floats]:
        """Bounds of each rate, (families, groups): exact ones of shares, Student's t of means (0 or more)."""
        if self.errors is None:
            return _proportions.bounds(self.rates, self.effective, level)
        reach: Floats = special.stdtrit(np.maximum(self.effective - 1, 1), 0.5 + level / 2) * self.errors
        return np.maximum(self.rates - reach, 0.0), self.rates + reach


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


def joined(kinds: list[GroupRates]) -> GroupRates:
    """Several kinds of shares as families of one."""
    rates, rows, effective = (
        np.concatenate([getattr(k, name) for k in kinds], axis=0) for name in ("rates", "rows", "effective")
    )
    return GroupRates(rates, rows, effective, kinds[0].errors if len(kinds) == 1 else None)


def classifier_slice(
    name: str,
    groups: arrays.Groups,
    y: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    classes: int,
    sampling: intervals.Sampling,
) -> Slice:
    """Count the confusion table of each group, and of each of its entities where there are entities."""
    cells, count = classes * classes, len(groups.names)
    known = np.flatnonzero(groups.codes >= 0)
    member, cell = groups.codes[known].astype(np.int64), (y * classes + labels)[known]
    table = np.bincount(member * cells + cell, minlength=count * cells).reshape(count, classes, classes)
    of_entities = None
    if sampling.entities is not None:
        entities = intervals.clusters(sampling.entities)
        pairs, pair = np.unique(member * (int(entities.max()) + 1) + entities[known], return_inverse=True)
        owned = np.bincount(pair * cells + cell, minlength=len(pairs) * cells).reshape(len(pairs), classes, classes)
        of_entities = owned, pairs // (int(entities.max()) + 1)
    return Slice(
        name=name,
        groups=groups.names,
        sizes=table.sum(axis=(1, 2)),
        missing=len(groups.codes) - len(known),
        kinds={kind: _counted(kind, table, of_entities) for kind in RATES},
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


def _counted(kind: str, table: Counts, of_entities: tuple[Counts, Counts] | None) -> GroupRates:
    """Rates of a kind from the groups' tables; `of_entities` holds tables (columns, K, K) and their groups."""
    numerator, denominator = rates_of(kind, table)
    effective = denominator
    if of_entities is not None:
        effective = _proportions.effective_rows(*rates_of(kind, of_entities[0]), of_entities[1], len(table))
    return GroupRates(_ratio(numerator, denominator), denominator.astype(np.int64), effective)


def error_slice(name: str, groups: arrays.Groups, errors: Floats, sampling: intervals.Sampling) -> Slice:
    """Mean absolute error of each group with its standard error, over entities where there are any.

    Args:
        name: Of the slice.
        groups: Codes (rows,) and names.
        errors: (rows,) prediction less target.
        sampling: The entities.
    """
    known, count = np.flatnonzero(groups.codes >= 0), len(groups.names)
    member, found = groups.codes[known].astype(np.int64), np.abs(errors[known])
    sizes = np.bincount(member, minlength=count)
    total = np.bincount(member, weights=found, minlength=count)
    rates = _ratio(total.astype(np.float64), sizes.astype(np.float64))
    unit = np.arange(len(known)) if sampling.entities is None else intervals.clusters(sampling.entities)[known]
    pairs, pair = np.unique(member * (int(unit.max(initial=0)) + 1) + unit, return_inverse=True)
    owner = pairs // (int(unit.max(initial=0)) + 1)
    units = np.bincount(owner, minlength=count).astype(np.float64)
    residuals = np.bincount(pair, weights=found - rates[member], minlength=len(pairs))
    squares = np.bincount(owner, weights=residuals**2, minlength=count)
    enough = units > 1
    deviation = np.sqrt(squares * np.where(enough, units / np.maximum(units - 1, 1), 1.0)) / np.maximum(sizes, 1)
    rated = GroupRates(rates[None], sizes[None], units[None], np.where(enough, deviation, np.inf)[None])
    return Slice(name, groups.names, sizes, len(errors) - len(known), {"error": rated})
