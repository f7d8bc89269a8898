"""What the outputs rest on, and where they hold: prediction sets, a flag for strange inputs, attributions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.base import Section

Level = Annotated[float, Field(gt=0.5, lt=1)]


class Conformal(Section):
    """Prediction sets (classification) and prediction intervals (regression) calibrated on the validation part."""

    levels: tuple[Level, ...] = Field(default=(0.9,), min_length=1)
    """Share of cases that the set or interval shall hold; the first level gives the headline."""
    method: Literal["lac", "aps"] = "lac"
    """`lac`: the classes above one probability, the smallest sets on average (Sadinle et al. 2019). `aps`: the most
    probable classes up to a summed probability, more even over easy and hard cases (Romano et al. 2020)."""
    per_class: bool = True
    """Classification: a threshold for each class, so that each class is covered (Mondrian). Without it the sets are
    smaller, and a rare class may be left out of all of them."""


class OutOfDistribution(Section):
    """The flag for inputs unlike those of training."""

    quantile: float = Field(default=0.99, gt=0.5, lt=1)
    """Share of the training rows whose distance is below the threshold of the flag."""
    rows: int = Field(default=2000, ge=20)
    """Largest number of test rows that are altered to see whether the flag notices, drawn by a seeded hash."""


class Importance(Section):
    """Permutation importance: one feature at a time shuffled between the test rows."""

    rows: int = Field(default=2000, ge=20)
    """Largest number of test rows, drawn by a seeded hash."""
    repeats: int = Field(default=5, ge=2, le=100)
    """Shuffles of each feature."""
    correlation: float = Field(default=0.7, gt=0, lt=1)
    """Features whose rank correlation in training is at least this, in size, are named beside each other."""


class Attribution(Section):
    """Integrated gradients from the training median of the numeric features."""

    rows: int = Field(default=500, ge=20)
    """Largest number of test rows, drawn by a seeded hash."""
    steps: int = Field(default=50, ge=8, le=1000)
    """Points on the straight line from the baseline to a row."""


class Explanation(Section):
    """What is told about single outputs and about the inputs they hold for."""

    conformal: Conformal = Conformal()
    out_of_distribution: OutOfDistribution = OutOfDistribution()
    importance: Importance = Importance()
    attribution: Attribution = Attribution()
