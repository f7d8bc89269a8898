"""How few features suffice: what was changed without need is put back as long as the graph stays fooled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from checks.attacks import square
from checks.attacks.search import MISLABELLED, Found, Inputs, Rows, confirm, damage


def counts(before: Found, found: Found, names: tuple[str, ...]) -> dict[str, object]:
    """Numbers of features whose change fools a classifier, an upper bound: features are put back one by one.

    Args:
        before: The rows as they are.
        found: What an attack made of them.
        names: Of the features.

    Returns:
        `rows`: number of fooled rows; `by_count`: how many of them with one, two, … features; `by_feature`: in how many
        of them each feature had to change, those that never had to left out.
    """
    rows = np.flatnonzero((before.damage < MISLABELLED) & (found.damage >= MISLABELLED))
    at, original = reduced(found, rows), found.problem.x[rows]
    changed = (at != original) & ~(np.isnan(at) & np.isnan(original))
    histogram, each = np.bincount(changed.sum(axis=1), minlength=1), changed.sum(axis=0)
    falling = [j for j in np.argsort(-each, kind="stable") if each[j]]
    return {
        "rows": len(rows),
        "by_count": [{"features": k, "rows": int(n)} for k, n in enumerate(histogram) if n],
        "by_feature": [{"feature": names[j], "rows": int(each[j])} for j in falling],
    }


def reduced(found: Found, rows: Rows) -> Inputs:
    """The inputs of some fooled rows (m, features) with fewer changes, still labelled wrongly.

    An attack stops at the first wrong label, with all features a little changed. Each change is therefore taken to the
    end of the box first, where the row stays wrong; then the changes are put back, the least needed first.
    """
    at, each = found.x[rows], np.arange(len(rows))
    if len(rows) == 0:
        return at
    at = _where_wrong(found, rows, _pushed(found, rows), at)
    for column in _least_needed_first(found, rows, at).T:
        back = at.copy()
        back[each, column] = found.problem.x[rows, column]
        at = _where_wrong(found, rows, back, at)
    return at


def _where_wrong(found: Found, rows: Rows, wanted: Inputs, at: Inputs) -> Inputs:
    """The wanted inputs for the rows that they leave labelled wrongly, the others as they are."""
    problem = found.problem
    wrong = damage(confirm(problem.score, wanted, problem.classes), problem.y[rows]) >= MISLABELLED
    return np.where(wrong[:, None], wanted, at)


def _pushed(found: Found, rows: Rows) -> Inputs:
    """Every changed cell at the end of its box, in the direction of its change."""
    near, original = found.problem.limits.take(rows), found.problem.original[rows]
    moved = found.x[rows] - original
    ends = np.where(moved > 0, near.high, np.where(moved < 0, near.low, found.x[rows]))
    return near.finish(ends)


def _least_needed_first(found: Found, rows: Rows, at: Inputs) -> npt.NDArray[np.intp]:
    """Features of each row (m, features): first the one whose change alone is missed least."""
    problem, left = found.problem, []
    for j in range(at.shape[1]):
        back = at.copy()
        back[:, j] = problem.x[rows, j]
        left.append(square.margin(confirm(problem.score, back, problem.classes), problem.y[rows]))
    return np.argsort(-np.stack(left, axis=1), axis=1, kind="stable")
