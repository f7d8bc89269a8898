"""How few features suffice: what was changed without need is put back, as long as the graph stays fooled."""

from __future__ import annotations

import numpy as np

from checks.attacks.search import MISLABELLED, Found, confirm, damage


def counts(before: Found, found: Found, names: tuple[str, ...]) -> dict[str, object]:
    """Numbers of features whose change fools a classifier, an upper bound: features are put back one after the other.

    Args:
        before: The rows as they are.
        found: What an attack made of them.
        names: Of the features.

    Returns:
        `rows`: number of fooled rows; `by_count`: how many of them with one, two, … features; `by_feature`: in how many
        of them each feature had to change, those that never had to left out.
    """
    problem = found.problem
    rows = np.flatnonzero((before.damage < MISLABELLED) & (found.damage >= MISLABELLED))
    at, original = found.x[rows], problem.x[rows]
    for j in range(at.shape[1]):
        back = at.copy()
        back[:, j] = original[:, j]
        wrong = damage(confirm(problem.score, back, problem.classes), problem.y[rows]) >= MISLABELLED
        at[wrong] = back[wrong]
    changed = (at != original) & ~(np.isnan(at) & np.isnan(original))
    histogram, each = np.bincount(changed.sum(axis=1), minlength=1), changed.sum(axis=0)
    return {
        "rows": len(rows),
        "by_count": [{"features": k, "rows": int(n)} for k, n in enumerate(histogram) if n],
        "by_feature": [
            {"feature": names[j], "rows": int(each[j])} for j in np.argsort(-each, kind="stable") if each[j]
        ],
    }
