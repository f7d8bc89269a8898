"""What a deployed model is held against: how its inputs were distributed, and one made-up input with its output.

Aggregates only. Special categories of personal data are left out, and no share rests on fewer rows than `least`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from evidence.record_base import Record


class Spread(Record):
    """How the values of one input are spread over cells. All shares are of all rows and add up to 1."""

    feature: str
    kind: Literal["numeric", "categorical"]
    integer: bool = False
    unit: str | None = None
    rows: int = Field(ge=0)
    edges: tuple[float, ...] = ()
    """Numeric: ascending inner bounds, near the tenths of the values. Cell i holds `edges[i-1] <= value < edges[i]`;
    the first and the last cell are open to the outside."""
    tenths: tuple[float, ...] = ()
    """Numeric: the nine values below which one to nine tenths of the known values lie; empty where too few rows have
    a value, since a tenth must hold `least` rows."""
    categories: tuple[str, ...] = ()
    """Categorical: the categories that enough rows have, in the order of `shares`."""
    shares: tuple[float, ...]
    """Share of the rows in each cell, 0 to 1."""
    others: float | None = None
    """Categorical: share of the rows in all categories that are not named, since each or their sum is too small."""
    window: int | None = None
    """Rows of a window of use from which an unchanged input is expected to fill at most a quarter of the policy's limit
    for drift by chance; None where the reference itself is too small for that, or has one cell only."""
    missing: float
    """Share of the rows without a value; 0 where fewer than `least` rows have none, which then count to the rest or
    to the largest cell."""


class Label(Record):
    """How often the model gave a label."""

    label: str
    rows: int
    """Test rows with this label."""
    share: float
    """Of all test rows, 0 to 1."""


class LeftOut(Record):
    """An input of which nothing is told."""

    feature: str
    reason: str


class Example(Record):
    """One synthetic input in the order of the model's features, and what the model says of it. No person's row."""

    inputs: tuple[float | None, ...]
    """Numbers, or codes of categories, as float32 has them; None is missing."""
    label: int | None = None
    """Code of the class."""
    probabilities: tuple[float, ...] = ()
    prediction: float | None = None
    inputs_sha256: str
    """SHA-256 of the row as the model got it: little-endian float32, features in order, missing as NaN 0x7fc00000."""


class ReferenceRecord(Record):
    """The reference of post-market monitoring (AI Act Art. 72), from the training part."""

    version: Literal[1] = 1
    part: Literal["train", "test"]
    """Part that the distributions are of: `train`, or `test` where predictions were given and nothing was trained."""
    rows: int
    least: int
    """Fewest rows of a cell."""
    inputs: tuple[Spread, ...]
    left_out: tuple[LeftOut, ...] = ()
    labels: tuple[Label, ...] = ()
    """Labels that at least `least` test rows got. Empty for regression."""
    example: Example | None = None
    """None where predictions were given without a model."""
