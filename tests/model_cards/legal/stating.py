"""Dossiers in which persons have said something, for tests of the documents that print it."""

from __future__ import annotations

import dataclasses
from typing import Any

from configs.answers import AnswersFile
from configs.law import register as law
from evidence import answers
from evidence.dossier import Dossier
from tests.model_cards import builders

BY = {"person": "Jana Beispiel", "role": "compliance officer", "at": "2026-11-22"}
RISK: dict[str, Any] = {
    "id": "missed",
    "title": "A person who needs follow-up is missed",
    "source": "The model labels high progression as low",
    "consequence": "Treatment begins later",
    "affected": ["Patients"],
    "impact_areas": ["health"],
    "likelihood": "possible",
    "severity": "serious",
    "control": "A physician reads every result",
    "shown_by": ["performance.roc_auc"],
    "acceptance": {"reason": "The physician decides in every case."},
    "review_on": "2027-05-31",
}
HIGH_RISK = {
    "classification": {
        "ai_system": "yes",
        "outside_scope": "no",
        "prohibited_practice": "no",
        "annex_i_product": "yes",
        "annex_i_point": "11",
        "annex_iii_use": "no",
        "transparency_duty": "no",
    },
    "data": {"provenance": {"title": "Diabetes study", "personal_data": "yes"}},
}


def answered(found: Dossier, *risks: dict[str, Any], leave: tuple[str, ...] = ()) -> Dossier:
    """The same dossier with every question answered but those to leave open, and with a register of risks."""
    questions = [q.id for q in law.load().attestations if q.id not in leave]
    said = AnswersFile.model_validate(
        {
            "version": 1,
            "system": found.plan.system.id,
            "by": BY,
            "answers": [{"id": q, "text": f"What the company says on {q.replace('_', ' ')}."} for q in questions],
            "risks": list(risks),
        }
    )
    stages = {name: getattr(found, name) for name in ("ingest", "validate", "govern", "encode", "evaluate", "export")}
    return dataclasses.replace(found, answers=answers.settle(found.run_id, found.plan, said, stages))


def passing(found: Dossier) -> Dossier:
    """The same dossier as a high-risk system whose gate passed in every line."""
    found = builders.with_plan(found, HIGH_RISK)
    reasons = tuple(r.model_copy(update={"status": "pass"}) for r in found.gate.reasons)
    return dataclasses.replace(found, gate=found.gate.model_copy(update={"outcome": "pass", "reasons": reasons}))
