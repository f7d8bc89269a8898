"""The stages of a language model's run, each a pure function of the core, bound to one run.

What a table's run has too (commit, gate, answers, close) is the same function. `flows.stages.remembered` puts the
ledger around each.
"""

from __future__ import annotations

import dataclasses
from typing import cast

import pydantic

from configs.answers import AnswersFile
from configs.language.plan import LanguagePlan
from evidence import commitment, language_records, records
from evidence.answers import AnswersRecord
from evidence.facility import ReceivedRecord
from flows import stages, workspace
from flows.stages import Stage, View
from flows.workspace import Run

HEAVY = ("checks.text_quality", "checks.language.evaluate", "factory.language.train", "tef_export.language.export")
"""Modules of the stages whose imports take seconds."""


@dataclasses.dataclass(frozen=True)
class LanguageStages:
    """The callables of one run, in order. Plain functions, or the same functions inside Prefect tasks."""

    ingest: Stage
    clean: Stage
    validate: Stage
    split: Stage
    encode: Stage
    commit: Stage
    train: Stage
    export: Stage
    evaluate: Stage
    gate: Stage
    account: Stage
    answers: Stage
    document: Stage
    close: Stage


def core(run: Run, view: View, engine: str, *, wait: bool = True) -> LanguageStages:
    """The stages bound to one run. Each imports what it needs when it is called. See `flows.stages.core`."""
    folder, plan = run.folder, cast("LanguagePlan", run.plan)

    def ingest() -> language_records.CorpusRecord:
        from factory.text import ingest

        return ingest.ingest(folder, plan, run.base, progress=view.doing)

    def clean(corpus: language_records.CorpusRecord) -> language_records.CleaningRecord:
        from factory.text import clean

        return clean.clean(folder, plan, corpus, run.base, progress=view.doing)

    def validate(
        corpus: language_records.CorpusRecord, cleaned: language_records.CleaningRecord
    ) -> records.QualityRecord:
        from checks import text_quality

        return text_quality.validate(folder, plan, corpus, cleaned)

    def split(cleaned: language_records.CleaningRecord) -> records.SplitManifest:
        from factory.text import split

        return split.split(folder, plan, cleaned)

    def encode(
        cleaned: language_records.CleaningRecord, manifest: records.SplitManifest
    ) -> language_records.TokenisedData:
        from factory.language import tokenise

        return tokenise.tokenise(folder, plan, cleaned, manifest, run.base, progress=view.doing)

    def commit(manifest: records.SplitManifest) -> records.Commitment:
        return commitment.commit(plan, run.plan_sha256, manifest, stages.code_of(run))

    def train(
        tokenised: language_records.TokenisedData, committed: records.Commitment
    ) -> language_records.LanguageTrainingRecord:
        from factory import launchers

        launcher = launchers.launcher_for(plan.factory, wait=wait)
        return launcher.train_language(folder, plan, tokenised, run.base, progress=view.doing, say=view.says)

    def export(
        tokenised: language_records.TokenisedData, training: language_records.LanguageTrainingRecord
    ) -> language_records.LanguageModelRef:
        from tef_export.language import export

        return export.export(folder, plan, tokenised, training)

    def evaluate(
        committed: records.Commitment,
        manifest: records.SplitManifest,
        tokenised: language_records.TokenisedData,
        training: language_records.LanguageTrainingRecord,
        model: language_records.LanguageModelRef,
    ) -> records.EvaluationRecord:
        from checks.language import evaluate

        stages.require_committed(run, committed, manifest)
        return evaluate.evaluate(
            folder, plan, committed, manifest, tokenised, model, training=training, progress=view.doing
        )

    def gate(*found: records.QualityRecord | records.EvaluationRecord) -> records.GateDecision:
        from checks import gate

        return gate.decide(plan, [result for record in found for result in record.results])

    def account(
        tokenised: language_records.TokenisedData, training: language_records.LanguageTrainingRecord
    ) -> language_records.AccountRecord:
        from checks.general_purpose import account

        return account.account(plan, tokenised, training)

    def answers(said: AnswersFile, *found: pydantic.BaseModel) -> AnswersRecord:
        return stages.settled(run, said, dict(zip(SPOKEN_OF, found, strict=True)))

    def document(*_: pydantic.BaseModel) -> records.DocumentsRecord:
        from model_cards.gpai import documents

        return documents.render(folder, workspace.dossier(folder.path))

    def close(
        decision: records.GateDecision, stated: AnswersRecord, documents: records.DocumentsRecord
    ) -> records.RunRecord:
        return stages.close_run(run, decision, engine)

    functions: tuple[Stage, ...] = (
        ingest, clean, validate, split, encode, commit, train, export, evaluate, gate, account, answers, document,
        close,
    )  # fmt: skip
    return LanguageStages(**{f.__name__: stages.remembered(run, view, f.__name__, f) for f in functions})


SPOKEN_OF = ("ingest", "clean", "validate", "encode", "train", "evaluate", "account", "export")
"""Stages whose records an answer can speak of, in the order in which `answers` takes them."""


def body(call: LanguageStages, said: AnswersFile, received: ReceivedRecord | None = None) -> records.RunRecord:
    """Order the stages.

    Args:
        call: The stages.
        said: What persons have stated about the model so far.
        received: What facilities have answered about bundles of this run.

    Raises:
        GateError: A critical expectation on the text failed.
    """
    from flows.assess import stop_at_critical

    corpus = call.ingest()
    cleaned = call.clean(corpus)
    quality = call.validate(corpus, cleaned)
    stop_at_critical(quality)
    manifest = call.split(cleaned)
    tokenised = call.encode(cleaned, manifest)
    commitment = call.commit(manifest)
    training = call.train(tokenised, commitment)
    model = call.export(tokenised, training)
    evaluation = call.evaluate(commitment, manifest, tokenised, training, model)
    decision = call.gate(quality, evaluation)
    account = call.account(tokenised, training)
    stated = call.answers(said, corpus, cleaned, quality, tokenised, training, evaluation, account, model)
    found = (corpus, cleaned, quality, commitment, tokenised, training, model, evaluation, decision, account)
    documents = call.document(*found, stated, *([received] if received else []))
    closed: records.RunRecord = call.close(decision, stated, documents)
    return closed
