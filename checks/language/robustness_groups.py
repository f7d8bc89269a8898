"""In which language and in which domain a change of the text costs most, and in which least.

The excerpts of a group are few, so a group with fewer of them than the policy asks for is listed and left out where
groups are compared, unless all are so small. Which languages are none to compare is decided as for bits per byte, see
`checks.language.quality`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from checks import _simultaneous
from checks._group_rates import GroupRates
from checks.language import _ratios, quality
from checks.language._subject import Subject, held_out
from checks.language.texts import Document
from evidence import records

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Groups:
    """What the comparison of groups adds to a result."""

    measures: tuple[records.Measure, ...] = ()
    """Of each slice with two groups or more: where the change costs most, with an interval, and where least."""
    details: dict[str, object] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _Part:
    """The groups of one slice of which an excerpt could be changed."""

    name: str
    """`language` or `domain`."""
    groups: tuple[str, ...]
    """Their names, sorted."""
    rates: GroupRates
    """(1, groups): more bits per byte."""
    large: npt.NDArray[np.bool_]
    """(groups,): has as many excerpts as the policy asks for."""

    @property
    def compared(self) -> npt.NDArray[np.bool_]:
        """Groups (groups,) between which the worst is looked for."""
        return self.large if self.large.any() else np.ones(len(self.groups), bool)


def measure(
    subject: Subject, check: str, excerpts: Sequence[Document], change: Floats, size: Floats, note: str
) -> Groups:
    """Compare the groups of each slice.

    Args:
        subject: The model under test.
        check: Identifier of the check.
        excerpts: The texts that were changed.
        change: (excerpts,) bits that each costs more.
        size: (excerpts,) bytes of the unaltered text.
        note: At which strength of which change.
    """
    parts = [
        part for name in quality.SLICES if len((part := _part(subject, check, excerpts, change, size, name)).groups) > 1
    ]
    if not parts:
        return Groups()
    found = [measure for part in parts for measure in (_worst(subject, check, part, note), _best(check, part, note))]
    details: dict[str, object] = {
        "groups": {part.name: [_row(subject, part, g) for g in range(len(part.groups))] for part in parts},
        "worst_slice": {part.name: f"{part.name} = {part.groups[_place(part, smallest=False)]}" for part in parts},
        "best_slice": {part.name: f"{part.name} = {part.groups[_place(part, smallest=True)]}" for part in parts},
        "small_groups": [f"{part.name}={g}" for part in parts for g, large in _sizes(part) if not large],
        "empty_groups": [
            f"{part.name}={name}"
            for part in parts
            for name in sorted(quality.wanted(subject, part.name) - set(part.groups))
        ],
        "small_left_out": all(part.large.any() for part in parts),
        "minimum_group_size": subject.plan.policy.minimum_group_size,
        "overall_without_groups": True,
        "group_unit": "excerpts",
    }
    return Groups(tuple(found), details)


def _part(subject: Subject, check: str, excerpts: Sequence[Document], change: Floats, size: Floats, name: str) -> _Part:
    of = [document.language if name == "language" else document.domain for document in excerpts]
    named = {group for group, weight in zip(of, size, strict=True) if weight > 0} - _unnamed(subject, name)
    groups = tuple(sorted(named))
    places = {group: place for place, group in enumerate(groups)}
    member = np.array([places.get(group, -1) for group in of], np.int64)
    rates = _ratios.paired_groups(change, size, member, len(groups), subject.sampling, f"{check}.{name}")
    return _Part(name, groups, rates, rates.rows[0] >= subject.plan.policy.minimum_group_size)


def _unnamed(subject: Subject, name: str) -> set[str]:
    return quality.not_named(subject, held_out(subject)) if name == "language" else set()


def _sizes(part: _Part) -> list[tuple[str, bool]]:
    return list(zip(part.groups, part.large.tolist(), strict=True))


def _place(part: _Part, *, smallest: bool) -> int:
    rates = np.where(part.compared, part.rates.rates[0], np.nan)
    return int(np.nanargmin(rates) if smallest else np.nanargmax(rates))


def _worst(subject: Subject, check: str, part: _Part, note: str) -> records.Measure:
    kept, sampling = part.rates.only(part.compared[None]), subject.sampling
    low, high = _simultaneous.extreme(kept.rates, kept.bounds, sampling.level, smallest=False)
    value = float(np.nanmax(kept.rates))
    interval = None
    if np.isfinite(low) and np.isfinite(high):
        method = f"{_ratios.PAIRED.format('the groups')}; lower end simultaneous"
        interval = records.Interval(low=min(low, value), high=max(high, value), level=sampling.level, method=method)
    return records.Measure(
        name=check,
        value=value,
        unit="bit",
        interval=interval,
        n=int(kept.rows[np.isfinite(kept.rates)].sum()),
        slice=part.name,
        split="test",
        note=f"the {part.name} where it is largest, {note}",
    )


def _best(check: str, part: _Part, note: str) -> records.Measure:
    place = _place(part, smallest=True)
    return records.Measure(
        name=f"{check}.best",
        value=float(part.rates.rates[0, place]),
        unit="bit",
        n=int(part.rates.rows[0, place]),
        slice=part.name,
        split="test",
        note=f"the {part.name} where it is smallest, {note}",
    )


def _row(subject: Subject, part: _Part, group: int) -> dict[str, object]:
    low, high = (float(ends[0, group]) for ends in part.rates.bounds(subject.sampling.level))
    known = bool(np.isfinite(low) and np.isfinite(high))
    return {
        "name": part.groups[group],
        "excerpts": int(part.rates.rows[0, group]),
        "value": float(part.rates.rates[0, group]),
        "low": low if known else None,
        "high": high if known else None,
    }
