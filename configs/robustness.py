"""What the model must stand: faults in its inputs, and attacks on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from configs.base import Fraction, Section, Text
from configs.data import Column


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


class Robustness(Section):
    """Faults that are put into the inputs."""

    noise: tuple[Annotated[float, Field(gt=0)], ...] = (0.05, 0.1, 0.25, 0.5)
    """Gaussian noise on numeric features, in training standard deviations."""
    missing: tuple[Fraction, ...] = (0.05, 0.1, 0.25)
    """Shares of the inputs that are made missing."""
    out_of_range: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    """How far beyond the training range one numeric feature is pushed, in units of that range."""
    attack: Attack = Attack()
