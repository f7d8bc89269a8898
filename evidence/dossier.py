"""All records of one run, in the order in which they came to be."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import pydantic

from configs import errors
from configs.language.load import AnyPlan
from configs.language.plan import LanguagePlan
from configs.plan import Plan
from evidence import given, language_dossier, records
from evidence.answers import AnswersRecord
from evidence.facility import ReceivedRecord
from evidence.language_dossier import LanguageDossier
from evidence.reference import ReferenceRecord

R = TypeVar("R", bound=pydantic.BaseModel)

STAGES: dict[str, tuple[str, type[pydantic.BaseModel]]] = {
    "ingest": ("data/dataset.json", records.DatasetRef),
    "validate": ("data/quality.json", records.QualityRecord),
    "split": ("data/split.json", records.SplitManifest),
    "encode": ("data/encoded.json", records.EncodedData),
    "govern": ("data/governance.json", records.QualityRecord),
    "commit": ("commitment.json", records.Commitment),
    "train": ("training/record.json", records.TrainingRecord),
    "export": ("model/record.json", records.ModelRef),
    "evaluate": ("evaluation/results.json", records.EvaluationRecord),
    "reference": ("evaluation/reference.json", ReferenceRecord),
    "gate": ("evaluation/gate.json", records.GateDecision),
    "answers": ("documents/answers.json", AnswersRecord),
    "document": ("documents/record.json", records.DocumentsRecord),
    "close": ("run.json", records.RunRecord),
}
"""Stage to the file of its record in the run folder, and the record's type."""
RECEIVED = "received/record.json"
"""What facilities have answered. It is no stage: it comes from outside, after a release."""
PREDICTIONS: dict[str, tuple[str, type[pydantic.BaseModel]]] = {
    "predictions": ("predictions/record.json", given.GivenPredictions)
}
"""The stage that takes the place of `train` and `export` where the plan gives predictions."""


def stages_of(plan: AnyPlan) -> dict[str, tuple[str, type[pydantic.BaseModel]]]:
    """The stages of a run of this plan, in order."""
    if isinstance(plan, LanguagePlan):
        return language_dossier.STAGES
    if plan.predictions is None:
        return STAGES
    kept = {stage: STAGES[stage] for stage in STAGES if stage not in ("train", "export")}
    first = dict(list(kept.items())[: list(kept).index("govern")])
    return {**first, **PREDICTIONS, **kept}


@dataclasses.dataclass(frozen=True)
class Dossier:
    """What the documents are made from. Records of stages that have not run, or do not belong to the plan, are None."""

    run_id: str
    plan: Plan
    plan_sha256: str
    ingest: records.DatasetRef
    validate: records.QualityRecord
    split: records.SplitManifest
    encode: records.EncodedData
    govern: records.QualityRecord
    commit: records.Commitment
    evaluate: records.EvaluationRecord
    gate: records.GateDecision
    train: records.TrainingRecord | None = None
    export: records.ModelRef | None = None
    predictions: given.GivenPredictions | None = None
    """In place of `train` and `export`."""
    reference: ReferenceRecord | None = None
    """How the inputs were distributed; None in runs of earlier versions."""
    answers: AnswersRecord | None = None
    """What persons have stated; None in runs of earlier versions."""
    received: ReceivedRecord | None = None
    """Answers of facilities about bundles of this run; None where there is none."""
    document: records.DocumentsRecord | None = None
    close: records.RunRecord | None = None
    opened_at: str | None = None
    """When the run began and its plan was fixed: the time of the ledger's first line."""

    @property
    def trained(self) -> records.TrainingRecord:
        """The training.

        Raises:
            MissingError: The plan gives predictions, not a model.
        """
        return _of_model(self.train, self.run_id)

    @property
    def exported(self) -> records.ModelRef:
        """The model as it ships.

        Raises:
            MissingError: The plan gives predictions, not a model.
        """
        return _of_model(self.export, self.run_id)

    def results(self) -> tuple[records.CheckResult, ...]:
        """Every check of the run, data first."""
        return (*self.validate.results, *self.govern.results, *self.evaluate.results)


def _of_model(record: R | None, run_id: str) -> R:
    if record is None:
        raise errors.MissingError(
            f"run {run_id}: expected a model, got predictions that were given without one. "
            "What needs the model can be done only by a run that trains it."
        )
    return record


AnyDossier = Dossier | LanguageDossier
"""The records of a run of either kind."""
