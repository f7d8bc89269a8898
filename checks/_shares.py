"""The share of rows for which something holds, overall and in each group: bounds, worst group, what a gate must know.

As in `checks.fairness`: every group is listed, a group with fewer rows than the policy's minimum makes its slice
inconclusive, and the worst group of a slice has an interval that holds for all of its groups together.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _moments, _proportions, _simultaneous, gate, intervals
from checks._subject import Subject
from evidence import records

Hits = npt.NDArray[np.bool_]
Rows = list[dict[str, object]]
WITHOUT_SMALL = gate.WITHOUT_SMALL


@dataclasses.dataclass(frozen=True)
class Shares:
    """Shares of the groups of one slice, each (groups,)."""

    names: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]
    """NaN where a group has no rows."""
    effective: npt.NDArray[np.float64]

    def bounds(self, level: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Exact bounds of each share alone."""
        return _proportions.bounds(self.shares, self.effective, level)

    def listed(self, level: float) -> Rows:
        """For `details`: group, n, rows, value, low, high."""
        low, high = self.bounds(level)
        return [
            {
                "group": name,
                "n": int(self.rows[g]),
                "rows": int(self.rows[g]),
                "value": float(self.shares[g]) if self.rows[g] else None,
                "low": float(low[g]) if self.rows[g] else None,
                "high": float(high[g]) if self.rows[g] else None,
            }
            for g, name in enumerate(self.names)
        ]


def of_groups(
    hits: Hits, codes: npt.NDArray[np.integer], names: tuple[str, ...], sampling: intervals.Sampling
) -> Shares:
    """Share of `hits` (rows,) in each group; `codes` (rows,) index `names`, negative codes belong to none."""
    known = np.flatnonzero(codes >= 0)
    member, found, count = codes[known].astype(np.int64), hits[known].astype(np.float64), len(names)
    rows = np.bincount(member, minlength=count)
    total = np.bincount(member, weights=found, minlength=count)
    shares = np.divide(total, rows, out=np.full(count, np.nan), where=rows > 0)
    effective = rows.astype(np.float64)
    if sampling.entities is not None:
        entities = intervals.clusters(sampling.entities)[known]
        pairs, pair = np.unique(entities * count + member, return_inverse=True)
        of_pair = np.bincount(pair, weights=found)[None], np.bincount(pair).astype(np.float64)[None]
        effective = _moments.of_entities(*of_pair, pairs % count, count).effective_rows()[0]
    return Shares(names, rows, shares, effective)


def by_attribute(subject: Subject, name: str, hits: Hits) -> tuple[tuple[records.Measure, ...], dict[str, object]]:
    """The smallest share of every protected attribute and intersection, each group's, and the details for the gate.

    Args:
        subject: The model under test.
        name: Of the measures.
        hits: (rows,) over the test part.
    """
    slices = [s for s in subject.plan.slices if s in subject.part.groups]
    found = {
        s: of_groups(hits, subject.part.groups[s].codes, subject.part.groups[s].names, subject.sampling) for s in slices
    }
    least = subject.plan.policy.minimum_group_size
    small = {s: [g for g, n in zip(f.names, f.rows, strict=True) if 0 < n < least] for s, f in found.items()}
    missing = {s: int((subject.part.groups[s].codes < 0).sum()) for s in slices}
    most = subject.plan.policy.governance.missing_group * subject.part.rows
    measures: list[records.Measure] = []
    for s, f in found.items():
        measures.append(_smallest(subject, name, s, f, f.rows > 0))
        if small[s] and (f.rows >= least).any():
            measures.append(_smallest(subject, f"{name}.{WITHOUT_SMALL}", s, f, f.rows >= least))
    measures += [m for s, f in found.items() for m in _groups(subject, name, s, f)]
    details: dict[str, object] = {
        "groups": {s: f.listed(subject.sampling.level) for s, f in found.items()},
        "small_groups": [f"{s}={g}" for s in slices for g in small[s]],
        "empty_groups": [
            f"{s}={g}" for s in slices for g, n in zip(found[s].names, found[s].rows, strict=True) if not n
        ],
        "minimum_group_size": least,
        "missing_attribute": missing,
        "too_many_missing": [s for s in slices if missing[s] > most],
    }
    return tuple(measures), details


def _smallest(subject: Subject, name: str, of_slice: str, found: Shares, kept: Hits) -> records.Measure:
    """The smallest share among the groups kept; undefined without any."""
    shares = np.where(kept, found.shares, np.nan)
    level = subject.sampling.level
    value, interval, note = None, None, f"undefined: no group of {of_slice} has test rows"
    if kept.any():
        worst = int(np.nanargmin(shares))
        value, note = float(shares[worst]), f"smallest: {found.names[worst]}"

        def bounds(at: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
            low, high = _proportions.bounds(shares, found.effective, at)
            return low[None], high[None]

        low, high = _simultaneous.extreme(shares[None], bounds, level, smallest=True)
        groups = int(kept.sum())
        method = _proportions.method(subject.sampling)
        method += f", upper end simultaneous over {groups} groups (Bonferroni)" if groups > 1 else ""
        interval = records.Interval(low=min(low, value), high=max(high, value), level=level, method=method)
    return records.Measure(
        name=name,
        value=value,
        interval=interval,
        n=int(found.rows[kept].sum()),
        slice=of_slice,
        split="test",
        note=note,
    )


def _groups(subject: Subject, name: str, of_slice: str, found: Shares) -> list[records.Measure]:
    level = subject.sampling.level
    low, high = found.bounds(level)
    measures = []
    for g, group in enumerate(found.names):
        interval = None
        if found.rows[g]:
            value = float(found.shares[g])
            ends = min(float(low[g]), value), max(float(high[g]), value)
            interval = records.Interval(
                low=ends[0], high=ends[1], level=level, method=_proportions.method(subject.sampling)
            )
        measures.append(
            records.Measure(
                name=name,
                value=float(found.shares[g]) if found.rows[g] else None,
                interval=interval,
                n=int(found.rows[g]),
                slice=f"{of_slice}={group}",
                split="test",
                note=None if found.rows[g] else "undefined: no test row to compute it from",
            )
        )
    return measures
