"""`proofline check`: is the plan right, are its data there? Runs nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from configs import errors, load, plan_texts
from configs.data import FileSource
from configs.factories import profile as profiles
from configs.language.load import AnyPlan, load_any
from configs.language.plan import LanguagePlan
from configs.law import gates
from configs.law import register as law
from configs.law.classify import Classified
from configs.plan import Plan
from configs.wording import counted
from evidence import records
from evidence.folder import RunFolder
from flows import check_language, view
from flows import workspace as workspaces
from flows.collected import Problems
from flows.commands import law as law_command


@click.command("check")
@click.argument("plan")
@click.option("--data/--no-data", default=True, show_default=True, help="Read the data as well.")
def command(plan: str, *, data: bool) -> int:
    """Check PLAN: its form, its policy, and whether the data are what it declares.

    PLAN is a plan file or the name of a shipped use case. Nothing is written. What is wrong is told in one list; exit
    code 1: a rule of the data is broken; 2: the plan or the data cannot be taken; 4: a rule could not be decided.
    """
    from checks import catalogue
    from checks.changes import declared
    from configs.law import classify

    path = load.plan_path(plan)
    checked, console, problems = load_any(path), Console(), Problems()
    problems.of(lambda: plan_texts.require(checked, str(path)))
    problems.of(lambda: catalogue.check_policy(checked))
    classified = problems.of(lambda: classify.classify(checked.classification))
    problems.of(lambda: workspaces.require_portable(path))
    if isinstance(checked, LanguagePlan):
        if data:
            problems.of(lambda: check_language.require_base(checked, path))
        problems.require_none()
        check_language.say(checked, path, console, data=data)
        _say_reasons(checked, console)
        console.print(f"Run it with: proofline run {plan}", highlight=False)
        return errors.EXIT_PASS
    problems.of(lambda: declared.check(checked))
    site = problems.of(lambda: profiles.load(checked.factory.site))
    if site is not None and site.scheduler != "none":
        from factory.slurm import request

        problems.of(lambda: request.request(checked.factory, site))
    if checked.data.engine == "spark":
        from checks import _spark_engine

        problems.of(_spark_engine.require)
    found = problems.of(lambda: _read(checked, path, console)) if data else None
    problems.require_none()
    assert classified is not None  # noqa: S101 - it would have been a problem
    assert site is not None  # noqa: S101
    _say(checked, classified, site, path, console)
    code = _say_data(checked, found, console) if found else errors.EXIT_PASS
    console.print(f"Run it with: proofline run {plan}", highlight=False)
    return code


def _say(checked: Plan, classified: Classified, site: profiles.Profile, path: Path, console: Console) -> None:
    """What the plan asks for, section by section."""
    console.print(f"[green]✓[/] plan {path.name}: {_summary(checked)}", highlight=False)
    _say_class(checked, classified, console)
    _say_reasons(checked, console)
    law_command.stale(law.load(), dt.datetime.now(dt.UTC).date())
    if checked.mitigation.method != "none":
        console.print(f"[green]✓[/] mitigation: {checked.mitigation.words}", highlight=False, soft_wrap=True)
        console.print("  The model without it is kept beside it, and both are measured.", highlight=False)
    if checked.training.calibration != "none":
        console.print(
            "[green]✓[/] calibration: a temperature is fitted on the validation split, inside the graph",
            highlight=False,
        )
    if checked.predetermined_changes:
        names = ", ".join(change.id for change in checked.predetermined_changes)
        console.print(
            f"[green]✓[/] declared beforehand (Annex IV(2)(f)): {names}; `proofline diff` lays them on later versions",
            highlight=False,
            soft_wrap=True,
        )
    if site.scheduler != "none":
        console.print(f"[green]✓[/] factory: a job that {site.name} gives, as far as its profile says", highlight=False)
    if checked.data.engine == "spark":
        console.print("[green]✓[/] data engine: PySpark and a Java for it are here", highlight=False)


def _say_reasons(plan: AnyPlan, console: Console) -> None:
    """Gates whose threshold nobody has given a reason for."""
    without = [
        gate.check if gate.slice == "overall" else f"{gate.check}@{gate.slice}"
        for gate in plan.policy.gates
        if gate.rationale is None
    ]
    if without:
        console.print(
            f"[yellow]·[/] no rationale: {', '.join(without)}. Say in `rationale` of the gate why its threshold fits; "
            "without it the documents print a gap.",
            highlight=False,
            soft_wrap=True,
        )


def _say_class(plan: Plan, found: Classified, console: Console) -> None:
    """What the answers point to, what is still open, and which gates a high-risk system is expected to have."""
    words = {"yes": "point to high-risk use", "no": "do not point to high-risk use", "open": "leave the class open"}
    mark = "[yellow]·[/]" if found.high_risk.state == "open" else "[green]✓[/]"
    named = "; ".join(f"{item.place} ({item.text})" for item in found.high_risk.items)
    named = f": {named}" if found.high_risk.state == "yes" and named else ""
    console.print(
        f"{mark} AI Act: the answers {words[found.high_risk.state]}{escape(named)}; a person must confirm",
        highlight=False,
    )
    if found.prohibited.state == "yes":
        console.print("  [red]the answers point to a prohibited practice (Art. 5)[/]", highlight=False)
    for change in found.high_risk.changes if found.high_risk.state == "open" or found.by_product_law else ():
        console.print(f"  [dim]{change}[/]", highlight=False)
    if found.open_fields:
        console.print(f"  [dim]not answered: {', '.join(found.open_fields)}[/]", highlight=False)
    for gate in gates.lacking(plan):
        console.print(
            f"  [yellow]no required gate on {gate.family}[/] [dim]({gate.requirement.place}, see `proofline law "
            f"{gate.requirement.id}`)[/]",
            highlight=False,
        )


@dataclasses.dataclass(frozen=True)
class _Found:
    """What the data were found to be."""

    dataset: records.DatasetRef
    quality: records.QualityRecord
    told: dict[str, list[str]]
    """Title of a rule that does not hold, to offending values and what to do."""


def _read(plan: Plan, path: Path, console: Console) -> _Found:
    workspaces.require_files(plan, path)
    from flows import cli

    cli.require_pipeline("check")
    from checks import data_quality
    from factory import ingest
    from flows import broken_rules

    with tempfile.TemporaryDirectory() as place, console.status("Reading and checking the data …"):
        folder = RunFolder(Path(place))
        dataset = ingest.ingest(folder, plan, workspaces.data_base(path, plan))
        quality = data_quality.validate(folder, plan, dataset)
        table = folder.checked(dataset.table)
        told = {r.title: broken_rules.told(plan, r, table) for r in quality.results if r.status != "pass"}
    return _Found(dataset, quality, told)


def _say_data(plan: Plan, found: _Found, console: Console) -> int:
    """What the data are and which rules they break; the exit code, which is that of a run's gate on these rules."""
    console.print(
        f"[green]✓[/] data: {counted(found.dataset.rows, 'row')}, {_columns(plan, found.dataset)}", highlight=False
    )
    broken = [result for result in found.quality.results if result.status not in ("pass", "not_applicable")]
    for result in broken:
        colour = view.COLOURS[result.status]
        console.print(
            f"  [{colour}]{result.status.replace('_', ' ')}[/] {escape(f'{result.title}: {result.reason}')}",
            highlight=False,
        )
        for line in found.told[result.title]:
            console.print(f"       [dim]{escape(line)}[/]", highlight=False)
    if not broken:
        console.print(
            f"[green]✓[/] rules: {len(found.quality.results)} checks of what the plan declares hold", highlight=False
        )
    stops = [result.severity == "critical" for result in broken if result.status == "fail"]
    if stops:
        then = "stops a run at once" if any(stops) else "fails the gate of a run"
        console.print(f"[red]{counted(len(stops), 'rule')} of the data broken[/], which {then}.", highlight=False)
        return errors.EXIT_FAIL
    return errors.EXIT_INCONCLUSIVE if broken else errors.EXIT_PASS


def _columns(plan: Plan, dataset: records.DatasetRef) -> str:
    """How many columns there are, and where their names come from: without a header no misspelt name can be found."""
    source = plan.data.source
    if isinstance(source, FileSource) and source.may_lack_names and not source.header:
        return f"{counted(len(dataset.columns), 'column')}, named by the plan in their order: the file has no header"
    found = counted(len(dataset.columns), "declared column")
    return f"{found} found, {len(dataset.undeclared)} not declared"


def _summary(plan: Plan) -> str:
    required = sum(gate.required for gate in plan.policy.gates)
    protected = counted(len(plan.data.protected), "protected attribute")
    return (
        f"{plan.data.target.task}, {_inputs(plan)}, {protected}, {counted(len(plan.policy.gates), 'gate')} ({required} "
        "required), and the data checks with the limits of policy.governance, which decide as well"
    )


def _inputs(plan: Plan) -> str:
    if plan.predictions is None:
        return counted(len(plan.data.features), "feature")
    return f"predictions in {' and '.join(plan.predictions.columns)} (no model)"
