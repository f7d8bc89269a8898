"""What the model must stand: faults in its inputs, and attacks on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from configs.base import Fraction, Section, Text
from configs.certification import Certification, DeclaredProperty
from configs.data import Column
from configs.shift import Shift, SliceSearch

Share = Annotated[float, Field(gt=0.0, le=1.0)]
"""A share of the rows: more than none, at most all."""


def _no_unit(factor: float) -> float:
    if factor == 1:
        raise ValueError("a factor of 1 changes nothing; leave it out")
    return factor


Factor = Annotated[float, Field(gt=0), AfterValidator(_no_unit)]


class Attack(Section):
    """Attacks on the numeric inputs: gradient attacks with the source model, and one that only asks the graph."""

    epsilon: float = Field(default=0.25, gt=0)
    """Largest change of a feature, in training standard deviations."""
    budget: dict[Text, Annotated[float, Field(ge=0)]] = {}
    """Feature to its largest change in its own unit, instead of epsilon: `{income: 500}`. 0 leaves it alone."""
    steps: int = Field(default=20, ge=1)
    """Steps of the projected gradient from each start."""
    restarts: int = Field(default=1, ge=1)
    """Starts of each gradient attack."""
    auto_steps: int = Field(default=50, ge=5)
    """Steps of AutoPGD from each start, for each of its losses."""
    queries: int = Field(default=500, ge=1)
    """Questions per row of the query-only attack."""
    rows: int = Field(default=1000, ge=1)
    """Largest number of test rows attacked, drawn by a seeded hash."""

    def scaled(self, share: float) -> Attack:
        """The same attack with a share of every budget."""
        budget = {name: share * change for name, change in self.budget.items()}
        return self.model_copy(update={"epsilon": share * self.epsilon, "budget": budget})

    def problem(self, columns: Sequence[Column]) -> str | None:
        """What is wrong with the budgets for a model with these features; None where nothing is."""
        known = {c.name: c for c in columns}
        for name, change in self.budget.items():
            where, column = f"policy.robustness.attack.budget '{name}'", known.get(name)
            if column is None:
                return f"{where}: expected a feature of the model, got an unknown one; known are {', '.join(known)}"
            if column.kind == "categorical":
                return f"{where}: expected a numeric feature, got a categorical one, which is never changed; remove it"
            if change > 0 and column.immutable:
                return f"{where}: expected no budget for an immutable feature, got {change:g}; remove one of the two"
            if column.minimum is not None and column.maximum is not None and change > column.maximum - column.minimum:
                return (
                    f"{where}: expected at most the width of the declared range "
                    f"({column.maximum - column.minimum:g}), got {change:g}; lower it"
                )
        return None


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
    certified: Certification = Certification()
    properties: tuple[DeclaredProperty, ...] = ()
    """What must hold of the exported graph, in VNN-LIB: proven, violated with a confirmed input, or unknown."""
