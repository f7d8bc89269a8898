"""`proofline show`: what a run found, and why it was decided so."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from checks import catalogue
from configs import errors
from configs.language.load import load_any
from configs.language.plan import LanguagePlan
from evidence import ledger, records
from evidence.dossier import AnyDossier, stages_of
from flows import altered, answering, decision_table, decisions, gap_counts, stages, view, wrapping
from flows import workspace as workspaces

GOVERNED = (
    "data.representativeness", "data.group_sizes", "data.class_balance", "data.proxies", "data.label_balance",
    "data.drift",
)  # fmt: skip
"""Checks whose limits every plan has, stated or by default."""
WIDEST = 110
"""Columns beyond this only pull numbers away from their names."""


@click.command("show")
@click.argument("run", default="last")
@click.option("--all", "everything", is_flag=True, help="List every check, not only the gates.")
@click.option("--gaps", is_flag=True, help="List the gaps in the documents, by who can fill them.")
@click.option("--json", "as_json", is_flag=True, help="The gate decision and all checks as JSON.")
@click.option("--digests", is_flag=True, help="The digests that the documents name, made again from the records.")
@click.pass_obj
def command(workspace: Path, run: str, *, everything: bool, gaps: bool, as_json: bool, digests: bool) -> int:
    """Show what RUN found, and why it was decided so.

    RUN is a run folder, its name, or `last` (the default) for the newest run, finished or not. The exit code is that of
    the gate.
    """
    path = workspaces.Workspace(workspace).find(run)
    console = Console()
    try:
        found = workspaces.dossier(path)
    except errors.MissingError:
        _unfinished(path, console)
        raise
    if digests:
        from flows import run_digests

        for line in run_digests.lines(path, found):
            click.echo(line)
    elif gaps:
        _say_gaps(found)
    elif as_json:
        import json

        content = {
            "run_id": found.run_id,
            "gate": found.gate.model_dump(mode="json"),
            "decisions": [dataclasses.asdict(line) for line in decisions.lines(found)],
            "checks": [r.model_dump(mode="json") for r in found.results()],
            "documents": dataclasses.asdict(altered.documents(path, found, workspaces.standing_approval(path))),
        }
        click.echo(json.dumps(content, indent=2, sort_keys=True))
    else:
        _explain(path, found, console, everything=everything)
    codes = {"pass": errors.EXIT_PASS, "fail": errors.EXIT_FAIL, "inconclusive": errors.EXIT_INCONCLUSIVE}
    return codes[found.gate.outcome]


def _explain(path: Path, found: AnyDossier, console: Console, *, everything: bool) -> None:
    def say(text: str = "") -> None:
        console.print(text, highlight=False, soft_wrap=True)

    plan, width = found.plan, min(console.width, WIDEST)
    lines = decisions.lines(found)
    open_ = [line for line in lines if not line.of_plan and line.required and line.status != "pass"]
    say(f"[bold]{escape(plan.system.name)}[/] {escape(plan.system.version)}   run {found.run_id}")
    say(f"Committed {found.commit.at[:19]}Z, evaluated from {found.evaluate.started_at[:19]}Z")
    say(f"\n[bold]Gates of the plan[/], intervals at {100 * plan.policy.confidence:g} % where none is named")
    _say_rows(say, [line for line in lines if line.of_plan], width)
    if open_:
        say("\n[bold]Checks that every run has[/], those that stand in the way")
        _say_rows(say, open_, width)
        places = sorted({_limit_of(line.check) for line in open_ if line.check not in catalogue.UNGATEABLE})
        if places:
            say(f"    [dim]their limits: {' and '.join(places)}[/]")
    _say_changes(found, say)
    if everything:
        say("\n[bold]Every check[/]")
        for result in found.results():
            say(_line(result.status, result.check_id, result.title, _told(result)))
    say(f"\n[dim]{decision_table.LEGEND}[/]")
    say(f"{counted(lines)}" + ("" if everything else " (every check with --all)"))
    say(f"Gate: [bold {view.COLOURS[found.gate.outcome]}]{found.gate.outcome}[/]{_because(lines)}")
    say(f"Read: {path}/documents/report.html")
    if not_as_written := altered.documents(path, found, workspaces.standing_approval(path)):
        say(f"[red]Not as the run wrote them:[/] {escape(not_as_written.words())} since. No approval covers that.")
        say(
            f"  [dim]What changed: `proofline lint FILE --evidence {path}`. A document that is removed is written anew "
            f"by `proofline run {path} --resume`, a draft of the declaration by another approval.[/]"
        )
    if waiting := answering.waiting(path):
        say(f"Statements of persons: {waiting}. `proofline answer {path.name}` asks.")
    _say_approval(path, found, say)


def _say_gaps(found: AnyDossier) -> None:
    for who, theirs in gap_counts.by_person(found.document.gaps if found.document else ()).items():
        wrapping.say(f"{who}: {len(theirs)}")
        for gap in theirs:
            wrapping.say(f"  {gap}")


def _say_rows(say: Callable[[str], None], lines: list[decisions.Line], width: int) -> None:
    for row in decision_table.rows(lines, width):
        say(row)


def counted(lines: tuple[decisions.Line, ...]) -> str:
    """As the documents count: the gates of the plan, then the further checks that count in every run."""
    gates = [line for line in lines if line.of_plan]
    told = sum(not line.required for line in gates if line.status != "pass")
    among = f" ({told} reported only)" if told else ""
    further = view.counts([line.status for line in lines if not line.of_plan])
    return f"Gates of the plan: {view.counts([line.status for line in gates])}{among}. Further checks: {further}"


def _because(lines: tuple[decisions.Line, ...]) -> str:
    """` (1 fail, 2 inconclusive of 20 required)`."""
    required = [line.status for line in lines if line.required]
    rest = [status for status in required if status != "pass"]
    return (
        f"   ({view.counts(list(rest))} of {len(required)} required gates and checks)"
        if rest
        else f"   (all {len(required)} required)"
    )


def _say_changes(found: AnyDossier, say: Callable[[str], None]) -> None:
    """Before and after of the mitigation and the calibration, a line for each measure."""
    changed = [r for r in found.evaluate.results if r.check_id.startswith("mitigation.") and len(r.measures) > 2]
    if not changed or isinstance(found.plan, LanguagePlan):
        return
    stated = found.plan.mitigation
    say(f"\n[bold]What mitigation and calibration changed[/] ({escape(stated.words)})")
    for result in changed:
        values = [
            "undefined"
            if m.value is None
            else f"{m.value:.3g}" + (f" [{m.interval.low:.3g}, {m.interval.high:.3g}]" if m.interval else "")
            for m in result.measures[:3]
        ]
        say(f"  {result.title}\n{' ' * 17}[dim]{escape(f'{values[1]} → {values[2]}, change {values[0]}')}[/]")


def _told(result: records.CheckResult) -> str:
    """The reason; of what was measured without a threshold the value, which is all there is to say."""
    first = next((m for m in result.measures if m.value is not None), None)
    if result.status != "not_applicable" or first is None:
        return result.reason
    ends = f" [{first.interval.low:.3g}, {first.interval.high:.3g}]" if first.interval else ""
    unit = "" if first.unit == "1" else f" {first.unit}"
    where = "" if first.slice == "overall" else f" for {first.slice}"
    among = sum(m.value is not None and m.name == first.name for m in result.measures) - 1
    more = f", and {among} more (--json)" if where and among else ""
    return f"measured {first.value:.3g}{ends}{unit}{where}{more}; no threshold is set"


def _line(status: str, check: str, part: str, text: str) -> str:
    measured = status == "not_applicable" and text.startswith("measured ")
    shown = "measured" if measured else status.replace("_", " ")
    return f"  [{view.COLOURS[status]}]{shown:<14}[/] {check} · {escape(part)}\n{' ' * 17}[dim]{escape(text)}[/]"


def _limit_of(check: str) -> str:
    """Where the limit of a check stands that is no gate of the plan."""
    if check == "robustness.properties":
        return "policy.robustness.properties"
    return "policy.governance" if check in GOVERNED else "the plan's rules for the data"


def _say_approval(path: Path, found: AnyDossier, say: Callable[[str], None]) -> None:
    from flows import approval

    decision = workspaces.standing_approval(path)
    if decision is None:
        say(f"Approval: none yet. Read the report, then `proofline approve {path.name}`.")
        return
    mark = " (demonstration, approves nothing)" if decision.demonstration else ""
    who = f"{escape(decision.person)}, {escape(decision.role)}"
    say(f"Approval: {decision.decision} by {who}, {decision.at[:19]}Z{mark}: {escape(decision.reason)}")
    if decision.declaration:
        draft = path / next(d.path for d in decision.declaration if d.path.endswith(".pdf"))
        say(f"  Draft of the EU declaration of conformity, to be signed by whom it names: {draft}")
        say("  [dim]documents/declaration.* is the status before any approval.[/]")
    changed = approval.changed_since(decision, path, found) if decision.decision == "approved" else None
    if changed is not None:
        say(f"  [red]no longer counts:[/] the {changed} since; approve again with `proofline approve {path.name}`")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    for waiver in decision.waivers:
        what = f"{waiver.check_id}@{escape(waiver.slice)}"
        when = f"accepted until {waiver.expires}" if waiver.expires >= today else f"[red]expired {waiver.expires}[/]"
        say(f"  {when}: {what}: [dim]{escape(waiver.reason)}[/]")


def _unfinished(path: Path, console: Console) -> None:
    chain = ledger.Ledger.read(path)
    plan = load_any(path / "plan.yaml")
    for stage in stages_of(plan):
        done = "[green]✓[/]" if chain.finished(stage) else "[dim]·[/]"
        console.print(f"{done} {view.TITLES[stage]}", highlight=False)
    failures = path / stages.FAILURES
    if failures.is_file():
        console.print(f"Last failure: {failures.read_text(encoding='utf-8').splitlines()[-1]}", highlight=False)
