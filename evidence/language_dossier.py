"""All records of one run of a language model, in the order in which they came to be."""

from __future__ import annotations

import dataclasses

import pydantic

from configs.language.plan import LanguagePlan
from evidence import language_records, records
from evidence.answers import AnswersRecord
from evidence.facility import ReceivedRecord

STAGES: dict[str, tuple[str, type[pydantic.BaseModel]]] = {
    "ingest": ("data/corpus.json", language_records.CorpusRecord),
    "clean": ("data/cleaning.json", language_records.CleaningRecord),
    "validate": ("data/quality.json", records.QualityRecord),
    "split": ("data/split.json", records.SplitManifest),
    "encode": ("data/tokens.json", language_records.TokenisedData),
    "commit": ("commitment.json", records.Commitment),
    "train": ("training/record.json", language_records.LanguageTrainingRecord),
    "export": ("model/record.json", language_records.LanguageModelRef),
    "evaluate": ("evaluation/results.json", records.EvaluationRecord),
    "gate": ("evaluation/gate.json", records.GateDecision),
    "account": ("evaluation/account.json", language_records.AccountRecord),
    "answers": ("documents/answers.json", AnswersRecord),
    "document": ("documents/record.json", records.DocumentsRecord),
    "close": ("run.json", records.RunRecord),
}
"""Stage to the file of its record in the run folder, and the record's type."""


@dataclasses.dataclass(frozen=True)
class LanguageDossier:
    """What the documents of a language model are made from. Names as in `evidence.dossier.Dossier`."""

    run_id: str
    plan: LanguagePlan
    plan_sha256: str
    ingest: language_records.CorpusRecord
    clean: language_records.CleaningRecord
    validate: records.QualityRecord
    split: records.SplitManifest
    encode: language_records.TokenisedData
    commit: records.Commitment
    train: language_records.LanguageTrainingRecord
    export: language_records.LanguageModelRef
    evaluate: records.EvaluationRecord
    gate: records.GateDecision
    account: language_records.AccountRecord | None = None
    """None until its stage has run."""
    answers: AnswersRecord | None = None
    """What persons have stated; None until its stage has run."""
    received: ReceivedRecord | None = None
    """Answers of facilities about bundles of this run; None where there is none."""
    document: records.DocumentsRecord | None = None
    close: records.RunRecord | None = None
    opened_at: str | None = None
    """When the run began and its plan was fixed: the time of the ledger's first line."""

    @property
    def trained(self) -> language_records.LanguageTrainingRecord:
        """The training."""
        return self.train

    @property
    def exported(self) -> language_records.LanguageModelRef:
        """The model as it ships."""
        return self.export

    def results(self) -> tuple[records.CheckResult, ...]:
        """Every check of the run, data first."""
        return (*self.validate.results, *self.evaluate.results)
