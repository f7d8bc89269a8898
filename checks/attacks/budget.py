"""What an attack may change: a box around each row, in the units of the features."""

from __future__ import annotations

import dataclasses
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

    def finish(self, x: Floats, original: Floats) -> npt.NDArray[np.float32]:
        """Inputs as they are fed: integers rounded, in float32, and never outside the box by a rounding."""
        fed = np.clip(np.where(self.integer, np.round(x), x), self.low, self.high).astype(np.float32)
        fed = np.where(fed > self.high, np.nextafter(fed, np.float32(-np.inf)), fed)
        fed = np.where(fed < self.low, np.nextafter(fed, np.float32(np.inf)), fed)
        return np.where(self.free, fed, original.astype(np.float32))

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
