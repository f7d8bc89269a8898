"""Which duties of Chapter V and which questions apply to a language model. What an answer leaves open still applies.

Refs: AI Act Arts 51 to 56, Annexes XI and XII; guidelines C(2025) 5045.
"""

from __future__ import annotations

from collections.abc import Mapping

from configs.language.plan import LanguagePlan
from configs.law import general_purpose
from configs.law.register import Requirement

ALWAYS = "GP-51"
"""The classification itself, which every language model needs."""
JUDGED = "GP-51.compute"
"""A person's judgement, where the figures do not tell on which side of a threshold the model stands."""
SYSTEMIC = ("GP-52.1", "GP-55", "XI-S2")
"""Beginnings of what applies with systemic risk only."""
EXEMPT = ("GP-53.1.a", "GP-53.1.b", "GP-54", "GP-T1", "XI-", "XII-")
"""Beginnings of what does not bind models under the open-source exemption (Art. 53(2))."""


def requirements(plan: LanguagePlan, classes: Mapping[str, str] | None = None) -> tuple[Requirement, ...]:
    """The duties that apply to the provider of a model, or may apply because something is open.

    Args:
        plan: Its plan.
        classes: `AccountRecord.classes`; absent before the account was made: then only what a person answered counts.
    """
    found = classes if classes is not None else stated(plan)
    return tuple(r for r in general_purpose.load().all_requirements if _applies(r.id, plan, found))


def binds(plan: LanguagePlan, classes: Mapping[str, str]) -> bool:
    """Is whoever made the model its provider under Chapter V, or may be?"""
    if classes["general_purpose"] == "no":
        return False
    return plan.model.base is None or classes["modifier_is_provider"] != "no"


def stated(plan: LanguagePlan) -> dict[str, str]:
    """What the answers of the plan alone point to; whatever needs the compute is open."""
    said = plan.general_purpose
    base = plan.model.base
    systemic = "yes" if said.designated == "yes" or (base and base.systemic_risk == "yes") else "open"
    return {
        "general_purpose": "no" if said.significant_generality == "no" else "open",
        "systemic_risk": systemic,
        "modifier_is_provider": "no" if base is None else "open",
        "open_source_exemption": "open",
        "compute_decided": "open",
    }


def _applies(name: str, plan: LanguagePlan, classes: Mapping[str, str]) -> bool:
    if name == ALWAYS:
        return True
    if name == JUDGED:
        return classes.get("compute_decided", "open") != "yes"
    if not binds(plan, classes):
        return False
    if name.startswith(SYSTEMIC):
        return classes["systemic_risk"] != "no"
    if name.startswith(EXEMPT) and classes["open_source_exemption"] == "yes":
        return False
    return not name.startswith("GP-54") or plan.general_purpose.outside_union != "no"
