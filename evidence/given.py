"""The record of predictions that were given instead of a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evidence.records import ArtifactRef, DecisionThreshold, Record


class GivenPredictions(Record):
    """What a model said of the test rows, as it was given. All arrays in the row order of the encoded test part."""

    version: Literal[1] = 1
    rows: int = Field(ge=1)
    labels: ArtifactRef | None = None
    """`.npy`, int64 class codes, shape (rows,)."""
    probabilities: ArtifactRef | None = None
    """`.npy`, float64, shape (rows, classes)."""
    predictions: ArtifactRef | None = None
    """`.npy`, float64, shape (rows,): regression."""
    columns: dict[str, str]
    """Column of the data to what it holds, for example `predicted` to `label`."""
    labels_from: Literal["given", "threshold", "largest"] | None = None
    """`given`: a column holds them. `threshold`: positive where the probability is at least that of `threshold`.
    `largest`: the class with the largest probability. None for regression."""
    threshold: DecisionThreshold | None = None
    """Binary, with probabilities: the probability from which the label is positive, as stated or by default."""
    disagreeing: int | None = None
    """Rows whose given label is not the one that the probabilities lead to; None where only one of them is given."""
    largest_sum_error: float | None = None
    """Largest distance of a row's given probabilities from the sum 1; None where one column was given for two."""
