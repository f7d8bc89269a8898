"""The decision threshold as part of the graph: one for all rows, or one for each group that an input feature tells."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from evidence import records
from evidence.mitigation_records import GroupThresholds


class GroupCuts(nn.Module):
    """The threshold of each row, from the feature that tells its group.

    A missing or infinite number, an unknown category and one without a group take the common threshold.
    """

    def __init__(self, found: GroupThresholds, position: int, common: float) -> None:
        super().__init__()
        values = [group.value for group in found.groups]
        self.numeric = bool(found.edges)
        # The last entry is that of rows without a group.
        table = values if self.numeric else [values[code] if code >= 0 else common for code in found.codes]
        self.register_buffer("table", torch.tensor([*table, common], dtype=torch.float32))
        self.register_buffer("edges", torch.tensor(found.edges, dtype=torch.float32))
        self.register_buffer("position", torch.tensor([position], dtype=torch.int64))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Raw features `(B, F)` to thresholds `(B,)`."""
        value = features.index_select(1, self.position)
        last = self.table.shape[0] - 1
        if self.numeric:
            known = torch.isfinite(value[:, 0])
            code = (value >= self.edges).to(torch.int64).sum(1)
        else:
            value = value[:, 0]
            known = (value >= 0) & (value < last) & (value == torch.floor(value))
            code = torch.where(known, value, torch.zeros_like(value)).to(torch.int64)
        return self.table[torch.where(known, code, torch.full_like(code, last))]


def parts(
    threshold: records.DecisionThreshold | None, features: Sequence[records.FeatureSpec]
) -> tuple[float | None, GroupCuts | None]:
    """What `models.ShippedModel` takes: the common threshold, and the cuts of the groups where there are any."""
    if threshold is None or threshold.groups is None:
        return (threshold.value if threshold else None), None
    position = next(i for i, feature in enumerate(features) if feature.name == threshold.groups.feature)
    return threshold.value, GroupCuts(threshold.groups, position, threshold.value)
