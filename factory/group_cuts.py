"""A decision threshold for each group, fitted on the validation part, after Fairlearn's threshold optimizer.

The optimizer's rule (Hardt et al., NeurIPS 2016) draws a label by chance: each group mixes two thresholds, and with
equalized odds a constant as well. A graph that ships answers the same row the same way, so each group takes one
threshold here: the one whose rates on the group's rows come nearest to the rates that the rule by chance has in
expectation. Another choice would be the best thresholds under the constraint within some tolerance; it needs that
tolerance as one more number, and for one rate in each group it finds no nearer one. What is lost: a single rate is met
to within half a step of the group's rows, and of equalized odds, whose target may lie beside every single threshold,
only the nearest is reached. Both rates stand in the record.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.plan import Plan
from evidence import records
from evidence.mitigation_records import GroupThreshold, GroupThresholds
from factory import _groups, threshold, treated_groups
from factory.treated_groups import Treated

OBJECTIVES = {0.5: "accuracy_score", "balanced_accuracy": "balanced_accuracy_score"}
"""What the plan's threshold asks for, to Fairlearn's name of it."""
Scores = npt.NDArray[np.float32]


def fit(plan: Plan, encoded: records.EncodedData, rows: Treated, scores: Scores, common: float) -> GroupThresholds:
    """The thresholds of the groups.

    Args:
        plan: The plan, with the method threshold_optimizer.
        encoded: The encoded data.
        rows: Groups and labels of the validation part.
        scores: Their probabilities of the positive class (rows,), as the graph gives them.
        common: The threshold of a group without validation rows.
    """
    from factory import _fairlearn  # noqa: PLC0415 - takes seconds, and few plans need it

    constraint, known = plan.mitigation.constraint, rows.known
    expected = np.full(len(scores), np.nan)
    expected[known] = _fairlearn.expected_labels(
        scores[known].astype(np.float64), rows.y[known], rows.codes[known], constraint,
        OBJECTIVES[plan.training.threshold],
    )  # fmt: skip
    found = []
    for code, name in enumerate(rows.names):
        own = rows.codes == code
        wanted = treated_groups.rates(expected[own], rows.y[own], constraint) if own.any() else {}
        value, reached = nearest(scores[own], rows.y[own], wanted, common) if own.any() else (common, {})
        found.append(GroupThreshold(group=name, value=value, rates=reached, wanted=wanted, rows=int(own.sum())))
    edges, codes = _rule(plan, encoded, rows.names)
    attribute = next(a for a in plan.data.protected if a.name == plan.mitigation.attribute)
    return GroupThresholds(
        attribute=attribute.name, feature=attribute.column, groups=tuple(found), edges=edges, codes=codes
    )


def nearest(
    scores: Scores, y: npt.NDArray[np.int64], wanted: dict[str, float], common: float
) -> tuple[float, dict[str, float]]:
    """The single threshold whose rates come nearest to those wanted, and its rates.

    Nearest is the one with the smallest largest difference; of equal ones the one nearest to the common threshold.
    """
    cuts, true_positive, false_positive = threshold.candidates(scores, y)
    positives = int(y.sum())
    rates = {
        "selection_rate": (true_positive + false_positive) / len(y),
        "true_positive_rate": true_positive / positives,
        "false_positive_rate": false_positive / (len(y) - positives),
    }
    distance = np.max([np.abs(rates[name] - value) for name, value in wanted.items()], axis=0)
    best = np.flatnonzero(distance <= distance.min() + 1e-12)
    chosen = best[np.argmin(np.abs(cuts[best] - common))]
    return float(cuts[chosen]), {name: float(rates[name][chosen]) for name in wanted}


def require_same_groups(found: GroupThresholds, encoded: records.EncodedData, x: Scores, rows: Treated) -> None:
    """Check that the graph puts each row into the group that the data have it in.

    Args:
        found: Of `fit`.
        encoded: The encoded data.
        x: Rows as the graph gets them (rows, features), float32.
        rows: Their groups.

    Raises:
        DataError: It does not: the groups differ by less than float32 can hold.
    """
    position = next(i for i, feature in enumerate(encoded.features) if feature.name == found.feature)
    value = x[:, position]
    if found.edges:
        told = np.searchsorted(np.array(found.edges, dtype=np.float32), value, side="right")
        told = np.where(np.isfinite(value), told, -1)
    else:
        table = np.array([*found.codes, -1])
        told = table[np.where(np.isfinite(value), value, len(found.codes)).astype(np.int64)]
    other = int(np.sum(told != rows.codes))
    if other:
        raise errors.DataError(
            f"mitigation threshold_optimizer, feature {found.feature} in {rows.role}: expected the graph to find the "
            f"group of {found.attribute} for every row, got another one for {other} of {len(x)} rows. Move the edges "
            "of its bins between the values of the column."
        )


def _rule(
    plan: Plan, encoded: records.EncodedData, names: tuple[str, ...]
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Edges of a numeric feature, or the group of each category of a categorical one."""
    attribute = next(a for a in plan.data.protected if a.name == plan.mitigation.attribute)
    if attribute.bins:
        return attribute.bins, ()
    column = next(c for c in plan.data.columns if c.name == attribute.column)
    feature = next(f for f in encoded.features if f.name == attribute.column)
    group_of = _groups.names_of(column, attribute.groups, feature.categories)
    codes = (names.index(group_of[c]) if group_of.get(c) in names else -1 for c in feature.categories)
    return (), tuple(codes)
