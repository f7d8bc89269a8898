"""`proofline rerun`: measure a received model again and compare with what was declared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from configs import errors
from configs.printable import printable
from flows.commands import sender

if TYPE_CHECKING:
    from rich.console import Console

    from evidence.rerun_records import Rerun

COLOURS = {"reproduced": "green", "differs": "red", "cannot_tell": "yellow"}
WORDS = {
    "reproduced": "Reproduced: every headline that can be measured again agrees.",
    "differs": "Differs: at least one declared value is not what was measured.",
    "cannot_tell": "Cannot tell: for at least one headline the rows do not decide.",
}
CODES = {"reproduced": errors.EXIT_PASS, "differs": errors.EXIT_FAIL, "cannot_tell": errors.EXIT_INCONCLUSIVE}
SHOWN = 40
"""Lines of a table beside the headlines; all of them stand in the JSON."""


@click.command("rerun")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path))
@sender.KEY
@sender.FINGERPRINT
@click.option(
    "--data",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A table of your own (CSV or Parquet) with the raw columns of the plan; for a language model text (JSON Lines "
    "with `text`, `language`, `domain`, or plain text).  [default: the bundle's test rows or held-out text]",
)
@sender.DEMONSTRATION
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON.")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="Note the outcome in this catalogue, see `import`."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the outcome, rerun.json.",
)
def command(
    bundle: Path,
    *,
    key: Path | None,
    fingerprint: str | None,
    data: Path | None,
    demonstration: bool,
    as_json: bool,
    output: Path | None,
    into: Path | None,
) -> int:
    """Verify BUNDLE, then measure performance, fairness and robustness again by its recipe.

    The model runs under ONNX Runtime in a process with limited memory and time. Exit code 0: reproduced; 1: something
    differs, or the bundle does not hold; 4: cannot tell.
    """
    from rich.console import Console

    from configs import extras

    extras.require("proofline rerun", extras.RERUN, "tef")
    from evidence import storage
    from tef_export import archive, keys, received
    from tef_export.rerun import run

    sender.require("rerun", key, fingerprint)
    if into is not None:
        received.require_here(into, archive.sha256(bundle))
    console, aside = Console(), Console(stderr=True)
    with aside.status("Verify the bundle, and measure its model again …"):
        found = run.rerun(
            bundle,
            public_key=keys.load_public(key) if key else None,
            fingerprint=fingerprint,
            allow_demonstration=demonstration,
            data=data,
        )
    if output is not None:
        with storage.explained(f"outcome in {output}"):
            output.mkdir(parents=True, exist_ok=True)
            (output / "rerun.json").write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if into is not None:
        received.note(into, found.model_dump(mode="json"), found.model_dump_json())
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        show(found, console)
    return CODES[found.status]


def show(found: Rerun, console: Console) -> None:
    """The outcome, family by family, the worst first."""
    from rich.table import Table

    from evidence.rerun_records import WORST_FIRST

    families = dict.fromkeys(one.check_id.partition(".")[0] for one in found.comparisons)
    for family in families:
        table = Table(title=f"{family}: declared against measured again", title_justify="left")
        for name in ("Check", "Slice", "Declared", "Measured", "Result", "Why"):
            table.add_column(name, overflow="fold")
        lines = [one for one in found.comparisons if one.check_id.startswith(f"{family}.")]
        lines = [one for one in lines if one.headline or one.status == "differs"]
        lines.sort(key=lambda one: WORST_FIRST.index(one.status))
        for one in lines[:SHOWN]:
            table.add_row(
                _safe(one.name.partition(".")[2]),
                _safe(one.slice),
                _value(one.declared, one.declared_interval),
                _value(one.measured, one.measured_interval),
                f"[{COLOURS[one.status]}]{one.status.replace('_', ' ')}[/]",
                _safe(one.reason) if one.status != "reproduced" else "",
            )
        console.print(table)
        if len(lines) > SHOWN:
            console.print(f"… and {len(lines) - SHOWN} more lines, with --json")
    _thresholds(found, console)
    reasons: dict[str, list[str]] = {}
    for one in found.not_repeated:
        reasons.setdefault(one.reason, []).append(one.check_id)
    for reason, checks in reasons.items():
        names = ", ".join(dict.fromkeys(checks))
        console.print(
            f"[dim]not repeated:[/] {_safe(names)}: {_safe(reason)}",
            highlight=False,
            soft_wrap=True,
        )
    for text in found.data.warnings:
        console.print(f"[yellow]warning:[/] {_safe(text)}", highlight=False, soft_wrap=True)
    counts = ", ".join(f"{found.counted(status)} {status.replace('_', ' ')}" for status in WORST_FIRST)
    text = any(one.check_id.startswith("language.") for one in found.comparisons)
    what = "documents" if text else "rows"
    where = (
        f"the bundle's {'held-out text' if text else 'test rows'}"
        if found.data.origin == "bundle"
        else _safe(found.data.name)
    )
    console.print(
        f"{found.data.rows:,} {what} of {where}; {found.runtime}, {found.limits}; measures: {counts}", highlight=False
    )
    if failed := [one for one in found.thresholds if one.measured == "fail"]:
        named = ", ".join(f"{one.check_id}@{one.slice}" for one in failed)
        console.print(f"[red]fails the provider's threshold on these rows:[/] {_safe(named)}", soft_wrap=True)
    if found.measured_with:
        console.print(_safe(found.measured_with), highlight=False, soft_wrap=True)
    if found.demonstration:
        console.print("[yellow]Demonstration: a throw-away key signed this bundle and nobody approved it.[/]")
    console.print(f"[{COLOURS[found.status]}]{WORDS[found.status]}[/]")


def _safe(text: str) -> str:
    """A stranger's text in a table."""
    from rich.markup import escape

    return escape(printable(text))


def _value(value: float | None, interval: object) -> str:
    low, high = getattr(interval, "low", None), getattr(interval, "high", None)
    ends = "" if low is None or high is None else f" \\[{low:.3g}, {high:.3g}]"
    return "undefined" if value is None else f"{value:.4g}{ends}"


def _thresholds(found: Rerun, console: Console) -> None:
    from rich.table import Table

    if not found.thresholds:
        return
    colours = {"pass": "green", "fail": "red"}
    table = Table(title="The plan's thresholds on these rows", title_justify="left")
    for name in ("Check", "Slice", "Declared", "On these rows", "Found"):
        table.add_column(name, overflow="fold")
    for one in found.thresholds:
        words = [f"[{colours.get(s, 'yellow')}]{s.replace('_', ' ')}[/]" for s in (one.declared, one.measured)]
        table.add_row(_safe(one.check_id), _safe(one.slice), *words, _safe(one.text))
    console.print(table)
