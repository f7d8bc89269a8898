"""Confidence intervals by the bootstrap: of count tables, of weighted rows, of whole entities.

A metric that is a function of counts is replicated by drawing its count table from a multinomial, which costs the same
whatever the number of rows. Any other metric is replicated from bootstrap weights: how often each row was drawn. Where
rows belong to entities (a patient with several stays), whole entities are drawn.

A table with an empty cell would never draw it again: 0 errors in 30 rows would give the interval [0, 0]. The
multinomial therefore draws from the table with two pseudo-rows spread evenly over its cells (Agresti and Coull 1998
for one proportion, Agresti and Caffo 2000 for two). Everything is deterministic for a seed and a label.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse

from evidence import records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]

PSEUDO_ROWS = 2.0
BLOCK_CELLS = 1 << 20
"""Weights held at once: 8 MB."""


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How intervals are made."""

    level: float = 0.95
    replicates: int = 1000
    seed: int = 0
    entities: Codes | None = None
    """(rows,): the entity of each row, where rows are not independent; negative is an entity of its own."""

    def rng(self, label: str) -> np.random.Generator:
        """A stream of its own for each label, whatever the order of the calls."""
        return np.random.default_rng([self.seed, zlib.crc32(label.encode())])

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Sampling:
        """The same for a selection of the rows."""
        return self if self.entities is None else dataclasses.replace(self, entities=self.entities[rows])

    def method(self, how: str) -> str:
        """Text for `Interval.method`."""
        return f"{how}, {self.replicates:,} replicates, seed {self.seed}"


def clusters(entities: Codes) -> Codes:
    """Entity codes 0…E−1, shape (rows,); each row without an entity (negative code) is one of its own."""
    codes = np.asarray(entities, dtype=np.int64).copy()
    alone = codes < 0
    codes[alone] = codes.max(initial=0) + 1 + np.arange(alone.sum())
    return np.unique(codes, return_inverse=True)[1]


def weights(rows: int, sampling: Sampling, label: str) -> Iterator[Floats]:
    """Bootstrap weights in blocks of shape (b, rows): how often each row was drawn in each replicate."""
    rng = sampling.rng(label)
    member = None if sampling.entities is None else clusters(sampling.entities)
    units = rows if member is None else int(member.max()) + 1
    block = max(1, BLOCK_CELLS // max(rows, 1))
    for start in range(0, sampling.replicates, block):
        size = min(block, sampling.replicates - start)
        drawn = rng.integers(0, units, size=(size, units), dtype=np.int32)
        counts = np.stack([np.bincount(d, minlength=units) for d in drawn]).astype(np.float64)
        yield counts if member is None else counts[:, member]


def replicate(statistic: Callable[[Floats], Floats], rows: int, sampling: Sampling, label: str) -> Floats:
    """Replicates (replicates, M) of a statistic that maps weights (b, rows) to (b, M)."""
    return np.concatenate([statistic(w) for w in weights(rows, sampling, label)])


def smoothed(counts: Floats) -> Floats:
    """Cell probabilities with two pseudo-rows spread evenly over the cells of the last axis."""
    padded = counts + PSEUDO_ROWS / counts.shape[-1]
    return padded / padded.sum(axis=-1, keepdims=True)


def draw_tables(counts: Codes, sampling: Sampling, label: str) -> Floats:
    """Replicates of independent count tables.

    Args:
        counts: (…, cells) rows in each cell; each table keeps its total.
        sampling: Replicates and seed.
        label: Name of the stream.

    Returns:
        (replicates, …, cells)
    """
    totals = counts.sum(axis=-1)
    shape = (sampling.replicates, *totals.shape)
    drawn = sampling.rng(label).multinomial(totals, smoothed(counts.astype(np.float64)), size=shape)
    return drawn.astype(np.float64)


def draw_clustered(codes: Codes, cells: int, sampling: Sampling, label: str) -> Floats:
    """Replicates (replicates, cells) of the counts of `codes` (rows,), drawing whole entities; negative codes are out.

    Cells that no replicate changes (empty ones) stay as they are: see `tables` for what is done about it.
    """
    if sampling.entities is None:
        raise ValueError("draw_clustered needs entities")
    member = clusters(sampling.entities)
    units = int(member.max()) + 1
    known = codes >= 0
    table = sparse.csr_array(
        (np.ones(int(known.sum())), (codes[known].astype(np.int64), member[known])), shape=(cells, units)
    )
    by_entity = dataclasses.replace(sampling, entities=None)
    return np.concatenate([(table @ w.T).T for w in weights(units, by_entity, label)])


def tables(codes: Codes, cells: int, sampling: Sampling, label: str) -> Floats:
    """Replicates (replicates, cells) of the count table of `codes` (rows,): by entity where there are entities."""
    counts = np.bincount(codes, minlength=cells)
    if sampling.entities is None:
        return draw_tables(counts, sampling, label)
    return draw_clustered(codes, cells, sampling, label)


def table_method(sampling: Sampling) -> str:
    """How `tables` draws, for `Interval.method`."""
    if sampling.entities is None:
        return sampling.method("multinomial bootstrap, percentile")
    return sampling.method(f"cluster bootstrap over {_count(sampling.entities)} entities, percentile")


def row_method(sampling: Sampling) -> str:
    """How `replicate` draws, for `Interval.method`."""
    if sampling.entities is None:
        return sampling.method("row bootstrap, percentile")
    return sampling.method(f"cluster bootstrap over {_count(sampling.entities)} entities, percentile")


def percentile(replicates: Floats, value: float, sampling: Sampling, method: str) -> records.Interval | None:
    """The percentile interval, widened to hold the measured value.

    Args:
        replicates: (replicates,) values, NaN where the metric is undefined in a replicate.
        value: The measured value.
        sampling: The level.
        method: Text; how many replicates were undefined is added.

    Returns:
        None where the bootstrap says nothing: no replicate is defined, or all are equal (a metric at its extreme in
        every row, or a single row). An interval of no width would claim a certainty that nobody has.
    """
    defined = replicates[np.isfinite(replicates)]
    if len(defined) == 0 or np.ptp(defined) <= 1e-12 * max(1.0, abs(value)):
        return None
    tail = (1 - sampling.level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    lost = len(replicates) - len(defined)
    return records.Interval(
        low=float(min(low, value)),
        high=float(max(high, value)),
        level=sampling.level,
        method=f"{method}, {lost} undefined and left out" if lost else method,
    )


def _count(entities: Codes) -> str:
    return f"{int(clusters(entities).max()) + 1:,}"
