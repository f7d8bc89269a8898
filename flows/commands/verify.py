"""`proofline verify`: check a bundle that was received. Imports nothing of the pipeline."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configs import errors
from configs.printable import printable
from flows.commands import sender

if TYPE_CHECKING:
    from tef_export.verify import Verification


ADVICE: dict[errors.Looks, str] = {
    "damage": "Fetch it again.",
    "mistake": "It was signed so: show the sender this table and ask for a new bundle.",
    "tampering": "Keep the file, and tell the sender by another way than it came.",
    "unclear": "Compare the SHA-256 and the fingerprint with the sender by another way.",
}


@click.command("verify")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path))
@sender.KEY
@sender.FINGERPRINT
@sender.DEMONSTRATION
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def command(bundle: Path, *, key: Path | None, fingerprint: str | None, demonstration: bool, as_json: bool) -> int:
    """Check BUNDLE against the key that you pin.

    A key that comes with the bundle proves nothing: get it, or its fingerprint, by another way. Nothing is executed,
    and nothing is parsed before the signature holds.
    """
    from tef_export import early

    sender.require("verify", key, fingerprint)
    with early.begun(bundle) as begun:
        from tef_export import keys, verify

        found = verify.verify(
            bundle,
            public_key=keys.load_public(key) if key else None,
            fingerprint=fingerprint,
            allow_demonstration=demonstration,
            begun=begun,
        )
    if as_json:
        click.echo(found.to_json())
    elif not zipfile.is_zipfile(bundle):
        click.echo(
            f"{printable(bundle.name)}: expected a bundle, which is a ZIP file, got something else, or one that is cut "
            "off. Nothing more was checked; look whether it is the file that you were sent, whole."
        )
    else:
        _show(found)
    return errors.EXIT_PASS if found.ok else errors.EXIT_FAIL


def _show(found: Verification) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from tef_export import verify

    console = Console()
    table = Table(title="What was checked", title_justify="left")
    for name in ("Check", "Result", "What was found"):
        table.add_column(name, overflow="fold")
    colours = {"pass": "green", "fail": "red"}
    rows = [(check.text if check.text.startswith(verify.NOT_RUN) else check.name) for check in found.checks]
    for number, check in enumerate(found.checks):
        if rows[number] in rows[:number]:
            continue  # not run for the same reason as one above
        text = escape(check.text) + (f" [bold]It {errors.LOOKS[check.looks]}.[/]" if check.looks else "")
        more = rows.count(rows[number]) - 1
        name = f"{check.name} and {more} more" if more else check.name
        table.add_row(name, f"[{colours.get(check.status, 'yellow')}]{check.status.replace('_', ' ')}[/]", text)
    console.print(table)
    if found.demonstration:
        console.print("[yellow]Demonstration: a throw-away key signed this bundle and nobody approved it.[/]")
    if found.ok:
        console.print(
            "[green]The bundle holds.[/] What it says about the system is for you to judge: data/documents/.",
            soft_wrap=True,
        )
    else:
        console.print("[red]The bundle does not hold.[/] Do not use it, and do not read it as the sender's word.")
        if found.looks:
            console.print(f"It {errors.LOOKS[found.looks]}. {ADVICE[found.looks]}")
