"""What a re-run came to: each declared value beside the one that was measured again."""

from __future__ import annotations

from typing import Literal

from evidence import records

Status = Literal["reproduced", "differs", "cannot_tell"]
WORST_FIRST: tuple[Status, ...] = ("differs", "cannot_tell", "reproduced")


class Comparison(records.Record):
    """One measure: declared, and measured again."""

    check_id: str
    name: str
    slice: str
    unit: str
    declared: float | None
    declared_interval: records.Interval | None
    declared_n: int | None
    measured: float | None
    measured_interval: records.Interval | None
    measured_n: int | None
    status: Status
    reason: str
    """One sentence: by what rule."""
    headline: bool
    """Does it decide over its check? A single group does not; a difference found there counts all the same."""


class NotRepeated(records.Record):
    """A check that was not measured again, or a part of one."""

    check_id: str
    reason: str


class Judged(records.Record):
    """A threshold of the plan, laid on what was declared and on what was measured again."""

    check_id: str
    slice: str
    required: bool
    declared: records.Status
    measured: records.Status
    text: str


class Rows(records.Record):
    """The rows that were measured."""

    origin: Literal["bundle", "facility"]
    """`bundle`: the test rows that travelled, which are the rows of the declared values."""
    name: str
    sha256: records.Sha256
    rows: int
    warnings: tuple[str, ...] = ()


class Rerun(records.Record):
    """The outcome of a re-run."""

    version: Literal[1] = 1
    bundle_id: str
    bundle_sha256: records.Sha256
    """Of the ZIP file."""
    run_id: str
    key_fingerprint: records.Sha256
    demonstration: bool
    at: records.UtcTime
    runtime: str
    """ONNX Runtime version and execution provider."""
    limits: str = ""
    """In words, whether the process that ran the model could reach a network; empty in outcomes of before."""
    measured_with: str = ""
    """In words, whether code and packages are those of the commitment; empty in outcomes of before."""
    data: Rows
    status: Status
    """`differs` where any measure differs; else `cannot_tell` where a check's headline cannot be compared."""
    comparisons: tuple[Comparison, ...]
    not_repeated: tuple[NotRepeated, ...]
    thresholds: tuple[Judged, ...]

    def counted(self, status: Status) -> int:
        """Number of measures with this status."""
        return sum(one.status == status for one in self.comparisons)
