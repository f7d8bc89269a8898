"""What the model must stand: faults in its inputs, and attacks on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.base import Fraction, Section
from configs.certification import Certification, DeclaredProperty


class Attack(Section):
    """Projected-gradient attack in standardised feature space."""

    epsilon: float = Field(default=0.25, gt=0)
    """Largest change of a feature, in training standard deviations."""
    steps: int = Field(default=20, ge=1)
    restarts: int = Field(default=1, ge=1)
    rows: int = Field(default=1000, ge=1)
    """Largest number of test rows attacked, drawn by a seeded hash."""


class Robustness(Section):
    """Faults that are put into the inputs."""

    noise: tuple[Annotated[float, Field(gt=0)], ...] = (0.05, 0.1, 0.25, 0.5)
    """Gaussian noise on numeric features, in training standard deviations."""
    missing: tuple[Fraction, ...] = (0.05, 0.1, 0.25)
    """Shares of the inputs that are made missing."""
    out_of_range: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    """How far beyond the training range one numeric feature is pushed, in units of that range."""
    attack: Attack = Attack()
    certified: Certification = Certification()
    properties: tuple[DeclaredProperty, ...] = ()
    """What must hold of the exported graph, in VNN-LIB: proven, violated with a confirmed input, or unknown."""
