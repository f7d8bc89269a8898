"""The check of what a plan declares beforehand: do the names of measures, slices and fields mean something?

Light on purpose: it loads the plan's types and the catalogue, and nothing that computes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from checks import catalogue
from configs import changes, errors
from configs.changes import MetricLimit
from configs.plan import Plan
from evidence import differences


def check(plan: Plan) -> None:
    """Refuse declarations that can never mean what they say.

    Raises:
        PlanError: A pattern leads to no field of the plan, or a limit names an unknown metric, one of another task, a
            slice that is not measured, a number outside the metric's range or the wrong direction. One line for each.
    """
    content = plan.model_dump(mode="json")
    problems = []
    for index, stated in enumerate(plan.predetermined_changes):
        where = f"predetermined_changes[{index}] {stated.id}"
        problems += [f"{where}: {p}" for pattern in stated.may_change.plan if (p := _path_problem(pattern, content))]
        for limit in stated.limits.metrics:
            problems += _limit_problems(plan, f"{where}: limits.metrics {limit.check}", limit)
    if problems:
        raise errors.PlanError("\n".join(problems))


def _path_problem(pattern: str, content: Any) -> str | None:
    """Why a pattern leads nowhere in this plan."""
    places = [content]
    for step in changes.steps(pattern):
        known = [name for place in places for name in _names(place)]
        places = [inner for place in places for inner in _beneath(place, step)]
        if not places:
            near = difflib.get_close_matches(step.strip("[]"), [name.strip("[]") for name in known], n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(dict.fromkeys(known)) or 'none'}."
            return f"may_change.plan {pattern}: expected a field of the plan, got no '{step}'. {hint}"
    return None


def _names(place: Any) -> list[str]:
    if isinstance(place, Mapping):
        return list(place)
    return [f"[{name}]" for name in differences.names_of(place)] if isinstance(place, list) else []


def _beneath(place: Any, step: str) -> Iterator[Any]:
    if isinstance(place, Mapping):
        yield from place.values() if step == "*" else ([place[step]] if step in place else [])
    elif isinstance(place, list):
        items = differences.named(place)
        wanted = step.removeprefix("[").removesuffix("]")
        if step in ("*", "[*]"):
            yield from place
        elif step.startswith("[") and wanted in items:
            yield items[wanted]


def _limit_problems(plan: Plan, where: str, limit: MetricLimit) -> list[str]:
    bounds = {"at_least": limit.at_least, "at_most": limit.at_most}
    problem = catalogue.name_problem(plan, where, limit.check, limit.slice)
    if problem is not None:
        return [problem]
    metric = catalogue.METRICS[limit.check]
    low, high = catalogue.bounds(metric, plan.data.target.task)
    found = [
        f"{where}: expected {name} from {low:g} to {high:g}, got {bound:g}. Correct it."
        for name, bound in bounds.items()
        if bound is not None and not low <= bound <= high
    ]
    if limit.worse_by_at_most is not None and metric.better == "none":
        found.append(
            f"{where}: expected at_least and at_most, because a descriptive metric has no worse side, got "
            "worse_by_at_most. Write bounds."
        )
    return found
