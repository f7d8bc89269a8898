"""`proofline collect`: go on with a run whose job has ended, and merge its lineage into the user's own server."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from configs import errors
from flows import cli
from flows import workspace as workspaces


@click.command("collect")
@click.argument("run", default="last")
@click.pass_obj
def command(workspace: Path, run: str) -> int:
    """Go on with RUN (by default the newest) when its job has ended: export, evaluation, decision, documents.

    The lineage goes to MLflow: the workspace's own store, or the server in MLFLOW_TRACKING_URI. Of a run that is
    finished only the lineage is written: copy a run folder from the site into runs/ at home, and collect it there.

    The exit code is that of the gate; 3 while the job has not ended.
    """
    from flows.commands import run as running

    cli.require_pipeline("collect")
    space = workspaces.Workspace(workspace.resolve())
    console = Console()
    path = space.find(run)
    if (path / "run.json").is_file():
        with workspaces.reopened(path) as opened:
            record = workspaces.dossier(path).close
            if record is None:
                raise errors.IntegrityError(f"run {path.name}: expected a closed run, got no record of its end.")
            running.mirror(opened, space, console)
        running.conclude(opened, record, console)
        return running.EXIT[record.outcome]
    _require_job(path)
    running.require_servers(space, "plain")
    with running.opened(space, str(path), resume=True) as opened:
        record = running.assess_run(opened, space, console, "plain", wait=False)
        running.mirror(opened, space, console)
    running.conclude(opened, record, console)
    return running.EXIT[record.outcome]


def _require_job(path: Path) -> None:
    """Collecting never submits: a run whose job has failed, or that never had one, is told so.

    Raises:
        MissingError: There is nothing to collect.
    """
    from evidence.folder import RunFolder
    from factory.slurm import files, jobs

    folder = RunFolder(path)
    if jobs.load(folder) is None and not (path / files.RECORD).is_file():
        failed = f" (the last one ended without a result: {files.LOG})" if (path / jobs.ASIDE).is_dir() else ""
        raise errors.MissingError(
            f"run {path.name}: expected a job that was submitted, got none{failed}. Submit one with "
            f"`proofline submit {path.name} --resume`, or train with `proofline run {path.name} --resume`."
        )
