"""Sums over rows and entities from which a mean, its spread and its effective number of rows follow.

Everything is additive over entities, so the sums of all other groups together are those of all less the own ones. That
is what a comparison with the overall rate needs: a group is part of the whole, but shares no row with the rest.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Moments:
    """Sums of a value over the rows of each group, and over its entities; each (families, groups)."""

    units: Floats
    """Entities with rows; rows, where rows are independent."""
    count: Floats
    """Rows."""
    total: Floats
    """Summed values; of a share the successes."""
    squares: Floats
    """Squared rows of the entities, summed."""
    crossed: Floats
    """Rows times summed value of each entity, summed."""
    total_squares: Floats
    """Squared summed values of the entities, summed."""

    def rest(self) -> Moments:
        """The same for all other groups of the family together."""
        return Moments(*(_others(getattr(self, field.name)) for field in dataclasses.fields(self)))

    @property
    def mean(self) -> Floats:
        """Mean value; NaN without rows."""
        return np.divide(self.total, self.count, out=np.full(self.count.shape, np.nan), where=self.count > 0)

    def effective_rows(self) -> Floats:
        """Independent rows that would know a share as well: at most the rows, 0 where there are none.

        See `checks._proportions` for the two pseudo-entities.
        """
        present = self.count > 0
        rows = np.where(present, self.count, 1.0)
        size = np.where(present, self.squares / rows, 1.0)
        share = (self.total + size) / (rows + 2 * size)
        pseudo = size**2 * (share**2 + (1 - share) ** 2)
        spread = self.total_squares - 2 * share * self.crossed + share**2 * self.squares + pseudo
        effect = spread / ((rows + 2 * size) * share * (1 - share))
        return np.where(present, self.count / np.maximum(effect, 1.0), 0.0)

    def standard_error(self, pseudo: Floats | float = 0.0) -> Floats:
        """Standard error of the mean, over entities; infinite with fewer than two of them.

        Args:
            pseudo: Squared deviations added as if of rows of the mean size, where the values alone can have no spread.
        """
        enough, rows = self.units > 1, np.maximum(self.count, 1.0)
        mean = np.where(self.count > 0, self.mean, 0.0)
        spread = np.maximum(self.total_squares - 2 * mean * self.crossed + mean**2 * self.squares, 0.0)
        spread = spread + pseudo * (self.squares / rows) ** 2
        scale = np.where(enough, self.units / np.maximum(self.units - 1, 1.0), 1.0)
        return np.where(enough, np.sqrt(spread * scale) / rows, np.inf)

    def membership_rows(self) -> Floats:
        """Independent rows that would know the groups' shares of the rows as well, (families, 1)."""
        rows, squares = self.count.sum(axis=1, keepdims=True), self.squares.sum(axis=1, keepdims=True)
        return np.divide(rows**2, squares, out=np.zeros_like(rows), where=squares > 0)


def of_rows(total: Floats, count: Floats, total_squares: Floats | None = None) -> Moments:
    """Of independent rows: sums of values, rows, and sums of squared values (of a share those are the successes)."""
    return Moments(count, count, total, count, total, total if total_squares is None else total_squares)


def of_entities(total: Floats, count: Floats, member: npt.NDArray[np.integer], groups: int) -> Moments:
    """Of entities.

    Args:
        total: (families, columns) summed values of each entity of a group.
        count: (families, columns) its rows.
        member: (columns,) the group of each column; an entity with rows in two groups has two columns.
        groups: Number of groups.
    """

    def summed(values: Floats) -> Floats:
        return np.stack([np.bincount(member, weights=v, minlength=groups) for v in values])

    return Moments(
        units=summed(count > 0),
        count=summed(count),
        total=summed(total),
        squares=summed(count**2),
        crossed=summed(count * total),
        total_squares=summed(total**2),
    )


def _others(values: Floats) -> Floats:
    return values.sum(axis=1, keepdims=True) - values
