"""The rows of the parts as one set of arrays, and the form of a governance result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from checks import _governance_statistics as statistics
from checks import intervals
from checks._governance_inputs import Inputs
from checks._governance_statistics import Estimate, Ints
from configs import shown
from configs.plan import Plan
from evidence import arrays, records
from evidence.folder import RunFolder

ROLES: tuple[records.Role, ...] = ("train", "validation", "test")
JOINT = " × "
"""Between the names of an intersection's attributes, and of its groups."""
NO_LIMIT = "measured; the policy sets no threshold"


@dataclasses.dataclass(frozen=True)
class Rows:
    """All rows of the split data: train, then validation, then test, as far as there are such parts."""

    inputs: Inputs
    """What the model is given."""
    y: npt.NDArray[Any]
    """(rows,)"""
    digests: Callable[[records.Role], npt.NDArray[np.bytes_]]
    """Gives those of a part (rows of the part,)."""
    role: npt.NDArray[np.int8]
    """(rows,): index into `ROLES`."""
    groups: dict[str, arrays.Groups]
    clusters: Ints | None
    """(rows,): entity codes 0…E−1; a row whose entity is missing is one of its own. None without entities."""
    roles: tuple[records.Role, ...] = ROLES
    """The parts that there are."""

    def part(self, role: records.Role) -> npt.NDArray[np.bool_]:
        """Mask of one part."""
        return self.role == ROLES.index(role)

    def of_clusters(self, mask: npt.NDArray[np.bool_]) -> Ints | None:
        """Entities of the rows in `mask`."""
        return None if self.clusters is None else self.clusters[mask]


def load(folder: RunFolder, encoded: records.EncodedData) -> Rows:
    """Open the parts.

    Raises:
        IntegrityError: When an array was altered.
    """
    roles = tuple(role for role in ROLES if role in encoded.parts)
    parts = [encoded.parts[role] for role in roles]

    def joined(references: Iterable[records.ArtifactRef]) -> npt.NDArray[Any]:
        return np.concatenate([arrays.open_array(folder, reference) for reference in references])

    entities = [part.entities for part in parts if part.entities is not None]
    y = [arrays.open_array(folder, part.y) for part in parts]
    return Rows(
        inputs=Inputs(tuple(folder.checked(part.x) for part in parts), sum(map(len, y))),
        y=np.concatenate(y),
        digests=lambda role: arrays.open_array(folder, encoded.parts[role].row_digests),
        role=np.repeat(np.array([ROLES.index(r) for r in roles], dtype=np.int8), [len(of_part) for of_part in y]),
        groups={
            name: arrays.Groups(joined(part.groups[name].codes for part in parts), group.names)
            for name, group in parts[0].groups.items()
        },
        clusters=intervals.clusters(joined(entities)) if len(entities) == len(parts) else None,
        roles=roles,
    )


def interval(estimate: Estimate, plan: Plan, method: str, chosen_from: int = 1) -> records.Interval | None:
    """The interval of an estimate as a record; None where it has no finite bounds.

    `chosen_from` is the number of estimates of which it is the largest or smallest.
    """
    if not np.isfinite([estimate.low, estimate.high]).all():
        return None
    text = f"{method}, for the extreme of {chosen_from} comparisons (Bonferroni)" if chosen_from > 1 else method
    return records.Interval(
        low=float(estimate.low), high=float(estimate.high), level=plan.policy.confidence, method=text
    )


def judged(
    check_id: str,
    title: str,
    measures: Sequence[records.Measure],
    threshold: records.Threshold,
    details: dict[str, Any],
    *,
    doubts: Sequence[str] = (),
) -> records.CheckResult:
    """The three-valued result of a headline measure with an interval against a limit.

    `doubts` are what makes a pass unwarranted, for example groups that are too small to be judged; each is said.
    """
    head = measures[0]
    span = head.interval
    limit = {"at_most": threshold.at_most} if threshold.at_most is not None else {"at_least": threshold.at_least}
    status: Any = "inconclusive" if span is None else statistics.verdict(span.low, span.high, **limit)
    if status == "pass" and doubts:
        status = "inconclusive"
    asked = next(iter(limit.values()))
    bounds = "(no interval)"
    if span is not None:
        bounds = f"[{shown.number(span.low, asked)}, {shown.number(span.high, asked)}]"
    words = f"{'at most' if threshold.at_most is not None else 'at least'} {asked:g}"
    where = "" if head.slice == threshold.slice else f" for {head.slice}"
    sentences = [f"measured {shown.number(head.value, asked)}{where} {bounds}, {words}, n = {head.n:,}", *doubts]
    return records.CheckResult(
        check_id=check_id,
        title=title,
        status=status,
        measures=tuple(measures),
        threshold=threshold,
        reason="; ".join(sentences),
        details=details,
    )


def unmeasured(
    check_id: str, title: str, status: records.Status, reason: str, slice_: str = "overall"
) -> records.CheckResult:
    """A result without a measure, with the reason."""
    return records.CheckResult(check_id=check_id, title=title, status=status, reason=reason, details={"slice": slice_})


def listed(names: Sequence[str], most: int = 6) -> str:
    """The first names, and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
