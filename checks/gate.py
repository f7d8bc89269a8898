"""The gate: the policy laid on what was measured, with three answers.

A gate passes when the whole interval lies on the right side of the threshold, fails when it lies wholly on the wrong
side, and is inconclusive when the threshold lies inside. A check that did not run, a metric that is undefined and a
group that is too small never pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from checks import _rows_needed, basis
from checks._subject import UNGATED
from configs import shown
from configs.language.load import AnyPlan
from configs.policy import Gate, Settings
from evidence import clock, records

WITHOUT_SMALL = "without_small_groups"
KEPT = 0.75
"""Part of the score on unchanged inputs below which a gate's reason names that score as well."""
REPORTED = "; by the plan an inconclusive answer is reported and does not decide"
_SEVEREST: tuple[records.Status, ...] = ("fail", "not_measured", "not_applicable", "inconclusive", "pass")
_DECLARED = "robustness.properties"
"""What the plan itself declares must hold: counts wherever something is declared."""
_OWN_SAY: tuple[str, ...] = ("data.", "export.", _DECLARED)
"""Families whose checks always count by their own status. A gate on one of them is asked on top, never instead."""
_MAY_BE_UNMEASURED = ("data.representativeness",)
"""Checks that need what a plan may leave out (a reference population). Unmeasured, they block nothing."""


@dataclasses.dataclass(frozen=True)
class _Verdict:
    gate: Gate
    status: records.Status
    text: str


def judge(measure: records.Measure, gate: Gate) -> records.Status:
    """Lay one threshold on one measure.

    Returns:
        `not_measured` where the value is undefined, `inconclusive` where a sampled value has no interval.
    """
    if measure.value is None:
        return "not_measured"
    low = high = measure.value
    if measure.interval is not None:
        low, high = measure.interval.low, measure.interval.high
    elif gate.check.split(".")[0] not in basis.EXACT:
        return "inconclusive"
    if gate.at_least is not None:
        return "pass" if low >= gate.at_least else "fail" if high < gate.at_least else "inconclusive"
    limit = _limit(gate)
    return "pass" if high <= limit else "fail" if low > limit else "inconclusive"


def apply(plan: AnyPlan, results: Sequence[records.CheckResult]) -> tuple[records.CheckResult, ...]:
    """The results with status, threshold and reason as the policy has them.

    Several gates on one check (one per attribute) give it the severest status and the threshold that caused it.
    """
    return tuple(_applied(plan, result) for result in results)


def decide(plan: AnyPlan, results: Sequence[records.CheckResult]) -> records.GateDecision:
    """The three-valued answer.

    A required gate whose `inconclusive` is `reports` is not required while it is inconclusive, and says so.
    `fail` if a required gate failed, or a check on the data or the export of severity `gate` or `critical`;
    `inconclusive` if one of them gave no answer; else `pass`. A check on the data or the export counts by its own
    status whatever gates the policy has on it. Those that do not apply are listed and do not block, nor does the
    comparison with a reference population that the plan does not give.
    """
    reasons = [reason(plan.policy, gate, results) for gate in plan.policy.gates]
    reasons += [_own_reason(r) for r in results if r.check_id.startswith(_OWN_SAY) and not _undeclared(r)]
    required = [r.status for r in reasons if r.required]
    outcome = "fail" if "fail" in required else "pass" if all(s == "pass" for s in required) else "inconclusive"
    return records.GateDecision(outcome=outcome, reasons=tuple(reasons), at=clock.now())


def _applied(plan: AnyPlan, result: records.CheckResult) -> records.CheckResult:
    verdicts = [_verdict(plan.policy, gate, result) for gate in plan.policy.gates if gate.check == result.check_id]
    if not verdicts:
        return result
    severest = min(verdicts, key=lambda v: _SEVEREST.index(v.status))
    several = len(verdicts) > 1
    texts = [f"{v.gate.slice}: {v.text}" if several else v.text for v in verdicts]
    gate = severest.gate
    threshold = records.Threshold(at_least=gate.at_least, at_most=gate.at_most, slice=gate.slice)
    return result.model_copy(update={"status": severest.status, "threshold": threshold, "reason": "; ".join(texts)})


def _verdict(policy: Settings, gate: Gate, result: records.CheckResult) -> _Verdict:
    result = basis.seen_by(gate, policy, result)
    measure = basis.find(result, gate.check, gate.slice)
    if measure is None:
        status: records.Status = "not_applicable" if _does_not_apply(result) else "not_measured"
        return _Verdict(gate, status, f"{_asked(gate)}: {_why_missing(result, gate)}")
    status = judge(measure, gate)
    why = ""
    listed = (g for key in ("small_groups", "empty_groups") for g in result.details.get(key, []))
    small = [g for g in listed if _in(gate.slice, g, result)]
    if small and measure.value is not None:
        status = _despite_small(result, gate)
        least = result.details.get("minimum_group_size", "the minimum of")
        have, unit = "has" if len(small) == 1 else "have", result.details.get("group_unit", "rows")
        why = f"; {_named(small, gate)} {have} fewer than {least} {unit} to be measured on"
        why += _without(result, gate, len(small))
    elif status == "not_measured" or (status == "inconclusive" and measure.interval is None):
        why = f", {measure.note or 'no interval could be made'}"
    if gate.slice in result.details.get("too_many_missing", []) and measure.value is not None:
        # The rows without a group may be just those that are treated otherwise.
        status = "inconclusive" if status == "pass" else status
        why += f", {result.details['missing_attribute'][gate.slice]:,} test rows have no group"
    more = _rows_needed.sentence(result, gate) if status == "inconclusive" else ""
    text = f"{_found(measure, gate)}{_asked(gate)}{_size(measure)}{why}{_worst(result, gate)}{_fallen(result, measure)}"
    return _Verdict(gate, status, f"{text}{_crossed(result, gate)}{more}")


def _worst(result: records.CheckResult, gate: Gate) -> str:
    """The worst of several features or slices, where a result names one."""
    feature, part = result.details.get("worst"), result.details.get("worst_slice", {}).get(gate.slice)
    return (f"; worst feature: {feature}" if feature else "") + (f"; worst slice: {part}" if part else "")


def _fallen(result: records.CheckResult, measure: records.Measure) -> str:
    """What the score is on unchanged inputs, where it falls far: a low threshold lets a collapse pass."""
    clean = result.details.get("clean")
    if not isinstance(clean, int | float) or measure.value is None or measure.value >= KEPT * clean:
        return ""
    return f"; {shown.number(clean)} on unchanged inputs"


def _crossed(result: records.CheckResult, gate: Gate) -> str:
    """Where a curve of growing severity falls below the threshold."""
    found = (c for c in result.details.get("crossing", []) if c["threshold"] == gate.at_least)
    return "".join(f"; {c['words']}" for c in found)


def _without(result: records.CheckResult, gate: Gate, groups: int) -> str:
    """What is found without the groups that are too small, where that was measured: a reader needs both."""
    without = basis.find(result, f"{gate.check}.{WITHOUT_SMALL}", gate.slice)
    if without is None or without.value is None:
        return ""
    found = _found(without, gate).removeprefix("measured ").rstrip(", ")
    return f" (without {'it' if groups == 1 else 'them'} {found})"


def _despite_small(result: records.CheckResult, gate: Gate) -> records.Status:
    """A slice with a group that is too small fails only if it fails without that group."""
    left_out = result.details.get("small_left_out", False)
    without = basis.find(result, f"{gate.check}.{WITHOUT_SMALL}", gate.slice) or (
        None if any(_in(gate.slice, g, result) for g in result.details.get("small_groups", [])) and not left_out else
        basis.find(result, gate.check, gate.slice)
    )  # fmt: skip
    return "fail" if without is not None and judge(without, gate) == "fail" else "inconclusive"


def reason(policy: Settings, gate: Gate, results: Sequence[records.CheckResult]) -> records.GateReason:
    """One threshold laid on the results, small groups and missing measures included."""
    of_check = [r for r in results if r.check_id == gate.check]
    # A check on the data has one result per attribute or column; those of other slices have no say.
    addressed = [r for r in of_check if basis.find(r, gate.check, gate.slice)]
    verdicts = [_verdict(policy, gate, r) for r in addressed or of_check]
    verdict = (
        min(verdicts, key=lambda v: _SEVEREST.index(v.status))
        if verdicts
        else _Verdict(gate, "not_measured", f"{_asked(gate)}: the check did not run")
    )
    reported = gate.required and gate.inconclusive == "reports" and verdict.status == "inconclusive"
    return records.GateReason(
        check_id=gate.check,
        slice=gate.slice,
        status=verdict.status,
        required=gate.required and not reported,
        text=f"{verdict.text}{REPORTED if reported else ''}",
    )


def _undeclared(result: records.CheckResult) -> bool:
    return result.check_id == _DECLARED and result.status == "not_applicable"


def _own_reason(result: records.CheckResult) -> records.GateReason:
    excused = result.status == "not_measured" and result.check_id in _MAY_BE_UNMEASURED
    return records.GateReason(
        check_id=result.check_id,
        slice=result.measures[0].slice if result.measures else "overall",
        status=result.status,
        required=result.severity != "info" and result.status != "not_applicable" and not excused,
        text=result.reason,
    )


def _does_not_apply(result: records.CheckResult) -> bool:
    return result.status == "not_applicable" and not result.reason.startswith(UNGATED)


def _why_missing(result: records.CheckResult, gate: Gate) -> str:
    if result.measures:
        return f"nothing was measured for {gate.slice}"
    return result.reason.removeprefix(f"{_asked(gate)}: ")  # as `apply` wrote it, where it went before


def _named(groups: Sequence[str], gate: Gate) -> str:
    """`“Asian” and “Other”`: groups of the slice that a gate is on."""
    *before, last = [f"“{basis.group_name(group, gate.slice)}”" for group in groups]
    return f"{', '.join(before)} and {last}" if before else last


def _in(part: str, group: str, result: records.CheckResult) -> bool:
    """Does a group belong to what a gate addresses?

    What is measured overall rests on the groups of every column, unless it is measured on all rows, groups or not.
    """
    overall = part == "overall" and not result.details.get("overall_without_groups", False)
    return overall or group.startswith(f"{part}=")


def _limit(gate: Gate) -> float:
    if gate.at_most is None:
        raise ValueError("a gate holds at_least or at_most")
    return gate.at_most


def _found(measure: records.Measure, gate: Gate) -> str:
    if measure.value is None:
        return ""
    level = f" at {100 * gate.confidence:.6g} %" if gate.confidence and measure.interval else ""
    unit = "" if measure.unit == "1" else f" {measure.unit}"
    value, *ends = (_number(x, measure, gate) for x in (measure.value, *_ends(measure)))
    interval = f" [{', '.join(ends)}]" if ends else ""
    return f"measured {value}{interval}{unit}{level}, "


def _ends(measure: records.Measure) -> tuple[float, ...]:
    return (measure.interval.low, measure.interval.high) if measure.interval else ()


def _number(value: float, measure: records.Measure, gate: Gate) -> str:
    """As the tables of the documents show it: never as the threshold where it is another number."""
    if measure.unit == "rows" and value.is_integer():
        return f"{int(value):,}"
    return shown.number(value, gate.at_least if gate.at_least is not None else gate.at_most)


def _asked(gate: Gate) -> str:
    return f"at least {gate.at_least:g}" if gate.at_least is not None else f"at most {gate.at_most:g}"


def _size(measure: records.Measure) -> str:
    return "" if measure.n is None else f", n = {measure.n:,}"
