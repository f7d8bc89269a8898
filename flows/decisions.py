"""The lines of a decision with the numbers behind them: measured, interval, asked, number of rows."""

from __future__ import annotations

import dataclasses

from checks import basis
from configs.policy import Gate
from evidence import records
from evidence.dossier import AnyDossier


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of the gate's decision."""

    check: str
    slice: str
    status: records.Status
    required: bool
    of_plan: bool
    """Is it a gate of the plan, or a check that counts in every run?"""
    value: float | None
    unit: str
    low: float | None
    high: float | None
    level: float | None
    """Confidence level of the interval."""
    own_level: bool
    """Does the gate ask for another level than the policy?"""
    at_least: float | None
    at_most: float | None
    n: int | None
    why: str
    """What the numbers do not say: why nothing was measured, which groups are too small, where the worst was found."""

    @property
    def family(self) -> str:
        """The first part of the check: `performance`, `fairness`, `data` and so on."""
        return self.check.partition(".")[0]


def lines(found: AnyDossier) -> tuple[Line, ...]:
    """The lines of the decision, those of the plan's gates first, in the order of the record."""
    gates = {(gate.check, gate.slice): gate for gate in found.plan.policy.gates}
    results, made = found.results(), []
    places: dict[str, int] = {}
    for position, reason in enumerate(found.gate.reasons):
        if position < len(gates) and (gate := gates.get((reason.check_id, reason.slice))):
            measure = basis.measure_of(gate, found.plan.policy, results)
            made.append(_line(reason, measure, gate, of_plan=True))
            continue
        own = [result for result in results if result.check_id == reason.check_id]
        index = places.get(reason.check_id, 0)
        places[reason.check_id] = index + 1
        result = own[index] if index < len(own) else None
        measure = result.measures[0] if result is not None and result.measures else None
        made.append(_line(reason, measure, result.threshold if result else None, of_plan=False))
    return tuple(made)


def _line(
    reason: records.GateReason,
    measure: records.Measure | None,
    asked: Gate | records.Threshold | None,
    *,
    of_plan: bool,
) -> Line:
    interval = measure.interval if measure else None
    return Line(
        check=reason.check_id,
        slice=reason.slice,
        status=reason.status,
        required=reason.required,
        of_plan=of_plan,
        value=measure.value if measure else None,
        unit=measure.unit if measure else "1",
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        level=interval.level if interval else None,
        own_level=isinstance(asked, Gate) and asked.confidence is not None,
        at_least=asked.at_least if asked else None,
        at_most=asked.at_most if asked else None,
        n=measure.n if measure else None,
        why=_why(reason.text, measure),
    )


def _why(text: str, measure: records.Measure | None) -> str:
    """The part of a reason behind its numbers; all of it where there are none."""
    if measure is None or measure.value is None or measure.n is None:
        return text
    _, size, rest = text.partition(f"n = {measure.n:,}")
    return rest.lstrip(",; ") if size else text
