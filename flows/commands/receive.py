"""`proofline receive`: take a facility's signed answer into the run that released the bundle."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("receive")
@click.argument("report", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The facility's public key, got by another way than the answer.",
)
@click.pass_obj
def command(workspace: Path, report: Path, *, key: Path) -> None:
    """Check REPORT with the facility's key and put it into the run whose bundle it is about.

    The run's documents stay as they were approved. `proofline run PLAN --resume` renders them anew with the answer in
    them; then they need a new approval.
    """
    from flows import facility_answer
    from flows import workspace as workspaces
    from tef_export import keys

    path, entry = facility_answer.receive(workspaces.Workspace(workspace), report, keys.load_public(key))
    click.echo(f"Received from {entry.facility} ({entry.person}, {entry.role}): {entry.verdict_in_words}")
    click.echo(f"  about {entry.bundle_id}, kept in {path / entry.report.path}")
    for finding in entry.findings:
        click.echo(f"  finding: {finding}")
    if entry.bundle_is_demonstration:
        click.echo("The bundle was a demonstration: the answer is about how things work.")
    click.echo(f"Next: proofline run {path} --resume   (the documents cite it; they then need a new approval)")
