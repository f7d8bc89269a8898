"""`proofline poll`: where the job of a run stands. Changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from configs import errors
from flows import workspace as workspaces

EXIT = {"completed": errors.EXIT_PASS, "failed": errors.EXIT_FAIL, "cancelled": errors.EXIT_FAIL}


@click.command("poll")
@click.argument("run", default="last")
@click.pass_obj
def command(workspace: Path, run: str) -> int:
    """Say where the job of RUN stands (by default the newest run).

    The exit code is 0 when the job has completed, 1 when it failed or was cancelled, 4 while it waits, runs, or nobody
    knows.
    """
    from evidence.folder import RunFolder
    from factory.slurm import files, jobs, states

    folder = RunFolder(workspaces.Workspace(workspace.resolve()).find(run))
    job = jobs.known(folder)
    console = Console()
    if job is None or job.job_id is None:
        raise errors.MissingError(
            f"run {folder.run_id}: expected a job that was submitted, got none. "
            "Submit one with `proofline submit PLAN`, or go on with `--resume`."
        )
    now = states.standing(job.job_id, folder.path)
    console.print(
        f"job {job.job_id} of run {folder.run_id} at {job.site}: [bold]{now.state}[/]   {now.words}, by {now.said_by}",
        highlight=False,
        soft_wrap=True,
    )
    path = folder.path / files.PROGRESS
    if path.is_file():
        console.print(_where(json.loads(path.read_text(encoding="utf-8"))), highlight=False)
    if now.state == "completed":
        console.print(f"Next   proofline collect {folder.run_id}", highlight=False)
    elif now.over:
        if (log := folder.path / files.LOG).is_file():
            console.print(f"Log    {log}", highlight=False, soft_wrap=True)
        console.print(f"Next   proofline collect {folder.run_id}   says why it failed", highlight=False, soft_wrap=True)
    return EXIT.get(now.state, errors.EXIT_FAIL if now.over else errors.EXIT_INCONCLUSIVE)


def _where(at: dict[str, Any]) -> str:
    """What the job wrote about where it stands: in epochs, or in steps of a language model."""
    if "epoch" not in at:
        return f"step {at['done']} of {at['of']}, {at['what']}"
    return (
        f"epoch {at['epoch']} of {at['epochs']}, loss {at['train_loss']:.4f}, validation {at['validation_loss']:.4f}, "
        f"best {at['best_epoch']}"
    )
