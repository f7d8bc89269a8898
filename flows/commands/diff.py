"""`proofline diff`: what changed between two versions, and what of it was declared beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from configs import errors

if TYPE_CHECKING:
    from evidence.diff_records import DiffRecord

_FILE = click.Path(dir_okay=False, path_type=Path)
EXIT = {
    "identical": errors.EXIT_PASS,
    "within": errors.EXIT_PASS,
    "outside": errors.EXIT_FAIL,
    "cannot_tell": errors.EXIT_INCONCLUSIVE,
}


@click.command("diff")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B", default="last")
@click.option("--key-a", type=_FILE, help="Public key of A's sender, where A is a bundle.")
@click.option("--key-b", type=_FILE, help="Public key of B's sender, where B is a bundle.")
@click.option("--fingerprint-a", help="Its SHA-256 fingerprint, where you have only that.")
@click.option("--fingerprint-b", help="The same for B.")
@click.option("--demonstration", is_flag=True, help="Accept bundles that say they are demonstrations.")
@click.option("--anyway", is_flag=True, help="Compare two systems, or two tasks, all the same.")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path),
    help="Write modification.html, .pdf, .docx, .md and .json into this folder.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The whole record as JSON.")
@click.pass_obj
def command(
    workspace: Path,
    a: str,
    b: str,
    *,
    key_a: Path | None,
    key_b: Path | None,
    fingerprint_a: str | None,
    fingerprint_b: str | None,
    demonstration: bool,
    anyway: bool,
    output: Path | None,
    as_json: bool,
) -> int:
    """Compare version A with the later version B (default: the last run).

    A and B are run folders, their names, `last`, or bundles (ZIP). What A's plan declares under predetermined_changes
    is laid on what differs: within, outside, cannot tell (AI Act Annex IV(2)(f), Art. 43(4)). Whether it is a
    substantial modification, a named person decides.

    \b
    Exit codes: 0 nothing outside · 1 something outside, or changed and nothing declared · 4 cannot tell
    """  # noqa: D301 - click reads \b as the mark of a block
    from rich.console import Console

    from flows import cli, comparing
    from flows import workspace as workspaces

    cli.require_pipeline("diff")
    from checks.changes import compare
    from model_cards.modification import write

    space = workspaces.Workspace(workspace)
    first = comparing.Named("a", a, key_a, fingerprint_a)
    second = comparing.Named("b", b, key_b, fingerprint_b)
    comparing.require_two(first, second, space)
    console = Console()
    with Console(stderr=True).status("Reading and comparing the two versions …"):
        sides = [comparing.side(named, space, demonstration=demonstration) for named in (first, second)]
        record = compare.compare(sides[0], sides[1], anyway=anyway)
        written = write.write(record, output) if output is not None else ()
    if as_json:
        import json

        click.echo(json.dumps(record.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        from flows import difference_view

        difference_view.show(record, console)
        if written:
            console.print(f"Read: {written[0]}", highlight=False, soft_wrap=True)
    return _exit(record)


def _exit(record: DiffRecord) -> int:
    return EXIT[record.outcome]
