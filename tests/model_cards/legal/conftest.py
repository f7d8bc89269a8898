"""Runs with and without answers of persons, and every legal document of each, built once."""

from __future__ import annotations

import dataclasses

import pytest

from configs.answers import AnswersFile
from configs.law import register as law
from evidence import answers
from evidence.dossier import STAGES, Dossier
from model_cards import refs
from model_cards.legal import names, registry
from model_cards.tree import Document
from tests.model_cards import builders

TASKS = ("binary", "multiclass", "regression")
RISK = {
    "id": "missed",
    "title": "A patient who gets worse is not recognised",
    "source": "Wrong output of the model",
    "consequence": "The next appointment comes too late",
    "affected": ["Patients with diabetes"],
    "impact_areas": ["health"],
    "likelihood": "possible",
    "severity": "serious",
    "in_misuse": False,
    "control": "A physician decides on every appointment",
    "shown_by": ["performance.balanced_accuracy"],
}


def answered(found: Dossier) -> Dossier:
    """The same run with an answer to every question but the last, and with one risk."""
    questions = [question.id for question in law.load().attestations][:-1]
    said = AnswersFile.model_validate(
        {
            "version": 1,
            "system": found.plan.system.id,
            "by": {"person": "Ada Example", "role": "Compliance officer", "at": "2026-11-22"},
            "answers": [{"id": name, "text": f"What is known about {name}."} for name in questions],
            "risks": [RISK],
        }
    )
    records = {stage: getattr(found, stage, None) for stage in STAGES}
    return dataclasses.replace(found, answers=answers.settle(found.run_id, found.plan, said, records))


@pytest.fixture(scope="session")
def runs(dossiers: dict[str, Dossier]) -> dict[str, Dossier]:
    """The three tasks, the binary one with answers, and the same trained by batch jobs."""
    made = {task: dossiers[task] for task in TASKS}
    binary = dossiers["binary"]
    jobs = {"job": builders.by_a_job(binary, energy=5e6), "job without a meter": builders.by_a_job(binary, energy=None)}
    return {**made, "answered": answered(binary), **jobs}


@pytest.fixture(scope="session")
def trees(runs: dict[str, Dossier]) -> dict[str, dict[str, Document]]:
    """Run to the trees of its documents, by identifier."""
    found = {}
    for name, dossier in runs.items():
        book = refs.book(dossier)
        found[name] = {entry.id: registry.BUILDERS[entry.id](book) for entry in names.needed(book)}
    return found
