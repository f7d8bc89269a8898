"""What the model must stand: faults in its inputs, and attacks on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from configs.base import Fraction, Section, Text
from configs.shift import Shift, SliceSearch

Share = Annotated[float, Field(gt=0.0, le=1.0)]
"""A share of the rows: more than none, at most all."""


def _no_unit(factor: float) -> float:
    if factor == 1:
        raise ValueError("a factor of 1 changes nothing; leave it out")
    return factor


Factor = Annotated[float, Field(gt=0), AfterValidator(_no_unit)]


class Attack(Section):
    """Projected-gradient attack in standardised feature space."""

    epsilon: float = Field(default=0.25, gt=0)
    """Largest change of a feature, in training standard deviations."""
    steps: int = Field(default=20, ge=1)
    restarts: int = Field(default=1, ge=1)
    rows: int = Field(default=1000, ge=1)
    """Largest number of test rows attacked, drawn by a seeded hash."""


class Units(Section):
    """Values in another unit than the one that was declared."""

    shares: tuple[Share, ...] = (0.1, 0.5, 1.0)
    """Shares of the rows that are entered in the wrong unit, or with two columns exchanged."""
    factors: tuple[Factor, ...] = (0.1, 10.0, 0.001, 1000.0)
    """What a feature is multiplied by where nothing better is known of its unit: a shifted decimal point, a prefix."""
    by_unit: dict[Text, tuple[Factor, ...]] = {}
    """Unit, as in `data.columns[].unit`, to the factors of its features. Goes before the table of usual units
    (`configs.units`), and this before `factors`."""


class Robustness(Section):
    """Faults that are put into the inputs."""

    noise: tuple[Annotated[float, Field(gt=0)], ...] = (0.05, 0.1, 0.25, 0.5)
    """Gaussian noise on numeric features, in training standard deviations."""
    missing: tuple[Fraction, ...] = (0.05, 0.1, 0.25)
    """Shares of the inputs that are made missing."""
    out_of_range: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    """How far beyond the training range one numeric feature is pushed, in units of that range."""
    units: Units = Units()
    """Numeric features in another unit, and columns of one unit exchanged."""
    unseen_category: tuple[Share, ...] = (0.1, 0.5, 1.0)
    """Shares of the rows in which one categorical feature has a code that the training split does not hold."""
    stuck: tuple[Share, ...] = (0.1, 0.5, 1.0)
    """Shares of the rows in which one numeric feature is frozen at one value."""
    rounding: tuple[Annotated[float, Field(gt=0)], ...] = (0.1, 0.25, 0.5, 1.0)
    """Steps of the grid to which every numeric feature is rounded, in training standard deviations."""
    significant_digits: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (3, 2, 1)
    """Significant digits to which every numeric feature is rounded."""
    shift: Shift = Shift()
    """Other circumstances than those of the data as a whole: sites, times, another population."""
    slice_search: SliceSearch = SliceSearch()
    """Search for the slice of the data on which the model is worst."""
    attack: Attack = Attack()
