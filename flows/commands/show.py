"""`proofline show`: what a run found, and why it was decided so."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from configs import errors
from evidence import ledger, records
from evidence.dossier import STAGES, Dossier
from flows import view
from flows import workspace as workspaces


@click.command("show")
@click.argument("run", default="last")
@click.option("--all", "everything", is_flag=True, help="List every check, not only the gates.")
@click.option("--json", "as_json", is_flag=True, help="The gate decision and all checks as JSON.")
@click.pass_obj
def command(workspace: Path, run: str, *, everything: bool, as_json: bool) -> int:
    """Show what RUN found, and why it was decided so.

    RUN is a run folder, its name, or `last` (the default). The exit code is that of the gate.
    """
    path = workspaces.Workspace(workspace).find(run)
    console = Console()
    try:
        found = workspaces.dossier(path)
    except errors.MissingError:
        _unfinished(path, console)
        raise
    if as_json:
        import json

        content = {
            "run_id": found.run_id,
            "gate": found.gate.model_dump(mode="json"),
            "checks": [r.model_dump(mode="json") for r in found.results()],
        }
        click.echo(json.dumps(content, indent=2, sort_keys=True))
    else:
        _explain(path, found, console, everything=everything)
    codes = {"pass": errors.EXIT_PASS, "fail": errors.EXIT_FAIL, "inconclusive": errors.EXIT_INCONCLUSIVE}
    return codes[found.gate.outcome]


def _explain(path: Path, found: Dossier, console: Console, *, everything: bool) -> None:
    plan = found.plan
    console.print(f"[bold]{plan.system.name}[/] {plan.system.version}   run {found.run_id}", highlight=False)
    console.print(f"Committed {found.commit.at}, evaluated from {found.evaluate.started_at}", highlight=False)
    console.print(_gate_table(found.gate))
    if everything:
        console.print(_check_table(found))
    else:
        console.print(
            f"Checks: {view.counts([r.status for r in found.results()])} (list them with --all)", highlight=False
        )
    console.print(f"Gate: [bold {view.COLOURS[found.gate.outcome]}]{found.gate.outcome}[/]")
    console.print(f"Read:  {path}/documents/report.html", highlight=False, soft_wrap=True)
    content = workspaces.approval_of(path)
    if content is None:
        console.print("Approval: none yet", highlight=False)
        return
    approval = workspaces.parse_record(content, records.Approval, "approval.json")
    mark = " (demonstration, approves nothing)" if approval.demonstration else ""
    console.print(f"Approval: {approval.decision} by {approval.person}, {approval.role}, {approval.at}{mark}")


def _gate_table(decision: records.GateDecision) -> Table:
    table = Table(title="Why it was decided so", title_justify="left")
    for name in ("Check", "Slice", "Answer", "Measured against the policy"):
        table.add_column(name, overflow="fold")
    for reason in decision.reasons:
        required = "" if reason.required else " [dim](reported only)[/]"
        answer = f"[{view.COLOURS[reason.status]}]{reason.status.replace('_', ' ')}[/]{required}"
        table.add_row(reason.check_id, reason.slice, answer, reason.text)
    return table


def _check_table(found: Dossier) -> Table:
    table = Table(title="Every check", title_justify="left")
    for name in ("Check", "Answer", "Reason"):
        table.add_column(name, overflow="fold")
    for result in found.results():
        table.add_row(
            result.check_id, f"[{view.COLOURS[result.status]}]{result.status.replace('_', ' ')}[/]", result.reason
        )
    return table


def _unfinished(path: Path, console: Console) -> None:
    chain = ledger.Ledger.open(path)
    for stage in STAGES:
        done = "[green]✓[/]" if chain.finished(stage) else "[dim]·[/]"
        console.print(f"{done} {view.TITLES[stage]}", highlight=False)
    failed = [line for line in chain.lines if line.event == "failed"]
    if failed:
        console.print(f"Last failure, in {failed[-1].stage}: {failed[-1].details['reason']}", highlight=False)
