"""The parts of the split against each other: classes, repeated rows, drift, categories that train does not hold."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import numpy.typing as npt

from checks import _governance_shift as shift
from checks import _governance_statistics as statistics
from checks._governance_groups import CLUSTERED, SHARE_METHOD
from checks._governance_rows import NO_LIMIT, ROLES, Rows, interval, judged, listed, unmeasured
from checks._governance_statistics import Estimate, Ints, Levels
from configs.plan import Plan
from evidence import arrays, records

OTHERS: tuple[records.Role, ...] = ("validation", "test")
"""The parts that are compared with train."""
BINS = 10
ROWS_PER_BIN = 20
"""Rows of the smaller part that a bin of a number holds on average, at least."""
EXPECTED_ROWS = 5.0
"""A category in which fewer rows than this are expected in either part is merged with the other rare ones."""


def class_balance(plan: Plan, rows: Rows, encoded: records.EncodedData) -> records.CheckResult:
    """Share of the rarest class over all rows, against `policy.governance.minority_class`."""
    check, title = "data.class_balance", "Balance of the classes"
    if encoded.task == "regression":
        return unmeasured(check, title, "not_applicable", "the target is a number: it has no classes")
    classes = encoded.classes
    at = statistics.levels(plan.policy.confidence, len(classes))
    shares = [statistics.share(rows.y == i, rows.clusters, at) for i in range(len(classes))]
    counts = {role: np.bincount(rows.y[rows.part(role)], minlength=len(classes)) for role in rows.roles}
    table = [
        {"class": name, **{role: int(counts[role][i]) for role in rows.roles}, **statistics.rows_of(shares[i])}
        for i, name in enumerate(classes)
    ]
    rarest = statistics.smallest(shares)
    head = records.Measure(
        name=check,
        value=rarest.value,
        interval=interval(rarest, plan, SHARE_METHOD + (CLUSTERED if rows.clusters is not None else ""), len(classes)),
        n=rarest.n,
        note=f"rarest is {classes[int(np.argmin([s.value for s in shares]))]}",
    )
    absent = [f"no row of {name} in {role}" for i, name in enumerate(classes) for role in counts if not counts[role][i]]
    limit = records.Threshold(at_least=plan.policy.governance.minority_class)
    return judged(check, title, [head], limit, {"rows": table}, doubts=absent)


def duplicates(rows: Rows, dataset: records.DatasetRef) -> records.CheckResult:
    """Rows that stand in more than one part.

    A row that is identical in every declared column must not: the limit is 0. Rows that are identical to the model, in
    its features, are counted for each pair of parts, with and without the same target; for them there is no limit,
    because different persons can look alike.
    """
    check, title = "data.duplicates_across_splits", "Duplicates across splits"
    features, whole = _fingerprints(rows)
    digests = {role: rows.digests(role) for role in ROLES}
    table = []
    for first, second in itertools.combinations(ROLES, 2):
        a, b = rows.part(first), rows.part(second)
        same_target = arrays.contained(whole[b], whole[a])
        same_features = arrays.contained(features[b], features[a])
        table.append(
            {
                "in": second,
                "also_in": first,
                "n": int(b.sum()),
                "identical": int(arrays.contained(digests[second], digests[first]).sum()),
                "features_and_target": int(same_target.sum()),
                "features_not_target": int((same_features & ~same_target).sum()),
            }
        )
    identical = sum(row["identical"] for row in table)
    test = table[1]
    measures = [records.Measure(name=check, value=float(identical), unit="rows", n=len(rows.y))] + [
        records.Measure(
            name=f"{check}.{part}", value=test[part] / test["n"] if test["n"] else None, n=test["n"], split="test",
            note=None if test["n"] else "no test row",
        )
        for part in ("features_and_target", "features_not_target")
    ]  # fmt: skip
    return records.CheckResult(
        check_id=check,
        title=title,
        status="fail" if identical else "pass",
        measures=tuple(measures),
        threshold=records.Threshold(at_most=0.0),
        reason=(
            f"measured {identical:,} identical rows in two parts, limit at most 0, n = {len(rows.y):,}; of "
            f"{test['n']:,} test rows {test['features_and_target']:,} equal a training row in features and target, "
            f"{test['features_not_target']:,} in the features but not the target (the policy sets no threshold)"
        ),
        details={"rows": table, "repeated_in_table": dataset.duplicate_rows},
    )


def _fingerprints(rows: Rows) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.bytes_]]:
    """Sixteen bytes for the inputs of each row, and for its inputs and target; missing equals missing, −0 equals 0."""
    features, whole = bytearray(), bytearray()
    begin = 0
    for piece in rows.inputs.pieces():
        x = np.where(np.isnan(piece), np.nan, piece).astype(np.float64) + 0.0
        y = rows.y[begin : begin + len(x)].astype(np.float64) + 0.0
        features += b"".join([hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x])
        whole += b"".join([hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in np.column_stack([x, y])])
        begin += len(x)
    # Compared as they stand: only single ones, taken out, would lose zero bytes at their end.
    return np.frombuffer(features, dtype="S16"), np.frombuffer(whole, dtype="S16")


def drift(plan: Plan, rows: Rows, encoded: records.EncodedData) -> records.CheckResult:
    """Population stability index of every feature, and of the target, from train to validation and to test.

    The limit is judged on the interval, which takes away what chance alone adds: about (cells − 1)(1/n + 1/m). A column
    with one value in both parts cannot show drift: it is listed as not measured, and has no index.
    """
    check, title = "data.drift", "Drift between the parts"
    columns = itertools.chain(
        ((spec.name, rows.inputs.column(i), spec.kind == "categorical") for i, spec in enumerate(encoded.features)),
        ((f"target {encoded.target}", rows.y.astype(np.float32), encoded.task != "regression") for _ in (0,)),
    )
    comparisons = 2 * (len(encoded.features) + 1)
    at = statistics.levels(plan.policy.confidence, comparisons)
    table, estimates, constant = [], [], []
    for name, values, categorical in columns:
        for role in OTHERS:
            found = _shift(rows, values, role, at, categorical=categorical)
            if found.cells == 1:
                constant.append({"feature": name, "split": role, "cells": 1, "n": found.estimate.n})
                continue
            estimates.append(found.estimate)
            chance, index = statistics.rounded(found.by_chance), statistics.rounded(found.index)
            plain = {"split": role, "index": index, "by_chance": chance, "cells": found.cells}
            table.append({"feature": name, **plain, **statistics.rows_of(found.estimate)})
    if not estimates:
        reason = "every feature and the target hold one value in all parts: drift cannot show"
        return unmeasured(check, title, "not_measured", reason)
    worst = statistics.largest(estimates)
    top = table[int(np.argmax([e.value for e in estimates]))]
    method = "inverted non-central chi-square" + (CLUSTERED if rows.clusters is not None else "")
    largest_index = max(table, key=lambda row: row["index"])
    largest = f"less what chance adds; largest for {top['feature']} in {top['split']}"
    measures = [
        records.Measure(
            name=check,
            value=worst.value,
            interval=interval(worst, plan, method, comparisons),
            n=worst.n,
            note=largest,
        ),
        records.Measure(
            name=f"{check}.index",
            value=largest_index["index"],
            n=largest_index["n"],
            split=largest_index["split"],
            note=f"plain index of {largest_index['feature']}; chance gives about {largest_index['by_chance']}",
        ),
    ]
    limit = records.Threshold(at_most=plan.policy.governance.drift)
    result = judged(check, title, measures, limit, {"rows": [*table, *constant], "not_measured": constant})
    noisy = sum(row["by_chance"] > limit.at_most / 2 for row in table)
    said = [result.reason, f"{largest}, plain index {top['index']:.4g}"]
    said += [f"caution: in {noisy} of {len(table)} comparisons chance alone gives half the limit"] if noisy else []
    unseen = [f"{row['feature']} in {row['split']}" for row in constant]
    said += [f"not measured, one value in both parts: {listed(unseen)}"] if unseen else []
    return result.model_copy(update={"reason": "; ".join(said)})


def _shift(
    rows: Rows, values: npt.NDArray[np.float32], role: records.Role, at: Levels, *, categorical: bool
) -> shift.Shift:
    return between(values, rows.part("train"), rows.part(role), at, rows.clusters, categorical=categorical)


def between(
    values: npt.NDArray[np.float32],
    first: npt.NDArray[np.bool_],
    second: npt.NDArray[np.bool_],
    at: Levels,
    clusters: Ints | None,
    *,
    categorical: bool,
) -> shift.Shift:
    """How far two samples of one column lie apart.

    Args:
        values: (rows,) numbers or codes of categories; NaN is missing.
        first: (rows,) the sample whose quantiles make the bins of a number.
        second: (rows,) the other one.
        at: Levels of the interval.
        clusters: (rows,) entity of each row, or None.
        categorical: Are the values codes?
    """
    n, m = int(first.sum()), int(second.sum())
    if min(n, m) == 0:
        return shift.Shift(Estimate(0.0, 0.0, np.inf, n + m, (0.0, np.inf)), 0.0, 0.0, 0)
    cells = _category_cells(values) if categorical else _number_cells(values, first, min(n, m))
    both = np.bincount(cells[first | second], minlength=int(cells.max()) + 1)
    # Merge what is too rare to be compared; an unused cell disappears with it.
    rare = both * (min(n, m) / (n + m)) < EXPECTED_ROWS
    cells = np.where(rare, int((~rare).sum()), np.cumsum(~rare) - 1)[cells]
    size = int((~rare).sum()) + int(both[rare].sum() > 0)
    counts = [np.bincount(cells[mask], minlength=size)[:size] for mask in (first, second)]
    owned = [None if clusters is None else clusters[mask] for mask in (first, second)]
    effects = [shift.design_effect(cells[mask], own, size) for mask, own in zip((first, second), owned, strict=True)]
    return shift.shift(counts[0], counts[1], (effects[0], effects[1]), at)


def _category_cells(values: npt.NDArray[np.float32]) -> Ints:
    """Codes as they are; missing is the last."""
    missing = np.isnan(values)
    top = int(np.nanmax(values)) + 1 if (~missing).any() else 0
    return np.where(missing, top, np.nan_to_num(values)).astype(np.int64)


def _number_cells(values: npt.NDArray[np.float32], train: npt.NDArray[np.bool_], smaller: int) -> Ints:
    """Quantile bins of train, ten or as many as the smaller part can fill; missing is the last.

    A value that fills more than a bin (the zeros of a column that is mostly zero) is a bin of its own.
    """
    missing = np.isnan(values)
    bins = int(np.clip(smaller // ROWS_PER_BIN, 2, BINS))
    held = values[train & ~missing]
    edges = np.zeros(0, np.float32)
    if len(held):
        quantiles = np.quantile(held, np.linspace(0, 1, bins + 1)).astype(np.float32)
        points, times = np.unique(quantiles, return_counts=True)
        atoms = points[times > 1]
        edges = np.unique(np.concatenate([quantiles[1:-1], atoms, np.nextafter(atoms, np.float32(np.inf))]))
    return np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="right")).astype(np.int64)


def unseen_categories(plan: Plan, encoded: records.EncodedData) -> records.CheckResult:
    """Rows of validation and test with a category that train does not hold.

    The limit is 0 for a feature whose `unseen` is `refuse`; where the plan reads it as missing, or lists it as
    allowed, there is none.
    """
    check, title = "data.unseen_categories", "Categories that train does not hold"
    categorical = [spec.name for spec in encoded.features if spec.kind == "categorical"]
    if not categorical:
        return unmeasured(check, title, "not_applicable", "the model has no categorical feature")
    table = [
        {"feature": name, "split": role, "rows": encoded.parts[role].unseen.get(name, 0), "n": encoded.parts[role].rows}
        for name in categorical
        for role in OTHERS
    ]
    total = sum(row["rows"] for row in table)
    limited = {c.name for c in plan.data.columns if c.unseen == "refuse" and not c.allowed} & set(categorical)
    broken = sorted({row["feature"] for row in table if row["rows"] and row["feature"] in limited})
    known = sorted({row["feature"] for row in table if row["rows"]})
    status: records.Status = "fail" if broken else "pass" if limited else "not_applicable"
    said = f"{total:,} rows with an unseen category in {len(known)} of {len(categorical)} features"
    said = f"measured {said}, limit at most 0 where the plan refuses them" if limited else f"{NO_LIMIT}: {said}"
    n = sum(encoded.parts[role].rows for role in OTHERS)
    return records.CheckResult(
        check_id=check,
        title=title,
        status=status,
        measures=(records.Measure(name=check, value=float(total), unit="rows", n=n),),
        threshold=records.Threshold(at_most=0.0) if limited else None,
        reason=f"{said}, n = {n:,}" + (f"; in {listed(known)}" if known else ""),
        details={"rows": table},
    )
