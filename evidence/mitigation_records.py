"""What mitigation and calibration came to: the parts of a training record that say how the graph decides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evidence.record_base import Record


class GroupWeights(Record):
    """The weights that reweighing gives the training rows of a group: P(group) P(label) / P(group, label)."""

    group: str
    negative: float = Field(ge=0)
    """Weight of a row of class 0."""
    positive: float = Field(ge=0)
    """Weight of a row of class 1."""
    negative_rows: int = Field(ge=0)
    """Training rows of class 0."""
    positive_rows: int = Field(ge=0)


class Member(Record):
    """A model of the weighted combination."""

    weight: float = Field(gt=0, le=1)
    epochs: int = Field(ge=0)
    """Epochs run; 0 for a constant."""
    best_epoch: int = Field(ge=0)
    constant: Literal[0, 1] | None = None
    """The class that it always gives, where the weighted training rows had one class only."""


class Ensemble(Record):
    """What the reduction found: a classifier that draws a member at random, shipped as the weighted mean of them all.

    The mean is another classifier than the random draw of the paper, whose guarantee does not carry over to it. What
    ships is measured; these rates are what the reduction saw on the training rows.
    """

    members: tuple[Member, ...]
    fitted: int
    """Networks trained in all; those without weight are left out."""
    iterations: int
    """Rounds of the reduction."""
    converged: bool
    """Did the duality gap fall below the limit within the rounds?"""
    gap: float
    """Duality gap of the best round; the smaller, the nearer to the best trade-off."""
    cut: float
    """Probability from which the members' labels are positive in the reduction."""
    violation_random: float
    """Training rows: largest difference between the rate of a group and that of all, drawing a member at random."""
    violation_shipped: float
    """The same for the weighted mean cut at `cut`."""
    missing_rows: int = Field(ge=0)
    """Training rows without a group, which the reduction leaves out."""


class GroupThreshold(Record):
    """The cut of one group, and the rates it gives on the validation rows."""

    group: str
    value: float
    """Probability from which the label is positive."""
    rates: dict[str, float]
    """Rates of this cut on the group's validation rows."""
    wanted: dict[str, float]
    """Rates that the randomised rule has in expectation."""
    rows: int
    """Validation rows of the group."""


class GroupThresholds(Record):
    """How the graph finds the group of a row, and from which probability each group is labelled positive.

    A row whose group is unknown takes the common threshold.
    """

    attribute: str
    feature: str
    """Name of the input feature that tells the group."""
    groups: tuple[GroupThreshold, ...]
    edges: tuple[float, ...] = ()
    """Numeric feature: group 0 is below the first edge, group k is from edge k − 1 to below edge k."""
    codes: tuple[int, ...] = ()
    """Categorical feature: position in `groups` for each category code; −1 is no group."""


class MitigationRecord(Record):
    """What was done about the groups of an attribute. What it came to on the graph stands among the results."""

    method: Literal["reweighing", "exponentiated_gradient", "threshold_optimizer"]
    attribute: str
    constraint: str
    weights: tuple[GroupWeights, ...] = ()
    """Reweighing; a row without a group has weight 1."""
    ensemble: Ensemble | None = None
    """Exponentiated gradient."""


class CalibrationRecord(Record):
    """Temperature scaling: logits are divided by `temperature` before the softmax."""

    method: Literal["temperature"] = "temperature"
    temperature: float = Field(gt=0)
    rows: int
    """Validation rows it was fitted on."""
    log_loss_before: float
    """Mean negative log likelihood of these rows before."""
    log_loss_after: float
