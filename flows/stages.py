"""The stages of `assess`, each a pure function of the core, and the memory that lets a run be resumed.

A stage is called as `function(*inputs)` with records and the plan, writes its artefacts into the run folder, and
returns its record. `remembered` puts the ledger around it: a stage that has finished with the same inputs and the same
code is read back instead of done again.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pydantic

from configs import errors
from configs.answers import AnswersFile
from configs.language.plan import LanguagePlan
from configs.plan import Plan
from evidence import canonical, clock, commitment, environment, given, ledger, records, software, storage
from evidence.answers import AnswersRecord
from evidence.dossier import PREDICTIONS, STAGES, stages_of
from evidence.folder import RunFolder
from evidence.reference import ReferenceRecord
from flows import altered, workspace
from flows.workspace import Run

if TYPE_CHECKING:
    from checks import source


class View(Protocol):
    """Where progress is shown."""

    def stage_started(self, stage: str) -> None:
        """A stage begins."""

    def stage_finished(self, stage: str, seconds: float, record: pydantic.BaseModel, *, resumed: bool) -> None:
        """A stage has ended, or was found finished."""

    def training(self, progress: Any) -> None:
        """An epoch has ended."""

    def says(self, line: str) -> None:
        """A line of a job that runs elsewhere."""

    def doing(self, what: str, done: int, of: int) -> None:
        """A part of the evaluation begins."""


Stage = Callable[..., Any]
WRITING = ("answers", "document", "close")
"""Stages that say what was found, and find nothing: done again when a person or a facility has answered, and by another
version of the code where the run was closed (ADR 30)."""
DOCUMENT = "document"
"""The stage that writes what people read, and may have written into."""
FAILURES = "failures.log"
"""What went wrong, in full. Stays in the run folder; never in the bundle."""


@dataclasses.dataclass(frozen=True)
class Stages:
    """The callables of one run, in order. Plain functions, or the same functions inside Prefect tasks."""

    ingest: Stage
    validate: Stage
    split: Stage
    encode: Stage
    govern: Stage
    commit: Stage
    train: Stage
    export: Stage
    evaluate: Stage
    reference: Stage
    gate: Stage
    answers: Stage
    document: Stage
    close: Stage
    predictions: Stage
    """In place of `train` and `export` where the plan gives predictions."""
    evaluate_given: Stage
    """`evaluate` for them."""


def core(run: Run, view: View, engine: str, *, wait: bool = True) -> Stages:
    """The stages bound to one run. Each imports what it needs when it is called.

    Without `wait` a training that goes on as a job elsewhere ends the call (`NotOverError`).
    """
    folder, plan = run.folder, run.plan

    def ingest() -> records.DatasetRef:
        from factory import ingest

        return ingest.ingest(folder, plan, run.base)

    def validate(dataset: records.DatasetRef) -> records.QualityRecord:
        from checks import data_quality

        return data_quality.validate(folder, plan, dataset)

    def split(dataset: records.DatasetRef) -> records.SplitManifest:
        from factory import splitting

        return splitting.split(folder, plan, dataset)

    def encode(dataset: records.DatasetRef, manifest: records.SplitManifest) -> records.EncodedData:
        from factory import encoding

        return encoding.encode(folder, plan, dataset, manifest)

    def govern(
        dataset: records.DatasetRef, manifest: records.SplitManifest, encoded: records.EncodedData
    ) -> records.QualityRecord:
        from checks import governance

        return governance.govern(folder, plan, dataset, manifest, encoded)

    def commit(manifest: records.SplitManifest) -> records.Commitment:
        return commitment.commit(plan, run.plan_sha256, manifest, code_of(run))

    def train(encoded: records.EncodedData, committed: records.Commitment) -> records.TrainingRecord:
        from factory import launchers

        launcher = launchers.launcher_for(plan.factory, wait=wait)
        return launcher.train(folder, plan, encoded, progress=view.training, say=view.says)

    def export(encoded: records.EncodedData, training: records.TrainingRecord) -> records.ModelRef:
        from tef_export import export

        return export.export(folder, plan, encoded, training)

    def evaluate(
        committed: records.Commitment,
        manifest: records.SplitManifest,
        encoded: records.EncodedData,
        training: records.TrainingRecord,
        model: records.ModelRef,
    ) -> records.EvaluationRecord:
        from checks import evaluate, leakage, parity

        require_committed(run, committed, manifest)
        asked = source_model(folder, plan, training, encoded, run.base)
        measured = evaluate.evaluate(
            folder, plan, committed, manifest, encoded, model, source=asked, progress=view.doing
        )
        audit = leakage.audit(folder, manifest, (*training.uses, *measured.uses), encoded)
        return _completed(measured, parity.result(model), audit)

    def predictions(dataset: records.DatasetRef, encoded: records.EncodedData) -> given.GivenPredictions:
        from factory import given

        return given.store(folder, plan, dataset, encoded)

    def evaluate_given(
        committed: records.Commitment,
        manifest: records.SplitManifest,
        encoded: records.EncodedData,
        said: given.GivenPredictions,
    ) -> records.EvaluationRecord:
        from checks import given

        require_committed(run, committed, manifest)
        measured = given.evaluate(folder, plan, committed, manifest, encoded, said)
        return _completed(measured, given.parity(), given.leakage(plan))

    def reference(
        encoded: records.EncodedData, evaluation: records.EvaluationRecord, model: records.ModelRef | None = None
    ) -> ReferenceRecord:
        from checks import reference

        return reference.reference(folder, plan, encoded, evaluation, model)

    def gate(*found: records.QualityRecord | records.EvaluationRecord) -> records.GateDecision:
        from checks import gate

        return gate.decide(plan, [result for record in found for result in record.results])

    def answers(
        said: AnswersFile,
        dataset: records.DatasetRef,
        quality: records.QualityRecord,
        governance: records.QualityRecord,
        encoded: records.EncodedData,
        evaluation: records.EvaluationRecord,
        model: records.ModelRef | None = None,
    ) -> AnswersRecord:
        found = {"ingest": dataset, "validate": quality, "govern": governance, "encode": encoded}
        return settled(run, said, {**found, "evaluate": evaluation, "export": model})

    def document(*_: pydantic.BaseModel) -> records.DocumentsRecord:
        from model_cards import documents

        return documents.render(folder, workspace.dossier(folder.path))

    def close(
        decision: records.GateDecision, stated: AnswersRecord, documents: records.DocumentsRecord
    ) -> records.RunRecord:
        return close_run(run, decision, engine)

    functions: tuple[Stage, ...] = (
        ingest, validate, split, encode, govern, commit, train, export, evaluate, reference, gate, answers,
        document, close, predictions,
    )  # fmt: skip
    bound = {f.__name__: remembered(run, view, f.__name__, f) for f in functions}
    return Stages(**bound, evaluate_given=remembered(run, view, "evaluate", evaluate_given))


def settled(run: Run, said: AnswersFile, found: Mapping[str, pydantic.BaseModel | None]) -> AnswersRecord:
    """What persons have stated beside what the run has found; what was said is kept in the run folder."""
    from evidence import answers

    made = answers.settle(run.folder.run_id, run.plan, said, found)
    return made.model_copy(update={"given": run.folder.write_record(answers.GIVEN, said)})


def source_model(
    folder: RunFolder, plan: Plan, training: records.TrainingRecord, encoded: records.EncodedData, base: Path
) -> source.Source:
    """What checks may ask of the trained model beside its graph; `base` is where files that the plan names are."""
    from checks import source
    from factory import gradients, retraining

    return source.Source(
        gradient=gradients.loss_gradient(folder, training, encoded),
        logits_vjp=gradients.logits_vjp(folder, training, encoded),
        retrain=retraining.retrainer(plan, encoded, training),
        training=training,
        base=base,
    )


def remembered(run: Run, view: View, name: str, function: Stage) -> Stage:
    """Put the ledger around a stage: do it once, record it, read it back afterwards."""
    path, kind = (STAGES | PREDICTIONS | stages_of(run.plan))[name]

    def call(*inputs: pydantic.BaseModel) -> pydantic.BaseModel:
        key = stage_key(name, code_of(run), run.plan_sha256, inputs)
        begun = time.monotonic()
        settled = name not in WRITING and is_closed(run)
        reference = run.ledger.finished(name) if settled else run.ledger.standing(name, key)
        whole = name != DOCUMENT or require_unaltered(run)
        if reference is not None and whole:
            record = run.folder.read_record(reference, kind)
            view.stage_finished(name, 0.0, record, resumed=True)
            return record
        with storage.explained(
            f"run folder {run.folder.path}, stage {name}", f"then go on with `proofline run {run.folder.path} --resume`"
        ):
            run.ledger.append("started", stage=name, key=key)
            view.stage_started(name)
            try:
                record = function(*inputs)
            except errors.ProoflineError as error:
                _note_failure(run, name, error)
                run.ledger.append("failed", stage=name, key=key, details={"error": type(error).__name__})
                raise
            with run.folder.recording(path, record) as reference:
                run.ledger.append("finished", stage=name, key=key, record=reference)
        view.stage_finished(name, time.monotonic() - begun, record, resumed=False)
        return record

    call.__name__ = name
    return call


def require_unaltered(run: Run) -> bool:
    """Refuse to go on over documents that somebody wrote into by hand: to write them anew would lose it without a word.

    Returns:
        Are the documents all there? What was removed is written anew; so is what an interruption left half done.

    Raises:
        IntegrityError: Naming what was altered, and how to have it written anew.
    """
    reference = run.ledger.finished(DOCUMENT)
    if reference is None or run.ledger.interrupted(DOCUMENT):
        return True
    written = run.folder.read_record(reference, records.DocumentsRecord).documents
    found = altered.among(run.folder, written)
    if found.altered:
        raise errors.IntegrityError(
            f"run {run.folder.run_id}: expected its documents as they were written, got "
            f"{altered.Files(found.altered).words()} since. Nothing was overwritten, and no approval covers it. Keep "
            f"what was added elsewhere, remove the file, and give `proofline run {run.folder.path} --resume`: it is "
            "written anew from the records."
        )
    return not found.removed


def _completed(
    measured: records.EvaluationRecord, parity: records.CheckResult, leakage: records.CheckResult
) -> records.EvaluationRecord:
    """The evaluation with what only the whole run knows, in the one order in which documents and the gate read it."""
    return measured.model_copy(update={"results": (parity, *measured.results, leakage)})


def require_committed(run: Run, committed: records.Commitment, manifest: records.SplitManifest) -> None:
    """Refuse to evaluate when anything that was committed has changed. See `evidence.commitment.require`."""
    begun_with = workspace.begun_with(run.folder.path, run.ledger)
    commitment.require(committed, run.plan, run.plan_sha256, manifest, code_of(run), begun_with=begun_with)


def _note_failure(run: Run, stage: str, error: errors.ProoflineError) -> None:
    """Keep the whole sentence beside the ledger: it may name places of this machine, and the ledger travels."""
    with (run.folder.path / FAILURES).open("a", encoding="utf-8") as stream:
        stream.write(f"{clock.now()} {stage}: {error}\n")


def code_of(run: Run) -> str:
    """Digest of the code that decides what this run's records say: the core, and the user's own model."""
    return software.code_with(None if isinstance(run.plan, LanguagePlan) else run.plan.model.factory)


def stage_key(name: str, code: str, plan_sha256: str, inputs: tuple[pydantic.BaseModel, ...]) -> str:
    """What a stage's result depends on: its name, the core's code, the plan, and its input records."""
    return canonical.sha256(
        {
            "stage": name,
            "code": code,
            "plan": plan_sha256,
            "inputs": [canonical.sha256(record) for record in inputs],
        }
    )


def is_closed(run: Run) -> bool:
    """Was the run closed once? Then what it measured and decided stands, whatever code writes its documents anew."""
    return run.ledger.finished("close") is not None


def require_whole(path: Path, chain: ledger.Ledger) -> None:
    """Refuse to approve or release a run whose documents were being written anew when it was interrupted.

    Raises:
        GateError: Naming the stage, and how to complete it.
    """
    for stage in WRITING:
        if chain.interrupted(stage):
            raise errors.GateError(
                f"run {path.name}: expected a finished run, got one whose stage {stage} was begun anew and interrupted"
                f". Complete it with `proofline run {path} --resume`."
            )


def require_same_code(run: Run) -> None:
    """Refuse to measure on in a run that another version of the code began. A closed run has measured everything.

    Raises:
        IntegrityError: The code differs from the one in the commitment.
    """
    reference = run.ledger.finished("commit")
    if reference is None or is_closed(run):
        return
    committed = run.folder.read_record(reference, records.Commitment)
    if committed.code_sha256 != code_of(run):
        raise errors.IntegrityError(
            f"run {run.folder.run_id}: expected the code {committed.code_sha256[:12]}… of its commitment, got "
            f"{code_of(run)[:12]}…: proofline was changed since. Start a new run; this one stays as it is."
        )


def close_run(run: Run, decision: records.GateDecision, engine: str) -> records.RunRecord:
    """The record that closes a run: every other record by digest.

    A run that is closed again keeps what it says of the code and the packages with which it measured.
    """
    now = _software_now(run)
    reference = run.ledger.finished("close")
    before = run.folder.read_record(reference, records.RunRecord) if reference else None
    measured_by = now if before is None else _writer_of(before)
    finished = {stage: run.ledger.finished(stage) for stage in stages_of(run.plan) if stage != "close"}
    return records.RunRecord(
        run_id=run.folder.run_id,
        system_id=run.plan.system.id,
        system_version=run.plan.system.version,
        plan_sha256=run.plan_sha256,
        outcome=decision.outcome,
        started_at=run.ledger.lines[0].at,
        finished_at=clock.now(),
        records={stage: reference for stage, reference in finished.items() if reference is not None},
        ledger_lines=len(run.ledger.lines),
        ledger_head=run.ledger.head,
        git_commit=measured_by.git_commit,
        git_dirty=measured_by.git_dirty,
        code_sha256=measured_by.code_sha256,
        software=measured_by.software,
        platform=before.platform if before else software.platform_name(),
        engine=before.engine if before else engine,  # type: ignore[arg-type]
        environment=before.environment if before else environment.write(run.folder),
        documents_by=None if now == measured_by else now,
    )


def _writer_of(closed: records.RunRecord) -> records.Writer:
    return records.Writer(
        code_sha256=closed.code_sha256,
        git_commit=closed.git_commit,
        git_dirty=closed.git_dirty,
        software=closed.software,
    )


def _software_now(run: Run) -> records.Writer:
    commit, dirty = software.git_state(Path(__file__).parent)
    return records.Writer(code_sha256=code_of(run), git_commit=commit, git_dirty=dirty, software=software.packages())
