"""`proofline check` of a language model: form of its plan, what its answers leave open, is the text there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from configs.language.modelling import LEAST_SPLIT
from configs.language.plan import LanguagePlan
from configs.law import classify
from configs.wording import counted
from evidence.folder import RunFolder
from evidence.language_records import CorpusRecord
from factory.language import base
from flows import view
from flows import workspace as workspaces


def require_base(plan: LanguagePlan, path: Path) -> None:
    """See that the files are there, and that the base model, where there is one, is what the plan says.

    Raises:
        MissingError: A file is absent.
        PlanError: The base model is another.
    """
    workspaces.require_files(plan, path)
    base.require_fit(plan.model, workspaces.data_base(path, plan))


def say(plan: LanguagePlan, path: Path, console: Console, *, data: bool) -> None:
    """Print what is found. Nothing is written.

    Args:
        plan: The plan.
        path: Its file.
        console: Where to print.
        data: Read the text as well.

    Raises:
        ProoflineError: The text cannot be read.
    """
    console.print(f"[green]✓[/] plan {path.name}: {_summary(plan)}", highlight=False, soft_wrap=True)
    _say_class(plan, console)
    _say_open(plan, console)
    if not data:
        return
    with tempfile.TemporaryDirectory() as place:
        found = _read(RunFolder(Path(place)), plan, path, console)
    if found.counts.documents < LEAST_SPLIT:
        console.print(
            f"[yellow]·[/] documents in all: {found.counts.documents}; a language needs {LEAST_SPLIT} to have held-out "
            "text. source.document: paragraph, or line, cuts long files",
            highlight=False,
            soft_wrap=True,
        )
    for corpus in found.corpora:
        console.print(
            f"[green]✓[/] corpus {corpus.id}: {view.summary(found.model_copy(update={'counts': corpus.counts}))}",
            highlight=False,
        )


def _summary(plan: LanguagePlan) -> str:
    corpora = counted(len(plan.corpora), "corpus", "corpora")
    languages = ", ".join(plan.declared_languages) or "languages identified"
    base = f", from {plan.model.base.name} ({plan.model.method})" if plan.model.base else ""
    required = sum(gate.required for gate in plan.policy.gates)
    gates = counted(len(plan.policy.gates), "gate")
    return (
        f"language model, {corpora} ({languages}){base}, {gates} ({required} required), and the "
        "checks on the text, which decide as well"
    )


def _say_class(plan: LanguagePlan, console: Console) -> None:
    """That the class of a system around the model leads to documents that are not made here."""
    state = classify.classify(plan.classification).high_risk.state
    if state != "no":
        words = {"yes": "point to high-risk use", "open": "leave open whether it is for high-risk use"}[state]
        console.print(
            f"[yellow]·[/] AI Act: the answers {words}; documents of a high-risk system (Chapter III) are not made "
            "from the run of a language model",
            highlight=False,
            soft_wrap=True,
        )


def _say_open(plan: LanguagePlan, console: Console) -> None:
    """What nobody has stated yet and the documents will print as a gap."""
    missing = {
        "licence": [c.id for c in plan.corpora if c.provenance.licence is None],
        "latest day of acquisition": [c.id for c in plan.corpora if c.provenance.acquired_to is None],
        "handling of reservations of rights": [c.id for c in plan.corpora if c.provenance.opt_out.applied == "unknown"],
    }
    for what, ids in missing.items():
        if ids:
            console.print(f"[yellow]·[/] not stated: {what} of {', '.join(ids)}", highlight=False, soft_wrap=True)
    asked = plan.general_purpose.model_dump()
    flat = {**{k: v for k, v in asked.items() if k != "open_source"}, **asked["open_source"]}
    open_ = [name.replace("_", " ") for name, value in flat.items() if value == "unknown"]
    if open_:
        console.print(
            f"[yellow]·[/] general-purpose model, not answered (section general_purpose): {', '.join(open_)}",
            highlight=False,
            soft_wrap=True,
        )


def _read(folder: RunFolder, plan: LanguagePlan, path: Path, console: Console) -> CorpusRecord:
    from flows import cli

    cli.require_pipeline("check")
    from factory.text import ingest

    with console.status("Reading the text …"):
        return ingest.ingest(folder, plan, workspaces.data_base(path, plan))
