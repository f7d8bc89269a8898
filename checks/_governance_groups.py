"""Groups of persons: are they represented, are they large enough, do their labels differ?

AI Act Art. 10(2)(f), (g) and 10(3). Everything is descriptive of the data; no model is involved.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks import _governance_statistics as statistics
from checks._governance_rows import JOINT, Rows, interval, judged, listed, unmeasured
from checks._governance_statistics import Estimate, Levels
from configs.data import ProtectedAttribute
from configs.plan import Plan
from evidence import arrays, records

SHARE_METHOD = "Wilson score"
CLUSTERED = ", effective rows by entity"


def representativeness(plan: Plan, rows: Rows, attribute: ProtectedAttribute) -> records.CheckResult:
    """Differences between the shares of the groups in the data and in the declared reference population.

    Rows whose group is missing are left out and counted. A group that only one side knows has the share 0 on the other.
    """
    check, title = "data.representativeness", f"Representativeness: {attribute.name}"
    if attribute.reference is None:
        reason = f"the plan declares no reference population for {attribute.name}"
        return unmeasured(check, title, "not_measured", reason, attribute.name)
    groups = rows.groups[attribute.name]
    known = groups.codes >= 0
    names = list(dict.fromkeys([*groups.names, *attribute.reference.shares]))
    at = statistics.levels(plan.policy.confidence, len(names))
    table, gaps = [], []
    for name in names:
        member = groups.codes[known] == (groups.names.index(name) if name in groups.names else -2)
        expected = attribute.reference.shares.get(name, 0.0)
        found = statistics.share(member, rows.of_clusters(known), at)
        gaps.append(statistics.magnitude(statistics.less(found, expected)))
        table.append({"group": name, "reference": expected, "rows": int(member.sum()), **statistics.rows_of(found)})
    worst = statistics.largest(gaps)
    top = int(np.argmax([g.value for g in gaps]))
    method = SHARE_METHOD + (CLUSTERED if rows.clusters is not None else "")
    head = records.Measure(
        name=check,
        value=worst.value,
        interval=interval(worst, plan, method, len(names)),
        n=worst.n,
        slice=attribute.name,
        note=f"largest for {names[top]}",
    )
    limit = records.Threshold(at_most=plan.policy.governance.representativeness_gap, slice=attribute.name)
    details = {"rows": table, "source": attribute.reference.source, "missing": int((~known).sum())}
    doubts = [f"{int((~known).sum())} rows have no group"] if (~known).mean() > limit.at_most else []
    return judged(check, title, [head], limit, details, doubts=doubts)


def group_sizes(plan: Plan, rows: Rows, name: str) -> records.CheckResult:
    """Rows of every group of an attribute or intersection in each part; the headline is the smallest test group.

    Below `policy.minimum_group_size` test rows nothing can be said about a group: inconclusive, with its name. The same
    where more test rows have no group than `policy.governance.missing_group` allows.
    """
    check, title = "data.group_sizes", f"Group sizes: {name}"
    groups = rows.groups[name]
    names = _all_names(rows, name)
    counts = {role: _counts(groups, names, rows.part(role)) for role in rows.roles}
    minimum = plan.policy.minimum_group_size
    small = [f"{n} ({c})" for n, c in zip(names, counts["test"], strict=True) if 0 < c < minimum]
    empty = [n for n, c in zip(names, counts["test"], strict=True) if c == 0]
    order = np.argsort(counts["test"], kind="stable")
    head = records.Measure(
        name=check,
        value=float(min(counts["test"], default=0)),
        unit="rows",
        n=sum(counts["test"]),
        slice=name,
        split="test",
    )
    each = [
        records.Measure(
            name=f"{check}.rows", value=float(counts["test"][i]), unit="rows", slice=f"{name}={names[i]}", split="test"
        )
        for i in order
    ]
    parts = [
        f"smallest of {len(names)} groups has {head.value:,.0f} test rows, limit at least {minimum}, n = {head.n:,}"
    ]
    parts += [f"too small: {listed(small)}"] if small else []
    parts += [f"no test row: {listed(empty)}"] if empty else []
    missing = {role: int(((groups.codes < 0) & rows.part(role)).sum()) for role in rows.roles}
    total, most = sum(counts["test"]) + missing["test"], plan.policy.governance.missing_group
    lost = missing["test"] > most * total
    parts += [f"{missing['test']:,} of {total:,} test rows have no group, limit {100 * most:g} %"] if lost else []
    table = [{"group": n, **{role: counts[role][i] for role in rows.roles}} for i, n in enumerate(names)]
    return records.CheckResult(
        check_id=check,
        title=title,
        status="inconclusive" if small or empty or lost else "pass",
        measures=(head, *each),
        threshold=records.Threshold(at_least=float(minimum), slice=name),
        reason="; ".join(parts),
        details={"rows": table, "missing": missing, "small": small, "empty": empty},
    )


def _all_names(rows: Rows, name: str) -> list[str]:
    """Names of the groups, those of an intersection that nobody belongs to included."""
    held = list(rows.groups[name].names)
    single = [rows.groups[n].names for n in name.split(JOINT) if n in rows.groups]
    possible = [JOINT.join(joint) for joint in itertools.product(*single)] if JOINT in name else []
    return list(dict.fromkeys([*held, *possible]))


def _counts(groups: arrays.Groups, names: list[str], mask: np.ndarray) -> list[int]:
    codes = groups.codes[mask]
    found = np.bincount(codes[codes >= 0].astype(np.int64), minlength=len(groups.names))
    return [int(c) for c in found] + [0] * (len(names) - len(found))


def label_balance(plan: Plan, rows: Rows, encoded: records.EncodedData, name: str) -> records.CheckResult:
    """Largest difference between two groups in the positive share of the target.

    Multi-class: the largest over the classes. Regression: the difference of the means in standard deviations of the
    target. Groups below the minimum size are listed and left out, and a pass is then no longer warranted.
    """
    check, title = "data.label_balance", f"Label balance: {name}"
    groups = rows.groups[name]
    sizes = np.bincount(groups.codes[groups.codes >= 0].astype(np.int64), minlength=len(groups.names))
    minimum = plan.policy.minimum_group_size
    kept = [i for i, size in enumerate(sizes) if size >= minimum]
    small = [f"{groups.names[i]} ({size})" for i, size in enumerate(sizes) if 0 < size < minimum]
    if len(kept) < 2:
        reason = f"fewer than two groups of {name} have {minimum} rows"
        return unmeasured(check, title, "inconclusive", reason, name)
    outcomes = _outcomes(rows, encoded)
    pairs = list(itertools.combinations(kept, 2))
    comparisons = len(pairs) * len(outcomes)
    at = statistics.levels(plan.policy.confidence, comparisons)
    table, gaps, labels = [], [], []
    for label, values in outcomes.items():
        found = {i: _group_estimate(rows, groups.codes == i, values, at) for i in kept}
        table += [{"group": groups.names[i], "outcome": label, **statistics.rows_of(e)} for i, e in found.items()]
        for a, b in pairs:
            gaps.append(statistics.magnitude(statistics.difference(found[a], found[b])))
            labels.append(f"{label}: {groups.names[a]} against {groups.names[b]}")
    worst = statistics.largest(gaps)
    widest = labels[int(np.argmax([g.value for g in gaps]))]
    method = "Student's t, square and add" if encoded.task == "regression" else "Newcombe hybrid score"
    method += CLUSTERED if rows.clusters is not None else ""
    head = records.Measure(
        name=check,
        value=worst.value,
        unit="standard deviations" if encoded.task == "regression" else "1",
        interval=interval(worst, plan, method, comparisons),
        n=worst.n,
        slice=name,
        note=f"largest for {widest}",
    )
    limit = records.Threshold(at_most=plan.policy.governance.label_gap, slice=name)
    doubts = [f"too small to be compared: {listed(small)}"] if small else []
    result = judged(check, title, [head], limit, {"rows": table, "small": small}, doubts=doubts)
    return result.model_copy(
        update={"reason": f"{result.reason}; largest for {widest}; n counts the rows of these two"}
    )


def _outcomes(rows: Rows, encoded: records.EncodedData) -> dict[str, Any]:
    """What is compared between groups: membership of a class, or the standardised target."""
    if encoded.task == "regression":
        spread = float(rows.y.std()) or 1.0
        return {encoded.target: (rows.y.astype(np.float64) - float(rows.y.mean())) / spread}
    chosen = [1] if encoded.task == "binary" else range(len(encoded.classes))
    return {encoded.classes[i]: rows.y == i for i in chosen}


def _group_estimate(rows: Rows, mask: np.ndarray, values: np.ndarray, at: Levels) -> Estimate:
    if values.dtype == bool:
        return statistics.share(values[mask], rows.of_clusters(mask), at)
    return statistics.mean(values[mask], rows.of_clusters(mask), at)
