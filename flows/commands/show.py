"""`proofline show`: what a run found, and why it was decided so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from configs import errors
from evidence import ledger
from evidence.dossier import STAGES, Dossier
from flows import approval, stages, view
from flows import workspace as workspaces

GOVERNED = (
    "data.representativeness", "data.group_sizes", "data.class_balance", "data.proxies", "data.label_balance",
    "data.drift",
)  # fmt: skip
"""Checks whose limits every plan has, stated or by default."""


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
    def say(text: str = "") -> None:
        console.print(text, highlight=False, soft_wrap=True)

    plan = found.plan
    say(f"[bold]{escape(plan.system.name)}[/] {escape(plan.system.version)}   run {found.run_id}")
    say(f"Committed {found.commit.at[:19]}Z, evaluated from {found.evaluate.started_at[:19]}Z")
    asked = {(gate.check, gate.slice) for gate in plan.policy.gates}
    say("\n[bold]Required, and not passed[/] (the plan's gates, and the data checks that every plan has)")
    unmet = approval.unmet(found.gate)
    for reason in unmet:
        own = "" if (reason.check_id, reason.slice) in asked else f"; limit of {_limit_of(reason.check_id)}"
        say(_line(reason.status, f"{reason.check_id}@{reason.slice}", "overall", f"{reason.text}{own}", required=True))
    if not unmet:
        say("  none")
    say("\n[bold]What the policy asks[/]")
    for reason in found.gate.reasons:
        if (reason.check_id, reason.slice) in asked:
            say(_line(reason.status, reason.check_id, reason.slice, reason.text, required=reason.required))
    if everything:
        say("\n[bold]Every check[/]")
        for result in found.results():
            say(_line(result.status, result.check_id, result.title, result.reason, required=True))
    say(f"\nChecks: {view.counts([r.status for r in found.results()])}" + ("" if everything else " (all with --all)"))
    say(f"Gate: [bold {view.COLOURS[found.gate.outcome]}]{found.gate.outcome}[/]")
    say(f"Read: {path}/documents/report.html")
    _say_approval(path, say)


def _line(status: str, check: str, part: str, text: str, *, required: bool) -> str:
    where = "" if part == "overall" else f" · {escape(part)}"
    mark = "" if required else " [dim](reported only)[/]"
    shown = status.replace("_", " ")
    return f"  [{view.COLOURS[status]}]{shown:<14}[/] {check}{where}{mark}\n{' ' * 17}[dim]{escape(text)}[/]"


def _limit_of(check: str) -> str:
    """Where the limit of a check stands that is no gate of the plan."""
    if check == "robustness.properties":
        return "policy.robustness.properties"
    return "policy.governance" if check in GOVERNED else "the plan's rules for the data"


def _say_approval(path: Path, say: Callable[[str], None]) -> None:
    decision = workspaces.standing_approval(path)
    if decision is None:
        say(f"Approval: none yet. Read the report, then `proofline approve {path.name}`.")
        return
    mark = " (demonstration, approves nothing)" if decision.demonstration else ""
    who = f"{escape(decision.person)}, {escape(decision.role)}"
    say(f"Approval: {decision.decision} by {who}, {decision.at[:19]}Z{mark}: {escape(decision.reason)}")
    for waiver in decision.waivers:
        what = f"{waiver.check_id}@{escape(waiver.slice)}"
        say(f"  accepted until {waiver.expires}: {what}: [dim]{escape(waiver.reason)}[/]")


def _unfinished(path: Path, console: Console) -> None:
    chain = ledger.Ledger.read(path)
    for stage in STAGES:
        done = "[green]✓[/]" if chain.finished(stage) else "[dim]·[/]"
        console.print(f"{done} {view.TITLES[stage]}", highlight=False)
    failures = path / stages.FAILURES
    if failures.is_file():
        console.print(f"Last failure: {failures.read_text(encoding='utf-8').splitlines()[-1]}", highlight=False)
