"""What an attack may change: a box around each row, in the units of the features."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from evidence import records

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Features = tuple[records.FeatureSpec, ...]


@dataclasses.dataclass(frozen=True)
class Budget:
    """Where each input may go: `low` and `high` (n, features), `integer` (features,), `free` (n, features).

    Where a cell is not free, both ends are its own value. The ends of a free integer cell are whole numbers.
    """

    low: Floats
    high: Floats
    integer: Bools
    free: Bools

    def take(self, rows: npt.NDArray[np.integer] | Bools) -> Budget:
        """The same for some rows."""
        return Budget(self.low[rows], self.high[rows], self.integer, self.free[rows])

    def project(self, x: Floats, original: Floats) -> Floats:
        """The nearest admissible inputs; fixed and missing cells are those of `original`."""
        return np.where(self.free, np.clip(x, self.low, self.high), original)

    @functools.cached_property
    def single(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The ends of the box in float32, rounded inwards. A cell that is not free keeps its own value."""
        low, high = self.low.astype(np.float32), self.high.astype(np.float32)
        low = np.where(self.free & (low < self.low), np.nextafter(low, np.float32(np.inf)), low)
        high = np.where(self.free & (high > self.high), np.nextafter(high, np.float32(-np.inf)), high)
        return low, high

    def finish(
        self, x: npt.NDArray[np.floating], rows: npt.NDArray[np.integer] | slice = slice(None)
    ) -> npt.NDArray[np.float32]:
        """Inputs (m, features) of some rows as they are fed: integers rounded, in float32, never outside the box."""
        low, high = (ends[rows] for ends in self.single)
        wanted = np.where(self.integer, np.round(x), x) if self.integer.any() else x
        return np.clip(wanted.astype(np.float32), low, high)

    @property
    def width(self) -> Floats:
        """Length of each side of the box, (n, features); 0 where a cell is not free."""
        return np.where(self.free, self.high - self.low, 0.0)


def budget(features: Features, x: Floats, epsilon: float, budgets: Mapping[str, float] | None = None) -> Budget:
    """The admissible inputs around x.

    Immutable and categorical features stay as they are, missing cells stay missing. A value stays within the training
    range; one that was outside already may stay where it is, or move towards the range.

    Args:
        features: The inputs of the model.
        x: (n, features)
        epsilon: Largest change in training standard deviations.
        budgets: Feature to its largest change in its own unit, instead of epsilon.
    """
    original = np.asarray(x, dtype=np.float64)
    reach = reaches(features, epsilon, budgets)
    floor = np.array([-np.inf if f.minimum is None else f.minimum for f in features])
    ceiling = np.array([np.inf if f.maximum is None else f.maximum for f in features])
    integer = np.array([f.integer for f in features], dtype=bool)
    low = np.maximum(original - reach, np.minimum(floor, original))
    high = np.minimum(original + reach, np.maximum(ceiling, original))
    low, high = np.where(integer, np.ceil(low), low), np.where(integer, np.floor(high), high)
    # Nowhere to go: no reach, no whole number inside, or only the number that stands there.
    moves = (low <= high) & ~((low == original) & (high == original))
    free = attackable(features) & np.isfinite(original) & moves
    return Budget(np.where(free, low, original), np.where(free, high, original), integer, free)


def reaches(features: Features, epsilon: float, budgets: Mapping[str, float] | None = None) -> Floats:
    """Largest change of each feature in its own unit, (features,)."""
    own = budgets or {}
    return np.array([own.get(f.name, epsilon * (f.std or 0.0)) for f in features], dtype=np.float64)


def attackable(features: Features) -> Bools:
    """Which features an adversary can change at all, (features,): the numeric ones that are not immutable."""
    return np.array([f.kind == "numeric" and not f.immutable for f in features], dtype=bool)
