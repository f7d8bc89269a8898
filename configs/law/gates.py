"""The gates that the duties of a high-risk system expect of a policy, and that it lacks.

Refs: AI Act Art. 10(2)(f), Art. 15(1) and (4).
"""

from __future__ import annotations

import dataclasses

from configs.language.plan import LanguagePlan
from configs.law import applies
from configs.law import register as law
from configs.law.register import Register, Requirement
from configs.plan import Plan


@dataclasses.dataclass(frozen=True)
class Lacking:
    """A family of checks without a required gate, and the duty that expects one."""

    family: str
    requirement: Requirement


def lacking(plan: Plan | LanguagePlan, register: Register | None = None) -> tuple[Lacking, ...]:
    """The families on which a duty that applies, or may apply, expects a required gate, and the policy has none.

    A gate on fairness is expected where the data are about persons, or not said not to be.

    Args:
        plan: The plan.
        register: The register of the law, where it is another than that of the tool.

    Raises:
        PlanError: The answers on the class contradict each other.
    """
    if isinstance(plan, LanguagePlan):
        return ()
    register = register or law.load()
    gated = {gate.check.partition(".")[0] for gate in plan.policy.gates if gate.required}
    duties = {requirement.id: requirement for requirement in applies.requirements(plan, register)}
    return tuple(
        Lacking(expected.family, duties[expected.requirement])
        for expected in register.expected_gates
        if expected.requirement in duties
        and expected.family not in gated
        and (expected.family != "fairness" or _about_persons(plan))
    )


def _about_persons(plan: Plan) -> bool:
    return bool(plan.data.protected) or plan.data.provenance.personal_data != "no"
