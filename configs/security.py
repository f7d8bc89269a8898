"""How the model is tested against attacks on its training data, its parts and its confidentiality."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.base import Fraction, Section


class Membership(Section):
    """Membership inference: can somebody who asks the model tell which rows it was trained on?"""

    rows: int = Field(default=10_000, ge=1)
    """Largest number of training rows attacked, and as many test rows, drawn by a seeded order of their digests."""
    shadows: int = Field(default=16, ge=0, le=1024)
    """Shadow models of the likelihood-ratio attack, each trained anew on half of the attacked rows and of
    further training and validation rows, up to twice `rows` in all."""
    false_positives: float = Field(default=0.001, gt=0, le=0.5)
    """False-positive rate at which the rate of members found is reported."""


class Poisoning(Section):
    """Data poisoning: what wrong labels do to the model, and which training rows look wrong."""

    rows: int = Field(default=5000, ge=1)
    """Largest number of training rows used, drawn by a seeded order of their digests."""
    flips: tuple[Annotated[Fraction, Field(gt=0)], ...] = (0.02, 0.05, 0.1)
    """Shares of the training labels that are flipped at random."""
    repeats: int = Field(default=3, ge=2, le=64)
    """Trainings at each share, with other flips and another seed."""
    folds: int = Field(default=5, ge=2, le=20)
    """Folds of the search for suspicious rows: each is scored by a model trained on the others."""


class Security(Section):
    """Attacks of AI Act Art. 15(5) other than evasion."""

    membership: Membership = Membership()
    poisoning: Poisoning = Poisoning()
    confident: float = Field(default=0.9, ge=0.5, lt=1)
    """A wrong label that the model gives at least this probability counts as a confident error."""
    seconds: float = Field(default=1800, gt=0)
    """Guard on the time of each check that trains anew. One that needs longer is not measured; the work itself is set
    by rows, shadows, repeats and folds, so that results do not depend on the clock."""
