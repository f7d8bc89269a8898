"""Reweighing: weights on training rows that make the label independent of the group.

Kamiran and Calders, "Data preprocessing techniques for classification without discrimination", Knowl. Inf. Syst. 33
(2012) 1: the weight of a row with group s and label y is P(s) P(y) / P(s, y), so that every weighted group has the same
share of positive labels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evidence.mitigation_records import GroupWeights
from factory.treated_groups import Treated


def weights(train: Treated) -> tuple[GroupWeights, ...]:
    """The weights of each group of the training rows that holds any; their mean over these rows is 1."""
    cells = train.cells().astype(np.float64)
    total, groups, labels = cells.sum(), cells.sum(axis=1, keepdims=True), cells.sum(axis=0, keepdims=True)
    found = np.divide(groups * labels, total * cells, out=np.zeros_like(cells), where=cells > 0)
    return tuple(
        GroupWeights(
            group=name,
            negative=float(weight[0]),
            positive=float(weight[1]),
            negative_rows=int(rows[0]),
            positive_rows=int(rows[1]),
        )
        for name, weight, rows in zip(train.names, found, cells, strict=True)
        if rows.any()
    )


def of_rows(found: tuple[GroupWeights, ...], rows: Treated) -> npt.NDArray[np.float64]:
    """The weight of each row (rows,); 1 without a group, or with one that the training rows do not hold."""
    table = np.ones((len(rows.names) + 1, 2))
    for one in found:
        table[rows.names.index(one.group)] = one.negative, one.positive
    return table[rows.codes, rows.y]
