"""The groups that a mitigation treats, and the rates that it wants equal in them."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from configs import errors
from configs.plan import Plan
from evidence import arrays

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Treated:
    """The rows of a part: their groups and labels."""

    role: str
    codes: npt.NDArray[np.int64]
    """(rows,) index into `names`; −1 is no group."""
    names: tuple[str, ...]
    y: npt.NDArray[np.int64]
    """(rows,) 0 or 1."""

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """(rows,): has the row a group?"""
        return self.codes >= 0

    def cells(self) -> npt.NDArray[np.int64]:
        """Rows of each group and label (groups, 2)."""
        index = self.codes[self.known] * 2 + self.y[self.known]
        return np.bincount(index, minlength=2 * len(self.names)).reshape(-1, 2)


def rows_of(plan: Plan, part: arrays.Part) -> Treated:
    """The groups of the plan's attribute in a part."""
    groups = part.groups[str(plan.mitigation.attribute)]
    return Treated(part.role, groups.codes.astype(np.int64), groups.names, part.y.astype(np.int64))


def of(plan: Plan, part: arrays.Part) -> Treated:
    """The same, where both classes are needed.

    Raises:
        DataError: A group holds rows of one class only; nothing can be balanced or compared in it.
    """
    attribute, found = plan.mitigation.attribute, rows_of(plan, part)
    for name, cell in zip(found.names, found.cells(), strict=True):
        if cell.any() and not cell.all():
            raise errors.DataError(
                f"mitigation {plan.mitigation.method}, group {name} of {attribute} in {part.role}: expected rows of "
                f"both classes, got {cell.sum()} of one. Join groups in data.protected, enlarge the split, or leave "
                "mitigation out."
            )
    return found


def rates(positive: Floats, y: npt.NDArray[np.int64], constraint: str) -> dict[str, float]:
    """The rates that a constraint speaks of.

    Args:
        positive: (rows,) 1 where the label is positive, or the probability that it is.
        y: (rows,) true labels.
        constraint: Of the plan.

    Returns:
        Name to rate; NaN where no row counts.
    """
    wanted = {
        "demographic_parity": ("selection_rate",),
        "equalized_odds": ("true_positive_rate", "false_positive_rate"),
        "true_positive_rate_parity": ("true_positive_rate",),
        "false_positive_rate_parity": ("false_positive_rate",),
    }[constraint]
    rows = {"selection_rate": np.ones(len(y), bool), "true_positive_rate": y == 1, "false_positive_rate": y == 0}
    return {name: float(positive[rows[name]].mean()) if rows[name].any() else float("nan") for name in wanted}


def violation(positive: Floats, treated: Treated, constraint: str) -> float:
    """Largest difference between a rate of a group and the same rate of all rows that have a group."""
    known = treated.known
    whole = rates(positive[known], treated.y[known], constraint)
    worst = 0.0
    for code in range(len(treated.names)):
        rows = treated.codes == code
        for name, value in rates(positive[rows], treated.y[rows], constraint).items():
            worst = max(worst, abs(value - whole[name])) if np.isfinite(value) else worst
    return worst
