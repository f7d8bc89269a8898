"""`proofline import`: take a received bundle into the facility's catalogue, and look things up in it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from configs import errors
from configs.printable import printable
from flows.commands import sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tef_export.received import Entry


@click.command("import")
@click.argument("bundle", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--into", type=click.Path(path_type=Path), required=True, help="Folder of the catalogue; made when absent."
)
@sender.KEY
@sender.FINGERPRINT
@sender.DEMONSTRATION
@click.option(
    "--accept",
    metavar="REASON",
    help="Take it although the catalogue holds the same id with other content, a newer version, or another sender.",
)
@click.option("--list", "listed", is_flag=True, help="List what was received, the latest first.")
@click.option("--show", "shown", metavar="ID", help="Everything about one bundle: its id or sha256, or a beginning.")
@click.option("--search", "words", metavar="WORDS", help="List the bundles that hold every one of these words.")
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON.")
def command(
    bundle: Path | None,
    *,
    into: Path,
    key: Path | None,
    fingerprint: str | None,
    demonstration: bool,
    accept: str | None,
    listed: bool,
    shown: str | None,
    words: str | None,
    as_json: bool,
) -> None:
    """Verify BUNDLE and take it into a catalogue; or look into the catalogue.

    The bundle is copied into the folder, with who signed it, when it came, and what the reader found. An interrupted
    import leaves nothing behind.
    """
    from tef_export import keys, received

    asked = [bundle is not None, listed, shown is not None, words is not None]
    if sum(asked) != 1:
        raise errors.PlanError(
            "import: expected exactly one of BUNDLE, --list, --show and --search, got "
            f"{'none' if not any(asked) else 'several'}. See `proofline import --help`."
        )
    if bundle is None:
        found = (received.show(into, shown),) if shown is not None else received.entries(into, words or "")
        _print(found, as_json=as_json, whole=shown is not None)
        return
    sender.require("import", key, fingerprint)
    entry, new = received.add(
        into,
        bundle,
        public_key=keys.load_public(key) if key else None,
        fingerprint=fingerprint,
        allow_demonstration=demonstration,
        accept=accept,
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(entry), indent=2, ensure_ascii=False))
    else:
        click.echo(f"{'Taken in' if new else 'Already there'}: {entry.bundle_id} ({entry.sha256[:12]}…) in {into}")


def _print(found: Sequence[Entry], *, as_json: bool, whole: bool) -> None:
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(e) for e in found], indent=2, ensure_ascii=False))
    elif whole:
        for name, value in dataclasses.asdict(found[0]).items():
            click.echo(f"{name:18} {_words(value)}")
    else:
        _table(found)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return printable(", ".join(f"{k}: {v}" for k, v in value.items()))
    if isinstance(value, tuple):
        return "; ".join(_words(one) for one in value) or "none"
    return "–" if value is None else printable(str(value))


def _table(found: Sequence[Entry]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{len(found)} received", title_justify="left")
    for name in ("Bundle", "System", "Provider", "Key", "Received", "Gate", "Measured again"):
        table.add_column(name, overflow="fold")
    for e in found:
        again = ", ".join(f"{r['status'].replace('_', ' ')} ({r['origin']})" for r in e.reruns) or "–"
        cells = (e.bundle_id, f"{e.system_name} {e.system_version}", e.provider, f"{e.fingerprint[:12]}…")
        table.add_row(*(escape(printable(c)) for c in (*cells, e.imported_at[:10], e.gate, again)))
    Console().print(table)
