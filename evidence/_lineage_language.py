"""What of a language model's run goes to MLflow, where it differs from a run on tables. Plain values; no text."""

from __future__ import annotations

from typing import Any

from evidence import job_records, records
from evidence.language_dossier import LanguageDossier


def parameters(dossier: LanguageDossier) -> dict[str, Any]:
    """The plan's decisions and what the training settled. Of the corpora the names and licences, never the text."""
    plan, train, export = dossier.plan, dossier.train, dossier.export
    return {
        "task": plan.task,
        "corpora": {
            corpus.id: {
                "title": corpus.provenance.title,
                "origin": corpus.provenance.origin,
                "licence": corpus.provenance.licence,
                "language": corpus.language,
                "weight": corpus.weight,
            }
            for corpus in plan.corpora
        },
        "cleaning": plan.cleaning.model_dump(mode="json", exclude={"block_lists"}),
        "split": plan.split.model_dump(mode="json"),
        "tokenizer": {"kind": dossier.encode.kind, "vocabulary": dossier.encode.vocabulary},
        "model": plan.model.model_dump(mode="json"),
        "training": plan.training.model_dump(mode="json", exclude={"prompts"}),
        "factory": plan.factory.model_dump(mode="json"),
        "trained": {
            "device": train.device,
            "precision": train.precision,
            "parallel": train.parallel,
            "parameters": train.parameters,
            "method": train.method,
            "tokens": train.tokens,
            "best_step": train.best_step,
        },
        "exported": {"opset": export.opset, "ir_version": export.ir_version, "context": export.context},
    }


def costs(dossier: LanguageDossier) -> dict[str, float | None]:
    """Cost figures of the training by key."""
    train, account = dossier.train, dossier.account
    return {
        "training/seconds": train.seconds,
        "training/tokens_per_second": train.tokens_per_second,
        "training/flops": train.flops.value,
        "training/flops_cumulative": account.cumulative.value if account else None,
        f"training/energy_{train.energy.unit}": train.energy.value,
        **job_records.figures(train.job),
    }


def source(dossier: LanguageDossier, role: records.Role) -> dict[str, Any]:
    """Where one part of the text comes from, by digests."""
    files = [{"name": s.name, "sha256": s.sha256} for corpus in dossier.ingest.corpora for s in corpus.sources]
    return {
        "files": files,
        "documents_sha256": dossier.ingest.documents_sha256,
        "part_sha256": dossier.split.parts[role].digests.sha256,
    }


def profile(dossier: LanguageDossier, role: records.Role) -> dict[str, int]:
    """How much text one part holds."""
    part = dossier.encode.parts[role]
    return {"num_rows": part.documents, "tokens": part.tokens, "bytes": part.bytes}


def title(dossier: LanguageDossier) -> str:
    """Name of the text as a whole."""
    return ", ".join(corpus.title for corpus in dossier.ingest.corpora)
