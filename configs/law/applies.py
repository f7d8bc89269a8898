"""Which duties and questions the answers on the class of a system lead to.

What an answer leaves open still applies: missing is never no.
Refs: AI Act Arts 6, 9 to 15, 43, 49; Annexes IV, V, VIII, IX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from configs.language.plan import LanguagePlan
from configs.law import applies_general, classify, general_purpose
from configs.law import register as law
from configs.law.classify import Classified
from configs.law.register import Item, Question, Register, Requirement
from configs.plan import Plan

_Rule = Callable[[Plan, Classified], bool]


def requirements(
    plan: Plan | LanguagePlan, register: Register | None = None, classes: Mapping[str, str] | None = None
) -> tuple[Requirement, ...]:
    """The duties that apply to the system of a plan, or may apply because an answer is missing.

    Args:
        plan: The plan.
        register: The register of the law, where it is another than that of the tool.
        classes: Of a language model: what its account says (`AccountRecord.classes`), where it was made.

    Raises:
        PlanError: The answers on the class contradict each other.
    """
    if isinstance(plan, LanguagePlan):
        return applies_general.requirements(plan, classes)
    register = register or law.load()
    found = classify.classify(plan.classification, register)
    return tuple(r for r in register.all_requirements if _applies(r, plan, found))


def questions(
    plan: Plan | LanguagePlan, register: Register | None = None, classes: Mapping[str, str] | None = None
) -> tuple[Question, ...]:
    """The attestations that an applying duty asks for, in the order of the duties. See `requirements`.

    Raises:
        PlanError: The answers on the class contradict each other.
    """
    asked = [p.partition(":")[2] for r in requirements(plan, register, classes) for p in r.evidence]
    known = {q.id: q for q in attestations(plan, register)}
    return tuple(known[name] for name in dict.fromkeys(asked) if name in known)


def attestations(plan: Plan | LanguagePlan, register: Register | None = None) -> tuple[Question, ...]:
    """Every question that can be asked about the system of a plan."""
    if isinstance(plan, LanguagePlan):
        return general_purpose.load().attestations
    return (register or law.load()).attestations


def every_attestation() -> tuple[Question, ...]:
    """Every question that can be asked about any system."""
    return (*law.load().attestations, *general_purpose.load().attestations)


def of_deployers(plan: Plan, register: Register | None = None) -> tuple[Item, ...]:
    """The duties of whoever deploys the system that lead to a document of their own, whoever made the plan.

    Today it is the assessment of the impact on fundamental rights: Art. 27(1) is for the uses of Annex III without
    point 2, and its words say for which deployers.

    Raises:
        PlanError: The answers on the class contradict each other.
    """
    register = register or law.load()
    if not _registered(plan, classify.classify(plan.classification, register)):
        return ()
    return tuple(item for item in register.value_chain if item.id == "DP-27.1")


def asked_by(question: Question, among: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    """The duties among some that an attestation answers."""
    return tuple(r for r in among if f"attestation:{question.id}" in r.evidence)


def _applies(requirement: Requirement, plan: Plan, found: Classified) -> bool:
    if requirement.deleted or requirement.power:
        return False
    if requirement.applies_to and not _use_may_be(requirement.applies_to, found):
        return False
    rule = next((rule for start, rule in _RULES if requirement.id.startswith(start)), _high_risk)
    return rule(plan, found)


def _use_may_be(uses: tuple[str, ...], found: Classified) -> bool:
    """Is the use one of these, or not said to be another?"""
    chosen = {item.id for item in found.annex_iii.items}
    return bool(chosen & set(uses)) if chosen else found.annex_iii.state != "no"


def _high_risk(_: Plan, found: Classified) -> bool:
    return found.high_risk.state != "no" and not found.by_product_law


def _classified(_: Plan, found: Classified) -> bool:
    return found.high_risk.state != "no"


def _untrained(plan: Plan, found: Classified) -> bool:
    """Art. 10(6) is for systems that were made without training on data: the others answer the whole article."""
    return _high_risk(plan, found) and plan.predictions is not None


def _annex_iii(_: Plan, found: Classified) -> bool:
    return found.high_risk.state != "no" and found.annex_iii.state != "no"


def _annex_i(_: Plan, found: Classified) -> bool:
    return found.high_risk.state != "no" and found.annex_i.state != "no" and not found.by_product_law


def _derogation(_: Plan, found: Classified) -> bool:
    return found.scope.state != "no" and found.derogation.state != "no"


def _deployer(plan: Plan, found: Classified) -> bool:
    return plan.classification.role in ("deployer", "unknown") and _annex_iii(plan, found)


def _registered(plan: Plan, found: Classified) -> bool:
    """Art. 49(1) leaves out Annex III(2), which is registered at national level (Art. 49(5)); so does Art. 27(1)."""
    chosen = {item.id for item in found.annex_iii.items}
    return _annex_iii(plan, found) and chosen != {"A3-2"}


def _hidden_register(plan: Plan, found: Classified) -> bool:
    points = {item.id[3] for item in found.annex_iii.items}
    return _annex_iii(plan, found) and (not points or bool(points & {"1", "6", "7"}))


def _route(name: str) -> _Rule:
    def rule(_: Plan, found: Classified) -> bool:
        if found.route:
            return any(r.id == name for r in found.route)
        return found.high_risk.state != "no" and not found.by_product_law

    return rule


def _special(plan: Plan, found: Classified) -> bool:
    return found.scope.state != "no" and any(attribute.may_be_special for attribute in plan.data.protected)


def _real_world(plan: Plan, _: Classified) -> bool:
    return plan.bundle.test_environment == "real_world"


_RULES: tuple[tuple[str, _Rule], ...] = (
    ("HR-6.1", _classified),
    ("HR-6.3", _annex_iii),
    ("HR-6.4", _derogation),
    ("HR-9.7", _real_world),
    ("HR-4a", _special),
    ("HR-10.6", _untrained),
    ("HR-11.2", _annex_i),
    ("HR-43.1", _route("HR-43.1")),
    ("HR-43.2", _route("HR-43.2")),
    ("HR-43.3", _route("HR-43.3")),
    ("HR-49.1", _registered),
    ("HR-49.2", _derogation),
    ("HR-49.3", _deployer),
    ("HR-49.4", _hidden_register),
    ("HR-49", _annex_iii),
    ("AVIII-A", _annex_iii),
    ("AVIII-B", _derogation),
    ("AVIII-C", _deployer),
    ("AIX", _real_world),
)
"""Beginning of an identifier to when it applies; the first that fits counts, and what none names is for high risk."""
