"""The texts of a plan are held against the words of placeholders, as answers are."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs import errors, plan_texts
from configs.language import load

USE_CASES = sorted(Path(plan_texts.__file__).with_name("use_cases").glob("*.yaml"))


def _changed(section: str, **values: object) -> load.AnyPlan:
    plan = load.load_any(next(p for p in USE_CASES if p.stem == "german_credit"))
    return plan.model_copy(update={section: getattr(plan, section).model_copy(update=values)})


@pytest.mark.parametrize("path", USE_CASES, ids=lambda p: p.stem)
def test_shipped_plans_hold_no_placeholder(path: Path) -> None:
    """What ships says what it says."""
    plan_texts.require(load.load_any(path), path.name)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"intended_purpose": "To be determined later."}, "system.intended_purpose"),
        ({"name": "[insert name]"}, "system.name"),
        ({"limitations": ("Measured on one bank only", "TBD")}, "system.limitations[1]"),
        ({"intended_users": ("n/a",)}, "system.intended_users[0]"),
    ],
)
def test_a_placeholder_is_refused_with_its_place(values: dict[str, object], place: str) -> None:
    """The message names the field, the words, and what to do."""
    with pytest.raises(errors.PlanError) as refusal:
        plan_texts.require(_changed("system", **values), "plan.yaml")
    said = str(refusal.value)
    assert said.startswith(f"plan.yaml: {place}: expected a statement, got ")
    assert "leave the entry out" in said
    assert len(said.splitlines()) == 1


def test_every_place_has_its_line() -> None:
    """Provider, origin of the data and reasons of gates are read, too; a licence that nobody knows may be named so."""
    plan = load.load_any(next(p for p in USE_CASES if p.stem == "german_credit"))
    gates = (plan.policy.gates[0].model_copy(update={"rationale": "wird noch nachgereicht"}), *plan.policy.gates[1:])
    provider = plan.system.provider.model_copy(update={"contact": "TODO"})
    data = plan.data  # type: ignore[union-attr]
    origin = data.provenance.model_copy(update={"origin": "???", "licence": "unknown"})
    changed = plan.model_copy(
        update={
            "system": plan.system.model_copy(update={"provider": provider}),
            "policy": plan.policy.model_copy(update={"gates": gates}),
            "data": data.model_copy(update={"provenance": origin}),
        }
    )
    with pytest.raises(errors.PlanError) as refusal:
        plan_texts.require(changed, "plan.yaml")
    places = [line.split(": ")[1] for line in str(refusal.value).splitlines()]
    assert places == ["system.provider.contact", "policy.gates[0].rationale", "data.provenance.origin"]
