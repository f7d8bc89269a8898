"""`proofline submit`: take a plan as far as its training, hand that to the site's scheduler, and end."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from configs import errors, load
from configs.factories import profile as profiles
from configs.language.load import load_any
from flows import cli
from flows import workspace as workspaces


@click.command("submit")
@click.argument("plan")
@click.option("--resume", is_flag=True, help="Go on with the newest unfinished run of PLAN (or the run folder PLAN).")
@click.pass_obj
def command(workspace: Path, plan: str, *, resume: bool) -> int:
    """Take PLAN as far as its training, submit that as a job, and end: nothing stays behind on the login node.

    For sites that end long processes on login nodes. The plan names the site under `factory`. Afterwards
    `proofline poll RUN` says where the job stands, and `proofline collect RUN` goes on when it has ended.
    """
    from factory.slurm.launcher import NotOverError
    from flows.commands import run as running

    cli.require_pipeline("submit")
    if not resume:
        _require_scheduler(plan)
    space = workspaces.Workspace(workspace.resolve())
    console = Console()
    with running.opened(space, plan, resume=resume) as run:
        running.find_own_model(run)
        try:
            record = running.assess_run(run, space, console, "plain", wait=False)
        except NotOverError:
            console.print("\nSubmitted.")
            console.print(f"  Look   proofline poll {run.folder.run_id}", highlight=False, soft_wrap=True)
            console.print(
                f"  Next   proofline collect {run.folder.run_id}   when it has ended", highlight=False, soft_wrap=True
            )
            return errors.EXIT_PASS
        running.mirror(run, space, console)
    running.conclude(run, record, console)
    return running.EXIT[record.outcome]


def _require_scheduler(plan: str) -> None:
    site = load_any(load.plan_path(plan)).factory.site
    if profiles.load(site).scheduler == "none":
        raise errors.PlanError(
            f"submit {plan}: expected a plan whose factory.site has a scheduler, got {site}. "
            "Name one of `proofline factories`, or use `proofline run`."
        )
