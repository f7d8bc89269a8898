"""Search for the slices of some rows on which a loss is largest: conjunctions of conditions, all of them, as bit-masks.

A condition is a category of a feature, a range between quantiles of a numeric one, its absence, or a protected group.
The rows of every pair of conditions and their losses are counted at once by a product of 0/1 matrices, in blocks of
rows, so that memory does not grow with the rows; triples are pairs among the rows of a third condition. Slices are
ranked by what the rows say at least of their excess loss over all rows: the difference less a normal quantile,
corrected for the number of slices looked at (Bonferroni), times its standard error. So a slice of few rows comes first
only where its excess is beyond luck, and a condition is added only where it says more.

Refs: Chung et al., Slice Finder, IEEE TKDE 32 (2020) 2284. Pastor et al., DivExplorer, SIGMOD 2021.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from evidence import arrays, records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int16]

BLOCK = 1 << 14
"""Rows of a 0/1 matrix that are held at once."""
KEPT = 500
"""Slices that are ranked in full."""
ALIKE = 0.5
"""Slices that share more than this part of their rows (Jaccard) are one finding; the better one stays."""


@dataclasses.dataclass(frozen=True)
class Axis:
    """A feature or a protected attribute, cut into conditions. Knows how to code the rows of any part."""

    name: str
    source: str
    """Column it is taken from: two conditions on one column are never combined."""
    words: tuple[str, ...]
    """What each condition says: `age >= 48`."""
    feature: int | None = None
    edges: tuple[float, ...] = ()
    """Cut points of a numeric feature."""
    categories: tuple[int, ...] = ()
    """Codes of the categories that are conditions, or the groups of a protected attribute."""
    absent: bool = False
    """Is the last condition the absence of the value?"""

    def codes(self, part: arrays.Part) -> Codes:
        """The condition that each row meets (rows,), −1 for none."""
        if self.feature is None:
            values = part.groups[self.name].codes.astype(np.float64)
            values[values < 0] = np.nan
        else:
            values = part.x[:, self.feature].astype(np.float64)
        known = np.isfinite(values)
        found = np.full(len(values), len(self.words) - 1 if self.absent else -1, np.int16)
        if self.edges:
            found[known] = np.searchsorted(np.array(self.edges), values[known], side="right")
            return found
        found[known] = -1
        for index, category in enumerate(self.categories):
            found[values == category] = index
        return found


@dataclasses.dataclass(frozen=True)
class Slice:
    """A conjunction of conditions, as (axis, condition) pairs, with what the search found."""

    conditions: tuple[tuple[int, int], ...]
    rows: int
    loss: float
    """Mean loss of its rows."""
    excess: float
    """Mean loss of its rows less that of all rows."""
    least: float
    """What the rows say at least of the excess, over all slices looked at."""

    def mask(self, codes: Sequence[Codes]) -> npt.NDArray[np.bool_]:
        """Which rows belong to it, from the codes of every axis."""
        return np.all([codes[axis] == condition for axis, condition in self.conditions], axis=0)


def axes(
    features: Sequence[records.FeatureSpec],
    part: arrays.Part,
    attributes: dict[str, str],
    *,
    bins: int,
    categories: int,
    least: int,
) -> tuple[Axis, ...]:
    """What can be combined into slices, cut on the rows of a part.

    Args:
        features: The inputs.
        part: The rows that are searched.
        attributes: Protected attribute to its column.
        bins: Into how many quantiles a numeric feature is cut.
        categories: Most categories of a feature, the most frequent first.
        least: A condition that fewer rows meet is left out.
    """
    found = [
        _numeric(spec, j, part.x[:, j], bins, least)
        if spec.kind == "numeric"
        else _categorical(spec, j, part.x[:, j], categories, least)
        for j, spec in enumerate(features)
    ]
    for name, column in attributes.items():
        groups = part.groups[name]
        some = [i for i, n in enumerate(_counts(groups.codes, len(groups.names))) if n >= least]
        words = tuple(f"{name} = {groups.names[i]}" for i in some)
        found.append(Axis(name, column, words, categories=tuple(some)))
    return tuple(axis for axis in found if len(axis.words) > 0)


def search(
    codes: Sequence[Codes], sources: Sequence[str], sizes: Sequence[int], loss: Floats, level: float,
    *, conditions: int, least: int, wanted: int,
) -> tuple[tuple[Slice, ...], int]:  # fmt: skip
    """The slices with the largest certain excess loss, the worst first, and how many were looked at.

    Args:
        codes: For each axis (rows,) the condition that a row meets, −1 for none.
        sources: Column of each axis.
        sizes: Number of conditions of each axis.
        loss: (rows,) of each row, larger is worse.
        level: Confidence level.
        conditions: Most conditions of a slice, 1 to 3.
        least: Fewest rows of a slice, and of those outside it.
        wanted: How many slices to return, fewer where fewer stand apart.
    """
    table = _Table(codes, sources, sizes, loss)
    total = len(loss), float(loss.sum()), float(np.sum(loss**2))
    # Pairs are few enough to be kept; triples are counted first and made again.
    kept = list(table.candidates(conditions, least)) if conditions < 3 else None
    looked_at = sum(len(c) for c, *_ in kept or table.candidates(conditions, least))
    if looked_at == 0:
        return (), 0
    quantile = float(special.ndtri(1 - (1 - level) / (2 * looked_at)))
    best: list[tuple[float, int, tuple[int, ...], Slice]] = []
    for members, rows, sums, squares in kept or table.candidates(conditions, least):
        least_excess, excess, mean = _excess(rows, sums, squares, total, quantile)
        # Of equals, the one with fewer conditions, then the first.
        for i in np.argsort(-least_excess, kind="stable")[:KEPT]:
            key = tuple(int(m) for m in members[i])
            made = Slice(
                tuple(table.condition[m] for m in key), int(rows[i]), float(mean[i]), float(excess[i]),
                float(least_excess[i]),
            )  # fmt: skip
            item = (made.least, -len(key), tuple(-m for m in key), made)
            if len(best) < KEPT:
                heapq.heappush(best, item)
            elif item[:3] > best[0][:3]:
                heapq.heapreplace(best, item)
    ranked = [item[3] for item in sorted(best, key=lambda item: item[:3], reverse=True)]
    return _apart(ranked, codes, wanted), looked_at


class _Table:
    """The conditions of all axes as columns of a 0/1 matrix, made in blocks of rows."""

    def __init__(self, codes: Sequence[Codes], sources: Sequence[str], sizes: Sequence[int], loss: Floats) -> None:
        self.codes, self.loss = codes, loss
        self.condition = [(axis, c) for axis, size in enumerate(sizes) for c in range(size)]
        self._start = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        number = {name: i for i, name in enumerate(dict.fromkeys(sources))}
        self._source = np.array([number[sources[axis]] for axis, _ in self.condition])
        self._binary = bool(np.isin(loss, (0.0, 1.0)).all())

    def candidates(self, most: int, least: int) -> Iterator[tuple[npt.NDArray[np.intp], Floats, Floats, Floats]]:
        """Members (slices, conditions), rows, sums of losses and of squared losses, by number of conditions."""
        rows, sums, squares = self._pairs(np.arange(len(self.loss)))
        single = np.arange(len(self.condition))[:, None]
        diagonal = (np.diagonal(rows), np.diagonal(sums), np.diagonal(squares))
        yield self._enough(single, *diagonal, least)
        first, second = np.nonzero(np.triu(self._source[:, None] != self._source[None, :], 1))
        if most > 1:
            yield self._enough(np.stack([first, second], 1), *(t[first, second] for t in (rows, sums, squares)), least)
        for third in range(len(self.condition) if most > 2 else 0):
            yield self._triples(third, least)

    def _triples(self, third: int, least: int) -> tuple[npt.NDArray[np.intp], Floats, Floats, Floats]:
        axis, condition = self.condition[third]
        own = self._pairs(np.flatnonzero(self.codes[axis] == condition))
        later = (np.arange(len(self.condition)) > third) & (self._source != self._source[third])
        allowed = later[:, None] & later[None, :] & (self._source[:, None] != self._source[None, :])
        first, second = np.nonzero(np.triu(allowed, 1))
        members = np.stack([np.full(len(first), third), first, second], 1)
        return self._enough(members, *(t[first, second] for t in own), least)

    def _enough(
        self, members: npt.NDArray[np.intp], rows: Floats, sums: Floats, squares: Floats, least: int
    ) -> tuple[npt.NDArray[np.intp], Floats, Floats, Floats]:
        kept = (rows >= least) & (len(self.loss) - rows >= least)
        return members[kept], rows[kept], sums[kept], squares[kept]

    def _pairs(self, chosen: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        """Rows, losses and squared losses of every pair of conditions (conditions, conditions) among some rows."""
        size = len(self.condition)
        rows, sums, squares = (np.zeros((size, size)) for _ in range(3))
        # Counts below 2^24 are exact in float32, which is twice as fast; losses of a regressor are no counts.
        kind = np.float32 if self._binary else np.float64
        for start in range(0, len(chosen), BLOCK):
            block = chosen[start : start + BLOCK]
            matrix = np.zeros((len(block), size), kind)
            for axis, codes in enumerate(self.codes):
                own = codes[block]
                met = np.flatnonzero(own >= 0)
                matrix[met, self._start[axis] + own[met]] = 1
            loss = self.loss[block].astype(kind)[:, None]
            rows += matrix.T @ matrix
            sums += (matrix * loss).T @ matrix
            if not self._binary:
                squares += (matrix * loss**2).T @ matrix
        return rows, sums, sums if self._binary else squares


def _excess(
    rows: Floats, sums: Floats, squares: Floats, total: tuple[int, float, float], quantile: float
) -> tuple[Floats, Floats, Floats]:
    """Least excess, excess and mean loss of slices; variances with two pseudo-rows, one of them a whole loss."""
    others = total[0] - rows
    mean, rest, outside = sums / rows, (total[1] - sums) / others, others / total[0]
    scale = max(total[2] / max(total[1], 1e-300), 1e-300)
    variance = _variance(rows, sums, squares, scale) / rows
    variance += _variance(others, total[1] - sums, total[2] - squares, scale) / others
    # All rows hold the slice's own: the difference to all is the one to the others times their share.
    return outside * (mean - rest - quantile * np.sqrt(variance)), outside * (mean - rest), mean


def _variance(rows: Floats, sums: Floats, squares: Floats, scale: float) -> Floats:
    mean = (sums + scale) / (rows + 2)
    return np.maximum((squares + scale**2) / (rows + 2) - mean**2, 0.0)


def _apart(ranked: Sequence[Slice], codes: Sequence[Codes], wanted: int) -> tuple[Slice, ...]:
    """The first slices that do not share most of their rows with a better one."""
    chosen: list[Slice] = []
    masks: list[npt.NDArray[np.bool_]] = []
    for one in ranked:
        mask = one.mask(codes)
        if all(np.sum(mask & other) <= ALIKE * np.sum(mask | other) for other in masks):
            chosen.append(one)
            masks.append(mask)
        if len(chosen) == wanted:
            break
    return tuple(chosen)


def _numeric(spec: records.FeatureSpec, feature: int, column: npt.NDArray[np.float32], bins: int, least: int) -> Axis:
    values = column[np.isfinite(column)].astype(np.float64)
    cuts: tuple[float, ...] = ()
    if len(values):
        cuts = _rounded(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"), float(values.min()))
        if not cuts and values.max() > values.min():
            cuts = (float(np.min(values[values > values.min()])),)
    words = _ranges(spec.name, cuts) if cuts else ()
    absent = bool(cuts) and int(np.sum(~np.isfinite(column))) >= least
    return Axis(spec.name, spec.name, (*words, *_missing(spec.name, absent=absent)), feature, cuts, absent=absent)


def _categorical(
    spec: records.FeatureSpec, feature: int, column: npt.NDArray[np.float32], most: int, least: int
) -> Axis:
    known = np.isfinite(column)
    counts = _counts(column[known].astype(np.int64), len(spec.categories))
    some = sorted(np.argsort(-counts, kind="stable")[:most].tolist())
    some = [i for i in some if counts[i] >= least]
    absent = int(np.sum(~known)) >= least
    words = (f"{spec.name} = {spec.labels.get(spec.categories[i], spec.categories[i])}" for i in some)
    return Axis(
        spec.name, spec.name, (*words, *_missing(spec.name, absent=absent)), feature, categories=tuple(some),
        absent=absent,
    )  # fmt: skip


def _rounded(cuts: Floats, lowest: float) -> tuple[float, ...]:
    """Cut points above the lowest value with four significant digits: readable, and no single row's value."""
    shown = np.unique([float(f"{cut:.4g}") for cut in cuts])
    return tuple(shown[shown > lowest].tolist())


def _counts(codes: npt.NDArray[np.integer], size: int) -> npt.NDArray[np.int64]:
    return np.bincount(codes[(codes >= 0) & (codes < size)].astype(np.int64), minlength=size)


def _missing(name: str, *, absent: bool) -> tuple[str, ...]:
    return (f"{name} missing",) if absent else ()


def _ranges(name: str, cuts: tuple[float, ...]) -> tuple[str, ...]:
    shown = [f"{cut:.6g}" for cut in cuts]
    middle = [f"{low} <= {name} < {high}" for low, high in itertools.pairwise(shown)]
    return (f"{name} < {shown[0]}", *middle, f"{name} >= {shown[-1]}")
