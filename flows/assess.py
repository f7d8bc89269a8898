"""`assess`: from data to a closed run record.

The body is one list of calls, the same with and without Prefect around them.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

from configs import errors
from configs.answers import AnswersFile
from configs.language.load import AnyPlan
from configs.language.plan import LanguagePlan
from configs.plan import Plan
from evidence import records
from evidence.facility import ReceivedRecord
from flows import answering, language_stages, stages, workspace
from flows.workspace import Run, Workspace

IO_STAGES = ("ingest",)
"""Stages that may be retried: they read from outside. Everything else gives the same answer again."""
HEAVY = ("checks.data_quality", "checks.governance", "checks.evaluate", "factory.trainer", "tef_export.export")
"""Modules of the stages whose imports take seconds."""


def body(
    call: stages.Stages, plan: Plan, said: AnswersFile, received: ReceivedRecord | None = None
) -> records.RunRecord:
    """Order the stages.

    Args:
        call: The stages.
        plan: The plan.
        said: What persons have stated about the system so far.
        received: What facilities have answered about bundles of this run.

    Raises:
        GateError: A critical expectation on the data failed.
    """
    if plan.predictions is not None:
        return _of_given(call, said)  # no bundle is released, so nothing is received
    dataset = call.ingest()
    quality = call.validate(dataset)
    stop_at_critical(quality)
    manifest = call.split(dataset)
    encoded = call.encode(dataset, manifest)
    governance = call.govern(dataset, manifest, encoded)
    commitment = call.commit(manifest)
    training = call.train(encoded, commitment)
    model = call.export(encoded, training)
    evaluation = call.evaluate(commitment, manifest, encoded, training, model)
    reference = call.reference(encoded, evaluation, model)
    decision = call.gate(quality, governance, evaluation)
    stated = call.answers(said, dataset, quality, governance, encoded, evaluation, model)
    found = (dataset, quality, governance, commitment, training, model, evaluation, reference, decision)
    documents = call.document(*found, stated, *([received] if received else []))
    closed: records.RunRecord = call.close(decision, stated, documents)
    return closed


def _of_given(call: stages.Stages, said: AnswersFile) -> records.RunRecord:
    """The stages where the plan gives predictions: nothing is split, trained or exported."""
    dataset = call.ingest()
    quality = call.validate(dataset)
    stop_at_critical(quality)
    manifest = call.split(dataset)
    encoded = call.encode(dataset, manifest)
    predictions = call.predictions(dataset, encoded)
    governance = call.govern(dataset, manifest, encoded)
    commitment = call.commit(manifest)
    evaluation = call.evaluate_given(commitment, manifest, encoded, predictions)
    reference = call.reference(encoded, evaluation)
    decision = call.gate(quality, governance, evaluation)
    stated = call.answers(said, dataset, quality, governance, encoded, evaluation)
    found = (dataset, quality, governance, commitment, predictions, evaluation, reference, decision)
    documents = call.document(*found, stated)
    closed: records.RunRecord = call.close(decision, stated, documents)
    return closed


def stop_at_critical(quality: records.QualityRecord) -> None:
    """Stop before anything is trained on data that the plan calls unusable.

    Raises:
        GateError: With the failed expectations.
    """
    from checks import critical

    failed = critical.critical_failures(quality)
    if failed:
        listed = "; ".join(f"{r.title}: {r.reason}" for r in failed[:5])
        more = f" (and {len(failed) - 5} more)" if len(failed) > 5 else ""
        raise errors.GateError(
            f"data: expected every critical expectation to hold, got {len(failed)} that failed: {listed}{more}. "
            "Correct the data or the plan and start a new run; the results are in data/quality.json and the Data Docs."
        )


def plain(run: Run, view: stages.View, *, wait: bool = True) -> records.RunRecord:
    """Run without Prefect. Without `wait`, see `flows.stages.core`."""
    return again(run, view, "plain", wait=wait)


def again(run: Run, view: stages.View, engine: str, *, wait: bool = True) -> records.RunRecord:
    """Every stage that has not been done, or whose inputs changed, without Prefect; the record says `engine`."""
    return _ordered(run, _core(run, view, engine, wait=wait))


def _core(run: Run, view: stages.View, engine: str, *, wait: bool = True) -> Any:
    """The stages of the plan's kind."""
    kind = language_stages if isinstance(run.plan, LanguagePlan) else stages
    return kind.core(run, view, engine, wait=wait)


def _ordered(run: Run, call: Any) -> records.RunRecord:
    """The list of calls of the plan's kind."""
    said, received = answering.said(run), workspace.received(run.folder.path, run.ledger)
    if isinstance(run.plan, LanguagePlan):
        return language_stages.body(call, said, received)
    return body(call, run.plan, said, received)


def under_prefect(run: Run, view: stages.View, space: Workspace) -> records.RunRecord:
    """Run as the Prefect flow `assess`, each stage a task."""
    from flows import engine

    _import_stages(run.plan)
    bound = _core(run, view, "prefect")

    def flow() -> records.RunRecord:
        code = f"{stages.code_of(run)}:{run.ledger.identity}:{run.plan_sha256}"
        begun = f"{code}:{run.ledger.head}"
        wrapped = {
            field.name: engine.stage_task(
                field.name,
                getattr(bound, field.name),
                code=begun if field.name in stages.WRITING else code,
                retries_on_io=field.name in IO_STAGES,
            )
            for field in dataclasses.fields(bound)
        }
        record = _ordered(run, type(bound)(**wrapped))
        _publish(run)
        return record

    return engine.run_flow("assess", flow, workspace=space.root)


def _import_stages(plan: AnyPlan) -> None:
    """Import what the stages need while the local server starts beside us; each would be imported later anyway."""
    if isinstance(plan, LanguagePlan):
        modules = language_stages.HEAVY
    else:
        modules = HEAVY if plan.predictions is None else HEAVY[:-2]
    for module in modules:
        importlib.import_module(module)


def mirror(run: Run, uri: str) -> Any:
    """Mirror a closed run into MLflow and note it in the ledger. Safe to repeat.

    Returns:
        The `LineageRef`: where the run and its model stand in MLflow.
    """
    from evidence import lineage

    reference = lineage.mirror(run.folder, workspace.dossier(run.folder.path), uri)
    # The ledger travels when a run is closed again after an answer: it names no place of this machine or network.
    run.ledger.append(
        "mirrored", details={**reference.model_dump(mode="json"), "uri": "tracking store of the workspace"}
    )
    return reference


def _publish(run: Run) -> None:
    from flows import engine

    found = workspace.dossier(run.folder.path)
    rows = [
        {"check": r.check_id, "slice": r.slice, "status": r.status, "required": r.required, "measured": r.text}
        for r in found.gate.reasons
    ]
    engine.publish_table("gate", rows, f"Gate of {run.folder.run_id}: {found.gate.outcome}")
    card = run.folder.at("documents/README.md")
    if card.is_file():
        engine.publish_markdown("model-card", card.read_text(encoding="utf-8"), f"Model card of {run.folder.run_id}")
