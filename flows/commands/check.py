"""`proofline check`: is the plan right, are its data there? Runs nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console

from configs import load
from configs.plan import Plan


@click.command("check")
@click.argument("plan")
@click.option("--data/--no-data", default=True, show_default=True, help="Read the data as well.")
def command(plan: str, *, data: bool) -> None:
    """Check PLAN: its form, its policy, and whether the data are what it declares.

    PLAN is a plan file or the name of a shipped use case. Nothing is written.
    """
    from checks import catalogue

    path = load.plan_path(plan)
    checked = load.load(path)
    catalogue.check_policy(checked)
    console = Console()
    console.print(f"[green]✓[/] plan {path.name}: {_summary(checked)}", highlight=False)
    if data:
        _check_data(checked, path, console)
    console.print(f"Run it with: proofline run {plan}", highlight=False)


def _check_data(plan: Plan, path: Path, console: Console) -> None:
    from flows import cli

    cli.require_pipeline("check")
    from factory import sources

    base = Path(os.environ["PROOFLINE_DATA"]) if os.environ.get("PROOFLINE_DATA") else path.parent
    with console.status("Reading the data …"):
        table = sources.read(plan.data.source, plan.data, base)
    console.print(
        f"[green]✓[/] data: {len(table.frame):,} rows, {len(plan.data.columns)} declared columns found, "
        f"{len(table.undeclared)} not declared",
        highlight=False,
    )


def _summary(plan: Plan) -> str:
    required = sum(gate.required for gate in plan.policy.gates)
    return (
        f"{plan.data.target.task}, {len(plan.data.features)} features, "
        f"{len(plan.data.protected)} protected attributes, {len(plan.policy.gates)} gates ({required} required)"
    )
