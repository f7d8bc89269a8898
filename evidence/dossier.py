"""All records of one run, in the order in which they came to be."""

from __future__ import annotations

import dataclasses

import pydantic

from configs.plan import Plan
from evidence import records

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
    "gate": ("evaluation/gate.json", records.GateDecision),
    "document": ("documents/record.json", records.DocumentsRecord),
    "close": ("run.json", records.RunRecord),
}
"""Stage to the file of its record in the run folder, and the record's type."""


@dataclasses.dataclass(frozen=True)
class Dossier:
    """What the documents are made from. Records of stages that have not run are None."""

    run_id: str
    plan: Plan
    plan_sha256: str
    ingest: records.DatasetRef
    validate: records.QualityRecord
    split: records.SplitManifest
    encode: records.EncodedData
    govern: records.QualityRecord
    commit: records.Commitment
    train: records.TrainingRecord
    export: records.ModelRef
    evaluate: records.EvaluationRecord
    gate: records.GateDecision
    document: records.DocumentsRecord | None = None
    close: records.RunRecord | None = None
    opened_at: str | None = None
    """When the run began and its plan was fixed: the time of the ledger's first line."""

    def results(self) -> tuple[records.CheckResult, ...]:
        """Every check of the run, data first."""
        return (*self.validate.results, *self.govern.results, *self.evaluate.results)
