"""`proofline run`: take a plan from data to documents."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from configs import answers_file, errors, load, plan_texts
from configs.language.load import load_any
from configs.language.plan import LanguagePlan
from configs.wording import counted
from evidence import records, storage
from flows import cli
from flows import workspace as workspaces

EXIT = {"pass": errors.EXIT_PASS, "fail": errors.EXIT_FAIL, "inconclusive": errors.EXIT_INCONCLUSIVE}


@click.command("run")
@click.argument("plan")
@click.option(
    "--resume", is_flag=True, help="Go on with the newest unfinished run of PLAN (or with the run folder PLAN)."
)
@click.option(
    "--engine",
    type=click.Choice(["prefect", "plain"]),
    default="prefect",
    show_default=True,
    help="`plain` runs the same stages without Prefect.",
)
@click.pass_obj
def command(workspace: Path, plan: str, *, resume: bool, engine: str) -> int:
    """Take PLAN from data to documents.

    PLAN is a plan file, the name of a shipped use case (diabetes_progression, adult_income, …), or with --resume a run
    folder. Data files are found under $PROOFLINE_DATA, or beside the plan.

    The exit code is that of the gate: 0 pass, 1 fail, 4 inconclusive.
    """
    cli.require_pipeline("run")
    space = workspaces.Workspace(workspace.resolve())
    console = Console()
    require_servers(space, engine)
    with opened(space, plan, resume=resume) as run:
        find_own_model(run)
        record = assess_run(run, space, console, engine)
        mirror(run, space, console)
    conclude(run, record, console)
    return EXIT[record.outcome]


def require_servers(space: workspaces.Workspace, engine: str) -> None:
    """Nobody trains for an hour to hear that a server does not answer."""
    from evidence import tracking_store
    from flows import servers

    for name, value in tracking_store.environment().items():
        os.environ.setdefault(name, value)
    with storage.explained(f"workspace {space.root}"):
        tracking_store.reachable(tracking_store.default_uri(space.root))
        if engine == "prefect":
            os.environ.update(servers.prefect_environment(space.root))
            own = servers.own_api()
            if own is not None:
                servers.reachable_prefect(own)
            else:
                servers.begin(space.root)  # it starts while the first stages import what they need


def find_own_model(run: workspaces.Run) -> None:
    """A model factory of the user's is looked for in the current folder too, after everything installed."""
    if not isinstance(run.plan, LanguagePlan) and run.plan.model.factory and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))


@contextlib.contextmanager
def opened(space: workspaces.Workspace, plan: str, *, resume: bool) -> Iterator[workspaces.Run]:
    """A new run of a plan, or the one to go on with, locked for the time of the block."""
    from checks import _spark_engine, catalogue
    from checks.changes import declared
    from configs.law import classify
    from factory.language import base
    from factory.slurm import before
    from flows import answering, stages

    if not resume and (Path(plan) / "ledger.jsonl").is_file():
        raise errors.PlanError(
            f"run {plan}: expected a plan, got a run folder. "
            "Add --resume to go on with it, or name a plan to start anew."
        )
    if not resume:
        path = load.plan_path(plan)
        checked = load_any(path)
        plan_texts.require(checked, str(path))
        catalogue.check_policy(checked)
        if not isinstance(checked, LanguagePlan):
            declared.check(checked)
        classify.classify(checked.classification)
        answers_file.load(space.root / answering.FOLDER / f"{checked.system.id}.yaml", checked.system.id)
        workspaces.require_files(checked, path)
        if isinstance(checked, LanguagePlan):
            base.require_fit(checked.model, workspaces.data_base(path, checked))
        workspaces.require_portable(path)
        before.require(checked.factory, space.runs)
        if not isinstance(checked, LanguagePlan) and checked.data.engine == "spark":
            _spark_engine.require()
        with workspaces.new(space, path) as run:
            yield run
        return
    is_run = plan == "last" or (Path(plan) / "ledger.jsonl").is_file() or (space.runs / plan / "ledger.jsonl").is_file()
    path = space.find(plan) if is_run else space.unfinished(load.plan_path(plan).read_bytes())
    with workspaces.reopened(path) as run:
        find_own_model(run)
        stages.require_same_code(run)
        run.ledger.append("resumed")
        yield run


def assess_run(
    run: workspaces.Run, space: workspaces.Workspace, console: Console, engine: str, *, wait: bool = True
) -> records.RunRecord:
    """All stages of a run that have not been done, with their progress on the terminal."""
    from flows import assess, view

    console.print(
        f"[bold]{run.plan.system.name}[/] {run.plan.system.version}   run {run.folder.run_id}",
        highlight=False,
        soft_wrap=True,
    )
    terminal = view.TerminalView(console)
    try:
        if engine == "plain":
            return assess.plain(run, terminal, wait=wait)
        terminal.starting("Start Prefect and load what the stages need")
        return assess.under_prefect(run, terminal, space)
    finally:
        terminal.close()


def mirror(run: workspaces.Run, space: workspaces.Workspace, console: Console) -> None:
    """Mirror a closed run into MLflow: the workspace's own store, or the server that the user names."""
    from evidence import tracking_store
    from flows import assess

    with console.status("Mirror the lineage to MLflow …"):
        reference = assess.mirror(run, tracking_store.default_uri(space.root))
    model = f"{reference.model_name} version {reference.model_version}" if reference.model_id else "no model"
    console.print(
        f"[green]✓[/] {'Mirror the lineage to MLflow':<30} {model}",
        highlight=False,
    )


def conclude(run: workspaces.Run, record: records.RunRecord, console: Console) -> None:
    """The outcome, and what to do next."""
    from flows import answering, view

    folder = _short(run.folder.path)
    colour = view.COLOURS[record.outcome]
    console.print()
    console.print(f"Gate: [bold {colour}]{record.outcome}[/]")
    console.print(f"  Read   {folder}/documents/report.html", highlight=False, soft_wrap=True)
    console.print(f"  Why    proofline show {record.run_id}", highlight=False, soft_wrap=True)
    waiting = answering.waiting(run.folder.path)
    if waiting:
        console.print(f"  Answer proofline answer {record.run_id}   ({waiting})", highlight=False, soft_wrap=True)
    if number := answering.by_hand(run.folder.path):
        words = (
            f"{counted(number, 'answer')} written by hand; until it is given every run takes "
            f"{'it for a new one' if number == 1 else 'them for new ones'}"
        )
        console.print(f"  Answer proofline answer {record.run_id} --file   ({words})", highlight=False, soft_wrap=True)
    console.print(f"  Next   proofline approve {record.run_id}   (or --refuse)", highlight=False, soft_wrap=True)


def _short(path: Path) -> Path:
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path
