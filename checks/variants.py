"""Gates with their own level of confidence or group size: their checks are measured once more with these settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from checks import basis, intervals
from configs.language.load import AnyPlan
from configs.policy import Gate
from evidence import records


class Subject(Protocol):
    """What is measured: holds the plan whose policy applies, and how intervals are made."""

    plan: AnyPlan
    sampling: intervals.Sampling


S = TypeVar("S", bound=Subject)
Family = Callable[[S], tuple[records.CheckResult, ...]]

DECIDING = (
    "small_groups", "small_group_rows", "empty_groups", "minimum_group_size", "missing_attribute", "too_many_missing",
)  # fmt: skip
"""Parts of `details` that a gate looks at and that the settings change."""


def measure(subject: S, family: Family[S]) -> tuple[records.CheckResult, ...]:
    """The results of a family, with further measures for gates that have their own settings.

    The same rows and seeds give the same values; only intervals and what counts as a small group differ. The measures
    are named by `Policy.variant`, and stand behind those of the policy.
    """
    results = family(subject)
    for own, gates in _asked(subject, {r.check_id for r in results}).items():
        again = {r.check_id: r for r in family(_with(subject, gates[0]))}
        results = tuple(
            _joined(r, again[r.check_id], own, [g for g in gates if g.check == r.check_id]) for r in results
        )
    return results


def _asked(subject: Subject, measured: set[str]) -> dict[str, list[Gate]]:
    found: dict[str, list[Gate]] = {}
    for gate in subject.plan.policy.gates:
        own = subject.plan.policy.variant(gate)
        if own and gate.check in measured:
            found.setdefault(own, []).append(gate)
    return found


def _with(subject: S, gate: Gate) -> S:
    policy = subject.plan.policy.at(gate)
    return dataclasses.replace(
        subject,
        plan=subject.plan.model_copy(update={"policy": policy}),
        sampling=dataclasses.replace(subject.sampling, level=policy.confidence),
    )


def _joined(
    result: records.CheckResult, again: records.CheckResult, own: str, gates: Sequence[Gate]
) -> records.CheckResult:
    if not gates:
        return result
    slices = {gate.slice for gate in gates}
    added = tuple(m.model_copy(update={"name": m.name + own}) for m in again.measures if m.slice in slices)
    kept = {key: again.details[key] for key in DECIDING if key in again.details}
    others = result.details.get(basis.VARIANTS, {})
    details = {**result.details, basis.VARIANTS: {**others, own: kept}}
    return result.model_copy(update={"measures": (*result.measures, *added), "details": details})
