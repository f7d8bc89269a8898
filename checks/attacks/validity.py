"""Is the attack itself sound? What Carlini et al. ask an evaluation to show, as numbers.

A low success of an attack may mean a robust model or a poor attack. It speaks for the model only if success grows with
the budget, is near total where nearly everything may change, and if attacks that see the gradient do no worse than
those that do not. Refs: Carlini et al., arXiv 1902.06705; Athalye et al., ICML 2018 (masked gradients).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from checks.attacks import budget, suite
from checks.attacks.search import MISLABELLED, Found, Problem
from evidence import records

NEAR_TOTAL = 0.95
"""Share of rows that should be wrong once attackable features may take any value of the training range."""


def unbounded(
    attacked: suite.Attacked, features: budget.Features, streams: Callable[[str], np.random.Generator]
) -> Found:
    """What all attacks together find where each attackable feature may take any value of its training range."""
    given = attacked.worst[-1].problem
    limits = budget.budget(features, given.x, 1.0, {f.name: _everything(f) for f in features})
    found = Found(Problem(given.score, given.x, given.y, limits, given.classes))
    found.keep(np.arange(len(given.x)), attacked.worst[-1].x, attacked.worst[-1].damage)
    for strike in attacked.strikes:
        strike.run(found, streams(f"{strike.name}.unbounded"))
    return found


def findings(attacked: suite.Attacked, everything: Found) -> list[dict[str, object]]:
    """One entry for each question: `asked`, `sound` (true, false), `found` (numbers by name)."""
    entries: list[dict[str, object]] = [grows(attacked)]
    if attacked.worst[-1].problem.classes:
        total = suite.success(everything)
        entries.append(
            {
                "asked": "nearly every row is wrong where features may take any value of their training range",
                "sound": total >= NEAR_TOTAL,
                "found": {"share of rows wrong": total},
            }
        )
    return [*entries, *masked(attacked)]


def grows(attacked: suite.Attacked) -> dict[str, object]:
    """Does each attack, made anew at each budget, come at least as far with a larger one?"""
    worst = [max(attacked.alone[s.name][i] for s in attacked.strikes) for i in range(len(suite.SHARES))]
    weak = [s.title for s in attacked.strikes if list(attacked.alone[s.name]) != sorted(attacked.alone[s.name])]
    return {
        "asked": "success does not fall as the budget grows, for every attack made anew at each budget",
        "sound": not weak,
        "found": {
            f"{_what(attacked)} at {share:g} of the budget": _finite(value)
            for share, value in zip(suite.SHARES, worst, strict=True)
        },
        "exceptions": weak,
    }


def masked(attacked: suite.Attacked) -> list[dict[str, object]]:
    """Do attacks with the gradient come at least as far as the one without? If not, the gradient may be masked."""
    if len(attacked.strikes) < 2:
        return []
    blind = attacked.found[suite.QUERY][-1]
    seeing = suite.worst_of([attacked.found[s.name][-1] for s in attacked.strikes if s.name != suite.QUERY])
    found: dict[str, float | None] = {
        f"{_what(attacked)} with the gradient": _finite(suite.success(seeing)),
        f"{_what(attacked)} with questions alone": _finite(suite.success(blind)),
    }
    if blind.problem.classes:
        only = (blind.damage >= MISLABELLED) & (seeing.damage < MISLABELLED)
        found["rows that only questions fooled"] = int(only.sum())
    return [
        {
            "asked": "attacks that see the gradient come at least as far as the one that only asks",
            "sound": suite.success(seeing) >= suite.success(blind),
            "found": found,
        }
    ]


def _what(attacked: suite.Attacked) -> str:
    """`suite.success` in words."""
    return "share of rows wrong" if attacked.worst[-1].problem.classes else "mean absolute error"


def _finite(value: float) -> float | None:
    """None where an output that is no number made the error infinite."""
    return value if np.isfinite(value) else None


def _everything(feature: records.FeatureSpec) -> float:
    """A budget that the training range alone bounds; 100 standard deviations where that range is not known."""
    if feature.minimum is None or feature.maximum is None:
        return 100.0 * (feature.std or 0.0)
    return feature.maximum - feature.minimum
