"""Performance expected where the system will be used: test rows weighted to the plan's target distribution.

The plan gives the expected shares of the slices of one or more columns (`policy.robustness.shift.deployment`). Each
test row is weighted by the expected over the found share of its slice (importance weights under covariate shift: within
a slice, rows are taken to be as those to come); of several columns the weights are raked until every column has its
shares (Deming and Stephan). Reported are accuracy and balanced accuracy, or R² and RMSE, and the effective number of
rows (Kish): how many rows of the target distribution would know as much.

The interval of the accuracy is exact for an effective number of rows, which follows from the variances within the
slices, with two pseudo-rows in each, and the design effect of entities. The other metrics are replicated, each
replicate weighted anew to the expected shares.

Refs: Shimodaira, J. Stat. Plan. Inference 90 (2000) 227. Deming and Stephan, Ann. Math. Stat. 11 (1940) 427. Kish,
Survey Sampling (1965). Korn and Graubard, Surv. Methodol. 24 (1998) 193.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from checks import _degradation, _proportions, _regression, intervals, performance
from checks._subject import Subject, measured, not_applicable, not_measured
from configs import shift
from evidence import arrays, records

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Found = tuple[float, records.Interval | None]

CHECK = "robustness.deployment"
STEPS = 200
"""Most rounds of raking."""
REACHED = 1e-3
"""Largest difference between an expected share and that of the weighted rows."""


@dataclasses.dataclass(frozen=True)
class Weighted:
    """The test rows that the target distribution knows, with their weights."""

    rows: npt.NDArray[np.intp]
    """Indices of the rows in slices with an expected share above 0."""
    weights: Floats
    """(len(rows),), summing to 1; equal within a cell."""
    cells: Codes
    """(len(rows),): joint slice of all columns, 0…C−1."""

    @property
    def effective(self) -> float:
        """Kish's effective number of rows."""
        return float(1.0 / np.sum(self.weights**2))


def measure(subject: Subject) -> tuple[records.CheckResult, ...]:
    """Performance under the plan's target distribution."""
    declared = subject.plan.policy.robustness.shift.deployment
    if not declared:
        return (not_applicable(CHECK, "the plan declares no target distribution (policy.robustness.shift.deployment)"),)
    groups = {name: subject.part.slices.get(name) or subject.part.groups.get(name) for name in declared}
    found = _weighted(declared, groups)
    if isinstance(found, str):
        return (not_measured(CHECK, found),)
    return (_result(subject, found),)


def _result(subject: Subject, found: Weighted) -> records.CheckResult:
    first, second = _degradation.names(subject.task)
    metrics = _regressor(subject, found) if subject.task == "regression" else _classifier(subject, found)
    rows = len(found.rows)
    left_out = subject.part.rows - rows
    most = subject.plan.policy.governance.missing_group * subject.part.rows
    note = f"{rows:,} test rows weighted to the target distribution, worth {found.effective:,.0f} of its rows"
    note += f"; {left_out:,} rows without an expected share left out" if left_out else ""
    level = _degradation.Level(*metrics[first], *metrics[second])
    clean = _degradation.level(subject, subject.scores, "robustness.clean")
    measures = _degradation.measures(subject, CHECK, level, rows, note)
    effective = records.Measure(
        name=f"{CHECK}.effective_rows", value=found.effective, unit="rows", n=rows, split="test", note="Kish"
    )
    least, small = subject.plan.policy.minimum_group_size, _small(subject, found)
    details: dict[str, object] = {
        "metric": first,
        "overall": clean.point(0),
        "effective_rows": found.effective,
        "rows": rows,
        "left_out": left_out,
        "largest_weight": float(found.weights.max() * rows),
        "cells": int(found.cells.max()) + 1,
        "shares": _shares(subject, found),
        "small_groups": list(small),
        "small_group_rows": small,
        "minimum_group_size": least,
        "missing_attribute": {"overall": left_out},
        "too_many_missing": ["overall"] if left_out > most else [],
    }
    return measured(
        CHECK, (*measures, effective, _degradation.clean(subject, CHECK, clean, subject.part.rows)), details,
        subject.artifacts,
    )  # fmt: skip


def _weighted(declared: dict[str, dict[str, float]], groups: dict[str, arrays.Groups | None]) -> Weighted | str:
    """The weights, or one sentence on why there are none."""
    targets: list[Floats] = []
    codes: list[npt.NDArray[np.int16]] = []
    for name, shares in declared.items():
        found = groups[name]
        if found is None:
            return f"the encoded data hold no slices by {name}"
        position = {shift.plain(cell): i for i, cell in enumerate(found.names)}
        target = np.zeros(len(found.names))
        present = np.bincount(found.codes[found.codes >= 0], minlength=len(found.names))
        for cell, share in shares.items():
            at = position.get(shift.plain(cell))
            if share > 0 and (at is None or present[at] == 0):
                known = ", ".join(n for n, k in zip(found.names, present, strict=True) if k)
                return (
                    f"the target distribution expects a share of {share:g} of {name} = {cell}, but no test row is "
                    f"there; slices with test rows are {known}"
                )
            if at is not None:
                target[at] = share
        targets.append(target / target.sum())
        codes.append(found.codes)
    kept = np.all([(c >= 0) & (t[np.maximum(c, 0)] > 0) for c, t in zip(codes, targets, strict=True)], axis=0)
    rows = np.flatnonzero(kept)
    if len(rows) == 0:
        return "no test row lies in slices with an expected share in every column of the target distribution"
    return _raked(rows, [c[rows].astype(np.int64) for c in codes], targets)


def _raked(rows: npt.NDArray[np.intp], codes: list[Codes], targets: list[Floats]) -> Weighted | str:
    """Weights that meet the expected shares of every column, by iterative proportional fitting."""
    joint = np.ravel_multi_index(tuple(codes), tuple(len(t) for t in targets))
    seen, first, cells = np.unique(joint, return_index=True, return_inverse=True)
    mass = np.bincount(cells).astype(np.float64)
    mass /= mass.sum()
    of_cell = [c[first] for c in codes]
    for _ in range(STEPS):
        for member, target in zip(of_cell, targets, strict=True):
            now = np.bincount(member, weights=mass, minlength=len(target))
            mass = mass * np.divide(target, now, out=np.zeros_like(now), where=now > 0)[member]
        if _distance(mass, of_cell, targets) < 1e-9:
            break
    if _distance(mass, of_cell, targets) > REACHED:
        return (
            "no weights of the test rows meet the expected shares of all columns at once: some combination has no row"
        )
    counts = np.bincount(cells, minlength=len(seen))
    return Weighted(rows, (mass / mass.sum() / counts)[cells], cells.astype(np.int64))


def _distance(mass: Floats, members: list[Codes], targets: list[Floats]) -> float:
    return max(
        float(np.abs(np.bincount(m, weights=mass, minlength=len(t)) - t).max())
        for m, t in zip(members, targets, strict=True)
    )


def _classifier(subject: Subject, found: Weighted) -> dict[str, Found]:
    if subject.scores.labels is None:
        raise TypeError("a classifier's scores hold labels")
    y, labels = subject.part.y[found.rows].astype(np.int64), subject.scores.labels[found.rows]
    sampling, classes = subject.sampling.take(found.rows), subject.classes
    cells, mass = int(found.cells.max()) + 1, np.bincount(found.cells, weights=found.weights)
    codes = (found.cells * classes + y) * classes + labels

    def balanced(tables: Floats) -> Floats:
        """From counts (…, cells, K, K): each cell scaled to its expected share."""
        total = tables.sum(axis=(-2, -1), keepdims=True)
        scaled = np.divide(tables, total, out=np.zeros_like(tables), where=total > 0) * mass[:, None, None]
        return performance.from_confusion(scaled.sum(axis=-3))["balanced_accuracy"]

    size = cells * classes * classes
    table = np.bincount(codes, minlength=size).reshape(cells, classes, classes).astype(np.float64)
    drawn = intervals.tables(codes, size, sampling, CHECK).reshape(-1, cells, classes, classes)
    value = float(balanced(table))
    method = intervals.table_method(sampling) + ", each replicate weighted to the expected shares"
    return {
        "accuracy": share(labels == y, found, sampling),
        "balanced_accuracy": (value, intervals.percentile(balanced(drawn), value, sampling, method)),
    }


def share(hits: npt.NDArray[np.bool_], found: Weighted, sampling: intervals.Sampling) -> Found:
    """The weighted share of `hits` (rows,) with its interval, for the rows of `found`."""
    mass = np.bincount(found.cells, weights=found.weights)
    rows = np.bincount(found.cells).astype(np.float64)
    good = np.bincount(found.cells, weights=hits)
    value = float(np.sum(mass * good / rows))
    smooth = (good + 1) / (rows + 2)
    variance = float(np.sum(mass**2 * smooth * (1 - smooth) / rows)) * _design_effect(hits - (good / rows)[found.cells],
                                                                                      found, sampling)  # fmt: skip
    centre = float(np.sum(mass * smooth))
    effective = centre * (1 - centre) / variance
    low, high = _proportions.bounds(np.array([[value]]), np.array([[effective]]), sampling.level)
    method = f"{_proportions.METHOD}, {effective:,.0f} effective rows of the weighted slices"
    return value, records.Interval(
        low=float(min(low.item(), value)), high=float(max(high.item(), value)), level=sampling.level, method=method
    )


def _design_effect(residuals: Floats, found: Weighted, sampling: intervals.Sampling) -> float:
    """Variance of the weighted mean over entities against that over rows; 1 without entities."""
    if sampling.entities is None:
        return 1.0
    member, terms = intervals.clusters(sampling.entities), found.weights * residuals
    single = float(np.sum(terms**2))
    if single == 0:  # Nothing differs: the worst case, in which all rows of an entity are alike.
        terms, single = found.weights, float(np.sum(found.weights**2))
    return max(1.0, float(np.sum(np.bincount(member, weights=terms) ** 2)) / single)


def _regressor(subject: Subject, found: Weighted) -> dict[str, Found]:
    if subject.scores.predictions is None:
        raise TypeError("a regressor's scores hold predictions")
    y, predictions = subject.part.y[found.rows].astype(np.float64), subject.scores.predictions[found.rows]
    sampling = subject.sampling.take(found.rows)
    weighted = found.weights * len(y) / found.weights.sum()
    measured = _regression.intervals_of_several(y, [predictions], sampling, CHECK, weighted)[0]
    suffix = ", each row weighted to the expected shares"
    return {
        name: (value, interval and interval.model_copy(update={"method": interval.method + suffix}))
        for name, (value, interval) in measured.items()
    }


def _shares(subject: Subject, found: Weighted) -> list[dict[str, object]]:
    """Expected and found share of each slice, for the report."""
    lines: list[dict[str, object]] = []
    for name, shares in subject.plan.policy.robustness.shift.deployment.items():
        groups = subject.part.slices.get(name) or subject.part.groups[name]
        known = max(int(np.sum(groups.codes >= 0)), 1)
        expected = {shift.plain(cell): s for cell, s in shares.items()}
        for index, cell in enumerate(groups.names):
            rows = int(np.sum(groups.codes == index))
            weight = float(found.weights[groups.codes[found.rows] == index].sum())
            lines.append(
                {"column": name, "slice": cell, "expected": expected.get(shift.plain(cell), 0.0), "weighted": weight,
                 "found": rows / known, "n": rows}
            )  # fmt: skip
    return lines


def _small(subject: Subject, found: Weighted) -> dict[str, int]:
    """Slices with an expected share and fewer rows than the policy's minimum."""
    return {
        f"{line['column']}={line['slice']}": int(str(line["n"]))
        for line in _shares(subject, found)
        if line["expected"] and int(str(line["n"])) < subject.plan.policy.minimum_group_size
    }
